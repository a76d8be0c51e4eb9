package oauth

import (
	"strings"
	"testing"
)

func TestAnAccessTokenHasOneAudience(t *testing.T) {
	const issuer = "https://id.example"
	both := []string{api, otherAPI}
	for _, test := range []struct {
		name           string
		asked, allowed []string
		want           string // "": refused
	}{
		{"nothing asked: the first", nil, both, api},
		{"nothing asked, nothing allowed: the issuer", nil, nil, issuer},
		{"the second", []string{otherAPI}, both, otherAPI},
		{"the issuer, where nothing else is allowed", []string{issuer}, nil, issuer},
		{"the issuer, where others are allowed", []string{issuer}, both, ""},
		{"a foreign one", []string{"https://evil.example"}, both, ""},
		{"a foreign one, where nothing is allowed", []string{api}, nil, ""},
		{"both", both, both, ""},
		{"the same twice", []string{api, api}, both, ""},
		{"a slash more", []string{api + "/"}, both, ""},
		{"a path below", []string{api + "/v1"}, both, ""},
		{"another case", []string{strings.ToUpper(api)}, both, ""},
		{"a fragment more", []string{api + "#x"}, both, ""},
		{"a prefix", []string{"https://api"}, both, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, r := audienceWithin(test.asked, test.allowed, issuer)
			if test.want == "" {
				refusedWith(t, r, InvalidTarget)
			} else if r != nil {
				t.Errorf("refused: %s", r.Description)
			}
			if got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
	for _, hostile := range hostileTexts {
		_, r := audienceWithin([]string{hostile}, both, issuer)
		refusedWith(t, r, InvalidTarget)
	}
}

func TestAnAudienceIsAnAbsoluteURI(t *testing.T) {
	for _, good := range []string{api, "https://api.example/v1?x=y", "urn:example:api", "http://localhost:3000", "api:x"} {
		if problem := validateResource(good); problem != "" {
			t.Errorf("%q %s", good, problem)
		}
	}
	for _, bad := range []string{
		"", "api", "/api", "//api.example", "https://api.example#", "https://api.example/#part", "https://api.example/a b", "https://api.example/\n",
		`https://api.example/"`, `https://api.example/\`, "https://bücher.example", "https://api.example/<>", "https://api.example/%zz", "://",
		"https://api.example/" + strings.Repeat("a", 2048),
	} {
		if validateResource(bad) == "" {
			t.Errorf("%.60q is accepted", bad)
		}
	}
}
