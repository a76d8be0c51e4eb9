package server

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/keywright/keywright/internal/jose"
	"github.com/keywright/keywright/internal/oauth"
)

// Refusals of a bearer token. RFC 6750 §3.1.
const (
	tokenMissing      = "Bearer"
	tokenDead         = `Bearer error="invalid_token", error_description="the access token is invalid, expired or revoked"`
	tokenTwice        = `Bearer error="invalid_request", error_description="send the access token once, in the Authorization header or in a form body"`
	insufficientScope = `Bearer error="insufficient_scope", error_description="UserInfo needs the scope openid", scope="openid"`
)

// userInfo is the UserInfo endpoint. OpenID Connect Core §5.3. It takes any live
// access token of ours with scope openid, whatever its audience.
func (s *Server) userInfo(x *exchange) {
	token, sent, ok := userInfoToken(x.r)
	switch {
	case !ok:
		x.refuseToken(http.StatusBadRequest, tokenTwice, oauth.InvalidRequest)
		return
	case !sent:
		x.refuseToken(http.StatusUnauthorized, tokenMissing, "")
		return
	}
	t, genuine := s.verify(token)
	if !genuine {
		x.refuseToken(http.StatusUnauthorized, tokenDead, "invalid_token")
		return
	}
	grant := oauth.PresentedToken{Access: t}.GrantID()
	x.step.joins("grant", grant)
	facts, err := s.DB.Read(x.r.Context()).UserInfoFacts(grant, t.ID)
	if err != nil {
		x.broke(err)
		return
	}
	if !facts.TokenLives(t.ExpiresAt, s.now()) || facts.Grant.Client != t.ClientID {
		x.step.note("", "the access token, its grant or its session has ended")
		x.refuseToken(http.StatusUnauthorized, tokenDead, "invalid_token")
		return
	}
	x.recognize(facts.Client)
	claims := oauth.UserInfo(facts, t.Scope)
	if claims == nil {
		x.refuseToken(http.StatusForbidden, insufficientScope, "insufficient_scope")
		return
	}
	s.sendUserInfo(x, facts.Client, claims)
}

// sendUserInfo signs the claims for a client that is registered so. OpenID
// Connect Core §5.3.2.
func (s *Server) sendUserInfo(x *exchange, c *oauth.Client, claims map[string]any) {
	if c.UserInfoAlg == "" {
		x.json(http.StatusOK, claims)
		return
	}
	claims["iss"], claims["aud"] = s.Policy.Issuer, c.ID
	signed, err := s.signClaims(jose.Algorithm(c.UserInfoAlg), idTokenType, claims, s.now())
	if err != nil {
		x.broke(err)
		return
	}
	h := x.w.Header()
	h["Content-Type"] = []string{"application/jwt"}
	h["Cache-Control"] = noStore
	x.write(http.StatusOK, []byte(signed))
}

// userInfoToken returns the token, from the header or, on POST, from a form
// body; false: from both, or the request is none. One in the address is not
// seen. RFC 6750 §2, RFC 9700 §4.3.2.
func userInfoToken(r *http.Request) (token string, sent, ok bool) {
	scheme, token, refusal := authorization(r)
	if refusal != nil {
		return "", false, false
	}
	sent = strings.EqualFold(scheme, "Bearer")
	if r.Method != http.MethodPost || !isForm(r) {
		return strings.TrimSpace(token), sent, true
	}
	body, refusal := readBody(r, maxFormBytes)
	if refusal != nil {
		return "", false, false
	}
	f, refusal := parseForm(string(body))
	inBody := f.get("access_token")
	switch {
	case refusal != nil || sent && inBody != "":
		return "", false, false
	case inBody != "":
		return inBody, true, true
	}
	return strings.TrimSpace(token), sent, true
}

// refuseToken answers RFC 6750 §3.
func (x *exchange) refuseToken(status int, challenge, code string) {
	x.w.Header()["Www-Authenticate"] = []string{challenge}
	body := map[string]string{}
	if code != "" {
		body["error"] = code
	}
	text, _ := json.Marshal(body)
	h := x.w.Header()
	h["Content-Type"] = jsonType
	h["Cache-Control"] = noStore
	x.write(status, text)
}
