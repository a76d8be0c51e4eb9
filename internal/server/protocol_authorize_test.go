package server

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/operator"
)

// Numbers in test names are those of the project's list of protocol checks.

// visitor is a new person, signed in in a browser of their own.
func (h *house) visitor(email string) *browser {
	h.Helper()
	h.registered(email)
	b := h.browser()
	b.get("/sign-in").signInAs(email)
	h.clock.advance(time.Second) // what comes next is not in the moment of signing in
	return b.shows(200, "save-profile")
}

// tokens are what a client gets when the person allows it.
func (b *browser) tokens(c operator.Client, parameters ...string) answer {
	b.h.Helper()
	return b.h.ok(b.h.redeem(c, b.codeFor(c.ID, parameters...)))
}

// denied wants an error to have come back to the client, with its state.
func (b *browser) denied(code string) {
	b.h.Helper()
	values := b.answered(redirectURI)
	if values.Get("error") != code || values.Get("state") != "a state" || values.Has("code") || values.Get("error_description") == "" {
		b.h.Errorf("%s, want %s", b.left, code)
	}
}

// denies asks for a code and wants an error.
func (b *browser) denies(code, clientID string, parameters ...string) {
	b.h.Helper()
	b.get(authorizePath(clientID, parameters...)).denied(code)
}

// fromElsewhere makes a post one of a page of the app.
func fromElsewhere(r *http.Request) {
	r.Header.Set("Origin", "https://app.example.com")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
}

func TestNothingGoesBackToAnAddressThatIsNotTheClients(t *testing.T) {
	inEachHouse(t, func(h *house) {
		h.webApp("app")
		h.webApp("two", func(c *operator.Client) { c.RedirectURIs = append(c.RedirectURIs, "https://app.example.com/other") })
		h.webApp("native", func(c *operator.Client) {
			c.Native, c.RedirectURIs = true, []string{"http://127.0.0.1/callback", "http://localhost:4200/callback"}
		})
		h.run("1 a redirect_uri that nobody registered", func(h *house) {
			h.browser().get(authorizePath("app", "redirect_uri", "https://evil.example/callback")).fails(400, "redirect_mismatch")
		})
		for _, uri := range []string{
			"https://app.example.com/callback/", "https://app.example.com/Callback", "https://app.example.com/callback?x=1", "https://app.example.com/callback?",
			"https://app.example.com/callback#x", "https://app.example.com:443/callback", "https://app.example.com:8443/callback", "https://user@app.example.com/callback",
			"https://app.example.com/..;/callback", "https://app.example.com/x/../callback", "https://app.example.com/%2e/callback", "https://app.example.com/./callback",
			"https://app.example.com/call%62ack", "https://app.example.com//callback", "https://APP.example.com/callback", "HTTPS://app.example.com/callback",
			"http://app.example.com/callback", "https://app.example.com./callback", "https://app.example.com.evil.example/callback",
			"https://app.example.com@evil.example/callback", "https://app.example.com\\@evil.example/callback", "https://app.example.com/callback%00",
			"//app.example.com/callback", "/callback", "https://app.example.com", " https://app.example.com/callback", "https://app.example.com/callback ",
			"https://app.example.com/callback,https://app.example.com/callback", "javascript:alert(1)", "data:text/html,x",
		} {
			h.run("2 "+uri, func(h *house) {
				h.browser().get(authorizePath("app", "redirect_uri", uri)).fails(400, "redirect_mismatch")
			})
		}
		h.run("2 only the port of a native app on a loopback address may vary", func(h *house) {
			b := h.browser()
			b.get(authorizePath("native", "redirect_uri", "http://127.0.0.1:50123/callback")).shows(200, "sign-in")
			for _, uri := range []string{
				"http://localhost:50123/callback", "http://127.0.0.2:50123/callback", "http://127.0.0.1:50123/other", "http://127.0.0.1:x/callback", "https://127.0.0.1:50123/callback",
			} {
				b.get(authorizePath("native", "redirect_uri", uri)).fails(400, "redirect_mismatch")
			}
		})
		h.run("3 no redirect_uri where two are registered", func(h *house) {
			h.browser().get(authorizePath("two", "redirect_uri", "", "scope", "profile")).fails(400, "redirect_mismatch")
			h.browser().get(authorizePath("app", "redirect_uri", "")).fails(400, "redirect_mismatch") // scope openid requires it
			h.browser().get(authorizePath("app", "redirect_uri", "", "scope", "profile")).shows(200, "sign-in")
		})
		h.run("9 client_id or redirect_uri twice", func(h *house) {
			h.browser().get(authorizePath("app")+"&client_id=app").fails(400, "unknown_client")
			h.browser().get(authorizePath("app")+"&client_id=two").fails(400, "unknown_client")
			h.browser().get(authorizePath("app")+"&redirect_uri="+url.QueryEscape(redirectURI)).fails(400, "redirect_mismatch")
			h.browser().get(authorizePath("app")+"&redirect_uri=https://evil.example/").fails(400, "redirect_mismatch")
		})
		h.run("10 an unknown client_id", func(h *house) {
			for _, id := range []string{"", "nobody", "App", "app ", "direct", "machine", strings.Repeat("i", 10_000), "<script>"} {
				b := h.browser()
				if b.get(authorizePath(id)); b.at.status != 400 || b.left != "" || strings.Contains(b.at.body, "<script>") {
					h.Error(id, b.at.status, b.left)
				}
			}
		})
		h.run("11 a disabled client", func(h *house) {
			h.webApp("off")
			b := h.browser()
			b.get(authorizePath("off")).shows(200, "sign-in")
			h.admin("POST", "/clients/off/disable", nil, nil)
			b.press("sign-in", "email", "ada@example.com", "password", rightPassword)
			if b.left != "" {
				h.Error(b.left)
			}
			b.get(authorizePath("off")).fails(400, "unknown_client")
		})
		h.run("a request that is no form, or too long", func(h *house) {
			for _, query := range []string{"&x=%00", "&x=%ff", "&x=%zz", strings.Repeat("&x", 200), "&x=" + strings.Repeat("x", 20_000)} {
				h.browser().get(authorizePath("app")+query).fails(400, "bad_form")
			}
		})
	})
}

func TestAuthorizationRequestIsRefused(t *testing.T) {
	inEachHouse(t, func(h *house) {
		h.webApp("app", func(c *operator.Client) {
			c.Audiences = []string{"https://api.example.com", "https://other.example.com"}
		})
		h.webApp("strict", confidential)
		h.webApp("optional", confidential, func(c *operator.Client) { c.RequirePKCE = new(false) })
		h.webApp("posted", func(c *operator.Client) { c.ResponseModes = []string{"form_post"} })
		h.webApp("codeless", func(c *operator.Client) { c.Grants = []string{"refresh_token"} })
		for _, row := range []struct {
			name, code, client string
			parameters         []string
		}{
			{"4 response_type missing", "invalid_request", "app", []string{"response_type", ""}},
			{"5 token", "unsupported_response_type", "app", []string{"response_type", "token"}},
			{"5 id_token", "unsupported_response_type", "app", []string{"response_type", "id_token"}},
			{"5 code id_token", "unsupported_response_type", "app", []string{"response_type", "code id_token"}},
			{"5 code token", "unsupported_response_type", "app", []string{"response_type", "code token"}},
			{"5 none", "unsupported_response_type", "app", []string{"response_type", "none"}},
			{"5 CODE", "unsupported_response_type", "app", []string{"response_type", "CODE"}},
			{"6 a public client without a challenge", "invalid_request", "app", []string{"code_challenge", "", "code_challenge_method", ""}},
			{"6 a confidential one, which need not say that it uses PKCE", "invalid_request", "strict", []string{"code_challenge", "", "code_challenge_method", ""}},
			{"6 a method without a challenge", "invalid_request", "optional", []string{"code_challenge", ""}},
			{"7 plain", "invalid_request", "app", []string{"code_challenge_method", "plain"}},
			{"7 no method, which means plain", "invalid_request", "app", []string{"code_challenge_method", ""}},
			{"7 s256", "invalid_request", "app", []string{"code_challenge_method", "s256"}},
			{"7 S512", "invalid_request", "optional", []string{"code_challenge_method", "S512"}},
			{"8 a short challenge", "invalid_request", "app", []string{"code_challenge", challengeOf(verifier)[1:]}},
			{"8 a long challenge", "invalid_request", "app", []string{"code_challenge", challengeOf(verifier) + "A"}},
			{"8 a challenge with padding", "invalid_request", "app", []string{"code_challenge", challengeOf(verifier) + "="}},
			{"8 a challenge of another alphabet", "invalid_request", "app", []string{"code_challenge", "+" + challengeOf(verifier)[1:]}},
			{"8 a challenge that no hash has", "invalid_request", "app", []string{"code_challenge", challengeOf(verifier)[:42] + "B"}},
			{"14 prompt none and login", "invalid_request", "app", []string{"prompt", "none login"}},
			{"14 an unknown prompt", "invalid_request", "app", []string{"prompt", "register"}},
			{"14 None", "invalid_request", "app", []string{"prompt", "None"}},
			{"16 max_age -1", "invalid_request", "app", []string{"max_age", "-1"}},
			{"16 max_age abc", "invalid_request", "app", []string{"max_age", "abc"}},
			{"16 max_age 1.5", "invalid_request", "app", []string{"max_age", "1.5"}},
			{"16 max_age beyond 68 years", "invalid_request", "app", []string{"max_age", "99999999999"}},
			{"19 no scope that there is", "invalid_scope", "app", []string{"scope", "admin"}},
			{"19 a character that scopes do not have", "invalid_scope", "app", []string{"scope", `openid "`}},
			{"20 request", "request_not_supported", "app", []string{"request", "e30.e30."}},
			{"20 request_uri", "request_uri_not_supported", "app", []string{"request_uri", "https://app.example.com/request"}},
			{"20 request_uri as of PAR", "request_uri_not_supported", "app", []string{"request_uri", "urn:ietf:params:oauth:request_uri:x"}},
			{"21 response_mode fragment", "invalid_request", "app", []string{"response_mode", "fragment"}},
			{"21 response_mode query.jwt", "invalid_request", "app", []string{"response_mode", "query.jwt"}},
			{"21 response_mode form_post.jwt", "invalid_request", "app", []string{"response_mode", "form_post.jwt"}},
			{"21 response_mode web_message", "invalid_request", "app", []string{"response_mode", "web_message"}},
			{"21 a response_mode that is empty but for a space", "invalid_request", "app", []string{"response_mode", " "}},
			{"50 a client that may not use codes", "unauthorized_client", "codeless", nil},
			{"claims that are no object", "invalid_request", "app", []string{"claims", "[]"}},
			{"claims that are no JSON", "invalid_request", "app", []string{"claims", "{"}},
			{"claims that are too long", "invalid_request", "app", []string{"claims", `{"userinfo":{"` + strings.Repeat("x", 4096) + `":null}}`}},
			{"a resource of another client", "invalid_target", "app", []string{"resource", "https://foreign.example.com"}},
		} {
			h.run(row.name, func(h *house) { h.browser().denies(row.code, row.client, row.parameters...) })
		}
		h.run("9 a parameter twice", func(h *house) {
			for _, twice := range []string{"&state=another", "&scope=openid", "&unknown=1&unknown=2", "&nonce=a+nonce", "&response_mode=query&response_mode=form_post"} {
				h.browser().get(authorizePath("app") + twice).denied("invalid_request")
			}
			h.browser().get(authorizePath("app")+"&state=&unknown=1&unknown=&resource=https://api.example.com&resource=https://other.example.com").shows(200, "sign-in")
		})
		h.run("22 a state or nonce that is too long", func(h *house) {
			b := h.browser()
			b.denies("invalid_request", "app", "nonce", strings.Repeat("n", 4097))
			b.get(authorizePath("app", "state", strings.Repeat("s", 4097)))
			if values := b.answered(redirectURI); values.Get("error") != "invalid_request" || values.Has("state") {
				h.Error(b.left)
			}
		})
		h.run("21 an error goes the way that was asked for, or registered", func(h *house) {
			b := h.browser()
			for path, code := range map[string]string{
				authorizePath("app", "response_mode", "form_post", "prompt", "none"): "login_required",
				authorizePath("posted", "prompt", "none"):                            "login_required",
				authorizePath("posted", "response_mode", "query"):                    "invalid_request", // 21: it is not registered for it
			} {
				f := b.get(path).shows(200, "continue").form("continue")
				if f.action != redirectURI || f.fields.Get("error") != code || f.fields.Get("state") != "a state" || f.fields.Get("iss") != h.Policy.Issuer {
					h.Errorf("%+v", f)
				}
			}
		})
		h.run("24 a method that is neither GET nor POST", func(h *house) {
			for _, method := range []string{"PUT", "DELETE", "PATCH"} {
				if a := h.send(method, authorizePath("app"), ""); a.status != 405 || a.header.Get("Allow") != "GET, POST" {
					h.Error(method, a.status, a.header)
				}
			}
		})
	})
}

func TestAuthorizationRequestIsAnswered(t *testing.T) {
	inEachHouse(t, func(h *house) {
		app := h.webApp("app")
		other := h.webApp("other", confidential)
		h.run("12 prompt=none while nobody is signed in", func(h *house) {
			h.browser().denies("login_required", "app", "prompt", "none")
		})
		h.run("13 prompt=none for a client that was not allowed anything", func(h *house) {
			b := h.visitor("13@example.com")
			b.denies("consent_required", "app", "prompt", "none")
			b.codeFor("app", "scope", "openid")
			b.get(authorizePath("app", "prompt", "none", "scope", "openid"))
			h.ok(h.redeem(app, b.answered(redirectURI).Get("code")))
			b.denies("consent_required", "app", "prompt", "none") // it asks for more
		})
		h.run("15 max_age and prompt=login want a fresh sign-in", func(h *house) {
			b := h.visitor("15@example.com")
			_, first := h.idToken(b.tokens(app))
			for _, again := range [][]string{{"max_age", "0"}, {"max_age", "1"}, {"prompt", "login"}} {
				h.clock.advance(2 * time.Second)
				if again[0] == "max_age" {
					b.denies("login_required", "app", "prompt", "none", "max_age", again[1])
				}
				b.get(authorizePath("app", again...)).shows(200, "sign-in")
				h.clock.advance(time.Minute)
				b.signInAs("15@example.com")
				_, second := h.idToken(h.ok(h.redeem(app, b.answered(redirectURI).Get("code"))))
				if second["auth_time"] != float64(h.clock.now().Unix()) || second["auth_time"] == first["auth_time"] || second["sid"] != first["sid"] {
					h.Error(again, first, second)
				}
			}
			h.clock.advance(10 * time.Second)
			b.get(authorizePath("app", "max_age", "11"))
			if _, third := h.idToken(h.ok(h.redeem(app, b.answered(redirectURI).Get("code")))); third["auth_time"] != float64(h.clock.now().Add(-10*time.Second).Unix()) {
				h.Error(third)
			}
		})
		h.run("15 the back button does not sign in without a password", func(h *house) {
			b := h.visitor("15b@example.com")
			b.get(authorizePath("app", "prompt", "login"))
			shown := b.form("sign-in")
			b.send("POST", shown.action, "flow="+url.QueryEscape(shown.fields.Get("flow"))+"&action=continue").fails(403, "other_browser")
			b.send("POST", shown.action, "flow="+url.QueryEscape(shown.fields.Get("flow"))+"&action=choose").fails(403, "other_browser")
		})
		h.run("17 id_token_hint of another person", func(h *house) {
			ada, eve := h.visitor("17@example.com"), h.visitor("17b@example.com")
			hint, own := ada.tokens(app).member("id_token"), eve.tokens(app).member("id_token")
			eve.denies("login_required", "app", "prompt", "none", "id_token_hint", hint)
			eve.get(authorizePath("app", "prompt", "none", "id_token_hint", own))
			if !eve.answered(redirectURI).Has("code") {
				h.Error(eve.left)
			}
			eve.get(authorizePath("app", "id_token_hint", hint)).shows(200, "sign-in")
			eve.signInAs("17b@example.com").denied("login_required") // never an answer about somebody else
			h.clock.advance(48 * time.Hour)                          // a hint may have expired
			ada.get(authorizePath("app", "prompt", "none", "id_token_hint", hint))
			if !ada.answered(redirectURI).Has("code") {
				h.Error(ada.left)
			}
			eve.denies("login_required", "app", "prompt", "none", "claims", `{"id_token":{"sub":{"value":"usr_of_ada"}}}`)
		})
		h.run("18 a hint that is none of ours", func(h *house) {
			b := h.visitor("18@example.com")
			tokens := b.tokens(app)
			f := newForger(h, tokens.member("id_token"))
			for name, hint := range map[string]string{
				"garbage": "garbage", "alg none": f.input(map[string]any{"alg": "none"}) + ".", "another key": f.selfSigned(nil), "a key of its own": f.selfSigned(map[string]any{"kid": nil}),
				"an access token": tokens.member("access_token"), "another client's": b.tokens(other).member("id_token"),
				"HS256": f.hmacSigned([]byte("secret")), "unsigned": strings.TrimSuffix(tokens.member("id_token"), f.signature),
			} {
				b.get(authorizePath("app", "id_token_hint", hint))
				if values := b.answered(redirectURI); values.Get("error") != "invalid_request" {
					h.Error(name, b.left)
				}
			}
		})
		h.run("19 an unknown scope is not granted", func(h *house) {
			b := h.visitor("19@example.com")
			a := b.tokens(app, "scope", "openid admin profile root")
			if token := mustVerify(h, a.member("access_token")); a.member("scope") != "openid profile" || strings.Join(token.Scope, " ") != "openid profile" {
				h.Error(a.body)
			}
		})
		h.run("22 a long state and nonce come back whole", func(h *house) {
			b := h.visitor("22@example.com")
			nonce, state := strings.Repeat("nonce-7 ", 48), strings.Repeat(`a b&c=ä"<>%2B+#;`, 4096/17)+"4096 bytes long."
			code := b.codeFor("app", "nonce", nonce, "state", state)
			if got := b.answered(redirectURI).Get("state"); got != state {
				h.Errorf("%q", got)
			}
			a := h.ok(h.redeem(app, code))
			if _, c := h.idToken(a); c["nonce"] != nonce || strings.Contains(string(mustJSON(newForger(h, a.member("access_token")).claims)), "nonce-7") {
				h.Error(c)
			}
		})
		h.run("23 the person says no", func(h *house) {
			b := h.visitor("23@example.com")
			b.get(authorizePath("app", "prompt", "consent")).shows(200, "allow").press("deny").denied("access_denied")
			b.get(authorizePath("app")).shows(200, "allow") // and nothing was remembered
		})
		h.run("24 POST", func(h *house) {
			b := h.visitor("24@example.com")
			_, query, _ := strings.Cut(authorizePath("app"), "?")
			b.send("POST", "/authorize", query, fromElsewhere).shows(200, "allow").press("allow")
			h.ok(h.redeem(app, b.answered(redirectURI).Get("code")))
			b.send("POST", "/authorize?client_id=app", query).fails(400, "bad_form")
			if a := h.post("/authorize", `{"client_id":"app"}`); a.status != 403 || a.header.Get("Location") != "" {
				h.Error(a.status, a.header)
			}
		})
		h.run("25 form_post", func(h *house) {
			b := h.visitor("25@example.com")
			b.get(authorizePath("app", "response_mode", "form_post", "state", `"><script>`)).shows(200, "allow").press("allow")
			f := b.shows(200, "continue").form("continue")
			if f.action != redirectURI || f.fields.Get("state") != `"><script>` || f.fields.Get("iss") != h.Policy.Issuer || len(f.fields) != 3 || b.left != "" {
				h.Errorf("%+v", f)
			}
			head := b.at.header
			policy := head.Get("Content-Security-Policy")
			if head.Get("Location") != "" || head.Get("Cache-Control") != "no-store" || strings.Contains(b.path, f.fields.Get("code")) ||
				!strings.Contains(policy, "form-action 'self' https://app.example.com;") || !strings.Contains(policy, "script-src 'self'") || strings.Contains(b.at.body, `"><script>`) {
				h.Error(b.path, head, b.at.body)
			}
			h.ok(h.redeem(app, f.fields.Get("code")))
		})
		h.run("25 form_post to what is not on the web", func(h *house) {
			h.webApp("native", func(c *operator.Client) { c.Native, c.RedirectURIs = true, []string{"com.example.app:/callback"} })
			b := h.visitor("native@example.com")
			b.get(authorizePath("native", "redirect_uri", "com.example.app:/callback", "response_mode", "form_post"))
			if b.answered("com.example.app:/callback").Get("error") != "invalid_request" {
				h.Error(b.left)
			}
			b.get(authorizePath("native", "redirect_uri", "com.example.app:/callback")).shows(200, "allow")
			if policy := b.at.header.Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self' com.example.app: https://app.example.com;") {
				h.Error(policy)
			}
			if !b.press("allow").answered("com.example.app:/callback").Has("code") {
				h.Error(b.left)
			}
		})
		h.run("a redirect URI keeps its own query", func(h *house) {
			h.webApp("query", func(c *operator.Client) { c.RedirectURIs = []string{redirectURI + "?x=1&y"} })
			b := h.visitor("query@example.com")
			b.get(authorizePath("query", "redirect_uri", redirectURI+"?x=1&y")).press("allow")
			if !strings.HasPrefix(b.left, redirectURI+"?x=1&y&code=kwc_") {
				h.Error(b.left)
			}
		})
		h.run("unknown parameters and display and acr_values are ignored", func(h *house) {
			b := h.visitor("unknown@example.com")
			b.tokens(app, "unknown", "1", "display", "popup", "acr_values", "urn:mace:incommon:iap:gold 0", "registration", "{}", "id_token_hint", "")
		})
		h.run("login_hint fills in the address", func(h *house) {
			b := h.browser()
			b.get(authorizePath("app", "login_hint", "Ada@Example.com"))
			if got := b.form("sign-in").fields.Get("email"); got != "ada@example.com" {
				h.Errorf("%q", got)
			}
			b.get(authorizePath("app", "login_hint", `"><script>`))
			if got := b.form("sign-in").fields.Get("email"); got != "" || strings.Contains(b.at.body, `"><script>`) {
				h.Error(b.at.body)
			}
		})
		h.run("ui_locales chooses the language", func(h *house) {
			for locales, want := range map[string]string{"de-CH de": "de", "fr de": "de", "en": "en", "fr": "en", "": "en"} {
				if b := h.browser().get(authorizePath("app", "ui_locales", locales)); !strings.Contains(b.at.body, `<html lang="`+want+`">`) {
					h.Error(locales, b.at.body)
				}
			}
		})
		h.run("an acr that cannot be reached is refused only where it is essential", func(h *house) {
			b := h.visitor("acr@example.com")
			b.denies("unmet_authentication_requirements", "app", "claims", `{"id_token":{"acr":{"essential":true,"values":["phr"]}}}`)
			b.tokens(app, "claims", `{"id_token":{"acr":{"values":["phr"]}}}`)
			b.tokens(app, "claims", `{"id_token":{"acr":{"essential":true,"values":["phr","urn:keywright:acr:password"]}}}`)
		})
		h.run("no page may read it, none may frame it, and each hop forgets what was posted", func(h *house) {
			a := h.get(authorizePath("app"), header("Origin", "https://app.example.com"))
			head := a.header
			if head.Get("Access-Control-Allow-Origin") != "" || head.Get("X-Frame-Options") != "DENY" || head.Get("Referrer-Policy") != "same-origin" ||
				!strings.Contains(head.Get("Content-Security-Policy"), "frame-ancestors 'none'") || head.Get("Cache-Control") != "no-store" {
				h.Error(head)
			}
			b := h.visitor("303@example.com")
			b.get(authorizePath("app")).press("allow")
			if b.at.status != 303 || b.at.header.Get("Cache-Control") != "no-store" || b.at.header.Get("Referrer-Policy") != "no-referrer" {
				h.Error(b.at.status, b.at.header)
			}
			b.get(authorizePath("app", "prompt", "login")).signInAs("303@example.com").answered(redirectURI)
			if b.at.status != 303 {
				h.Error("what carried the password is answered by", b.at.status)
			}
		})
	})
}

func TestResourceChoosesTheAudience(t *testing.T) {
	inEachHouse(t, func(h *house) {
		app := h.webApp("app", func(c *operator.Client) {
			c.Audiences = []string{"https://api.example.com", "https://other.example.com"}
		})
		b := h.visitor("ada@example.com")
		audience := func(a answer) string {
			h.Helper()
			return mustVerify(h, h.ok(a).member("access_token")).Audience
		}
		b.get(authorizePath("app", "resource", "https://other.example.com"))
		if !strings.Contains(b.at.body, "https://other.example.com") {
			h.Error("the consent page does not name the API")
		}
		if got := audience(b.tokens(app)); got != "https://api.example.com" {
			h.Error(got)
		}
		tokens := b.tokens(app, "resource", "https://other.example.com")
		if got := audience(tokens); got != "https://other.example.com" {
			h.Error(got)
		}
		h.refused(h.refresh(tokens.member("refresh_token"), "client_id", "app", "resource", "https://api.example.com"), 400, "invalid_target")
		b.get(authorizePath("app") + "&resource=https://other.example.com&resource=https://api.example.com")
		code := b.answered(redirectURI).Get("code")
		h.refused(h.redeem(app, code, "resource", "https://foreign.example.com"), 400, "invalid_target")
		tokens = h.redeem(app, code, "resource", "https://api.example.com")
		if got := audience(tokens); got != "https://api.example.com" {
			h.Error(got)
		}
		if got := audience(h.refresh(tokens.member("refresh_token"), "client_id", "app", "resource", "https://other.example.com")); got != "https://other.example.com" {
			h.Error(got)
		}
	})
}
