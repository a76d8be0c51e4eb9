package server

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/operator"
)

// post sends a form of names and values in turn as a page of ours would.
func (b *browser) post(path string, fields ...string) *browser {
	b.h.Helper()
	return b.send("POST", path, encode(fields))
}

// TestConsentIsThePersonsOwn is class 8: nothing but the button of the page that
// was shown to this session allows anything.
func TestConsentIsThePersonsOwn(t *testing.T) {
	inEachHouse(t, func(h *house) {
		h.registered("ada@example.com")
		h.registered("eve@example.com")
		h.webApp("app")
		app := h.webApp("narrow")
		asked := func(email, client string, parameters ...string) (b *browser, sealed string) {
			b = h.browser()
			sealed = b.get(authorizePath(client, parameters...)).signInAs(email).form("allow").fields.Get("request")
			return b, sealed
		}
		ada, request := asked("ada@example.com", "app")
		eve, hers := asked("eve@example.com", "app")
		h.unchanged(func() {
			eve.post("/consent", "request", request, "action", "allow").fails(403, "other_browser")
			ada.post("/consent", "request", hers, "action", "allow").fails(403, "other_browser")
			h.browser().post("/consent", "request", request, "action", "allow").fails(403, "other_browser")
			ada.post("/consent", "action", "allow").fails(403, "other_browser")
			ada.post("/consent", "request", "", "action", "allow").fails(403, "other_browser")
			for _, i := range []int{0, 20, len(request) / 2, len(request) - 1} {
				edited := []byte(request)
				edited[i] ^= 1
				ada.post("/consent", "request", string(edited), "action", "allow").fails(403, "other_browser")
			}
			for _, action := range []string{"", "Allow", "allow ", "yes"} {
				ada.post("/consent", "request", request, "action", action).fails(400, "bad_form")
			}
			ada.send("POST", "/consent", "request="+request+"&action=allow&action=allow").fails(400, "bad_form")
			ada.get("/consent?request="+request+"&action=allow").fails(400, "other_browser")

			keep := ada.cookies[h.cookies.session]
			delete(ada.cookies, h.cookies.session) // signed out in between
			ada.post("/consent", "request", request, "action", "allow").fails(403, "session_ended")
			ada.cookies[h.cookies.session] = eve.cookies[h.cookies.session] // signed in as somebody else
			ada.post("/consent", "request", request, "action", "allow").fails(403, "session_ended")
			ada.cookies[h.cookies.session] = keep
		})

		ada.post("/consent", "request", request, "action", "allow", "scope", "openid address", "client_id", "narrow", "user", "x", "redirect_uri", "https://evil.example/")
		if ada.answered(redirectURI).Get("code") == "" {
			h.Fatal(ada.left)
		}
		h.unchanged(func() { ada.post("/consent", "request", request, "action", "allow").fails(403, "flow_used") })

		// The page said less than what would be allowed: it is shown again.
		ada, request = asked("ada@example.com", "narrow", "scope", "openid")
		ada.post("/consent", "request", request, "action", "allow", "scope", "openid profile email address")
		tokens := h.ok(h.redeem(app, ada.answered(redirectURI).Get("code")))
		if tokens.member("scope") != "openid" {
			h.Error(tokens.body)
		}
		if ada.get(authorizePath("narrow", "scope", "openid address", "prompt", "none")).answered(redirectURI).Get("error") != "consent_required" {
			h.Error("a scope that no page has shown is allowed")
		}

		ada, request = asked("ada@example.com", "narrow", "scope", "openid email")
		h.clock.advance(oauth.FlowTTL)
		h.unchanged(func() { ada.post("/consent", "request", request, "action", "allow").fails(403, "flow_expired") })

		ada, request = asked("ada@example.com", "narrow", "scope", "openid email")
		h.unchanged(func() {
			if values := ada.post("/consent", "request", request, "action", "deny").answered(redirectURI); values.Get("error") != "access_denied" || values.Get("code") != "" {
				h.Error(values)
			}
		})
	})
}

// TestConsentIsAskedWheneverItMustBe: prompt=consent always shows the page, a
// client's first time does, and only the operator can say that none is needed.
func TestConsentIsAskedWheneverItMustBe(t *testing.T) {
	inEachHouse(t, func(h *house) {
		h.registered("ada@example.com")
		h.webApp("app")
		h.webApp("own", trusted)
		b := h.browser()
		b.codeFor("app")
		b.codeFor("own")
		again := func(client, prompt string, shown bool) {
			b.get(authorizePath(client, "prompt", prompt))
			if got := b.left == ""; got != shown {
				h.Errorf("%s with prompt %q: shown %t, want %t", client, prompt, got, shown)
			}
		}
		again("app", "", false)
		again("own", "", false)
		again("app", "consent", true)
		again("own", "consent", true)
		if h.rows("consents") != 1 {
			h.Errorf("%d consents: one was not given", h.rows("consents"))
		}

		itself := h.enrol(`{"redirect_uris":["` + redirectURI + `"],"client_name":"Keywright","trusted":true,"Trusted":true,"require_pkce":false,"registered_by":"command",
			"token_endpoint_auth_method":"none","skip_consent":true,"first_party":true}`)
		b.get(authorizePath(itself.ClientID)).shows(200, "allow")
		if !strings.Contains(b.at.body, "app.example.com") || !strings.Contains(b.at.body, `class="alert"`) {
			h.Errorf("the page does not warn of a client that registered itself: %s", b.at.body)
		}
		if b.get(authorizePath(itself.ClientID, "prompt", "none")).answered(redirectURI).Get("error") != "consent_required" {
			h.Error(b.left)
		}

		// What was withdrawn is asked for again, and ends what it had given.
		code := b.codeFor("app")
		token := b.get("/account").form("save-profile").fields.Get("token")
		b.post("/account/apps", "token", token, "client", "app").shows(200, "save-profile")
		h.refused(h.redeem(operator.Client{ID: "app", Public: true}, code), 400, "invalid_grant")
		again("app", "", true)
	}, registering)
}

// TestClaimsAreAsMuchAConsentAsScopes: what is asked for by name is shown too.
func TestClaimsAreAsMuchAConsentAsScopes(t *testing.T) {
	h := newHouse(t)
	h.registered("ada@example.com")
	h.webApp("app")
	b := h.browser()
	b.codeFor("app", "scope", "openid")
	claims := `{"userinfo":{"phone_number":null},"id_token":{"address":{"essential":true}}}`
	b.get(authorizePath("app", "scope", "openid", "claims", claims)).shows(200, "allow")
	if b.get(authorizePath("app", "scope", "openid", "claims", claims, "prompt", "none")).answered(redirectURI).Get("error") != "consent_required" {
		t.Error(b.left)
	}
}

// TestFlowLivesInItsOwnBrowser is class 12: the way to a page, sent to somebody
// else, goes on in nobody's session but the first's.
func TestFlowLivesInItsOwnBrowser(t *testing.T) {
	inEachHouse(t, func(h *house) {
		h.registered("ada@example.com")
		h.registered("eve@example.com")
		h.webApp("app", trusted)
		ada, eve := h.browser(), h.browser()
		ada.codeFor("app") // signed in: a flow that went on here would get a code at once
		flow := eve.get(authorizePath("app")).form("sign-in").fields.Get("flow")
		h.unchanged(func() {
			for _, b := range []*browser{ada, h.browser()} {
				b.post("/sign-in", "flow", flow, "email", "eve@example.com", "password", rightPassword).fails(403, "other_browser")
				b.post("/sign-in", "flow", flow, "action", "continue").fails(403, "other_browser")
				b.post("/sign-in", "flow", flow, "action", "choose").fails(403, "other_browser")
				b.post("/sign-up", "flow", flow, "action", "show").fails(403, "other_browser")
				b.post("/sign-up", "flow", flow, "email", "x@example.com", "name", "X", "password", rightPassword).fails(403, "other_browser")
			}
			// Two cookies of one name, as another site's subdomain might add one: neither counts.
			a := h.send("POST", "/sign-in", encode([]string{"flow", flow, "action", "continue"}), asBrowser(h, "POST"), eve.sendCookies, ada.sendCookies)
			if a.status != 403 {
				h.Error(a.status, a.header)
			}
			if a := h.get("/account", h.atIssuer, ada.sendCookies, ada.sendCookies); a.status != 303 {
				h.Error("one of two session cookies counts")
			}
		})
	})
}

// TestAccountIsChosenByWhomThePageNames is class 12: what was offered to one
// person hands over nobody else who has signed in since.
func TestAccountIsChosenByWhomThePageNames(t *testing.T) {
	inEachHouse(t, func(h *house) {
		h.registered("ada@example.com")
		h.registered("bob@example.com")
		h.webApp("app", trusted)
		b, eve := h.browser(), h.browser()
		b.codeFor("app")
		h.clock.advance(time.Minute)
		offered := b.get(authorizePath("app", "prompt", "select_account")).form("continue").fields.Get("flow")
		h.unchanged(func() { eve.post("/sign-in", "flow", offered, "action", "continue").fails(403, "other_browser") })
		b.other().get(authorizePath("app", "prompt", "login")).signInAs("bob@example.com")
		h.unchanged(func() {
			if b.post("/sign-in", "flow", offered, "action", "continue"); b.left != "" {
				h.Errorf("%d, left to %s", b.at.status, b.left)
			}
		})
	})
}

// TestSessionCookieIsNewWheneverSomebodyProvesWhoTheyAre is class 12.
func TestSessionCookieIsNewWheneverSomebodyProvesWhoTheyAre(t *testing.T) {
	inEachHouse(t, func(h *house) {
		h.registered("ada@example.com")
		h.registered("bob@example.com")
		app := h.webApp("app")
		alive := func(cookie string) bool {
			return h.get("/account", header("Cookie", h.cookies.session+"="+cookie), h.atIssuer).status == 200
		}
		b := h.browser()
		var before []string
		renewed := func(step string, signedIn bool) {
			h.Helper()
			cookie := b.cookies[h.cookies.session]
			if alive(cookie) != signedIn {
				h.Errorf("%s: the cookie is alive: %t", step, !signedIn)
			}
			for _, old := range before {
				if old == cookie || alive(old) {
					h.Errorf("%s: an old cookie is the new one, or is alive", step)
				}
			}
			before = append(before, cookie)
		}
		const planted = "cGxhbnRlZCBieSBzb21lYm9keSBlbHNlIHRvIGtub3cgaXQ"
		b.cookies[h.cookies.session] = planted
		before = append(before, planted)

		b.get(authorizePath("app")).signInAs("ada@example.com").press("allow")
		code := b.answered(redirectURI).Get("code")
		tokens := h.ok(h.redeem(app, code))
		renewed("signed in", true)
		h.clock.advance(time.Minute)
		b.get(authorizePath("app", "prompt", "login")).signInAs("ada@example.com")
		renewed("signed in again", true)
		h.ok(h.refresh(tokens.member("refresh_token"), "client_id", "app")) // the same session
		b.get("/account").press("save-password", "current", rightPassword, "password", "another password").shows(200, "save-password")
		renewed("changed the password", true)

		// Bob signs in over Ada: her session and all of it end, and no code of the flow is hers.
		b.get(authorizePath("app"))
		hers := h.ok(h.redeem(app, b.answered(redirectURI).Get("code")))
		pending := b.get(authorizePath("app", "prompt", "none")).answered(redirectURI).Get("code")
		h.clock.advance(time.Second)
		b.get(authorizePath("app", "prompt", "login")).signInAs("bob@example.com").press("allow")
		renewed("signed in as another", true)
		his := h.ok(h.redeem(app, b.answered(redirectURI).Get("code")))
		if info := h.ok(h.get("/userinfo", bearerToken(his.member("access_token")))); info.member("email") != "bob@example.com" {
			h.Error(info.body)
		}
		h.refused(h.redeem(app, pending), 400, "invalid_grant")
		h.refused(h.refresh(hers.member("refresh_token"), "client_id", "app"), 400, "invalid_grant")
		if a := h.get("/userinfo", bearerToken(hers.member("access_token"))); a.status != 401 {
			h.Error(a.status)
		}
		// A hint names whom the app means; nobody else is handed over.
		hint := url.Values{"id_token_hint": {hers.member("id_token")}}.Get("id_token_hint")
		if b.get(authorizePath("app", "id_token_hint", hint, "prompt", "none")).answered(redirectURI).Get("error") != "login_required" {
			h.Error(b.left)
		}

		b.get("/sign-out").press("sign-out")
		if b.cookies[h.cookies.session] != "" {
			h.Error("the cookie stays after signing out")
		}
		renewed("signed out", false)
	})
}
