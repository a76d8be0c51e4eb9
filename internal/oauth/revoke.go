package oauth

import (
	"time"

	"github.com/keywright/keywright/internal/change"
)

// PresentedToken is a token that a client asks about: at most one member is
// set, and neither when the text is no token of ours.
type PresentedToken struct {
	Access  *AccessToken // its signature, type and issuer are verified
	Refresh *RefreshToken
}

// GrantID returns the grant that the token names, or "".
func (t PresentedToken) GrantID() string {
	switch {
	case t.Refresh != nil:
		return t.Refresh.GrantID
	case t.Access != nil:
		id, _ := GrantOfToken(t.Access.ID)
		return id
	}
	return ""
}

// TokenID returns the id of an access token, or "".
func (t PresentedToken) TokenID() string {
	if t.Access == nil {
		return ""
	}
	return t.Access.ID
}

// genuine says whether the token was issued from the grant that it names.
func (t PresentedToken) genuine(f RefreshFacts) bool {
	switch {
	case f.Grant == nil:
		return false
	case t.Refresh != nil:
		return f.Key.genuine(*t.Refresh, f.Grant)
	default:
		return t.Access != nil && t.Access.ClientID == f.Grant.Client
	}
}

// Revoke decides a revocation request. RFC 7009 §2. A refresh token ends its
// grant, whichever generation it is; an access token ends only itself. A token
// that is unknown, or another client's, changes nothing and is no error (§2.2).
func Revoke(creds Credentials, t PresentedToken, f RefreshFacts, now time.Time) (*Refusal, []change.Change) {
	if r := authenticate(creds, f.Authenticating, f.SecretKey); r != nil {
		return r, nil
	}
	if !t.genuine(f) || f.Grant.Client != f.Authenticating.ID || !f.Grant.RevokedAt.IsZero() {
		return nil, nil
	}
	if t.Refresh != nil {
		// Also of a grant that has expired: clocks go back.
		return nil, []change.Change{change.GrantRevoked{Grant: f.Grant.ID, Reason: "revocation", At: now}}
	}
	if f.TokenRevoked || !now.Before(t.Access.ExpiresAt) {
		return nil, nil
	}
	return nil, []change.Change{change.AccessTokenRevoked{Grant: f.Grant.ID, TokenID: t.Access.ID, ExpiresAt: t.Access.ExpiresAt}}
}
