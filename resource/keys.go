package resource

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keywright/keywright/internal/jose"
)

const (
	fetchTimeout = 10 * time.Second // for metadata and keys together

	// Between two fetches on account of unknown keys, and between two attempts to
	// renew stale keys.
	cooldown = 30 * time.Second
	// Between two attempts to get the first keys.
	firstCooldown = time.Second

	// How long keys count as fresh: their max-age within bounds.
	minAge     = time.Minute
	defaultAge = 15 * time.Minute
	maxAge     = 24 * time.Hour
	// For how long stale keys serve while they are renewed behind the request. After
	// that, an API that was idle may have missed that a key was withdrawn.
	graceful = 30 * time.Second
	// How long a request waits for keys when it has some that are stale.
	patience = 2 * time.Second
	// How long keys that are no longer fresh serve while the issuer is away.
	maxStale = 24 * time.Hour
)

// keySet is what the issuer published at one time, and the tokens that were
// verified by it: other keys begin with an empty memory.
type keySet struct {
	*jose.Set
	document   []byte
	seen       *jose.Seen[*Token]
	freshUntil time.Time
}

// keyCache keeps the issuer's newest keys.
type keyCache struct {
	issuer    string
	client    *http.Client
	now       func() time.Time
	cacheSize int

	current atomic.Pointer[keySet] // nil until the first fetch

	mu         sync.Mutex
	fetching   chan struct{} // closed when the fetch under way ends; nil when there is none
	failure    error         // of the last fetch, which alone writes it
	nextRenew  time.Time     // not before, for want of fresh keys
	nextSearch time.Time     // not before, for a key that is unknown
}

func newKeyCache(issuer string, o options) *keyCache {
	client := *o.client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &keyCache{issuer: issuer, client: &client, now: o.now, cacheSize: o.cacheSize}
}

// get returns the keys in hand and sees to their renewal. It waits when there are
// none, and for a moment when they have been stale for longer than the renewal of
// an API in use takes.
func (c *keyCache) get(ctx context.Context) (*keySet, error) {
	now := c.now()
	keys := c.usable(now)
	if keys != nil && now.Before(keys.freshUntil) {
		return keys, nil
	}
	fetched := c.renew(now, keys == nil)
	switch {
	case keys == nil:
		if err := wait(ctx, fetched); err != nil {
			return nil, err
		}
	case now.Before(keys.freshUntil.Add(graceful)):
		return keys, nil
	default:
		waiting, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		if err := wait(waiting, fetched); err != nil && ctx.Err() != nil {
			return nil, err
		}
	}
	if keys = c.usable(now); keys == nil {
		return nil, c.unavailable()
	}
	return keys, nil
}

// usable returns the keys in hand unless they are too old.
func (c *keyCache) usable(now time.Time) *keySet {
	keys := c.current.Load()
	if keys == nil || now.After(keys.freshUntil.Add(maxStale)) {
		return nil
	}
	return keys
}

// renew starts a fetch, if none is under way and the last attempt is long
// enough ago, and returns the one under way.
func (c *keyCache) renew(now time.Time, first bool) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fetching == nil && !now.Before(c.nextRenew) {
		c.nextRenew = now.Add(cooldown)
		if first {
			c.nextRenew = now.Add(firstCooldown)
		}
		c.start()
	}
	return c.fetching
}

// newer returns keys that were fetched after than, or than itself if there are
// none to be had now. Those of a fetch that was under way already may have left
// the issuer too early for the caller: it asks again.
func (c *keyCache) newer(ctx context.Context, than *keySet) (*keySet, error) {
	if err := wait(ctx, c.search(than)); err != nil {
		return nil, err
	}
	return c.current.Load(), nil
}

// search starts a fetch, if there has been none since than and the last search
// is long enough ago, and returns the one worth waiting for.
func (c *keyCache) search(than *keySet) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current.Load() != than {
		return nil
	}
	if now := c.now(); c.fetching == nil && !now.Before(c.nextSearch) {
		c.nextSearch = now.Add(cooldown)
		c.start()
	}
	return c.fetching
}

// start fetches the keys for all who wait, whatever becomes of the request that
// was first to want them. c.mu is held.
func (c *keyCache) start() {
	done := make(chan struct{})
	c.fetching = done
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
		defer cancel()
		keys, err := c.fetch(ctx)
		if err != nil && (c.failure == nil || c.failure.Error() != err.Error()) {
			slog.Warn("cannot fetch the issuer's keys", "issuer", c.issuer, "error", err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if err == nil {
			c.current.Store(keys)
		}
		c.failure = err
		c.fetching = nil
		close(done)
	}()
}

func wait(ctx context.Context, fetched <-chan struct{}) error {
	if fetched == nil {
		return nil
	}
	select {
	case <-fetched:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *keyCache) unavailable() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failure == nil {
		return ErrUnavailable
	}
	return fmt.Errorf("%w: %v", ErrUnavailable, c.failure)
}

// fetch finds the keys through the issuer's metadata. OpenID Connect Discovery §4.
func (c *keyCache) fetch(ctx context.Context) (*keySet, error) {
	location := strings.TrimSuffix(c.issuer, "/") + "/.well-known/openid-configuration"
	document, _, err := c.read(ctx, location)
	if err != nil {
		return nil, err
	}
	var metadata struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(document, &metadata); err != nil {
		return nil, fmt.Errorf("%s: %w", location, err)
	}
	if metadata.Issuer != c.issuer { // §4.3
		return nil, fmt.Errorf("%s: the issuer there is %q, not %q: configure exactly that", location, metadata.Issuer, c.issuer)
	}
	if err := c.checkJWKSURI(metadata.JWKSURI); err != nil {
		return nil, fmt.Errorf("%s: jwks_uri %w", location, err)
	}
	document, header, err := c.read(ctx, metadata.JWKSURI)
	if err != nil {
		return nil, err
	}
	set, err := jose.ParseSet(document)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", metadata.JWKSURI, err)
	}
	return c.keep(set, document, freshness(header.Get("Cache-Control"))), nil
}

// keep returns the keys just fetched. The same keys as before keep the tokens
// that they have verified.
func (c *keyCache) keep(set *jose.Set, document []byte, age time.Duration) *keySet {
	keys := &keySet{set, document, nil, c.now().Add(age)}
	if last := c.current.Load(); last != nil && bytes.Equal(last.document, document) {
		keys.seen = last.seen
	} else {
		keys.seen = jose.NewSeen[*Token](c.cacheSize)
	}
	return keys
}

func (c *keyCache) read(ctx context.Context, location string) ([]byte, http.Header, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, location, nil)
	if err != nil {
		return nil, nil, err
	}
	request.Header.Set("Accept", "application/json")
	response, err := c.client.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, nil, fmt.Errorf("%s: answers %s, want 200 (redirects are not followed)", location, response.Status)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, jose.MaxSetBytes+1))
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", location, err)
	}
	if len(body) > jose.MaxSetBytes {
		return nil, nil, fmt.Errorf("%s: answers more than %d bytes", location, jose.MaxSetBytes)
	}
	return body, response.Header, nil
}

// freshness returns for how long keys need not be fetched again.
func freshness(cacheControl string) time.Duration {
	age := defaultAge
	for directive := range strings.SplitSeq(cacheControl, ",") {
		name, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(directive)), "=")
		switch name {
		case "no-store", "no-cache":
			return minAge
		case "max-age": // RFC 9111 §5.2.2.1, quoted by some all the same
			if seconds, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31); err == nil {
				age = time.Duration(seconds) * time.Second
			}
		}
	}
	return min(max(age, minAge), maxAge)
}

// checkIssuer follows RFC 8414 §2, and permits http on this machine.
func checkIssuer(issuer string) error {
	if issuer == "" {
		return errors.New("the issuer is empty: want its URL")
	}
	if err := checkURL(issuer); err != nil {
		return fmt.Errorf("the issuer %w", err)
	}
	if strings.ContainsAny(issuer, "?#") {
		return fmt.Errorf("the issuer %q has a query or a fragment", issuer)
	}
	return nil
}

// checkJWKSURI permits http only beside an issuer that is http itself.
func (c *keyCache) checkJWKSURI(location string) error {
	if strings.HasPrefix(c.issuer, "https:") && !strings.HasPrefix(location, "https:") {
		return fmt.Errorf("%q is not https", location)
	}
	return checkURL(location)
}

// checkURL refuses whatever somebody between here and there could change.
func checkURL(location string) error {
	u, err := url.Parse(location)
	switch {
	case err != nil:
		return fmt.Errorf("%q is not a URL", location)
	case u.Hostname() == "" || u.User != nil:
		return fmt.Errorf("%q is not the URL of a server", location)
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	}
	return fmt.Errorf("%q is not https (http is for localhost)", location)
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}
