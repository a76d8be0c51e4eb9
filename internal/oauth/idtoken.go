package oauth

import (
	"slices"
	"time"
)

// IDToken is the content of an ID token. OpenID Connect Core §2.
type IDToken struct {
	Algorithm string // that the client registered
	Issuer    string
	Subject   string
	Audience  string
	IssuedAt  time.Time
	ExpiresAt time.Time
	AuthTime  time.Time
	Nonce     string
	ACR       string
	AMR       []string
	Session   string
	Claims    map[string]any // that were asked for by name
}

// idTokenTTL bounds when a client may take an ID token for news. As a hint it
// serves longer.
const idTokenTTL = time.Hour

// defaultIDTokenAlg is what every OpenID client knows. OpenID Connect Core §15.1.
const defaultIDTokenAlg = "RS256"

func (c *Client) idTokenAlg() string {
	if c.IDTokenAlg == "" {
		return defaultIDTokenAlg
	}
	return c.IDTokenAlg
}

// issueIDToken makes the ID token of a grant with scope openid, or nil: it tells of
// a sign-in here, which grants of the tutorial API have none of. On a refresh there
// is no nonce, and the rest stays. OpenID Connect Core §12.2.
func issueIDToken(p Policy, c *Client, g *Grant, u *User, scope []string, nonce string, now time.Time) *IDToken {
	if !slices.Contains(scope, OpenID) || u == nil || g.Session == "" {
		return nil
	}
	asked, _ := parseClaims(g.Claims)
	return &IDToken{
		Algorithm: c.idTokenAlg(), Issuer: p.Issuer, Subject: g.User, Audience: c.ID, IssuedAt: now, ExpiresAt: now.Add(idTokenTTL),
		AuthTime: g.AuthTime, Nonce: nonce, ACR: acrOf(g.Methods), AMR: g.Methods, Session: g.Session,
		Claims: pick(u, nil, asked.IDToken, c.Scopes),
	}
}

// IDTokenHint is an ID token of ours that somebody sent back: its signature and
// issuer are verified, and it may have expired. OpenID Connect Core §3.1.2.1.
type IDTokenHint struct {
	Subject  string
	Audience []string
	Session  string
}

// isFor says whether the hint was issued to a client.
func (h *IDTokenHint) isFor(clientID string) bool {
	return slices.Contains(h.Audience, clientID)
}

// isOf says whether the hint was issued in a session. Each client that a person
// ever used has ID tokens of theirs: an old one proves nothing about today.
// OpenID Connect RP-Initiated Logout 1.0 §4.
func (h *IDTokenHint) isOf(s *Session) bool { return h.Subject == s.User && h.Session == s.ID }
