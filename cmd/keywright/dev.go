package main

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/keywright/keywright/internal/server"
	"github.com/keywright/keywright/internal/settings"
)

// dev is Keywright on a developer's own machine: nothing to configure.
func (c *command) dev() *cobra.Command {
	var apiURL string
	cmd := &cobra.Command{
		Use:     "dev",
		Short:   "Run on this machine, with everything on and nothing to configure",
		Example: "  keywright dev\n  keywright dev --listen 127.0.0.1:9000 --data /tmp/keywright",
		Args:    usageArgs(cobra.NoArgs),
	}
	settings.Flags(cmd.Flags())
	cmd.Flags().StringVar(&apiURL, "api-url", "", "Where the example API listens, for the printed commands.")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		s, _, err := c.load(cmd)
		if err != nil {
			return err
		}
		if apiURL != "" && !isHTTPURL(apiURL) {
			return coded{fmt.Errorf("--api-url must be a URL such as http://localhost:10102"), exitUsage}
		}
		return c.runDev(cmd.Context(), s, apiURL)
	}
	return cmd
}

func isHTTPURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

func (c *command) runDev(ctx context.Context, s *settings.Settings, apiURL string) error {
	if s.Issuer != "" {
		return badConfig("dev derives its issuer from --listen: leave issuer out, or use `keywright serve`")
	}
	if !isLoopback(s.Listen) {
		return badConfig("dev listens on loopback addresses only, and %s is none: use `keywright serve` to be reached from elsewhere", s.Listen)
	}
	if err := makeDataFolder(s.Data); err != nil {
		return err
	}
	listeners, port, err := listenLoopback(s.Listen)
	if err != nil {
		return err
	}
	defer closeAll(listeners)
	if err := makeMasterKey(s); err != nil {
		return err
	}
	db, err := openStore(ctx, s, true)
	if err != nil {
		return c.explainFolderInUse(s, err)
	}
	defer db.Close()
	hasher, err := newHasher(s)
	if err != nil {
		return err
	}
	log := newLog(c.err, s)
	config := serverConfig(s, "http://"+withPort("localhost", port), db, hasher, log)
	config.Dev = &server.Dev{APIURL: apiURL, Hosts: []string{withPort("localhost", port), withPort("127.0.0.1", port), withPort("[::1]", port)}}
	srv, err := server.New(ctx, config)
	if err != nil {
		return err
	}
	stop, err := serveOperator(s.Data, srv.Admin())
	if err != nil {
		return err
	}
	defer stop()
	c.greet(config)
	return serveUntil(ctx, srv, listeners, 0, log)
}

// greet prints where the server is and what to try.
func (c *command) greet(config server.Config) {
	try := server.NewTry(config.Policy.Issuer, config.Dev.APIURL)
	fmt.Fprintf(c.out, "Keywright   %s\n", config.Policy.Issuer)
	if config.Dev.APIURL != "" {
		fmt.Fprintf(c.out, "Example API %s\n", config.Dev.APIURL)
	}
	fmt.Fprintf(c.out, "\n# Register\n%s\n# Sign in\n%s\n# Call the API\n%s\n\n", try.Register, try.SignIn, try.Call)
}

// listenLoopback listens on the address, and on ::1 as well where localhost may
// mean that.
func listenLoopback(address string) (listeners []net.Listener, port string, err error) {
	first, err := listen(address)
	if err != nil {
		return nil, "", err
	}
	port = strconv.Itoa(first.Addr().(*net.TCPAddr).Port)
	listeners = append(listeners, first)
	if first.Addr().(*net.TCPAddr).IP.To4() != nil {
		if second, err := net.Listen("tcp", "[::1]:"+port); err == nil {
			listeners = append(listeners, second)
		}
	}
	return listeners, port, nil
}

func closeAll(listeners []net.Listener) {
	for _, l := range listeners {
		l.Close()
	}
}

// withPort is a Host header: browsers leave out the default port.
func withPort(host, port string) string {
	if port == "80" {
		return host
	}
	return host + ":" + port
}

func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
