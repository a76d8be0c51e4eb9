package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/keywright/keywright/internal/server"
)

const (
	// drainDelay lets load balancers see /readyz at 503 before the listener closes.
	drainDelay = 2 * time.Second
	// drainTimeout is how long requests under way may take to end.
	drainTimeout = 15 * time.Second
)

// listen opens a TCP listener and says who has the port when it is busy.
func listen(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		owner := portOwner(address)
		if owner == "" {
			owner = "another process"
		}
		return nil, fmt.Errorf("%s is in use by %s: stop it, or choose another address with --listen", address, owner)
	}
	return l, err
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

// serveUntil serves until ctx ends, then drains: /readyz turns 503, the delay
// passes, requests under way end. A second signal ends the process at once.
func serveUntil(ctx context.Context, s *server.Server, listeners []net.Listener, delay time.Duration, log *slog.Logger) error {
	web := newHTTPServer(s, log)
	failed := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { failed <- web.Serve(l) }()
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	upkept := make(chan struct{})
	go func() {
		defer close(upkept)
		s.Run(running)
	}()
	defer func() {
		stop()
		<-upkept
	}()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	s.Drain()
	again := make(chan os.Signal, 1)
	signal.Notify(again, os.Interrupt, syscall.SIGTERM)
	log.Info("stopping", "delay", delay.String())
	select {
	case <-again:
		return coded{errors.New("stopped at once by a second signal"), exitUnclean}
	case <-time.After(delay):
	}
	ending, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	go func() {
		<-again
		cancel()
	}()
	if err := web.Shutdown(ending); err != nil {
		web.Close()
		return coded{fmt.Errorf("some requests did not end: %w", err), exitUnclean}
	}
	return nil
}

// certificate is a TLS certificate that SIGHUP reads again.
type certificate struct {
	certFile, keyFile string
	current           atomic.Pointer[tls.Certificate]
}

func (c *certificate) load() error {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return err
	}
	c.current.Store(&pair)
	return nil
}

// listener wraps l in TLS 1.2 and up.
func (c *certificate) listener(l net.Listener) net.Listener {
	return tls.NewListener(l, &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return c.current.Load(), nil
		},
	})
}
