package server

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/jose"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/outbound"
)

// signingClient is a client that signs, with its keys at a jwks_uri.
type signingClient struct {
	testing.TB
	*clientKeys
	clock *clock
	site  *httptest.Server
	lines *lockedBuffer

	mu      sync.Mutex // guards what follows
	key     *jose.PrivateKey
	answer  http.HandlerFunc // instead of the key
	fetched int
}

func newSigningClient(t testing.TB) *signingClient {
	t.Helper()
	c := &signingClient{TB: t, clock: newClock(), lines: &lockedBuffer{}, key: newClientKey(t)}
	c.clientKeys = newClientKeys(outbound.New(outbound.Rules{Dev: true}), c.clock.now, slog.New(slog.NewTextHandler(c.lines, nil)))
	c.site = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		c.fetched++
		key, answer := c.key, c.answer
		c.mu.Unlock()
		if answer != nil {
			answer(w, r)
			return
		}
		io.WriteString(w, setOf(t, key))
	}))
	t.Cleanup(c.site.Close)
	return c
}

func newClientKey(t testing.TB) *jose.PrivateKey {
	t.Helper()
	key, err := jose.GenerateKey(jose.ES256, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func setOf(t testing.TB, keys ...*jose.PrivateKey) string {
	t.Helper()
	var public []*jose.PublicKey
	for _, key := range keys {
		public = append(public, key.Public())
	}
	text, err := json.Marshal(jose.NewSet(public...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func signedWith(t testing.TB, key *jose.PrivateKey, typ string) string {
	t.Helper()
	token, err := key.Sign(typ, []byte(`{"iss":"app","sub":"app"}`))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// change rotates the key or alters the answer.
func (c *signingClient) change(do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	do()
}

func (c *signingClient) down() {
	c.change(func() {
		c.answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }
	})
}

func (c *signingClient) wantFetched(n int) {
	c.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fetched != n {
		c.Errorf("the keys were fetched %d times, want %d", c.fetched, n)
	}
}

func (c *signingClient) ask(key *jose.PrivateKey) error {
	c.Helper()
	claims, err := c.verify(context.Background(), keysOf("app", c.site.URL, ""), signedWith(c, key, "JWT"), "JWT", "")
	if (err == nil) != (claims != nil) || err == nil && claims.Subject != "app" {
		c.Errorf("%+v, %v", claims, err)
	}
	return err
}

func (c *signingClient) accepts(key *jose.PrivateKey) {
	c.Helper()
	if err := c.ask(key); err != nil {
		c.Error(err)
	}
}

func (c *signingClient) refuses(key *jose.PrivateKey) {
	c.Helper()
	if err := c.ask(key); !errors.Is(err, jose.ErrInvalid) {
		c.Errorf("want jose.ErrInvalid, got %v", err)
	}
}

// lacks wants an error that says nothing against the token.
func (c *signingClient) lacks(key *jose.PrivateKey) {
	c.Helper()
	if err := c.ask(key); err == nil || errors.Is(err, jose.ErrInvalid) || !strings.Contains(err.Error(), "not available") {
		c.Errorf("want no keys, got %v", err)
	}
}

func TestRegisteredKeysVerify(t *testing.T) {
	key, other := newClientKey(t), newClientKey(t)
	keys := newClientKeys(outbound.New(outbound.Rules{}), time.Now, slog.New(slog.DiscardHandler))
	types := []string{"", "JWT", "client-authentication+jwt"}
	for _, test := range []struct {
		jwks, token string
		ok, invalid bool
	}{
		{setOf(t, key), signedWith(t, key, "JWT"), true, false},
		{setOf(t, key), signedWith(t, key, "client-authentication+jwt"), true, false},
		{setOf(t, key, other), signedWith(t, other, "JWT"), true, false},
		{setOf(t, key), signedWith(t, key, "at+jwt"), false, true},
		{setOf(t, key), signedWith(t, other, "JWT"), false, true},
		{setOf(t, key), signedWith(t, key, "JWT") + "x", false, true},
		{setOf(t), signedWith(t, key, "JWT"), false, true},
		{"", signedWith(t, key, "JWT"), false, false},
		{"{}", signedWith(t, key, "JWT"), false, false},
		{"not JSON", signedWith(t, key, "JWT"), false, false},
	} {
		claims, err := keys.verify(t.Context(), keysOf("app", "", test.jwks), test.token, types...)
		if (err == nil) != test.ok || (claims != nil) != test.ok || errors.Is(err, jose.ErrInvalid) != test.invalid {
			t.Errorf("%s, %s: %v, %v", test.jwks, test.token, claims, err)
		}
	}
}

func TestKeysAtAJWKSURIAreFetchedOnceInFiveMinutes(t *testing.T) {
	c := newSigningClient(t)
	for range 10 {
		c.accepts(c.key)
		c.clock.advance(30 * time.Second)
	}
	c.wantFetched(1)
	c.accepts(c.key)
	c.wantFetched(2)
}

func TestKeyThatAClientWithdrewIsRefusedAfterFiveMinutes(t *testing.T) {
	c := newSigningClient(t)
	old := c.key
	c.accepts(old)
	c.change(func() { c.key = newClientKey(t) })
	c.clock.advance(clientKeysFresh - time.Microsecond)
	c.accepts(old)
	c.clock.advance(time.Microsecond)
	c.refuses(old)
}

// Class 2.
func TestKeyThatAClientIsNewToIsFetchedOnce(t *testing.T) {
	c := newSigningClient(t)
	c.accepts(c.key)
	c.change(func() { c.key = newClientKey(t) })
	c.accepts(c.key)
	c.wantFetched(2)
}

func TestUnknownKeysDoNotStormAJWKSURI(t *testing.T) {
	c := newSigningClient(t)
	c.accepts(c.key)
	stranger := newClientKey(t)
	for range 29 {
		parallel(4, func(int) { c.refuses(stranger) })
		c.accepts(c.key)
		c.clock.advance(time.Second)
	}
	c.wantFetched(2)
	c.clock.advance(time.Second)
	c.refuses(stranger)
	c.wantFetched(3)
}

func TestManyRequestsFetchAClientsKeysOnce(t *testing.T) {
	c := newSigningClient(t)
	parallel(50, func(int) { c.accepts(c.key) })
	c.wantFetched(1)
}

func TestKeysServeForAnHourWhileTheirURIIsDown(t *testing.T) {
	c := newSigningClient(t)
	c.accepts(c.key)
	c.clock.advance(clientKeysFresh)
	c.down()
	for range 60 {
		c.accepts(c.key)
		c.refuses(newClientKey(t))
		c.clock.advance(time.Minute)
	}
	c.accepts(c.key)
	c.clock.advance(time.Microsecond)
	c.lacks(c.key)
	if n := strings.Count(c.lines.String(), "fetch client keys"); n != 1 {
		t.Errorf("logged %d times", n)
	}
	c.change(func() { c.answer = nil })
	c.lacks(c.key) // too soon to ask again
	c.clock.advance(clientKeysPause)
	c.accepts(c.key)
}

func TestFirstKeysAreAskedForOnceASecond(t *testing.T) {
	c := newSigningClient(t)
	c.down()
	for range 5 {
		c.lacks(c.key)
	}
	c.wantFetched(1)
	c.change(func() { c.answer = nil })
	c.clock.advance(clientKeysFirstPause)
	c.accepts(c.key)
}

func TestBadAnswerGivesAClientNoKeys(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"not JSON": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") },
		"no set":   func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{}`) },
		"too many keys": func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `{"keys":[{}`+strings.Repeat(",{}", 64)+`]}`)
		},
		"too much":  func(w http.ResponseWriter, _ *http.Request) { w.Write(bytes.Repeat([]byte(" "), jose.MaxSetBytes+1)) },
		"elsewhere": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
	} {
		c := newSigningClient(t)
		c.change(func() { c.answer = answer })
		c.lacks(c.key)
		c.wantFetched(1)
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

func TestJWKSURIInsideIsNotReached(t *testing.T) {
	c := newSigningClient(t)
	c.clientKeys = newClientKeys(outbound.New(outbound.Rules{}), c.clock.now, slog.New(slog.DiscardHandler))
	c.lacks(c.key)
	c.wantFetched(0)
}

func TestCancelledRequestLeavesTheFetchToOthers(t *testing.T) {
	c := newSigningClient(t)
	asked, proceed := make(chan struct{}), make(chan struct{})
	c.change(func() {
		c.answer = func(w http.ResponseWriter, _ *http.Request) {
			close(asked)
			<-proceed
			io.WriteString(w, setOf(t, c.key))
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	first := make(chan error)
	go func() {
		_, err := c.verify(ctx, keysOf("", c.site.URL, ""), signedWith(t, c.key, "JWT"), "JWT")
		first <- err
	}()
	<-asked
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(proceed)
	c.accepts(c.key)
	c.wantFetched(1)
}

func TestOnlySoManyJWKSURIsAreRemembered(t *testing.T) {
	c := newSigningClient(t)
	ask := func(i int) {
		c.clock.advance(time.Millisecond)
		client := keysOf("", fmt.Sprintf("%s/%d", c.site.URL, i), "")
		if _, err := c.verify(t.Context(), client, signedWith(t, c.key, "JWT"), "JWT"); err != nil {
			t.Error(err)
		}
	}
	for i := range clientKeysLimit + 10 {
		ask(i)
		ask(0) // is in use
	}
	if n := len(c.sets); n != clientKeysLimit {
		t.Errorf("%d are remembered", n)
	}
	c.wantFetched(clientKeysLimit + 10)
	ask(1)
	c.wantFetched(clientKeysLimit + 11)
}

func keysOf(id, uri, inline string) *oauth.Client {
	return &oauth.Client{ID: id, ClientMetadata: change.ClientMetadata{JWKSURI: uri, JWKS: inline}}
}
