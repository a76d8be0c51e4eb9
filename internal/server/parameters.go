package server

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/keywright/keywright/internal/oauth"
)

// maxParameters bounds a request of the front channel: its answer may have to
// stand in an address, which some servers cut at this length.
const maxParameters = 16 << 10

// parameters are those of a request that comes through the browser. A parameter
// without a value counts as absent. RFC 6749 §3.1.
type parameters struct {
	values    map[string]string
	resources []string // the one that may stand twice, RFC 8707 §2
	repeated  []string
}

func (p parameters) get(name string) string { return p.values[name] }

// parseParameters undoes form encoding; false: it is none, or too long.
func parseParameters(query string) (p parameters, ok bool) {
	p.values = map[string]string{}
	if len(query) > maxParameters || strings.Count(query, "&") >= maxFormFields {
		return p, false
	}
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, nameOK := unescape(name)
		value, valueOK := unescape(value)
		_, twice := p.values[name]
		switch {
		case !nameOK || !valueOK:
			return p, false
		case value == "":
		case name == "resource":
			p.resources = append(p.resources, value)
		case twice && !slices.Contains(p.repeated, name):
			p.repeated = append(p.repeated, name)
		case !twice:
			p.values[name] = value
		}
	}
	return p, true
}

// authorizationRequest decodes a request to the authorization endpoint.
func (s *Server) authorizationRequest(p parameters) oauth.AuthorizationRequest {
	return oauth.AuthorizationRequest{
		ClientID: p.get("client_id"), RedirectURI: p.get("redirect_uri"), ResponseType: p.get("response_type"), ResponseMode: p.get("response_mode"),
		Scope: p.get("scope"), State: p.get("state"), Nonce: p.get("nonce"),
		CodeChallenge: p.get("code_challenge"), CodeChallengeMethod: p.get("code_challenge_method"),
		Prompt: p.get("prompt"), MaxAge: p.get("max_age"), LoginHint: p.get("login_hint"), ACRValues: p.get("acr_values"), Claims: p.get("claims"),
		IDTokenHint: p.get("id_token_hint"), Hint: s.idTokenHint(p.get("id_token_hint")), Resources: p.resources,
		Request: p.get("request"), RequestURI: p.get("request_uri"), Repeated: p.repeated,
	}
}

// endSessionRequest decodes a request to the end session endpoint.
func (s *Server) endSessionRequest(p parameters) oauth.EndSessionRequest {
	return oauth.EndSessionRequest{
		IDTokenHint: p.get("id_token_hint"), Hint: s.idTokenHint(p.get("id_token_hint")), ClientID: p.get("client_id"),
		PostLogoutRedirectURI: p.get("post_logout_redirect_uri"), State: p.get("state"), Repeated: p.repeated,
	}
}

// idTokenHint returns what an ID token of ours says, also one that has expired;
// nil: it is none.
func (s *Server) idTokenHint(token string) *oauth.IDTokenHint {
	if token == "" {
		return nil
	}
	c, err := s.keys.Public().Verify(token, idTokenType)
	if err != nil || c.Issuer != s.Policy.Issuer || c.Subject == "" || c.ExpiresAt.IsZero() { // a signed UserInfo answer does not expire
		return nil
	}
	return &oauth.IDTokenHint{Subject: c.Subject, Audience: c.Audience, Session: c.Session}
}

// originOf is where a redirect URI leads, for a content security policy. What is
// neither http nor https is named by its scheme.
func originOf(uri string) string {
	u, err := url.Parse(uri)
	switch {
	case err != nil:
		return ""
	case u.Scheme != "http" && u.Scheme != "https":
		return u.Scheme + ":"
	}
	return u.Scheme + "://" + u.Host
}

// hostOf is how a person knows where a redirect URI leads.
func hostOf(uri string) string {
	if u, err := url.Parse(uri); err == nil && (u.Scheme == "https" || u.Scheme == "http") {
		return u.Hostname()
	}
	return strings.TrimSuffix(originOf(uri), ":") // the rest of such an address says nothing
}

// clientOf returns the client whose flow it is, for a page; nil: none, or unknown.
func (s *Server) clientOf(ctx context.Context, f flow) (*oauth.Client, parameters, error) {
	p, _ := parseParameters(f.Query)
	if p.get("client_id") == "" {
		return nil, p, nil
	}
	c, err := s.DB.Read(ctx).Client(p.get("client_id"))
	return c, p, err
}
