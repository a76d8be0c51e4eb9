package jose

import (
	"bytes"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"
)

const somePayload = `{"iss":"https://id.example.com","sub":"usr_1","aud":"https://api.example.com","exp":1900000000}`

// RFC 7515 A.2 and A.3.
func TestExamplesOfRFC7515Verify(t *testing.T) {
	for name, example := range map[string]struct{ jwk, token string }{
		"A.2 RS256": {
			`{"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}`,
			"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
		},
		"A.3 ES256": {
			`{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`,
			"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
		},
	} {
		set, err := ParseSet(setOf(example.jwk))
		if err != nil {
			t.Fatal(err)
		}
		claims, err := set.Verify(example.token, "")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if claims.Issuer != "joe" || !claims.ExpiresAt.Equal(time.Unix(1300819380, 0)) {
			t.Errorf("%s: claims %+v", name, claims)
		}
	}
}

// RFC 8037 A.4, whose payload is not JSON.
func TestExampleOfRFC8037Verifies(t *testing.T) {
	set, err := ParseSet(setOf(`{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`))
	if err != nil {
		t.Fatal(err)
	}
	const token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
	if payload, err := set.payload(token, []string{""}); err != nil || payload != "Example of Ed25519 signing" {
		t.Errorf("%q, %v", payload, err)
	}
	if _, err := set.Verify(token, ""); !errors.Is(err, ErrInvalid) {
		t.Errorf("claims that are not JSON: %v", err)
	}
}

func TestSignedTokenVerifies(t *testing.T) {
	var all []*PublicKey
	for _, algorithm := range algorithms {
		all = append(all, testKey(t, algorithm).Public())
	}
	for _, algorithm := range algorithms {
		token := sign(t, testKey(t, algorithm), "at+jwt", somePayload)
		claims, err := NewSet(all...).Verify(token, "at+jwt")
		if err != nil {
			t.Errorf("%s: %v", algorithm, err)
			continue
		}
		if claims.Subject != "usr_1" || claims.Payload != somePayload {
			t.Errorf("%s: %+v", algorithm, claims)
		}
	}
}

// forge makes a token with any header, well signed with the key.
func forge(t testing.TB, key *PrivateKey, header, payload string) string {
	t.Helper()
	signed := encode(header) + "." + encode(payload)
	signature, err := key.signature([]byte(signed))
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + encode(string(signature))
}

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// headerOf returns the header of a key's tokens with members added behind it.
func headerOf(key *PrivateKey, more string) string {
	return fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"at+jwt"%s}`, key.Algorithm(), key.ID(), more)
}

func mustRefuse(t *testing.T, set *Set, name, token string) {
	t.Helper()
	claims, err := set.Verify(token, "at+jwt", "")
	if !errors.Is(err, ErrInvalid) || claims != nil {
		t.Errorf("%s: claims %v, error %v", name, claims, err)
	}
}

func TestHeaderThatChoosesItsAlgorithmIsRefused(t *testing.T) {
	for _, algorithm := range algorithms {
		key := testKey(t, algorithm)
		set := NewSet(key.Public())
		claim := somePayload
		if _, err := set.Verify(forge(t, key, headerOf(key, ""), claim), "at+jwt"); err != nil {
			t.Fatalf("the honest token: %v", err)
		}
		header := func(alg string) string { return fmt.Sprintf(`{%s"kid":%q,"typ":"at+jwt"}`, alg, key.ID()) }
		for _, alg := range []string{
			`"alg":"none",`, `"alg":"None",`, `"alg":"nOnE",`, `"alg":"",`, `"alg":null,`, `"alg":["` + string(algorithm) + `"],`, ``,
			`"alg":"HS256",`, `"alg":"` + strings.ToLower(string(algorithm)) + `",`, `"Alg":"` + string(algorithm) + `",`,
			`"alg":"ES384",`, `"alg":"PS256",`, `"alg":"dir",`,
		} {
			mustRefuse(t, set, fmt.Sprint(algorithm, " key, signed, ", alg), forge(t, key, header(alg), claim))
			mustRefuse(t, set, fmt.Sprint(algorithm, " key, unsigned, ", alg), encode(header(alg))+"."+encode(claim)+".")
		}
		for _, other := range algorithms {
			if other != algorithm {
				mustRefuse(t, set, fmt.Sprint(algorithm, " key under ", other),
					forge(t, key, header(`"alg":"`+string(other)+`",`), claim))
			}
		}
	}
}

func TestHMACKeyedByThePublicKeyIsRefused(t *testing.T) {
	for _, algorithm := range algorithms {
		key := testKey(t, algorithm)
		der, err := x509.MarshalPKIXPublicKey(key.Public().key)
		if err != nil {
			t.Fatal(err)
		}
		jwk, err := json.Marshal(key.Public())
		if err != nil {
			t.Fatal(err)
		}
		secrets := map[string][]byte{
			"DER": der,
			"PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
			"JWK": jwk,
		}
		if public, ok := key.Public().key.(*rsa.PublicKey); ok {
			secrets["n"] = public.N.Bytes()
			secrets["base64url of n"] = []byte(encodeInt(public.N))
		}
		for name, secret := range secrets {
			for _, alg := range []string{"HS256", string(algorithm)} {
				signed := encode(fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"at+jwt"}`, alg, key.ID())) + "." + encode(somePayload)
				mac := hmac.New(sha256.New, secret)
				mac.Write([]byte(signed))
				mustRefuse(t, NewSet(key.Public()), alg+" keyed by "+name, signed+"."+encode(string(mac.Sum(nil))))
			}
		}
	}
}

func TestHostileHeaderIsRefused(t *testing.T) {
	key := testKey(t, ES256)
	set := NewSet(key.Public(), testKey(t, EdDSA).Public())
	attacker, err := GenerateKey(ES256, nil)
	if err != nil {
		t.Fatal(err)
	}
	embedded, err := json.Marshal(attacker.Public())
	if err != nil {
		t.Fatal(err)
	}
	for name, more := range map[string]string{
		"jwk":                  `,"jwk":` + string(embedded),
		"jku":                  `,"jku":"https://attacker.example/jwks"`,
		"x5u":                  `,"x5u":"https://attacker.example/cert"`,
		"x5c":                  `,"x5c":["MIIB"]`,
		"crit":                 `,"crit":["exp"],"exp":1`,
		"crit empty":           `,"crit":[]`,
		"b64":                  `,"b64":false`,
		"zip":                  `,"zip":"DEF"`,
		"escaped name":         `,"cr\u0069t":["exp"]`,
		"alg twice":            `,"alg":"none"`,
		"alg twice, the same":  `,"alg":"ES256"`,
		"kid twice":            `,"kid":"x"`,
		"typ twice":            `,"typ":"JWT"`,
		"comma at the end":     `,`,
		"deep":                 `,"a":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000),
		"a control character":  ",\"a\":\"\n\"",
		"invalid UTF-8":        ",\"a\":\"\xff\"",
		"p2c of a JWE":         `,"crit":["p2c"],"p2c":2147483648`,
		"signed by embedded k": "",
	} {
		by := key
		if name == "signed by embedded k" {
			by, more = attacker, `,"jwk":`+string(embedded)
		}
		mustRefuse(t, set, name, forge(t, by, headerOf(key, more), somePayload))
	}
	for name, header := range map[string]string{
		"empty": "", "null": "null", "array": "[]", "string": `"ES256"`, "no members": "{}", "cut off": `{"alg":"ES256"`,
		"two": headerOf(key, "") + headerOf(key, ""),
	} {
		mustRefuse(t, set, name, forge(t, key, header, somePayload))
	}
}

func TestUnknownHeaderMembersMeanNothing(t *testing.T) {
	key := testKey(t, ES256)
	token := forge(t, key, headerOf(key, `,"cty":"JWT","x5t":"abc","nested":{"crit":["exp"],"alg":"none"}`), somePayload)
	if _, err := NewSet(key.Public()).Verify(token, "at+jwt"); err != nil { // RFC 7515 §4.2
		t.Error(err)
	}
}

func TestHostileKidFindsNoKey(t *testing.T) {
	key := testKey(t, ES256)
	set := NewSet(key.Public())
	for _, kid := range []string{
		"../../etc/passwd", "' OR 1=1--", "\x00", key.ID() + "\x00", key.ID()[1:], strings.ToUpper(key.ID()),
		"https://attacker.example/key", strings.Repeat("k", 8<<10), " ", "*", "0",
	} {
		quoted, err := json.Marshal(kid)
		if err != nil {
			t.Fatal(err)
		}
		token := forge(t, key, `{"alg":"ES256","typ":"at+jwt","kid":`+string(quoted)+`}`, somePayload)
		if claims, err := set.Verify(token, "at+jwt"); !errors.Is(err, ErrUnknownKey) || !errors.Is(err, ErrInvalid) || claims != nil {
			t.Errorf("kid %.20q: %v, %v", kid, claims, err)
		}
	}
	huge := forge(t, key, `{"alg":"ES256","typ":"at+jwt","kid":"`+strings.Repeat("k", 1<<20)+`"}`, somePayload)
	mustRefuse(t, set, "kid of 1 MB", huge)
	for _, kid := range []string{`1`, `null`, `{}`, `["` + key.ID() + `"]`} {
		mustRefuse(t, set, "kid "+kid, forge(t, key, `{"alg":"ES256","typ":"at+jwt","kid":`+kid+`}`, somePayload))
	}
}

func TestTokenWithoutKidNeedsASetOfOneKey(t *testing.T) {
	key := testKey(t, ES256)
	token := forge(t, key, `{"alg":"ES256","typ":"at+jwt"}`, somePayload)
	if _, err := NewSet(key.Public()).Verify(token, "at+jwt"); err != nil {
		t.Errorf("one key: %v", err)
	}
	mustRefuse(t, NewSet(key.Public(), testKey(t, EdDSA).Public()), "two keys", token)
	mustRefuse(t, NewSet(), "no key", token)
	unnamed, err := ParseSet(setOf(jwkOf(t, ES256, map[string]any{"kid": nil}), jwkOf(t, EdDSA, map[string]any{"kid": nil})))
	if err != nil {
		t.Fatal(err)
	}
	mustRefuse(t, unnamed, "two keys without kid", token)
}

func TestOnlyTheTypesAskedForAreAccepted(t *testing.T) {
	key := testKey(t, EdDSA)
	set := NewSet(key.Public())
	withoutTyp := forge(t, key, `{"alg":"EdDSA"}`, somePayload)
	assertion := []string{"", "JWT", "client-authentication+jwt"} // RFC 7523, whose tokens had no typ at first
	for _, test := range []struct {
		token  string
		types  []string
		accept bool
	}{
		{sign(t, key, "at+jwt", somePayload), []string{"at+jwt"}, true},
		{sign(t, key, "AT+JWT", somePayload), []string{"at+jwt"}, true},
		{sign(t, key, "application/at+jwt", somePayload), []string{"at+jwt"}, true},
		{sign(t, key, "Application/At+Jwt", somePayload), []string{"at+jwt"}, true},
		{sign(t, key, "JWT", somePayload), []string{"at+jwt"}, false},
		{sign(t, key, "JWT", somePayload), []string{"at+jwt", "jwt"}, true},
		{sign(t, key, "logout+jwt", somePayload), []string{"at+jwt", ""}, false},
		{sign(t, key, "application/application/at+jwt", somePayload), []string{"at+jwt"}, false},
		{sign(t, key, "at+jwt ", somePayload), []string{"at+jwt"}, false},
		{sign(t, key, "application/", somePayload), []string{""}, false},
		{sign(t, key, "at+jwt", somePayload), nil, false},
		{withoutTyp, []string{"at+jwt"}, false},
		{withoutTyp, []string{""}, true},
		{withoutTyp, nil, false},
		{withoutTyp, assertion, true},
		{sign(t, key, "", somePayload), assertion, true},
		{sign(t, key, "JWT", somePayload), assertion, true},
		{sign(t, key, "jwt", somePayload), assertion, true},
		{sign(t, key, "client-authentication+jwt", somePayload), assertion, true},
		{sign(t, key, "application/client-authentication+jwt", somePayload), assertion, true},
		{sign(t, key, "at+jwt", somePayload), assertion, false},
		{sign(t, key, "logout+jwt", somePayload), assertion, false},
		{sign(t, key, "application/", somePayload), assertion, false},
		{sign(t, key, " ", somePayload), assertion, false},
		{forge(t, key, `{"alg":"EdDSA","typ":null}`, somePayload), assertion, false},
		{forge(t, key, `{"alg":"EdDSA","Typ":"at+jwt"}`, somePayload), []string{"at+jwt"}, false},
	} {
		if _, err := set.Verify(test.token, test.types...); (err == nil) != test.accept {
			header, _, _ := strings.Cut(test.token, ".")
			text, _ := decode(header)
			t.Errorf("%s as %q: %v", text, test.types, err)
		}
	}
}

func TestMalformedTokenIsRefused(t *testing.T) {
	key := testKey(t, ES256)
	set := NewSet(key.Public())
	token := sign(t, key, "at+jwt", somePayload)
	header, rest, _ := strings.Cut(token, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	for name, malformed := range map[string]string{
		"empty":              "",
		"one dot":            header + "." + payload,
		"three dots":         token + ".",
		"five segments":      token + "..",
		"1 MB of dots":       strings.Repeat(".", 1<<20),
		"16 KiB of dots":     strings.Repeat(".", MaxTokenBytes),
		"no signature":       header + "." + payload + ".",
		"no header":          "." + payload + "." + signature,
		"no payload":         header + ".." + signature,
		"JWS JSON":           `{"payload":"` + payload + `","signatures":[{"protected":"` + header + `","signature":"` + signature + `"}]}`,
		"JWS JSON, two":      `{"payload":"` + payload + `","signatures":[{"protected":"` + header + `","signature":"` + signature + `"},{"protected":"` + header + `","signature":"` + signature + `"}]}`,
		"JWS JSON, flat":     `{"protected":"` + header + `","payload":"` + payload + `","signature":"` + signature + `"}`,
		"padded":             token + "==",
		"padded header":      header + "=." + rest,
		"line end behind":    token + "\n",
		"line end within":    header + ".\r\n" + rest,
		"line end in header": header[:4] + "\n" + token[4:],
		"space before":       " " + token,
		"space within":       header + ". " + rest,
		"NUL behind":         token + "\x00",
		"plus and slash":     strings.NewReplacer("-", "+", "_", "/").Replace(token) + "+",
		"short signature":    token[:len(token)-2],
		"long signature":     token + "AA",
		"DER signature":      header + "." + payload + "." + encode("\x30\x06\x02\x01\x01\x02\x01\x01"),
		"zero signature":     header + "." + payload + "." + encode(strings.Repeat("\x00", 64)),
		"r and s swapped":    header + "." + payload + "." + swapHalves(t, signature),
		"other payload":      header + "." + encode(strings.Replace(somePayload, "usr_1", "usr_2", 1)) + "." + signature,
		"too long":           sign(t, key, "at+jwt", `{"a":"`+strings.Repeat("a", MaxTokenBytes)+`"}`),
	} {
		mustRefuse(t, set, name, malformed)
	}
}

func swapHalves(t *testing.T, signature string) string {
	t.Helper()
	raw, err := decode(signature)
	if err != nil {
		t.Fatal(err)
	}
	return encode(raw[32:] + raw[:32])
}

func TestSignatureIsRewrittenAsDER(t *testing.T) {
	numbers := []string{"00", "01", "7f", "80", "ff", "0100", "80" + strings.Repeat("00", 31), strings.Repeat("ff", 32), strings.Repeat("7f", 31)}
	for _, r := range numbers {
		for _, s := range numbers {
			var want struct{ R, S *big.Int }
			want.R, _ = new(big.Int).SetString(r, 16)
			want.S, _ = new(big.Int).SetString(s, 16)
			der, err := asn1.Marshal(want)
			if err != nil {
				t.Fatal(err)
			}
			raw := append(want.R.FillBytes(make([]byte, 32)), want.S.FillBytes(make([]byte, 32))...)
			if got := asn1Signature(raw); !bytes.Equal(got, der) {
				t.Errorf("%s, %s: %x, want %x", r, s, got, der)
			}
		}
	}
}

// The last character of a segment can have bits that no byte needs. Were they
// ignored, a token would have several spellings.
func TestSecondSpellingOfASignatureIsRefused(t *testing.T) {
	key := testKey(t, ES256) // 64 bytes: the last of 86 characters has four such bits
	set := NewSet(key.Public())
	token := sign(t, key, "at+jwt", somePayload)
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, token[len(token)-1])
	for other := range 64 {
		if other != last {
			mustRefuse(t, set, "last character "+alphabet[other:other+1], token[:len(token)-1]+alphabet[other:other+1])
		}
	}
}

func TestEveryChangedOrMissingByteIsRefused(t *testing.T) {
	key := testKey(t, EdDSA)
	set := NewSet(key.Public())
	token := sign(t, key, "at+jwt", `{"sub":"a"}`)
	for i := range len(token) {
		mustRefuse(t, set, fmt.Sprint("prefix of ", i), token[:i])
		changed := []byte(token)
		changed[i] ^= 1
		mustRefuse(t, set, fmt.Sprint("byte ", i, " changed"), string(changed))
	}
}

func TestRefusalSaysNothingOfTheToken(t *testing.T) {
	key := testKey(t, ES256)
	set := NewSet(key.Public())
	for _, token := range []string{
		forge(t, key, `{"alg":"ES256","kid":"SECRET","typ":"at+jwt"}`, `{"sub":"SECRET"}`),
		forge(t, key, headerOf(key, ""), `{"sub":"SECRET","exp":"SECRET"}`),
		forge(t, key, `{"alg":"SECRET","typ":"SECRET"}`, `{}`),
	} {
		if _, err := set.Verify(token, "at+jwt"); err == nil || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%v", err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	key := testKey(f, ES256)
	set := NewSet(key.Public(), testKey(f, EdDSA).Public())
	honest := sign(f, key, "at+jwt", somePayload)
	f.Add(honest)
	f.Add(forge(f, key, headerOf(key, `,"crit":["exp"]`), somePayload))
	f.Add(forge(f, key, `{"alg":"none"}`, somePayload))
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		claims, err := set.Verify(token, "at+jwt", "")
		switch {
		case err != nil && (claims != nil || !errors.Is(err, ErrInvalid)):
			t.Fatalf("%v, %v", claims, err)
		case err == nil && !isOwnToken(token, honest):
			t.Fatalf("%q verifies", token)
		}
	})
}

// isOwnToken says whether a token is one that the fuzz target's key signed. An
// ECDSA signature (r, s) has a twin (r, -s) that is as good.
func isOwnToken(token, honest string) bool {
	end := strings.LastIndexByte(honest, '.') + 1
	if !strings.HasPrefix(token, honest[:end]) {
		return false
	}
	a, errA := base64url.DecodeString(token[end:])
	b, errB := base64url.DecodeString(honest[end:])
	if errA != nil || errB != nil || len(a) != 64 || !bytes.Equal(a[:32], b[:32]) {
		return false
	}
	order, _ := new(big.Int).SetString("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16)
	twin := new(big.Int).Sub(order, new(big.Int).SetBytes(b[32:])).FillBytes(make([]byte, 32))
	return bytes.Equal(a[32:], b[32:]) || bytes.Equal(a[32:], twin)
}
