package server

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/operator"
)

// allowed wants a code without any page, and redeems it.
func (b *browser) allowed(c operator.Client, parameters ...string) answer {
	b.h.Helper()
	b.get(authorizePath(c.ID, parameters...))
	return b.h.ok(b.h.redeem(c, b.answered(redirectURI).Get("code")))
}

// says wants a text on the page.
func (b *browser) says(texts ...string) *browser {
	b.h.Helper()
	for _, text := range texts {
		if !strings.Contains(b.at.body, text) {
			b.h.Errorf("%s does not say %q", b.path, text)
		}
	}
	return b
}

func (b *browser) session() string { return b.cookies[b.h.Server.cookies.session] }

func TestOneSessionServesAllClients(t *testing.T) {
	inEachHouse(t, func(h *house) {
		clients := []operator.Client{h.webApp("one"), h.webApp("two", confidential), h.webApp("three", trusted)}
		b := h.browser()
		b.get(authorizePath("one"))
		h.registered("ada@example.com")
		b.signInAs("ada@example.com").shows(200, "allow")
		var first map[string]any
		for i, c := range clients {
			_, claims := h.idToken(b.tokens(c))
			if i == 0 {
				first = claims
			}
			if claims["sid"] != first["sid"] || claims["sub"] != first["sub"] || claims["auth_time"] != first["auth_time"] {
				h.Error(first, claims)
			}
			h.clock.advance(time.Hour)
		}
		if n := h.rows("sessions"); n != 1 {
			h.Errorf("%d sessions", n)
		}
		_, elsewhere := h.idToken(h.visitorAgain("ada@example.com").tokens(clients[0]))
		if elsewhere["sid"] == first["sid"] || elsewhere["sub"] != first["sub"] {
			h.Error(elsewhere)
		}
	})
}

// visitorAgain is somebody with an account, signed in in another browser.
func (h *house) visitorAgain(email string) *browser {
	h.Helper()
	b := h.browser()
	b.get("/sign-in").signInAs(email)
	h.clock.advance(time.Second)
	return b.shows(200, "save-profile")
}

func TestSessionEndsByItself(t *testing.T) {
	inEachHouse(t, func(h *house) {
		app := h.webApp("app")
		h.run("when it is idle, and with it what was issued", func(h *house) {
			b := h.visitor("idle@example.com")
			a := b.tokens(app)
			h.clock.advance(7*24*time.Hour - time.Second - time.Microsecond)
			b.allowed(app, "prompt", "none")
			h.clock.advance(7*24*time.Hour - time.Microsecond)
			b.allowed(app, "prompt", "none")
			h.clock.advance(7 * 24 * time.Hour)
			b.denies("login_required", "app", "prompt", "none")
			h.refused(h.refresh(a.member("refresh_token"), "client_id", "app"), 400, "invalid_grant")
			b.get("/account").shows(200, "sign-in")
		})
		h.run("not while an app refreshes", func(h *house) {
			b := h.visitor("busy@example.com")
			a := b.tokens(app)
			for range 3 {
				h.clock.advance(6 * 24 * time.Hour)
				a = h.ok(h.refresh(a.member("refresh_token"), "client_id", "app"))
			}
			b.allowed(app, "prompt", "none")
		})
		h.run("when it is old, however it is used", func(h *house) {
			b := h.visitor("old@example.com")
			signedIn := h.clock.now().Add(-time.Second)
			a := b.tokens(app)
			for range 29 {
				h.clock.advance(24 * time.Hour)
				b.allowed(app, "prompt", "none")
				a = h.ok(h.refresh(a.member("refresh_token"), "client_id", "app"))
			}
			h.clock.advance(signedIn.Add(30*24*time.Hour).Sub(h.clock.now()) - time.Microsecond)
			a = b.allowed(app, "prompt", "none")
			if !h.holds(a) {
				h.Error("the token is dead too early")
			}
			h.clock.advance(time.Microsecond)
			if h.holds(a) {
				h.Error("the token lives")
			}
			b.denies("login_required", "app", "prompt", "none")
			h.refused(h.refresh(a.member("refresh_token"), "client_id", "app"), 400, "invalid_grant")
		})
		h.run("a new proof makes it young again", func(h *house) {
			b := h.visitor("again@example.com")
			a := b.tokens(app)
			for range 3 {
				h.clock.advance(6 * 24 * time.Hour)
				b.allowed(app, "prompt", "none")
			}
			b.get(authorizePath("app", "prompt", "login")).signInAs("again@example.com")
			a = h.ok(h.refresh(a.member("refresh_token"), "client_id", "app"))
			for range 3 {
				h.clock.advance(6 * 24 * time.Hour)
				b.allowed(app, "prompt", "none")
			}
			h.ok(h.refresh(a.member("refresh_token"), "client_id", "app"))
		})
	})
}

func TestEachSignInHasANewCookie(t *testing.T) {
	inEachHouse(t, func(h *house) {
		app := h.webApp("app")
		h.run("also the same person's, whose apps stay signed in", func(h *house) {
			b := h.visitor("same@example.com")
			a := b.tokens(app)
			stolen := h.browser()
			stolen.cookies[h.cookies.session] = b.session()
			stolen.allowed(app, "prompt", "none")
			b.get(authorizePath("app", "prompt", "login")).signInAs("same@example.com")
			if b.session() == stolen.session() {
				h.Error("the cookie stayed")
			}
			stolen.denies("login_required", "app", "prompt", "none")
			if !h.holds(a) {
				h.Error("the app was signed out")
			}
		})
		h.run("another person's ends the session before", func(h *house) {
			b := h.visitor("before@example.com")
			a, old := b.tokens(app), b.session()
			h.registered("after@example.com")
			b.get(authorizePath("app", "prompt", "login")).signInAs("after@example.com").shows(200, "allow").says("after@example.com")
			h.ended(app, a)
			b.press("allow")
			next := h.ok(h.redeem(app, b.answered(redirectURI).Get("code")))
			if mustVerify(h, next.member("access_token")).Subject == mustVerify(h, a.member("access_token")).Subject {
				h.Error("the same person")
			}
			b.cookies[h.cookies.session] = old
			b.denies("login_required", "app", "prompt", "none")
		})
		h.run("one that was there before is not taken up", func(h *house) {
			h.registered("fixed@example.com")
			b := h.browser()
			planted := randomText()
			b.cookies[h.cookies.session] = planted
			b.get("/sign-in").signInAs("fixed@example.com")
			if b.session() == planted || len(b.session()) != 43 {
				h.Error(b.session())
			}
		})
		h.run("of two with one name none counts", func(h *house) {
			b := h.visitor("two@example.com")
			b.get(authorizePath("app", "prompt", "none"), func(r *http.Request) { r.AddCookie(&http.Cookie{Name: h.cookies.session, Value: "x"}) })
			b.denied("login_required")
		})
		h.run("a signed-out one is nobody's", func(h *house) {
			b := h.visitor("out@example.com")
			old := b.session()
			b.get("/sign-out").press("sign-out")
			if b.session() != "" {
				h.Error("the cookie stayed")
			}
			b.cookies[h.cookies.session] = old
			b.denies("login_required", "app", "prompt", "none")
		})
	})
}

func TestCookiesOfAServerWithTLS(t *testing.T) {
	h := newHouse(t, func(c *Config) { c.Policy.Issuer = "https" + strings.TrimPrefix(c.Policy.Issuer, "http") })
	h.registered("ada@example.com")
	b := h.browser()
	all := map[string]bool{}
	check := func() {
		for _, c := range (&http.Response{Header: b.at.header}).Cookies() {
			all[c.Name] = true
			if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" || c.SameSite != http.SameSiteLaxMode {
				t.Error(c)
			}
		}
	}
	b.get("/sign-in?ui_locales=de")
	check()
	f := b.form("sign-in")
	f.fields.Set("email", "ada@example.com")
	f.fields.Set("password", rightPassword)
	b.at = h.send("POST", f.action, f.fields.Encode(), b.sendCookies, asBrowser(h, "POST"))
	check()
	if want := []string{"__Host-browser", "__Host-language", "__Host-session"}; len(all) != len(want) || !all[want[0]] || !all[want[1]] || !all[want[2]] {
		t.Error(all)
	}
}

func TestOfflineAccess(t *testing.T) {
	inEachHouse(t, func(h *house) {
		app := h.webApp("app")
		offline := []string{"scope", "openid offline_access"}
		asking := append(slices.Clone(offline), "prompt", "consent")
		h.run("without asking for consent it is left out, and all ends with the session", func(h *house) {
			b := h.visitor("left@example.com")
			b.get(authorizePath("app", offline...)).shows(200, "allow").says("This lasts until you sign out.")
			b.press("allow")
			a := h.ok(h.redeem(app, b.answered(redirectURI).Get("code")))
			if a.member("scope") != "openid" {
				h.Error(a.body)
			}
			a = h.ok(h.refresh(a.member("refresh_token"), "client_id", "app"))
			b.allowed(app, append(slices.Clone(offline), "prompt", "none")...) // never an error
			b.get("/sign-out").press("sign-out")
			h.ended(app, a)
		})
		h.run("alone it is no error either", func(h *house) {
			b := h.visitor("alone@example.com")
			if a := b.tokens(app, "scope", "offline_access"); a.member("scope") != "" || a.member("refresh_token") == "" {
				h.Error(a.body)
			}
		})
		h.run("with consent it outlives the session", func(h *house) {
			b := h.visitor("kept@example.com")
			b.get(authorizePath("app", asking...)).shows(200, "allow").says("keep this access while you are away", "This lasts 180 days")
			b.press("allow")
			a := h.ok(h.redeem(app, b.answered(redirectURI).Get("code")))
			if a.member("scope") != "openid offline_access" {
				h.Error(a.body)
			}
			h.run("and is remembered", func(h *house) {
				if a := b.allowed(app, append(slices.Clone(offline), "prompt", "none")...); a.member("scope") != "openid offline_access" {
					h.Error(a.body)
				}
			})
			online := b.allowed(app, "scope", "openid")
			b.get("/sign-out").press("sign-out")
			h.ended(app, online)
			if !h.holds(a) {
				h.Error("the access token died with the session")
			}
			a = h.ok(h.refresh(a.member("refresh_token"), "client_id", "app"))
			h.clock.advance(29 * 24 * time.Hour)
			a = h.ok(h.refresh(a.member("refresh_token"), "client_id", "app"))
			h.visitorAgain("kept@example.com").removeApp("app")
			h.ended(app, a)
		})
		h.run("a changed password ends it", func(h *house) {
			b := h.visitor("changed@example.com")
			a := b.tokens(app, asking...)
			b.get("/account").press("save-password", "current", rightPassword, "password", "difference engine").says("Your password is changed.")
			h.ended(app, a)
		})
		h.run("a trusted client has it without a page", func(h *house) {
			own := h.webApp("own", trusted)
			b := h.visitor("own@example.com")
			if a := b.allowed(own, offline...); a.member("scope") != "openid offline_access" {
				h.Error(a.body)
			}
		})
	})
}

func TestConsent(t *testing.T) {
	inEachHouse(t, func(h *house) {
		app, other := h.webApp("app", func(c *operator.Client) { c.Name = "The <b>app</b>" }), h.webApp("other")
		h.run("is remembered for a person, a client and scopes", func(h *house) {
			b := h.visitor("remembered@example.com")
			b.get(authorizePath("app", "scope", "openid profile")).shows(200, "allow")
			b.says("The &lt;b&gt;app&lt;/b&gt;", "app.example.com", "remembered@example.com", "know who you are", "see your name")
			if strings.Contains(b.at.body, "see your email address") || b.at.header.Get("X-Frame-Options") != "DENY" {
				h.Error(b.at.body)
			}
			b.press("allow")
			h.ok(h.redeem(app, b.answered(redirectURI).Get("code")))
			b.allowed(app, "scope", "openid profile")
			b.allowed(app, "scope", "profile")
			b.get(authorizePath("app", "scope", "openid email")).shows(200, "allow").press("allow")
			b.allowed(app, "scope", "openid profile email") // both times count
			b.get(authorizePath("app", "scope", "openid", "claims", `{"userinfo":{"address":null}}`)).shows(200, "allow").says("see your postal address")
			b.get(authorizePath("other", "scope", "openid")).shows(200, "allow")
			h.visitor("another@example.com").get(authorizePath("app", "scope", "openid")).shows(200, "allow")
			again := h.visitorAgain("remembered@example.com")
			again.allowed(app, "scope", "openid email") // in any browser
		})
		h.run("is asked for anew with prompt=consent", func(h *house) {
			b := h.visitor("anew@example.com")
			b.tokens(app)
			b.get(authorizePath("app", "prompt", "consent")).shows(200, "allow")
			b.press("deny").denied("access_denied")
			b.allowed(app) // what was allowed before stays
		})
		h.run("is not needed by a trusted client, unless it wants it", func(h *house) {
			own := h.webApp("own", trusted)
			b := h.visitor("own@example.com")
			b.allowed(own)
			b.allowed(own, "prompt", "none")
			b.get(authorizePath("own", "prompt", "consent")).shows(200, "allow")
		})
		h.run("can be taken back, which ends what was issued", func(h *house) {
			b := h.visitor("back@example.com")
			a, kept := b.tokens(app), b.tokens(other)
			b.get("/account").says("The &lt;b&gt;app&lt;/b&gt;")
			b.removeApp("app").says("This app has no access any more.")
			if strings.Contains(b.at.body, "The &lt;b&gt;app&lt;/b&gt;") {
				h.Error("the page still shows it")
			}
			h.ended(app, a)
			if !h.holds(kept) {
				h.Error("another app's ended too")
			}
			b.denies("consent_required", "app", "prompt", "none")
			b.get(authorizePath("app")).shows(200, "allow")
		})
		h.run("warns of a client that registered itself", func(h *house) {
			c := h.itself()
			b := h.visitor("warned@example.com")
			b.get(authorizePath(c.ID)).shows(200, "allow").says("This app registered itself.", "app.example.com")
		})
	}, registering)
}

// TestConsentPageIsForOnePersonInOneSession posts what was shown to others.
func TestConsentPageIsForOnePersonInOneSession(t *testing.T) {
	inEachHouse(t, func(h *house) {
		app := h.webApp("app")
		shown := func(h *house, email string) *browser {
			h.Helper()
			return h.visitor(email).get(authorizePath("app")).shows(200, "allow")
		}
		h.run("another person signed in since", func(h *house) {
			b := shown(h, "a@example.com")
			page := b.at
			h.registered("b@example.com")
			b.get(authorizePath("app", "prompt", "login")).signInAs("b@example.com")
			b.at = page
			b.press("allow").fails(403, "session_ended")
		})
		h.run("the person signed in anew", func(h *house) {
			b := shown(h, "c@example.com")
			page := b.at
			b.get(authorizePath("app", "prompt", "login")).signInAs("c@example.com")
			b.at = page
			b.press("allow") // the session is the same
			h.ok(h.redeem(app, b.answered(redirectURI).Get("code")))
		})
		h.run("the person signed out", func(h *house) {
			b := shown(h, "d@example.com")
			page := b.at
			b.get("/sign-out").press("sign-out")
			b.at = page
			b.press("allow").fails(403, "session_ended")
		})
		h.run("in another browser", func(h *house) {
			page := shown(h, "e@example.com").at
			b := h.visitorAgain("e@example.com")
			b.at = page
			b.press("allow").fails(403, "other_browser")
		})
		h.run("changed", func(h *house) {
			b := shown(h, "f@example.com")
			f := b.form("allow")
			for _, request := range []string{"", "x", f.fields.Get("request")[1:], f.fields.Get("request") + "A"} {
				f.fields.Set("request", request)
				b.send("POST", f.action, f.fields.Encode()).fails(403, "other_browser")
			}
			b.get("/consent").fails(400, "other_browser")
		})
		h.run("with a sign-in's flow", func(h *house) {
			b := h.browser()
			b.get(authorizePath("app"))
			flow := b.form("sign-in").fields.Get("flow")
			b.send("POST", "/consent", "action=allow&request="+flow).fails(403, "other_browser")
		})
		h.run("twice", func(h *house) {
			b := shown(h, "g@example.com")
			page := b.at
			b.press("allow").answered(redirectURI)
			b.at = page
			b.press("allow").fails(403, "flow_used")
			b.at = page
			b.press("deny").fails(403, "flow_used")
		})
		h.run("twice in parallel gives one code", func(h *house) {
			b := shown(h, "h@example.com")
			f, before := b.form("allow"), h.rows("codes")
			parallel(20, func(int) {
				h.send("POST", f.action, f.fields.Encode(), b.sendCookies, asBrowser(h, "POST"))
			})
			if n := h.rows("codes") - before; n != 1 {
				h.Errorf("%d codes", n)
			}
		})
		h.run("half an hour later", func(h *house) {
			b := shown(h, "i@example.com")
			h.clock.advance(30 * time.Minute)
			b.press("allow").fails(403, "flow_expired")
			b = h.browser()
			b.get(authorizePath("app"))
			h.clock.advance(30*time.Minute - time.Microsecond)
			page := b.at
			b.press("sign-in", "email", "i@example.com", "password", "wrong").shows(422, "sign-in")
			h.clock.advance(time.Microsecond)
			b.at = page
			b.press("sign-in", "email", "i@example.com", "password", rightPassword).fails(403, "flow_expired")
		})
		h.run("with another answer than the page has", func(h *house) {
			b := shown(h, "j@example.com")
			f := b.form("allow")
			f.fields.Set("action", "")
			b.send("POST", f.action, f.fields.Encode()).fails(400, "bad_form")
		})
	})
}
