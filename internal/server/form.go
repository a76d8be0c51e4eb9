package server

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/keywright/keywright/internal/oauth"
)

const (
	maxFormBytes  = 64 << 10
	maxFormFields = 100
)

// form is a decoded form body in which every parameter stands once.
type form struct {
	values    map[string]string
	resources []string // the one parameter that may stand twice, RFC 8707 §2
}

func (f form) get(name string) string { return f.values[name] }

// tooLarge is the one refusal that is not a 400.
var tooLarge = &oauth.Refusal{Code: oauth.InvalidRequest, Description: "the body is too large"}

// decodeForm reads a request of application/x-www-form-urlencoded. RFC 6749
// §3.2: parameters come in the body, each once; an empty one counts as absent.
func decodeForm(r *http.Request) (form, *oauth.Refusal) {
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if mediaType != "application/x-www-form-urlencoded" {
		return form{}, badRequest("send the parameters as application/x-www-form-urlencoded")
	}
	if r.URL.RawQuery != "" {
		return form{}, badRequest("send the parameters in the body: addresses are logged")
	}
	body, refusal := readBody(r, maxFormBytes)
	if refusal != nil {
		return form{}, refusal
	}
	return parseForm(body)
}

func parseForm(body []byte) (form, *oauth.Refusal) {
	if bytes.Count(body, []byte("&")) >= maxFormFields {
		return form{}, badRequest("the body has too many parameters")
	}
	parsed, err := url.ParseQuery(string(body))
	if err != nil {
		return form{}, badRequest("the body is not well-formed application/x-www-form-urlencoded")
	}
	f := form{values: make(map[string]string, len(parsed))}
	for name, values := range parsed {
		switch {
		case name == "resource":
			for _, value := range values {
				if value != "" {
					f.resources = append(f.resources, value)
				}
			}
		case len(values) > 1:
			return form{}, badRequest("a parameter stands twice in the body")
		default:
			f.values[name] = values[0]
		}
	}
	return f, nil
}

// readBody reads at most limit bytes.
func readBody(r *http.Request, limit int64) ([]byte, *oauth.Refusal) {
	if r.ContentLength > limit {
		return nil, tooLarge
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, limit))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return nil, tooLarge
	case err != nil:
		return nil, badRequest("the body could not be read")
	}
	return body, nil
}

func badRequest(description string) *oauth.Refusal {
	return &oauth.Refusal{Code: oauth.InvalidRequest, Description: description}
}

// credentials returns what a request says about its client. RFC 6749 §2.3.1: by
// header or in the body, never both.
func (s *Server) credentials(r *http.Request, f form) (oauth.Credentials, *oauth.Refusal) {
	c := oauth.Credentials{ID: f.get("client_id"), Secret: f.get("client_secret"), Method: oauth.NoAuthentication}
	if c.Secret != "" {
		c.Method = oauth.ClientSecretPost
	}
	if headers := r.Header["Authorization"]; len(headers) > 1 {
		return c, badRequest("there is more than one Authorization header")
	}
	// Interceptors add "Bearer null" to every request: other schemes are not about the client.
	if scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Basic") {
		id, secret, ok := basicAuth(r)
		switch {
		case !ok:
			return c, &oauth.Refusal{Code: oauth.InvalidClient, Description: "the Authorization header is not well-formed Basic"}
		case c.Method == oauth.ClientSecretPost:
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
	id, idErr := url.QueryUnescape(id)
	secret, secretErr := url.QueryUnescape(secret)
	return id, secret, idErr == nil && secretErr == nil
}
