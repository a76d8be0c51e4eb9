package store

import (
	"github.com/keywright/keywright/internal/account"
	"github.com/keywright/keywright/internal/change"
)

// LockAttempts returns the two counters of a sign-in attempt. They are locked
// in one order, whichever account and address meet.
func (tx *Tx) LockAttempts(accountKey, addressKey string) (byAccount, byAddress account.Bucket, err error) {
	if byAccount, err = tx.lockBucket(accountKey); err != nil {
		return byAccount, byAddress, err
	}
	byAddress, err = tx.lockBucket(addressKey)
	return byAccount, byAddress, err
}

// lockBucket makes the row if there is none, since only a row can be locked.
func (tx *Tx) lockBucket(key string) (account.Bucket, error) {
	b := account.Bucket{Key: key}
	if tx.db.engine.forUpdate != "" {
		if err := tx.exec(`INSERT INTO attempts (bucket, failures, expires_at) VALUES ($1, 0, 0) ON CONFLICT (bucket) DO NOTHING`, key); err != nil {
			return b, err
		}
	}
	var expiresAt int64
	row, err := orNil(&b, tx.queryRow(`SELECT failures, expires_at FROM attempts WHERE bucket = $1`+tx.db.engine.forUpdate, key).Scan(&b.Failures, &expiresAt))
	if err != nil || row == nil {
		return account.Bucket{Key: key}, err
	}
	b.ExpiresAt = fromMicros(expiresAt)
	return b, nil
}

func (tx *Tx) reserveAttempts(c change.AttemptsReserved) error {
	for _, b := range c.Buckets {
		if err := tx.exec(`INSERT INTO attempts (bucket, failures, expires_at) VALUES ($1, $2, $3)
			ON CONFLICT (bucket) DO UPDATE SET failures = excluded.failures, expires_at = excluded.expires_at`,
			b.Key, b.Failures, toMicros(b.ExpiresAt)); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) returnAttempts(c change.AttemptsReturned) error {
	for _, key := range c.Keys {
		if err := tx.exec(`UPDATE attempts SET failures = failures - 1 WHERE bucket = $1 AND failures > 0`, key); err != nil {
			return err
		}
	}
	return nil
}
