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

// LockAttempt returns one counter.
func (tx *Tx) LockAttempt(key string) (account.Bucket, error) { return tx.lockBucket(key) }

// lockBucket makes the row if there is none, since only a row can be locked. It
// is one statement: between two, the row could expire.
func (tx *Tx) lockBucket(key string) (account.Bucket, error) {
	b := account.Bucket{Key: key}
	var expiresAt int64
	err := tx.queryRow(`INSERT INTO attempts (bucket, failures, expires_at) VALUES ($1, 0, 0)
		ON CONFLICT (bucket) DO UPDATE SET failures = attempts.failures RETURNING failures, expires_at`, key).Scan(&b.Failures, &expiresAt)
	b.ExpiresAt = fromMicros(expiresAt)
	return b, err
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
