package server

import (
	"net/http"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/store"
)

// tokenQuestion is a request about one token: RFC 7009 §2.1, RFC 7662 §2.1.
type tokenQuestion struct {
	client oauth.Credentials
	token  oauth.PresentedToken
}

// decodeTokenQuestion needs no token_type_hint: our tokens tell what they are.
func (s *Server) decodeTokenQuestion(x *exchange) (q tokenQuestion, refusal *oauth.Refusal) {
	f, refusal := decodeForm(x.r)
	if refusal != nil {
		return q, refusal
	}
	if q.client, refusal = s.credentials(x.r, f); refusal != nil {
		return q, refusal
	}
	x.client = q.client.ID
	token := f.get("token")
	if token == "" {
		return q, badRequest("token is missing")
	}
	if refresh, ok := oauth.ParseRefreshToken(token); ok {
		q.token.Refresh = &refresh
	} else if access, ok := s.verify(token); ok {
		q.token.Access = access
	}
	return q, nil
}

// revoke is the revocation endpoint. RFC 7009.
func (s *Server) revoke(x *exchange) {
	q, refusal := s.decodeTokenQuestion(x)
	if refusal != nil {
		x.refuse(refusal)
		return
	}
	err := s.DB.Update(x.r.Context(), func(tx *store.Tx) error {
		facts, err := tx.LockRefreshFacts(q.client.ID, q.token.GrantID(), q.token.TokenID())
		if err != nil {
			return err
		}
		s.setOrigins(facts.Authenticating)
		now, err := tx.Now()
		if err != nil {
			return err
		}
		var changes []change.Change
		refusal, changes = oauth.Revoke(q.client, q.token, facts, now)
		return tx.Apply(x.origin(q.client.ID, q.client.ID), changes...)
	})
	switch {
	case err != nil:
		x.broke(err) // never 200: the token may still live
	case refusal != nil:
		x.refuse(refusal)
	default:
		x.json(http.StatusOK, struct{}{})
	}
}
