package resource

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/jose"
)

const audience = "https://api.example.com"

// clock is a time that stands still until a test moves it.
type clock struct{ microseconds atomic.Int64 }

func newClock() *clock {
	c := new(clock)
	c.microseconds.Store(time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC).UnixMicro())
	return c
}

func (c *clock) now() time.Time            { return time.UnixMicro(c.microseconds.Load()).UTC() }
func (c *clock) advance(d time.Duration)   { c.microseconds.Add(d.Microseconds()) }
func (c *clock) seconds(ahead int64) int64 { return c.now().Unix() + ahead }

// issuer is an authorization server as far as an API sees it.
type issuer struct {
	*httptest.Server
	clock *clock

	mu           sync.Mutex
	keys         []*jose.PrivateKey // published; the last one signs
	cacheControl string
	metadata     map[string]any   // members to put over the honest ones
	answer       http.HandlerFunc // in place of the keys
	fetches      int              // of the keys
}

// newIssuer starts an issuer with one key. It is http on this machine.
func newIssuer(t testing.TB) *issuer { return startIssuer(t, httptest.NewServer) }

func startIssuer(t testing.TB, start func(http.Handler) *httptest.Server) *issuer {
	t.Helper()
	i := &issuer{clock: newClock(), cacheControl: "max-age=300"}
	i.keys = []*jose.PrivateKey{newKey(t)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", i.serveMetadata)
	mux.HandleFunc("GET /jwks", i.serveKeys)
	i.Server = start(mux)
	t.Cleanup(i.Close)
	return i
}

func newKey(t testing.TB) *jose.PrivateKey {
	t.Helper()
	key, err := jose.GenerateKey(jose.EdDSA, nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (i *issuer) serveMetadata(w http.ResponseWriter, _ *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	metadata := map[string]any{"issuer": i.URL, "jwks_uri": i.URL + "/jwks"}
	maps.Copy(metadata, i.metadata)
	json.NewEncoder(w).Encode(metadata)
}

func (i *issuer) serveKeys(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	i.fetches++
	answer, cacheControl := i.answer, i.cacheControl
	var public []*jose.PublicKey
	for _, key := range i.keys {
		public = append(public, key.Public())
	}
	i.mu.Unlock()
	if answer != nil {
		answer(w, r)
		return
	}
	w.Header().Set("Cache-Control", cacheControl)
	json.NewEncoder(w).Encode(jose.NewSet(public...))
}

// change does something to the issuer between two requests.
func (i *issuer) change(do func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	do()
}

func (i *issuer) publish(keys ...*jose.PrivateKey) { i.change(func() { i.keys = keys }) }

// goDown lets every fetch of the keys fail.
func (i *issuer) goDown() {
	i.change(func() {
		i.answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }
	})
}

func (i *issuer) fetched() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.fetches
}

// claims returns those of a good token with some changed; nil takes one away.
func (i *issuer) claims(change map[string]any) map[string]any {
	claims := map[string]any{
		"iss": i.URL, "sub": "usr_1", "aud": audience, "client_id": "cli_1", "jti": "grt_1.a",
		"iat": i.clock.seconds(0), "exp": i.clock.seconds(600), "scope": "openid orders:read",
	}
	for name, value := range change {
		claims[name] = value
		if value == nil {
			delete(claims, name)
		}
	}
	return claims
}

// token returns an access token with some claims changed.
func (i *issuer) token(t testing.TB, change map[string]any) string {
	t.Helper()
	i.mu.Lock()
	key := i.keys[len(i.keys)-1]
	i.mu.Unlock()
	return signed(t, key, "at+jwt", i.claims(change))
}

func signed(t testing.TB, key *jose.PrivateKey, typ string, claims map[string]any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	token, err := key.Sign(typ, payload)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// forge returns a token with any header, well signed with an Ed25519 key.
func forge(t testing.TB, key *jose.PrivateKey, header string, claims map[string]any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	der, err := key.MarshalPKCS8()
	if err != nil {
		t.Fatal(err)
	}
	signer, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(header)) + "." + encode(payload)
	return signed + "." + encode(ed25519.Sign(signer.(ed25519.PrivateKey), []byte(signed)))
}

// verifier returns one for the issuer's tokens, on the issuer's clock.
func (i *issuer) verifier(t testing.TB, with ...Option) *Verifier {
	t.Helper()
	with = append([]Option{WithHTTPClient(i.Client()), WithClock(i.clock.now)}, with...)
	v, err := New(i.URL, audience, with...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func mustVerify(t testing.TB, v *Verifier, token string) *Token {
	t.Helper()
	verified, err := v.Verify(context.Background(), token)
	if err != nil {
		t.Fatal(err)
	}
	return verified
}

// settle waits for the fetch that is under way, if there is one.
func settle(v *Verifier) {
	v.keys.mu.Lock()
	fetching := v.keys.fetching
	v.keys.mu.Unlock()
	if fetching != nil {
		<-fetching
	}
}

func mustMarshal(t testing.TB, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
