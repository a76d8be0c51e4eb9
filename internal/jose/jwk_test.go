package jose

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"
)

// jwkOf returns a test key's JWK with some members changed; nil takes one away.
func jwkOf(t testing.TB, algorithm Algorithm, change map[string]any) string {
	t.Helper()
	data, err := json.Marshal(testKey(t, algorithm).Public())
	if err != nil {
		t.Fatal(err)
	}
	members := make(map[string]any)
	if err := json.Unmarshal(data, &members); err != nil {
		t.Fatal(err)
	}
	for name, value := range change {
		members[name] = value
		if value == nil {
			delete(members, name)
		}
	}
	data, err = json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func setOf(jwks ...string) []byte {
	return []byte(`{"keys":[` + strings.Join(jwks, ",") + `]}`)
}

func encodeInt(n *big.Int) string { return base64url.EncodeToString(n.Bytes()) }

func TestUsableKeysAreKept(t *testing.T) {
	point, err := testKey(t, ES256).Public().key.(*ecdsa.PublicKey).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for name, jwk := range map[string]string{
		"EC":           jwkOf(t, ES256, nil),
		"OKP":          jwkOf(t, EdDSA, nil),
		"RSA":          jwkOf(t, RS256, nil),
		"no alg":       jwkOf(t, ES256, map[string]any{"alg": nil}),
		"no use":       jwkOf(t, ES256, map[string]any{"use": nil}),
		"no kid":       jwkOf(t, ES256, map[string]any{"kid": nil}),
		"key_ops":      jwkOf(t, ES256, map[string]any{"key_ops": []string{"sign", "verify"}}),
		"other member": jwkOf(t, ES256, map[string]any{"x5c": []string{"…"}, "exp": 1}),
		"same point":   jwkOf(t, ES256, map[string]any{"x": base64url.EncodeToString(point[1:33])}),
	} {
		set, err := ParseSet(setOf(jwk))
		if err != nil || len(set.keys) != 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUnusableKeysAreLeftOut(t *testing.T) {
	otherPoint, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := otherPoint.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	modulus := testKey(t, RS256).Public().key.(*rsa.PublicKey).N
	zeros := base64url.EncodeToString(make([]byte, 32))
	for name, jwk := range map[string]string{
		"symmetric":               `{"kty":"oct","k":"c2VjcmV0","alg":"HS256","kid":"a"}`,
		"symmetric under RSA":     jwkOf(t, RS256, map[string]any{"alg": "HS256"}),
		"alg none":                jwkOf(t, ES256, map[string]any{"alg": "none"}),
		"ES384 on P-256":          jwkOf(t, ES256, map[string]any{"alg": "ES384"}),
		"PS256":                   jwkOf(t, RS256, map[string]any{"alg": "PS256"}),
		"RS256 on P-256":          jwkOf(t, ES256, map[string]any{"alg": "RS256"}),
		"unknown kty":             jwkOf(t, ES256, map[string]any{"kty": "ABC"}),
		"P-384":                   jwkOf(t, ES256, map[string]any{"crv": "P-384"}),
		"X25519":                  jwkOf(t, EdDSA, map[string]any{"crv": "X25519"}),
		"curve on RSA":            jwkOf(t, RS256, map[string]any{"crv": "P-256"}),
		"for encryption":          jwkOf(t, ES256, map[string]any{"use": "enc"}),
		"key_ops without verify":  jwkOf(t, ES256, map[string]any{"key_ops": []string{"sign"}}),
		"key_ops empty":           jwkOf(t, ES256, map[string]any{"key_ops": []string{}}),
		"private half published":  jwkOf(t, ES256, map[string]any{"d": zeros}),
		"private half, odd type":  jwkOf(t, ES256, map[string]any{"d": 1}),
		"off the curve":           jwkOf(t, ES256, map[string]any{"x": base64url.EncodeToString(other[1:33])}),
		"point at infinity":       jwkOf(t, ES256, map[string]any{"x": zeros, "y": zeros}),
		"no y":                    jwkOf(t, ES256, map[string]any{"y": nil}),
		"short coordinate":        jwkOf(t, ES256, map[string]any{"x": base64url.EncodeToString(make([]byte, 31))}),
		"long coordinate":         jwkOf(t, ES256, map[string]any{"x": base64url.EncodeToString(make([]byte, 33))}),
		"padded coordinate":       jwkOf(t, EdDSA, map[string]any{"x": zeros + "="}),
		"short Ed25519":           jwkOf(t, EdDSA, map[string]any{"x": "AAAA"}),
		"RSA of 2047 bits":        jwkOf(t, RS256, map[string]any{"n": encodeInt(new(big.Int).Rsh(modulus, 1))}),
		"RSA of 1024 bits":        jwkOf(t, RS256, map[string]any{"n": encodeInt(new(big.Int).Rsh(modulus, 1024))}),
		"RSA of 16384 bits":       jwkOf(t, RS256, map[string]any{"n": encodeInt(new(big.Int).Lsh(modulus, 16384-2048))}),
		"RSA exponent 1":          jwkOf(t, RS256, map[string]any{"e": "AQ"}),
		"RSA exponent even":       jwkOf(t, RS256, map[string]any{"e": "BA"}),
		"RSA exponent of 4 KiB":   jwkOf(t, RS256, map[string]any{"e": strings.Repeat("AQAB", 1024)}),
		"RSA exponent missing":    jwkOf(t, RS256, map[string]any{"e": nil}),
		"not an object":           `"key"`,
		"null":                    `null`,
		"kty of another type":     `{"kty":1}`,
		"kid of another type":     jwkOf(t, ES256, map[string]any{"kid": 1}),
		"an array of coordinates": jwkOf(t, ES256, map[string]any{"x": []string{zeros}}),
	} {
		set, err := ParseSet(setOf(jwk, jwkOf(t, EdDSA, map[string]any{"kid": "good"})))
		if err != nil {
			t.Errorf("%s: took the whole set along: %v", name, err)
			continue
		}
		if len(set.keys) != 1 || set.keys[0].ID() != "good" {
			t.Errorf("%s: was kept", name)
		}
	}
}

func TestFirstOfTwoKeysWithOneKidStays(t *testing.T) {
	set, err := ParseSet(setOf(
		jwkOf(t, ES256, map[string]any{"kid": "a"}), jwkOf(t, EdDSA, map[string]any{"kid": "a"})))
	if err != nil {
		t.Fatal(err)
	}
	if key, ok := set.Key("a"); !ok || key.Algorithm() != ES256 || len(set.keys) != 1 {
		t.Errorf("kid a is %v of %d keys", key, len(set.keys))
	}
}

func TestSetBeyondItsLimitsIsRefused(t *testing.T) {
	numbered := func(n int) []byte {
		jwks := make([]string, n)
		for i := range jwks {
			jwks[i] = jwkOf(t, ES256, map[string]any{"kid": fmt.Sprint(i)})
		}
		return setOf(jwks...)
	}
	if set, err := ParseSet(numbered(64)); err != nil || len(set.keys) != 64 {
		t.Errorf("64 keys: %v", err)
	}
	for name, data := range map[string][]byte{
		"65 keys":       numbered(65),
		"256 KiB + 1":   append(setOf(), []byte(strings.Repeat(" ", MaxSetBytes))...),
		"100,000 keys":  []byte(`{"keys":[` + strings.Repeat("1,", 100_000) + `1]}`),
		"empty":         {},
		"not JSON":      []byte("<html>"),
		"an array":      []byte("[]"),
		"no keys":       []byte(`{"error":"server_error"}`),
		"keys null":     []byte(`{"keys":null}`),
		"keys a string": []byte(`{"keys":"a"}`),
		"trailing data": []byte(`{"keys":[]}{}`),
	} {
		if _, err := ParseSet(data); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if set, err := ParseSet(setOf()); err != nil || len(set.keys) != 0 {
		t.Errorf("a set that withdraws all keys: %v", err)
	}
}

func FuzzParseSet(f *testing.F) {
	for _, algorithm := range algorithms {
		f.Add(setOf(jwkOf(f, algorithm, nil)))
	}
	f.Add(setOf(`{"kty":"oct","k":"c2VjcmV0"}`, jwkOf(f, ES256, map[string]any{"use": "enc"})))
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := ParseSet(data)
		if err != nil {
			return
		}
		published, err := json.Marshal(set)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseSet(published)
		if err != nil || len(again.keys) != len(set.keys) {
			t.Fatalf("%d keys became %s: %v", len(set.keys), published, err)
		}
		for i, key := range set.keys {
			if key.thumbprint() != again.keys[i].thumbprint() || key.id != again.keys[i].id {
				t.Fatalf("key %d changed: %s", i, published)
			}
		}
	})
}

func TestRegisteredSetIsKeptInOneSpelling(t *testing.T) {
	good := jwkOf(t, ES256, nil)
	text, err := json.Marshal(NewSet(testKey(t, ES256).Public()))
	if err != nil {
		t.Fatal(err)
	}
	kept := string(text)
	for sent, want := range map[string]string{
		"":                               "",
		" " + string(setOf(good)) + "\n": kept,
		string(setOf(jwkOf(t, ES256, map[string]any{"x5u": "https://x"}))): kept,
		string(setOf(good, `{"kty":"future"}`)):                            kept,
		string(setOf(good, jwkOf(t, ES256, map[string]any{"d": "AAAA"}))):  "private",
		`{"keys":[{"kty":"oct","k":"AAAA"}]}`:                              "private",
		`{"keys":[]}`:                                                      "no key",
		`{}`:                                                               "can be read",
		`{"keys":{}}`:                                                      "must be a JWK Set",
		`[]`:                                                               "must be a JWK Set",
		string(setOf(`"key"`)):                                             "must be a JWK Set",
	} {
		got, err := CanonicalPublicSet([]byte(sent))
		if err != nil {
			if got != "" || !strings.Contains(err.Error(), want) || want == "" {
				t.Errorf("%s: %q, %v", sent, got, err)
			}
			continue
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", sent, got, want)
		}
	}
}
