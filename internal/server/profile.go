package server

import (
	"net/http"
	"strings"

	"github.com/keywright/keywright/internal/oauth"
)

// profileAnswer is the person that a token speaks for.
type profileAnswer struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

// authFailure is the tutorial's refusal.
type authFailure struct {
	Auth    bool   `json:"auth"`
	Message string `json:"message"`
}

// profile is GET /profile. It takes any live access token of the client direct.
func (s *Server) profile(x *exchange) {
	if !s.tutorialAllowed(x) {
		return
	}
	token, sent, refusal := bearer(x.r)
	switch {
	case refusal != nil:
		x.challenge(http.StatusBadRequest, `Bearer error="invalid_request"`, refusal.Description)
		return
	case !sent:
		x.challenge(http.StatusUnauthorized, "Bearer", "No token provided") // RFC 6750 §3.1: no error code
		return
	}
	facts, live, err := s.liveToken(x, token)
	switch {
	case err != nil:
		x.broke(err)
	case !live || facts.Grant.Client != oauth.DirectClient || facts.User == nil:
		x.challenge(http.StatusUnauthorized, `Bearer error="invalid_token", error_description="the access token is invalid, expired or revoked"`,
			"Could not authenticate token")
	default:
		x.json(http.StatusOK, profileAnswer{facts.User.ID, facts.User.Name, facts.User.Email})
	}
}

// challenge refuses a request for the token that it carries, or lacks. RFC 6750 §3.
func (x *exchange) challenge(status int, authenticate, message string) {
	x.w.Header()["Www-Authenticate"] = []string{authenticate}
	x.json(status, authFailure{Message: message})
}

// liveToken returns what an access token of ours hangs on, and whether it lives.
func (s *Server) liveToken(x *exchange, token string) (facts oauth.GrantFacts, live bool, err error) {
	t, ok := s.verify(token)
	if !ok {
		return facts, false, nil
	}
	x.client = t.ClientID
	facts, err = s.DB.Read(x.r.Context()).TokenFacts(oauth.PresentedToken{Access: t}.GrantID(), t.ID)
	live = err == nil && facts.TokenLives(t.ExpiresAt, s.now()) && facts.Grant.Client == t.ClientID
	return facts, live, err
}

// bearer returns the token of the Authorization header, the only place it may
// be (RFC 9700 §4.3.2). The scheme has no case (RFC 9110 §11.1).
func bearer(r *http.Request) (token string, sent bool, refusal *oauth.Refusal) {
	if r.URL.RawQuery != "" && r.URL.Query().Has("access_token") {
		return "", false, badRequest("send the access token in the Authorization header: addresses are logged")
	}
	scheme, token, refusal := authorization(r)
	if refusal != nil || !strings.EqualFold(scheme, "Bearer") {
		return "", false, refusal
	}
	return strings.TrimSpace(token), true, nil
}
