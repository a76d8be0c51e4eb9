package server

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/jose"
	"github.com/keywright/keywright/internal/operator"
)

// assertionClaims are those of a good assertion, once.
func (h *house) assertionClaims(client string) map[string]any {
	now := h.clock.now()
	return map[string]any{
		"iss": client, "sub": client, "aud": h.Policy.Issuer, "jti": rand.Text(), "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	}
}

// asserting are the parameters by which a client authenticates with an assertion.
func asserting(assertion string) []string {
	return []string{"client_assertion_type", assertionType, "client_assertion", assertion}
}

func (h *house) assertionOf(client string, key *jose.PrivateKey) []string {
	h.Helper()
	return asserting(h.assert(key, h.assertionClaims(client)))
}

func (h *house) assert(key *jose.PrivateKey, claims map[string]any) string {
	h.Helper()
	signed, err := key.Sign("JWT", mustJSON(claims))
	if err != nil {
		h.Fatal(err)
	}
	return signed
}

// signer is a client that authenticates by its keys.
func (h *house) signer(id string, keys ...*jose.PrivateKey) {
	h.Helper()
	h.addClient(operator.Client{ID: id, Grants: []string{"client_credentials"}, AuthMethod: "private_key_jwt", JWKS: []byte(setOf(h, keys...))})
}

// byAssertion asks for a token with an assertion.
func (h *house) byAssertion(assertion string, more ...string) answer {
	h.Helper()
	return h.form("/token", slices.Concat([]string{"grant_type", "client_credentials"}, asserting(assertion), more))
}

func TestClientAssertions(t *testing.T) {
	inEachHouse(t, func(h *house) {
		key, foreign := newClientKey(h), newClientKey(h)
		pair, err := rsaPair() // to make another takes long
		if err != nil {
			h.Fatal(err)
		}
		rsa, err := jose.ParsePKCS8(jose.RS256, pair[0].PrivateKey)
		if err != nil {
			h.Fatal(err)
		}
		h.signer("app", key, rsa)
		h.signer("other", foreign)
		secretive, _ := h.machine("secretive")
		in := func(d time.Duration) int64 { return h.clock.now().Add(d).Unix() }
		h.run("a good one is taken", func(h *house) {
			a := h.ok(h.byAssertion(h.assert(key, h.assertionClaims("app"))))
			if mustVerify(h, a.member("access_token")).ClientID != "app" {
				h.Error(a.body)
			}
			h.ok(h.byAssertion(h.assert(rsa, h.assertionClaims("app"))))
			h.ok(h.byAssertion(h.assert(key, h.assertionClaims("app")), "client_id", "app"))
			h.wantBody(h.form("/introspect", append(h.assertionOf("app", key), "token", "x")), 200, inactive)
			h.ok(h.form("/revoke", append(h.assertionOf("app", key), "token", "x")))
		})
		h.run("times may be off by a minute", func(h *house) {
			for _, times := range []map[string]any{{"iat": in(time.Minute)}, {"nbf": in(time.Minute)}, {"exp": in(11 * time.Minute)}, {"iat": nil}} {
				h.ok(h.byAssertion(h.assert(key, h.with("app", times))))
			}
		})
		for name, wrong := range map[string]map[string]any{
			"52 expired":                       {"exp": in(0)},
			"52 without an end":                {"exp": nil},
			"52 too long":                      {"exp": in(11*time.Minute + time.Second)},
			"53 nbf ahead":                     {"nbf": in(61 * time.Second)},
			"53 iat ahead":                     {"iat": in(61 * time.Second)},
			"54 aud foreign":                   {"aud": "https://other.example.com"},
			"54 aud missing":                   {"aud": nil},
			"54 aud with a slash more":         {"aud": h.Policy.Issuer + "/"},
			"54 aud the client":                {"aud": "app"},
			"55 aud array":                     {"aud": []string{h.Policy.Issuer, "https://other.example.com"}},
			"55 aud array of one":              {"aud": []string{h.Policy.Issuer}},
			"56 aud the token endpoint":        {"aud": h.Policy.Issuer + "/token"},
			"57 iss another than sub":          {"iss": "other"},
			"57 no iss":                        {"iss": nil},
			"57 sub another than iss":          {"sub": "other"},
			"57 no sub":                        {"sub": nil},
			"57 sub of nobody":                 {"iss": "nobody", "sub": "nobody"},
			"57 sub of a client with a secret": {"iss": "secretive", "sub": "secretive"},
			"58 no jti":                        {"jti": nil},
			"58 a jti that is too long":        {"jti": strings.Repeat("j", 129)},
			"58 a jti that is no text":         {"jti": 1},
			"60 another client's, by this key": {"iss": "other", "sub": "other"},
		} {
			h.run(name, func(h *house) {
				assertion := h.assert(key, h.with("app", wrong))
				h.refused(h.byAssertion(assertion), 401, "invalid_client")
				h.refused(h.byAssertion(assertion, "client_id", "app"), 401, "invalid_client")
			})
		}
		h.run("58 a jti twice", func(h *house) {
			assertion := h.assert(key, h.assertionClaims("app"))
			h.ok(h.byAssertion(assertion))
			h.refused(h.byAssertion(assertion), 401, "invalid_client")
			again := h.with("app", map[string]any{"jti": "once"})
			h.ok(h.byAssertion(h.assert(key, again)))
			h.clock.advance(30 * time.Second)
			h.refused(h.byAssertion(h.assert(key, again)), 401, "invalid_client")
			h.ok(h.byAssertion(h.assert(foreign, h.with("other", map[string]any{"jti": "once"})))) // of another client's
		})
		h.run("58 a jti in parallel", func(h *house) {
			assertion := h.assert(key, h.assertionClaims("app"))
			var won atomic.Int64
			parallel(50, func(int) {
				if h.byAssertion(assertion).status == 200 {
					won.Add(1)
				}
			})
			if won.Load() != 1 {
				h.Errorf("%d succeeded", won.Load())
			}
		})
		h.run("58 it is spent also by a request that is refused", func(h *house) {
			assertion := h.assert(key, h.assertionClaims("app"))
			h.refused(h.byAssertion(assertion, "scope", "nothing"), 400, "invalid_scope")
			h.refused(h.byAssertion(assertion), 401, "invalid_client")
		})
		h.run("59 a signature of another kind", func(h *house) {
			good := h.assert(key, h.assertionClaims("app"))
			f := newForger(h, good)
			public := setOf(h, key)
			for name, forged := range map[string]string{
				"alg none": f.input(map[string]any{"alg": "none"}) + ".", "alg none, with a signature": f.input(map[string]any{"alg": "none"}) + "." + f.signature,
				"HS256 by the public key": f.hmacSigned([]byte(public)), "HS256 by nothing": f.hmacSigned(nil), "RS256": f.selfSigned(map[string]any{"alg": "RS256"}),
				"unsigned": strings.TrimSuffix(good, f.signature), "changed": good[:len(good)-2] + "AA", "a key of its own": f.selfSigned(nil),
				"a key that it brings": f.selfSigned(map[string]any{"kid": nil, "jwk": json.RawMessage(public)}),
			} {
				if a := h.byAssertion(forged); a.status != 401 || a.member("error") != "invalid_client" {
					h.Error(name, a.status, a.body)
				}
			}
			h.ok(h.byAssertion(good)) // forgeries do not spend it
		})
		h.run("59 client_secret_jwt does not exist", func(h *house) {
			input := b64([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + b64(mustJSON(h.with("secretive", nil)))
			mac := hmac.New(sha256.New, []byte(secretive.Secret))
			mac.Write([]byte(input))
			h.refused(h.byAssertion(input+"."+b64(mac.Sum(nil))), 401, "invalid_client")
		})
		h.run("60 the key of another client", func(h *house) {
			h.refused(h.byAssertion(h.assert(foreign, h.assertionClaims("app"))), 401, "invalid_client")
			f := newForger(h, h.assert(foreign, h.assertionClaims("app")))
			h.refused(h.byAssertion(f.selfSigned(map[string]any{"kid": key.ID()})), 401, "invalid_client")
		})
		h.run("an assertion is for the client that the request names", func(h *house) {
			h.refused(h.byAssertion(h.assert(key, h.assertionClaims("app")), "client_id", "other"), 401, "invalid_client")
			h.refused(h.byAssertion(h.assert(key, h.assertionClaims("app")), "client_id", "secretive"), 401, "invalid_client")
		})
		h.run("46 it goes with nothing else", func(h *house) {
			assertion := h.assert(key, h.assertionClaims("app"))
			h.refused(h.byAssertion(assertion, "client_id", "app", "client_secret", "x"), 400, "invalid_request")
			h.refused(h.form("/token", append(asserting(assertion), "grant_type", "client_credentials"), basicOf(secretive)), 400, "invalid_request")
			h.refused(h.form("/token", []string{"grant_type", "client_credentials", "client_assertion", assertion}), 400, "invalid_request")
			h.refused(h.form("/token", []string{"grant_type", "client_credentials", "client_assertion_type", assertionType}), 400, "invalid_request")
			h.refused(h.form("/token", []string{
				"grant_type", "client_credentials", "client_assertion", assertion, "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer",
			}), 400, "invalid_request")
		})
		h.run("a token of ours is no assertion", func(h *house) {
			token := h.ok(h.byAssertion(h.assert(key, h.assertionClaims("app")))).member("access_token")
			h.refused(h.byAssertion(token), 401, "invalid_client")
			other, err := key.Sign("at+jwt", mustJSON(h.assertionClaims("app")))
			if err != nil {
				h.Fatal(err)
			}
			h.refused(h.byAssertion(other), 401, "invalid_client")
		})
	})
}

func TestAssertionIsSpentOnEveryNodeAndOverARestart(t *testing.T) {
	inEachHouse(t, func(h *house) {
		key := newClientKey(h)
		h.signer("app", key)
		assertion := h.assert(key, h.assertionClaims("app"))
		h.ok(h.byAssertion(assertion))
		if h.store.DatabaseURL != "" {
			other := build(h.TB, h.store, func(c *Config) { c.Policy.Issuer = h.Policy.Issuer })
			h.refused(other.byAssertion(assertion), 401, "invalid_client") // check 58
			h.ok(other.byAssertion(h.assert(key, h.assertionClaims("app"))))
		}
		h.closeStore()
		h.open()
		h.refused(h.byAssertion(assertion), 401, "invalid_client")
		h.ok(h.byAssertion(h.assert(key, h.assertionClaims("app"))))
	})
}

// with changes the claims of a good assertion; nil takes one away.
func (h *house) with(client string, wrong map[string]any) map[string]any {
	claims := h.assertionClaims(client)
	maps.Copy(claims, wrong)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	return claims
}
