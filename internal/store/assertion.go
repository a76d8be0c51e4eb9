package store

import "github.com/keywright/keywright/internal/change"

// AssertionUsed says whether a client has used an assertion's id before.
func (r Reader) AssertionUsed(client, id string) (used bool, err error) {
	err = r.queryRow(`SELECT EXISTS (SELECT 1 FROM client_assertions WHERE id = $1)`, client+" "+id).Scan(&used)
	return used, err
}

func (tx *Tx) useAssertion(c change.ClientAssertionUsed) error {
	return tx.exec(`INSERT INTO client_assertions (id, expires_at) VALUES ($1, $2)`, c.Client+" "+c.ID, toMicros(c.ExpiresAt))
}
