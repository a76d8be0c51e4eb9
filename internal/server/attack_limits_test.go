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
