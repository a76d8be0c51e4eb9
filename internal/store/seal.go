package store

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/keywright/keywright/internal/oauth"
)

// A sealer encrypts what the database must not show, with AES-256-GCM under the
// master key. The place of a value (table, column, row) is authenticated with
// it, so that nobody who can write rows can move it elsewhere.
type sealer struct{ aead cipher.AEAD }

func newSealer(masterKey [32]byte) (sealer, error) {
	block, err := aes.NewCipher(masterKey[:])
	if err != nil {
		return sealer{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return sealer{aead}, err
}

func (s sealer) seal(plaintext []byte, table, column, row string) []byte {
	return s.aead.Seal(nil, nil, plaintext, place(table, column, row))
}

func (s sealer) open(sealed []byte, table, column, row string) ([]byte, error) {
	plaintext, err := s.aead.Open(nil, nil, sealed, place(table, column, row))
	if err != nil {
		return nil, ErrWrongMasterKey
	}
	return plaintext, nil
}

func place(table, column, row string) []byte {
	return []byte(table + "\x00" + column + "\x00" + row)
}

// Secrets are the symmetric keys that the server computes with, all derived
// from one root that the database holds sealed.
type Secrets struct {
	Refresh      oauth.RefreshKey // derives refresh tokens
	ClientSecret []byte           // hashes client secrets
	Throttle     []byte           // names the buckets of failed sign-ins
	Address      []byte           // hashes network addresses for the journal
	Session      []byte           // hashes the cookies of sessions
	Code         []byte           // hashes authorization codes
	Flow         []byte           // seals what travels through the pages
	journal      []byte           // seals the journal's batches
}

// rootID is the key id of the root secret; there is one so far.
const rootID = 1

// openSecrets unseals the root secret, or makes it in a new database.
func (db *DB) openSecrets(ctx context.Context, create bool) error {
	var root []byte
	err := db.Update(ctx, func(tx *Tx) error {
		sealed, err := tx.rootSecret()
		if err != nil {
			return err
		}
		if sealed == nil && create {
			var fresh [32]byte
			rand.Read(fresh[:])
			sealed = db.sealer.seal(fresh[:], "secrets", "sealed", fmt.Sprint(rootID))
			if err := tx.insertRootSecret(sealed); err != nil {
				return err
			}
		}
		if sealed == nil {
			return ErrNoDatabase
		}
		root, err = db.sealer.open(sealed, "secrets", "sealed", fmt.Sprint(rootID))
		return err
	})
	if err != nil {
		return err
	}
	derive := func(purpose string) []byte {
		key, e := hkdf.Key(sha256.New, root, nil, "keywright "+purpose, 32)
		err = errors.Join(err, e)
		return key
	}
	db.secrets = Secrets{
		Refresh:      oauth.RefreshKey{ID: rootID, Key: derive("refresh token")},
		ClientSecret: derive("client secret"),
		Throttle:     derive("throttle"),
		Address:      derive("address"),
		Session:      derive("session"),
		Code:         derive("code"),
		Flow:         derive("flow"),
		journal:      derive("journal"),
	}
	return err
}
