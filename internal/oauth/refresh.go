package oauth

import (
	"slices"
	"time"

	"github.com/keywright/keywright/internal/change"
)

// badRefreshToken is one text for whatever is wrong with a refresh token: an
// attacker learns nothing from the difference.
const badRefreshToken = "the refresh token is invalid, expired, revoked, or was issued to another client"

// RefreshFacts are what a refresh is decided on, read in one transaction after
// the grant's row was locked.
type RefreshFacts struct {
	GrantFacts             // of the grant that the token names
	Authenticating *Client // the client that the request names; nil: unknown
	SecretKey      []byte  // hashes client secrets
	Key            RefreshKey
}

// Refresh decides a request with grant_type=refresh_token. RFC 6749 §6,
// RFC 9700 §4.14.2.
//
// Refresh tokens rotate, and a retry is safe. The grant is at generation G,
// current since t. A presented token of generation
//
//	G    long after t    rotates: G+1 is handed out;
//	G    soon after t    was just handed out: G again, nothing is written;
//	G-1  soon after t    is a retry whose answer was lost: G, nothing is written;
//	                     an authenticated client may retry until G+1 exists
//	                     (FAPI 2.0 Security Profile §5.3.2.1);
//	>G                   was handed out by a database that lost commits: the
//	                     grant moves past it;
//
// and every other token is a replay, which ends the grant. "Soon" is the
// policy's RefreshGrace; when that is 0 every second use is a replay.
func Refresh(p Policy, req TokenRequest, f RefreshFacts, fresh Fresh, now time.Time) Outcome {
	if r := authenticate(req.Client, f.Authenticating, f.SecretKey); r != nil {
		return refused(r)
	}
	c := f.Authenticating
	if r := c.authorized(RefreshTokenGrant); r != nil {
		return refused(r)
	}
	token, ok := ParseRefreshToken(req.RefreshToken)
	g := f.Grant
	if !ok || g == nil || !f.Key.genuine(token, g) || g.Client != c.ID || !f.refreshable(p, now) {
		return refused(refuse(InvalidGrant, badRefreshToken))
	}
	allowed, audiences := g.Scope, g.Audiences
	if g.Session != "" { // what the tutorial API grants is fixed
		allowed, audiences, ok = c.stillHas(g.Scope, g.Audiences, p.Issuer)
	}
	if !ok {
		return refused(refuse(InvalidGrant, "the client may no longer have what it was granted"))
	}
	scope, r := scopeWithin(req.Scope, allowed)
	if r != nil {
		return refused(r)
	}
	audience, r := audienceWithin(req.Resources, audiences, p.Issuer)
	if r != nil {
		return refused(r)
	}

	next, changes, ok := rotate(p, g, token.Generation, !c.Public, now)
	if !ok {
		return refused(refuse(InvalidGrant, badRefreshToken), changes...)
	}
	if s := f.session(now); s != nil && !slices.Contains(g.Scope, OfflineAccess) {
		changes = append(changes, s.Used(p, now)...) // the person uses an app of the session
	}
	return Outcome{
		Answer{Issue: &Issue{
			AccessToken:  issueAccessToken(p, c, g, scope, audience, fresh.TokenSuffix, now),
			RefreshToken: f.Key.derive(g, next),
			IDToken:      issueIDToken(p, c, g, f.User, scope, "", now),
		}},
		changes,
	}
}

// rotate answers a genuine token with the generation to hand out, and what
// changes; ok is false for a replay.
func rotate(p Policy, g *Grant, presented int64, authenticated bool, now time.Time) (next int64, changes []change.Change, ok bool) {
	soon := within(p.RefreshGrace, g.CurrentSince, now)
	switch {
	case presented == g.Generation && soon:
		return g.Generation, nil, true
	case presented == g.Generation:
		next = g.Generation + 1
		return next, []change.Change{change.GrantRotated{Grant: g.ID, Generation: next, At: now}}, true
	case presented == g.Generation-1 && (soon || p.RefreshGrace > 0 && authenticated):
		return g.Generation, nil, true
	case presented > g.Generation:
		next = presented + 1
		return next, []change.Change{change.GrantRecovered{Grant: g.ID, Had: g.Generation, Generation: next, At: now}}, true
	default:
		return 0, []change.Change{change.GrantRevoked{Grant: g.ID, Reason: "replay", At: now}}, false
	}
}

// within says whether t is at most grace away from now, on either side: clocks
// of two nodes may differ, but a time far ahead must not keep a window open.
func within(grace time.Duration, t, now time.Time) bool {
	return grace > 0 && now.Sub(t).Abs() <= grace
}

// refreshable says whether the grant lives and was used recently enough.
func (f GrantFacts) refreshable(p Policy, now time.Time) bool {
	return f.lives(now) && now.Before(f.Grant.CurrentSince.Add(p.RefreshIdle))
}
