package store

import (
	"database/sql"
	"fmt"
	"slices"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
)

const grantColumns = `g.id, g.client_id, g.user_id, g.scope, g.audiences, g.random, g.key_id, g.status_index, g.generation,
	g.current_since, g.created_at, g.expires_at, g.revoked_at, g.auth_time, g.user_epoch, g.client_epoch, g.global_epoch,
	g.session_id, g.methods, g.claims`

type grantRow struct {
	g                                                       oauth.Grant
	scope, audiences, methods                               string
	random                                                  []byte
	currentSince, createdAt, expiresAt, revokedAt, authTime int64
}

func (r *grantRow) dest() []any {
	return []any{&r.g.ID, &r.g.Client, &r.g.User, &r.scope, &r.audiences, &r.random, &r.g.KeyID, &r.g.StatusIndex, &r.g.Generation,
		&r.currentSince, &r.createdAt, &r.expiresAt, &r.revokedAt, &r.authTime, &r.g.UserEpoch, &r.g.ClientEpoch, &r.g.GlobalEpoch,
		&r.g.Session, &r.methods, &r.g.Claims}
}

func (r *grantRow) grant() (*oauth.Grant, error) {
	g := r.g
	if copy(g.Random[:], r.random) != len(g.Random) {
		return nil, fmt.Errorf("grant %s has %d random bytes", g.ID, len(r.random))
	}
	g.Scope, g.Audiences, g.Methods = fromList(r.scope), fromList(r.audiences), fromList(r.methods)
	g.CurrentSince, g.CreatedAt, g.ExpiresAt = fromMicros(r.currentSince), fromMicros(r.createdAt), fromMicros(r.expiresAt)
	g.RevokedAt, g.AuthTime = fromMicros(r.revokedAt), fromMicros(r.authTime)
	return &g, nil
}

// GrantFacts returns a grant with the client, the person, the session and the
// epoch that it depends on, and whether the access token tokenID ("": none) was
// revoked by itself, all in one statement.
func (r Reader) GrantFacts(grantID, tokenID string) (oauth.GrantFacts, error) {
	var f oauth.GrantFacts
	var grant grantRow
	var client clientRow
	var user personRow
	var session sessionRow
	dest := slices.Concat(grant.dest(), client.dest(), user.dest(), session.lifeDest(), []any{&f.GlobalEpoch, &f.TokenRevoked})
	found, err := orNil(&grant, r.queryRow(`SELECT `+grantColumns+`, `+clientColumns+`, `+personColumns+`, `+sessionLifeColumns+`, e.value,
		EXISTS (SELECT 1 FROM revoked_tokens t WHERE t.token_id = $2)
		FROM grants g JOIN epochs e ON e.name = 'global'
		LEFT JOIN clients c ON c.id = g.client_id
		LEFT JOIN users u ON u.id = g.user_id
		LEFT JOIN sessions s ON s.id = g.session_id
		WHERE g.id = $1`, grantID, tokenID).Scan(dest...))
	if err != nil || found == nil {
		return f, err
	}
	if f.Grant, err = grant.grant(); err != nil {
		return f, err
	}
	f.User, f.Session = user.person(), session.session()
	f.Client, err = client.client()
	return f, err
}

// TokenFacts returns of GrantFacts what tells whether an access token lives, and
// whose it is. It is asked with each request to an API of ours, and with a third
// of the columns such a request costs a sixth less. It is for the tutorial's
// client, which has no sessions: a grant with one is dead in these facts.
func (r Reader) TokenFacts(grantID, tokenID string) (f oauth.GrantFacts, err error) {
	g := oauth.Grant{ID: grantID}
	var expiresAt, revokedAt int64
	var clientID, userID, userName, userEmail sql.NullString
	var clientDisabledAt, clientEpoch, userDisabledAt, userEpoch sql.NullInt64
	found, err := orNil(&g, r.queryRow(`SELECT g.client_id, g.user_id, g.session_id, g.expires_at, g.revoked_at, g.user_epoch, g.client_epoch, g.global_epoch,
		c.id, c.disabled_at, c.epoch, u.id, u.name, u.email, u.disabled_at, u.epoch, e.value,
		EXISTS (SELECT 1 FROM revoked_tokens t WHERE t.token_id = $2)
		FROM grants g JOIN epochs e ON e.name = 'global'
		LEFT JOIN clients c ON c.id = g.client_id
		LEFT JOIN users u ON u.id = g.user_id
		WHERE g.id = $1`, grantID, tokenID).Scan(
		&g.Client, &g.User, &g.Session, &expiresAt, &revokedAt, &g.UserEpoch, &g.ClientEpoch, &g.GlobalEpoch,
		&clientID, &clientDisabledAt, &clientEpoch, &userID, &userName, &userEmail, &userDisabledAt, &userEpoch, &f.GlobalEpoch, &f.TokenRevoked))
	if err != nil || found == nil {
		return f, err
	}
	g.ExpiresAt, g.RevokedAt = fromMicros(expiresAt), fromMicros(revokedAt)
	f.Grant = &g
	if clientID.Valid {
		f.Client = &oauth.Client{ID: clientID.String, Disabled: clientDisabledAt.Int64 != 0, Epoch: clientEpoch.Int64}
	}
	if userID.Valid {
		f.User = &oauth.User{
			ID: userID.String, Name: userName.String, Email: userEmail.String,
			Disabled: userDisabledAt.Int64 != 0, Epoch: userEpoch.Int64,
		}
	}
	return f, nil
}

// UserInfoFacts returns of GrantFacts what UserInfo is answered from.
func (r Reader) UserInfoFacts(grantID, tokenID string) (f oauth.GrantFacts, err error) {
	g := oauth.Grant{ID: grantID}
	var expiresAt, revokedAt int64
	var scope string
	var clientID, clientScopes, metadata sql.NullString
	var clientDisabledAt, clientEpoch sql.NullInt64
	var user personRow
	var session sessionRow
	dest := slices.Concat([]any{&g.Client, &g.User, &g.Session, &scope, &g.Claims, &expiresAt, &revokedAt, &g.UserEpoch, &g.ClientEpoch, &g.GlobalEpoch,
		&clientID, &clientScopes, &metadata, &clientDisabledAt, &clientEpoch}, user.dest(), session.lifeDest(), []any{&f.GlobalEpoch, &f.TokenRevoked})
	found, err := orNil(&g, r.queryRow(`SELECT g.client_id, g.user_id, g.session_id, g.scope, g.claims, g.expires_at, g.revoked_at,
		g.user_epoch, g.client_epoch, g.global_epoch, c.id, c.scopes, c.metadata, c.disabled_at, c.epoch,
		`+personColumns+`, `+sessionLifeColumns+`, e.value, EXISTS (SELECT 1 FROM revoked_tokens t WHERE t.token_id = $2)
		FROM grants g JOIN epochs e ON e.name = 'global'
		LEFT JOIN clients c ON c.id = g.client_id
		LEFT JOIN users u ON u.id = g.user_id
		LEFT JOIN sessions s ON s.id = g.session_id
		WHERE g.id = $1`, grantID, tokenID).Scan(dest...))
	if err != nil || found == nil {
		return f, err
	}
	g.Scope, g.ExpiresAt, g.RevokedAt = fromList(scope), fromMicros(expiresAt), fromMicros(revokedAt)
	f.Grant, f.User, f.Session = &g, user.person(), session.session()
	row := clientRow{id: clientID, scopes: clientScopes, metadata: metadata, disabledAt: clientDisabledAt, epoch: clientEpoch}
	f.Client, err = row.client()
	return f, err
}

// RefreshFacts returns what a request by clientID about a grant is decided on.
func (r Reader) RefreshFacts(clientID, grantID, tokenID string) (oauth.RefreshFacts, error) {
	f := oauth.RefreshFacts{SecretKey: r.db.secrets.ClientSecret, Key: r.db.secrets.Refresh}
	var err error
	if f.GrantFacts, err = r.GrantFacts(grantID, tokenID); err != nil {
		return f, err
	}
	if f.Client != nil && f.Client.ID == clientID {
		f.Authenticating = f.Client
		return f, nil
	}
	f.Authenticating, err = r.Client(clientID)
	return f, err
}

// LockRefreshFacts is RefreshFacts for a transaction that decides about the grant.
func (tx *Tx) LockRefreshFacts(clientID, grantID, tokenID string) (oauth.RefreshFacts, error) {
	if lock := tx.db.engine.forUpdate; lock != "" {
		var id string
		if _, err := orNil(&id, tx.queryRow(`SELECT id FROM grants WHERE id = $1`+lock, grantID).Scan(&id)); err != nil {
			return oauth.RefreshFacts{}, err
		}
	}
	return tx.RefreshFacts(clientID, grantID, tokenID)
}

func (tx *Tx) issueGrant(c change.GrantIssued) error {
	return tx.exec(`INSERT INTO grants (id, client_id, user_id, scope, audiences, random, key_id, status_index, generation,
		current_since, created_at, expires_at, revoked_at, auth_time, user_epoch, client_epoch, global_epoch, session_id, methods, claims)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $9, $10, 0, $11, $12, $13, $14, $15, $16, $17)`,
		c.Grant, c.Client, c.User, toList(c.Scope), toList(c.Audiences), c.Random[:], int64(c.KeyID), c.StatusIndex,
		toMicros(c.At), toMicros(c.ExpiresAt), toMicros(c.AuthTime), c.UserEpoch, c.ClientEpoch, c.GlobalEpoch,
		c.Session, toList(c.Methods), c.Claims)
}

func (tx *Tx) rotateGrant(grant string, generation int64, at int64) error {
	return tx.exec(`UPDATE grants SET generation = $1, current_since = $2 WHERE id = $3`, generation, at, grant)
}

func (tx *Tx) revokeGrant(c change.GrantRevoked) error {
	return tx.exec(`UPDATE grants SET revoked_at = $1 WHERE id = $2 AND revoked_at = 0`, toMicros(c.At), c.Grant)
}

func (tx *Tx) revokeAccessToken(c change.AccessTokenRevoked) error {
	return tx.exec(`INSERT INTO revoked_tokens (token_id, expires_at) VALUES ($1, $2) ON CONFLICT (token_id) DO NOTHING`,
		c.TokenID, toMicros(c.ExpiresAt))
}
