package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// These measure what the server adds to net/http: no network, no client, one
// core, the log in a file.

// sink is the least that a handler can write to.
type sink struct {
	header http.Header
	status int
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(status int)      { s.status = status }
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }

// serve repeats one request.
func serve(b *testing.B, handler http.Handler, method, path, body string, options ...option) {
	b.Helper()
	r, err := http.NewRequest(method, path, nil)
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.RemoteAddr, r.ContentLength = "127.0.0.1:1", int64(len(body))
	for _, change := range options {
		change(r)
	}
	w := &sink{header: http.Header{}}
	text := strings.NewReader(body)
	r.Body = io.NopCloser(text)
	b.ReportAllocs()
	for b.Loop() {
		clear(w.header)
		text.Reset(body)
		handler.ServeHTTP(w, r)
	}
	if w.status != http.StatusOK {
		b.Fatal("status", w.status)
	}
}

func benchHouse(b *testing.B) *house {
	file, err := os.Create(filepath.Join(b.TempDir(), "log"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { file.Close() })
	return newHouse(b, func(c *Config) { c.Log = slog.New(slog.NewJSONHandler(file, nil)) })
}

func BenchmarkStaticJSON(b *testing.B) {
	body := []byte(`{"keys":[]}`)
	serve(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusOK)
		w.Write(body)
	}), "GET", "/", "")
}

func BenchmarkES256(b *testing.B) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	digest := sha256.Sum256(nil)
	for b.Loop() {
		if _, _, err := ecdsa.Sign(rand.Reader, key, digest[:]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkKeys(b *testing.B) { serve(b, benchHouse(b), "GET", "/jwks", "") }

func BenchmarkDiscovery(b *testing.B) {
	serve(b, benchHouse(b), "GET", "/.well-known/openid-configuration", "")
}

func BenchmarkClientCredentials(b *testing.B) {
	h := benchHouse(b)
	_, basic := h.machine("billing")
	serve(b, h, "POST", "/token", "grant_type=client_credentials&scope=read", basic)
}

func BenchmarkIntrospection(b *testing.B) {
	h := benchHouse(b)
	_, basic := h.machine("billing")
	token := h.form("/token", []string{"grant_type", "client_credentials"}, basic).member("access_token")
	serve(b, h, "POST", "/introspect", "token="+token, basic)
}

func BenchmarkProfile(b *testing.B) {
	h := benchHouse(b)
	serve(b, h, "GET", "/profile", "", bearerToken(h.signIn("ada@example.com").access))
}

// BenchmarkRefresh stays within the grace: the same token, nothing written.
func BenchmarkRefresh(b *testing.B) {
	h := benchHouse(b)
	h.Policy.RefreshGrace = 1 << 40
	token := h.signIn("ada@example.com").refresh
	serve(b, h, "POST", "/token", "grant_type=refresh_token&client_id=direct&refresh_token="+token)
}
