package server

import (
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/operator"
)

// holds says whether the access token of an answer still opens UserInfo.
func (h *house) holds(a answer) bool {
	h.Helper()
	return h.get("/userinfo", bearerToken(a.member("access_token"))).status == 200
}

// ended wants everything that an answer handed to a public client to be dead.
func (h *house) ended(c operator.Client, a answer) {
	h.Helper()
	if h.holds(a) {
		h.Error("the access token lives")
	}
	h.refused(h.refresh(a.member("refresh_token"), "client_id", c.ID), 400, "invalid_grant")
}

func TestCodeIsRedeemedOnce(t *testing.T) {
	inEachHouse(t, func(h *house) {
		app, other := h.webApp("app"), h.webApp("other")
		web := h.webApp("web", confidential)
		h.run("34 a code twice", func(h *house) {
			b := h.visitor("34@example.com")
			kept := b.tokens(app)
			code := b.codeFor("app")
			first := h.ok(h.redeem(app, code))
			h.refused(h.redeem(app, code), 400, "invalid_grant")
			h.ended(app, first)
			h.refused(h.redeem(app, code), 400, "invalid_grant")
			if !h.holds(kept) {
				h.Error("what another code was redeemed for died too")
			}
			next := b.tokens(app)
			a := h.ok(h.refresh(next.member("refresh_token"), "client_id", "app"))
			if !h.holds(a) {
				h.Error("a refreshed token is dead")
			}
		})
		h.run("34 a replay ends also what was refreshed since", func(h *house) {
			code := h.visitor("34b@example.com").codeFor("app")
			first := h.ok(h.redeem(app, code))
			second := h.ok(h.refresh(first.member("refresh_token"), "client_id", "app"))
			h.refused(h.redeem(app, code, "code_verifier", ""), 400, "invalid_grant")
			h.ended(app, second)
		})
		h.run("35 a code in parallel", func(h *house) {
			code := h.visitor("35@example.com").codeFor("app")
			var mu sync.Mutex
			var won []answer
			parallel(200, func(int) {
				a := h.redeem(app, code)
				mu.Lock()
				defer mu.Unlock()
				if a.status == 200 {
					won = append(won, a)
				} else {
					h.refused(a, 400, "invalid_grant")
				}
			})
			if len(won) != 1 {
				h.Fatalf("%d succeeded", len(won))
			}
			h.ended(app, won[0]) // the others were replays
		})
		h.run("36 a code after its lifetime", func(h *house) {
			b := h.visitor("36@example.com")
			code := b.codeFor("app")
			h.clock.advance(time.Minute - time.Microsecond)
			h.ok(h.redeem(app, code))
			code = b.codeFor("app")
			h.clock.advance(time.Minute)
			h.refused(h.redeem(app, code), 400, "invalid_grant")
		})
		h.run("37 another client's code", func(h *house) {
			b := h.visitor("37@example.com")
			code := b.codeFor("app")
			h.refused(h.redeem(other, code), 400, "invalid_grant")
			h.refused(h.redeem(web, code), 400, "invalid_grant")
			tokens := h.ok(h.redeem(app, code)) // it is not spent for its own
			h.refused(h.redeem(other, code), 400, "invalid_grant")
			if !h.holds(tokens) {
				h.Error("another client ended what was redeemed")
			}
		})
		h.run("38 another client_id than the authenticated one", func(h *house) {
			code := h.visitor("38@example.com").codeFor("web")
			h.refused(h.form("/token", []string{
				"grant_type", "authorization_code", "code", code, "redirect_uri", redirectURI, "code_verifier", verifier, "client_id", "app",
			}, basicOf(web)), 400, "invalid_request")
			h.refused(h.redeem(web, code, "client_secret", ""), 401, "invalid_client")
			h.ok(h.redeem(web, code))
		})
		h.run("39 another redirect_uri", func(h *house) {
			b := h.visitor("39@example.com")
			code := b.codeFor("app")
			for _, uri := range []string{redirectURI + "/", "https://app.example.com", "https://evil.example/callback"} {
				h.refused(h.redeem(app, code, "redirect_uri", uri), 400, "invalid_grant")
			}
			h.ok(h.redeem(app, code, "redirect_uri", "")) // the verifier binds it: OAuth 2.1 §4.1.3
		})
		h.run("40 no verifier, 41 a wrong one", func(h *house) {
			code := h.visitor("40@example.com").codeFor("app")
			for _, wrong := range []string{"", strings.ToLower(verifier), verifier[1:], verifier + "A", verifier[:42] + "A", challengeOf(verifier), strings.Repeat("a", 129), verifier + "="} {
				h.refused(h.redeem(app, code, "code_verifier", wrong), 400, "invalid_grant")
			}
			h.ok(h.redeem(app, code))
		})
		h.run("41 verifiers have 43 to 128 unreserved characters", func(h *house) {
			b := h.visitor("41@example.com")
			for _, own := range []string{strings.Repeat("a", 42), strings.Repeat("a", 129), strings.Repeat("a", 42) + "+", strings.Repeat("a", 42) + " "} {
				h.refused(h.redeem(app, b.codeFor("app", "code_challenge", challengeOf(own)), "code_verifier", own), 400, "invalid_grant")
			}
			for _, own := range []string{strings.Repeat("~", 43), strings.Repeat("a-._~9", 21) + "zz"} {
				h.ok(h.redeem(app, b.codeFor("app", "code_challenge", challengeOf(own)), "code_verifier", own))
			}
		})
		h.run("42 a verifier where there was no challenge", func(h *house) {
			optional := h.webApp("optional", confidential, func(c *operator.Client) { c.RequirePKCE = new(false) })
			b := h.visitor("42@example.com")
			without := []string{"code_challenge", "", "code_challenge_method", ""}
			code := b.codeFor("optional", without...)
			h.refused(h.redeem(optional, code), 400, "invalid_grant")
			h.refused(h.redeem(optional, code, "code_verifier", "", "redirect_uri", ""), 400, "invalid_grant") // RFC 6749 §4.1.3
			h.ok(h.redeem(optional, code, "code_verifier", ""))
			code = b.codeFor("optional", append(slices.Clone(without), "redirect_uri", "", "scope", "profile")...)
			h.ok(h.redeem(optional, code, "code_verifier", "", "redirect_uri", ""))
			h.refused(h.redeem(optional, b.codeFor("optional"), "code_verifier", ""), 400, "invalid_grant") // and one that was sent counts
		})
		h.run("43 a code that was changed", func(h *house) {
			code := h.visitor("43@example.com").codeFor("app")
			for _, forged := range changed(code) {
				h.refused(h.redeem(app, forged), 400, "invalid_grant")
			}
			h.ok(h.redeem(app, code))
		})
		h.run("a code is missing", func(h *house) { h.refused(h.redeem(app, ""), 400, "invalid_request") })
		h.run("50 a client that may not use codes", func(h *house) {
			code := h.visitor("50@example.com").codeFor("app")
			h.webApp("codeless", func(c *operator.Client) { c.Grants = []string{"refresh_token"} })
			h.refused(h.redeem(operator.Client{ID: "codeless"}, code), 400, "unauthorized_client")
		})
		h.run("a client without refresh tokens gets none", func(h *house) {
			once := h.webApp("once", func(c *operator.Client) { c.Grants = []string{"authorization_code"} })
			b := h.visitor("once@example.com")
			b.get(authorizePath("once", "scope", "openid offline_access", "prompt", "consent"))
			if strings.Contains(b.at.body, "while you are away") {
				h.Error("it asks for what it cannot have")
			}
			a := h.ok(h.redeem(once, b.press("allow").answered(redirectURI).Get("code")))
			if a.member("refresh_token") != "" || a.member("scope") != "openid" {
				h.Error(a.body)
			}
		})
	})
}

// TestCodeEndsWithWhatItWasIssuedOn ends each thing between the code and its redemption.
func TestCodeEndsWithWhatItWasIssuedOn(t *testing.T) {
	inEachHouse(t, func(h *house) {
		app := h.webApp("app")
		for name, end := range map[string]func(h *house, b *browser, email string){
			"the person is disabled": func(h *house, _ *browser, email string) {
				h.admin("POST", "/users/"+email+"/disable", nil, &operator.User{})
			},
			"the person was disabled": func(h *house, _ *browser, email string) {
				h.admin("POST", "/users/"+email+"/disable", nil, &operator.User{})
				h.admin("POST", "/users/"+email+"/enable", nil, &operator.User{})
			},
			"the person's sessions are ended": func(h *house, _ *browser, email string) {
				h.admin("POST", "/users/"+email+"/end-sessions", nil, &operator.User{})
			},
			"the person signed out": func(_ *house, b *browser, _ string) { b.get("/sign-out").press("sign-out") },
			"the person changed the password": func(_ *house, b *browser, _ string) {
				b.get("/account").press("save-password", "current", rightPassword, "password", "difference engine")
			},
			"the person took it back": func(h *house, b *browser, _ string) { b.removeApp("app") },
			"the client was disabled": func(h *house, _ *browser, _ string) {
				h.admin("POST", "/clients/app/disable", nil, nil)
				h.admin("POST", "/clients/app/enable", nil, nil)
			},
		} {
			h.run(name, func(h *house) {
				email := strings.ReplaceAll(name, " ", "") + "@example.com"
				email = strings.ReplaceAll(email, "'", "")
				b := h.visitor(email)
				spent, code := b.tokens(app), b.codeFor("app")
				end(h, b, email)
				h.refused(h.redeem(app, code), 400, "invalid_grant")
				h.ended(app, spent) // check 66
			})
		}
	})
}

// removeApp takes back what the person allowed a client.
func (b *browser) removeApp(client string) *browser {
	b.h.Helper()
	token := b.get("/account").form("save-profile").fields.Get("token")
	return b.send("POST", "/account/apps", url.Values{"token": {token}, "client": {client}}.Encode())
}

func TestEachWayToAuthenticate(t *testing.T) {
	inEachHouse(t, func(h *house) {
		b := h.visitor("ada@example.com")
		body := func(code string, more ...string) []string {
			return append([]string{"grant_type", "authorization_code", "code", code, "redirect_uri", redirectURI, "code_verifier", verifier}, more...)
		}
		key := newClientKey(h)
		either := h.webApp("either", confidential)
		basic := h.webApp("basic", confidential, func(c *operator.Client) { c.AuthMethod = "client_secret_basic" })
		post := h.webApp("post", confidential, func(c *operator.Client) { c.AuthMethod = "client_secret_post" })
		h.webApp("keys", confidential, func(c *operator.Client) { c.AuthMethod, c.JWKS = "private_key_jwt", []byte(setOf(h, key)) })
		h.webApp("public")
		inBody := func(c operator.Client) []string {
			return []string{"client_id", c.ID, "client_secret", c.Secret}
		}
		h.run("client_secret_basic", func(h *house) {
			h.ok(h.form("/token", body(b.codeFor("either")), basicOf(either)))
			code := b.codeFor("basic")
			h.refused(h.form("/token", body(code, inBody(basic)...)), 401, "invalid_client")
			h.ok(h.form("/token", body(code), basicOf(basic)))
		})
		h.run("client_secret_post", func(h *house) {
			h.ok(h.form("/token", body(b.codeFor("either"), inBody(either)...)))
			code := b.codeFor("post")
			h.refused(h.form("/token", body(code), basicOf(post)), 401, "invalid_client")
			h.ok(h.form("/token", body(code, inBody(post)...)))
		})
		h.run("private_key_jwt", func(h *house) {
			code := b.codeFor("keys")
			h.refused(h.form("/token", body(code, "client_id", "keys")), 401, "invalid_client")
			h.refused(h.form("/token", body(code), basicOf(operator.Client{ID: "keys", Secret: "x"})), 401, "invalid_client")
			a := h.ok(h.form("/token", body(code, h.assertionOf("keys", key)...)))
			h.ok(h.form("/token", append([]string{"grant_type", "refresh_token", "refresh_token", a.member("refresh_token")}, h.assertionOf("keys", key)...)))
			h.refused(h.refresh(a.member("refresh_token"), "client_id", "keys"), 401, "invalid_client")
		})
		h.run("none", func(h *house) {
			code := b.codeFor("public")
			h.refused(h.form("/token", body(code, "client_id", "public", "client_secret", "x")), 401, "invalid_client")
			h.refused(h.form("/token", body(code)), 401, "invalid_client")
			h.ok(h.form("/token", body(code, "client_id", "public")))
		})
	})
}
