package server

import (
	"context"
	"net/http"
	"time"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/store"
)

// ClientView is a client as commands show it. The secret is set once, when it is made.
type ClientView struct {
	ID                     string    `json:"client_id"`
	Secret                 string    `json:"client_secret,omitempty"`
	Public                 bool      `json:"public"`
	Grants                 []string  `json:"grants"`
	Scopes                 []string  `json:"scopes"`
	Audiences              []string  `json:"audiences"`
	Serves                 []string  `json:"serves"`
	RedirectURIs           []string  `json:"redirect_uris"`
	PostLogoutRedirectURIs []string  `json:"post_logout_redirect_uris"`
	Origins                []string  `json:"origins"`
	AccessTokenTTL         string    `json:"access_token_ttl,omitempty"`
	Disabled               bool      `json:"disabled"`
	CreatedAt              time.Time `json:"created_at"`
}

func viewClient(c *oauth.Client) ClientView {
	v := ClientView{
		ID: c.ID, Public: c.Public, Grants: list(c.Grants), Scopes: list(c.Scopes), Audiences: list(c.Audiences), Serves: list(c.Serves),
		RedirectURIs: list(c.RedirectURIs), PostLogoutRedirectURIs: list(c.PostLogoutRedirectURIs), Origins: list(c.Origins),
		Disabled: c.Disabled, CreatedAt: c.CreatedAt,
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

func (s *Server) adminAddClient(r *http.Request) (any, error) {
	var v ClientView
	if err := decodeAdmin(r, &v); err != nil {
		return nil, err
	}
	c := oauth.Client{
		ID: v.ID, Public: v.Public, Grants: v.Grants, Scopes: v.Scopes, Audiences: v.Audiences, Serves: v.Serves,
		RedirectURIs: v.RedirectURIs, PostLogoutRedirectURIs: v.PostLogoutRedirectURIs, Origins: v.Origins,
	}
	if v.AccessTokenTTL != "" {
		ttl, err := time.ParseDuration(v.AccessTokenTTL)
		if err != nil {
			return nil, refusal{"the access token's lifetime is not a duration, such as 5m"}
		}
		c.AccessTokenTTL = ttl
	}
	if problem := oauth.ValidateRegistration(c); problem != "" {
		return nil, refusal{problem}
	}
	secret := ""
	if !c.Public {
		secret = newSecret()
		c.SecretHash = oauth.SecretHash(s.DB.Secrets().ClientSecret, secret)
	}
	if err := s.addClient(r.Context(), &c); err != nil {
		return nil, err
	}
	view := viewClient(&c)
	view.Secret = secret
	return view, s.reload(r.Context()) // its origins count at once
}

func (s *Server) addClient(ctx context.Context, c *oauth.Client) error {
	return decide(ctx, s.DB, operator,
		func(tx *store.Tx) (*oauth.Client, error) { return tx.LockClient(c.ID) },
		func(existing *oauth.Client, now time.Time) ([]change.Change, error) {
			if existing != nil {
				return nil, refusal{"there is a client with the id " + c.ID + " already"}
			}
			c.CreatedAt = now
			return []change.Change{change.ClientAdded{
				Client: c.ID, Public: c.Public, SecretHash: c.SecretHash, Grants: c.Grants, Scopes: c.Scopes, Audiences: c.Audiences,
				Serves: c.Serves, RedirectURIs: c.RedirectURIs, PostLogoutRedirectURIs: c.PostLogoutRedirectURIs, Origins: c.Origins,
				AccessTokenTTL: c.AccessTokenTTL, At: now,
			}}, nil
		})
}

func (s *Server) adminListClients(r *http.Request) (any, error) {
	clients, err := s.DB.Read(r.Context()).Clients()
	views := make([]ClientView, len(clients))
	for i, c := range clients {
		views[i] = viewClient(c)
	}
	return views, err
}

func (s *Server) adminShowClient(r *http.Request) (any, error) {
	id := r.PathValue("id")
	c, err := s.DB.Read(r.Context()).Client(id)
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
func (s *Server) changeClient(r *http.Request, rule func(c *oauth.Client, now time.Time) (change.Change, error)) (view ClientView, err error) {
	ctx, id := r.Context(), r.PathValue("id")
	err = decide(ctx, s.DB, operator,
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
	if err := s.reload(ctx); err != nil { // its origins count at once, or no longer
		return view, err
	}
	c, err := s.DB.Read(ctx).Client(id)
	if c != nil {
		view = viewClient(c)
	}
	return view, err
}

func (s *Server) adminDisableClient(r *http.Request) (any, error) {
	return s.changeClient(r, func(c *oauth.Client, now time.Time) (change.Change, error) {
		return change.ClientDisabled{Client: c.ID, At: now}, nil
	})
}

func (s *Server) adminEnableClient(r *http.Request) (any, error) {
	return s.changeClient(r, func(c *oauth.Client, _ time.Time) (change.Change, error) {
		return change.ClientEnabled{Client: c.ID}, nil
	})
}

func (s *Server) adminReplaceSecret(r *http.Request) (any, error) {
	secret := newSecret()
	view, err := s.changeClient(r, func(c *oauth.Client, _ time.Time) (change.Change, error) {
		if c.Public {
			return nil, refusal{"a public client has no secret"}
		}
		return change.ClientSecretReplaced{Client: c.ID, SecretHash: oauth.SecretHash(s.DB.Secrets().ClientSecret, secret)}, nil
	})
	view.Secret = secret
	return view, err
}

func (s *Server) adminRemoveClient(r *http.Request) (any, error) {
	return s.changeClient(r, func(c *oauth.Client, _ time.Time) (change.Change, error) {
		if c.ID == oauth.DirectClient {
			return nil, refusal{"the built-in client cannot be removed, only disabled"}
		}
		return change.ClientRemoved{Client: c.ID}, nil
	})
}
