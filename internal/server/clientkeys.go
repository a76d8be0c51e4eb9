package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/keywright/keywright/internal/jose"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/outbound"
)

const (
	// clientKeysFresh is for how long the keys at a jwks_uri are not fetched again.
	clientKeysFresh = 5 * time.Minute
	// clientKeysStale is for how long they serve after that while the URI is down.
	clientKeysStale = time.Hour
	// clientKeysPause is the time between two fetches for want of a key, and
	// between two attempts to renew.
	clientKeysPause = 30 * time.Second
	// clientKeysFirstPause is the time between two attempts to get the first keys.
	clientKeysFirstPause = time.Second
	// clientKeysLimit is how many URIs are remembered.
	clientKeysLimit = 256
)

// clientKeys verifies what clients sign, by the keys that they registered or
// that are at the jwks_uri that they registered.
type clientKeys struct {
	web *outbound.Client
	now func() time.Time
	log *slog.Logger

	mu   sync.Mutex               // guards the map and what is in it
	sets map[string]*publishedSet // by jwks_uri
}

func newClientKeys(web *outbound.Client, now func() time.Time, log *slog.Logger) *clientKeys {
	return &clientKeys{web: web, now: now, log: log, sets: map[string]*publishedSet{}}
}

// publishedSet is what was last fetched from a jwks_uri.
type publishedSet struct {
	uri        string
	keys       *jose.Set     // nil until a fetch succeeded
	fetchedAt  time.Time     // when one did
	failure    error         // of the last fetch
	fetching   chan struct{} // closed when the fetch under way ends; nil when there is none
	nextRenew  time.Time     // not before, for want of fresh keys
	nextSearch time.Time     // not before, for a key that is unknown
	usedAt     time.Time
}

// verify returns the claims of a token that the client signed. The header's typ
// must be one of types, where the empty string stands for none. An error that is
// no jose.ErrInvalid says that the client's keys are not to be had.
func (k *clientKeys) verify(ctx context.Context, c *oauth.Client, token string, types ...string) (*jose.Claims, error) {
	if c.JWKSURI == "" {
		keys, err := jose.ParseSet([]byte(c.JWKS))
		if err != nil {
			return nil, fmt.Errorf("the keys of client %s: %w", c.ID, err)
		}
		return keys.Verify(token, types...)
	}
	set := k.at(c.JWKSURI)
	keys, err := k.current(ctx, set)
	if err != nil {
		return nil, err
	}
	claims, err := keys.Verify(token, types...)
	for errors.Is(err, jose.ErrUnknownKey) {
		newer, failed := k.newer(ctx, set, keys)
		if failed != nil {
			return nil, failed
		}
		if newer == keys {
			break
		}
		keys = newer
		claims, err = keys.Verify(token, types...)
	}
	return claims, err
}

// at returns the set of a URI. The one least recently used is forgotten when
// there are too many.
func (k *clientKeys) at(uri string) *publishedSet {
	k.mu.Lock()
	defer k.mu.Unlock()
	set, known := k.sets[uri]
	if !known {
		if len(k.sets) >= clientKeysLimit {
			oldest := slices.MinFunc(slices.Collect(maps.Values(k.sets)), func(a, b *publishedSet) int {
				return cmp.Or(a.usedAt.Compare(b.usedAt), cmp.Compare(a.uri, b.uri))
			})
			delete(k.sets, oldest.uri)
		}
		set = &publishedSet{uri: uri}
		k.sets[uri] = set
	}
	set.usedAt = k.now()
	return set
}

// current returns the keys in hand, after their renewal if they are not fresh:
// a key that the client withdrew must not serve once more.
func (k *clientKeys) current(ctx context.Context, set *publishedSet) (*jose.Set, error) {
	if err := await(ctx, k.renew(set)); err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if set.keys == nil || k.now().After(set.fetchedAt.Add(clientKeysFresh+clientKeysStale)) {
		return nil, fmt.Errorf("the client's keys are not available: %w", set.failure)
	}
	return set.keys, nil
}

// renew starts a fetch if the keys are not fresh, none is under way and the last
// attempt is long enough ago. It returns the one to wait for.
func (k *clientKeys) renew(set *publishedSet) <-chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	if set.keys != nil && now.Before(set.fetchedAt.Add(clientKeysFresh)) {
		return nil
	}
	if set.fetching == nil && !now.Before(set.nextRenew) {
		set.nextRenew = now.Add(clientKeysPause)
		if set.keys == nil {
			set.nextRenew = now.Add(clientKeysFirstPause)
		}
		k.fetch(set)
	}
	return set.fetching
}

// newer returns keys that were fetched after than, or than itself if there are
// none to be had now. Those of a fetch that was under way already may have left
// the client too early for the caller: it asks again.
func (k *clientKeys) newer(ctx context.Context, set *publishedSet, than *jose.Set) (*jose.Set, error) {
	if err := await(ctx, k.search(set, than)); err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return set.keys, nil
}

// search starts a fetch if there has been none since than, none is under way and
// the last search is long enough ago. It returns the one to wait for.
func (k *clientKeys) search(set *publishedSet, than *jose.Set) <-chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	if set.keys != than {
		return nil
	}
	if now := k.now(); set.fetching == nil && !now.Before(set.nextSearch) {
		set.nextSearch = now.Add(clientKeysPause)
		k.fetch(set)
	}
	return set.fetching
}

// fetch renews a set for all who wait, whatever becomes of the request that was
// first to want it. k.mu is held.
func (k *clientKeys) fetch(set *publishedSet) {
	done := make(chan struct{})
	set.fetching = done
	go func() {
		defer close(done)
		ctx := context.Background() // package outbound knows when to stop
		var keys *jose.Set
		body, err := k.web.Get(ctx, set.uri)
		if err == nil {
			keys, err = jose.ParseSet(body)
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		if err == nil {
			set.keys, set.fetchedAt = keys, k.now()
		} else if set.failure == nil || set.failure.Error() != err.Error() {
			k.log.WarnContext(ctx, "fetch client keys", "jwks_uri", set.uri, "error", err)
		}
		set.failure = err
		set.fetching = nil
	}()
}

func await(ctx context.Context, fetched <-chan struct{}) error {
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
