package main

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"runtime"

	"github.com/keywright/keywright/internal/account"
	"github.com/keywright/keywright/internal/jose"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/password"
	"github.com/keywright/keywright/internal/server"
	"github.com/keywright/keywright/internal/settings"
	"github.com/keywright/keywright/internal/store"
)

// openStore opens the database that the settings name, and says what to do when
// it cannot.
func openStore(ctx context.Context, s *settings.Settings, create bool) (*store.DB, error) {
	key, err := masterKey(s)
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, store.Options{Folder: s.Data, DatabaseURL: string(s.DatabaseURL), MasterKey: key, Create: create})
	switch {
	case errors.Is(err, store.ErrWrongMasterKey):
		return nil, badConfig("%w: put back the key that was made with this database", err)
	case errors.Is(err, store.ErrNoDatabase):
		return nil, badConfig("%w: run `keywright init --data %s` once", err, s.Data)
	case errors.Is(err, store.ErrNewerSchema):
		return nil, badConfig("%w: run that version, or restore a backup", err)
	}
	return db, err
}

// newHasher starts the threads that hash passwords and gives the runtime as
// many processors more, so that they never hold one that requests need.
func newHasher(s *settings.Settings) (*password.Hasher, error) {
	h, err := password.New(rand.Reader, password.Options{
		Params:  password.Params{MemoryKiB: s.Argon2.MemoryKiB, Time: s.Argon2.Time, Threads: s.Argon2.Threads},
		Threads: s.HashThreads, Waiting: s.HashQueue,
	})
	if err != nil {
		return nil, badConfig("argon2: %w", err)
	}
	runtime.GOMAXPROCS(runtime.NumCPU() + h.Threads())
	return h, nil
}

// serverConfig is what both dev and serve are made of.
func serverConfig(s *settings.Settings, issuer string, db *store.DB, hasher *password.Hasher, log *slog.Logger) server.Config {
	return server.Config{
		DB:     db,
		Hasher: hasher,
		Policy: oauth.Policy{
			Issuer: issuer, AccessTokenTTL: s.AccessTokenTTL, RefreshGrace: s.RefreshGrace,
			RefreshIdle: s.RefreshIdle, RefreshAbsolute: s.RefreshAbsolute,
		},
		SigningAlg:     jose.Algorithm(s.SigningAlg),
		KeyLifetime:    s.KeyLifetime,
		Limits:         account.Limits{PerAccount: int64(s.Throttle.Account), PerAddress: int64(s.Throttle.Address), Window: s.Throttle.Window},
		DirectOrigins:  s.DirectOrigins,
		TrustedProxies: s.TrustedProxies,
		Log:            log,
	}
}
