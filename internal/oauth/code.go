package oauth

import (
	"crypto/hmac"
	"crypto/sha256"
	"time"

	"github.com/keywright/keywright/internal/change"
)

// CodeTTL is how long a code may be redeemed. RFC 6749 §4.1.2 asks for at most ten minutes.
const CodeTTL = time.Minute

// badCode is one text for whatever is wrong with a code: an attacker learns
// nothing from the difference.
const badCode = "the code is invalid, expired, used, or was issued to another client; or redirect_uri or code_verifier do not belong to it"

// Code is an authorization code's row. RFC 6749 §4.1.2.
type Code struct {
	Hash            []byte
	Client          string
	User            string
	Session         string
	RedirectURI     string
	RedirectURISent bool // with the authorization request
	CodeChallenge   string
	Nonce           string
	Scope           []string
	Audiences       []string
	Claims          string
	Methods         []string
	AuthTime        time.Time
	UserEpoch       int64 // the epochs of its birth
	ClientEpoch     int64
	GlobalEpoch     int64
	ExpiresAt       time.Time
	RevokedAt       time.Time // zero: not revoked
	Grant           string    // empty: not redeemed
}

// CodeHash is what the store keeps of a code.
func CodeHash(key []byte, code string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(code))
	return mac.Sum(nil)
}

// CodeFacts are what a code's redemption is decided on, read in one
// transaction after the code's row was locked.
type CodeFacts struct {
	Code           *Code // nil: unknown
	GrantRevoked   bool  // what the code was redeemed for has ended
	Session        *Session
	User           *User
	GlobalEpoch    int64
	Authenticating *Client // the client that the request names; nil: unknown
	SecretKey      []byte
	Key            RefreshKey
}

// RedeemCode decides a request with grant_type=authorization_code. RFC 6749
// §4.1.3. A code that another client presents is not spent for its own; one that
// is presented again ends what it was redeemed for (§4.1.2).
func RedeemCode(p Policy, req TokenRequest, f CodeFacts, fresh Fresh, now time.Time) Outcome {
	if r := authenticate(req.Client, f.Authenticating, f.SecretKey); r != nil {
		return refused(r)
	}
	c, code := f.Authenticating, f.Code
	if r := c.authorized(AuthorizationCodeGrant); r != nil {
		return refused(r)
	}
	if code == nil || code.Client != c.ID {
		return refused(refuse(InvalidGrant, badCode))
	}
	if code.Grant != "" && f.GrantRevoked {
		return refused(refuse(InvalidGrant, badCode)) // once is enough for the journal
	}
	if code.Grant != "" {
		return refused(refuse(InvalidGrant, badCode), change.GrantRevoked{Grant: code.Grant, Reason: "replay", At: now})
	}
	if !f.redeemable(now) || !code.redirectsTo(req.RedirectURI) || !proves(req.CodeVerifier, code.CodeChallenge) {
		return refused(refuse(InvalidGrant, badCode))
	}
	scope, audiences, ok := c.stillHas(code.Scope, code.Audiences, p.Issuer)
	if !ok {
		return refused(refuse(InvalidGrant, "the client may no longer have what it was granted"))
	}
	audience, r := audienceWithin(req.Resources, audiences, p.Issuer)
	if r != nil {
		return refused(r)
	}
	issued := change.GrantIssued{
		Grant: fresh.GrantID, Client: c.ID, User: code.User, Session: code.Session, Methods: code.Methods, Claims: code.Claims,
		Scope: scope, Audiences: audiences, Random: fresh.Random, KeyID: f.Key.ID, StatusIndex: fresh.StatusIndex,
		UserEpoch: code.UserEpoch, ClientEpoch: code.ClientEpoch, GlobalEpoch: code.GlobalEpoch,
		AuthTime: code.AuthTime, At: now, ExpiresAt: now.Add(p.RefreshAbsolute),
	}
	grant := &Grant{
		ID: issued.Grant, Client: c.ID, User: code.User, Session: code.Session, Methods: code.Methods, Claims: code.Claims,
		Random: issued.Random, KeyID: issued.KeyID, AuthTime: issued.AuthTime, ExpiresAt: issued.ExpiresAt,
	}
	issue := &Issue{
		AccessToken: issueAccessToken(p, c, grant, scope, audience, fresh.TokenSuffix, now),
		IDToken:     issueIDToken(p, c, grant, f.User, scope, code.Nonce, now),
	}
	if c.authorized(RefreshTokenGrant) == nil {
		issue.RefreshToken = f.Key.derive(grant, firstGeneration)
	}
	return Outcome{Answer{Issue: issue}, []change.Change{issued, change.CodeRedeemed{Hash: code.Hash, Grant: grant.ID, At: now}}}
}

// redeemable says whether the code lives, and all that it was issued on.
func (f CodeFacts) redeemable(now time.Time) bool {
	code, c := f.Code, f.Authenticating
	session := SessionFacts{f.Session, f.User, f.GlobalEpoch}
	switch {
	case !code.RevokedAt.IsZero() || !now.Before(code.ExpiresAt):
		return false
	case code.GlobalEpoch != f.GlobalEpoch || code.ClientEpoch != c.Epoch || code.UserEpoch != epochOf(f.User):
		return false
	}
	return session.SignedIn(now) != nil
}

func epochOf(u *User) int64 {
	if u == nil {
		return -1
	}
	return u.Epoch
}

// redirectsTo compares the token request's redirect_uri. It may be left out
// where PKCE binds the code (OAuth 2.1 §4.1.3), or where the authorization request
// did without (RFC 6749 §4.1.3).
func (code *Code) redirectsTo(sent string) bool {
	if sent == "" {
		return code.CodeChallenge != "" || !code.RedirectURISent
	}
	return sent == code.RedirectURI
}
