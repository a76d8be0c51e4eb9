package oauth

import (
	"strings"
	"time"
)

// AccessToken is the content of a JWT access token. RFC 9068 §2.2.
type AccessToken struct {
	Issuer    string
	Subject   string // a person's id, or the client's own
	ClientID  string
	Audience  string
	Scope     []string
	ID        string // grant id, a dot, a random suffix
	IssuedAt  time.Time
	ExpiresAt time.Time
	AuthTime  time.Time // zero: no person
}

// issueAccessToken makes the token that g's holder gets now. It does not outlive g.
func issueAccessToken(p Policy, c *Client, g *Grant, scope []string, audience string, suffix string, now time.Time) AccessToken {
	subject := g.User
	if subject == "" {
		subject = c.ID // RFC 9068 §2.2: the client is the subject
	}
	ttl := p.AccessTokenTTL
	if c.AccessTokenTTL != 0 {
		ttl = c.AccessTokenTTL
	}
	expires := now.Add(ttl)
	if !g.ExpiresAt.IsZero() && g.ExpiresAt.Before(expires) {
		expires = g.ExpiresAt
	}
	return AccessToken{
		Issuer:    p.Issuer,
		Subject:   subject,
		ClientID:  c.ID,
		Audience:  audience,
		Scope:     scope,
		ID:        g.ID + "." + suffix,
		IssuedAt:  now,
		ExpiresAt: expires,
		AuthTime:  g.AuthTime,
	}
}

// GrantOfToken returns the id of the grant that an access token hangs on.
func GrantOfToken(tokenID string) (grantID string, ok bool) {
	grantID, _, ok = strings.Cut(tokenID, ".")
	return grantID, ok
}
