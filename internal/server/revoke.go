package server

import (
	"net/http"
	"time"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/store"
)

// tokenQuestion is a request about one token: RFC 7009 §2.1, RFC 7662 §2.1.
type tokenQuestion struct {
	client oauth.Credentials
	token  oauth.PresentedToken
}

// tokenQuestion decodes one. It needs no token_type_hint: our tokens tell what
// they are. It answers what it refuses.
func (s *Server) tokenQuestion(x *exchange) (q tokenQuestion, ok bool) {
	f, refusal := decodeForm(x.r)
	if refusal != nil {
		x.refuse(refusal)
		return q, false
	}
	if q.client, ok = s.client(x, f); !ok {
		return q, false
	}
	token := f.get("token")
	if token == "" {
		x.refuse(badRequest("token is missing"))
		return q, false
	}
	if refresh, ok := oauth.ParseRefreshToken(token); ok {
		q.token.Refresh = &refresh
	} else if access, ok := s.verify(token); ok {
		q.token.Access = access
	}
	return q, true
}

// revoke is the revocation endpoint. RFC 7009.
func (s *Server) revoke(x *exchange) {
	q, ok := s.tokenQuestion(x)
	if !ok {
		return
	}
	var refusal *oauth.Refusal
	id := q.client.ID
	err := store.Decide(x.r.Context(), s.DB, x.origin(id, id),
		func(tx *store.Tx) (oauth.RefreshFacts, error) {
			return tx.LockRefreshFacts(id, q.token.GrantID(), q.token.TokenID())
		},
		func(facts oauth.RefreshFacts, now time.Time) (changes []change.Change, _ error) {
			x.recognize(facts.Authenticating)
			refusal, changes = oauth.Revoke(q.client, q.token, facts, now)
			return changes, nil
		})
	switch {
	case err != nil:
		// RFC 7009 §2.2.1: at 503 the client takes the token to be alive still.
		x.blame(err)
		x.unavailable("the token may not have been revoked: try again")
	case refusal != nil:
		x.refuse(refusal)
	default:
		x.json(http.StatusOK, struct{}{})
	}
}
