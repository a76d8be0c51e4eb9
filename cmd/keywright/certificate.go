package main

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"
)

// certificate is a TLS certificate that SIGHUP reads again.
type certificate struct {
	certFile, keyFile string
	issuerHost        string
	current           atomic.Pointer[tls.Certificate]
}

// load reads the files, and warns of a certificate that browsers will refuse.
func (c *certificate) load(log *slog.Logger) error {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return err
	}
	c.current.Store(&pair)
	if err := pair.Leaf.VerifyHostname(c.issuerHost); err != nil {
		log.Warn("the TLS certificate is not for the issuer's host", "error", err)
	}
	if time.Now().After(pair.Leaf.NotAfter) {
		log.Warn("the TLS certificate has expired", "at", pair.Leaf.NotAfter)
	}
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

// onHangup calls reload at each SIGHUP until ctx ends.
func onHangup(ctx context.Context, reload func()) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	go func() {
		defer signal.Stop(hangup)
		for {
			select {
			case <-ctx.Done():
				return
			case <-hangup:
				reload()
			}
		}
	}()
}
