package oauth

import (
	"slices"
	"time"
)

// Introspection is what a client may know of a token. RFC 7662 §2.2. When
// Active is false, nothing else is set.
type Introspection struct {
	Active    bool
	TokenType string // "Bearer"; empty for a refresh token
	Issuer    string
	Subject   string
	ClientID  string
	Audience  string
	Scope     []string
	TokenID   string
	IssuedAt  time.Time
	ExpiresAt time.Time
	AuthTime  time.Time
}

// Introspect decides an introspection request. RFC 7662 §2. A client sees the
// tokens that were issued to it, or are for an audience that it serves;
// anything else is inactive (§4: a token of others must not be probed).
func Introspect(p Policy, creds Credentials, t PresentedToken, f RefreshFacts, now time.Time) (Introspection, *Refusal) {
	c := f.Authenticating
	if r := authenticate(creds, c, f.SecretKey); r != nil {
		return Introspection{}, r
	}
	if c.Public {
		return Introspection{}, refuse(InvalidClient, "introspection needs a client that authenticates")
	}
	switch {
	case !t.genuine(f):
		return Introspection{}, nil
	case t.Refresh != nil:
		return introspectRefreshToken(p, *t.Refresh, f, now), nil
	case f.Grant.Client != c.ID && !slices.Contains(c.Serves, t.Access.Audience):
		return Introspection{}, nil
	case !f.TokenLives(t.Access.ExpiresAt, now):
		return Introspection{}, nil
	}
	a := t.Access
	return Introspection{
		Active: true, TokenType: "Bearer", Issuer: p.Issuer, Subject: a.Subject, ClientID: a.ClientID, Audience: a.Audience,
		Scope: a.Scope, TokenID: a.ID, IssuedAt: a.IssuedAt, ExpiresAt: a.ExpiresAt, AuthTime: a.AuthTime,
	}, nil
}

// introspectRefreshToken shows a refresh token to its own client only, as
// active when a refresh would accept it.
func introspectRefreshToken(p Policy, t RefreshToken, f RefreshFacts, now time.Time) Introspection {
	g := f.Grant
	if g.Client != f.Authenticating.ID || !f.refreshable(p, now) {
		return Introspection{}
	}
	if _, _, ok := rotate(p, g, t.Generation, true, now); !ok {
		return Introspection{}
	}
	expires := g.CurrentSince.Add(p.RefreshIdle)
	if !g.ExpiresAt.IsZero() && g.ExpiresAt.Before(expires) {
		expires = g.ExpiresAt
	}
	return Introspection{
		Active: true, Issuer: p.Issuer, Subject: g.User, ClientID: g.Client, Scope: g.Scope,
		IssuedAt: g.CreatedAt, ExpiresAt: expires, AuthTime: g.AuthTime,
	}
}
