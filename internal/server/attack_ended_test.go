package server

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/keywright/keywright/internal/operator"
)

// A toggle takes away what a flow stands on.
type toggle struct {
	name string
	off  func(h *house, b *browser, email, client string)
	on   func(h *house, email, client string) // and gives it back; nil: it cannot
}

var toggles = []toggle{
	{"the person is disabled", func(h *house, _ *browser, email, _ string) {
		h.admin("POST", "/users/"+email+"/disable", nil, &operator.User{})
	}, func(h *house, email, _ string) { h.admin("POST", "/users/"+email+"/enable", nil, &operator.User{}) }},
	{"the client is disabled", func(h *house, _ *browser, _, client string) {
		h.admin("POST", "/clients/"+client+"/disable", nil, &operator.Client{})
	}, func(h *house, _, client string) {
		h.admin("POST", "/clients/"+client+"/enable", nil, &operator.Client{})
	}},
	{"the client is removed", func(h *house, _ *browser, _, client string) {
		h.admin("POST", "/clients/"+client+"/remove", nil, &operator.Client{})
	}, nil},
	{"the operator ends the sessions", func(h *house, _ *browser, email, _ string) {
		h.admin("POST", "/users/"+email+"/end-sessions", nil, &operator.User{})
	}, nil},
	{"the person signs out", func(h *house, b *browser, _, _ string) { b.other().get("/sign-out").press("sign-out") }, nil},
	{"the person changes the password", func(h *house, _ *browser, email, _ string) {
		h.browser().get("/sign-in").signInAs(email).press("save-password", "current", rightPassword, "password", "another password").shows(200, "save-password")
	}, nil},
	{"the person ends the session from another browser", func(h *house, _ *browser, email, _ string) {
		other := h.browser().get("/sign-in").signInAs(email)
		other.post("/account/sessions", "token", other.form("save-profile").fields.Get("token"), "session", "others").shows(200, "save-profile")
	}, nil},
	{"the person takes the consent back", func(h *house, b *browser, _, client string) {
		tab := b.other().get("/account")
		tab.post("/account/apps", "token", tab.form("save-profile").fields.Get("token"), "client", client).shows(200, "save-profile")
	}, nil},
}

// other is another tab of the same browser.
func (b *browser) other() *browser { return &browser{h: b.h, cookies: b.cookies} }

// TestWhatIsTakenAwayInAFlowEndsIt is class 25: each switch, off at each step.
func TestWhatIsTakenAwayInAFlowEndsIt(t *testing.T) {
	inEachHouse(t, func(h *house) {
		api := basicOf(h.addClient(operator.Client{ID: "api", Serves: []string{h.Policy.Issuer}}))
		for i, switched := range toggles {
			email, id := string(rune('a'+i))+"@example.com", "app"+string(rune('a'+i))
			begin := func() (*browser, operator.Client) {
				h.registered(email)
				h.admin("POST", "/clients/"+id+"/remove", nil, nil) // of the step before
				c := h.webApp(id, confidential)
				return h.browser().get(authorizePath(id)), c
			}
			signIn := func(b *browser) *browser { return b.signInAs(email).shows(200, "allow") }
			ofPerson, ofClient := i == 0, i == 1 || i == 2
			if ofPerson || ofClient {
				h.run("at sign-in "+switched.name, func(h *house) {
					b, _ := begin()
					switched.off(h, b, email, id)
					if b.signInAs(email); b.left != "" || b.at.status < 400 {
						h.Errorf("%d, left to %s", b.at.status, b.left)
					}
					if switched.on != nil {
						switched.on(h, email, id)
					}
				})
			}
			if i < len(toggles)-1 {
				h.run("at consent "+switched.name, func(h *house) {
					b, _ := begin()
					request := signIn(b).form("allow").fields.Get("request")
					switched.off(h, b, email, id)
					if b.post("/consent", "request", request, "action", "allow"); b.left != "" || b.at.status < 400 {
						h.Errorf("%d, left to %s", b.at.status, b.left)
					}
					if switched.on != nil {
						switched.on(h, email, id)
						if b.post("/consent", "request", request, "action", "allow"); ofPerson && b.left != "" {
							h.Errorf("what was ended goes on: left to %s", b.left)
						}
					}
				})
			}
			email = "x" + email // who has the first password
			h.run("with a code, and with tokens, "+switched.name, func(h *house) {
				b, c := begin()
				code := signIn(b).press("allow").answered(redirectURI).Get("code")
				tokens := h.ok(h.redeem(c, code))
				pending := b.get(authorizePath(id)).answered(redirectURI).Get("code")
				ended := func(when string) {
					h.Helper()
					for name, a := range map[string]answer{
						"code": h.redeem(c, pending), "refresh token": h.refresh(tokens.member("refresh_token"), "client_id", id, "client_secret", c.Secret),
						"access token": h.get("/userinfo", bearerToken(tokens.member("access_token"))),
					} {
						if a.status != 400 && a.status != 401 {
							h.Errorf("%s: the %s is answered %d %s", when, name, a.status, a.body)
						}
					}
					h.wantBody(h.form("/introspect", []string{"token", tokens.member("access_token")}, api), 200, inactive)
				}
				h.ok(h.get("/userinfo", bearerToken(tokens.member("access_token"))))
				if a := h.form("/introspect", []string{"token", tokens.member("access_token")}, api); !strings.Contains(a.body, `"active":true`) {
					h.Error(a.body)
				}
				switched.off(h, b, email, id)
				ended("off")
				if switched.on != nil {
					switched.on(h, email, id)
					ended("on again")
				}
			})
		}
	})
}

// TestSignUpThatClosesRefusesThePageThatIsOpen is class 25.
func TestSignUpThatClosesRefusesThePageThatIsOpen(t *testing.T) {
	inEachHouse(t, func(h *house) {
		b := h.browser().get("/sign-up")
		f := b.form("sign-up")
		h.closeStore()
		h.open(func(c *Config) { c.SignUp = false })
		h.unchanged(func() {
			b.post("/sign-up", "flow", f.fields.Get("flow"), "email", "ada@example.com", "name", "Ada", "password", rightPassword).fails(403, "sign_up_closed")
			b.get("/sign-up").fails(403, "sign_up_closed")
		})
		if strings.Contains(b.get("/sign-in").at.body, "/sign-up") {
			h.Error("the sign-in page still leads to the closed one")
		}
	})
}

// TestFormsChangeOnlyWhatTheyShow is class 10 (3): nobody verifies, renames,
// enables or identifies themselves by a field that no page has.
func TestFormsChangeOnlyWhatTheyShow(t *testing.T) {
	inEachHouse(t, func(h *house) {
		owned := []string{
			"id", "user", "user_id", "sub", "email_verified", "EmailVerified", "verified", "verify", "password_hash", "PasswordHash", "credential_version", "CredentialVersion",
			"disabled", "Disabled", "epoch", "Epoch", "created_at", "CreatedAt", "updated_at", "UpdatedAt", "role", "roles", "admin", "is_admin", "trusted", "scope", "session", "client",
			"canonical_email", "phone_number_verified", "methods", "acr", "auth_time", "org_id", "flow_id",
		}
		extra := func(fields ...string) []string {
			for _, name := range owned {
				fields = append(fields, name, "true")
			}
			return fields
		}
		b := h.browser().get("/sign-up")
		b.post("/sign-up", extra("flow", b.form("sign-up").fields.Get("flow"), "email", "ada@example.com", "name", "Ada", "password", rightPassword)...).shows(200, "sign-in")
		before, err := h.DB.Read(context.Background()).UserByEmail("ada@example.com")
		if err != nil || before == nil {
			h.Fatal(before, err)
		}
		if !strings.HasPrefix(before.ID, "usr_") || before.EmailVerified || before.Disabled || !before.CreatedAt.Equal(h.clock.now()) || before.Phone != "" || before.Address != "" {
			h.Errorf("%+v", before)
		}
		b.signInAs("ada@example.com").shows(200, "save-profile")
		token := b.form("save-profile").fields.Get("token")
		b.post("/account/profile", extra("token", token, "name", "Ada", "email", "eve@example.com", "password", "another password")...).shows(200, "save-profile")
		after, err := h.DB.Read(context.Background()).UserByEmail("ada@example.com")
		if err != nil || after == nil {
			h.Fatal(after, err)
		}
		after.UpdatedAt = before.UpdatedAt
		if *after != *before {
			h.Errorf("%+v, before %+v", after, before)
		}
		members := map[string]any{"email": "bob@example.com", "name": "Bob", "password": rightPassword}
		for _, name := range owned {
			members[name] = true
		}
		h.ok(h.post("/register", string(mustJSON(members))))
		bob, err := h.DB.Read(context.Background()).UserByEmail("bob@example.com")
		if err != nil || bob == nil || bob.EmailVerified || bob.Disabled || !strings.HasPrefix(bob.ID, "usr_") {
			h.Errorf("%+v, %v", bob, err)
		}
	})
}

// TestOneAddressIsOnePersonOnThePages is class 10 (5).
func TestOneAddressIsOnePersonOnThePages(t *testing.T) {
	inEachHouse(t, func(h *house) {
		h.registered("ada@example.com")
		b := h.browser().get("/sign-up")
		flow := b.form("sign-up").fields.Get("flow")
		signUp := func(email string) int {
			return b.post("/sign-up", "flow", flow, "email", email, "name", "Eve", "password", "password of eve").at.status
		}
		h.unchanged(func() {
			for _, email := range []string{
				"a@x.example,b@y.example", "a@x.example;b@y.example", "a@x.example\nBcc: b@y.example", "a@x.example%0d%0aBcc:b", "a@@x.example", "a@b@x.example", `"a b"@x.example`, "a@x.example b",
				"<a@x.example>", "Ada <a@x.example>", "аda@example.com", "ａda@example.com", "ada@example。com", "ad\u0131@example.com", "ada@exampl\u212a.com", "ada@example.com\x00", "@", "a@", "@x", "",
			} {
				if status := signUp(email); status != 422 && !(strings.Contains(email, "\x00") && status == 400) {
					h.Errorf("%q is answered %d", email, status)
				}
			}
		})
		for _, email := range []string{"ADA@EXAMPLE.COM", "Ada@Example.com", " ada@example.com ", "ada@example.com\t"} {
			if status := signUp(email); status != http.StatusOK {
				h.Errorf("%q is answered %d", email, status)
			}
		}
		if h.rows("users") != 1 {
			h.Errorf("%d people have the address", h.rows("users"))
		}
		b.get("/sign-in").press("sign-in", "email", "ada@example.com", "password", "password of eve").shows(422, "sign-in")
	})
}
