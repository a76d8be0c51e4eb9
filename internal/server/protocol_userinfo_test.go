package server

import (
	"crypto/rand"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/jose"
	"github.com/keywright/keywright/internal/operator"
)

// changeProfile says something about the person at the account page.
func (b *browser) changeProfile(fields ...string) *browser {
	b.h.Helper()
	return b.get("/account").press("save-profile", fields...)
}

func TestUserInfo(t *testing.T) {
	inEachHouse(t, func(h *house) {
		app := h.webApp("app", func(c *operator.Client) { c.Audiences = []string{"https://api.example.com"} })
		whole := h.visitor("ada@example.com")
		whole.changeProfile("name", "Ada Lovelace", "phone", "+44 20 7946 0000", "address", "12 St James's Square\r\nLondon")
		changedAt := h.clock.now().Unix()
		all := whole.tokens(app, "scope", "openid profile email address phone")
		access := all.member("access_token")
		sub := mustVerify(h, access).Subject
		inBody := func(token string) string { return url.Values{"access_token": {token}}.Encode() }
		form := header("Content-Type", "application/x-www-form-urlencoded")

		h.run("GET, POST, and POST with the token in the body", func(h *house) {
			for name, a := range map[string]answer{
				"GET": h.get("/userinfo", bearerToken(access)), "bearer in small letters": h.get("/userinfo", header("Authorization", "bearer "+access)),
				"POST": h.send("POST", "/userinfo", "", bearerToken(access)), "POST with an empty form": h.send("POST", "/userinfo", "", form, bearerToken(access)),
				"POST body": h.send("POST", "/userinfo", inBody(access), form),
			} {
				var got map[string]any
				if json.Unmarshal([]byte(a.body), &got) != nil || a.status != 200 || a.header.Get("Content-Type") != "application/json" || a.header.Get("Cache-Control") != "no-store" {
					h.Error(name, a)
				}
				want := map[string]any{
					"sub": sub, "name": "Ada Lovelace", "updated_at": changedAt, "email": "ada@example.com", "email_verified": false,
					"phone_number": "+44 20 7946 0000", "phone_number_verified": false, "address": map[string]string{"formatted": "12 St James's Square\nLondon"},
				}
				if string(mustJSON(got)) != string(mustJSON(want)) {
					h.Errorf("%s: %s", name, a.body)
				}
			}
		})
		h.run("each scope has its claims", func(h *house) {
			for scope, want := range map[string][]string{
				"openid": {"sub"}, "openid profile": {"name", "sub", "updated_at"}, "openid email": {"email", "email_verified", "sub"},
				"openid address": {"address", "sub"}, "openid phone": {"phone_number", "phone_number_verified", "sub"},
			} {
				var got map[string]any
				a := h.ok(h.get("/userinfo", bearerToken(whole.tokens(app, "scope", scope).member("access_token"))))
				json.Unmarshal([]byte(a.body), &got)
				h.wantClaims(got, want...)
			}
		})
		h.run("what was not given is absent", func(h *house) {
			a := h.ok(h.get("/userinfo", bearerToken(h.visitor("bare@example.com").tokens(app, "scope", "openid profile email address phone").member("access_token"))))
			var got map[string]any
			json.Unmarshal([]byte(a.body), &got)
			if strings.Contains(a.body, "address") || strings.Contains(a.body, "phone") || got["email_verified"] != false {
				h.Error(a.body)
			}
		})
		h.run("claims asks for more by name", func(h *house) {
			a := whole.tokens(app, "scope", "openid", "claims", `{"userinfo":{"email":{"essential":true},"address":null,"phone_number":{"value":"+1"},"given_name":null}}`)
			var got map[string]any
			json.Unmarshal([]byte(h.ok(h.get("/userinfo", bearerToken(a.member("access_token")))).body), &got)
			h.wantClaims(got, "address", "email", "phone_number", "sub")
		})
		h.run("a narrowed token opens less", func(h *house) {
			narrow := h.ok(h.refresh(whole.tokens(app).member("refresh_token"), "client_id", "app", "scope", "openid"))
			var got map[string]any
			json.Unmarshal([]byte(h.ok(h.get("/userinfo", bearerToken(narrow.member("access_token")))).body), &got)
			h.wantClaims(got, "sub")
		})
		h.run("signed for a client that registered so", func(h *house) {
			for _, alg := range []string{"RS256", "ES256", "EdDSA"} {
				signed := h.webApp("signed-"+alg, func(c *operator.Client) { c.UserInfoAlg = alg })
				a := h.ok(h.get("/userinfo", bearerToken(whole.tokens(signed).member("access_token"))))
				if a.header.Get("Content-Type") != "application/jwt" || a.header.Get("Cache-Control") != "no-store" {
					h.Error(a.header)
				}
				head, c := h.signed(a.body)
				h.wantClaims(c, "aud", "email", "email_verified", "iss", "name", "sub", "updated_at")
				if head.Algorithm != alg || c["iss"] != h.Policy.Issuer || c["aud"] != signed.ID || c["sub"] != sub {
					h.Error(head, c)
				}
				if _, ok := h.verify(a.body); ok || h.get("/userinfo", bearerToken(a.body)).status != 401 {
					h.Error("it passes for an access token")
				}
			}
		})
		h.run("83 the token twice", func(h *house) {
			for _, a := range []answer{
				h.send("POST", "/userinfo", inBody(access), form, bearerToken(access)), h.get("/userinfo", bearerToken(access), bearerToken(access)),
				h.send("POST", "/userinfo", inBody(access)+"&"+inBody(access), form),
			} {
				h.refused(a, 400, "invalid_request")
				if !strings.Contains(a.header.Get("WWW-Authenticate"), `error="invalid_request"`) {
					h.Error(a.header)
				}
			}
		})
		h.run("83 the token in the address", func(h *house) {
			for _, a := range []answer{
				h.get("/userinfo?" + inBody(access)), h.send("POST", "/userinfo?"+inBody(access), "", form), h.post("/userinfo", jsonOf("access_token", access)),
				h.send("GET", "/userinfo", inBody(access), form),
			} {
				if a.status != 401 || a.header.Get("WWW-Authenticate") != "Bearer" || a.body != `{}` {
					h.Error(a)
				}
			}
		})
		h.run("83 what is no access token, or no longer", func(h *house) {
			b := h.visitor("83@example.com")
			revoked, left, foreign := b.tokens(app), b.tokens(app), newForger(h, access)
			h.ok(h.form("/revoke", []string{"token", revoked.member("access_token"), "client_id", "app"}))
			h.ok(h.form("/revoke", []string{"token", left.member("refresh_token"), "client_id", "app"}))
			key, _, _ := h.signingKey(foreign.header["kid"].(string))
			foreign.claims["iss"] = "https://other.example.com"
			otherIssuer, err := key.Sign("at+jwt", mustJSON(foreign.claims))
			if err != nil {
				h.Fatal(err)
			}
			stranger, err := jose.GenerateKey(jose.ES256, rand.Reader)
			if err != nil {
				h.Fatal(err)
			}
			foreign.claims["iss"] = h.Policy.Issuer
			foreignKey, _ := stranger.Sign("at+jwt", mustJSON(foreign.claims))
			for name, token := range map[string]string{
				"an ID token": all.member("id_token"), "a refresh token": all.member("refresh_token"), "revoked": revoked.member("access_token"),
				"its grant revoked": left.member("access_token"), "another issuer's": otherIssuer, "by another key": foreignKey, "a code": b.codeFor("app"), "nothing": "", "garbage": "x",
			} {
				for _, a := range []answer{h.get("/userinfo", bearerToken(token)), h.send("POST", "/userinfo", inBody(token), form)} {
					if a.status != 401 || token != "" && (a.member("error") != "invalid_token" || !strings.HasPrefix(a.header.Get("WWW-Authenticate"), `Bearer error="invalid_token"`)) {
						h.Error(name, a)
					}
				}
			}
		})
		h.run("83 expired", func(h *house) {
			b := h.visitor("83b@example.com")
			a := b.tokens(app)
			h.clock.advance(10*time.Minute - time.Microsecond)
			if !h.holds(a) {
				h.Error("it died too early")
			}
			h.clock.advance(time.Microsecond)
			if h.holds(a) {
				h.Error("it lives")
			}
		})
		h.run("a token without scope openid", func(h *house) {
			_, basic := h.machine("billing")
			machine := h.ok(h.form("/token", []string{"grant_type", "client_credentials"}, basic))
			for _, tokens := range []answer{whole.tokens(app, "scope", "profile"), machine} {
				a := h.get("/userinfo", bearerToken(tokens.member("access_token")))
				h.refused(a, 403, "insufficient_scope")
				if !strings.Contains(a.header.Get("WWW-Authenticate"), `error="insufficient_scope"`) {
					h.Error(a.header)
				}
			}
		})
		h.run("a person who is disabled", func(h *house) {
			a := h.visitor("off@example.com").tokens(app)
			h.admin("POST", "/users/off@example.com/disable", nil, &operator.User{})
			if h.holds(a) {
				h.Error("the token lives")
			}
		})
	})
}
