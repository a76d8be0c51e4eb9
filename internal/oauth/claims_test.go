package oauth

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// whole is a person of whom everything is known.
func whole() *User {
	u := ada()
	u.Name, u.Email, u.EmailVerified, u.Phone, u.Address, u.UpdatedAt = "Ada", "ada@example.com", true, "+44 20", "1 St James's Square", noon
	return u
}

func TestClaimsAreParsed(t *testing.T) {
	for text, want := range map[string]claimsRequest{
		"":   {},
		"{}": {},
		`{"userinfo":{"email":null},"id_token":{"acr":{"essential":true,"values":["a","b"]},"sub":{"value":"usr_ada"}}}`: {
			UserInfo: map[string]claimRequest{"email": {}},
			IDToken:  map[string]claimRequest{"acr": {Essential: true, Values: []string{"a", "b"}}, "sub": {Value: "usr_ada"}},
		},
		`{"id_token":{"auth_time":{"essential":true},"birthdate":{"value":5},"x":{"values":[1,null,"a",{}]}},"unknown":[1]}`: {
			IDToken: map[string]claimRequest{"auth_time": {Essential: true}, "birthdate": {}, "x": {Values: []string{"a"}}},
		},
		`{"userinfo":null}`:     {},
		` {"userinfo" : { } } `: {UserInfo: map[string]claimRequest{}},
	} {
		if got, refusal := parseClaims(text); refusal != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v, want %+v", text, got, refusal, want)
		}
	}
}

func TestMalformedClaimsAreRefused(t *testing.T) {
	long := `{"userinfo":{"` + strings.Repeat("a", maxClaimsLength-len(`{"userinfo":{"":null}}`)) + `":null}}`
	if _, refusal := parseClaims(long); len(long) != maxClaimsLength || refusal != nil {
		t.Errorf("%d bytes: %v", len(long), refusal)
	}
	for _, text := range []string{
		long + " ", "null", " null ", "true", "1", `"{}"`, "[]", "{", "}", "{}{}", `{"userinfo":1}`, `{"userinfo":[]}`, `{"userinfo":{"email":1}}`, `{"userinfo":{"email":true}}`,
		`{"id_token":{"acr":{"essential":"yes"}}}`, `{"id_token":{"acr":{"values":"a"}}}`, `{"id_token":"x"}`, "\x00", "é", strings.Repeat("[", 4000), strings.Repeat(`{"a":`, 800),
	} {
		_, refusal := parseClaims(text)
		refusedWith(t, refusal, InvalidRequest)
	}
}

func TestClaimsByNameBelongToScopes(t *testing.T) {
	c, _ := parseClaims(`{"userinfo":{"phone_number_verified":null,"name":null,"sub":null},"id_token":{"email":null,"email_verified":null,"acr":null,"nickname":null}}`)
	equalStrings(t, "scopes", c.scopes(), Email, Phone, Profile)
}

func TestClaimsAreKeptByNameAndNoMoreThanTheClientMayHave(t *testing.T) {
	c, _ := parseClaims(`{"userinfo":{"email":{"essential":true},"name":null,"sub":{"value":"x"}},"id_token":{"email":{"value":"<&>"},"acr":{"essential":true},"":null}}`)
	for text, scopes := range map[string][]string{
		`{"id_token":{"email":null},"userinfo":{"email":null}}`:             {OpenID, Email},
		`{"id_token":{"email":null},"userinfo":{"email":null,"name":null}}`: {OpenID, Email, Profile},
		`{"id_token":{},"userinfo":{"name":null}}`:                          {Profile},
		"": {OpenID, Phone, "read"},
	} {
		if got := c.within(scopes); got != text {
			t.Errorf("%v: %s, want %s", scopes, got, text)
		}
	}
}

func TestWhatIsKnownOfAPerson(t *testing.T) {
	all := map[string]any{
		"name": "Ada", "email": "ada@example.com", "email_verified": true, "updated_at": noon.Unix(),
		"address": map[string]string{"formatted": "1 St James's Square"}, "phone_number": "+44 20", "phone_number_verified": false,
	}
	if got := claimsOf(whole()); !reflect.DeepEqual(got, all) {
		t.Errorf("%v, want %v", got, all)
	}
	bare := claimsOf(&User{ID: "usr_bob", Name: "Bob", Email: "bob@example.com"})
	if want := map[string]any{"name": "Bob", "email": "bob@example.com", "email_verified": false}; !reflect.DeepEqual(bare, want) {
		t.Errorf("%v, want %v", bare, want)
	}
	for name := range all {
		if claimScopes[name] == "" {
			t.Errorf("%s belongs to no scope", name)
		}
	}
}

func TestUserInfoTellsWhatWasAllowed(t *testing.T) {
	for name, test := range map[string]struct {
		scope   []string
		claims  string
		allowed []string
		told    []string
	}{
		"openid alone":            {[]string{OpenID}, "", nil, []string{"sub"}},
		"e-mail":                  {[]string{OpenID, Email}, "", nil, []string{"email", "email_verified", "sub"}},
		"all":                     {[]string{OpenID, Profile, Email, Address, Phone}, "", nil, []string{"address", "email", "email_verified", "name", "phone_number", "phone_number_verified", "sub", "updated_at"}},
		"no openid":               {[]string{Email}, "", nil, nil},
		"by name":                 {[]string{OpenID}, `{"userinfo":{"email":null}}`, []string{Email}, []string{"email", "sub"}},
		"by name, not allowed":    {[]string{OpenID}, `{"userinfo":{"email":null}}`, []string{Profile}, []string{"sub"}},
		"by name, for ID tokens":  {[]string{OpenID}, `{"id_token":{"email":null}}`, []string{Email}, []string{"sub"}},
		"by name, sub and no one": {[]string{OpenID}, `{"userinfo":{"sub":{"value":"usr_bob"},"nickname":null}}`, []string{Email}, []string{"sub"}},
	} {
		f := GrantFacts{Grant: &Grant{Claims: test.claims}, Client: site(), User: whole()}
		if test.allowed != nil {
			f.Client.Scopes = test.allowed
		}
		told := UserInfo(f, test.scope)
		equalStrings(t, name, slices.Sorted(maps.Keys(told)), test.told...)
		if told != nil && told["sub"] != "usr_ada" {
			t.Errorf("%s: sub is %v", name, told["sub"])
		}
	}
	if told := UserInfo(GrantFacts{Grant: &Grant{}, Client: worker()}, []string{OpenID}); told != nil {
		t.Errorf("a client's own grant tells %v", told)
	}
}

func TestNoClaimIsToldThatNeitherScopeNorClientMayHave(t *testing.T) {
	scopes := rapid.SliceOfDistinct(rapid.SampledFrom(append([]string{"", "read"}, StandardScopes...)), rapid.ID)
	names := rapid.SliceOf(rapid.SampledFrom(append([]string{"", "sub", "acr", "iss", "nickname"}, slices.Sorted(maps.Keys(claimScopes))...)))
	rapid.Check(t, func(t *rapid.T) {
		scope, allowed := scopes.Draw(t, "scope"), scopes.Draw(t, "allowed")
		request := claimsRequest{UserInfo: map[string]claimRequest{}, IDToken: map[string]claimRequest{}}
		for _, name := range names.Draw(t, "names") {
			request.UserInfo[name] = claimRequest{Essential: true}
		}
		kept, refusal := parseClaims(request.within(allowed))
		if refusal != nil {
			t.Fatalf("%s: %v", request.within(allowed), refusal)
		}
		// A scope that the client is given later releases nothing more.
		later := append([]string{Address}, allowed...)
		for name := range pick(whole(), scope, kept.UserInfo, later) {
			belongs := claimScopes[name]
			if !slices.Contains(scope, belongs) && !slices.Contains(allowed, belongs) {
				t.Errorf("%s is told by scope %v, of which %v is allowed", name, scope, allowed)
			}
		}
	})
}

func FuzzParseClaims(f *testing.F) {
	f.Add(`{"userinfo":{"email":null},"id_token":{"acr":{"essential":true,"values":["a"]}}}`)
	f.Add(`{"id_token":{"sub":{"value":"usr_ada"}}}`)
	f.Add("null")
	f.Fuzz(func(t *testing.T, text string) {
		c, refusal := parseClaims(text)
		if refusal != nil {
			refusedWith(t, refusal, InvalidRequest)
			return
		}
		if len(text) > maxClaimsLength || text != "" && !json.Valid([]byte(text)) {
			t.Errorf("%q is taken", text)
		}
		kept := c.within(StandardScopes)
		again, refusal := parseClaims(kept)
		if refusal != nil || again.within(StandardScopes) != kept || !slices.Equal(again.scopes(), c.scopes()) {
			t.Errorf("%q is kept as %q: %v", text, kept, refusal)
		}
	})
}
