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

	"github.com/keywright/keywright/internal/operator"
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
	"GET /jwks":                        "anybody",
	"GET /authorize":                   "nobody",
	"POST /authorize":                  "nobody",
	"GET /end_session":                 "nobody",
	"POST /end_session":                "nobody",
	"GET /userinfo":                    "clients",
	"POST /userinfo":                   "clients",
	"POST /token":                      "clients",
	"GET /sign-in":                     "nobody",
	"POST /sign-in":                    "nobody",
	"GET /sign-up":                     "nobody",
	"POST /sign-up":                    "nobody",
	"GET /consent":                     "nobody",
	"POST /consent":                    "nobody",
	"GET /continue":                    "nobody",
	"GET /sign-out":                    "nobody",
	"POST /sign-out":                   "nobody",
	"GET /signed-out":                  "nobody",
	"GET /account":                     "nobody",
	"POST /account/profile":            "nobody",
	"POST /account/password":           "nobody",
	"POST /account/apps":               "nobody",
	"POST /account/sessions":           "nobody",
	"GET /.well-known/change-password": "nobody",
	"GET /form-post.js":                "nobody",
	"GET /logo":                        "nobody",
	"GET /logo-dark":                   "nobody",
	"GET /dev/flows":                   "nobody",
	"POST /revoke":                     "clients",
	"POST /introspect":                 "nobody",
	"POST /clients":                    "nobody",
	"GET /clients":                     "nobody",
	"PUT /clients":                     "nobody",
	"DELETE /clients":                  "nobody",
	"GET /livez":                       "nobody",
	"GET /readyz":                      "nobody",
	"GET /healthz":                     "nobody",
	"POST /register":                   "tutorial",
	"POST /login":                      "tutorial",
	"GET /profile":                     "tutorial",
	"GET /":                            "nobody",
	"GET /pages.css":                   "nobody",
	"GET /dev/pages":                   "nobody",
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
			h.addClient(operator.Client{ID: "spa", Public: true, Origins: []string{client}})
			h.addClient(operator.Client{ID: "off", Public: true, Origins: []string{"https://off.example.com"}})
			h.admin("POST", "/clients/off/disable", nil, &operator.Client{})
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

// everything is all rows that a request may write. Whatever matters to an operator writes the journal's too.
const everything = `(SELECT 1 FROM journal UNION ALL SELECT 1 FROM users UNION ALL SELECT 1 FROM grants UNION ALL SELECT 1 FROM attempts
	UNION ALL SELECT 1 FROM sessions UNION ALL SELECT 1 FROM codes UNION ALL SELECT 1 FROM consents) AS everything`

// unchanged wants do to write nothing.
func (h *house) unchanged(do func()) {
	h.Helper()
	before := h.rows(everything)
	do()
	if after := h.rows(everything); after != before {
		h.Errorf("there were %d rows, and are %d", before, after)
	}
}

// TestTheRouteTableIsWhole: each route is of a kind, a GET alone changes nothing,
// and every answer, a refusal's too, says that it is not to be run, framed or
// sniffed. A page's own forms lead home.
func TestTheRouteTableIsWhole(t *testing.T) {
	for _, change := range []func(*Config){func(*Config) {}, asDev} {
		h := newHouse(t, change)
		token := bearerToken(h.signIn("ada@example.com").access)
		routes := routesOf(h)
		h.unchanged(func() {
			for name, r := range routes {
				if r.kind == unsorted || r.serve == nil || r.path[0] != '/' {
					t.Errorf("%s: %+v", name, r)
				}
				for _, method := range []string{"GET", "HEAD", "OPTIONS", "PUT"} {
					a := h.send(method, r.path, "", token, h.atIssuer)
					if _, known := routes[strings.Replace(method, "HEAD", "GET", 1)+" "+r.path]; !known && method != "OPTIONS" && a.status != 405 {
						t.Errorf("%s answers %s with %d", name, method, a.status)
					}
					h.guarded(r.kind, a)
				}
			}
		})
	}
}

// guarded wants the headers that keep browsers from misusing an answer.
func (h *house) guarded(k kind, a answer) {
	h.Helper()
	action, referrer, frames := "form-action 'none'", "no-referrer", ""
	if strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
		action, referrer, frames = "form-action 'self'", "same-origin", "DENY"
		if k == api {
			h.Errorf("an API answers %d with a page", a.status)
		}
	}
	csp := a.header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "base-uri 'none'", action, "frame-ancestors 'none'"} {
		if !strings.Contains(csp, want) || strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") {
			h.Errorf("%d: Content-Security-Policy is %q, want %s", a.status, csp, want)
		}
	}
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": referrer, "X-Frame-Options": frames} {
		if got := a.header.Get(name); got != want {
			h.Errorf("%d: %s is %q, want %q", a.status, name, got, want)
		}
	}
}

// TestEntrancesDecideNothingOnPOST: whatever another site posts, it is answered
// by the way to the entrance's own GET, whoever is signed in.
func TestEntrancesDecideNothingOnPOST(t *testing.T) {
	h := newHouse(t)
	h.registered("ada@example.com")
	h.webApp("app", trusted)
	b := h.browser()
	b.codeFor("app")
	form := header("Content-Type", "application/x-www-form-urlencoded")
	h.unchanged(func() {
		for name, r := range routesOf(h) {
			if r.kind != entrance || r.method != "POST" {
				continue
			}
			for _, from := range []string{"https://evil.example", "null", h.Policy.Issuer} {
				a := h.send("POST", r.path, "client_id=app&x=%0d%0a%22", form, b.sendCookies, h.atIssuer, header("Origin", from))
				if a.status != 303 || a.header.Get("Location") != r.path+"?client_id=app&x=%0D%0A%22" || a.header["Set-Cookie"] != nil {
					t.Errorf("%s from %s: %d %v", name, from, a.status, a.header)
				}
			}
			for _, a := range []answer{
				h.send("POST", r.path, "{}", header("Content-Type", "application/json"), h.atIssuer), h.send("POST", r.path, "a=%", form, h.atIssuer),
				h.send("POST", r.path+"?client_id=app", "client_id=app", form, h.atIssuer), h.send("POST", r.path, strings.Repeat("a", maxParameters+1), form, h.atIssuer),
			} {
				if a.status != 400 && a.status != 403 || a.header.Get("Location") != "" {
					t.Errorf("%s: %d %v", name, a.status, a.header)
				}
			}
		}
	})
}

// TestAPIsKnowNoCookie: a living session changes no answer of theirs, and none
// of them sets a cookie.
func TestAPIsKnowNoCookie(t *testing.T) {
	h := newHouse(t)
	h.registered("ada@example.com")
	h.webApp("app", trusted)
	b := h.browser()
	b.codeFor("app")
	for name, r := range routesOf(h) {
		if r.kind != api {
			continue
		}
		without, with := h.send(r.method, r.path, ""), h.send(r.method, r.path, "", b.sendCookies)
		if difference := unlike(without, with); difference != "" || with.header["Set-Cookie"] != nil {
			t.Errorf("%s: %s", name, difference)
		}
	}
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
		browser *browser
		email   string
	}
	people := make([]person, 2)
	for i := range people {
		people[i].email = fmt.Sprintf("person%d@example.com", i)
		people[i].tokens = h.signIn(people[i].email)
		people[i].browser = h.browser().get("/sign-in").signInAs(people[i].email)
		people[i].profile = h.ok(h.get("/profile", bearerToken(people[i].tokens.access))).body
	}
	if people[0].profile == people[1].profile {
		t.Fatal(people)
	}
	var crossed atomic.Int64
	parallel(16, func(worker int) {
		for i := range 10_000 / 16 {
			p, other := people[(worker+i)%2], people[(worker+i+1)%2]
			switch {
			case i%50 == 8:
				page := h.ok(h.get("/account", p.browser.sendCookies, h.atIssuer)).body
				if !strings.Contains(page, p.email) || strings.Contains(page, other.email) {
					crossed.Add(1)
				}
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
	for _, path := range []string{"/register", "/login", "/profile", "/dev/flows", "/dev/pages"} {
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
