package store

import (
	"database/sql"
	"errors"
)

func (tx *Tx) rootSecret() (sealed []byte, err error) {
	err = tx.queryRow(`SELECT sealed FROM secrets WHERE id = $1`, rootID).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return sealed, err
}

// insertRootSecret also starts the epochs: a database without a root has none.
// They start at the time, so that no value ever returns in a new database.
func (tx *Tx) insertRootSecret(sealed []byte) error {
	now, err := tx.Now()
	if err != nil {
		return err
	}
	for _, name := range []string{GlobalEpoch, keysEpoch, originsEpoch} {
		if err := tx.exec(`INSERT INTO epochs (name, value) VALUES ($1, $2)`, name, toMicros(now)); err != nil {
			return err
		}
	}
	return tx.exec(`INSERT INTO secrets (id, sealed, created_at) VALUES ($1, $2, $3)`, rootID, sealed, toMicros(now))
}
