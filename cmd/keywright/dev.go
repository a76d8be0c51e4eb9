package main

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/keywright/keywright/internal/server"
	"github.com/keywright/keywright/internal/settings"
)

// dev is Keywright on a developer's own machine: nothing to configure.
func (c *command) dev() *cobra.Command {
	var apiURL string
	var demo demoPorts
	cmd := &cobra.Command{
		Use:     "dev",
		Short:   "Run on this machine, with everything on and nothing to configure",
		Example: "  keywright dev\n  keywright dev --listen 127.0.0.1:9000 --data /tmp/keywright\n  keywright dev --demo=4200,4300",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, _, err := c.load(cmd)
			if err != nil {
				return err
			}
			if apiURL != "" && !isHTTPURL(apiURL) {
				return usageError(cmd, "--api-url must be a URL such as http://localhost:10102")
			}
			if err := checkDev(s); err != nil {
				return err
			}
			return c.runDev(cmd.Context(), s, apiURL, demo)
		},
	}
	cmd.Flags().StringVar(&apiURL, "api-url", "", "The `URL` of the example API, for the printed commands")
	cmd.Flags().Var(&demo, "demo", "Serve the demo app and a second one too, at these `ports`")
	cmd.Flags().Lookup("demo").NoOptDefVal = "4200,4300"
	settings.Flags(cmd.Flags())
	for _, refused := range []string{"issuer", "tls-cert", "tls-key"} {
		cmd.Flags().MarkHidden(refused)
	}
	return cmd
}

func isHTTPURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

func checkDev(s *settings.Settings) error {
	switch {
	case s.Issuer != "":
		return badConfig("dev derives its issuer from --listen: leave issuer out, or use `keywright serve`")
	case s.TLSCert != "":
		return badConfig("dev speaks plain http to this machine alone: leave tls_cert out, or use `keywright serve`")
	case !isLoopback(s.Listen):
		return badConfig("dev listens on loopback addresses only, and %s is none: use `keywright serve` to be reached from elsewhere", s.Listen)
	}
	return nil
}

func (c *command) runDev(ctx context.Context, s *settings.Settings, apiURL string, demo demoPorts) error {
	log := newLog(c.err, s)
	ctx = untilStopped(ctx, log)
	listeners, port, err := listenLoopback(s.Listen, "--listen")
	if err != nil {
		return err
	}
	defer closeAll(listeners)
	db, err := makeStore(ctx, s)
	if err != nil {
		return err
	}
	names := []string{withPort("localhost", port)}
	for _, l := range listeners {
		names = append(names, withPort(l.Addr().(*net.TCPAddr).IP.String(), port))
	}
	issuer := "http://" + names[0]
	apps := c.openDemo(demo)
	defer closeDemo(apps)
	return host{
		issuer:    issuer,
		listeners: listeners,
		dev:       &server.Dev{APIURL: apiURL, DemoURL: demoURL(apps), Hosts: names},
		declare: func(ctx context.Context, srv *server.Server) error {
			if err := c.applyAtStart(ctx, srv, s.Clients, log); err != nil {
				return err
			}
			return startDemo(ctx, srv, apps, issuer, apiURL, log)
		},
		announce: func() { c.greet(issuer, apiURL, apps) },
	}.run(ctx, s, db, log)
}

// greet prints where the server is and what to try.
func (c *command) greet(issuer, apiURL string, apps []*demoApp) {
	try := server.NewTry(issuer, apiURL)
	fmt.Fprintf(c.out, "Keywright   %s\n", issuer)
	if apiURL != "" {
		fmt.Fprintf(c.out, "Example API %s\n", apiURL)
	}
	for _, a := range apps {
		fmt.Fprintf(c.out, "%-11s %s\n", a.title, strings.TrimSuffix(a.url(), "/"))
	}
	fmt.Fprintf(c.out, "\n# Register\n%s\n# Sign in\n%s\n# Call the API\n%s\n\n", try.Register, try.SignIn, try.Call)
}

// withPort is a Host header: browsers leave out the default port.
func withPort(host, port string) string {
	if port != "80" {
		return net.JoinHostPort(host, port)
	}
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}
