package store

import (
	"database/sql"
	"time"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
)

const clientColumns = `c.id, c.public, c.secret_hash, c.grants, c.scopes, c.audiences, c.serves, c.redirect_uris,
	c.post_logout_redirect_uris, c.origins, c.access_token_ttl, c.disabled_at, c.epoch, c.created_at`

// clientRow receives clientColumns, all of them NULL after an outer join that found none.
type clientRow struct {
	id, grants, scopes, audiences, serves         sql.NullString
	redirectURIs, postLogoutRedirectURIs, origins sql.NullString
	secretHash                                    []byte
	public, ttl, disabledAt, epoch, createdAt     sql.NullInt64
}

func (r *clientRow) dest() []any {
	return []any{&r.id, &r.public, &r.secretHash, &r.grants, &r.scopes, &r.audiences, &r.serves, &r.redirectURIs,
		&r.postLogoutRedirectURIs, &r.origins, &r.ttl, &r.disabledAt, &r.epoch, &r.createdAt}
}

func (r *clientRow) client() *oauth.Client {
	if !r.id.Valid {
		return nil
	}
	return &oauth.Client{
		ID: r.id.String, Public: r.public.Int64 != 0, SecretHash: r.secretHash,
		Grants: fromList(r.grants.String), Scopes: fromList(r.scopes.String), Audiences: fromList(r.audiences.String),
		Serves: fromList(r.serves.String), RedirectURIs: fromList(r.redirectURIs.String),
		PostLogoutRedirectURIs: fromList(r.postLogoutRedirectURIs.String), Origins: fromList(r.origins.String),
		AccessTokenTTL: time.Duration(r.ttl.Int64) * time.Microsecond,
		Disabled:       r.disabledAt.Int64 != 0, Epoch: r.epoch.Int64, CreatedAt: fromMicros(r.createdAt.Int64),
	}
}

// Client returns a client, or nil.
func (r Reader) Client(id string) (*oauth.Client, error) {
	return r.client(id, "")
}

// LockClient is Client for a transaction that decides about the client.
func (tx *Tx) LockClient(id string) (*oauth.Client, error) {
	return tx.client(id, tx.db.engine.forUpdate)
}

func (r Reader) client(id, lock string) (*oauth.Client, error) {
	var row clientRow
	if _, err := orNil(&row, r.queryRow(`SELECT `+clientColumns+` FROM clients c WHERE c.id = $1`+lock, id).Scan(row.dest()...)); err != nil {
		return nil, err
	}
	return row.client(), nil
}

// Clients returns every client, ordered by id.
func (r Reader) Clients() ([]*oauth.Client, error) {
	rows, err := r.query(`SELECT ` + clientColumns + ` FROM clients c ORDER BY c.id`)
	return collect(rows, err, func(rows *sql.Rows) (*oauth.Client, error) {
		var row clientRow
		err := rows.Scan(row.dest()...)
		return row.client(), err
	})
}

// ClientFacts returns a client and its own living grant, in one statement.
func (r Reader) ClientFacts(id string) (oauth.ClientFacts, error) {
	f := oauth.ClientFacts{SecretKey: r.db.secrets.ClientSecret, KeyID: r.db.secrets.Refresh.ID}
	var row clientRow
	var grantID sql.NullString
	dest := append(row.dest(), &f.GlobalEpoch, &grantID)
	_, err := orNil(&row, r.queryRow(`SELECT `+clientColumns+`, e.value, g.id
		FROM clients c JOIN epochs e ON e.name = 'global'
		LEFT JOIN grants g ON g.client_id = c.id AND g.user_id = '' AND g.client_epoch = c.epoch AND g.global_epoch = e.value AND g.revoked_at = 0
		WHERE c.id = $1`, id).Scan(dest...))
	if err != nil {
		return f, err
	}
	f.Client = row.client()
	if grantID.Valid {
		f.Grant = &oauth.Grant{ID: grantID.String, Client: id}
	}
	return f, nil
}

// Origins returns the web origins of all enabled clients.
func (r Reader) Origins() ([]string, error) {
	rows, err := r.query(`SELECT origins FROM clients WHERE disabled_at = 0 AND origins <> ''`)
	lists, err := collect(rows, err, func(rows *sql.Rows) (string, error) {
		var list string
		err := rows.Scan(&list)
		return list, err
	})
	var all []string
	for _, list := range lists {
		all = append(all, fromList(list)...)
	}
	return all, err
}

func (tx *Tx) addClient(c change.ClientAdded) error {
	public := 0
	if c.Public {
		public = 1
	}
	secretHash := c.SecretHash
	if secretHash == nil {
		secretHash = []byte{}
	}
	// The client's epoch starts above each that it can have had: what was issued
	// to a removed client of the same id stays dead.
	if err := tx.raiseEpoch(originsEpoch); err != nil {
		return err
	}
	return tx.exec(`INSERT INTO clients (id, public, secret_hash, grants, scopes, audiences, serves, redirect_uris,
		post_logout_redirect_uris, origins, access_token_ttl, disabled_at, epoch, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, (SELECT value FROM epochs WHERE name = $12), $13)`,
		c.Client, public, secretHash, toList(c.Grants), toList(c.Scopes), toList(c.Audiences), toList(c.Serves), toList(c.RedirectURIs),
		toList(c.PostLogoutRedirectURIs), toList(c.Origins), c.AccessTokenTTL.Microseconds(), originsEpoch, toMicros(c.At))
}

func (tx *Tx) disableClient(c change.ClientDisabled) error {
	err := tx.exec(`UPDATE clients SET disabled_at = $1, epoch = epoch + 1 WHERE id = $2`, toMicros(c.At), c.Client)
	if err != nil {
		return err
	}
	return tx.raiseEpoch(originsEpoch)
}

func (tx *Tx) enableClient(c change.ClientEnabled) error {
	if err := tx.exec(`UPDATE clients SET disabled_at = 0 WHERE id = $1`, c.Client); err != nil {
		return err
	}
	return tx.raiseEpoch(originsEpoch)
}

func (tx *Tx) replaceClientSecret(c change.ClientSecretReplaced) error {
	return tx.exec(`UPDATE clients SET secret_hash = $1 WHERE id = $2`, c.SecretHash, c.Client)
}

// removeClient leaves the grants to expire: without their client they are dead.
func (tx *Tx) removeClient(c change.ClientRemoved) error {
	if err := tx.exec(`DELETE FROM clients WHERE id = $1`, c.Client); err != nil {
		return err
	}
	return tx.raiseEpoch(originsEpoch)
}
