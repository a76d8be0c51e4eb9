package server

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/jose"
	"github.com/keywright/keywright/internal/keyring"
	"github.com/keywright/keywright/internal/operator"
)

// Class numbers are those of the project's list of attacks.

// A verifierEntry is an endpoint that takes an access token. accepts says
// whether the endpoint took it, and wants one answer for every refusal.
type verifierEntry struct {
	name    string
	accepts func(h *house, token string) bool
}

func verifierEntries(basic option) []verifierEntry {
	return []verifierEntry{
		{"profile", func(h *house, token string) bool {
			h.Helper()
			a := h.get("/profile", bearerToken(token))
			if a.status != http.StatusOK {
				h.wantBody(a, 401, badToken)
			}
			return a.status == http.StatusOK
		}},
		{"introspect", func(h *house, token string) bool {
			h.Helper()
			a := h.ok(h.form("/introspect", []string{"token", token}, basic))
			if !strings.Contains(a.body, `"active":true`) {
				h.wantBody(a, 200, inactive)
				return false
			}
			return true
		}},
		{"revoke", func(h *house, token string) bool {
			h.Helper()
			before := h.rows("revoked_tokens") + h.rows("journal")
			h.wantBody(h.form("/revoke", []string{"token", token, "client_id", "direct"}), 200, `{}`)
			return h.rows("revoked_tokens")+h.rows("journal") != before
		}},
	}
}

var b64 = base64.RawURLEncoding.EncodeToString

// A forger has a genuine token in pieces, and keys of its own.
type forger struct {
	header, claims map[string]any
	signature      string
	own            *ecdsa.PrivateKey
}

func newForger(t testing.TB, token string) forger {
	parts := strings.Split(token, ".")
	f := forger{signature: parts[2]}
	for i, to := range []*map[string]any{&f.header, &f.claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, to); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if f.own, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	return f
}

// input is header and claims with some members of the header changed; nil takes
// one away.
func (f forger) input(header map[string]any) string {
	h := maps.Clone(f.header)
	for name, value := range header {
		h[name] = value
		if value == nil {
			delete(h, name)
		}
	}
	return b64(mustJSON(h)) + "." + b64(mustJSON(f.claims))
}

func mustJSON(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}

// selfSigned is a token that the forger signed.
func (f forger) selfSigned(header map[string]any) string {
	input := f.input(header)
	digest := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, f.own, digest[:])
	if err != nil {
		panic(err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return input + "." + b64(signature)
}

func (f forger) hmacSigned(key []byte) string {
	input := f.input(map[string]any{"alg": "HS256"})
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(input))
	return input + "." + b64(mac.Sum(nil))
}

// publicKeyTexts are the forms in which a public key is published, each of
// which somebody has taken for an HMAC key.
func publicKeyTexts(t testing.TB, public crypto.PublicKey, jwk map[string]any) map[string][]byte {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string][]byte{
		"DER": der, "PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), "JWK": mustJSON(jwk), "nothing": {},
	}
	for _, name := range []string{"n", "x", "y"} {
		if text, ok := jwk[name].(string); ok {
			raw, _ := base64.RawURLEncoding.DecodeString(text)
			texts["JWK "+name], texts["JWK "+name+" as text"] = raw, []byte(text)
		}
	}
	return texts
}

// forgeries are tokens that nobody with the server's key has signed.
func forgeries(t testing.TB, f forger, public crypto.PublicKey, jwk map[string]any, jku string) map[string]string {
	all := map[string]string{}
	for _, alg := range []any{"none", "None", "nOnE", "NONE", "", nil, 7, []string{"none"}} {
		input := f.input(map[string]any{"alg": alg})
		name := "alg " + string(mustJSON(alg))
		all[name+" unsigned"], all[name+" signed"] = input+".", input+"."+f.signature
		all[name+" without signature"] = input
	}
	for name, key := range publicKeyTexts(t, public, jwk) {
		all["HS256 by the public key as "+name] = f.hmacSigned(key)
	}
	for _, alg := range []string{"ES256", "RS256", "EdDSA", "PS256", "ES384", "es256"} {
		all["a foreign key as "+alg] = f.selfSigned(map[string]any{"alg": alg})
		all["another alg over the signature: "+alg] = f.input(map[string]any{"alg": alg, "x": "1"}) + "." + f.signature
	}
	point, err := f.own.PublicKey.Bytes() // 4, x, y
	if err != nil {
		t.Fatal(err)
	}
	own := map[string]any{"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])}
	for name, header := range map[string]map[string]any{
		"jwk": {"alg": "ES256", "jwk": own}, "jwk without kid": {"alg": "ES256", "jwk": own, "kid": nil},
		"jku": {"alg": "ES256", "jku": jku, "kid": "x"}, "x5u": {"alg": "ES256", "x5u": jku}, "x5c": {"alg": "ES256", "x5c": []string{"AA=="}},
		"crit": {"crit": []string{"exp"}}, "b64": {"b64": false, "crit": []string{"b64"}}, "zip": {"zip": "DEF"}, "no kid": {"kid": nil, "alg": "ES256"},
	} {
		all["header "+name] = f.selfSigned(header)
		all["header "+name+" over the signature"] = f.input(header) + "." + f.signature
	}
	for _, kid := range []any{"../../etc/passwd", "' OR 1=1--", "\x00", "http://127.0.0.1/", strings.Repeat("k", 4000), 1, nil, []string{}, ""} {
		all["kid "+string(mustJSON(kid))] = f.selfSigned(map[string]any{"alg": "ES256", "kid": kid})
	}
	parts := strings.SplitN(f.input(nil), ".", 2)
	all["JWS JSON"] = `{"protected":"` + parts[0] + `","payload":"` + parts[1] + `","signature":"` + f.signature + `"}`
	all["JWS JSON with two signatures"] = `{"payload":"` + parts[1] + `","signatures":[{"protected":"` + parts[0] + `","signature":"` + f.signature + `"},{}]}`
	all["JWE"] = b64([]byte(`{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2147483648,"p2s":"AA"}`)) + ".AA.AA.AA.AA"
	return all
}

// wrongClaims are tokens that the server's own key signed, but not as an access
// token that is good now.
func wrongClaims(f forger, key *jose.PrivateKey, now time.Time) map[string]string {
	all := map[string]string{}
	sign := func(name, typ string, changes map[string]any) {
		claims := maps.Clone(f.claims)
		for claim, value := range changes {
			claims[claim] = value
			if value == nil {
				delete(claims, claim)
			}
		}
		token, err := key.Sign(typ, mustJSON(claims))
		if err != nil {
			panic(err)
		}
		all[name] = token
	}
	for _, typ := range []string{"JWT", "", "logout+jwt", "dpop+jwt", "at+jwtx", "at"} {
		sign("typ "+typ, typ, nil)
	}
	sign("another issuer", accessTokenType, map[string]any{"iss": "https://evil.example"})
	sign("issuer with a slash", accessTokenType, map[string]any{"iss": f.claims["iss"].(string) + "/"})
	sign("no issuer", accessTokenType, map[string]any{"iss": nil})
	sign("no audience", accessTokenType, map[string]any{"aud": nil})
	sign("two audiences", accessTokenType, map[string]any{"aud": []any{f.claims["aud"], "https://evil.example"}})
	sign("no exp", accessTokenType, map[string]any{"exp": nil})
	sign("exp in the past", accessTokenType, map[string]any{"exp": now.Unix() - 1})
	sign("exp is now", accessTokenType, map[string]any{"exp": now.Unix()})
	sign("exp is no number", accessTokenType, map[string]any{"exp": "never"})
	sign("exp is 1e300", accessTokenType, map[string]any{"exp": 1e300})
	sign("nbf in the future", accessTokenType, map[string]any{"nbf": now.Unix() + 100})
	sign("bound to a key", accessTokenType, map[string]any{"cnf": map[string]any{"jkt": "x"}})
	sign("no jti", accessTokenType, map[string]any{"jti": nil})
	sign("no grant", accessTokenType, map[string]any{"jti": "grt_00000000000000000000000000000000.x"})
	sign("a jti of SQL", accessTokenType, map[string]any{"jti": "' OR 1=1--.x"})
	sign("another client", accessTokenType, map[string]any{"client_id": "billing"})
	return all
}

// TestForgedTokensAreRefusedEverywhere is class 1 (a, b) and class 2, for every
// verifier entry, for keys on a curve and for RSA.
func TestForgedTokensAreRefusedEverywhere(t *testing.T) {
	var fetched atomic.Int64
	canary := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { fetched.Add(1) }))
	canary.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			fetched.Add(1)
		}
	}
	defer canary.Close()
	for _, algorithm := range []jose.Algorithm{jose.ES256, jose.RS256, jose.EdDSA} {
		t.Run(string(algorithm), func(t *testing.T) {
			h := newHouse(t, func(c *Config) { c.SigningAlg = algorithm })
			h.machine("billing")
			token := h.signIn("ada@example.com").access
			f := newForger(t, token)
			key, public, jwk := h.signingKey(f.header["kid"].(string))
			hostile := forgeries(t, f, public, jwk, canary.URL)
			maps.Copy(hostile, wrongClaims(f, key, h.clock.now()))
			api := basicOf(h.addClient(operator.Client{ID: "api", Serves: []string{h.Policy.Issuer}}))
			for _, entry := range verifierEntries(api) {
				h.run(entry.name, func(h *house) {
					for name, forged := range hostile {
						if entry.accepts(h, forged) {
							h.Errorf("accepts a token with %s", name)
						}
					}
					if !entry.accepts(h, token) {
						h.Error("refuses the genuine token")
					}
				})
			}
		})
	}
	if fetched.Load() != 0 {
		t.Error("a URL of a token was fetched")
	}
}

// signingKey returns the server's key, as it is published too.
func (h *house) signingKey(id string) (private *jose.PrivateKey, public crypto.PublicKey, jwk map[string]any) {
	h.Helper()
	for _, algorithm := range keyring.Algorithms {
		if key, err := h.keys.Signer(algorithm, h.clock.now()); err == nil && key.ID() == id {
			private = key
		}
	}
	der, err := private.MarshalPKCS8()
	if err != nil {
		h.Fatal(err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		h.Fatal(err)
	}
	text, err := json.Marshal(private.Public())
	if err != nil {
		h.Fatal(err)
	}
	if err := json.Unmarshal(text, &jwk); err != nil {
		h.Fatal(err)
	}
	if key, ok := parsed.(*rsa.PrivateKey); ok {
		return private, &key.PublicKey, jwk
	}
	return private, parsed.(crypto.Signer).Public(), jwk
}

// TestAlmostATokenIsNone is class 1 (d).
func TestAlmostATokenIsNone(t *testing.T) {
	h := newHouse(t)
	tokens := h.signIn("ada@example.com")
	for _, text := range changed(tokens.access) {
		isControl := func(c rune) bool { return c < ' ' || c == 0x7f }
		if strings.TrimSpace(text) == tokens.access || strings.ContainsFunc(text, isControl) {
			continue // space around it is no part of a header's value, and no header carries control characters
		}
		if a := h.get("/profile", bearerToken(text)); a.status != 401 {
			t.Fatalf("%d for %q", a.status, text)
		}
	}
	if _, ok := h.verify(tokens.access + "\n"); ok {
		t.Error("a line end passes")
	}
}

// TestValuesServeOnePurposeOnly is class 5: what was minted for one purpose is
// refused for every other.
func TestValuesServeOnePurposeOnly(t *testing.T) {
	inEachHouse(t, func(h *house) {
		billing, basic := h.machine("billing")
		person := h.signIn("ada@example.com")
		machine := h.ok(h.form("/token", []string{"grant_type", "client_credentials"}, basic)).member("access_token")
		values := map[string]string{
			"a person's access token": person.access, "a refresh token": person.refresh, "a machine's access token": machine,
			"a client secret": billing.Secret, "a client's id": "billing", "a password": rightPassword,
			"a person's id": mustVerify(h, person.access).Subject, "a grant's id": mustVerify(h, person.access).ID,
		}
		for name, value := range values {
			h.run(name, func(h *house) {
				if name != "a person's access token" {
					h.wantBody(h.get("/profile", bearerToken(value)), 401, badToken)
				}
				if name != "a refresh token" {
					h.refused(h.refresh(value), 400, "invalid_grant")
				}
				if name != "a client secret" {
					h.refused(h.form("/token", []string{"grant_type", "client_credentials", "client_id", "billing", "client_secret", value}), 401, "invalid_client")
				}
				if name != "a password" {
					h.wantBody(h.login("ada@example.com", value), 401, notSignedIn)
				}
				if name != "a client's id" {
					h.refused(h.form("/token", []string{"grant_type", "client_credentials", "client_id", value, "client_secret", billing.Secret}), 401, "invalid_client")
				}
				if name != "a machine's access token" {
					h.wantBody(h.form("/introspect", []string{"token", value}, basic), 200, inactive)
				}
			})
		}
	})
}
