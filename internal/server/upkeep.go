package server

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/store"
)

const (
	cachePoll     = time.Second // how long another node's change to keys or origins may go unseen
	keyUpkeep     = time.Minute
	journalPoll   = time.Second // how long a client may wait to hear of a session that another node ended
	expiryPause   = 30 * time.Second
	expiryBetween = 50 * time.Millisecond // between steps of one walk
)

// Run does what no request asks for, until ctx ends: it reloads the caches when
// their epochs change, keeps the signing keys, numbers the journal and deletes
// what has expired. Failures are logged and tried again.
func (s *Server) Run(ctx context.Context) {
	expiry := store.NewExpiry(s.DB, s.Policy.RefreshIdle, oauth.MaxAccessTokenTTL)
	var jobs sync.WaitGroup
	repeat := func(name string, every time.Duration, do func(context.Context) error) {
		jobs.Go(func() { s.repeat(ctx, name, every, do) })
	}
	repeat("reload caches", cachePoll, s.reload)
	repeat("keep keys", keyUpkeep, s.keys.Keep)
	jobs.Go(func() { s.repeatOr(ctx, "read journal", journalPoll, s.ended, s.readJournal) })
	jobs.Go(func() { s.repeatOr(ctx, "tell clients", journalPoll, s.owed, s.tellClients) })
	repeat("expire rows", expiryPause, func(ctx context.Context) error { return expire(ctx, expiry) })
	jobs.Wait()
}

func (s *Server) repeat(ctx context.Context, name string, every time.Duration, do func(context.Context) error) {
	s.repeatOr(ctx, name, every, nil, do)
}

// repeatOr also does it as soon as somebody asks.
func (s *Server) repeatOr(ctx context.Context, name string, every time.Duration, asked <-chan struct{}, do func(context.Context) error) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-asked:
		}
		if err := do(ctx); err != nil && !errors.Is(err, context.Canceled) {
			s.Log.ErrorContext(ctx, name, "error", err)
		}
	}
}

// cacheEpochs say what the caches in memory were built from.
type cacheEpochs struct{ keys, origins int64 }

// reload builds the caches of public things whose epochs have changed. One
// caller does it at a time, so that none puts older rows over newer ones.
func (s *Server) reload(ctx context.Context) error {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	keys, origins, err := s.DB.Read(ctx).CacheEpochs()
	if err != nil {
		return err
	}
	if s.cached.keys != keys {
		if err := s.keys.Load(ctx); err != nil {
			return err
		}
		s.seen.forget()
	}
	if s.cached.origins != origins {
		if err := s.origins.load(ctx, s.DB); err != nil {
			return err
		}
	}
	s.cached = cacheEpochs{keys, origins}
	return nil
}

func (s *Server) numberJournal(ctx context.Context) error {
	for {
		n, err := s.DB.NumberJournal(ctx, s.nodeID)
		if err != nil || n == 0 {
			return err
		}
	}
}

func expire(ctx context.Context, e *store.Expiry) error {
	for {
		more, err := e.Step(ctx)
		if err != nil || !more {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(expiryBetween):
		}
	}
}
