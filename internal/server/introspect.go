package server

import (
	"net/http"
	"strings"

	"github.com/keywright/keywright/internal/oauth"
)

// introspection is an answer on the wire. RFC 7662 §2.2.
type introspection struct {
	Active    bool   `json:"active"`
	TokenType string `json:"token_type,omitempty"`
	Issuer    string `json:"iss,omitempty"`
	Subject   string `json:"sub,omitempty"`
	ClientID  string `json:"client_id,omitempty"`
	Audience  string `json:"aud,omitempty"`
	Scope     string `json:"scope,omitempty"`
	TokenID   string `json:"jti,omitempty"`
	IssuedAt  int64  `json:"iat,omitempty"`
	ExpiresAt int64  `json:"exp,omitempty"`
}

// introspect is the introspection endpoint. RFC 7662.
func (s *Server) introspect(x *exchange) {
	q, ok := s.tokenQuestion(x)
	if !ok {
		return
	}
	facts, err := s.DB.Read(x.r.Context()).RefreshFacts(q.client.ID, q.token.GrantID(), q.token.TokenID())
	if err != nil {
		x.broke(err)
		return
	}
	x.recognize(facts.Authenticating)
	i, refusal := oauth.Introspect(s.Policy, q.client, q.token, facts, s.now())
	switch {
	case refusal != nil:
		x.refuse(refusal)
	case !i.Active:
		x.json(http.StatusOK, introspection{})
	default:
		x.json(http.StatusOK, introspection{
			Active: true, TokenType: i.TokenType, Issuer: i.Issuer, Subject: i.Subject, ClientID: i.ClientID, Audience: i.Audience,
			Scope: strings.Join(i.Scope, " "), TokenID: i.TokenID, IssuedAt: i.IssuedAt.Unix(), ExpiresAt: i.ExpiresAt.Unix(),
		})
	}
}
