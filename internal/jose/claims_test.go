package jose

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestAllRegisteredClaimsAreRead(t *testing.T) {
	const payload = ` { "iss":"https://id.example.com", "sub":"usr_\u00e9\n", "aud":["a","b"], "exp":1900000000,
		"nbf":1.8e9, "iat":1800000000.25, "jti":"j", "client_id":"c", "scope":"openid orders:read",
		"auth_time":0, "sid":"s", "cnf":{"jkt":"x"}, "nonce":"n", "events":{"e":{}}, "own":{"iss":"other","n":[1,null,true,false,-0.5e-3]} } `
	got, err := parseClaims(payload)
	if err != nil {
		t.Fatal(err)
	}
	want := &Claims{
		Issuer: "https://id.example.com", Subject: "usr_é\n", Audience: []string{"a", "b"},
		ExpiresAt: time.Unix(1900000000, 0).UTC(), NotBefore: time.Unix(1800000000, 0).UTC(),
		IssuedAt: time.Unix(1800000000, 250_000_000).UTC(), ID: "j", ClientID: "c",
		Scope: "openid orders:read", AuthTime: time.Unix(0, 0).UTC(), Session: "s",
		Confirmation: `{"jkt":"x"}`, Nonce: "n", Events: `{"e":{}}`, Payload: payload,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestClaimsOfTheWrongKindAreRefused(t *testing.T) {
	for _, payload := range []string{
		``, `null`, `[]`, `"a"`, `{`, `{}{}`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{a:1}`, `{'a':1}`, `{"a":01}`, `{"a":+1}`,
		`{"a":.5}`, `{"a":1.}`, `{"a":1e}`, `{"a":-}`, `{"a":NaN}`, `{"a":tru}`, `{"a":"\x"}`, `{"a":"\u12g4"}`, `{"a":"` + "\t" + `"}`,
		`{"iss":1}`, `{"iss":null}`, `{"iss":["a"]}`, `{"iss":"a","iss":"a"}`, `{"iss":"a","\u0069ss":"b"}`,
		`{"sub":1}`, `{"sub":true}`, `{"sub":"a","sub":"b"}`,
		`{"aud":1}`, `{"aud":null}`, `{"aud":{"a":"b"}}`, `{"aud":[1]}`, `{"aud":["a",null]}`, `{"aud":[["a"]]}`, `{"aud":"a","aud":"b"}`,
		`{"scope":["a","b"]}`, `{"client_id":{}}`, `{"jti":1}`, `{"sid":1}`, `{"cnf":{},"cnf":{}}`,
		`{"nonce":1}`, `{"nonce":"a","nonce":"a"}`, `{"events":{},"events":{}}`, `{"events":null,"events":{}}`,
		`{"a":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`,
		"{\"a\":\"\xff\"}", "{\"a\":\"\xed\xa0\x80\"}",
	} {
		if claims, err := parseClaims(payload); err == nil || claims != nil {
			t.Errorf("%s: %+v", payload, claims)
		}
	}
	for _, name := range []string{"exp", "nbf", "iat", "auth_time"} {
		for _, value := range []string{`"1900000000"`, `null`, `true`, `[1]`, `{}`, `-1`, `-0.5`, `1e400`, `1e18`, `253402300800`, `9223372036854775808`} {
			if claims, err := parseClaims(fmt.Sprintf(`{%q:%s}`, name, value)); err == nil {
				t.Errorf("%s %s: %+v", name, value, claims)
			}
		}
		if _, err := parseClaims(fmt.Sprintf(`{%q:1,%q:2}`, name, name)); err == nil {
			t.Errorf("%s twice", name)
		}
		if _, err := parseClaims(fmt.Sprintf(`{%q:253402300799}`, name)); err != nil {
			t.Errorf("%s in the year 9999: %v", name, err)
		}
	}
}

func TestClaimNamesAreExact(t *testing.T) {
	claims, err := parseClaims(`{"ISS":"a","Sub":"b","Exp":1,"a":{"iss":"c"}}`)
	if err != nil || claims.Issuer != "" || claims.Subject != "" || !claims.ExpiresAt.IsZero() {
		t.Errorf("%+v, %v", claims, err)
	}
}

// FuzzScan holds the scanner against encoding/json: both accept the same
// objects and read the same members in them.
func FuzzScan(f *testing.F) {
	for _, text := range []string{
		somePayload, `{"a":[1,-2.5e+3,0.1E-2,true,false,null,"\ud83d\ude00\/"],"b":{"c":{}},"a":[]}`, `{"\u0061":"\ud800"}`,
		`{"a" : [ ] , "b" : { } }`, ``, `{}`, `{"a":1,}`, `{"a":[1,]}`, `{"a":"\u00"}`, `[]`, `{"a":0}0`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		members := make(map[string]json.RawMessage)
		err := eachMember(text, func(name, value string) error {
			members[name] = json.RawMessage(value)
			return nil
		})
		var want map[string]json.RawMessage
		wantErr := json.Unmarshal([]byte(text), &want)
		if wantErr == nil && (want == nil || !utf8.ValidString(text) || depth(text) > maxDepth) {
			if err == nil {
				t.Fatalf("accepted %q", text)
			}
			return
		}
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%q: %v, encoding/json: %v", text, err, wantErr)
		}
		if err == nil && !reflect.DeepEqual(members, want) {
			t.Fatalf("%q:\n%s\nencoding/json:\n%s", text, members, want)
		}
	})
}

// depth returns how deeply a well-formed JSON text nests.
func depth(text string) (deepest int) {
	decoder := json.NewDecoder(strings.NewReader(text))
	for open := 0; ; deepest = max(deepest, open) {
		token, err := decoder.Token()
		if err != nil {
			return deepest
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			open++
		case json.Delim('}'), json.Delim(']'):
			open--
		}
	}
}

// FuzzClaims holds parseClaims against encoding/json.
func FuzzClaims(f *testing.F) {
	f.Add(somePayload)
	f.Add(`{"iss":"a","sub":"b","aud":["a","b"],"exp":1.5,"nbf":1,"iat":1e9,"jti":"j","client_id":"c","scope":"s","auth_time":0,"sid":"x"}`)
	f.Add(`{"aud":[],"aud":"a"}`)
	f.Fuzz(func(t *testing.T, payload string) {
		claims, err := parseClaims(payload)
		if err != nil {
			return
		}
		var want map[string]any
		if err := json.Unmarshal([]byte(payload), &want); err != nil {
			t.Fatalf("accepted %q: %v", payload, err)
		}
		for name, got := range map[string]string{
			"iss": claims.Issuer, "sub": claims.Subject, "jti": claims.ID,
			"client_id": claims.ClientID, "scope": claims.Scope, "nonce": claims.Nonce, "sid": claims.Session,
		} {
			if text, _ := want[name].(string); text != got || want[name] != nil && reflect.TypeOf(want[name]).Kind() != reflect.String {
				t.Fatalf("%q: %s is %q, encoding/json: %v", payload, name, got, want[name])
			}
		}
		for name, got := range map[string]time.Time{
			"exp": claims.ExpiresAt, "nbf": claims.NotBefore, "iat": claims.IssuedAt, "auth_time": claims.AuthTime,
		} {
			seconds, present := want[name].(float64)
			if present == got.IsZero() || present && math.Abs(float64(got.Unix())-math.Floor(seconds)) > 0 {
				t.Fatalf("%q: %s is %v, encoding/json: %v", payload, name, got, want[name])
			}
		}
		var audience []string
		switch aud := want["aud"].(type) {
		case string:
			audience = []string{aud}
		case []any:
			for _, a := range aud {
				audience = append(audience, a.(string))
			}
		}
		if !reflect.DeepEqual(claims.Audience, audience) {
			t.Fatalf("%q: aud is %q, encoding/json: %q", payload, claims.Audience, audience)
		}
	})
}
