package oauth

import (
	"slices"
	"time"
)

// Grant is what a client holds, on behalf of a person or of itself. Everything
// issued hangs on one.
type Grant struct {
	ID           string
	Client       string
	User         string // empty: the client itself
	Session      string // in which it was issued; empty: none
	Methods      []string
	Claims       string // OpenID Connect Core §5.5, as far as the client might have them
	Scope        []string
	Audiences    []string
	Random       [16]byte // makes its refresh tokens underivable from the key alone
	KeyID        byte     // which server key derives its refresh tokens
	StatusIndex  int64
	Generation   int64     // of the refresh token that is current
	CurrentSince time.Time // when it became current
	CreatedAt    time.Time
	ExpiresAt    time.Time // zero: never
	RevokedAt    time.Time // zero: not revoked
	AuthTime     time.Time
	UserEpoch    int64 // the epochs of its birth
	ClientEpoch  int64
	GlobalEpoch  int64
}

// User is what a grant needs to know of its person.
type User struct {
	ID            string
	Name          string
	Email         string
	EmailVerified bool
	Phone         string
	Address       string
	UpdatedAt     time.Time
	Disabled      bool
	Epoch         int64
}

// GrantFacts are a grant and the rows that it depends on, read in one transaction.
type GrantFacts struct {
	Grant        *Grant   // nil: no such grant
	Client       *Client  // nil: removed
	User         *User    // nil: the client itself, or removed
	Session      *Session // nil: none, or removed
	GlobalEpoch  int64
	TokenRevoked bool // the access token in question was revoked by itself
}

// lives says whether anything issued from the grant may still be used.
func (f GrantFacts) lives(now time.Time) bool {
	g, c, u := f.Grant, f.Client, f.User
	switch {
	case g == nil || !g.RevokedAt.IsZero() || g.GlobalEpoch != f.GlobalEpoch:
		return false
	case c == nil || c.Disabled || g.ClientEpoch != c.Epoch:
		return false
	case g.User != "" && (u == nil || u.Disabled || g.UserEpoch != u.Epoch):
		return false
	case !g.ExpiresAt.IsZero() && !now.Before(g.ExpiresAt):
		return false
	case g.Session != "" && !slices.Contains(g.Scope, OfflineAccess) && f.session(now) == nil:
		// What was issued without offline_access ends with its session. OpenID Connect Core §11.
		return false
	}
	return true
}

// session returns the grant's, if it lives.
func (f GrantFacts) session(now time.Time) *Session {
	return SessionFacts{f.Session, f.User, f.GlobalEpoch}.SignedIn(now)
}

// TokenLives says whether an access token, verified but for its grant, may be used.
func (f GrantFacts) TokenLives(tokenExpiresAt, now time.Time) bool {
	return f.lives(now) && !f.TokenRevoked && now.Before(tokenExpiresAt)
}

// still returns of what was granted what the client may have by now: its
// registration may have been narrowed since. What is left of something must not
// be nothing, which would mean everything elsewhere.
func still(granted, registered []string) (left []string, ok bool) {
	for _, one := range granted {
		if slices.Contains(registered, one) {
			left = append(left, one)
		}
	}
	return left, len(left) > 0 || len(granted) == 0
}

// stillHas returns the scope and the audiences that c may still have of what it
// was granted; false: nothing is left of one of them.
func (c *Client) stillHas(scope, audiences []string, issuer string) (leftScope, leftAudiences []string, ok bool) {
	leftScope, scopeOK := still(scope, c.Scopes)
	leftAudiences, audiencesOK := still(audiences, append([]string{issuer}, c.Audiences...))
	return leftScope, leftAudiences, scopeOK && audiencesOK
}
