package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/jose"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/store"
)

// A keyring holds the signing keys in memory, as the database had them when
// its epoch was last seen to change.
type keyring struct {
	db        *store.DB
	algorithm jose.Algorithm
	lifetime  time.Duration
	loaded    atomic.Pointer[loadedKeys]
}

type loadedKeys struct {
	lives     []oauth.SigningKey
	private   map[string]*jose.PrivateKey
	public    *jose.Set
	published document // public, rendered
}

// signer returns the key that signs at a moment.
func (k *keyring) signer(now time.Time) (*jose.PrivateKey, error) {
	keys := k.loaded.Load()
	life, ok := oauth.Signer(keys.lives, string(k.algorithm), now)
	if !ok {
		return nil, errors.New("there is no signing key")
	}
	return keys.private[life.ID], nil
}

func (k *keyring) load(ctx context.Context) error {
	rows, err := k.db.Read(ctx).SigningKeys()
	if err != nil {
		return err
	}
	keys := &loadedKeys{private: map[string]*jose.PrivateKey{}}
	var public []*jose.PublicKey
	for _, row := range rows {
		private, err := jose.ParsePKCS8(jose.Algorithm(row.Algorithm), row.PrivateKey)
		if err != nil {
			return fmt.Errorf("signing key %s: %w", row.ID, err)
		}
		keys.lives = append(keys.lives, row.SigningKey)
		keys.private[row.ID] = private
		public = append(public, private.Public())
	}
	keys.public = jose.NewSet(public...)
	if keys.published, err = newDocument(keys.public); err != nil {
		return err
	}
	k.loaded.Store(keys)
	return nil
}

// keep makes sure that a key signs and its successor is published, and
// withdraws those that have served.
func (k *keyring) keep(ctx context.Context) error {
	return k.update(ctx, change.Origin{Actor: "system"}, func(lives []oauth.SigningKey, made []oauth.NewKey, now time.Time) []change.Change {
		return oauth.KeepKeys(lives, string(k.algorithm), made, k.lifetime, now)
	})
}

// rotate lets the successor take over, and publishes the next one.
func (k *keyring) rotate(ctx context.Context, origin change.Origin, leaked bool) (next oauth.SigningKey, err error) {
	// The successor may have taken over since keys were last kept: publish another first.
	if err := k.keep(ctx); err != nil {
		return next, err
	}
	err = k.update(ctx, origin, func(lives []oauth.SigningKey, _ []oauth.NewKey, now time.Time) []change.Change {
		promoted, changes, _ := oauth.RotateKeys(lives, string(k.algorithm), leaked, now)
		next = promoted
		return changes
	})
	if err == nil {
		err = k.keep(ctx)
	}
	return next, err
}

// update lets rule change the keys, in one transaction that no other node's
// meets. The new keys it may need are made before, since that takes time.
func (k *keyring) update(ctx context.Context, origin change.Origin, rule func([]oauth.SigningKey, []oauth.NewKey, time.Time) []change.Change) error {
	rows, err := k.db.Read(ctx).SigningKeys()
	if err != nil {
		return err
	}
	made, err := k.make(oauth.KeysWanted(lives(rows), string(k.algorithm), k.db.Now()))
	if err != nil {
		return err
	}
	if len(rule(lives(rows), made, k.db.Now())) == 0 {
		return nil
	}
	return decide(ctx, k.db, origin, (*store.Tx).LockSigningKeys, func(rows []store.SigningKey, now time.Time) ([]change.Change, error) {
		return rule(lives(rows), made, now), nil
	})
}

func (k *keyring) make(n int) ([]oauth.NewKey, error) {
	var made []oauth.NewKey
	for range n {
		key, err := jose.GenerateKey(k.algorithm, rand.Reader)
		if err != nil {
			return nil, err
		}
		der, err := key.MarshalPKCS8()
		if err != nil {
			return nil, err
		}
		made = append(made, oauth.NewKey{ID: key.ID(), Algorithm: string(k.algorithm), PrivateKey: der})
	}
	return made, nil
}

func lives(rows []store.SigningKey) []oauth.SigningKey {
	all := make([]oauth.SigningKey, len(rows))
	for i, row := range rows {
		all[i] = row.SigningKey
	}
	return all
}
