package server

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// asDev is `keywright dev` on the test's listener.
func asDev(c *Config) {
	port := c.Policy.Issuer[strings.LastIndex(c.Policy.Issuer, ":"):]
	c.Policy.Issuer = "http://localhost" + port
	c.Dev = &Dev{Hosts: []string{"localhost" + port, "127.0.0.1" + port, "[::1]" + port}, APIURL: "http://localhost:10102/api"}
	c.DirectOrigins = nil
}

// routesOf returns every route by name.
func routesOf(h *house) map[string]route {
	h.Helper()
	table, err := h.table()
	if err != nil {
		h.Fatal(err)
	}
	all := map[string]route{}
	for _, r := range table {
		all[r.method+" "+r.path] = r
	}
	return all
}

// whoMayRead has a row for each route: which pages may read its answers. It is
// written down here and not taken from the table, so that a new or changed
// route fails until somebody has thought about it.
var whoMayRead = map[string]string{
	"GET /.well-known/openid-configuration":       "anybody",
	"GET /.well-known/oauth-authorization-server": "anybody",
	"GET /jwks":        "anybody",
	"POST /token":      "clients",
	"POST /revoke":     "clients",
	"POST /introspect": "nobody",
	"GET /livez":       "nobody",
	"GET /readyz":      "nobody",
	"GET /healthz":     "nobody",
	"POST /register":   "tutorial",
	"POST /login":      "tutorial",
	"GET /profile":     "tutorial",
	"GET /":            "nobody",
	"GET /pages.css":   "nobody",
	"GET /dev/pages":   "nobody",
}

// allowedOrigin is what Access-Control-Allow-Origin must say.
func allowedOrigin(who, origin string, clients, tutorial []string) string {
	switch {
	case who == "anybody":
		return "*"
	case who == "clients" && (slices.Contains(clients, origin) || slices.Contains(tutorial, origin)):
		return origin
	case who == "tutorial" && slices.Contains(tutorial, origin):
		return origin
	}
	return ""
}

// TestOnlyTheRightPagesMayRead is the CORS matrix of class 26: every route × its
// method, its preflight and a method it has not × origins.
func TestOnlyTheRightPagesMayRead(t *testing.T) {
	client := "https://app.example.com"
	for name, kind := range map[string]struct {
		change   func(*Config)
		tutorial []string
	}{
		"serve": {func(*Config) {}, []string{appOrigin}},
		"dev":   {asDev, []string{appOrigin, "http://localhost", "http://localhost:1"}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, kind.change)
			h.addClient(ClientView{ID: "spa", Public: true, Origins: []string{client}})
			h.addClient(ClientView{ID: "off", Public: true, Origins: []string{"https://off.example.com"}})
			h.admin("POST", "/clients/off/disable", nil, &ClientView{})
			origins := []string{
				client, appOrigin, "http://localhost", "http://localhost:1", "null", "", "*", "https://evil.example", "https://off.example.com",
				client + ".evil.example", client + ":443", "https://APP.example.com", "http://app.example.com", client + "/", "https://evil@app.example.com",
				"http://localhost:4200@evil.example", "http://localhost.evil.example", "http://localhost:x", "http://localhost:", "http://localhost:99999",
				"https://localhost:4200", "http://evil.localhost", "http://127.0.0.1:4200", "http://[::1]:4200", client + " " + appOrigin, client + "," + appOrigin,
			}
			for name, r := range routesOf(h) {
				if strings.HasPrefix(name, "GET /dev/pages/") {
					name = "GET /dev/pages"
				}
				who, known := whoMayRead[name]
				if !known {
					t.Errorf("route %s has no row", name)
				}
				for _, method := range []string{r.method, "OPTIONS", "DELETE", "HEAD"} {
					for _, origin := range origins {
						a := h.send(method, r.path, "", header("Origin", origin), header("Access-Control-Request-Method", r.method))
						got, want := strings.Join(a.header.Values("Access-Control-Allow-Origin"), "|"), allowedOrigin(who, origin, []string{client}, kind.tutorial)
						if got != want {
							t.Errorf("%s %s from %q: %d allows %q, want %q", method, r.path, origin, a.status, got, want)
						}
						if a.header["Access-Control-Allow-Credentials"] != nil {
							t.Errorf("%s %s: credentials are allowed", method, r.path)
						}
						if (who == "clients" || who == "tutorial") && a.header.Get("Vary") != "Origin" {
							t.Errorf("%s %s: no Vary", method, r.path)
						}
					}
				}
			}
		})
	}
}

// TestTheRouteTableIsWhole: each route is of a kind, none changes anything by
// GET, and every answer, a refusal's too, says that it is not to be run,
// framed or sniffed.
func TestTheRouteTableIsWhole(t *testing.T) {
	for _, change := range []func(*Config){func(*Config) {}, asDev} {
		h := newHouse(t, change)
		token := bearerToken(h.signIn("ada@example.com").access)
		rows := func() (n [5]int) {
			for i, table := range []string{"journal", "users", "grants", "attempts", "revoked_tokens"} {
				n[i] = h.rows(table)
			}
			return n
		}
		before := rows()
		for name, r := range routesOf(h) {
			if r.kind == unsorted || r.serve == nil || r.path[0] != '/' {
				t.Errorf("%s: %+v", name, r)
			}
			for _, method := range []string{"GET", "HEAD", "OPTIONS", "PUT"} {
				a := h.send(method, r.path, "", token)
				if r.method == "POST" && method != "OPTIONS" && a.status != 405 {
					t.Errorf("%s answers %s with %d", name, method, a.status)
				}
				for header, wants := range map[string][]string{
					"Content-Security-Policy": {"default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"},
					"X-Content-Type-Options":  {"nosniff"}, "Referrer-Policy": {"no-referrer"},
				} {
					for _, want := range wants {
						if got := a.header.Get(header); !strings.Contains(got, want) || strings.Contains(got, "unsafe") {
							t.Errorf("%s %s: %s is %q", method, r.path, header, got)
						}
					}
				}
			}
		}
		if after := rows(); after != before {
			t.Errorf("a GET changed rows: %v, %v", before, after)
		}
	}
}

// walk asks every route for a success and for failures of many kinds, always
// with secrets about, and returns the answers by route.
func (h *house) walk(secrets canaries) map[string][]answer {
	h.Helper()
	basic := basicOf(ClientView{ID: "canary-client", Secret: secrets.clientSecret})
	direct := func(parameters ...string) []string { return append(parameters, "client_id", "direct") }
	options := []option{header("User-Agent", "canary-agent\u202e\u0085"), header("Cookie", "session=canary-cookie"), header("Referer", "https://canary.example/?canary-query")}
	with := func(more ...option) []option { return append(slices.Clone(options), more...) }
	json := func(path, body string, more ...option) answer { return h.post(path, body, with(more...)...) }
	form := func(path string, parameters []string, more ...option) answer {
		return h.form(path, parameters, with(more...)...)
	}
	register := func(email string) string {
		return jsonOf("email", email, "name", "Canary Name", "password", secrets.password)
	}
	signIn := jsonOf("email", secrets.email, "password", secrets.password)
	answers := map[string][]answer{
		"POST /register": {
			json("/register", register("another."+secrets.email)), json("/register", register(secrets.email)), json("/register", register("canary")),
			json("/register?canary-query", `{"canary`), json("/register", register(secrets.email), header("Origin", "https://canary.example")),
		},
		"POST /login": {
			json("/login", signIn), json("/login", jsonOf("email", secrets.email, "password", "canary wrong")), json("/login?canary-query", signIn+"canary"),
			json("/login", jsonOf("email", "canary", "password", secrets.password)), json("/login", jsonOf("canary", "canary")),
		},
		"GET /profile": {
			h.get("/profile", with(bearerToken(secrets.access))...), h.get("/profile?access_token="+secrets.access, options...),
			h.get("/profile", with(bearerToken(secrets.access+"x"))...), h.get("/profile", with(bearerToken(secrets.refresh))...), h.get("/profile", options...),
		},
		"POST /token": {
			form("/token", direct("grant_type", "refresh_token", "refresh_token", secrets.refresh)),
			form("/token", direct("grant_type", "refresh_token", "refresh_token", secrets.refresh+"x")),
			form("/token", direct("grant_type", "refresh_token", "refresh_token", secrets.refresh, "scope", "canary-scope")),
			form("/token", direct("grant_type", "password", "username", secrets.email, "password", secrets.password)),
			form("/token", []string{"grant_type", "client_credentials"}, basic),
			form("/token", []string{"grant_type", "client_credentials", "client_id", secrets.email, "client_secret", secrets.clientSecret}),
			form("/token?client_secret="+secrets.clientSecret, []string{"grant_type", "client_credentials"}),
			form("/token", []string{"grant_type", "client_credentials", "client_secret", secrets.clientSecret}, basic),
		},
		"POST /introspect": {
			form("/introspect", []string{"token", secrets.machine}, basic), form("/introspect", []string{"token", secrets.refresh}, basic),
			form("/introspect", direct("token", secrets.access)), form("/introspect?token="+secrets.access, direct("token", secrets.access)),
		},
		"POST /revoke": {
			form("/revoke", []string{"token", secrets.machine}, basic), form("/revoke", direct("token", "canary-token")),
			form("/revoke", []string{"token", secrets.access, "client_id", "canary-client"}), json("/revoke", jsonOf("token", secrets.access)),
		},
	}
	for name, r := range routesOf(h) {
		if r.method == "GET" {
			answers[name] = append(answers[name], h.get(r.path, options...), h.get(r.path+"?access_token="+secrets.access, options...))
		}
		if answers[name] == nil {
			h.Errorf("route %s has no example", name)
		}
		answers[name] = append(answers[name], h.send("DELETE", r.path+"?canary-query", "canary-body", options...))
	}
	answers["nowhere"] = []answer{h.get("/canary-path/"+secrets.access+"?canary-query", options...), h.send("CANARY", "/canary-path", "", options...)}
	return answers
}

// canaries are what no log may hold.
type canaries struct{ email, password, clientSecret, access, refresh, machine string }

func (h *house) canaries() canaries {
	h.Helper()
	c := canaries{email: "canary.person@example.com", password: "canary password 1"}
	client := h.addClient(ClientView{ID: "canary-client", Grants: []string{"client_credentials"}})
	c.clientSecret = client.Secret
	h.ok(h.post("/register", jsonOf("email", c.email, "name", "Canary Name", "password", c.password)))
	a := h.ok(h.login(c.email, c.password))
	c.access, c.refresh = a.member("token"), a.member("refresh_token")
	c.machine = h.ok(h.form("/token", []string{"grant_type", "client_credentials"}, basicOf(client))).member("access_token")
	return c
}

func (c canaries) all() []string {
	return []string{
		c.email, c.password, c.clientSecret, c.access, c.refresh, c.machine, c.access[len(c.access)-40:], "CANARY", "Canary Name",
		"canary-query", "canary-body", "canary-path", "canary-agent", "canary-cookie", "canary-scope", "canary-token", "canary wrong", "canary.example", "another.canary",
	}
}

// TestNoCacheKeepsAnAnswerAboutAnybody walks all routes. Class 26.
func TestNoCacheKeepsAnAnswerAboutAnybody(t *testing.T) {
	for _, change := range []func(*Config){func(*Config) {}, asDev} {
		h := newHouse(t, change)
		public := []string{"GET /.well-known/openid-configuration", "GET /.well-known/oauth-authorization-server", "GET /jwks", "GET /pages.css"}
		secrets := h.canaries()
		for name, answers := range h.walk(secrets) {
			for _, a := range answers {
				cached := a.status == 200 && slices.Contains(public, name)
				if !cached && a.header.Get("Cache-Control") != "no-store" && a.status != 302 {
					t.Errorf("%s: %d with Cache-Control %q", name, a.status, a.header.Get("Cache-Control"))
				}
			}
		}
	}
}

// TestLogHoldsNoSecret walks all routes, with a store that works and with one
// that fails. Classes 21 and 26.
func TestLogHoldsNoSecret(t *testing.T) {
	inEachHouse(t, func(h *house) {
		secrets := h.canaries()
		h.walk(secrets)
		h.closeStore()
		for name, answers := range h.walk(secrets) {
			for _, a := range answers {
				if a.status >= 500 && (a.member("request_id") == "" || strings.Contains(strings.ToLower(a.body), "sql") || strings.Contains(a.body, "closed")) && a.member("status") == "" {
					h.Errorf("%s: %s", name, a.body)
				}
			}
		}
		log := h.lines.String()
		for _, secret := range secrets.all() {
			if i := strings.Index(log, secret); i >= 0 {
				h.Errorf("the log holds %.30q: %.400s", secret, log[max(0, i-200):])
			}
		}
		if lines := strings.Split(strings.TrimSpace(log), "\n"); len(lines) < 60 {
			h.Errorf("only %d lines", len(lines))
		} else {
			for _, line := range lines {
				if !strings.HasPrefix(line, `{"time":"`) || !strings.HasSuffix(line, "}") || !strings.Contains(line, `"msg":"request","request_id":"`) {
					h.Errorf("not one JSON object a line: %s", line)
				}
			}
		}
		if !strings.Contains(log, `"client_id":"canary-client"`) {
			h.Error("the log does not name the client")
		}
	})
}

// TestStoreThatFailsIsNeverTakenForASuccess closes the database under the server.
func TestStoreThatFailsIsNeverTakenForASuccess(t *testing.T) {
	inEachHouse(t, func(h *house) {
		secrets := h.canaries()
		basic := basicOf(ClientView{ID: "canary-client", Secret: secrets.clientSecret})
		h.closeStore()
		for name, a := range map[string]answer{
			"register":           h.post("/register", jsonOf("email", "b@example.com", "name", "B", "password", rightPassword)),
			"login":              h.login(secrets.email, secrets.password),
			"profile":            h.get("/profile", bearerToken(secrets.access)),
			"refresh":            h.refresh(secrets.refresh),
			"client credentials": h.form("/token", []string{"grant_type", "client_credentials"}, basic),
			"introspect":         h.form("/introspect", []string{"token", secrets.machine}, basic),
			"revoke":             h.form("/revoke", []string{"token", secrets.machine}, basic),
			"readyz":             h.get("/readyz"),
			"healthz":            h.get("/healthz"),
		} {
			if a.status < 500 {
				h.Errorf("%s: %d %s", name, a.status, a.body)
			}
			if id := a.member("request_id"); id != "" && !strings.Contains(h.lines.String(), `"level":"ERROR","msg":"request","request_id":"`+id+`"`) {
				h.Errorf("%s: the log does not explain request %s", name, id)
			}
		}
		h.ok(h.get("/livez"))
		h.ok(h.get("/jwks"))
	})
}

func TestPanicIsAnsweredWithAnID(t *testing.T) {
	h := newHouse(t)
	h.routes["/panic"] = routeTable{{"GET", "/panic", api, withNobody, func(*exchange) { panic("a canary of a panic") }}}.endpoints()["/panic"]
	h.routes["/late"] = routeTable{{"GET", "/late", api, withNobody, func(x *exchange) { x.json(200, health{"ok"}); panic("late") }}}.endpoints()["/late"]
	h.routes["/abort"] = routeTable{{"GET", "/abort", api, withNobody, func(*exchange) { panic(http.ErrAbortHandler) }}}.endpoints()["/abort"]
	a := h.get("/panic")
	h.refused(a, 500, "server_error")
	id := a.member("request_id")
	if log := h.lines.String(); id == "" || strings.Contains(a.body, "canary") || !strings.Contains(log, id) || !strings.Contains(log, "a canary of a panic") || !strings.Contains(log, "attack_routes_test.go") {
		t.Error(a.body, log)
	}
	h.ok(h.get("/late"))
	if !strings.Contains(h.lines.String(), "panic: late") {
		t.Error("a panic after the answer is not in the log")
	}
	if resp, err := h.web.Client().Get(h.web.URL + "/abort"); err == nil {
		resp.Body.Close()
		t.Error("an aborted request is answered")
	}
	h.ok(h.get("/livez"))
}

// TestTwoPeopleNeverSeeEachOther is class 26: 10,000 requests of two people.
func TestTwoPeopleNeverSeeEachOther(t *testing.T) {
	h := newHouse(t, grace(1<<40))
	type person struct {
		tokens  signedIn
		profile string
	}
	people := make([]person, 2)
	for i := range people {
		people[i].tokens = h.signIn(fmt.Sprintf("person%d@example.com", i))
		people[i].profile = h.ok(h.get("/profile", bearerToken(people[i].tokens.access))).body
	}
	if people[0].profile == people[1].profile {
		t.Fatal(people)
	}
	var crossed atomic.Int64
	parallel(16, func(worker int) {
		for i := range 10_000 / 16 {
			p := people[(worker+i)%2]
			switch {
			case i%10 == 9:
				a := h.ok(h.refresh(p.tokens.refresh))
				if mustVerify(h, a.member("access_token")).Subject != mustVerify(h, p.tokens.access).Subject {
					crossed.Add(1)
				}
			default:
				if h.get("/profile", bearerToken(p.tokens.access)).body != p.profile {
					crossed.Add(1)
				}
			}
		}
	})
	if crossed.Load() != 0 {
		t.Errorf("%d answers were somebody else's", crossed.Load())
	}
}

func TestDevAnswersToItsOwnNamesOnly(t *testing.T) {
	h := newHouse(t, asDev)
	_, port, _ := strings.Cut(h.web.Listener.Addr().String(), ":")
	host := func(name string) option { return func(r *http.Request) { r.Host = name } }
	for _, name := range []string{"evil.example", "evil.example:" + port, "localhost", "localhost:1", "localhost." + ":" + port, "127.0.0.1", "[::1]", "127.0.0.2:" + port} {
		for _, method := range []string{"GET", "POST", "OPTIONS"} {
			a := h.send(method, "/login", "", host(name), header("Origin", appOrigin))
			h.refused(a, 421, "misdirected_request")
			h.shared(a, "")
		}
	}
	for _, name := range []string{"localhost:" + port, "127.0.0.1:" + port, "[::1]:" + port} {
		h.ok(h.get("/livez", host(name)))
	}
}

func TestStartPageStandsAtTheIssuer(t *testing.T) {
	h := newHouse(t, asDev)
	host := func(r *http.Request) { r.Host = strings.TrimPrefix(h.Policy.Issuer, "http://") }
	a := h.get("/") // at 127.0.0.1
	if a.status != 302 || a.header.Get("Location") != h.Policy.Issuer+"/" {
		t.Error(a)
	}
	page := h.ok(h.get("/", host))
	for _, want := range []string{h.Policy.Issuer, "/register", "/login", "http://localhost:10102/api"} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if csp := page.header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.HasSuffix(csp, "; style-src 'self'") || strings.Contains(csp, "unsafe") {
		t.Error(csp)
	}
	if style := h.ok(h.get("/pages.css", host)); !strings.HasPrefix(style.header.Get("Content-Type"), "text/css") {
		t.Error(style.header)
	}
}

func TestTutorialIsAbsentWhereNoPageMayUseIt(t *testing.T) {
	h := newHouse(t, func(c *Config) { c.DirectOrigins = nil })
	for _, path := range []string{"/register", "/login", "/profile", "/", "/pages.css"} {
		if a := h.post(path, `{}`); a.status != 404 {
			t.Errorf("%s: %d", path, a.status)
		}
	}
}

func TestUnknownPathsAreRefusedAsJSON(t *testing.T) {
	h := newHouse(t)
	for _, path := range []string{"/nothing", "/token/", "/Token", "//token", "/token/../token", "/%74oken/", "/.env", "/..%2f..%2fetc/passwd", "/login;x", "/\\"} {
		a := h.send("POST", path, "")
		h.refused(a, 404, "not_found")
		if a.header.Get("Content-Type") != "application/json" {
			t.Error(a.header)
		}
	}
}

func TestStrictTransportSecurityNeedsHTTPS(t *testing.T) {
	for issuer, want := range map[string]string{"https://id.example.com": "max-age=31536000; includeSubDomains", "http://localhost:1": ""} {
		h := newHouse(t, func(c *Config) { c.Policy.Issuer = issuer })
		if got := h.get("/livez").header.Get("Strict-Transport-Security"); got != want {
			t.Errorf("%s: %q", issuer, got)
		}
	}
}

func TestReadinessTurnsFirstWhenDraining(t *testing.T) {
	h := newHouse(t)
	h.ok(h.get("/readyz"))
	h.Drain()
	if a := h.get("/readyz"); a.status != 503 {
		t.Error(a.status)
	}
	h.ok(h.get("/livez"))
}

func TestSenderThatGivesUpIsNoFailureOfOurs(t *testing.T) {
	h := newHouse(t)
	r := httptest.NewRequest("POST", "/login", strings.NewReader(jsonOf("email", "ada@example.com", "password", "x")))
	r.Header.Set("Content-Type", "application/json")
	gone, cancel := context.WithCancel(r.Context())
	cancel()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r.WithContext(gone))
	if w.Code < 500 || strings.Contains(h.lines.String(), "ERROR") {
		t.Error(w.Code, h.lines.String())
	}
}
