package resource

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/jose"
)

func TestVerifierNeedsAnIssuerAndAnAudience(t *testing.T) {
	for _, refused := range []struct {
		issuer, audience string
		with             []Option
	}{
		{"", audience, nil},
		{"https://id.example.com", "", nil},
		{"http://id.example.com", audience, nil},
		{"http://10.0.0.1", audience, nil},
		{"http://localhost.example.com", audience, nil},
		{"http://127.0.0.1.example.com", audience, nil},
		{"http://localhost@id.example.com", audience, nil},
		{"ftp://id.example.com", audience, nil},
		{"id.example.com", audience, nil},
		{"https://", audience, nil},
		{"https://:443", audience, nil},
		{"https://user:password@id.example.com", audience, nil},
		{"https://id.example.com?tenant=a", audience, nil},
		{"https://id.example.com#a", audience, nil},
		{"https://id.example.com/%zz", audience, nil},
		{"https://id.example.com", audience, []Option{WithLeeway(-1)}},
		{"https://id.example.com", audience, []Option{WithLeeway(61 * time.Second)}},
		{"https://id.example.com", audience, []Option{WithCacheSize(-1)}},
		{"https://id.example.com", audience, []Option{WithHTTPClient(nil)}},
		{"https://id.example.com", audience, []Option{WithClock(nil)}},
	} {
		if v, err := New(refused.issuer, refused.audience, refused.with...); err == nil || v != nil {
			t.Errorf("New(%q, %q) is accepted", refused.issuer, refused.audience)
		}
	}
	for _, issuer := range []string{
		"https://id.example.com", "https://id.example.com/", "https://id.example.com:8443/tenant/a",
		"http://localhost:10101", "http://127.0.0.1:10101", "http://[::1]:10101",
	} {
		if _, err := New(issuer, audience, WithLeeway(time.Minute), WithCacheSize(0)); err != nil {
			t.Error(err)
		}
	}
}

func TestGoodTokenIsAccepted(t *testing.T) {
	i := newIssuer(t)
	issued := i.clock.now()
	got := mustVerify(t, i.verifier(t), i.token(t, map[string]any{
		"aud": []string{"https://other.example.com", audience}, "auth_time": i.clock.seconds(-60), "tenant": "acme",
	}))
	if got.Issuer() != i.URL || got.Subject() != "usr_1" || got.ClientID() != "cli_1" || got.ID() != "grt_1.a" {
		t.Errorf("%+v", got.claims)
	}
	if !got.IssuedAt().Equal(issued) || !got.ExpiresAt().Equal(issued.Add(10*time.Minute)) || !got.AuthTime().Equal(issued.Add(-time.Minute)) {
		t.Errorf("times %v %v %v", got.IssuedAt(), got.ExpiresAt(), got.AuthTime())
	}
	if !slices.Equal(got.Audience(), []string{"https://other.example.com", audience}) {
		t.Errorf("audience %q", got.Audience())
	}
	if !slices.Equal(got.Scope(), []string{"openid", "orders:read"}) {
		t.Errorf("scope %q", got.Scope())
	}
	var own struct{ Tenant string }
	if err := got.Claims(&own); err != nil || own.Tenant != "acme" {
		t.Errorf("claims %+v, %v", own, err)
	}
}

func TestTokenOfEveryAlgorithmIsAccepted(t *testing.T) {
	i := newIssuer(t)
	for _, algorithm := range []jose.Algorithm{jose.ES256, jose.EdDSA, jose.RS256} {
		key, err := jose.GenerateKey(algorithm, nil)
		if err != nil {
			t.Fatal(err)
		}
		i.publish(append(i.keys, key)...)
		mustVerify(t, i.verifier(t), i.token(t, nil))
	}
}

func TestAbsentClaimsReadAsEmpty(t *testing.T) {
	i := newIssuer(t)
	got := mustVerify(t, i.verifier(t), i.token(t, map[string]any{"jti": nil, "scope": nil}))
	if got.ID() != "" || len(got.Scope()) != 0 || !got.AuthTime().IsZero() || got.HasScope("") || got.HasScope("openid") {
		t.Errorf("%+v", got.claims)
	}
}

func TestTokenWithBadClaimsIsRefused(t *testing.T) {
	i := newIssuer(t)
	v := i.verifier(t)
	for name, change := range map[string]map[string]any{
		"another issuer":             {"iss": "https://attacker.example"},
		"issuer with a slash":        {"iss": i.URL + "/"},
		"issuer in capitals":         {"iss": strings.ToUpper(i.URL)},
		"no issuer":                  {"iss": nil},
		"another audience":           {"aud": "https://other.example.com"},
		"audience with a slash":      {"aud": audience + "/"},
		"audience that ours begins":  {"aud": audience + ".attacker.example"},
		"audiences without ours":     {"aud": []string{"a", "b"}},
		"no audience":                {"aud": nil},
		"empty audience":             {"aud": ""},
		"empty list of audiences":    {"aud": []string{}},
		"audience of another type":   {"aud": map[string]any{"a": audience}},
		"no exp":                     {"exp": nil},
		"exp as a string":            {"exp": fmt.Sprint(i.clock.seconds(600))},
		"exp null":                   {"exp": json.RawMessage("null")},
		"exp negative":               {"exp": -1},
		"exp beyond all years":       {"exp": json.RawMessage("1e18")},
		"exp too large for a number": {"exp": json.RawMessage("1e999")},
		"exp long ago":               {"exp": i.clock.seconds(-3600)},
		"exp as old as the leeway":   {"exp": i.clock.seconds(-5)},
		"nbf in the future":          {"nbf": i.clock.seconds(6)},
		"nbf as a string":            {"nbf": "tomorrow"},
		"no iat":                     {"iat": nil},
		"no sub":                     {"sub": nil},
		"empty sub":                  {"sub": ""},
		"sub of another type":        {"sub": 1},
		"no client_id":               {"client_id": nil},
		"scope as a list":            {"scope": []string{"a"}},
		"bound to a DPoP key":        {"cnf": map[string]any{"jkt": "x"}},
		"bound to a certificate":     {"cnf": map[string]any{"x5t#S256": "x"}},
		"bound to something unknown": {"cnf": map[string]any{}},
	} {
		token := i.token(t, change)
		for range 2 { // what was refused once stays refused
			if got, err := v.Verify(t.Context(), token); !errors.Is(err, ErrInvalidToken) || got != nil {
				t.Errorf("%s: %v, %v", name, got, err)
			}
		}
	}
}

func TestOnlyAccessTokensAreAccepted(t *testing.T) {
	i := newIssuer(t)
	v := i.verifier(t)
	for typ, accept := range map[string]bool{
		"at+jwt": true, "AT+JWT": true, "application/at+jwt": true, "Application/AT+jwt": true,
		"JWT": false, "": false, "logout+jwt": false, "dpop+jwt": false, "application/jwt": false, "at": false, "secevent+jwt": false,
	} {
		_, err := v.Verify(t.Context(), signed(t, i.keys[0], typ, i.claims(nil)))
		if accept != (err == nil) || err != nil && !errors.Is(err, ErrInvalidToken) {
			t.Errorf("typ %q: %v", typ, err)
		}
	}
}

func TestTokenExpiresAtItsExp(t *testing.T) {
	for _, leeway := range []time.Duration{0, 5 * time.Second, time.Minute} {
		i := newIssuer(t)
		v := i.verifier(t, WithLeeway(leeway))
		token := i.token(t, nil) // for ten minutes
		i.clock.advance(10*time.Minute + leeway - time.Microsecond)
		mustVerify(t, v, token)
		i.clock.advance(time.Microsecond)
		// The token is remembered by now: its times are judged all the same.
		if _, err := v.Verify(t.Context(), token); !errors.Is(err, ErrInvalidToken) {
			t.Errorf("leeway %v: at its exp: %v", leeway, err)
		}
	}
}

func TestTokenIsNotValidBeforeItsNbf(t *testing.T) {
	i := newIssuer(t)
	v := i.verifier(t, WithLeeway(0))
	token := i.token(t, map[string]any{"nbf": i.clock.seconds(60)})
	i.clock.advance(time.Minute - time.Microsecond)
	if _, err := v.Verify(t.Context(), token); !errors.Is(err, ErrInvalidToken) {
		t.Errorf("before its nbf: %v", err)
	}
	i.clock.advance(time.Microsecond)
	mustVerify(t, v, token)
}

func TestTokenThatDoesNotVerifyIsRefused(t *testing.T) {
	i := newIssuer(t)
	v := i.verifier(t)
	good := i.token(t, nil)
	id := i.keys[0].ID()
	stranger := newKey(t)
	_, strangersSignature, _ := strings.Cut(signed(t, stranger, "at+jwt", i.claims(nil)), ".")
	header, _, _ := strings.Cut(good, ".")
	for name, token := range map[string]string{
		"empty":               "",
		"garbage":             "garbage",
		"null":                "null",
		"1 MB of dots":        strings.Repeat(".", 1<<20),
		"cut short":           good[:len(good)-1],
		"one more character":  good + "A",
		"padded":              good + "=",
		"foreign signature":   header + "." + strangersSignature,
		"foreign key":         signed(t, stranger, "at+jwt", i.claims(nil)),
		"alg none":            forge(t, i.keys[0], `{"alg":"none","typ":"at+jwt","kid":"`+id+`"}`, i.claims(nil)),
		"alg HS256":           forge(t, i.keys[0], `{"alg":"HS256","typ":"at+jwt","kid":"`+id+`"}`, i.claims(nil)),
		"alg ES256":           forge(t, i.keys[0], `{"alg":"ES256","typ":"at+jwt","kid":"`+id+`"}`, i.claims(nil)),
		"alg absent":          forge(t, i.keys[0], `{"typ":"at+jwt","kid":"`+id+`"}`, i.claims(nil)),
		"longer than allowed": i.token(t, map[string]any{"a": strings.Repeat("a", 16<<10)}),
	} {
		if got, err := v.Verify(t.Context(), token); !errors.Is(err, ErrInvalidToken) || got != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	mustVerify(t, v, good)
}

// Class 2 of the attacks: a header that brings or names a key of its own.
func TestHostileHeaderHasNoSideEffect(t *testing.T) {
	canary := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the token made the API connect somewhere")
	}))
	defer canary.Close()
	i := newIssuer(t)
	v := i.verifier(t)
	mustVerify(t, v, i.token(t, nil))
	attacker := newKey(t)
	embedded, err := json.Marshal(attacker.Public())
	if err != nil {
		t.Fatal(err)
	}
	for _, member := range []string{
		`"jwk":` + string(embedded), `"jku":"` + canary.URL + `"`, `"x5u":"` + canary.URL + `"`, `"x5c":["MIIB"]`,
		`"kid":"../../etc/passwd"`, `"kid":"' OR 1=1--"`, `"kid":"\u0000"`, `"kid":"` + canary.URL + `"`,
		`"kid":"` + strings.Repeat("k", 1<<20) + `"`, `"crit":["exp"]`, `"zip":"DEF"`, `"b64":false`,
	} {
		if !strings.HasPrefix(member, `"kid"`) {
			member += `,"kid":"` + i.keys[0].ID() + `"`
		}
		for _, key := range []*jose.PrivateKey{i.keys[0], attacker} {
			token := forge(t, key, `{"alg":"EdDSA","typ":"at+jwt",`+member+`}`, i.claims(nil))
			if got, err := v.Verify(t.Context(), token); !errors.Is(err, ErrInvalidToken) || got != nil {
				t.Errorf("%.40s: %v, %v", member, got, err)
			}
		}
	}
	if n := i.fetched(); n > 2 {
		t.Errorf("the keys were fetched %d times", n)
	}
}

func TestRequiredScopesAreDemanded(t *testing.T) {
	i := newIssuer(t)
	v := i.verifier(t)
	for _, test := range []struct {
		granted any
		require []string
		accept  bool
	}{
		{"orders:read", []string{"orders:read"}, true},
		{"a orders:read b", []string{"orders:read"}, true},
		{"orders:read", nil, true},
		{nil, nil, true},
		{"b a", []string{"a", "b"}, true},
		{"a", []string{"a", "b"}, false},
		{"orders:reader", []string{"orders:read"}, false},
		{"orders", []string{"orders:read"}, false},
		{"ORDERS:READ", []string{"orders:read"}, false},
		{"", []string{"orders:read"}, false},
		{nil, []string{"orders:read"}, false},
	} {
		token := i.token(t, map[string]any{"scope": test.granted})
		_, err := v.Require(test.require...).Verify(t.Context(), token)
		if test.accept != (err == nil) || err != nil && !errors.Is(err, ErrInsufficientScope) {
			t.Errorf("granted %v, required %q: %v", test.granted, test.require, err)
		}
	}
}

func TestRequirementsAddUpAndLeaveTheirOriginAlone(t *testing.T) {
	i := newIssuer(t)
	v := i.verifier(t)
	read := v.Require("orders:read").Require("openid").Require("profile")
	write := read.Require("orders:write")
	purge := read.Require("orders:purge")
	token := i.token(t, map[string]any{"scope": "openid profile orders:read orders:write"})
	for name, test := range map[string]struct {
		v      *Verifier
		accept bool
	}{"none": {v, true}, "read": {read, true}, "read write": {write, true}, "read purge": {purge, false}} {
		if _, err := test.v.Verify(t.Context(), token); (err == nil) != test.accept {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := i.fetched(); n != 1 {
		t.Errorf("the keys were fetched %d times", n)
	}
}

func TestScopeThatCannotBeIsTheProgrammersMistake(t *testing.T) {
	v := newIssuer(t).verifier(t)
	for _, name := range []string{"", "a b", `a"`, `a\`, "é", "a\n", "a\x7f"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q is accepted", name)
				}
			}()
			v.Require(name)
		}()
	}
}

func TestTokenCannotBeChangedForOthers(t *testing.T) {
	i := newIssuer(t)
	v := i.verifier(t)
	token := i.token(t, nil)
	first := mustVerify(t, v, token)
	first.Audience()[0] = "changed"
	first.Scope()[0] = "admin"
	var claims map[string]any
	if err := first.Claims(&claims); err != nil {
		t.Fatal(err)
	}
	claims["sub"] = "changed"
	var raw json.RawMessage
	if err := first.Claims(&raw); err != nil {
		t.Fatal(err)
	}
	copy(raw, "changed")
	second := mustVerify(t, v, token)
	if second.Audience()[0] != audience || second.HasScope("admin") || second.Scope()[0] != "openid" || second.Subject() != "usr_1" {
		t.Errorf("%+v", second.claims)
	}
	if err := second.Claims(&claims); err != nil || claims["sub"] != "usr_1" {
		t.Errorf("%v, %v", claims, err)
	}
}

func TestCachedTokenIsNotVerifiedAgain(t *testing.T) {
	i := newIssuer(t)
	remembering, forgetting := i.verifier(t), i.verifier(t, WithCacheSize(0))
	token := i.token(t, nil)
	for v, remembers := range map[*Verifier]bool{remembering: true, forgetting: false} {
		first := mustVerify(t, v, token)
		if second := mustVerify(t, v, token); (first == second) != remembers {
			t.Errorf("the same token again, remembered: %v", first == second)
		}
	}
}

func TestVerifierServesManyAtOnce(t *testing.T) {
	i := newIssuer(t)
	v := i.verifier(t, WithCacheSize(8))
	tokens := make([]string, 20)
	for n := range tokens {
		tokens[n] = i.token(t, map[string]any{"sub": fmt.Sprint("usr_", n)})
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for n := range 100 {
				n %= len(tokens)
				got, err := v.Verify(context.Background(), tokens[n])
				if err != nil || got.Subject() != fmt.Sprint("usr_", n) {
					t.Errorf("%v, %v", got, err)
				}
			}
		})
	}
	all.Wait()
	if n := i.fetched(); n != 1 {
		t.Errorf("the keys were fetched %d times", n)
	}
}
