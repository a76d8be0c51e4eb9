package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/jose"
)

// startIssuer serves a key as an issuer does and returns the issuer's URL.
func startIssuer(t *testing.T, key *jose.PrivateKey) string {
	t.Helper()
	mux := http.NewServeMux()
	issuer := httptest.NewServer(mux)
	t.Cleanup(issuer.Close)
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, issuer.URL, issuer.URL+"/jwks")
	})
	mux.HandleFunc("GET /jwks", func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(jose.NewSet(key.Public()))
	})
	return issuer.URL
}

func request(t *testing.T, method, url string, header map[string]string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, strings.TrimSpace(string(body))
}

func TestBearerOfATokenIsGreeted(t *testing.T) {
	key, err := jose.GenerateKey(jose.ES256, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	issuer := startIssuer(t, key)
	handler, err := newAPI(issuer, issuer)
	if err != nil {
		t.Fatal(err)
	}
	api := httptest.NewServer(handler)
	defer api.Close()
	now := time.Now().Unix()
	token, err := key.Sign("at+jwt", fmt.Appendf(nil,
		`{"iss":%q,"aud":%q,"sub":"usr_1","client_id":"cli_1","iat":%d,"exp":%d,"scope":"openid profile"}`, issuer, issuer, now, now+600))
	if err != nil {
		t.Fatal(err)
	}
	response, body := request(t, "GET", api.URL, map[string]string{"Authorization": "Bearer " + token})
	if response.StatusCode != http.StatusOK || body != `{"message":"Hello, usr_1","scope":"openid profile"}` {
		t.Errorf("%s %s", response.Status, body)
	}
	if response, _ := request(t, "GET", api.URL, nil); response.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a token: %s", response.Status)
	}
}

func TestOnlyLocalAppsMayCallFromABrowser(t *testing.T) {
	handler, err := newAPI("http://localhost:10101", "http://localhost:10101")
	if err != nil {
		t.Fatal(err)
	}
	api := httptest.NewServer(handler)
	defer api.Close()
	for origin, status := range map[string]int{
		"http://localhost:4200": 204, "http://localhost": 204,
		"http://localhost.attacker.example": 401, "https://attacker.example": 401, "null": 401, "": 401,
	} {
		response, _ := request(t, "OPTIONS", api.URL, map[string]string{
			"Origin": origin, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization",
		})
		allowed := response.Header.Get("Access-Control-Allow-Origin")
		if response.StatusCode != status || (allowed != "") != (status == 204) || response.Header.Get("Vary") != "Origin" {
			t.Errorf("%s: %s, allowed %q", origin, response.Status, allowed)
		}
	}
	// Without this an app would see "status 0" in place of the refusal.
	response, _ := request(t, "GET", api.URL, map[string]string{"Origin": "http://localhost:4200"})
	if response.StatusCode != http.StatusUnauthorized || response.Header.Get("Access-Control-Allow-Origin") != "http://localhost:4200" {
		t.Errorf("a refusal: %s, %v", response.Status, response.Header)
	}
}

func TestBusyPortNamesTheFlag(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	err = serve(t.Context(), busy.Addr().String(), "http://localhost:10101", "api")
	if err == nil || !strings.Contains(err.Error(), "-listen") {
		t.Errorf("%v", err)
	}
	err = serve(t.Context(), "127.0.0.1:0", "http://id.example.com", "api")
	if err == nil || !strings.Contains(err.Error(), "-issuer") {
		t.Errorf("%v", err)
	}
}
