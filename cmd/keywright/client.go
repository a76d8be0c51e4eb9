package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/operator"
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
		c.clientPlan(), c.clientApply(), c.clientToken(),
	)
}

func (c *command) clientAdd() *cobra.Command {
	var add operator.Client
	var ttl time.Duration
	var keys string
	var asJSON bool
	requirePKCE := true
	cmd := &cobra.Command{
		Use:   "add --id ID",
		Short: "Register a client; a confidential one gets a secret, printed once",
		Example: "  keywright client add --id shop --redirect-uri https://shop.example.com/callback\n" +
			"  keywright client add --id spa --public --redirect-uri https://app.example.com/callback --origin https://app.example.com\n" +
			"  keywright client add --id billing --grant client_credentials --scope invoices:read --audience https://api.example.com",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if add.ID == "" {
				return usageError(cmd, "--id is missing")
			}
			if ttl != 0 {
				add.AccessTokenTTL = ttl.String()
			}
			add.RequirePKCE = &requirePKCE
			var err error
			if add.JWKS, err = readKeys(cmd, keys); err != nil {
				return err
			}
			var added operator.Client
			if err := c.ask(cmd, http.MethodPost, "/clients", add, &added); err != nil {
				return err
			}
			return c.showClient(added, asJSON)
		},
	}
	cmd.Flags().StringVar(&add.ID, "id", "", "The client_`id`")
	cmd.Flags().StringVar(&add.Name, "name", "", "The `name` that people are shown; without it, the id")
	cmd.Flags().BoolVar(&add.Trusted, "trusted", false, "Its people are not asked for their consent")
	clientProofFlags(cmd, &add, &keys, &requirePKCE)
	clientTokenFlags(cmd, &add, &ttl)
	clientPageFlags(cmd, &add)
	operatorFlags(cmd, &asJSON)
	return cmd
}

// clientFlagGroup puts flags under a title.
func clientFlagGroup(cmd *cobra.Command, title string, names ...string) {
	for _, name := range names {
		cmd.Flags().SetAnnotation(name, settings.GroupAnnotation, []string{title})
	}
}

func clientProofFlags(cmd *cobra.Command, add *operator.Client, keys *string, requirePKCE *bool) {
	f := cmd.Flags()
	f.BoolVar(&add.Public, "public", false, "It cannot keep a secret: a browser or native app")
	f.BoolVar(&add.Native, "native", false, "It is an app of a device: loopback ports vary, and schemes such as com.example.app: are its own")
	f.StringVar(&add.AuthMethod, "auth-method", "", "The one `method` by which it authenticates: client_secret_basic, client_secret_post, private_key_jwt or none; "+
		"without it, a secret in either way")
	f.StringVar(keys, "jwks", "", "A `file` with its public keys (a JWK Set), for private_key_jwt")
	f.StringVar(&add.JWKSURI, "jwks-uri", "", "The `URL` of its public keys, for private_key_jwt")
	f.BoolVar(requirePKCE, "require-pkce", true, "It must use PKCE; false for a confidential client that cannot")
	clientFlagGroup(cmd, "Proof", "public", "native", "auth-method", "jwks", "jwks-uri", "require-pkce")
}

func clientTokenFlags(cmd *cobra.Command, add *operator.Client, ttl *time.Duration) {
	f := cmd.Flags()
	f.StringArrayVar(&add.Grants, "grant", nil, "A `grant` it may use: authorization_code, refresh_token, client_credentials; "+
		"without one, a client with a redirect URI has the first two")
	f.StringArrayVar(&add.Scopes, "scope", nil, "A `scope` it may ask for; without one, a client that signs people in has openid, profile, email and offline_access")
	f.StringArrayVar(&add.Audiences, "audience", nil, "The `URL` of an API whose tokens it may ask for; the first is the default")
	f.StringArrayVar(&add.Serves, "serves", nil, "An `audience` that it is: it may introspect the tokens for it")
	f.DurationVar(ttl, "access-token-ttl", 0, "How long its access tokens live; 0 is the server's setting")
	f.StringVar(&add.IDTokenAlg, "id-token-alg", "", "The `algorithm` of its ID tokens: ES256, which it is without this, RS256 or EdDSA")
	f.StringVar(&add.UserInfoAlg, "userinfo-alg", "", "The `algorithm` that signs its UserInfo answers; without it they are plain JSON")
	clientFlagGroup(cmd, "Tokens (repeat a flag for several values)", "grant", "scope", "audience", "serves", "id-token-alg", "userinfo-alg")
}

func clientPageFlags(cmd *cobra.Command, add *operator.Client) {
	f := cmd.Flags()
	f.StringArrayVar(&add.RedirectURIs, "redirect-uri", nil, "A `URI` where people come back after signing in; compared exactly")
	f.StringArrayVar(&add.PostLogoutRedirectURIs, "post-logout-redirect-uri", nil, "A `URI` where people come back after signing out")
	f.StringArrayVar(&add.ResponseModes, "response-mode", nil, "A response `mode` it may ask for: query, form_post; without one, both")
	f.StringArrayVar(&add.Origins, "origin", nil, "An `origin` of its pages, which may then read answers (CORS)")
	f.StringVar(&add.BackchannelLogoutURI, "backchannel-logout-uri", "", "The `URL` that the server tells when a session ends")
	f.StringVar(&add.FrontchannelLogoutURI, "frontchannel-logout-uri", "", "The `URL` that the browser loads when a session ends")
	clientFlagGroup(cmd, "Pages (repeat a flag for several values)", "redirect-uri", "post-logout-redirect-uri", "response-mode", "origin",
		"backchannel-logout-uri", "frontchannel-logout-uri")
}

// readKeys returns the JWK Set in a file, or nothing for no file.
func readKeys(cmd *cobra.Command, file string) (json.RawMessage, error) {
	if file == "" {
		return nil, nil
	}
	keys, err := readSmallFile(file)
	if err != nil {
		return nil, usageError(cmd, "--jwks: %w", err)
	}
	if !json.Valid(keys) {
		return nil, usageError(cmd, "--jwks: %s is not JSON", file)
	}
	return keys, nil
}

func (c *command) clientAction(name, short, method, suffix string) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     name + " ID",
		Short:   short,
		Example: fmt.Sprintf("  keywright client %s billing\n  keywright client %s billing --json", name, name),
		Args:    oneArgument("client id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var view operator.Client
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
			var views []operator.Client
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

func (c *command) showClient(v operator.Client, asJSON bool) error {
	if asJSON {
		return c.writeJSON(v)
	}
	var rows [][]string
	for _, row := range [][]string{
		{"client_id", v.ID}, {"client_secret", v.Secret}, {"name", v.Name}, {"kind", kind(v)}, {"state", state(v.Disabled)},
		{"registered by", v.RegisteredBy}, {"authenticates by", v.AuthMethod}, {"keys", string(v.JWKS)}, {"keys at", v.JWKSURI},
		{"grants", join(v.Grants)}, {"PKCE", pkce(v)}, {"response modes", join(v.ResponseModes)}, {"scopes", join(v.Scopes)},
		{"audiences", join(v.Audiences)}, {"serves", join(v.Serves)},
		{"redirect URIs", join(v.RedirectURIs)}, {"post-logout redirect URIs", join(v.PostLogoutRedirectURIs)},
		{"back-channel logout", v.BackchannelLogoutURI}, {"front-channel logout", v.FrontchannelLogoutURI},
		{"origins", join(v.Origins)}, {"access token TTL", v.AccessTokenTTL}, {"ID tokens", v.IDTokenAlg}, {"UserInfo", v.UserInfoAlg},
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

func kind(v operator.Client) string {
	switch {
	case v.ID == oauth.DirectClient:
		return "built-in"
	case v.Public:
		return traits("public", v)
	}
	return traits("confidential", v)
}

func traits(kind string, v operator.Client) string {
	if v.Native {
		kind += ", native"
	}
	if v.Trusted {
		kind += ", trusted"
	}
	return kind
}

// pkce is worth a line only where it is not as for everybody.
func pkce(v operator.Client) string {
	if v.RequirePKCE != nil && !*v.RequirePKCE {
		return "not required"
	}
	return ""
}

func state(disabled bool) string {
	if disabled {
		return "disabled"
	}
	return "enabled"
}

func join(items []string) string { return strings.Join(items, " ") }
