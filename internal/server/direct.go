package server

import (
	"context"
	"net/http"
	"time"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/store"
)

// The tutorial API is what the Angular clients of countless tutorials call:
// register.go, login.go, profile.go. Its tokens belong to the built-in public
// client "direct".

// ensureDirectClient registers the built-in client in a new database.
func (s *Server) ensureDirectClient(ctx context.Context) error {
	c, err := s.DB.Read(ctx).Client(oauth.DirectClient)
	if err != nil || c != nil {
		return err
	}
	return decide(ctx, s.DB, change.Origin{Actor: "system"},
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

// tutorialAllowed refuses pages of foreign origins. It is no defence of the
// data, which no cookie unlocks, but keeps a page elsewhere from trying passwords.
func (s *Server) tutorialAllowed(x *exchange) bool {
	origin := x.r.Header.Get("Origin")
	if origin == "" || origin == s.Policy.Issuer || s.mayUseTutorial(origin) {
		return true
	}
	x.fail(http.StatusForbidden, "origin_not_allowed", "pages of this origin may not use this API; the operator lists origins in direct_origins")
	return false
}
