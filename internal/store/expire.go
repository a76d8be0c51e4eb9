package store

import (
	"context"
	"database/sql"
	"time"
)

const (
	// expiryStep is small, so that no deletion ever stalls a sign-in.
	expiryStep = 200
	// expiryDelay is more than a clock is ever wrong by: a row that is deleted
	// while another node's clock, or this one's tomorrow, counts on it would
	// revive a token or a guess.
	expiryDelay = 24 * time.Hour
)

// Expiry walks through the database, a step at a call, and remembers where it was.
type Expiry struct {
	db         *DB
	grantIdle  time.Duration
	tokenTTL   time.Duration
	afterGrant string
}

// NewExpiry returns a walk that has not begun. A grant that is not refreshed for
// grantIdle is dead; its row is kept until the last access token issued from it
// has expired, which lives for tokenTTL at most.
func NewExpiry(db *DB, grantIdle, tokenTTL time.Duration) *Expiry {
	return &Expiry{db: db, grantIdle: grantIdle, tokenTTL: tokenTTL}
}

// Step deletes some expired rows and says whether there is more to do at once.
func (e *Expiry) Step(ctx context.Context) (more bool, err error) {
	now := toMicros(e.db.Now().Add(-expiryDelay))
	for _, list := range []struct{ find, remove string }{
		{`SELECT bucket FROM attempts WHERE expires_at < $1 ORDER BY expires_at LIMIT $2`, `DELETE FROM attempts WHERE bucket = $1 AND expires_at < $2`},
		{`SELECT token_id FROM revoked_tokens WHERE expires_at < $1 ORDER BY expires_at LIMIT $2`, `DELETE FROM revoked_tokens WHERE token_id = $1 AND expires_at < $2`},
		{`SELECT hash FROM codes WHERE expires_at < $1 ORDER BY expires_at LIMIT $2`, `DELETE FROM codes WHERE hash = $1 AND expires_at < $2`},
		{`SELECT id FROM client_assertions WHERE expires_at < $1 ORDER BY expires_at LIMIT $2`, `DELETE FROM client_assertions WHERE id = $1 AND expires_at < $2`},
		{`SELECT id FROM sessions WHERE ends_at < $1 ORDER BY ends_at LIMIT $2`, `DELETE FROM sessions WHERE id = $1 AND ends_at < $2`},
		{`SELECT id FROM logouts WHERE created_at < $1 ORDER BY created_at LIMIT $2`, `DELETE FROM logouts WHERE id = $1 AND created_at < $2`},
		{`SELECT id FROM registration_tokens WHERE expires_at < $1 ORDER BY expires_at LIMIT $2`, `DELETE FROM registration_tokens WHERE id = $1 AND expires_at < $2`},
	} {
		rows, err := e.db.Read(ctx).query(list.find, now, expiryStep)
		keys, err := collect(rows, err, func(rows *sql.Rows) (key any, err error) {
			err = rows.Scan(&key)
			return key, err
		})
		if err != nil {
			return false, err
		}
		if err := e.remove(ctx, list.remove, keys, now); err != nil {
			return false, err
		}
		more = more || len(keys) == expiryStep
	}
	moreGrants, err := e.stepGrants(ctx)
	return more || moreGrants, err
}

// isDead says of a grant that neither it nor a token issued from it can be used
// any more. While its session has a row it is kept: it says which clients must
// hear of the session's end. A grant of a client itself ends with its epochs alone. $1 and $2 are
// when the last token has expired that was issued from a grant that ended, or
// fell idle, at that time.
const isDead = `(revoked_at > 0 AND revoked_at < $1 OR expires_at > 0 AND expires_at < $1 OR user_id <> '' AND current_since < $2
	OR current_since < $1 AND NOT EXISTS (SELECT 1 FROM clients c JOIN epochs e ON e.name = 'global'
		WHERE c.id = grants.client_id AND c.epoch = grants.client_epoch AND e.value = grants.global_epoch))
	AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.id = grants.session_id)`

// stepGrants looks at the next grants in the order of their ids, which needs no
// index that a rotation would have to keep. There is more until the walk ends.
func (e *Expiry) stepGrants(ctx context.Context) (more bool, err error) {
	now := e.db.Now().Add(-expiryDelay)
	dead, idle := toMicros(now.Add(-e.tokenTTL)), toMicros(now.Add(-e.tokenTTL-e.grantIdle))
	r := e.db.Read(ctx)
	var last sql.NullString
	err = r.queryRow(`SELECT MAX(id) FROM (SELECT id FROM grants WHERE id > $1 ORDER BY id LIMIT $2) AS step`, e.afterGrant, expiryStep).Scan(&last)
	if err != nil {
		return false, err
	}
	if !last.Valid {
		e.afterGrant = ""
		return false, nil
	}
	var found bool
	err = r.queryRow(`SELECT EXISTS (SELECT 1 FROM grants WHERE id > $3 AND id <= $4 AND `+isDead+`)`, dead, idle, e.afterGrant, last.String).Scan(&found)
	if err == nil && found {
		err = e.db.Update(ctx, func(tx *Tx) error {
			return tx.exec(`DELETE FROM grants WHERE id > $3 AND id <= $4 AND `+isDead, dead, idle, e.afterGrant, last.String)
		})
	}
	if err == nil {
		e.afterGrant = last.String
	}
	return true, err
}

func (e *Expiry) remove(ctx context.Context, statement string, keys []any, now int64) error {
	if len(keys) == 0 {
		return nil
	}
	return e.db.Update(ctx, func(tx *Tx) error {
		for _, key := range keys {
			if err := tx.exec(statement, key, now); err != nil {
				return err
			}
		}
		return nil
	})
}
