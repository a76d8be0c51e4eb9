package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/server"
)

func (c *command) client() *cobra.Command {
	return group("client", "Register and manage the applications that use this server",
		c.clientAdd(), c.clientList(),
		c.clientAction("show", "Show a client", http.MethodGet, ""),
		c.clientAction("disable", "Refuse a client and end what it holds", http.MethodPost, "/disable"),
		c.clientAction("enable", "Admit a disabled client again", http.MethodPost, "/enable"),
		c.clientAction("secret", "Replace a client's secret and print the new one", http.MethodPost, "/secret"),
		c.clientAction("remove", "Remove a client and end what it holds", http.MethodPost, "/remove"),
	)
}

// ask calls the server that owns the folder.
func (c *command) ask(cmd *cobra.Command, method, path string, in, out any) error {
	s, _, err := c.load(cmd)
	if err != nil {
		return err
	}
	o, err := c.askServer(cmd.Context(), s)
	if err != nil {
		return err
	}
	defer o.close()
	return o.call(cmd.Context(), method, path, in, out)
}

func (c *command) clientAdd() *cobra.Command {
	var add server.ClientView
	var ttl time.Duration
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "add --id ID [flags]",
		Short: "Register a client; a confidential one gets a secret, printed once",
		Example: "  keywright client add --id billing --grant client_credentials --scope invoices:read --audience https://api.example.com\n" +
			"  keywright client add --id spa --public --redirect-uri https://app.example.com/callback --origin https://app.example.com",
		Args: usageArgs(cobra.NoArgs),
	}
	folderFlags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&add.ID, "id", "", "The client_id.")
	flags.BoolVar(&add.Public, "public", false, "It cannot keep a secret: a browser or native app.")
	flags.StringArrayVar(&add.Grants, "grant", nil, "A grant it may use; repeat for several: client_credentials, refresh_token.")
	flags.StringArrayVar(&add.Scopes, "scope", nil, "A scope it may ask for; repeat for several.")
	flags.StringArrayVar(&add.Audiences, "audience", nil, "An API whose tokens it may ask for; the first is the default.")
	flags.StringArrayVar(&add.Serves, "serves", nil, "An audience that it is: it may introspect the tokens for it.")
	flags.StringArrayVar(&add.RedirectURIs, "redirect-uri", nil, "Where people come back after signing in; compared exactly.")
	flags.StringArrayVar(&add.PostLogoutRedirectURIs, "post-logout-redirect-uri", nil, "Where people come back after signing out.")
	flags.StringArrayVar(&add.Origins, "origin", nil, "Where its pages are served: CORS.")
	flags.DurationVar(&ttl, "access-token-ttl", 0, "How long its access tokens live; 0 means the server's setting.")
	flags.BoolVar(&asJSON, "json", false, "Write JSON.")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if add.ID == "" {
			return coded{fmt.Errorf("--id is missing; see %s --help", cmd.CommandPath()), exitUsage}
		}
		if ttl != 0 {
			add.AccessTokenTTL = ttl.String()
		}
		var added server.ClientView
		if err := c.ask(cmd, http.MethodPost, "/clients", add, &added); err != nil {
			return err
		}
		return c.showClient(added, asJSON)
	}
	return cmd
}

func (c *command) clientAction(name, short, method, suffix string) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     name + " ID",
		Short:   short,
		Example: fmt.Sprintf("  keywright client %s billing\n  keywright client %s billing --json", name, name),
		Args:    usageArgs(cobra.ExactArgs(1)),
	}
	folderFlags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "Write JSON.")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var view server.ClientView
		if err := c.ask(cmd, method, "/clients/"+url.PathEscape(args[0])+suffix, nil, &view); err != nil {
			return err
		}
		return c.showClient(view, asJSON)
	}
	return cmd
}

func (c *command) clientList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the clients",
		Example: "  keywright client list\n  keywright client list --json",
		Args:    usageArgs(cobra.NoArgs),
	}
	folderFlags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "Write JSON.")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		var views []server.ClientView
		if err := c.ask(cmd, http.MethodGet, "/clients", nil, &views); err != nil {
			return err
		}
		if asJSON {
			return c.writeJSON(views)
		}
		return c.table("ID\tKIND\tGRANTS\tSCOPES\tSTATE", func(row func(...any)) {
			for _, v := range views {
				row(v.ID, kindOf(v), join(v.Grants), join(v.Scopes), state(v.Disabled))
			}
		})
	}
	return cmd
}

func (c *command) showClient(v server.ClientView, asJSON bool) error {
	if asJSON {
		return c.writeJSON(v)
	}
	rows := [][2]string{{"client_id", v.ID}}
	if v.Secret != "" {
		rows = append(rows, [2]string{"client_secret", v.Secret})
	}
	rows = append(rows, [][2]string{
		{"kind", kindOf(v)}, {"state", state(v.Disabled)}, {"grants", join(v.Grants)}, {"scopes", join(v.Scopes)},
		{"audiences", join(v.Audiences)}, {"serves", join(v.Serves)}, {"redirect URIs", join(v.RedirectURIs)},
		{"post-logout redirect URIs", join(v.PostLogoutRedirectURIs)}, {"origins", join(v.Origins)}, {"access token TTL", v.AccessTokenTTL},
	}...)
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		if row[1] != "" {
			fmt.Fprintf(w, "%s\t%s\n", row[0], row[1])
		}
	}
	if err := w.Flush(); err != nil || v.Secret == "" {
		return err
	}
	_, err := fmt.Fprintf(c.err, "The secret is not shown again; `keywright client secret %s` makes a new one.\n", v.ID)
	return err
}

func kindOf(v server.ClientView) string {
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

func (c *command) writeJSON(v any) error {
	e := json.NewEncoder(c.out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// table writes aligned columns.
func (c *command) table(header string, rows func(row func(...any))) error {
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, header)
	rows(func(cells ...any) {
		for i, cell := range cells {
			if i > 0 {
				io.WriteString(w, "\t")
			}
			fmt.Fprint(w, cell)
		}
		io.WriteString(w, "\n")
	})
	return w.Flush()
}
