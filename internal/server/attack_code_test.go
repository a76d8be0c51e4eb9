package server

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/operator"
	"github.com/keywright/keywright/internal/store"
	"github.com/keywright/keywright/internal/store/storetest"
)

// A taker is an endpoint that takes a value of one purpose, or of a few.
type taker struct {
	name  string
	takes []string
	took  func(h *house, value string) bool
}

// holdings are one value of each purpose, all of one person, client and browser.
func (h *house) holdings() (values map[string]string, takers []taker) {
	h.registered("ada@example.com")
	app := h.webApp("app", confidential)
	b := h.browser()
	values = map[string]string{}
	values["sealed flow"] = b.get(authorizePath("app")).form("sign-in").fields.Get("flow")
	values["sealed consent"] = b.signInAs("ada@example.com").form("allow").fields.Get("request")
	tokens := h.ok(h.redeem(app, b.press("allow").answered(redirectURI).Get("code")))
	for _, name := range []string{"access_token", "refresh_token", "id_token"} {
		values[name] = tokens.member(name)
	}
	values["sealed consent"] = b.get(authorizePath("app", "prompt", "consent")).form("allow").fields.Get("request")
	h.clock.advance(time.Second) // the choice is of who signed in before the flow
	values["sealed choice"] = b.get(authorizePath("app", "prompt", "select_account")).form("continue").fields.Get("flow")
	values["code"] = b.codeFor("app")
	values["account token"] = b.get("/account").form("save-profile").fields.Get("token")
	values["sealed sign-out"] = b.get("/sign-out").form("sign-out").fields.Get("request")
	values["session cookie"], values["browser cookie"] = b.cookies[h.cookies.session], b.cookies[h.cookies.browser]
	values["client secret"] = app.Secret
	var initial operator.RegistrationToken
	h.admin("POST", "/registration-tokens", operator.NewRegistrationToken{Uses: 1000, TTL: time.Hour}, &initial)
	values["initial access token"] = initial.Token
	itself := h.enrol(shop)
	values["registration access token"] = itself.RegistrationAccessToken
	values["tutorial's access token"] = h.signIn("grace@example.com").access
	basic := basicOf(app)
	post := func(path string, fields ...string) answer {
		return h.send("POST", path, encode(fields), b.sendCookies, asBrowser(h, "POST"))
	}
	return values, []taker{
		{"token at /introspect", []string{"access_token", "refresh_token"}, func(h *house, v string) bool {
			return strings.Contains(h.form("/introspect", []string{"token", v}, basic).body, `"active":true`)
		}},
		{"code at /token", []string{"code"}, func(h *house, v string) bool { return h.redeem(app, v).status == 200 }},
		{"refresh_token at /token", []string{"refresh_token"}, func(h *house, v string) bool {
			return h.refresh(v, "client_id", app.ID, "client_secret", app.Secret).status == 200
		}},
		{"client_secret at /token", []string{"client secret"}, func(h *house, v string) bool {
			return h.refresh("x", "client_id", app.ID, "client_secret", v).member("error") == "invalid_grant"
		}},
		{"client_assertion at /token", nil, func(h *house, v string) bool {
			a := h.refresh("x", "client_id", app.ID, "client_assertion_type", assertionType, "client_assertion", v)
			return a.member("error") != "invalid_client"
		}},
		{"bearer at GET /userinfo", []string{"access_token", "tutorial's access token"}, func(h *house, v string) bool { return h.get("/userinfo", bearerToken(v)).status == 200 }},
		{"access_token at POST /userinfo", []string{"access_token", "tutorial's access token"}, func(h *house, v string) bool {
			return h.form("/userinfo", []string{"access_token", v}).status == 200
		}},
		{"bearer at /profile", []string{"tutorial's access token"}, func(h *house, v string) bool { return h.get("/profile", bearerToken(v)).status == 200 }},
		{"flow at /sign-in", []string{"sealed flow"}, func(h *house, v string) bool { return post("/sign-in", "flow", v, "action", "show").status == 200 }},
		{"choice at /sign-in", []string{"sealed choice"}, func(h *house, v string) bool {
			return post("/sign-in", "flow", v, "action", "continue").status < 400 || post("/sign-in", "flow", v, "action", "other").status < 400
		}},
		{"flow at /sign-up", []string{"sealed flow"}, func(h *house, v string) bool { return post("/sign-up", "flow", v, "action", "show").status == 200 }},
		{"request at /consent", []string{"sealed consent"}, func(h *house, v string) bool { return post("/consent", "request", v, "action", "allow").status < 400 }},
		{"request at /sign-out", []string{"sealed sign-out"}, func(h *house, v string) bool { return post("/sign-out", "request", v, "action", "stay").status < 400 }},
		{"token at /account", []string{"account token"}, func(h *house, v string) bool {
			return post("/account/profile", "token", v, "name", "Ada").status < 400
		}},
		{"session cookie", []string{"session cookie"}, func(h *house, v string) bool {
			return h.get("/account", header("Cookie", h.cookies.session+"="+v), h.atIssuer).status == 200
		}},
		{"browser cookie", []string{"browser cookie"}, func(h *house, v string) bool {
			a := h.send("POST", "/sign-in", encode([]string{"flow", values["sealed flow"], "action", "show"}), header("Cookie", h.cookies.browser+"="+v), asBrowser(h, "POST"))
			return a.status == 200
		}},
		{"id_token_hint at /authorize", []string{"id_token"}, func(h *house, v string) bool {
			a := h.get(authorizePath("app", "id_token_hint", v, "prompt", "none"), b.sendCookies, h.atIssuer)
			return strings.Contains(a.header.Get("Location"), "code=")
		}},
		{"id_token_hint at /end_session", []string{"id_token"}, func(h *house, v string) bool {
			return h.get("/end_session?id_token_hint="+url.QueryEscape(v), h.atIssuer).status < 400
		}},
		{"bearer at POST /clients", []string{"initial access token"}, func(h *house, v string) bool { return h.post("/clients", shop, bearerToken(v)).status == 201 }},
		{"bearer at GET /clients", []string{"registration access token"}, func(h *house, v string) bool { return h.get(itself.path, bearerToken(v)).status == 200 }},
		{"password", nil, func(h *house, v string) bool { return h.login("ada@example.com", v).status == 200 }},
	}
}

// TestEachValueServesOnePurpose is the matrix of class 5: each value at every
// endpoint that takes another, and then where it belongs.
func TestEachValueServesOnePurpose(t *testing.T) {
	inEachHouse(t, func(h *house) {
		values, takers := h.holdings()
		for name, value := range values {
			for _, at := range takers {
				if value == "" {
					h.Fatalf("there is no %s", name)
				}
				if !slices.Contains(at.takes, name) && at.took(h, value) {
					h.Errorf("%s is taken as %s", name, at.name)
				}
			}
		}
		for _, at := range takers {
			for _, name := range at.takes {
				if !at.took(h, values[name]) {
					h.Errorf("%s is not taken as %s", name, at.name)
				}
			}
		}
	}, registering)
}

// TestCodeIsBoundToAllThatItWasIssuedFor is class 5: no mistake of one who has
// stolen it spends it, or shows in the answer.
func TestCodeIsBoundToAllThatItWasIssuedFor(t *testing.T) {
	inEachHouse(t, func(h *house) {
		h.registered("ada@example.com")
		app, other, native := h.webApp("app", confidential), h.webApp("other", confidential), h.webApp("public")
		b := h.browser()
		code := b.codeFor("app")
		want := h.redeem(app, "kwc_"+randomText())
		h.refused(want, 400, "invalid_grant")
		for name, a := range map[string]answer{
			"another client":             h.redeem(other, code),
			"a public client":            h.redeem(native, code),
			"another redirect_uri":       h.redeem(app, code, "redirect_uri", "https://app.example.com/other"),
			"redirect_uri in upper case": h.redeem(app, code, "redirect_uri", strings.ToUpper(redirectURI)),
			"another verifier":           h.redeem(app, code, "code_verifier", strings.Repeat("a", 43)),
			"no verifier":                h.redeem(app, code, "code_verifier", ""),
		} {
			if difference := unlike(want, a); difference != "" {
				h.Errorf("%s: %s", name, difference)
			}
		}
		for _, text := range changed(code) {
			h.refused(h.redeem(app, text), 400, "invalid_grant")
		}
		h.refused(h.redeem(operator.Client{ID: "app"}, code), 401, "invalid_client")
		first := h.ok(h.redeem(app, code))
		access := bearerToken(first.member("access_token"))
		h.ok(h.get("/userinfo", access))
		h.refused(h.redeem(other, code), 400, "invalid_grant") // no business of theirs: nothing ends
		h.ok(h.get("/userinfo", access))
		h.refused(h.redeem(app, code), 400, "invalid_grant")
		if a := h.get("/userinfo", access); a.status != 401 {
			h.Errorf("after a replay the access token lives: %d", a.status)
		}
		h.refused(h.refresh(first.member("refresh_token"), "client_id", app.ID, "client_secret", app.Secret), 400, "invalid_grant")

		late := b.codeFor("app")
		h.clock.advance(time.Minute)
		h.refused(h.redeem(app, late), 400, "invalid_grant")
	})
}

// TestParallelRedemptionsGiveOneGrant is class 5: of 200 at once one succeeds,
// and the replays end what it got; also where two servers share a database.
func TestParallelRedemptionsGiveOneGrant(t *testing.T) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		h := build(t, o)
		nodes := []*house{h}
		if o.DatabaseURL != "" {
			nodes = append(nodes, build(t, o, func(c *Config) { c.Policy.Issuer = h.Policy.Issuer }))
		}
		h.registered("ada@example.com")
		app := h.webApp("app", confidential)
		b := h.browser()
		for _, together := range [][]*house{nodes[:1], nodes} {
			code := b.codeFor("app")
			var succeeded atomic.Int64
			var tokens atomic.Value
			parallel(200, func(i int) {
				node := together[i%len(together)]
				a := node.redeem(app, code)
				if a.status == 200 {
					succeeded.Add(1)
					tokens.Store(a)
				} else {
					node.refused(a, 400, "invalid_grant")
				}
			})
			if succeeded.Load() != 1 {
				t.Fatalf("%d redemptions succeeded on %d servers", succeeded.Load(), len(together))
			}
			for _, node := range together {
				if a := node.get("/userinfo", bearerToken(tokens.Load().(answer).member("access_token"))); a.status != 401 {
					t.Errorf("after the replays the access token lives: %d", a.status)
				}
			}
		}
	})
}

// TestPKCEIsNeitherDroppedNorDowngraded is class 7: with and without challenge ×
// with and without verifier × methods.
func TestPKCEIsNeitherDroppedNorDowngraded(t *testing.T) {
	inEachHouse(t, func(h *house) {
		h.registered("ada@example.com")
		optional := false
		clients := map[string]operator.Client{
			"public": h.webApp("public"), "confidential": h.webApp("confidential", confidential),
			"lax": h.webApp("lax", confidential, func(c *operator.Client) { c.RequirePKCE = &optional }),
		}
		b := h.browser()
		b.codeFor("public")
		for id, c := range clients {
			if code := b.codeFor(id); h.redeem(c, code).status != 200 {
				h.Errorf("%s: the right verifier is refused", id)
			}
			for _, wrong := range []string{"", "x", verifier[:42], verifier + "A", verifier[:42] + "l", challengeOf(verifier), strings.ToUpper(verifier), " " + verifier, verifier + "=", strings.Repeat("a", 129), verifier + "\n"} {
				h.refused(h.redeem(c, b.codeFor(id), "code_verifier", wrong), 400, "invalid_grant")
			}
			long := strings.Repeat("-._~", 32)
			h.ok(h.redeem(c, b.codeFor(id, "code_challenge", challengeOf(long)), "code_verifier", long))
			for name, parameters := range map[string][]string{
				"plain": {"code_challenge_method", "plain"}, "no method": {"code_challenge_method", ""}, "s256": {"code_challenge_method", "s256"}, "S512": {"code_challenge_method", "S512"},
				"plain with the verifier": {"code_challenge_method", "plain", "code_challenge", verifier}, "a method alone": {"code_challenge", ""},
				"a short challenge": {"code_challenge", "x"}, "a long one": {"code_challenge", challengeOf(verifier) + "A"}, "one with padding": {"code_challenge", challengeOf(verifier) + "="},
			} {
				if values := b.get(authorizePath(id, parameters...)).answered(redirectURI); values.Get("error") != "invalid_request" || values.Get("code") != "" {
					h.Errorf("%s, %s: %v", id, name, values)
				}
			}
			without := b.get(authorizePath(id, "code_challenge", "", "code_challenge_method", "")).answered(redirectURI)
			if id != "lax" {
				if without.Get("error") != "invalid_request" {
					h.Errorf("%s without a challenge: %v", id, without)
				}
				continue
			}
			h.refused(h.redeem(c, without.Get("code")), 400, "invalid_grant") // a verifier whose challenge somebody took away
			h.ok(h.redeem(c, without.Get("code"), "code_verifier", ""))
		}
	})
}

// TestTwiceSentParametersAreRefused keeps a challenge, state or client from
// being one thing to a filter before the server and another to the server.
func TestTwiceSentParametersAreRefused(t *testing.T) {
	h := newHouse(t)
	h.registered("ada@example.com")
	h.webApp("app", trusted)
	b := h.browser()
	b.codeFor("app")
	for _, name := range []string{"response_type", "response_mode", "scope", "state", "nonce", "code_challenge", "code_challenge_method", "prompt", "max_age", "claims", "id_token_hint"} {
		b.get(authorizePath("app", name, "x") + fmt.Sprintf("&%s=y", name))
		if values := b.answered(redirectURI); values.Get("error") != "invalid_request" {
			t.Errorf("%s twice: %v", name, values)
		}
	}
	for _, name := range []string{"client_id", "redirect_uri"} {
		b.get(authorizePath("app")+fmt.Sprintf("&%s=y", name)).fails(400, "")
	}
}
