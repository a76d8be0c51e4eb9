package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/keywright/keywright/internal/server"
	"github.com/keywright/keywright/internal/settings"
	"github.com/keywright/keywright/internal/store"
)

// serve is Keywright in production. It never makes a key, and does not start
// on settings that are not safe.
func (c *command) serve() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run in production",
		Example: "  keywright serve --listen :443 --issuer https://id.example.com --tls-cert cert.pem --tls-key key.pem\n" +
			"  keywright serve --listen 127.0.0.1:8080 --issuer https://id.example.com --trusted-proxies 127.0.0.1",
		Args: usageArgs(cobra.NoArgs),
	}
	settings.Flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		s, _, err := c.load(cmd)
		if err != nil {
			return err
		}
		if err := checkProduction(s); err != nil {
			return err
		}
		return c.runServe(cmd.Context(), s)
	}
	return cmd
}

// checkProduction refuses what is not safe, with the remedy.
func checkProduction(s *settings.Settings) error {
	var problems []error
	refuse := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	issuer, err := url.Parse(s.Issuer)
	switch {
	case s.Issuer == "":
		refuse("issuer is not set: give the URL at which people reach this server, such as --issuer https://id.example.com")
	case err != nil:
		refuse("issuer %q is not a URL", s.Issuer)
	case issuer.Scheme != "https" && !isLoopback(net.JoinHostPort(issuer.Hostname(), "0")) && !strings.HasSuffix(issuer.Hostname(), ".localhost"):
		refuse("issuer %s uses http, so anybody on the way could read passwords and tokens: use https (a certificate by --tls-cert and --tls-key, or a proxy)", s.Issuer)
	case issuer.Path != "":
		refuse("issuer %s has a path: give Keywright a host name of its own, apart from the apps", s.Issuer)
	}
	if s.Argon2.Weak() {
		refuse("argon2 %s is too cheap to guess: use m=19456,t=2,p=1 or more", s.Argon2)
	}
	if s.Throttle.Off() {
		refuse("throttle is off, so passwords can be guessed without end: use account=10,address=100,window=15m")
	}
	if s.TLSCert == "" && len(s.TrustedProxies) == 0 && !isLoopback(s.Listen) {
		refuse("%s can be reached from elsewhere without TLS: give --tls-cert and --tls-key, or list the proxy that ends TLS in --trusted-proxies", s.Listen)
	}
	if problems == nil {
		return nil
	}
	return coded{errors.Join(problems...), exitConfig}
}

func (c *command) runServe(ctx context.Context, s *settings.Settings) error {
	if err := checkDataFolder(s.Data); err != nil {
		return err
	}
	log := newLog(c.err, s)
	listener, err := c.listenProduction(ctx, s, log)
	if err != nil {
		return err
	}
	defer listener.Close()
	db, err := openStore(ctx, s, false)
	if err != nil {
		return c.explainFolderInUse(s, err)
	}
	defer db.Close()
	hasher, err := newHasher(s)
	if err != nil {
		return err
	}
	srv, err := server.New(ctx, serverConfig(s, s.Issuer, db, hasher, log))
	if err != nil {
		return err
	}
	stop, err := serveOperator(s.Data, srv.Admin())
	if err != nil {
		return err
	}
	defer stop()
	log.Info("serving", "listen", listener.Addr().String(), "issuer", s.Issuer, "database", db.Engine())
	return serveUntil(ctx, srv, []net.Listener{listener}, drainDelay, log)
}

func (c *command) listenProduction(ctx context.Context, s *settings.Settings, log *slog.Logger) (net.Listener, error) {
	if s.TLSCert == "" {
		return listen(s.Listen)
	}
	cert := &certificate{certFile: s.TLSCert, keyFile: s.TLSKey}
	if err := cert.load(); err != nil {
		return nil, badConfig("the TLS certificate cannot be used: %w", err)
	}
	l, err := listen(s.Listen)
	if err != nil {
		return nil, err
	}
	go reloadOnHangup(ctx, cert, log)
	return cert.listener(l), nil
}

// reloadOnHangup keeps the old certificate when the new one cannot be used.
func reloadOnHangup(ctx context.Context, cert *certificate, log *slog.Logger) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			if err := cert.load(); err != nil {
				log.Error("the TLS certificate was not reloaded", "error", err)
			} else {
				log.Info("the TLS certificate was reloaded")
			}
		}
	}
}

// explainFolderInUse says what to do about a second process on one folder.
func (c *command) explainFolderInUse(s *settings.Settings, err error) error {
	if errors.Is(err, store.ErrFolderInUse) {
		return badConfig("another Keywright is using %s: stop it, or give this one a folder of its own with --data", s.Data)
	}
	return err
}
