package server

import (
	"context"
	"errors"
	"time"

	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/store"
)

const (
	cachePoll     = time.Second // how long another node's change to keys or origins may go unseen
	keyUpkeep     = time.Minute
	journalPoll   = time.Second
	expiryPause   = 30 * time.Second
	expiryBetween = 50 * time.Millisecond // between steps of one walk
)

// Run does what no request asks for, until ctx ends: it reloads the caches when
// their epochs change, keeps the signing keys, numbers the journal and deletes
// what has expired. Failures are logged and tried again.
func (s *Server) Run(ctx context.Context) {
	expiry := store.NewExpiry(s.DB, s.Policy.RefreshIdle, oauth.MaxAccessTokenTTL)
	done := make(chan struct{})
	jobs := map[string]struct {
		every time.Duration
		do    func(context.Context) error
	}{
		"reload caches":  {cachePoll, s.reload},
		"keep keys":      {keyUpkeep, s.keys.keep},
		"number journal": {journalPoll, s.numberJournal},
		"expire rows":    {expiryPause, func(ctx context.Context) error { return expire(ctx, expiry) }},
	}
	for name, job := range jobs {
		go func() {
			defer func() { done <- struct{}{} }()
			s.repeat(ctx, name, job.every, job.do)
		}()
	}
	for range jobs {
		<-done
	}
}

func (s *Server) repeat(ctx context.Context, name string, every time.Duration, do func(context.Context) error) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := do(ctx); err != nil && !errors.Is(err, context.Canceled) {
				s.Log.ErrorContext(ctx, name, "error", err)
			}
		}
	}
}

// cached is what the caches in memory were built from.
type cached struct{ keys, origins int64 }

// reload builds the caches of public things.
func (s *Server) reload(ctx context.Context) error {
	keys, origins, err := s.DB.Read(ctx).CacheEpochs()
	if err != nil {
		return err
	}
	had := s.cached.Load()
	if had == nil || had.keys != keys {
		if err := s.keys.load(ctx); err != nil {
			return err
		}
		s.seen.forget()
	}
	if had == nil || had.origins != origins {
		if err := s.origins.load(ctx, s); err != nil {
			return err
		}
	}
	s.cached.Store(&cached{keys, origins})
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
