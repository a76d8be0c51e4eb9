// Package keyring holds the signing keys in memory, and sees to it that there are
// always some that sign and some that come next.
package keyring

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/jose"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/store"
)

// Algorithms are those of which there are always keys: with which one its ID
// tokens are signed, each client says.
var Algorithms = []jose.Algorithm{jose.ES256, jose.RS256, jose.EdDSA}

// A Keyring holds the signing keys as the database had them when they were last
// loaded.
type Keyring struct {
	db       *store.DB
	lifetime time.Duration
	loaded   atomic.Pointer[loadedKeys]
}

type loadedKeys struct {
	lives   []oauth.SigningKey
	private map[string]*jose.PrivateKey
	public  *jose.Set
}

// New returns a keyring that is empty until it is loaded. A key signs for a
// lifetime.
func New(db *store.DB, lifetime time.Duration) *Keyring {
	return &Keyring{db: db, lifetime: lifetime}
}

// Public returns the keys that verify: what is published.
func (k *Keyring) Public() *jose.Set { return k.loaded.Load().public }

// Signer returns the algorithm's key that signs at a moment.
func (k *Keyring) Signer(algorithm jose.Algorithm, now time.Time) (*jose.PrivateKey, error) {
	keys := k.loaded.Load()
	life, ok := oauth.Signer(keys.lives, string(algorithm), now)
	if !ok {
		return nil, fmt.Errorf("there is no %s key to sign with", algorithm)
	}
	return keys.private[life.ID], nil
}

// Load reads the keys from the database.
func (k *Keyring) Load(ctx context.Context) error {
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
	k.loaded.Store(keys)
	return nil
}

// newKeys are key pairs that were just made.
type newKeys map[jose.Algorithm][]oauth.NewKey

// Keep makes sure that a key of each algorithm signs and its successor is
// published, and withdraws those that have served.
func (k *Keyring) Keep(ctx context.Context) error {
	return k.update(ctx, change.Origin{Actor: "system"}, func(lives []oauth.SigningKey, made newKeys, now time.Time) (changes []change.Change) {
		for _, a := range Algorithms {
			changes = append(changes, oauth.KeepKeys(lives, string(a), made[a], k.lifetime, now)...)
		}
		return changes
	})
}

// Rotate lets the successor of each algorithm's key take over, and publishes
// the next ones.
func (k *Keyring) Rotate(ctx context.Context, origin change.Origin, leaked bool) (next []oauth.SigningKey, err error) {
	// A successor may have taken over since keys were last kept: publish another first.
	if err := k.Keep(ctx); err != nil {
		return nil, err
	}
	err = k.update(ctx, origin, func(lives []oauth.SigningKey, _ newKeys, now time.Time) (changes []change.Change) {
		next = nil
		for _, a := range Algorithms {
			if successor, promotion, ok := oauth.RotateKeys(lives, string(a), leaked, now); ok {
				next, changes = append(next, successor), append(changes, promotion...)
			}
		}
		return changes
	})
	if err == nil {
		err = k.Keep(ctx)
	}
	return next, err
}

// update lets rule change the keys, in one transaction that no other node's
// meets. The new keys it may need are made before, since that takes time.
func (k *Keyring) update(ctx context.Context, origin change.Origin, rule func([]oauth.SigningKey, newKeys, time.Time) []change.Change) error {
	rows, err := k.db.Read(ctx).SigningKeys()
	if err != nil {
		return err
	}
	made, err := makeKeys(Lives(rows), k.db.Now())
	if err != nil {
		return err
	}
	if len(rule(Lives(rows), made, k.db.Now())) == 0 {
		return nil
	}
	return store.Decide(ctx, k.db, origin, (*store.Tx).LockSigningKeys, func(rows []store.SigningKey, now time.Time) ([]change.Change, error) {
		return rule(Lives(rows), made, now), nil
	})
}

// makeKeys makes the keys that KeepKeys will want. Those of RSA take long: all
// are made at the same time.
func makeKeys(lives []oauth.SigningKey, now time.Time) (newKeys, error) {
	made := newKeys{}
	var failures []error
	var making sync.WaitGroup
	var mu sync.Mutex
	for _, a := range Algorithms {
		for range oauth.KeysWanted(lives, string(a), now) {
			making.Go(func() {
				key, err := makeKey(a)
				mu.Lock()
				defer mu.Unlock()
				made[a], failures = append(made[a], key), append(failures, err)
			})
		}
	}
	making.Wait()
	return made, errors.Join(failures...)
}

func makeKey(algorithm jose.Algorithm) (oauth.NewKey, error) {
	key, err := jose.GenerateKey(algorithm, rand.Reader)
	if err != nil {
		return oauth.NewKey{}, err
	}
	der, err := key.MarshalPKCS8()
	return oauth.NewKey{ID: key.ID(), Algorithm: string(algorithm), PrivateKey: der}, err
}

// Lives returns what is said of keys without the keys.
func Lives(rows []store.SigningKey) []oauth.SigningKey {
	all := make([]oauth.SigningKey, len(rows))
	for i, row := range rows {
		all[i] = row.SigningKey
	}
	return all
}
