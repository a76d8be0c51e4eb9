package oauth

import (
	"reflect"
	"testing"
	"time"
)

// grantInSession is what ada granted c when she signed in an hour ago.
func grantInSession(c *Client) *Grant {
	g := grantTo(c)
	g.Session, g.Methods, g.Scope = "ses_ada", []string{Password}, []string{OpenID, "read"}
	return g
}

func TestAnIDTokenTellsOfTheSignIn(t *testing.T) {
	g, c := grantInSession(site()), site()
	g.Claims = `{"id_token":{"email":null,"phone_number":null,"sub":null},"userinfo":{"name":null}}`
	got := issueIDToken(policy, c, g, whole(), g.Scope, "nonce", noon)
	want := &IDToken{
		Algorithm: "RS256", Issuer: policy.Issuer, Subject: "usr_ada", Audience: "app", IssuedAt: noon, ExpiresAt: noon.Add(time.Hour),
		AuthTime: g.AuthTime, Nonce: "nonce", ACR: acrPassword, AMR: []string{Password}, Session: "ses_ada",
		Claims: map[string]any{"email": "ada@example.com"}, // phone is not the client's, name was asked of UserInfo
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// OpenID Connect Core §5.4: with an access token, claims of scopes are for UserInfo.
func TestAnIDTokenHasNoClaimsOfScopes(t *testing.T) {
	g := grantInSession(site())
	if got := issueIDToken(policy, site(), g, whole(), []string{OpenID, Profile, Email}, "", noon); len(got.Claims) > 0 {
		t.Errorf("%v", got.Claims)
	}
}

func TestWhoGetsNoIDToken(t *testing.T) {
	g := grantInSession(site())
	direct := grantTo(site())
	for name, got := range map[string]*IDToken{
		"without scope openid":    issueIDToken(policy, site(), g, whole(), []string{"read"}, "", noon),
		"a client for itself":     issueIDToken(policy, worker(), &Grant{Client: "worker", Session: "ses_ada"}, nil, []string{OpenID}, "", noon),
		"a grant without session": issueIDToken(policy, site(), direct, whole(), []string{OpenID}, "", noon),
	} {
		if got != nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestAnIDTokenIsSignedAsTheClientRegistered(t *testing.T) {
	for registered, want := range map[string]string{"": "RS256", "ES256": "ES256", "EdDSA": "EdDSA"} {
		c := site()
		c.IDTokenAlg = registered
		if got := issueIDToken(policy, c, grantInSession(c), whole(), []string{OpenID}, "", noon).Algorithm; got != want {
			t.Errorf("%q: %s", registered, got)
		}
	}
}

func TestAHintIsForItsAudienceAndOfItsSession(t *testing.T) {
	h := &IDTokenHint{Subject: "usr_ada", Audience: []string{"app", "other"}, Session: "ses_ada"}
	if !h.isFor("app") || !h.isFor("other") || h.isFor("worker") || h.isFor("") {
		t.Error("audience")
	}
	for name, test := range map[string]struct {
		alter func(*Session)
		of    bool
	}{
		"its own":             {func(*Session) {}, true},
		"a later one":         {func(s *Session) { s.ID = "ses_new" }, false},
		"of another person":   {func(s *Session) { s.User = "usr_bob" }, false},
		"renewed, and so its": {func(s *Session) { s.AuthTime = noon }, true},
	} {
		s := adaSignedIn()
		test.alter(s)
		if h.isOf(s) != test.of {
			t.Errorf("%s: %t", name, !test.of)
		}
	}
	if (&IDTokenHint{Subject: "usr_ada"}).isOf(adaSignedIn()) {
		t.Error("a hint without a session is of one")
	}
}
