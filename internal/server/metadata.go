package server

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/keywright/keywright/internal/jose"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/pages"
)

// A document is a public answer, rendered once.
type document struct {
	body         []byte
	length, etag []string
}

var publicFor5Minutes = []string{fmt.Sprintf("public, max-age=%d", int(oauth.JWKSMaxAge.Seconds()))}

func newDocument(v any) (document, error) {
	body, err := json.Marshal(v)
	sum := sha256.Sum256(body)
	return document{
		body: body, length: []string{strconv.Itoa(len(body))},
		etag: []string{`"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`},
	}, err
}

func (d document) serve(x *exchange) {
	x.quiet = true
	h := x.w.Header()
	h["Cache-Control"] = publicFor5Minutes
	h["Etag"] = d.etag
	// The quotes make an etag stand out of a list, and W/ does not matter here. RFC 9110 §13.1.2
	if known := x.r.Header["If-None-Match"]; known != nil && strings.Contains(strings.Join(known, ","), d.etag[0]) {
		x.write(http.StatusNotModified, nil)
		return
	}
	h["Content-Type"] = jsonType
	h["Content-Length"] = d.length
	x.write(http.StatusOK, d.body)
}

// metadata answers both well-known paths with the same document. RFC 8414 §3,
// OpenID Connect Discovery 1.0 §4.
func (s *Server) metadata() (func(*exchange), error) {
	d, err := newDocument(oauth.NewMetadata(s.Policy.Issuer, s.ClientRegistration, s.SignUp, pages.Languages))
	return d.serve, err
}

// jwks publishes the signing keys. RFC 7517 §5.
func (s *Server) jwks(x *exchange) {
	keys := s.keys.Public()
	if last := s.published.Load(); last != nil && last.keys == keys {
		last.serve(x)
		return
	}
	d, err := newDocument(keys)
	if err != nil {
		x.broke(err)
		return
	}
	s.published.Store(&publishedKeys{keys, d})
	d.serve(x)
}

// publishedKeys are the keys as they were last rendered.
type publishedKeys struct {
	keys *jose.Set
	document
}
