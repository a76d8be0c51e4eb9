package server

import (
	"net/http"
	"strings"

	"github.com/keywright/keywright/internal/oauth"
)

// client returns what a request says about its client, with what proves it. It
// answers what it refuses.
func (s *Server) client(x *exchange, f form) (c oauth.Credentials, ok bool) {
	c, refusal := s.credentials(x.r, f)
	if refusal == nil && c.Method == oauth.PrivateKeyJWT {
		var err error
		if refusal, err = s.proveByAssertion(x, c.ID, f.get("client_assertion")); err != nil {
			x.broke(err)
			return c, false
		}
		c.Proved = refusal == nil
	}
	if refusal != nil {
		x.refuse(refusal)
	}
	return c, refusal == nil
}

// credentials returns what a request says about its client: by header, by a
// secret or an assertion in the body, and by one of them only. RFC 6749 §2.3.
func (s *Server) credentials(r *http.Request, f form) (oauth.Credentials, *oauth.Refusal) {
	c := oauth.Credentials{ID: f.get("client_id"), Secret: f.get("client_secret"), Method: oauth.NoAuthentication}
	if c.Secret != "" {
		c.Method = oauth.ClientSecretPost
	}
	if assertion := f.get("client_assertion"); assertion != "" || f.get("client_assertion_type") != "" {
		switch {
		case f.get("client_assertion_type") != assertionType || assertion == "":
			return c, badRequest("client_assertion and client_assertion_type belong together, and the type must be " + assertionType)
		case c.Method != oauth.NoAuthentication:
			return c, badRequest("the client authenticates twice: by an assertion and by a secret")
		}
		c.Method = oauth.PrivateKeyJWT
		if c.ID == "" {
			c.ID = unverifiedSubject(assertion) // RFC 7521 §4.2
		}
	}
	scheme, _, refusal := authorization(r)
	if refusal != nil {
		return c, refusal
	}
	// Interceptors add "Bearer null" to every request: other schemes are not about the client.
	if strings.EqualFold(scheme, "Basic") {
		id, secret, ok := basicAuth(r)
		switch {
		case !ok:
			return c, &oauth.Refusal{Code: oauth.InvalidClient, Description: "the Authorization header is not well-formed Basic"}
		case c.Method != oauth.NoAuthentication:
			return c, badRequest("the client authenticates twice: by header and in the body")
		case c.ID != "" && c.ID != id:
			return c, badRequest("client_id is not the client of the Authorization header")
		}
		c = oauth.Credentials{ID: id, Secret: secret, Method: oauth.ClientSecretBasic}
	}
	if c.ID == "" {
		return c, &oauth.Refusal{Code: oauth.InvalidClient, Description: "the request names no client: send client_id, or authenticate by header"}
	}
	if origin := r.Header.Get("Origin"); origin != s.Policy.Issuer && !(s.Dev != nil && isLocalhost(origin)) {
		c.Origin = origin
	}
	return c, nil
}

// basicAuth undoes the form encoding of both halves. RFC 6749 §2.3.1.
func basicAuth(r *http.Request) (id, secret string, ok bool) {
	id, secret, ok = r.BasicAuth()
	if !ok {
		return "", "", false
	}
	id, idOK := unescape(id)
	secret, secretOK := unescape(secret)
	return id, secret, idOK && secretOK
}

// authorization takes the Authorization header apart, which may be absent. Of
// two, nobody can say which one counts. RFC 9110 §11.6.2.
func authorization(r *http.Request) (scheme, credentials string, refusal *oauth.Refusal) {
	headers := r.Header["Authorization"]
	switch len(headers) {
	case 0:
		return "", "", nil
	case 1:
		scheme, credentials, _ = strings.Cut(headers[0], " ")
		return scheme, credentials, nil
	default:
		return "", "", badRequest("there is more than one Authorization header")
	}
}
