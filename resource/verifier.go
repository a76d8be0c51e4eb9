package resource

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/keywright/keywright/internal/jose"
)

// What Verify may answer. Test with errors.Is.
var (
	ErrInvalidToken      = errors.New("invalid token")
	ErrInsufficientScope = errors.New("insufficient scope")
	// ErrUnavailable says that there are no keys to judge the token by.
	ErrUnavailable = errors.New("the issuer's keys are not available")
)

const (
	defaultLeeway    = 5 * time.Second
	maxLeeway        = time.Minute
	defaultCacheSize = 10_000
)

// Verifier verifies the access tokens that one issuer made for one API. It may
// be used by many goroutines at once.
type Verifier struct {
	issuer   string
	audience string
	leeway   time.Duration
	now      func() time.Time
	keys     *keyCache
	scope    []string
}

// Option changes how a Verifier works.
type Option func(*options)

type options struct {
	client    *http.Client
	now       func() time.Time
	leeway    time.Duration
	cacheSize int
}

// WithHTTPClient sets the client that fetches the issuer's keys, for a proxy or
// a private certificate authority. Its redirect policy is not used: redirects
// are refused.
func WithHTTPClient(client *http.Client) Option {
	return func(o *options) { o.client = client }
}

// WithClock sets what tells the time, for tests.
func WithClock(now func() time.Time) Option {
	return func(o *options) { o.now = now }
}

// WithLeeway sets by how much the clocks of issuer and API may differ when a
// token's times are judged: 5 seconds unless set, at most a minute. With 0 a
// token is refused from the moment of its exp on.
func WithLeeway(leeway time.Duration) Option {
	return func(o *options) { o.leeway = leeway }
}

// WithCacheSize sets how many verified tokens are remembered, at about a
// kilobyte each: 10,000 unless set. With 0 each request costs a verification.
func WithCacheSize(tokens int) Option {
	return func(o *options) { o.cacheSize = tokens }
}

// New returns a Verifier of the tokens that issuer made for audience. Both are
// compared byte for byte: issuer is the issuer's URL as it writes it itself,
// audience the identifier of this API, as the issuer knows it. The issuer must
// be https; http will do for one on this machine.
func New(issuer, audience string, with ...Option) (*Verifier, error) {
	o := options{http.DefaultClient, time.Now, defaultLeeway, defaultCacheSize}
	for _, option := range with {
		option(&o)
	}
	if err := checkIssuer(issuer); err != nil {
		return nil, err
	}
	switch {
	case audience == "":
		return nil, errors.New("the audience is empty: name this API as the issuer's tokens do")
	case o.client == nil || o.now == nil:
		return nil, errors.New("WithHTTPClient and WithClock want a value")
	case o.leeway < 0 || o.leeway > maxLeeway:
		return nil, fmt.Errorf("a leeway of %v: want 0 to %v", o.leeway, maxLeeway)
	case o.cacheSize < 0:
		return nil, fmt.Errorf("a cache of %d tokens: want 0 or more", o.cacheSize)
	}
	return &Verifier{
		issuer:   issuer,
		audience: audience,
		leeway:   o.leeway,
		now:      o.now,
		keys:     newKeyCache(issuer, o),
	}, nil
}

// Require returns a Verifier that also demands scopes, all of them. It shares
// keys and remembered tokens with v. A name that cannot be a scope is the
// programmer's mistake, and Require panics.
func (v *Verifier) Require(scope ...string) *Verifier {
	for _, name := range scope {
		if !isScopeToken(name) {
			panic(fmt.Sprintf("resource: %q is not the name of a scope (RFC 6749 §3.3)", name))
		}
	}
	demanding := *v
	demanding.scope = slices.Concat(v.scope, scope)
	return &demanding
}

// isScopeToken follows the grammar of RFC 6749 §3.3.
func isScopeToken(name string) bool {
	return name != "" && strings.IndexFunc(name, func(c rune) bool {
		return c <= ' ' || c == '"' || c == '\\' || c > '~'
	}) < 0
}

// Verify returns what a token says if it is good for this API now. The error is
// an ErrInvalidToken, an ErrInsufficientScope, an ErrUnavailable or, where ctx
// ended while keys were on their way, its error.
func (v *Verifier) Verify(ctx context.Context, token string) (*Token, error) {
	if len(token) > jose.MaxTokenBytes {
		return nil, invalid(unverified, fmt.Errorf("longer than %d bytes", jose.MaxTokenBytes))
	}
	keys, err := v.keys.get(ctx)
	if err != nil {
		return nil, err
	}
	digest := jose.DigestOf(token)
	t, seen := keys.seen.Get(digest)
	if !seen {
		if t, keys, err = v.read(ctx, keys, token); err != nil {
			return nil, err
		}
	}
	if err := v.checkTimes(t.claims); err != nil {
		return nil, err
	}
	if !seen {
		keys.seen.Put(digest, t)
	}
	for _, name := range v.scope {
		if !t.HasScope(name) {
			return nil, fmt.Errorf("%w: the token lacks %s", ErrInsufficientScope, name)
		}
	}
	return t, nil
}

// read verifies a token's signature and whatever does not change with time. It
// returns the keys that did it, which are newer ones if keys lacks the token's.
func (v *Verifier) read(ctx context.Context, keys *keySet, token string) (*Token, *keySet, error) {
	claims, err := keys.Verify(token, "at+jwt") // RFC 9068 §4
	for errors.Is(err, jose.ErrUnknownKey) {
		newer, failed := v.keys.newer(ctx, keys)
		if failed != nil {
			return nil, nil, failed
		}
		if newer == keys {
			break
		}
		keys = newer
		claims, err = keys.Verify(token, "at+jwt")
	}
	if err != nil {
		return nil, nil, invalid(unverified, err)
	}
	if err := v.checkClaims(claims); err != nil {
		return nil, nil, err
	}
	return &Token{claims}, keys, nil
}

// checkClaims follows RFC 9068 §2.2 and §4.
func (v *Verifier) checkClaims(c *jose.Claims) error {
	switch {
	case c.Issuer != v.issuer:
		return invalid("the access token is from another issuer", nil)
	case !slices.Contains(c.Audience, v.audience):
		return invalid("the access token is for another audience", nil)
	case c.ExpiresAt.IsZero():
		return invalid("the access token has no exp", nil)
	case c.IssuedAt.IsZero():
		return invalid("the access token has no iat", nil)
	case c.Subject == "":
		return invalid("the access token has no sub", nil)
	case c.ClientID == "":
		return invalid("the access token has no client_id", nil)
	case c.Confirmation != "":
		return invalid("the access token is bound to a key and no bearer token", nil)
	}
	return nil
}

// checkTimes follows RFC 7519 §4.1.4 and §4.1.5.
func (v *Verifier) checkTimes(c *jose.Claims) error {
	now := v.now()
	if !now.Before(c.ExpiresAt.Add(v.leeway)) {
		return invalid("the access token has expired", nil)
	}
	if now.Before(c.NotBefore.Add(-v.leeway)) {
		return invalid("the access token is not valid yet", nil)
	}
	return nil
}

// unverified is all that a stranger learns of a token that is not the issuer's.
const unverified = "the access token could not be verified"

// invalidToken is an ErrInvalidToken with a description that the caller of the
// API may read, and a cause that it may not.
type invalidToken struct {
	description string
	cause       error
}

func invalid(description string, cause error) error { return &invalidToken{description, cause} }

func (e *invalidToken) Error() string {
	if e.cause == nil {
		return e.description
	}
	return fmt.Sprintf("%s: %v", e.description, e.cause)
}

func (e *invalidToken) Is(target error) bool { return target == ErrInvalidToken }
