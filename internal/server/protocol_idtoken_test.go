package server

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	ours "github.com/keywright/keywright/internal/jose"
	"github.com/keywright/keywright/internal/operator"
)

// idToken verifies the ID token of an answer by the published keys, with a
// library that is not ours, and returns what it says.
func (h *house) idToken(a answer) (header jose.Header, claims map[string]any) {
	h.Helper()
	return h.signed(a.member("id_token"))
}

// signed is idToken for any token of ours.
func (h *house) signed(token string) (header jose.Header, claims map[string]any) {
	h.Helper()
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(h.ok(h.get("/jwks")).body), &keys); err != nil {
		h.Fatal(err)
	}
	parsed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256, jose.RS256, jose.EdDSA})
	if err != nil {
		h.Fatalf("%v: %s", err, token)
	}
	header = parsed.Signatures[0].Protected
	payload, err := parsed.Verify(keys.Key(header.KeyID)[0])
	if err != nil {
		h.Fatal(err)
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		h.Fatal(err)
	}
	return header, claims
}

// typ is what a token says that it is.
func typ(header jose.Header) any { return header.ExtraHeaders[jose.HeaderType] }

// wantClaims wants exactly these names.
func (h *house) wantClaims(claims map[string]any, names ...string) {
	h.Helper()
	if got := slices.Sorted(maps.Keys(claims)); !slices.Equal(got, names) {
		h.Errorf("%v, want %v", got, names)
	}
}

// itself is a client that registered itself and said no more than it had to.
func (h *house) itself() operator.Client {
	h.Helper()
	a := h.post("/clients", `{"redirect_uris":["`+redirectURI+`"],"grant_types":["authorization_code","refresh_token"],"token_endpoint_auth_method":"client_secret_post"}`, h.initialToken(1))
	if a.status != 201 {
		h.Fatal(a.body)
	}
	return operator.Client{ID: a.member("client_id"), Secret: a.member("client_secret")}
}

func TestIDTokens(t *testing.T) {
	inEachHouse(t, func(h *house) {
		app := h.webApp("app", func(c *operator.Client) { c.Audiences = []string{"https://api.example.com"} })
		h.run("what is in one", func(h *house) {
			b := h.visitor("one@example.com")
			signedInAt := h.clock.now().Add(-time.Second)
			h.clock.advance(time.Hour)
			a := b.tokens(app)
			header, c := h.idToken(a)
			h.wantClaims(c, "acr", "amr", "at_hash", "aud", "auth_time", "exp", "iat", "iss", "nonce", "sid", "sub")
			now := h.clock.now().Unix()
			access := mustVerify(h, a.member("access_token"))
			for name, want := range map[string]any{
				"iss": h.Policy.Issuer, "aud": "app", "sub": access.Subject, "iat": float64(now), "exp": float64(now + 3600), "auth_time": float64(signedInAt.Unix()),
				"nonce": "a nonce", "acr": "urn:keywright:acr:password", "at_hash": halfHash(ours.ES256, a.member("access_token")),
			} {
				if c[name] != want {
					h.Errorf("%s: %v, want %v", name, c[name], want)
				}
			}
			if amr, _ := c["amr"].([]any); len(amr) != 1 || amr[0] != "pwd" || !strings.HasPrefix(c["sid"].(string), "ses_") || !strings.HasPrefix(access.Subject, "usr_") {
				h.Error(c)
			}
			if header.Algorithm != "ES256" || typ(header) != "JWT" {
				h.Errorf("%+v", header)
			}
			if !access.AuthTime.Equal(signedInAt.Truncate(time.Second)) || access.Audience != "https://api.example.com" {
				h.Errorf("%+v", access)
			}
		})
		h.run("without a nonce", func(h *house) {
			_, c := h.idToken(h.visitor("none@example.com").tokens(app, "nonce", ""))
			h.wantClaims(c, "acr", "amr", "at_hash", "aud", "auth_time", "exp", "iat", "iss", "sid", "sub")
		})
		h.run("none without scope openid", func(h *house) {
			a := h.visitor("noopenid@example.com").tokens(app, "scope", "profile email")
			if strings.Contains(a.body, "id_token") {
				h.Error(a.body)
			}
			refreshed := h.ok(h.refresh(a.member("refresh_token"), "client_id", "app"))
			if strings.Contains(refreshed.body, "id_token") {
				h.Error(refreshed.body)
			}
		})
		h.run("those from a refresh", func(h *house) {
			b := h.visitor("refresh@example.com")
			a := b.tokens(app)
			_, first := h.idToken(a)
			for range 3 {
				h.clock.advance(time.Hour)
				a = h.ok(h.refresh(a.member("refresh_token"), "client_id", "app"))
				_, next := h.idToken(a)
				h.wantClaims(next, "acr", "amr", "at_hash", "aud", "auth_time", "exp", "iat", "iss", "sid", "sub")
				for _, same := range []string{"iss", "sub", "aud", "auth_time", "sid", "acr"} {
					if next[same] != first[same] {
						h.Errorf("%s: %v, was %v", same, next[same], first[same])
					}
				}
				if next["iat"] != float64(h.clock.now().Unix()) || next["at_hash"] != halfHash(ours.ES256, a.member("access_token")) {
					h.Error(next)
				}
			}
			a = h.ok(h.refresh(a.member("refresh_token"), "client_id", "app", "scope", "profile"))
			if strings.Contains(a.body, "id_token") {
				h.Error(a.body)
			}
			h.clock.advance(time.Minute)
			b.get(authorizePath("app", "prompt", "login")).signInAs("refresh@example.com")
			a = h.ok(h.refresh(a.member("refresh_token"), "client_id", "app"))
			if _, next := h.idToken(a); next["auth_time"] != first["auth_time"] { // the grant was given on the earlier sign-in
				h.Error(next)
			}
		})
		h.run("each client has the algorithm that it registered", func(h *house) {
			b := h.visitor("alg@example.com")
			for _, alg := range []string{"RS256", "ES256", "EdDSA"} {
				c := h.webApp("alg-"+alg, func(c *operator.Client) { c.IDTokenAlg = alg })
				a := b.tokens(c)
				header, claims := h.idToken(a)
				if header.Algorithm != alg || claims["at_hash"] != halfHash(ours.Algorithm(alg), a.member("access_token")) {
					h.Error(header, claims)
				}
				if a = h.ok(h.refresh(a.member("refresh_token"), "client_id", c.ID)); alg != "ES256" {
					header, _ = h.idToken(a)
					if header.Algorithm != alg {
						h.Error(header)
					}
				}
			}
			header, _ := h.idToken(b.tokens(h.itself()))
			if header.Algorithm != "RS256" {
				h.Error("a client that registered nothing else gets", header.Algorithm)
			}
		})
		h.run("claims asks for more by name", func(h *house) {
			b := h.visitor("claims@example.com")
			asked := `{"id_token":{"email":null,"phone_number":{"essential":true},"name":{"value":"Eve"},"unknown":null,"auth_time":{"essential":true},"iss":{"value":"https://evil.example"},"nonce":{"value":"x"}}}`
			b.get(authorizePath("app", "scope", "openid", "claims", asked)).shows(200, "allow")
			for _, shown := range []string{"see your name", "see your email address", "see your phone number"} {
				if !strings.Contains(b.at.body, shown) {
					h.Error("the page does not say: ", shown)
				}
			}
			b.press("allow")
			a := h.ok(h.redeem(app, b.answered(redirectURI).Get("code")))
			_, c := h.idToken(a)
			h.wantClaims(c, "acr", "amr", "at_hash", "aud", "auth_time", "email", "exp", "iat", "iss", "name", "nonce", "sid", "sub")
			if c["email"] != "claims@example.com" || c["name"] != "Ada" || c["iss"] != h.Policy.Issuer || c["nonce"] != "a nonce" || a.member("scope") != "openid" {
				h.Error(c, a.member("scope"))
			}
			_, c = h.idToken(h.ok(h.refresh(a.member("refresh_token"), "client_id", "app")))
			if c["email"] != "claims@example.com" {
				h.Error(c)
			}
			info := h.ok(h.get("/userinfo", bearerToken(a.member("access_token"))))
			if info.member("email") != "" {
				h.Error("UserInfo was not asked for it: ", info.body)
			}
		})
		h.run("claims cannot ask for what the client may not have", func(h *house) {
			poor := h.webApp("poor", func(c *operator.Client) { c.Scopes = []string{"openid"} })
			b := h.visitor("poor@example.com")
			b.get(authorizePath("poor", "scope", "openid", "claims", `{"id_token":{"email":null},"userinfo":{"email":{"essential":true},"name":null}}`)).shows(200, "allow")
			if strings.Contains(b.at.body, "see your") {
				h.Error("the page offers it")
			}
			a := h.ok(h.redeem(poor, b.press("allow").answered(redirectURI).Get("code")))
			_, c := h.idToken(a)
			h.wantClaims(c, "acr", "amr", "at_hash", "aud", "auth_time", "exp", "iat", "iss", "nonce", "sid", "sub")
			if info := h.ok(h.get("/userinfo", bearerToken(a.member("access_token")))); info.member("email") != "" || info.member("name") != "" {
				h.Error(info.body)
			}
		})
	}, registering)
}
