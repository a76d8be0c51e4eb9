package server

import (
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/operator"
)

// switchTo presses the language switch below a page.
func (b *browser) switchTo(language string) *browser {
	b.h.Helper()
	_, footer, _ := strings.Cut(b.at.body, "<footer>")
	page := b.at
	b.at.body = footer
	f := b.form("")
	b.at = page
	f.fields.Set("ui_locales", language)
	if strings.Contains(footer, `method="post"`) {
		return b.send("POST", f.action, f.fields.Encode())
	}
	return b.get(f.action + "?" + f.fields.Encode())
}

// speaks wants the page in a language.
func (b *browser) speaks(language string) *browser {
	b.h.Helper()
	if !strings.Contains(b.at.body, `<html lang="`+language+`">`) {
		b.h.Errorf("%s is not in %s: %.300s", b.path, language, b.at.body)
	}
	return b
}

func TestLanguageIsSwitchedWithinAFlow(t *testing.T) {
	inEachHouse(t, func(h *house) {
		app := h.webApp("app")
		h.run("from sign-in over sign-up and consent to the app", func(h *house) {
			b := h.browser()
			b.get(authorizePath("app", "state", "kept")).speaks("en").switchTo("de").speaks("de").shows(200, "sign-in")
			if strings.Contains(b.path, "?") {
				h.Error("what is sealed stands in the address: ", b.path)
			}
			f := b.form("sign-in")
			b.send("POST", "/sign-up", url.Values{"flow": {f.fields.Get("flow")}, "action": {"show"}}.Encode()).speaks("de").shows(200, "sign-up")
			b.switchTo("en").speaks("en").switchTo("de").speaks("de")
			b.press("sign-up", "name", "Ada", "email", "de@example.com", "password", rightPassword).speaks("de").shows(200, "sign-in")
			b.signInAs("de@example.com").speaks("de").shows(200, "allow")
			b.switchTo("en").speaks("en").shows(200, "allow")
			b.press("allow")
			values := b.answered(redirectURI)
			if values.Get("state") != "kept" {
				h.Error(values)
			}
			h.ok(h.redeem(app, values.Get("code")))
			b.get("/account").speaks("en") // the choice is remembered
		})
		h.run("over the app's own choice", func(h *house) {
			b := h.browser()
			b.get(authorizePath("app", "ui_locales", "de")).speaks("de").switchTo("en").speaks("en")
			b.press("sign-in", "email", "x@example.com", "password", "wrong").speaks("en").shows(422, "sign-in")
			b.get(authorizePath("app", "ui_locales", "de")).speaks("de") // the next flow is the app's again
			b.get(authorizePath("app")).speaks("en")
		})
		h.run("at each page", func(h *house) {
			b := h.visitor("pages@example.com")
			b.get("/account").switchTo("de").speaks("de").shows(200, "save-profile")
			b.get("/sign-out").speaks("de").switchTo("en").speaks("en").shows(200, "sign-out")
			b.get(authorizePath("app", "prompt", "select_account")).switchTo("de").speaks("de").shows(200, "continue")
			b.get("/sign-out").press("sign-out")
			b.get("/sign-in").switchTo("en").speaks("en").shows(200, "sign-in")
			b.get("/sign-up").switchTo("de").speaks("de").shows(200, "sign-up")
			b.get("/signed-out").switchTo("en").speaks("en")
		})
		h.run("by what the browser says", func(h *house) {
			h.browser().get("/sign-in", header("Accept-Language", "fr;q=0.9, de-AT;q=0.8, en;q=0.1")).speaks("de")
			h.browser().get("/sign-in", header("Accept-Language", "*")).speaks("en")
		})
	})
}

func TestSelectAccount(t *testing.T) {
	inEachHouse(t, func(h *house) {
		app := h.webApp("app")
		h.registered("second@example.com")
		h.run("the person goes on", func(h *house) {
			b := h.visitor("first@example.com")
			before := b.tokens(app)
			b.get(authorizePath("app", "prompt", "select_account")).shows(200, "continue").says("first@example.com", "Ada")
			b.press("continue")
			a := h.ok(h.redeem(app, b.answered(redirectURI).Get("code")))
			if h.sid(a) != h.sid(before) {
				h.Error("another session")
			}
		})
		h.run("the person signs in as somebody else", func(h *house) {
			b := h.visitor("third@example.com")
			first := mustVerify(h, b.tokens(app).member("access_token")).Subject
			b.get(authorizePath("app", "prompt", "select_account")).press("other").shows(200, "sign-in")
			b.signInAs("second@example.com").shows(200, "allow").says("second@example.com").press("allow")
			a := h.ok(h.redeem(app, b.answered(redirectURI).Get("code")))
			if mustVerify(h, a.member("access_token")).Subject == first {
				h.Error("it is the same person")
			}
		})
		h.run("consent that was asked for too comes after", func(h *house) {
			b := h.visitor("fourth@example.com")
			b.get(authorizePath("app", "prompt", "select_account consent")).shows(200, "continue").press("continue").shows(200, "allow").press("allow")
			h.ok(h.redeem(app, b.answered(redirectURI).Get("code")))
		})
		h.run("nobody is signed in", func(h *house) {
			b := h.browser()
			b.get(authorizePath("app", "prompt", "select_account")).shows(200, "sign-in")
			b.signInAs("second@example.com")
			h.ok(h.redeem(app, b.answered(redirectURI).Get("code")))
		})
	})
}

func TestSignUp(t *testing.T) {
	inEachHouse(t, func(h *house) {
		app := h.webApp("app")
		h.run("within a flow", func(h *house) {
			b := h.browser()
			b.get(authorizePath("app"))
			f := b.form("sign-in")
			b.send("POST", "/sign-up", url.Values{"flow": {f.fields.Get("flow")}, "action": {"show"}}.Encode()).shows(200, "sign-up")
			b.press("sign-up", "name", "Ada", "email", "Ada@Example.com", "password", rightPassword).shows(200, "sign-in").says("If this address is new here")
			b.signInAs("ada@example.com").shows(200, "allow").press("allow")
			h.ok(h.redeem(app, b.answered(redirectURI).Get("code")))
		})
		h.run("because the app asks for it", func(h *house) { // Initiating User Registration via OpenID Connect 1.0 §4
			b := h.visitor("before@example.com")
			b.get(authorizePath("app", "prompt", "create", "login_hint", "new@example.org")).shows(200, "sign-up")
			if email := b.form("sign-up").fields.Get("email"); email != "new@example.org" {
				h.Error(email)
			}
			if email := b.switchTo("de").switchTo("en").form("sign-up").fields.Get("email"); email != "new@example.org" {
				h.Errorf("after another language it is %q", email)
			}
			b.press("sign-up", "name", "New", "email", "new@example.org", "password", rightPassword).shows(200, "sign-in")
			b.signInAs("new@example.org").shows(200, "allow").says("new@example.org").press("allow")
			h.ok(h.redeem(app, b.answered(redirectURI).Get("code")))
		})
		h.run("because the app asks for it, by somebody who has an account", func(h *house) {
			h.registered("has@example.com")
			b := h.browser()
			f := b.get(authorizePath("app", "prompt", "create")).form("sign-up")
			b.send("POST", "/sign-in", url.Values{"flow": {f.fields.Get("flow")}, "action": {"show"}}.Encode()).shows(200, "sign-in")
			b.signInAs("has@example.com").press("allow")
			h.ok(h.redeem(app, b.answered(redirectURI).Get("code")))
		})
		h.run("by oneself", func(h *house) {
			b := h.browser()
			b.get("/sign-up").shows(200, "sign-up").press("sign-up", "name", "Eve", "email", "eve@example.com", "password", rightPassword).shows(200, "sign-in")
			b.signInAs("eve@example.com").shows(200, "save-profile")
			if b.path != "/account" {
				h.Error(b.path)
			}
		})
		h.run("an address that is taken looks the same", func(h *house) {
			h.registered("taken@example.com")
			shown := map[string]answer{}
			for _, email := range []string{"fresh@example.com", "taken@example.com"} {
				b := h.browser()
				hashes, rows := h.Hasher.Hashes(), h.rows("journal")
				a := b.get("/sign-up").press("sign-up", "name", "Eve", "email", email, "password", "another password").at
				if h.Hasher.Hashes()-hashes != 1 || h.rows("journal")-rows != 1 {
					h.Errorf("%s: %d hashes, %d rows", email, h.Hasher.Hashes()-hashes, h.rows("journal")-rows)
				}
				a.body = strings.ReplaceAll(strings.ReplaceAll(a.body, b.form("sign-in").fields.Get("flow"), "FLOW"), email, "EMAIL")
				shown[email] = a
			}
			if difference := unlike(shown["fresh@example.com"], shown["taken@example.com"]); difference != "" {
				h.Error(difference)
			}
			b := h.browser()
			b.get("/sign-in").press("sign-in", "email", "taken@example.com", "password", "another password").shows(422, "sign-in")
			h.visitorAgain("taken@example.com") // the password is the old one
		})
		h.run("what is wrong is said, and nothing is made", func(h *house) {
			before := h.rows("users")
			b := h.browser()
			b.get("/sign-up").press("sign-up", "name", "", "email", "none", "password", "short").shows(422, "sign-up")
			b.says("Tell us your name.", "Use an email address", "Use at least 8 characters.")
			b.press("sign-up", "name", "Eve", "email", "new@example.com", "password", "password1").shows(422, "sign-up")
			b.press("sign-up", "name", "Eve", "email", "new@example.com", "password", "new@example.com").shows(422, "sign-up")
			if got := b.form("sign-up").fields; got.Get("name") != "Eve" || got.Get("email") != "new@example.com" || got.Get("password") != "" {
				h.Error(got)
			}
			if n := h.rows("users") - before; n != 0 {
				h.Errorf("%d people", n)
			}
		})
		h.run("in another browser the page is nobody's", func(h *house) {
			page := h.browser().get("/sign-up").at
			b := h.browser()
			b.get("/sign-in")
			b.at = page
			b.press("sign-up", "name", "Eve", "email", "x@example.com", "password", rightPassword).fails(403, "other_browser")
		})
	})
}

func TestSignUpThatIsClosed(t *testing.T) {
	inEachHouse(t, func(h *house) {
		h.webApp("app")
		b := h.browser()
		b.get("/sign-up").fails(403, "sign_up_closed")
		var metadata struct {
			Prompts []string `json:"prompt_values_supported"`
		}
		if err := json.Unmarshal([]byte(h.ok(h.get("/.well-known/openid-configuration")).body), &metadata); err != nil {
			h.Fatal(err)
		}
		if slices.Contains(metadata.Prompts, "create") {
			h.Error(metadata.Prompts)
		}
		for _, prompt := range []string{"create", ""} {
			b.get(authorizePath("app", "prompt", prompt)).shows(200, "sign-in")
			if strings.Contains(b.at.body, "/sign-up") {
				h.Error("the page offers it")
			}
		}
		flow := b.form("sign-in").fields.Get("flow")
		b.send("POST", "/sign-up", url.Values{"flow": {flow}, "name": {"Eve"}, "email": {"eve@example.com"}, "password": {rightPassword}}.Encode()).fails(403, "sign_up_closed")
		b.send("POST", "/sign-up", url.Values{"flow": {flow}, "action": {"show"}}.Encode()).fails(403, "sign_up_closed")
		if n := h.rows("users"); n != 0 {
			h.Errorf("%d people", n)
		}
	}, func(c *Config) { c.SignUp = false })
}

func TestSignInPage(t *testing.T) {
	inEachHouse(t, func(h *house) {
		h.registered("ada@example.com")
		h.registered("off@example.com")
		h.admin("POST", "/users/off@example.com/disable", nil, &operator.User{})
		h.run("a wrong password, an unknown address and a disabled person look alike", func(h *house) {
			var first answer
			for email, password := range map[string]string{"ada@example.com": "wrong", "nobody@example.com": "wrong", "off@example.com": rightPassword, "long@example.com": strings.Repeat("x", 2000)} {
				b := h.browser()
				a := b.get("/sign-in").press("sign-in", "email", email, "password", password).shows(422, "sign-in").at
				a.body = strings.ReplaceAll(strings.ReplaceAll(a.body, b.form("sign-in").fields.Get("flow"), "FLOW"), email, "EMAIL")
				if first.status == 0 {
					first = a
				}
				if difference := unlike(first, a); difference != "" || b.session() != "" {
					h.Error(email, difference)
				}
			}
		})
		h.run("what is missing is said", func(h *house) {
			b := h.browser()
			b.get("/sign-in").press("sign-in").shows(422, "sign-in").says("Fill in this field.")
			b.press("sign-in", "email", "ada", "password", "x").shows(422, "sign-in").says("Use an email address")
		})
		h.run("whoever is signed in goes to their account", func(h *house) {
			b := h.visitorAgain("ada@example.com")
			if b.get("/sign-in").shows(200, "save-profile"); b.path != "/account" {
				h.Error(b.path)
			}
			b.get("/.well-known/change-password").shows(200, "save-password")
		})
		h.run("an address is trimmed, a password is not", func(h *house) {
			b := h.browser()
			b.get("/sign-in").press("sign-in", "email", " Ada@EXAMPLE.com ", "password", rightPassword).shows(200, "save-profile")
			b = h.browser()
			b.get("/sign-in").press("sign-in", "email", "ada@example.com", "password", rightPassword+" ").shows(422, "sign-in")
		})
	})
}

func TestTooManyWrongPasswordsAtThePage(t *testing.T) {
	inEachHouse(t, func(h *house) {
		h.registered("ada@example.com")
		b := h.browser()
		b.get("/sign-in")
		for range 3 {
			b.press("sign-in", "email", "ada@example.com", "password", "wrong").shows(422, "sign-in")
		}
		b.signInAs("ada@example.com").shows(429, "sign-in").says("There were too many failed attempts.")
		if b.at.header.Get("Retry-After") == "" {
			h.Error(b.at.header)
		}
		h.clock.advance(16 * time.Minute)
		b.signInAs("ada@example.com").shows(200, "save-profile")
		for range 3 {
			b.get("/account").press("save-password", "current", "wrong", "password", "difference engine").shows(422, "save-password")
		}
		b.press("save-password", "current", rightPassword, "password", "difference engine").shows(429, "save-password")
	}, perAccount(3))
}

func TestAccountPage(t *testing.T) {
	inEachHouse(t, func(h *house) {
		app := h.webApp("app")
		h.run("is for those who are signed in", func(h *house) {
			if b := h.browser().get("/account").shows(200, "sign-in"); b.path != "/sign-in" {
				h.Error(b.path)
			}
		})
		h.run("the profile", func(h *house) {
			b := h.visitor("profile@example.com").says("profile@example.com")
			b.changeProfile("name", "Ada <King>", "phone", " +1 ", "address", "A\r\nB\r\n").says("Your profile is saved.", "Ada &lt;King&gt;")
			f := b.get("/account").form("save-profile").fields
			if f.Get("name") != "Ada <King>" || f.Get("phone") != "+1" {
				h.Error(f)
			}
			b.changeProfile("name", "").shows(422, "save-profile").says("Tell us your name.")
			b.changeProfile("phone", strings.Repeat("1", 51), "address", strings.Repeat("a", 501)).shows(422, "save-profile").says("Use a shorter phone number.", "Use a shorter address.")
			b.get("/account").says("Ada &lt;King&gt;")
		})
		h.run("a password change ends everything else, and this session goes on", func(h *house) {
			b := h.visitor("password@example.com")
			elsewhere, a, old := h.visitorAgain("password@example.com"), b.tokens(app), b.session()
			direct := h.login("password@example.com", rightPassword)
			b.get("/account").press("save-password", "current", "wrong", "password", "difference engine").shows(422, "save-password").says("This is not your current password.")
			b.press("save-password", "current", rightPassword, "password", "short").shows(422, "save-password").says("Use at least 8 characters.")
			b.press("save-password", "current", rightPassword, "password", "password@example.com").shows(422, "save-password")
			if !h.holds(a) || !elsewhere.isSignedIn() {
				h.Error("what was refused changed something")
			}
			b.get("/account").press("save-password", "current", rightPassword, "password", "difference engine").shows(200, "save-password").says("Your password is changed.")
			h.ended(app, a)
			h.refused(h.refresh(direct.member("refresh_token")), 400, "invalid_grant") // check 66
			if elsewhere.isSignedIn() || !b.isSignedIn() || b.session() == old {
				h.Error(elsewhere.isSignedIn(), b.isSignedIn(), b.session() == old)
			}
			b.allowed(app, "prompt", "none")
			h.browser().get("/sign-in").press("sign-in", "email", "password@example.com", "password", rightPassword).shows(422, "sign-in")
			h.browser().get("/sign-in").press("sign-in", "email", "password@example.com", "password", "difference engine").shows(200, "save-profile")
		})
		h.run("sessions and apps are shown", func(h *house) {
			b := h.visitor("shown@example.com")
			b.tokens(app)
			h.visitorAgain("shown@example.com")
			b.get("/account").says("Firefox, Linux", "this browser", "app", "see your name")
			if n := strings.Count(b.at.body, `name="session" value="ses_`); n != 1 {
				h.Errorf("%d other sessions", n)
			}
			h.clock.advance(8 * 24 * time.Hour)
			again := h.visitorAgain("shown@example.com").get("/account")
			if n := strings.Count(again.at.body, `name="session" value="ses_`); n != 0 {
				h.Errorf("%d other sessions, which all ended", n)
			}
		})
		h.run("its forms are bound to the session", func(h *house) {
			attacker, b := h.visitor("attacker@example.com").get("/account"), h.visitor("victim@example.com")
			token := attacker.form("save-profile").fields.Get("token")
			for path, fields := range map[string]url.Values{
				"/account/profile": {"name": {"Eve"}}, "/account/password": {"current": {rightPassword}, "password": {"difference engine"}},
				"/account/apps": {"client": {"app"}}, "/account/sessions": {"session": {"others"}},
			} {
				for _, fields["token"] = range [][]string{{token}, {""}, {"x"}} {
					b.send("POST", path, fields.Encode()).fails(403, "other_browser")
				}
			}
			b.get("/account").says("Ada")
		})
	})
}

func TestDeveloperSeesWhatIsWrong(t *testing.T) {
	h := newHouse(t, asDev)
	h.webApp("app")
	b := h.browser()
	b.get(authorizePath("app", "redirect_uri", redirectURI+"/")).fails(400, "redirect_mismatch")
	b.says("redirect_uri", "<mark>/</mark>", "sent “/” too much", "invalid_request")
	b.get(authorizePath("app", "redirect_uri", "https://app.example.com/callbakc")).says("sent “callbakc” instead of “callback”")
	b.get(authorizePath("app", "redirect_uri", "")).says("redirect_uri", "scope openid requires it")
	b.get(authorizePath("nobody")).fails(400, "unknown_client").says("client_id", "nobody")
	b.get(authorizePath("app", "redirect_uri", `https://evil.example/"><script>`)).says("&lt;script&gt;")
	if strings.Contains(b.at.body, `"><script>`) {
		t.Error(b.at.body)
	}
	production := newHouse(t)
	production.webApp("app")
	page := production.browser().get(authorizePath("app", "redirect_uri", redirectURI+"/")).fails(400, "redirect_mismatch").at.body
	for _, secret := range []string{redirectURI, "<mark>", "For developers"} {
		if strings.Contains(page, secret) {
			t.Errorf("production says %q", secret)
		}
	}
}

func TestDeveloperSeesAWholeFlow(t *testing.T) {
	h := newHouse(t, asDev)
	app := h.webApp("app", func(c *operator.Client) { c.Name = "Notes" })
	b := h.browser()
	h.admin("POST", "/users", operator.NewUser{Email: "ada@example.com", Name: "Ada", Password: rightPassword}, nil)
	b.get(authorizePath("app")).shows(200, "sign-in")
	b.signInAs("ada@example.com").shows(200, "allow").press("allow")
	a := h.ok(h.redeem(app, b.answered(redirectURI).Get("code")))
	h.ok(h.get("/userinfo", bearerToken(a.member("access_token"))))
	b.get(authorizePath("app", "response_type", "token"))
	page := html.UnescapeString(b.get("/dev/flows").at.body)
	flows := strings.Split(page, `<section class="flow">`)[1:]
	if len(flows) != 2 {
		t.Fatalf("%d flows: %s", len(flows), page)
	}
	for _, want := range []string{"Notes", "refused", "unsupported_response_type"} {
		if !strings.Contains(flows[0], want) {
			t.Errorf("the newest flow does not say %q: %s", want, flows[0])
		}
	}
	at := 0
	for _, want := range []string{
		"Notes", "GET /authorize", "asked to sign in", "code_challenge", "POST /sign-in", "asked to allow openid profile email", "POST /consent", "issued a code",
		"POST /token", "access token", `"typ": "at+jwt"`, "ID token", fmt.Sprintf(`"nonce": %q`, "a nonce"), "GET /userinfo",
	} {
		next := strings.Index(flows[1][at:], want)
		if next < 0 {
			t.Fatalf("after %d bytes the flow does not say %q: %s", at, want, flows[1])
		}
		at += next
	}
	if strings.Contains(page, rightPassword) {
		t.Error("the password is shown")
	}
}

// TestAddressOfAFormIsOpenedByHand: a reload after a session has ended leads there.
func TestAddressOfAFormIsOpenedByHand(t *testing.T) {
	h := newHouse(t)
	b := h.browser()
	b.get("/account/password", header("Accept", "text/html")).fails(405, "bad_method")
	if allow := b.at.header.Get("Allow"); allow != "POST" {
		t.Error(allow)
	}
	for path, accept := range map[string]string{"/token": "text/html", "/account/password": "application/json"} {
		if a := h.get(path, header("Accept", accept), h.atIssuer); a.status != 405 || a.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s", path, a.status, a.header.Get("Content-Type"))
		}
	}
}
