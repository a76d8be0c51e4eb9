package operator

import (
	"context"
	"net/http"
	"time"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/random"
	"github.com/keywright/keywright/internal/store"
)

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
