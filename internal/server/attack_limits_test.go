package server

import (
	"crypto/rand"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/password"
)

// What one request may cost at most. Class 18.
const (
	maxTimePerRequest = 50 * time.Millisecond
	maxHeapPerRequest = 5 << 20
)

// cost serves a request a few times and returns the least time and the mean of
// what it allocated.
func cost(handler http.Handler, request func() *http.Request) (status int, took time.Duration, heap uint64) {
	const times = 5
	took = time.Hour
	var requests [times]*http.Request
	for i := range requests {
		requests[i] = request()
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, r := range requests {
		w := httptest.NewRecorder()
		began := time.Now()
		handler.ServeHTTP(w, r)
		took, status = min(took, time.Since(began)), w.Code
	}
	runtime.ReadMemStats(&after)
	return status, took, (after.TotalAlloc - before.TotalAlloc) / times
}

func TestNoRequestCostsMuch(t *testing.T) {
	h := newHouse(t)
	_, basic := h.machine("billing")
	h.webApp("app")
	flow := h.browser().get("/sign-in")
	sealed := flow.form("sign-in").fields.Get("flow")
	ours := []option{asBrowser(h, "POST"), flow.sendCookies}
	const megabyte = 1 << 20
	long := func(s string) string { return strings.Repeat(s, megabyte/len(s)) }
	type request struct {
		name, method, path, mediaType, body string
		options                             []option
		status                              int
	}
	form, json := "application/x-www-form-urlencoded", "application/json"
	jwe := b64([]byte(`{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2147483648,"p2s":"AA","zip":"DEF"}`)) + ".AA.AA.AA.AA"
	manyKeys := `{"a":1` + strings.Repeat(`,"abcd":1`, 100_000) + `}`
	for _, test := range []request{
		{"a bearer of dots", "GET", "/profile", "", "", []option{bearerToken(long("."))}, 401},
		{"a bearer of letters", "GET", "/profile", "", "", []option{bearerToken(long("a"))}, 401},
		{"a bearer of three long segments", "GET", "/profile", "", "", []option{bearerToken(long("a") + "." + long("a") + "." + long("a"))}, 401},
		{"a bearer that is a JWE", "GET", "/profile", "", "", []option{bearerToken(jwe)}, 401},
		{"a scheme of a megabyte", "GET", "/profile", "", "", []option{header("Authorization", long("a"))}, 401},
		{"a query of a megabyte", "GET", "/profile?" + long("a&"), "", "", nil, 401},
		{"an origin of a megabyte", "POST", "/login", json, `{}`, []option{header("Origin", long("a"))}, 403},
		{"a local origin of a megabyte", "POST", "/login", json, `{}`, []option{header("Origin", "http://localhost:"+long("1"))}, 403},
		{"a preflight of a megabyte", "OPTIONS", "/login", "", "", []option{header("Origin", appOrigin), header("Access-Control-Request-Headers", long("a,"))}, 204},
		{"an If-None-Match of a megabyte", "GET", "/jwks", "", "", []option{header("If-None-Match", long(`"a",`))}, 200},
		{"a media type of a megabyte", "POST", "/login", long("a/b;c=d;"), `{}`, nil, 415},
		{"a path of a megabyte", "GET", "/" + long("a"), "", "", nil, 404},
		{"a method of a megabyte", long("A"), "/login", "", "", nil, 405},
		{"Basic of a megabyte", "POST", "/token", form, "grant_type=client_credentials", []option{header("Authorization", "Basic "+long("JTAw"))}, 401},

		{"a form of ampersands", "POST", "/token", form, strings.Repeat("&", maxFormBytes), []option{basic}, 400},
		{"a form of escapes", "POST", "/token", form, strings.Repeat("%41", maxFormBytes/3), []option{basic}, 400},
		{"a form of parameters", "POST", "/token", form, strings.Repeat("a=b&", 10_000), []option{basic}, 400},
		{"a form of resources", "POST", "/token", form, "grant_type=client_credentials&" + strings.Repeat("resource=a:&", 98), []option{basic}, 400},
		{"a form of a megabyte", "POST", "/token", form, "scope=" + long("a "), []option{basic}, 413},
		{"a form of a megabyte in chunks", "POST", "/token", form, "scope=" + long("a "), []option{basic, chunked}, 413},
		{"a scope of 60 KB", "POST", "/token", form, "grant_type=client_credentials&scope=" + strings.Repeat("a+", 30_000), []option{basic}, 400},
		{"a token of 60 KB", "POST", "/introspect", form, "token=" + strings.Repeat(".", 60_000), []option{basic}, 200},
		{"a token of 60 KB of letters", "POST", "/introspect", form, "token=" + strings.Repeat("a.", 30_000), []option{basic}, 200},
		{"a refresh token of 60 KB", "POST", "/token", form, "grant_type=refresh_token&client_id=direct&refresh_token=kwr_" + strings.Repeat("a", 60_000), nil, 400},
		{"a client_id of 60 KB", "POST", "/token", form, "grant_type=client_credentials&client_id=" + strings.Repeat("a", 60_000), nil, 401},

		{"100,000 members", "POST", "/login", json, manyKeys, nil, 413},
		{"16 KB of members", "POST", "/login", json, `{"a":1` + strings.Repeat(`,"a":1`, 2500) + `}`, nil, 400},
		{"16 KB of brackets", "POST", "/login", json, strings.Repeat("[", maxJSONBytes), nil, 400},
		{"16 KB of braces", "POST", "/login", json, strings.Repeat(`{"a":`, maxJSONBytes/5), nil, 400},
		{"a password of a megabyte", "POST", "/login", json, `{"email":"a@example.com","password":"` + long("a") + `"}`, nil, 413},
		{"a password of 16 KB", "POST", "/login", json, `{"email":"a@example.com","password":"` + strings.Repeat("a", 16_000) + `"}`, nil, 400},
		{"an e-mail of 16 KB", "POST", "/login", json, `{"email":"` + strings.Repeat("a.", 8_000) + `@example.com","password":"a"}`, nil, 401},
		{"a number of 16 KB", "POST", "/login", json, `{"email":` + strings.Repeat("9", 16_000) + `}`, nil, 400},
		{"a name of 16 KB", "POST", "/register", json, `{"email":"a@example.com","password":"analytical engine","name":"` + strings.Repeat("a", 16_000) + `"}`, nil, 400},

		{"an authorization request of a megabyte", "GET", "/authorize?" + long("a&"), "", "", ours, 400},
		{"one of ampersands", "GET", "/authorize?" + strings.Repeat("&", maxParameters), "", "", ours, 400},
		{"one of escapes", "GET", "/authorize?a=" + strings.Repeat("%41", maxParameters/3-1), "", "", ours, 400},
		{"a state of 10 KB", "GET", authorizePath("app", "state", strings.Repeat("a", 10_000)), "", "", ours, 303},
		{"a nonce of 10 KB", "GET", authorizePath("app", "nonce", strings.Repeat("a", 10_000)), "", "", ours, 303},
		{"claims of braces", "GET", authorizePath("app", "claims", strings.Repeat(`{"a":`, 800)), "", "", ours, 303},
		{"claims of brackets", "GET", authorizePath("app", "claims", `{"id_token":{"a":{"value":`+strings.Repeat("[", 2000)+strings.Repeat("]", 2000)+`}}}`), "", "", ours, 200},
		{"claims of members", "GET", authorizePath("app", "claims", `{"id_token":{"a":null`+strings.Repeat(`,"a":null`, 440)+`}}`), "", "", ours, 200},
		{"claims of 8 KB", "GET", authorizePath("app", "claims", `{"id_token":{"`+strings.Repeat("a", 8_000)+`":null}}`), "", "", ours, 303},
		{"a number of 4 KB in claims", "GET", authorizePath("app", "claims", `{"id_token":{"a":{"value":`+strings.Repeat("9", 4_000)+`}}}`), "", "", ours, 303},
		{"a scope of 12 KB", "GET", authorizePath("app", "scope", strings.Repeat("a ", 6_000)), "", "", ours, 303},
		{"a prompt of 12 KB", "GET", authorizePath("app", "prompt", strings.Repeat("login ", 2_000)), "", "", ours, 200},
		{"a max_age of 10 KB", "GET", authorizePath("app", "max_age", strings.Repeat("9", 10_000)), "", "", ours, 303},
		{"80 resources", "GET", authorizePath("app") + strings.Repeat("&resource=a:", 80), "", "", ours, 303},
		{"a hint of dots", "GET", authorizePath("app", "id_token_hint", strings.Repeat(".", 15_000)), "", "", ours, 303},
		{"a hint that is a JWE", "GET", authorizePath("app", "id_token_hint", jwe), "", "", ours, 303},
		{"a challenge of 10 KB", "GET", authorizePath("app", "code_challenge", strings.Repeat("a", 10_000)), "", "", ours, 303},
		{"a client_id of 15 KB", "GET", "/authorize?client_id=" + strings.Repeat("a", 15_000), "", "", ours, 400},
		{"locales of 12 KB", "GET", authorizePath("app", "ui_locales", strings.Repeat("xx ", 4_000)), "", "", ours, 200},
		{"a login_hint of 15 KB", "GET", authorizePath("app", "login_hint", strings.Repeat("a", 15_000)), "", "", ours, 200},
		{"a hint of dots at the way out", "GET", "/end_session?id_token_hint=" + strings.Repeat(".", 16_000), "", "", ours, 400},
		{"languages of a megabyte", "GET", "/sign-in", "", "", append([]option{header("Accept-Language", long("xx,"))}, ours...), 200},
		{"a language's cookie of a megabyte", "GET", "/sign-in", "", "", append([]option{header("Cookie", h.cookies.language+"="+long("xx-"))}, ours...), 200},
		{"a cookie of a megabyte", "GET", "/account", "", "", append([]option{header("Cookie", h.cookies.session+"="+long("a"))}, ours...), 303},
		{"a user agent of a megabyte", "GET", "/sign-in", "", "", append([]option{header("User-Agent", long("Firefox/"))}, ours...), 200},
		{"an entrance's form of a megabyte", "POST", "/authorize", form, long("a=b&"), ours, 400},
		{"an entrance's form of parameters", "POST", "/authorize", form, strings.Repeat("a&", maxParameters/2), ours, 303},
		{"a page's form of a megabyte", "POST", "/sign-in", form, "flow=" + long("a"), ours, 413},
		{"a page's form of parameters", "POST", "/sign-in", form, strings.Repeat("a=b&", 10_000), ours, 400},
		{"a seal of 60 KB", "POST", "/sign-in", form, "flow=" + strings.Repeat("a", 60_000), ours, 403},
		{"a password of 60 KB at sign-in", "POST", "/sign-in", form, "email=a@example.com&flow=" + sealed + "&password=" + strings.Repeat("a", 60_000), ours, 422},
		{"an e-mail of 60 KB at sign-in", "POST", "/sign-in", form, "password=a&flow=" + sealed + "&email=" + strings.Repeat("a.", 30_000) + "@example.com", ours, 422},
		{"a name of 60 KB at sign-up", "POST", "/sign-up", form, "email=a@example.com&password=analytical+engine&flow=" + sealed + "&name=" + strings.Repeat("a", 60_000), ours, 422},
		{"a token of 60 KB at userinfo", "POST", "/userinfo", form, "access_token=" + strings.Repeat(".", 60_000), nil, 401},
		{"a form of a megabyte at userinfo", "POST", "/userinfo", form, "access_token=" + long("a"), nil, 400},
		{"a code of 60 KB", "POST", "/token", form, "grant_type=authorization_code&client_id=app&code=" + strings.Repeat("a", 60_000), nil, 400},
		{"an assertion of 60 KB", "POST", "/token", form, "grant_type=authorization_code&client_assertion_type=" + assertionType + "&client_assertion=a." + strings.Repeat("a", 60_000) + ".a", nil, 401},
	} {
		status, took, heap := cost(h, func() *http.Request {
			r := httptest.NewRequest(test.method, "/", strings.NewReader(test.body))
			path, query, _ := strings.Cut(test.path, "?")
			r.URL.Path, r.URL.RawQuery = path, query
			r.Header.Set("Content-Type", test.mediaType)
			for _, change := range test.options {
				change(r)
			}
			return r
		})
		if status != test.status || took > maxTimePerRequest || heap > maxHeapPerRequest {
			t.Errorf("%s: %d in %v with %d KB, want %d", test.name, status, took, heap>>10, test.status)
		}
	}
	h.ok(h.get("/readyz")) // alive
	for _, line := range strings.Split(h.lines.String(), "\n") {
		if len(line) > 1000 {
			t.Fatalf("a request filled the log with %d bytes: %.200s", len(line), line)
		}
	}
}

// TestOpenFlowsCostNoRow is class 18: what has only been asked for is kept by
// whoever asks, sealed. Any number of them is open then.
func TestOpenFlowsCostNoRow(t *testing.T) {
	inEachHouse(t, func(h *house) {
		h.webApp("app")
		r := httptest.NewRequest("GET", authorizePath("app"), nil)
		h.atIssuer(r)
		h.unchanged(func() {
			for range 500 {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if w.Code != 200 || w.Body.Len() > 16<<10 {
					h.Fatal(w.Code, w.Body)
				}
			}
		})
	})
}

func TestHeadersBeyondNetHTTPsLimitAreRefused(t *testing.T) {
	h := newHouse(t)
	if a := h.get("/profile", bearerToken(strings.Repeat(".", 2<<20))); a.status != http.StatusRequestHeaderFieldsTooLarge {
		t.Error(a.status)
	}
	h.ok(h.get("/readyz"))
}

// brokenBody fails in the middle.
type brokenBody struct{ io.Reader }

func (b brokenBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func TestBodyThatEndsTooEarlyIsRefused(t *testing.T) {
	h := newHouse(t)
	for path, mediaType := range map[string]string{"/login": "application/json", "/token": "application/x-www-form-urlencoded"} {
		r := httptest.NewRequest("POST", path, brokenBody{strings.NewReader(`{"email":"a@example.com","password":"x"}`)})
		r.Header.Set("Content-Type", mediaType)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		h.refused(answer{status: w.Code, body: w.Body.String()}, 400, "invalid_request")
	}
}

func TestPasswordsAreComparedToTheLastByte(t *testing.T) {
	h := newHouse(t)
	long := strings.Repeat("analytical engine ", 56) // 1,008 bytes
	for i, password := range []string{long[:1000] + "a", long[:72] + "x", strings.Repeat("ü", 511)} {
		email := string(rune('a'+i)) + "@example.com"
		h.ok(h.post("/register", jsonOf("email", email, "name", "A", "password", password)))
		h.ok(h.login(email, password))
		h.wantBody(h.login(email, password[:len(password)-1]+"b"), 401, notSignedIn)
		h.wantBody(h.login(email, password[:72]), 401, notSignedIn)
		h.wantBody(h.login(email, password+"\x00"), 401, notSignedIn)
	}
}

// TestMachinesAreServedWhilePeopleStorm: hashes have a pool of their own.
func TestMachinesAreServedWhilePeopleStorm(t *testing.T) {
	h := newHouse(t, func(c *Config) {
		c.Hasher.Close()
		costly, err := password.New(rand.Reader, password.Options{Params: password.Params{MemoryKiB: 4096, Time: 2, Threads: 1}, Threads: 1, Waiting: 4})
		if err != nil {
			t.Fatal(err)
		}
		c.Hasher = costly
		t.Cleanup(costly.Close)
	})
	_, basic := h.machine("billing")
	var wrong, busy atomic.Int64
	storm := make(chan struct{})
	go func() {
		defer close(storm)
		parallel(100, func(int) {
			switch a := h.login("ada@example.com", "wrong password"); a.status {
			case 401:
				wrong.Add(1)
			case 503:
				busy.Add(1)
			default:
				h.Errorf("%d %s", a.status, a.body)
			}
		})
	}()
	for range 20 {
		h.ok(h.form("/token", []string{"grant_type", "client_credentials"}, basic))
		h.ok(h.get("/jwks"))
	}
	<-storm
	if wrong.Load() == 0 || busy.Load() == 0 {
		t.Errorf("%d were answered, %d told to come back; want some of each", wrong.Load(), busy.Load())
	}
}
