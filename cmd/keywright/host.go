package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/keywright/keywright/internal/account"
	"github.com/keywright/keywright/internal/jose"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/outbound"
	"github.com/keywright/keywright/internal/password"
	"github.com/keywright/keywright/internal/server"
	"github.com/keywright/keywright/internal/settings"
	"github.com/keywright/keywright/internal/store"
)

const (
	// drainDelay lets load balancers see /readyz at 503 before the listener closes.
	drainDelay = 2 * time.Second
	// drainTimeout is how long requests under way may take to end.
	drainTimeout = 15 * time.Second
	// gcPercent lets the heap grow to three times what lives, which is a few MiB, before it is collected: a token
	// costs a tenth less, and the process some 6 MiB more.
	gcPercent = 200
)

// host is where and how a server serves: dev and serve differ in nothing else.
type host struct {
	issuer    string
	listeners []net.Listener
	dev       *server.Dev   // nil in production
	delay     time.Duration // between /readyz turning 503 and the listeners closing
	announce  func()        // called once requests are served

	// declare applies the clients file.
	declare func(context.Context, *server.Server) error
}

// run serves until ctx ends, and closes the database.
func (h host) run(ctx context.Context, s *settings.Settings, db *store.DB, log *slog.Logger) (err error) {
	defer func() {
		if closing := db.Close(); closing != nil {
			err = coded{errors.Join(err, fmt.Errorf("the database did not close: %w", closing)), exitUnclean}
		}
	}()
	hasher, err := newHasher(s)
	if err != nil {
		return err
	}
	if _, chosen := os.LookupEnv("GOGC"); !chosen {
		debug.SetGCPercent(gcPercent)
	}
	config := serverConfig(s, h.issuer, db, hasher, log)
	config.Dev, config.Outbound.Dev = h.dev, h.dev != nil
	if config.Brand, err = brand(s); err != nil {
		return err
	}
	srv, err := server.New(ctx, config)
	if err != nil {
		return err
	}
	if err := h.declare(ctx, srv); err != nil {
		return err
	}
	if needsFolder(s) { // else commands have all that they need in the environment
		stop, err := serveCommands(s.Data, srv.Operator(), log)
		if err != nil {
			return err
		}
		defer stop()
	}
	defer upkeep(ctx, srv)()
	return h.serve(ctx, srv, log)
}

// upkeep runs the server's own chores beside it until stop is called.
func upkeep(ctx context.Context, srv *server.Server) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		srv.Run(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}

// serve answers requests until ctx ends, then drains: /readyz turns 503, the
// delay passes, requests under way end.
func (h host) serve(ctx context.Context, srv *server.Server, log *slog.Logger) error {
	web := newHTTPServer(srv, log)
	failed := make(chan error, len(h.listeners))
	for _, l := range h.listeners {
		go func() { failed <- web.Serve(l) }()
	}
	h.announce()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	srv.Drain()
	log.Info("stopping", "delay", h.delay.String())
	time.Sleep(h.delay)
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	if err := web.Shutdown(ending); err != nil {
		return coded{fmt.Errorf("requests were cut off: they took longer than %v to end", drainTimeout), exitUnclean}
	}
	return nil
}

// newHTTPServer bounds what a connection may cost.
func newHTTPServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// untilStopped returns a context that ends with the first signal to stop. The
// second ends the process, whatever it waits for.
func untilStopped(ctx context.Context, log *slog.Logger) context.Context {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	ctx, stop := context.WithCancel(ctx)
	go func() {
		<-signals
		stop()
		<-signals
		log.Error("stopped at once by a second signal")
		os.Exit(exitUnclean)
	}()
	return ctx
}

// newHasher starts the threads that hash passwords.
func newHasher(s *settings.Settings) (*password.Hasher, error) {
	h, err := password.New(rand.Reader, password.Options{
		Params:  password.Params{MemoryKiB: s.Argon2.MemoryKiB, Time: s.Argon2.Time, Threads: s.Argon2.Threads},
		Threads: s.HashThreads, Waiting: s.HashQueue, AtWork: moreProcessors,
	})
	if err != nil {
		return nil, badConfig("argon2: %w", err)
	}
	return h, nil
}

var processors sync.Mutex

// moreProcessors gives Go a processor for each thread that hashes, so that none
// holds one that requests need.
func moreProcessors(threads int) {
	processors.Lock()
	defer processors.Unlock()
	runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + threads)
}

// serverConfig is what every server is made of, a command's own as well.
func serverConfig(s *settings.Settings, issuer string, db *store.DB, hasher *password.Hasher, log *slog.Logger) server.Config {
	return server.Config{
		DB:     db,
		Hasher: hasher,
		Policy: oauth.Policy{
			Issuer: issuer, AccessTokenTTL: s.AccessTokenTTL, RefreshGrace: s.RefreshGrace,
			RefreshIdle: s.RefreshIdle, RefreshAbsolute: s.RefreshAbsolute, SessionIdle: s.SessionIdle, SessionAbsolute: s.SessionAbsolute,
		},
		SigningAlg:     jose.Algorithm(s.SigningAlg),
		KeyLifetime:    s.KeyLifetime,
		Limits:         account.Limits{PerAccount: int64(s.Throttle.Account), PerAddress: int64(s.Throttle.Address), Window: s.Throttle.Window},
		DirectOrigins:  s.DirectOrigins,
		TrustedProxies: s.TrustedProxies,
		SignUp:         s.SignUp == "open",
		Outbound:       outbound.Rules{Allow: s.OutboundAllow},
		Log:            log,

		ClientRegistration: s.ClientRegistration == "token",
	}
}
