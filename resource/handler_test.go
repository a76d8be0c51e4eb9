package resource

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// startAPI serves the subject of the token behind v.
func startAPI(t *testing.T, v *Verifier) *httptest.Server {
	t.Helper()
	api := httptest.NewServer(v.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, ok := TokenFrom(r.Context())
		if !ok {
			t.Error("let through without a token")
			return
		}
		io.WriteString(w, token.Subject())
	})))
	t.Cleanup(api.Close)
	return api
}

// call sends a request with the given Authorization headers.
func call(t *testing.T, url string, authorization ...string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header["Authorization"] = authorization
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func TestRequestWithAGoodTokenIsLetThrough(t *testing.T) {
	i := newIssuer(t)
	api := startAPI(t, i.verifier(t).Require("orders:read"))
	token := i.token(t, nil)
	for _, authorization := range []string{"Bearer " + token, "bearer " + token, "BEARER " + token, "Bearer   " + token} {
		response, body := call(t, api.URL, authorization)
		if response.StatusCode != http.StatusOK || body != "usr_1" {
			t.Errorf("%.10s: %s %s", authorization, response.Status, body)
		}
	}
}

func TestRefusalsAreThoseOfRFC6750(t *testing.T) {
	i := newIssuer(t)
	api := startAPI(t, i.verifier(t).Require("orders:read", "orders:write"))
	good := i.token(t, map[string]any{"scope": "orders:read orders:write"})
	const (
		bare       = `Bearer`
		unverified = `Bearer error="invalid_token", error_description="the access token could not be verified"`
	)
	for name, test := range map[string]struct {
		query         string
		authorization []string
		status        int
		challenge     string
		code          string
	}{
		"no token":             {"", nil, 401, bare, "missing_token"},
		"empty header":         {"", []string{""}, 401, bare, "missing_token"},
		"scheme only":          {"", []string{"Bearer"}, 401, bare, "missing_token"},
		"token only":           {"", []string{good}, 401, bare, "missing_token"},
		"Basic":                {"", []string{"Basic YTpi"}, 401, bare, "missing_token"},
		"DPoP":                 {"", []string{"DPoP " + good}, 401, bare, "missing_token"},
		"Bearer null":          {"", []string{"Bearer null"}, 401, unverified, "invalid_token"},
		"garbage":              {"", []string{"Bearer garbage"}, 401, unverified, "invalid_token"},
		"two tokens":           {"", []string{"Bearer " + good + " " + good}, 401, unverified, "invalid_token"},
		"foreign signature":    {"", []string{"Bearer " + signed(t, newKey(t), "at+jwt", i.claims(nil))}, 401, unverified, "invalid_token"},
		"alg none":             {"", []string{"Bearer " + forge(t, i.keys[0], `{"alg":"none","typ":"at+jwt"}`, i.claims(nil))}, 401, unverified, "invalid_token"},
		"an ID token":          {"", []string{"Bearer " + signed(t, i.keys[0], "JWT", i.claims(nil))}, 401, unverified, "invalid_token"},
		"expired":              {"", []string{"Bearer " + i.token(t, map[string]any{"exp": 1})}, 401, `Bearer error="invalid_token", error_description="the access token has expired"`, "invalid_token"},
		"another audience":     {"", []string{"Bearer " + i.token(t, map[string]any{"aud": "a"})}, 401, `Bearer error="invalid_token", error_description="the access token is for another audience"`, "invalid_token"},
		"a scope lacking":      {"", []string{"Bearer " + i.token(t, nil)}, 403, `Bearer error="insufficient_scope", error_description="the access token lacks a scope", scope="orders:read orders:write"`, "insufficient_scope"},
		"two headers":          {"", []string{"Bearer " + good, "Bearer " + good}, 400, `Bearer error="invalid_request", error_description="more than one Authorization header"`, "invalid_request"},
		"two headers, one bad": {"", []string{"Basic YTpi", "Bearer " + good}, 400, `Bearer error="invalid_request", error_description="more than one Authorization header"`, "invalid_request"},
		"in the query":         {"?access_token=" + good, nil, 401, bare, "missing_token"},
		"in header and query":  {"?access_token=" + good, []string{"Bearer " + good}, 400, `Bearer error="invalid_request", error_description="a second access token in the query"`, "invalid_request"},
	} {
		response, body := call(t, api.URL+test.query, test.authorization...)
		if response.StatusCode != test.status || response.Header.Get("WWW-Authenticate") != test.challenge {
			t.Errorf("%s: %s, %q", name, response.Status, response.Header.Get("WWW-Authenticate"))
		}
		mustBeErrorResponse(t, name, response, body, test.code)
	}
	if response, body := call(t, api.URL+"?q=access_token", "Bearer "+good); response.StatusCode != http.StatusOK {
		t.Errorf("a query without a token: %s %s", response.Status, body)
	}
}

func mustBeErrorResponse(t *testing.T, name string, response *http.Response, body, code string) {
	t.Helper()
	if response.Header.Get("Content-Type") != "application/json" || response.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s: headers %v", name, response.Header)
	}
	var answer map[string]string
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatalf("%s: %s: %v", name, body, err)
	}
	if len(answer) != 2 || answer["error"] != code || answer["error_description"] == "" {
		t.Errorf("%s: body %v", name, answer)
	}
}

// Class 1 of the attacks: whatever is wrong before the claims are known to be
// the issuer's gets one and the same answer.
func TestForgeriesGetTheAnswerOfABadSignature(t *testing.T) {
	i := newIssuer(t)
	api := startAPI(t, i.verifier(t))
	id := i.keys[0].ID()
	_, want := call(t, api.URL, "Bearer "+i.token(t, nil)+"A")
	for name, token := range map[string]string{
		"alg none":       forge(t, i.keys[0], `{"alg":"none","typ":"at+jwt","kid":"`+id+`"}`, i.claims(nil)),
		"alg HS256":      forge(t, i.keys[0], `{"alg":"HS256","typ":"at+jwt","kid":"`+id+`"}`, i.claims(nil)),
		"alg absent":     forge(t, i.keys[0], `{"typ":"at+jwt","kid":"`+id+`"}`, i.claims(nil)),
		"unknown kid":    forge(t, i.keys[0], `{"alg":"EdDSA","typ":"at+jwt","kid":"a"}`, i.claims(nil)),
		"crit":           forge(t, i.keys[0], `{"alg":"EdDSA","typ":"at+jwt","kid":"`+id+`","crit":["a"]}`, i.claims(nil)),
		"JWS JSON":       `{"payload":"e30","signatures":[]}`,
		"too long":       strings.Repeat("a", 20_000),
		"dots":           strings.Repeat(".", 20_000),
		"changed claims": strings.Replace(i.token(t, nil), ".", ".A", 1),
	} {
		if response, body := call(t, api.URL, "Bearer "+token); response.StatusCode != http.StatusUnauthorized || body != want {
			t.Errorf("%s: %s %s", name, response.Status, body)
		}
	}
}

func TestWithoutKeysTheAnswerIsUnavailable(t *testing.T) {
	i := newIssuer(t)
	token := i.token(t, nil)
	i.goDown()
	api := startAPI(t, i.verifier(t))
	response, body := call(t, api.URL, "Bearer "+token)
	if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") != "1" || response.Header.Get("WWW-Authenticate") != "" {
		t.Errorf("%s, %v", response.Status, response.Header)
	}
	mustBeErrorResponse(t, "no keys", response, body, "temporarily_unavailable")
	if strings.Contains(body, i.URL) {
		t.Errorf("the answer tells a stranger where the keys are: %s", body)
	}
}

func TestContextWithoutHandlerHasNoToken(t *testing.T) {
	if token, ok := TokenFrom(t.Context()); ok || token != nil {
		t.Errorf("%v", token)
	}
}
