package server

import (
	"net/http"
	"time"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/random"
	"github.com/keywright/keywright/internal/store"
)

// token is the token endpoint. RFC 6749 §3.2.
func (s *Server) token(x *exchange) {
	f, refusal := decodeForm(x.r)
	if refusal != nil {
		x.refuse(refusal)
		return
	}
	client, ok := s.client(x, f)
	if !ok {
		return
	}
	req := oauth.TokenRequest{
		Client: client, GrantType: f.get("grant_type"),
		Code: f.get("code"), RedirectURI: f.get("redirect_uri"), CodeVerifier: f.get("code_verifier"),
		RefreshToken: f.get("refresh_token"), Scope: f.get("scope"), Resources: f.resources,
	}
	var outcome oauth.Outcome
	var err error
	switch req.GrantType {
	case oauth.AuthorizationCodeGrant:
		if req.Code == "" {
			x.refuse(badRequest("code is missing"))
			return
		}
		outcome, err = s.redeemCode(x, req)
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
	x.step.joins("grant", oauth.PresentedToken{Access: &a.Issue.AccessToken}.GrantID())
	x.step.show("access token", answer.AccessToken)
	x.step.show("ID token", answer.IDToken)
	x.json(http.StatusOK, answer)
}

func (s *Server) redeemCode(x *exchange, req oauth.TokenRequest) (outcome oauth.Outcome, err error) {
	id, hash := req.Client.ID, oauth.CodeHash(s.DB.Secrets().Code, req.Code)
	x.step.joins("code", string(hash))
	err = store.Decide(x.r.Context(), s.DB, x.origin(id, id),
		func(tx *store.Tx) (oauth.CodeFacts, error) { return tx.LockCodeFacts(id, hash) },
		func(facts oauth.CodeFacts, now time.Time) ([]change.Change, error) {
			x.recognize(facts.Authenticating)
			outcome = oauth.RedeemCode(s.Policy, req, facts, random.ForGrant(), now)
			return outcome.Changes, nil
		})
	return outcome, err
}

// clientCredentials reads first: only a client's very first request writes.
func (s *Server) clientCredentials(x *exchange, req oauth.TokenRequest) (outcome oauth.Outcome, err error) {
	ctx, id := x.r.Context(), req.Client.ID
	facts, err := s.DB.Read(ctx).ClientFacts(id)
	if err != nil {
		return outcome, err
	}
	x.recognize(facts.Client)
	outcome = oauth.ClientCredentials(s.Policy, req, facts, random.ForToken(), s.now())
	if len(outcome.Changes) == 0 {
		return outcome, nil
	}
	err = store.Decide(ctx, s.DB, x.origin(id, id),
		func(tx *store.Tx) (oauth.ClientFacts, error) { return tx.ClientFacts(id) },
		func(facts oauth.ClientFacts, now time.Time) ([]change.Change, error) {
			x.recognize(facts.Client)
			outcome = oauth.ClientCredentials(s.Policy, req, facts, random.ForGrant(), now)
			return outcome.Changes, nil
		})
	return outcome, err
}

func (s *Server) refresh(x *exchange, req oauth.TokenRequest) (outcome oauth.Outcome, err error) {
	presented, _ := oauth.ParseRefreshToken(req.RefreshToken)
	id := req.Client.ID
	err = store.Decide(x.r.Context(), s.DB, x.origin(id, id),
		func(tx *store.Tx) (oauth.RefreshFacts, error) { return tx.LockRefreshFacts(id, presented.GrantID, "") },
		func(facts oauth.RefreshFacts, now time.Time) ([]change.Change, error) {
			x.recognize(facts.Authenticating)
			outcome = oauth.Refresh(s.Policy, req, facts, random.ForToken(), now)
			return outcome.Changes, nil
		})
	return outcome, err
}
