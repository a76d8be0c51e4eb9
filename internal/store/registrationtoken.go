package store

import (
	"database/sql"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
)

func scanRegistrationToken(row scanner) (*oauth.RegistrationToken, error) {
	var t oauth.RegistrationToken
	var createdAt, expiresAt int64
	err := row.Scan(&t.ID, &t.UsesLeft, &createdAt, &expiresAt)
	t.CreatedAt, t.ExpiresAt = fromMicros(createdAt), fromMicros(expiresAt)
	return &t, err
}

// RegistrationTokens returns every initial access token, ordered by id.
func (r Reader) RegistrationTokens() ([]oauth.RegistrationToken, error) {
	rows, err := r.query(`SELECT id, uses_left, created_at, expires_at FROM registration_tokens ORDER BY id`)
	return collect(rows, err, func(rows *sql.Rows) (oauth.RegistrationToken, error) {
		t, err := scanRegistrationToken(rows)
		return *t, err
	})
}

// LockRegistrationToken returns the initial access token with a hash, or nil.
func (tx *Tx) LockRegistrationToken(hash []byte) (*oauth.RegistrationToken, error) {
	t, err := scanRegistrationToken(tx.queryRow(`SELECT id, uses_left, created_at, expires_at FROM registration_tokens WHERE hash = $1`+tx.db.engine.forUpdate, hash))
	return orNil(t, err)
}

func (tx *Tx) addRegistrationToken(c change.RegistrationTokenAdded) error {
	return tx.exec(`INSERT INTO registration_tokens (id, hash, uses_left, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)`,
		c.Token, c.Hash, c.Uses, toMicros(c.At), toMicros(c.ExpiresAt))
}

func (tx *Tx) useRegistrationToken(c change.RegistrationTokenUsed) error {
	return tx.exec(`UPDATE registration_tokens SET uses_left = uses_left - 1 WHERE id = $1`, c.Token)
}

func (tx *Tx) removeRegistrationToken(c change.RegistrationTokenRemoved) error {
	return tx.exec(`DELETE FROM registration_tokens WHERE id = $1`, c.Token)
}
