package operator

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/jose"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/random"
	"github.com/keywright/keywright/internal/store"
)

// Client is a client as commands and files write it. What has a name in RFC
// 7591 §2 or OpenID Connect Dynamic Client Registration 1.0 §2 has that name,
// but for the lists that are a text there.
type Client struct {
	ID                     string          `json:"client_id"`
	Secret                 string          `json:"client_secret,omitempty"` // shown once, when it is made
	Name                   string          `json:"client_name,omitempty"`
	Public                 bool            `json:"public"`
	Native                 bool            `json:"native"`
	AuthMethod             string          `json:"token_endpoint_auth_method,omitempty"`
	JWKS                   json.RawMessage `json:"jwks,omitempty"`
	JWKSURI                string          `json:"jwks_uri,omitempty"`
	Grants                 []string        `json:"grants"`
	ResponseModes          []string        `json:"response_modes"`
	Scopes                 []string        `json:"scopes"`
	Audiences              []string        `json:"audiences"`
	Serves                 []string        `json:"serves"`
	RedirectURIs           []string        `json:"redirect_uris"`
	PostLogoutRedirectURIs []string        `json:"post_logout_redirect_uris"`
	BackchannelLogoutURI   string          `json:"backchannel_logout_uri,omitempty"`
	FrontchannelLogoutURI  string          `json:"frontchannel_logout_uri,omitempty"`
	Origins                []string        `json:"origins"`
	AccessTokenTTL         string          `json:"access_token_ttl,omitempty"`
	IDTokenAlg             string          `json:"id_token_signed_response_alg,omitempty"`
	UserInfoAlg            string          `json:"userinfo_signed_response_alg,omitempty"`
	RequirePKCE            *bool           `json:"require_pkce,omitempty"` // nil: true
	Trusted                bool            `json:"trusted"`
	RegisteredBy           string          `json:"registered_by,omitempty"`
	Disabled               bool            `json:"disabled"`
	CreatedAt              time.Time       `json:"created_at"`
}

func viewClient(c *oauth.Client) Client {
	v := Client{
		ID: c.ID, Name: c.Name, Public: c.Public, Native: c.Native, AuthMethod: c.AuthMethod, JWKS: json.RawMessage(c.JWKS), JWKSURI: c.JWKSURI,
		Grants: list(c.Grants), ResponseModes: list(c.ResponseModes), Scopes: list(c.Scopes), Audiences: list(c.Audiences), Serves: list(c.Serves),
		RedirectURIs: list(c.RedirectURIs), PostLogoutRedirectURIs: list(c.PostLogoutRedirectURIs), Origins: list(c.Origins),
		BackchannelLogoutURI: c.BackchannelLogoutURI, FrontchannelLogoutURI: c.FrontchannelLogoutURI, IDTokenAlg: c.IDTokenAlg, UserInfoAlg: c.UserInfoAlg,
		RequirePKCE: new(!c.PKCEOptional), Trusted: c.Trusted, RegisteredBy: c.RegisteredBy, Disabled: c.Disabled, CreatedAt: c.CreatedAt,
	}
	if c.AccessTokenTTL != 0 {
		v.AccessTokenTTL = c.AccessTokenTTL.String()
	}
	return v
}

// list is never null in JSON.
func list(items []string) []string {
	if items == nil {
		return []string{}
	}
	return items
}

// client returns what an operator wants to register; by says in which way. What
// is wrong with it is a refusal.
func (v Client) client(by string) (*oauth.Client, error) {
	m := change.ClientMetadata{
		Name: v.Name, Public: v.Public, Native: v.Native, AuthMethod: v.AuthMethod, JWKSURI: v.JWKSURI, Grants: v.Grants, ResponseModes: v.ResponseModes,
		Scopes: v.Scopes, Audiences: v.Audiences, Serves: v.Serves, RedirectURIs: v.RedirectURIs, PostLogoutRedirectURIs: v.PostLogoutRedirectURIs,
		BackchannelLogoutURI: v.BackchannelLogoutURI, FrontchannelLogoutURI: v.FrontchannelLogoutURI, Origins: v.Origins,
		IDTokenAlg: v.IDTokenAlg, UserInfoAlg: v.UserInfoAlg, PKCEOptional: v.RequirePKCE != nil && !*v.RequirePKCE, Trusted: v.Trusted, RegisteredBy: by,
	}
	var err error
	if m.JWKS, err = jose.CanonicalPublicSet(v.JWKS); err != nil {
		return nil, refusal{err.Error()}
	}
	if v.AccessTokenTTL != "" {
		if m.AccessTokenTTL, err = time.ParseDuration(v.AccessTokenTTL); err != nil {
			return nil, refusal{"the access token's lifetime is not a duration, such as 5m"}
		}
	}
	c := &oauth.Client{ID: v.ID, ClientMetadata: oauth.OperatorDefaults(m)}
	if r := oauth.ValidateRegistration(c); r != nil {
		return nil, refusal{r.Description}
	}
	return c, nil
}

func (o operator) addClient(r *http.Request) (any, error) {
	var v Client
	if err := decode(r, &v); err != nil {
		return nil, err
	}
	c, err := v.client(oauth.ByOperator)
	if err != nil {
		return nil, err
	}
	secret := ""
	if c.NeedsSecret() {
		secret = random.Secret(random.ClientSecret)
		c.SecretHash = oauth.SecretHash(o.DB.Secrets().ClientSecret, secret)
	}
	if err := o.registerClient(r.Context(), c); err != nil {
		return nil, err
	}
	view := viewClient(c)
	view.Secret = secret
	return view, o.Reload(r.Context()) // its origins count at once
}

func (o operator) registerClient(ctx context.Context, c *oauth.Client) error {
	return store.Decide(ctx, o.DB, byOperator,
		func(tx *store.Tx) (*oauth.Client, error) { return tx.LockClient(c.ID) },
		func(existing *oauth.Client, now time.Time) ([]change.Change, error) {
			if existing != nil {
				return nil, refusal{"there is a client with the id " + c.ID + " already: `keywright client remove " + c.ID + "` lets you register it anew"}
			}
			c.CreatedAt = now
			return []change.Change{change.ClientAdded{Client: c.ID, SecretHash: c.SecretHash, ClientMetadata: c.ClientMetadata, At: now}}, nil
		})
}

func (o operator) listClients(r *http.Request) (any, error) {
	clients, err := o.DB.Read(r.Context()).Clients()
	views := make([]Client, len(clients))
	for i, c := range clients {
		views[i] = viewClient(c)
	}
	return views, err
}

func (o operator) showClient(r *http.Request) (any, error) {
	id := r.PathValue("id")
	c, err := o.DB.Read(r.Context()).Client(id)
	if err != nil {
		return nil, err
	}
	if c == nil {
		return nil, noSuchClient(id)
	}
	return viewClient(c), nil
}

func noSuchClient(id string) error { return refusal{"there is no client with the id " + id} }

// changeClient applies what rule makes of an existing client, and returns the
// client as it is now, or as it was if it is gone.
func (o operator) changeClient(r *http.Request, rule func(c *oauth.Client, now time.Time) (change.Change, error)) (view Client, err error) {
	ctx, id := r.Context(), r.PathValue("id")
	err = store.Decide(ctx, o.DB, byOperator,
		func(tx *store.Tx) (*oauth.Client, error) { return tx.LockClient(id) },
		func(c *oauth.Client, now time.Time) ([]change.Change, error) {
			if c == nil {
				return nil, noSuchClient(id)
			}
			view = viewClient(c)
			made, err := rule(c, now)
			return []change.Change{made}, err
		})
	if err != nil {
		return view, err
	}
	if err := o.Reload(ctx); err != nil { // its origins count at once, or no longer
		return view, err
	}
	c, err := o.DB.Read(ctx).Client(id)
	if c != nil {
		view = viewClient(c)
	}
	return view, err
}

func (o operator) disableClient(r *http.Request) (any, error) {
	return o.changeClient(r, func(c *oauth.Client, now time.Time) (change.Change, error) {
		return change.ClientDisabled{Client: c.ID, At: now}, nil
	})
}

func (o operator) enableClient(r *http.Request) (any, error) {
	return o.changeClient(r, func(c *oauth.Client, _ time.Time) (change.Change, error) {
		return change.ClientEnabled{Client: c.ID}, nil
	})
}

func (o operator) replaceSecret(r *http.Request) (any, error) {
	secret := random.Secret(random.ClientSecret)
	view, err := o.changeClient(r, func(c *oauth.Client, _ time.Time) (change.Change, error) {
		switch {
		case c.Public:
			return nil, refusal{"a public client has no secret"}
		case !c.NeedsSecret():
			return nil, refusal{"this client proves itself with its keys, and has no secret"}
		}
		return change.ClientSecretReplaced{Client: c.ID, SecretHash: oauth.SecretHash(o.DB.Secrets().ClientSecret, secret)}, nil
	})
	view.Secret = secret
	return view, err
}

func (o operator) removeClient(r *http.Request) (any, error) {
	return o.changeClient(r, func(c *oauth.Client, _ time.Time) (change.Change, error) {
		if c.ID == oauth.DirectClient {
			return nil, refusal{"the built-in client cannot be removed, only disabled"}
		}
		return change.ClientRemoved{Client: c.ID}, nil
	})
}

// EnsureDirectClient registers the built-in client in a new database.
func EnsureDirectClient(ctx context.Context, db *store.DB) error {
	c, err := db.Read(ctx).Client(oauth.DirectClient)
	if err != nil || c != nil {
		return err
	}
	return store.Decide(ctx, db, change.Origin{Actor: "system"},
		func(tx *store.Tx) (*oauth.Client, error) { return tx.LockClient(oauth.DirectClient) },
		func(c *oauth.Client, now time.Time) ([]change.Change, error) {
			if c != nil {
				return nil, nil // another node was first
			}
			return []change.Change{change.ClientAdded{
				Client: oauth.DirectClient, At: now, ClientMetadata: change.ClientMetadata{Public: true, Grants: []string{oauth.RefreshTokenGrant}},
			}}, nil
		})
}
