package server

import (
	"net/http"

	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/store"
)

// token is the token endpoint. RFC 6749 §3.2.
func (s *Server) token(x *exchange) {
	f, refusal := decodeForm(x.r)
	if refusal != nil {
		x.refuse(refusal)
		return
	}
	creds, refusal := s.credentials(x.r, f)
	if refusal != nil {
		x.refuse(refusal)
		return
	}
	x.client = creds.ID
	req := oauth.TokenRequest{
		Client: creds, GrantType: f.get("grant_type"), RefreshToken: f.get("refresh_token"),
		Scope: f.get("scope"), Resources: f.resources,
	}
	var outcome oauth.Outcome
	var err error
	switch req.GrantType {
	case oauth.ClientCredentialsGrant:
		outcome, err = s.clientCredentials(x, req)
	case oauth.RefreshTokenGrant:
		if req.RefreshToken == "" {
			x.refuse(badRequest("refresh_token is missing"))
			return
		}
		outcome, err = s.refresh(x, req)
	case "":
		x.refuse(badRequest("grant_type is missing"))
		return
	default:
		x.refuse(&oauth.Refusal{Code: oauth.UnsupportedGrantType, Description: "grant_type is none that this server knows"})
		return
	}
	if err != nil {
		x.broke(err)
		return
	}
	s.issue(x, outcome.Answer)
}

// issue sends a token answer or its refusal.
func (s *Server) issue(x *exchange, a oauth.Answer) {
	if a.Refused != nil {
		x.refuse(a.Refused)
		return
	}
	answer, err := s.answer(a.Issue)
	if err != nil {
		x.broke(err)
		return
	}
	x.json(http.StatusOK, answer)
}

// clientCredentials reads first: only a client's very first request writes.
func (s *Server) clientCredentials(x *exchange, req oauth.TokenRequest) (outcome oauth.Outcome, err error) {
	facts, err := s.clientFacts(s.DB.Read(x.r.Context()), req.Client.ID)
	if err != nil {
		return outcome, err
	}
	outcome = oauth.ClientCredentials(s.Policy, req, facts, fresh(), s.now())
	if len(outcome.Changes) == 0 {
		return outcome, nil
	}
	err = s.DB.Update(x.r.Context(), func(tx *store.Tx) error {
		facts, err := s.clientFacts(tx.Reader, req.Client.ID)
		if err != nil {
			return err
		}
		now, err := tx.Now()
		if err != nil {
			return err
		}
		outcome = oauth.ClientCredentials(s.Policy, req, facts, fresh(), now)
		return tx.Apply(x.origin(req.Client.ID, req.Client.ID), outcome.Changes...)
	})
	return outcome, err
}

func (s *Server) refresh(x *exchange, req oauth.TokenRequest) (outcome oauth.Outcome, err error) {
	presented, _ := oauth.ParseRefreshToken(req.RefreshToken)
	err = s.DB.Update(x.r.Context(), func(tx *store.Tx) error {
		facts, err := tx.LockRefreshFacts(req.Client.ID, presented.GrantID, "")
		if err != nil {
			return err
		}
		s.setOrigins(facts.Authenticating)
		now, err := tx.Now()
		if err != nil {
			return err
		}
		outcome = oauth.Refresh(s.Policy, req, facts, oauth.Fresh{TokenSuffix: tokenSuffix()}, now)
		return tx.Apply(x.origin(req.Client.ID, req.Client.ID), outcome.Changes...)
	})
	return outcome, err
}

func (s *Server) clientFacts(r store.Reader, id string) (oauth.ClientFacts, error) {
	facts, err := r.ClientFacts(id)
	s.setOrigins(facts.Client)
	return facts, err
}

// setOrigins gives the built-in client the origins that are configured for it.
func (s *Server) setOrigins(c *oauth.Client) {
	if c != nil && c.ID == oauth.DirectClient {
		c.Origins = s.DirectOrigins
	}
}
