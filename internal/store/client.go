package store

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
)

const clientColumns = `c.id, c.public, c.secret_hash, c.grants, c.scopes, c.audiences, c.serves, c.redirect_uris,
	c.post_logout_redirect_uris, c.origins, c.access_token_ttl, c.disabled_at, c.epoch, c.created_at, c.metadata`

// clientRow receives clientColumns, all of them NULL after an outer join that found none.
type clientRow struct {
	id, grants, scopes, audiences, serves         sql.NullString
	redirectURIs, postLogoutRedirectURIs, origins sql.NullString
	metadata                                      sql.NullString
	secretHash                                    []byte
	public, ttl, disabledAt, epoch, createdAt     sql.NullInt64
}

func (r *clientRow) dest() []any {
	return []any{&r.id, &r.public, &r.secretHash, &r.grants, &r.scopes, &r.audiences, &r.serves, &r.redirectURIs,
		&r.postLogoutRedirectURIs, &r.origins, &r.ttl, &r.disabledAt, &r.epoch, &r.createdAt, &r.metadata}
}

func (r *clientRow) client() (*oauth.Client, error) {
	if !r.id.Valid {
		return nil, nil
	}
	c := &oauth.Client{
		ID: r.id.String, SecretHash: r.secretHash,
		Disabled: r.disabledAt.Int64 != 0, Epoch: r.epoch.Int64, CreatedAt: fromMicros(r.createdAt.Int64),
	}
	c.RegisteredBy = oauth.ByOperator
	if r.metadata.String != "" {
		if err := json.Unmarshal([]byte(r.metadata.String), &c.ClientMetadata); err != nil {
			return nil, fmt.Errorf("metadata of client %s: %w", c.ID, err)
		}
	}
	c.Public = r.public.Int64 != 0
	c.Grants, c.Scopes, c.Audiences, c.Serves = fromList(r.grants.String), fromList(r.scopes.String), fromList(r.audiences.String), fromList(r.serves.String)
	c.RedirectURIs, c.PostLogoutRedirectURIs = fromList(r.redirectURIs.String), fromList(r.postLogoutRedirectURIs.String)
	c.Origins, c.AccessTokenTTL = fromList(r.origins.String), time.Duration(r.ttl.Int64)*time.Microsecond
	return c, nil
}

// restOf is of a client's metadata what has no column, as JSON; empty: nothing.
// The requests of machines, which are many, ask for nothing of it.
func restOf(m change.ClientMetadata) (string, error) {
	m.Public, m.Grants, m.Scopes, m.Audiences, m.Serves, m.Origins, m.AccessTokenTTL = false, nil, nil, nil, nil, nil, 0
	m.RedirectURIs, m.PostLogoutRedirectURIs = nil, nil
	if m.RegisteredBy == oauth.ByOperator {
		m.RegisteredBy = ""
	}
	if reflect.DeepEqual(m, change.ClientMetadata{}) {
		return "", nil
	}
	text, err := json.Marshal(m)
	return string(text), err
}

func scanClient(rows *sql.Rows) (*oauth.Client, error) {
	var row clientRow
	if err := rows.Scan(row.dest()...); err != nil {
		return nil, err
	}
	return row.client()
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
	if !utf8.ValidString(id) || strings.IndexByte(id, 0) >= 0 {
		return nil, nil // no database takes it for text
	}
	var row clientRow
	var registrationToken []byte
	found, err := orNil(&row, r.queryRow(`SELECT `+clientColumns+`, c.registration_token FROM clients c WHERE c.id = $1`+lock, id).
		Scan(append(row.dest(), &registrationToken)...))
	if err != nil || found == nil {
		return nil, err
	}
	c, err := row.client()
	if c != nil {
		c.RegistrationToken = registrationToken
	}
	return c, err
}

// Clients returns every client, ordered by id.
func (r Reader) Clients() ([]*oauth.Client, error) {
	rows, err := r.query(`SELECT ` + clientColumns + ` FROM clients c ORDER BY c.id`)
	return collect(rows, err, scanClient)
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
	if f.Client, err = row.client(); err != nil {
		return f, err
	}
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
	rest, err := restOf(c.ClientMetadata)
	if err != nil {
		return err
	}
	// The client's epoch starts above each that it can have had: what was issued
	// to a removed client of the same id stays dead.
	if err := tx.raiseEpoch(originsEpoch); err != nil {
		return err
	}
	return tx.exec(`INSERT INTO clients (id, public, secret_hash, registration_token, grants, scopes, audiences, serves, redirect_uris,
		post_logout_redirect_uris, origins, access_token_ttl, metadata, disabled_at, epoch, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, (SELECT value FROM epochs WHERE name = $14), $15)`,
		c.Client, toFlag(c.Public), toBytes(c.SecretHash), toBytes(c.RegistrationToken), toList(c.Grants), toList(c.Scopes), toList(c.Audiences),
		toList(c.Serves), toList(c.RedirectURIs), toList(c.PostLogoutRedirectURIs), toList(c.Origins), c.AccessTokenTTL.Microseconds(), rest,
		originsEpoch, toMicros(c.At))
}

func (tx *Tx) changeClient(c change.ClientChanged) error {
	rest, err := restOf(c.ClientMetadata)
	if err != nil {
		return err
	}
	if c.SecretHash != nil {
		if err := tx.replaceClientSecret(change.ClientSecretReplaced{Client: c.Client, SecretHash: c.SecretHash}); err != nil {
			return err
		}
	}
	if err := tx.exec(`UPDATE clients SET public = $1, grants = $2, scopes = $3, audiences = $4, serves = $5, redirect_uris = $6,
		post_logout_redirect_uris = $7, origins = $8, access_token_ttl = $9, metadata = $10 WHERE id = $11`,
		toFlag(c.Public), toList(c.Grants), toList(c.Scopes), toList(c.Audiences), toList(c.Serves), toList(c.RedirectURIs),
		toList(c.PostLogoutRedirectURIs), toList(c.Origins), c.AccessTokenTTL.Microseconds(), rest, c.Client); err != nil {
		return err
	}
	return tx.raiseEpoch(originsEpoch)
}

func toFlag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// toBytes is never NULL.
func toBytes(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
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

// removeClient leaves the grants and codes to expire: without their client they are dead.
func (tx *Tx) removeClient(c change.ClientRemoved) error {
	if err := tx.exec(`DELETE FROM clients WHERE id = $1`, c.Client); err != nil {
		return err
	}
	// Afterwards, when whoever was giving one has given it.
	if err := tx.exec(`DELETE FROM consents WHERE client_id = $1`, c.Client); err != nil {
		return err
	}
	return tx.raiseEpoch(originsEpoch)
}
