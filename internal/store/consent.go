package store

import (
	"database/sql"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
)

// Consents returns what a person has allowed, by client.
func (r Reader) Consents(user string) ([]oauth.Consent, error) {
	rows, err := r.query(`SELECT `+clientColumns+`, k.scope, k.audiences, k.given_at FROM consents k JOIN clients c ON c.id = k.client_id
		WHERE k.user_id = $1 ORDER BY k.given_at DESC, c.id`, user)
	return collect(rows, err, scanConsent)
}

// giveConsent does nothing for a client that was removed meanwhile: the next one
// of its id is another.
func (tx *Tx) giveConsent(c change.ConsentGiven) error {
	return tx.exec(`INSERT INTO consents (user_id, client_id, scope, audiences, given_at)
		SELECT $1, id, $3, $4, CAST($5 AS BIGINT) FROM clients WHERE id = $2`+tx.db.engine.keep+`
		ON CONFLICT (user_id, client_id) DO UPDATE SET scope = excluded.scope, audiences = excluded.audiences, given_at = excluded.given_at`,
		c.User, c.Client, toList(c.Scope), toList(c.Audiences), toMicros(c.At))
}

// Holdings returns the clients that hold something of a person's, the newest
// first. Those of trusted clients are no consents.
func (r Reader) Holdings(user string) ([]oauth.Consent, error) {
	rows, err := r.query(`SELECT `+clientColumns+`, g.scope, g.audiences, g.created_at FROM grants g
		JOIN clients c ON c.id = g.client_id AND c.epoch = g.client_epoch JOIN users u ON u.id = g.user_id AND u.epoch = g.user_epoch
		WHERE g.user_id <> '' AND g.user_id = $1 AND g.session_id <> '' AND g.revoked_at = 0 ORDER BY g.created_at DESC, g.id LIMIT 500`, user)
	return collect(rows, err, scanConsent)
}

func scanConsent(rows *sql.Rows) (oauth.Consent, error) {
	var client clientRow
	var scope, audiences string
	var givenAt int64
	if err := rows.Scan(append(client.dest(), &scope, &audiences, &givenAt)...); err != nil {
		return oauth.Consent{}, err
	}
	c, err := client.client()
	return oauth.Consent{Client: c, Scope: fromList(scope), Audiences: fromList(audiences), GivenAt: fromMicros(givenAt)}, err
}

// forgetConsents is for a client that people would no longer know again.
func (tx *Tx) forgetConsents(c change.ConsentsForgotten) error {
	return tx.exec(`DELETE FROM consents WHERE client_id = $1`, c.Client)
}

// withdrawConsent ends what hangs on it in the order in which it is issued: a
// code that is being redeemed is locked, and its grant is there afterwards.
func (tx *Tx) withdrawConsent(c change.ConsentWithdrawn) error {
	if err := tx.exec(`DELETE FROM consents WHERE user_id = $1 AND client_id = $2`, c.User, c.Client); err != nil {
		return err
	}
	if err := tx.exec(`UPDATE codes SET revoked_at = $1 WHERE user_id = $2 AND client_id = $3 AND revoked_at = 0`, toMicros(c.At), c.User, c.Client); err != nil {
		return err
	}
	return tx.exec(`UPDATE grants SET revoked_at = $1 WHERE user_id <> '' AND user_id = $2 AND client_id = $3 AND revoked_at = 0`, toMicros(c.At), c.User, c.Client)
}
