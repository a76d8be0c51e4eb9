package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/keywright/keywright/internal/server"
	"github.com/keywright/keywright/internal/settings"
)

// serve is Keywright in production. It never makes a master key, and does not
// start on settings that are not safe.
func (c *command) serve() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run in production",
		Example: "  keywright serve --listen :443 --issuer https://id.example.com --tls-cert cert.pem --tls-key key.pem\n" +
			"  keywright serve --listen 127.0.0.1:8080 --issuer https://id.example.com --trusted-proxies 127.0.0.1",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, _, err := c.load(cmd)
			if err != nil {
				return err
			}
			if err := checkProduction(s); err != nil {
				return err
			}
			return c.runServe(cmd.Context(), s)
		},
	}
	settings.Flags(cmd.Flags())
	return cmd
}

// checkProduction refuses what is not safe, with the remedy. The settings have
// refused an issuer that is http elsewhere than on this machine.
func checkProduction(s *settings.Settings) error {
	var problems []error
	refuse := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	issuer, err := url.Parse(s.Issuer)
	switch {
	case s.Issuer == "":
		refuse("issuer is not set: give the URL at which people reach this server, such as --issuer https://id.example.com")
	case err != nil:
		refuse("issuer %q is not a URL", s.Issuer)
	case issuer.Path != "":
		refuse("issuer %s has a path: give Keywright a host name of its own, apart from the apps", s.Issuer)
	case issuer.Scheme == "http" && s.TLSCert != "":
		refuse("issuer %s is http, but with --tls-cert this server speaks https: make it https://%s", s.Issuer, issuer.Host)
	}
	if s.Argon2.Weak() {
		refuse("argon2 %s is too cheap to guess: use m=19456,t=2,p=1 or more", s.Argon2)
	}
	for _, network := range s.OutboundAllow {
		if network.Bits() == 0 {
			refuse("outbound_allow %s lets whoever registers a client reach everything that this server can: name the networks that clients are in", network)
		}
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
	log := newLog(c.err, s)
	ctx = untilStopped(ctx, log)
	listener, err := listenProduction(ctx, s, log)
	if err != nil {
		return err
	}
	defer listener.Close()
	db, err := claimStore(ctx, s, false)
	if err != nil {
		return explainServed(s, err)
	}
	return host{
		issuer:    s.Issuer,
		listeners: []net.Listener{listener},
		delay:     drainDelay,
		declare:   func(ctx context.Context, srv *server.Server) error { return c.applyAtStart(ctx, srv, s.Clients, log) },
		announce: func() {
			log.Info("serving", "listen", listener.Addr().String(), "issuer", s.Issuer, "database", db.Engine())
		},
	}.run(ctx, s, db, log)
}

// listenProduction speaks TLS where there is a certificate, which SIGHUP reads
// again. One that cannot be used leaves the old one in place.
func listenProduction(ctx context.Context, s *settings.Settings, log *slog.Logger) (net.Listener, error) {
	issuer, err := url.Parse(s.Issuer)
	if err != nil {
		return nil, err
	}
	if s.TLSCert == "" {
		warnOfOtherAddress(s, issuer, log)
		onHangup(ctx, func() { log.Info("there is no TLS certificate to reload") })
		return listen(s.Listen)
	}
	cert := &certificate{certFile: s.TLSCert, keyFile: s.TLSKey, issuerHost: issuer.Hostname()}
	if err := cert.load(log); err != nil {
		return nil, badConfig("the TLS certificate cannot be used: %w", err)
	}
	onHangup(ctx, func() {
		if err := cert.load(log); err != nil {
			log.Error("the TLS certificate was not reloaded", "error", err)
			return
		}
		log.Info("the TLS certificate was reloaded")
	})
	l, err := listen(s.Listen)
	if err != nil {
		return nil, err
	}
	return cert.listener(l), nil
}

// warnOfOtherAddress warns where people cannot reach the issuer but through a
// proxy, and none is listed.
func warnOfOtherAddress(s *settings.Settings, issuer *url.URL, log *slog.Logger) {
	_, port, _ := net.SplitHostPort(s.Listen)
	switch {
	case len(s.TrustedProxies) > 0:
	case issuer.Scheme == "https":
		log.Warn("the proxy that ends TLS is not listed in --trusted-proxies: everybody's failed sign-ins count as its own",
			"issuer", s.Issuer, "listen", s.Listen)
	case cmp.Or(issuer.Port(), "80") != port:
		log.Warn("--issuer and --listen name different ports: tokens and pages will point to the issuer",
			"issuer", s.Issuer, "listen", s.Listen)
	}
}
