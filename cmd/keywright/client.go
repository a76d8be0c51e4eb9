package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/server"
	"github.com/keywright/keywright/internal/settings"
)

func (c *command) client() *cobra.Command {
	return group("client", "Register and manage the applications that use this server",
		"  keywright client add --id billing --grant client_credentials --audience https://api.example.com\n  keywright client list",
		c.clientAdd(), c.clientList(),
		c.clientAction("show", "Show a client", http.MethodGet, ""),
		c.clientAction("disable", "Refuse a client and end what it holds", http.MethodPost, "/disable"),
		c.clientAction("enable", "Admit a disabled client again", http.MethodPost, "/enable"),
		c.clientAction("secret", "Replace a client's secret and print the new one", http.MethodPost, "/secret"),
		c.clientAction("remove", "Remove a client and end what it holds", http.MethodPost, "/remove"),
	)
}

func (c *command) clientAdd() *cobra.Command {
	var add server.ClientView
	var ttl time.Duration
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "add --id ID",
		Short: "Register a client; a confidential one gets a secret, printed once",
		Example: "  keywright client add --id billing --grant client_credentials --scope invoices:read --audience https://api.example.com\n" +
			"  keywright client add --id spa --public --redirect-uri https://app.example.com/callback --origin https://app.example.com",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if add.ID == "" {
				return usageError(cmd, "--id is missing")
			}
			if ttl != 0 {
				add.AccessTokenTTL = ttl.String()
			}
			var added server.ClientView
			if err := c.ask(cmd, http.MethodPost, "/clients", add, &added); err != nil {
				return err
			}
			return c.showClient(added, asJSON)
		},
	}
	cmd.Flags().StringVar(&add.ID, "id", "", "The client_`id`")
	cmd.Flags().BoolVar(&add.Public, "public", false, "It cannot keep a secret: a browser or native app")
	several := func(field *[]string, title, name, help string) {
		cmd.Flags().StringArrayVar(field, name, nil, help)
		cmd.Flags().SetAnnotation(name, settings.GroupAnnotation, []string{title})
	}
	const tokens, pages = "Tokens (repeat a flag for several values)", "Pages (repeat a flag for several values)"
	several(&add.Grants, tokens, "grant", "A `grant` it may use: client_credentials, refresh_token")
	several(&add.Scopes, tokens, "scope", "A `scope` it may ask for")
	several(&add.Audiences, tokens, "audience", "The `URL` of an API whose tokens it may ask for; the first is the default")
	several(&add.Serves, tokens, "serves", "An `audience` that it is: it may introspect the tokens for it")
	several(&add.RedirectURIs, pages, "redirect-uri", "A `URI` where people come back after signing in; compared exactly")
	several(&add.PostLogoutRedirectURIs, pages, "post-logout-redirect-uri", "A `URI` where people come back after signing out")
	several(&add.Origins, pages, "origin", "An `origin` of its pages, which may then read answers (CORS)")
	cmd.Flags().DurationVar(&ttl, "access-token-ttl", 0, "How long its access tokens live; 0 is the server's setting")
	operatorFlags(cmd, &asJSON)
	return cmd
}

func (c *command) clientAction(name, short, method, suffix string) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     name + " ID",
		Short:   short,
		Example: fmt.Sprintf("  keywright client %s billing\n  keywright client %s billing --json", name, name),
		Args:    oneArgument("client id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var view server.ClientView
			if err := c.ask(cmd, method, "/clients/"+url.PathEscape(args[0])+suffix, nil, &view); err != nil {
				return err
			}
			return c.showClient(view, asJSON)
		},
	}
	operatorFlags(cmd, &asJSON)
	return cmd
}

func (c *command) clientList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the clients",
		Example: "  keywright client list\n  keywright client list --json",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var views []server.ClientView
			if err := c.ask(cmd, http.MethodGet, "/clients", nil, &views); err != nil {
				return err
			}
			if asJSON {
				return c.writeJSON(views)
			}
			rows := [][]string{{"ID", "KIND", "GRANTS", "SCOPES", "STATE"}}
			for _, v := range views {
				rows = append(rows, []string{v.ID, kind(v), join(v.Grants), join(v.Scopes), state(v.Disabled)})
			}
			return c.writeTable(rows)
		},
	}
	operatorFlags(cmd, &asJSON)
	return cmd
}

func (c *command) showClient(v server.ClientView, asJSON bool) error {
	if asJSON {
		return c.writeJSON(v)
	}
	var rows [][]string
	for _, row := range [][]string{
		{"client_id", v.ID}, {"client_secret", v.Secret}, {"kind", kind(v)}, {"state", state(v.Disabled)},
		{"grants", join(v.Grants)}, {"scopes", join(v.Scopes)}, {"audiences", join(v.Audiences)}, {"serves", join(v.Serves)},
		{"redirect URIs", join(v.RedirectURIs)}, {"post-logout redirect URIs", join(v.PostLogoutRedirectURIs)},
		{"origins", join(v.Origins)}, {"access token TTL", v.AccessTokenTTL},
	} {
		if row[1] != "" {
			rows = append(rows, row)
		}
	}
	err := c.writeTable(rows)
	if v.Secret != "" {
		fmt.Fprintf(c.err, "The secret is not shown again; `keywright client secret %s` makes a new one.\n", v.ID)
	}
	return err
}

func kind(v server.ClientView) string {
	switch {
	case v.ID == oauth.DirectClient:
		return "built-in"
	case v.Public:
		return "public"
	}
	return "confidential"
}

func state(disabled bool) string {
	if disabled {
		return "disabled"
	}
	return "enabled"
}

func join(items []string) string { return strings.Join(items, " ") }
