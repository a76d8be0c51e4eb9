package store

import (
	"database/sql"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
)

// AuthorizationFacts returns what an authorization request of a client is
// decided on, for the session of a cookie.
func (r Reader) AuthorizationFacts(clientID string, sessionHash []byte, flowID string) (f oauth.AuthorizationFacts, err error) {
	if f.SessionFacts, err = r.SessionFacts(sessionHash); err != nil {
		return f, err
	}
	return f, r.requestFacts(&f, clientID, flowID)
}

// LockAuthorizationFacts is AuthorizationFacts for a transaction that decides.
// Whatever is issued to a person, and whatever ends it, locks the person first.
func (tx *Tx) LockAuthorizationFacts(clientID string, sessionHash []byte, flowID string) (f oauth.AuthorizationFacts, err error) {
	if f.SessionFacts, err = tx.LockSessionFacts(sessionHash); err != nil {
		return f, err
	}
	return f, tx.requestFacts(&f, clientID, flowID)
}

func (r Reader) requestFacts(f *oauth.AuthorizationFacts, clientID, flowID string) (err error) {
	if f.Client, err = r.Client(clientID); err != nil || f.Client == nil {
		return err
	}
	user := ""
	if f.User != nil {
		user = f.User.ID
	}
	var scope, audiences sql.NullString
	err = r.queryRow(`SELECT k.scope, k.audiences, EXISTS (SELECT 1 FROM codes WHERE flow_id = $3)
		FROM epochs e LEFT JOIN consents k ON k.user_id = $1 AND k.client_id = $2 WHERE e.name = 'global'`, user, clientID, flowID).
		Scan(&scope, &audiences, &f.FlowEnded)
	if scope.Valid {
		f.Consented, f.ConsentedAudiences = append([]string{}, fromList(scope.String)...), fromList(audiences.String)
	}
	return err
}

func (tx *Tx) issueCode(c change.CodeIssued) error {
	return tx.exec(`INSERT INTO codes (hash, flow_id, client_id, user_id, session_id, redirect_uri, redirect_uri_sent, code_challenge, nonce, scope,
		audiences, claims, methods, auth_time, user_epoch, client_epoch, global_epoch, issued_at, expires_at, revoked_at, grant_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, 0, '')`,
		c.Hash, c.Flow, c.Client, c.User, c.Session, c.RedirectURI, toFlag(c.RedirectURISent), c.CodeChallenge, c.Nonce, toList(c.Scope),
		toList(c.Audiences), c.Claims, toList(c.Methods), toMicros(c.AuthTime), c.UserEpoch, c.ClientEpoch, c.GlobalEpoch, toMicros(c.At), toMicros(c.ExpiresAt))
}

// LockCodeFacts locks a code's person, then the code, and returns what its
// redemption by a client is decided on.
func (tx *Tx) LockCodeFacts(clientID string, hash []byte) (oauth.CodeFacts, error) {
	f := oauth.CodeFacts{SecretKey: tx.db.secrets.ClientSecret, Key: tx.db.secrets.Refresh}
	code, err := tx.lockCode(hash)
	if err != nil {
		return f, err
	}
	user, session, grant := "", "", ""
	if f.Code = code; code != nil {
		user, session, grant = code.User, code.Session, code.Grant
	}
	var s sessionRow
	var u personRow
	dest := append(s.dest(), u.dest()...)
	if err := tx.queryRow(`SELECT `+sessionColumns+`, `+personColumns+`, e.value,
		EXISTS (SELECT 1 FROM grants g WHERE g.id = $3 AND g.revoked_at > 0)
		FROM epochs e LEFT JOIN sessions s ON s.id = $1 LEFT JOIN users u ON u.id = $2
		WHERE e.name = 'global'`, session, user, grant).Scan(append(dest, &f.GlobalEpoch, &f.GrantRevoked)...); err != nil {
		return f, err
	}
	f.Session, f.User = s.session(), u.person()
	f.Authenticating, err = tx.Client(clientID)
	return f, err
}

// lockCode locks the person too, so that whoever ends their sessions sees the
// grant afterwards, or is seen here.
func (tx *Tx) lockCode(hash []byte) (*oauth.Code, error) {
	c := oauth.Code{Hash: hash}
	var scope, audiences, methods string
	var authTime, expiresAt, revokedAt int64
	found, err := orNil(&c, tx.queryRow(`SELECT c.client_id, c.user_id, c.session_id, c.redirect_uri, c.redirect_uri_sent <> 0, c.code_challenge, c.nonce,
		c.scope, c.audiences, c.claims, c.methods, c.auth_time, c.user_epoch, c.client_epoch, c.global_epoch, c.expires_at, c.revoked_at, c.grant_id
		FROM users u JOIN codes c ON c.user_id = u.id WHERE c.hash = $1`+tx.db.engine.forUpdate, hash).
		Scan(&c.Client, &c.User, &c.Session, &c.RedirectURI, &c.RedirectURISent, &c.CodeChallenge, &c.Nonce, &scope, &audiences,
			&c.Claims, &methods, &authTime, &c.UserEpoch, &c.ClientEpoch, &c.GlobalEpoch, &expiresAt, &revokedAt, &c.Grant))
	if err != nil || found == nil {
		return nil, err
	}
	c.Scope, c.Audiences, c.Methods = fromList(scope), fromList(audiences), fromList(methods)
	c.AuthTime, c.ExpiresAt, c.RevokedAt = fromMicros(authTime), fromMicros(expiresAt), fromMicros(revokedAt)
	return &c, nil
}

func (tx *Tx) redeemCode(c change.CodeRedeemed) error {
	return tx.exec(`UPDATE codes SET grant_id = $1 WHERE hash = $2`, c.Grant, c.Hash)
}
