package store

import (
	"database/sql"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
)

// SigningKey is a signing key with its private half, unsealed.
type SigningKey struct {
	oauth.SigningKey
	PrivateKey []byte // PKCS #8
}

// SigningKeys returns every key that is published.
func (r Reader) SigningKeys() ([]SigningKey, error) {
	rows, err := r.query(`SELECT kid, algorithm, sealed, published_at, ready_at, signs_from FROM signing_keys ORDER BY signs_from, kid`)
	return collect(rows, err, func(rows *sql.Rows) (SigningKey, error) {
		var k SigningKey
		var sealed []byte
		var publishedAt, readyAt, signsFrom int64
		err := rows.Scan(&k.ID, &k.Algorithm, &sealed, &publishedAt, &readyAt, &signsFrom)
		if err != nil {
			return k, err
		}
		k.PublishedAt, k.ReadyAt, k.SignsFrom = fromMicros(publishedAt), fromMicros(readyAt), fromMicros(signsFrom)
		k.PrivateKey, err = r.db.sealer.open(sealed, "signing_keys", "sealed", k.ID)
		return k, err
	})
}

// LockSigningKeys is SigningKeys for the one transaction that may change them.
func (tx *Tx) LockSigningKeys() ([]SigningKey, error) {
	var value int64
	if err := tx.queryRow(`SELECT value FROM epochs WHERE name = $1`+tx.db.engine.forUpdate, keysEpoch).Scan(&value); err != nil {
		return nil, err
	}
	return tx.SigningKeys()
}

func (tx *Tx) addSigningKey(c change.SigningKeyAdded) error {
	sealed := tx.db.sealer.seal(c.PrivateKey, "signing_keys", "sealed", c.KeyID)
	err := tx.exec(`INSERT INTO signing_keys (kid, algorithm, sealed, published_at, ready_at, signs_from) VALUES ($1, $2, $3, $4, $5, $6)`,
		c.KeyID, c.Algorithm, sealed, toMicros(c.PublishedAt), toMicros(c.ReadyAt), toMicros(c.SignsFrom))
	if err != nil {
		return err
	}
	return tx.raiseEpoch(keysEpoch)
}

func (tx *Tx) promoteSigningKey(c change.SigningKeyPromoted) error {
	if err := tx.exec(`UPDATE signing_keys SET signs_from = $1 WHERE kid = $2`, toMicros(c.SignsFrom), c.KeyID); err != nil {
		return err
	}
	return tx.raiseEpoch(keysEpoch)
}

func (tx *Tx) removeSigningKey(c change.SigningKeyRemoved) error {
	if err := tx.exec(`DELETE FROM signing_keys WHERE kid = $1`, c.KeyID); err != nil {
		return err
	}
	return tx.raiseEpoch(keysEpoch)
}
