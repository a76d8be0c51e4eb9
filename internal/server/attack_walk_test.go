package server

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/operator"
)

// again repeats what was sent.
func (h *house) again(v visit) answer {
	h.Helper()
	return h.send(v.request.Method, v.request.URL.RequestURI(), v.body, func(r *http.Request) { r.Host, r.Header = v.request.Host, v.request.Header.Clone() })
}

// walk asks every route for a success and for failures of many kinds, always
// with secrets about, and returns the answers by route.
func (h *house) walk(secrets canaries) map[string][]answer {
	h.Helper()
	basic := basicOf(operator.Client{ID: "canary-client", Secret: secrets.clientSecret})
	direct := func(parameters ...string) []string { return append(parameters, "client_id", "direct") }
	options := []option{header("User-Agent", "canary-agent\u202e\u0085"), header("Cookie", "session=canary-cookie"), header("Referer", "https://canary.example/?canary-query"), h.atIssuer}
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
	for _, v := range secrets.visits {
		name := v.request.Method + " " + v.request.URL.Path
		answers[name] = append(answers[name], v.answer, h.again(v))
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
type canaries struct {
	email, password, clientSecret, access, refresh, machine string

	visits []visit // of a person, from signing up to signing out
}

func (h *house) canaries() canaries {
	h.Helper()
	c := canaries{email: "canary.person@example.com", password: "canary password 1"}
	client := h.addClient(operator.Client{ID: "canary-client", Grants: []string{"client_credentials"}})
	c.clientSecret = client.Secret
	h.ok(h.post("/register", jsonOf("email", c.email, "name", "Canary Name", "password", c.password)))
	a := h.ok(h.login(c.email, c.password))
	c.access, c.refresh = a.member("token"), a.member("refresh_token")
	c.machine = h.ok(h.form("/token", []string{"grant_type", "client_credentials"}, basicOf(client))).member("access_token")
	h.visits = &c.visits
	h.journey()
	h.visits = nil
	return c
}

// journey is a person's, through each page and endpoint of signing in.
func (h *house) journey() {
	h.Helper()
	app := h.webApp("canary-app", confidential)
	const email, password, next = "canary.traveller@example.com", "canary password 2", "canary password 3"
	b, form := h.browser(), header("Content-Type", "application/x-www-form-urlencoded")
	path, query, _ := strings.Cut(authorizePath("canary-app", "state", "canary state of an app", "nonce", "canary nonce of an app", "login_hint", "canary.hint@example.com"), "?")
	b.send("POST", path, query, form).press("", "action", "show") // shows the page to sign up, after one more look at this one
	f := b.form("sign-in")
	b.send("POST", "/sign-up", url.Values{"flow": f.fields["flow"], "action": {"show"}}.Encode()).shows(200, "sign-up")
	b.press("sign-up", "email", email, "name", "Canary Traveller", "password", "c4n4ry").shows(422, "sign-up")
	b.press("sign-up", "email", email, "name", "Canary Traveller", "password", password).shows(200, "sign-in")
	b.press("sign-in", "email", email, "password", "canary wrong password").shows(422, "sign-in")
	b.press("sign-in", "email", email, "password", password).shows(200, "allow")
	b.press("allow")
	tokens := h.ok(h.redeem(app, b.answered(redirectURI).Get("code")))
	access := bearerToken(tokens.member("access_token"))
	h.ok(h.get("/userinfo", access))
	h.ok(h.form("/userinfo", []string{"access_token", tokens.member("access_token")}))
	h.ok(h.refresh(tokens.member("refresh_token"), "client_id", app.ID, "client_secret", app.Secret))
	h.clock.advance(time.Minute)
	b.get(authorizePath("canary-app", "response_mode", "form_post", "prompt", "select_account")).shows(200, "continue").press("continue").shows(200, "continue") // with the code, for the app

	h.browser().get("/sign-in").press("sign-in", "email", email, "password", password).shows(200, "save-profile") // another browser of theirs
	b.get("/account").press("save-profile", "phone", "+49 30 canary", "phone", "+49 30 1234567", "address", "Canary Street 1").shows(200, "save-profile")
	b.press("save-password", "current", password, "password", next).shows(200, "save-password")
	token := b.form("save-profile").fields["token"]
	b.send("POST", "/account/sessions", url.Values{"token": token, "session": {"others"}}.Encode()).shows(200, "save-profile")
	b.send("POST", "/account/apps", url.Values{"token": token, "client": {"canary-app"}}.Encode()).shows(200, "save-profile")
	b.send("POST", "/end_session", "client_id=canary-app&state=canary+state+of+leaving", form).shows(200, "sign-out").press("sign-out")
	b.get("/sign-in").press("sign-in", "email", email, "password", next).shows(200, "save-profile")
	b.get(authorizePath("canary-app")).shows(200, "allow").press("allow")
	tokens = h.ok(h.redeem(app, b.answered(redirectURI).Get("code")))
	b.get("/end_session?" + url.Values{"id_token_hint": {tokens.member("id_token")}, "post_logout_redirect_uri": {"https://app.example.com/"}}.Encode())
	if b.left != "https://app.example.com/" {
		h.Errorf("left to %q: %.2000s", b.left, b.at.body)
	}
}

func (c canaries) all() []string {
	all := []string{
		c.email, c.password, c.clientSecret, c.access, c.refresh, c.machine, c.access[len(c.access)-40:], "CANARY", "Canary ",
		"canary-query", "canary-body", "canary-path", "canary-agent", "canary-cookie", "canary-scope", "canary-token", "canary wrong", "canary.", "canary password",
	}
	for _, v := range c.visits {
		all = append(all, v.secrets()...)
	}
	return slices.DeleteFunc(all, func(secret string) bool {
		return len(secret) < 4 || secret == "canary-app" || secret == "canary-client"
	})
}

// secrets are what was typed, sealed, set or issued: every value of a parameter,
// field, cookie or member.
func (v visit) secrets() (all []string) {
	for _, encoded := range []string{v.request.URL.RawQuery, v.body} {
		values, _ := url.ParseQuery(encoded)
		for name, value := range values {
			if name != "action" && name != "session" && name != "scope" && name != "grant_type" {
				all = append(all, value...)
			}
		}
	}
	for _, c := range append(v.request.Cookies(), (&http.Response{Header: v.answer.header}).Cookies()...) {
		all = append(all, c.Value)
	}
	for _, tag := range fieldTag.FindAllStringSubmatch(v.answer.body, -1) {
		all = append(all, attributes(tag[1])["value"])
	}
	if _, query, ok := strings.Cut(v.answer.header.Get("Location"), "?"); ok {
		values, _ := url.ParseQuery(query)
		all = append(all, values.Get("code"), values.Get("state"))
	}
	return append(all, v.answer.member("access_token"), v.answer.member("refresh_token"), v.answer.member("id_token"))
}

// TestNoCacheKeepsAnAnswerAboutAnybody walks all routes. Class 26.
func TestNoCacheKeepsAnAnswerAboutAnybody(t *testing.T) {
	for _, change := range []func(*Config){func(*Config) {}, asDev} {
		h := newHouse(t, change)
		public := []string{"GET /.well-known/openid-configuration", "GET /.well-known/oauth-authorization-server", "GET /jwks", "GET /pages.css", "GET /form-post.js"}
		secrets := h.canaries()
		for name, answers := range h.walk(secrets) {
			for _, a := range answers {
				cached := a.status == 200 && slices.Contains(public, name)
				if !cached && a.header.Get("Cache-Control") != "no-store" {
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
				named := a.member("request_id") != "" || strings.Contains(a.body, "Request <code>")
				if a.status >= 500 && (!named || strings.Contains(strings.ToLower(a.body), "sql") || strings.Contains(a.body, "closed")) && a.member("status") == "" {
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
		basic := basicOf(operator.Client{ID: "canary-client", Secret: secrets.clientSecret})
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
		for _, v := range secrets.visits {
			a := h.again(v)
			for _, c := range (&http.Response{Header: a.header}).Cookies() {
				if c.Name == h.cookies.session {
					h.Errorf("%s %s sets the session's cookie", v.request.Method, v.request.URL.Path)
				}
			}
			_, returns, _ := strings.Cut(a.header.Get("Location"), "code=")
			if granted := a.status < 300 || returns != "" || strings.Contains(a.body, `name="code"`); granted && strings.Trim(v.request.URL.Path, "/") != "signed-out" {
				h.Errorf("%s %s: %d %v %s", v.request.Method, v.request.URL.Path, a.status, a.header, a.body)
			}
		}
		h.ok(h.get("/livez"))
		h.ok(h.get("/jwks"))
	})
}

// TestOnlyPagesAndEntrancesSetCookies, and each so that no script, other site,
// subdomain or plain connection gets it or sets it.
func TestOnlyPagesAndEntrancesSetCookies(t *testing.T) {
	for _, issuer := range []string{"", "https://id.example.com"} {
		h := newHouse(t, func(c *Config) {
			if issuer != "" {
				c.Policy.Issuer = issuer
			}
		})
		routes, set := routesOf(h), map[string]bool{}
		for _, v := range h.canaries().visits {
			name := v.request.Method + " " + v.request.URL.Path
			for _, c := range (&http.Response{Header: v.answer.header}).Cookies() {
				set[c.Name] = true
				if k := routes[name].kind; k != page && k != entrance {
					t.Errorf("%s sets %v", name, c)
				}
				if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
					t.Errorf("%s sets %v", name, c)
				}
				if secure := issuer != ""; c.Secure != secure || strings.HasPrefix(c.Name, "__Host-") != secure {
					t.Errorf("%s sets %v", name, c)
				}
				if v.answer.header.Get("Cache-Control") != "no-store" {
					t.Errorf("%s sets %v, and a cache may keep it", name, c)
				}
			}
		}
		if !set[h.cookies.browser] || !set[h.cookies.session] {
			t.Errorf("only %v were set", set)
		}
	}
}
