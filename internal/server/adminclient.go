package server

import (
	"context"
	"net/http"
	"time"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/store"
)

func (s *Server) adminAddClient(r *http.Request) (any, error) {
	var v ClientView
	if err := decodeAdmin(r, &v); err != nil {
		return nil, err
	}
	c, err := v.client(oauth.ByOperator)
	if err != nil {
		return nil, err
	}
	secret := ""
	if c.NeedsSecret() {
		secret = newSecret(clientSecretPrefix)
		c.SecretHash = oauth.SecretHash(s.DB.Secrets().ClientSecret, secret)
	}
	if err := s.addClient(r.Context(), c); err != nil {
		return nil, err
	}
	view := viewClient(c)
	view.Secret = secret
	return view, s.reload(r.Context()) // its origins count at once
}

func (s *Server) addClient(ctx context.Context, c *oauth.Client) error {
	return decide(ctx, s.DB, operator,
		func(tx *store.Tx) (*oauth.Client, error) { return tx.LockClient(c.ID) },
		func(existing *oauth.Client, now time.Time) ([]change.Change, error) {
			if existing != nil {
				return nil, refusal{"there is a client with the id " + c.ID + " already: `keywright client remove " + c.ID + "` lets you register it anew"}
			}
			c.CreatedAt = now
			return []change.Change{change.ClientAdded{Client: c.ID, SecretHash: c.SecretHash, ClientMetadata: c.ClientMetadata, At: now}}, nil
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
	secret := newSecret(clientSecretPrefix)
	view, err := s.changeClient(r, func(c *oauth.Client, _ time.Time) (change.Change, error) {
		switch {
		case c.Public:
			return nil, refusal{"a public client has no secret"}
		case !c.NeedsSecret():
			return nil, refusal{"this client proves itself with its keys, and has no secret"}
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
