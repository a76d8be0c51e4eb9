package server

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/keywright/keywright/internal/oauth"
)

var publicFor5Minutes = []string{fmt.Sprintf("public, max-age=%d", int(oauth.JWKSMaxAge.Seconds()))}

// metadata answers both well-known paths with the same document, rendered once.
// RFC 8414 §3, OpenID Connect Discovery 1.0 §4.
func (s *Server) metadata() func(*exchange) {
	body, err := json.Marshal(oauth.NewMetadata(s.Policy.Issuer))
	if err != nil {
		panic(err) // a struct of strings
	}
	return func(x *exchange) {
		h := x.w.Header()
		h["Content-Type"] = jsonType
		h["Cache-Control"] = publicFor5Minutes
		x.write(http.StatusOK, body)
	}
}

// jwks publishes the signing keys. RFC 7517 §5.
func (s *Server) jwks(x *exchange) {
	keys := s.keys.loaded.Load()
	h := x.w.Header()
	h["Content-Type"] = jsonType
	h["Cache-Control"] = publicFor5Minutes
	h["Etag"] = []string{keys.etag}
	if x.r.Header.Get("If-None-Match") == keys.etag {
		x.write(http.StatusNotModified, nil)
		return
	}
	x.write(http.StatusOK, keys.jwks)
}
