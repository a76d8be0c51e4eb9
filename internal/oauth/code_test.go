package oauth

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/change"
)

// aCode is what ada allowed c, half a minute ago.
func aCode(c *Client) *Code {
	return &Code{
		Hash: CodeHash(secretKey, "kwc_code"), Client: c.ID, User: ada().ID, Session: "ses_ada", RedirectURI: callback, RedirectURISent: true,
		CodeChallenge: rfcChallenge, Nonce: "nonce", Scope: []string{OpenID, "read"}, Audiences: []string{api, otherAPI},
		Methods: []string{Password}, AuthTime: noon.Add(-time.Hour), UserEpoch: ada().Epoch, ClientEpoch: c.Epoch, GlobalEpoch: globalEpoch,
		ExpiresAt: noon.Add(CodeTTL / 2),
	}
}

func confidentialSite() *Client {
	c := site()
	c.ID, c.Public, c.SecretHash = "worker", false, worker().SecretHash
	return c
}

// redemption is a request that is granted.
func redemption(c *Client) (TokenRequest, CodeFacts) {
	return TokenRequest{Client: credentialsOf(c), GrantType: AuthorizationCodeGrant, Code: "kwc_code", RedirectURI: callback, CodeVerifier: rfcVerifier},
		CodeFacts{
			Code: aCode(c), Session: adaSignedIn(), User: ada(), GlobalEpoch: globalEpoch, Authenticating: c, SecretKey: secretKey, Key: refreshKey,
		}
}

func TestACodeBuysAGrantAndItsFirstTokens(t *testing.T) {
	req, f := redemption(site())
	f.Code.Claims, req.Resources = `{"id_token":{"email":null}}`, []string{otherAPI}
	f.User.Email = "ada@example.com"
	o := RedeemCode(signInPolicy, req, f, drawn, noon)
	if o.Answer.Issue == nil {
		t.Fatal(o.Answer.Refused)
	}
	issued := change.GrantIssued{
		Grant: drawn.GrantID, Client: "app", User: "usr_ada", Session: "ses_ada", Methods: []string{Password}, Claims: f.Code.Claims,
		Scope: []string{OpenID, "read"}, Audiences: []string{api, otherAPI}, Random: drawn.Random, KeyID: refreshKey.ID, StatusIndex: drawn.StatusIndex,
		UserEpoch: ada().Epoch, ClientEpoch: site().Epoch, GlobalEpoch: globalEpoch, AuthTime: noon.Add(-time.Hour), At: noon,
		ExpiresAt: noon.Add(signInPolicy.RefreshAbsolute),
	}
	if want := []change.Change{issued, change.CodeRedeemed{Hash: f.Code.Hash, Grant: drawn.GrantID, At: noon}}; !reflect.DeepEqual(o.Changes, want) {
		t.Errorf("%+v, want %+v", o.Changes, want)
	}
	grant := &Grant{ID: issued.Grant, KeyID: issued.KeyID, Random: issued.Random}
	want := &Issue{
		AccessToken: AccessToken{
			Issuer: policy.Issuer, Subject: "usr_ada", ClientID: "app", Audience: otherAPI, Scope: []string{OpenID, "read"}, ID: drawn.GrantID + ".suffix",
			IssuedAt: noon, ExpiresAt: noon.Add(10 * time.Minute), AuthTime: noon.Add(-time.Hour),
		},
		RefreshToken: refreshKey.derive(grant, 1),
		IDToken: &IDToken{
			Algorithm: "RS256", Issuer: policy.Issuer, Subject: "usr_ada", Audience: "app", IssuedAt: noon, ExpiresAt: noon.Add(time.Hour),
			AuthTime: noon.Add(-time.Hour), Nonce: "nonce", ACR: acrPassword, AMR: []string{Password}, Session: "ses_ada",
			Claims: map[string]any{"email": "ada@example.com"},
		},
	}
	if !reflect.DeepEqual(o.Answer.Issue, want) {
		t.Errorf("%+v, want %+v", o.Answer.Issue, want)
	}
}

func TestWithoutTheirScopeOrGrantThereAreNoSuchTokens(t *testing.T) {
	req, f := redemption(site())
	f.Code.Scope, f.Authenticating.Grants = []string{"read"}, []string{AuthorizationCodeGrant}
	issue := RedeemCode(signInPolicy, req, f, drawn, noon).Answer.Issue
	if issue == nil || issue.IDToken != nil || issue.RefreshToken != "" {
		t.Errorf("%+v", issue)
	}
}

// Whatever is wrong, the code stays as good as it was for its own client.
func TestARefusedRedemptionChangesNothing(t *testing.T) {
	for _, test := range []struct {
		name  string
		code  string
		alter func(*TokenRequest, *CodeFacts)
	}{
		{"unknown client", InvalidClient, func(_ *TokenRequest, f *CodeFacts) { f.Authenticating = nil }},
		{"client disabled", InvalidClient, func(_ *TokenRequest, f *CodeFacts) { f.Authenticating.Disabled = true }},
		{"wrong secret", InvalidClient, func(r *TokenRequest, _ *CodeFacts) { r.Client.Secret = "wrong" }},
		{"no secret", InvalidClient, func(r *TokenRequest, _ *CodeFacts) { r.Client.Method, r.Client.Secret = NoAuthentication, "" }},
		{"foreign origin", InvalidRequest, func(r *TokenRequest, _ *CodeFacts) { r.Client.Origin = "https://evil.example" }},
		{"grant type not registered", UnauthorizedClient, func(_ *TokenRequest, f *CodeFacts) { f.Authenticating.Grants = []string{RefreshTokenGrant} }},
		{"unknown code", InvalidGrant, func(_ *TokenRequest, f *CodeFacts) { f.Code = nil }},
		{"another client's code", InvalidGrant, func(_ *TokenRequest, f *CodeFacts) { f.Code.Client = "other" }},
		{"another client's spent code", InvalidGrant, func(_ *TokenRequest, f *CodeFacts) { f.Code.Client, f.Code.Grant = "other", "grt_1" }},
		{"expired", InvalidGrant, func(_ *TokenRequest, f *CodeFacts) { f.Code.ExpiresAt = noon }},
		{"revoked", InvalidGrant, func(_ *TokenRequest, f *CodeFacts) { f.Code.RevokedAt = noon.Add(-time.Second) }},
		{"revoked by a clock ahead", InvalidGrant, func(_ *TokenRequest, f *CodeFacts) { f.Code.RevokedAt = noon.Add(time.Hour) }},
		{"another redirect_uri", InvalidGrant, func(r *TokenRequest, _ *CodeFacts) { r.RedirectURI = otherCallback }},
		{"another redirect_uri of the client", InvalidGrant, func(r *TokenRequest, f *CodeFacts) {
			r.RedirectURI, f.Authenticating.RedirectURIs = otherCallback, []string{callback, otherCallback}
		}},
		{"no code_verifier", InvalidGrant, func(r *TokenRequest, _ *CodeFacts) { r.CodeVerifier = "" }},
		{"wrong code_verifier", InvalidGrant, func(r *TokenRequest, _ *CodeFacts) { r.CodeVerifier = rfcChallenge }},
		{"code_verifier without challenge", InvalidGrant, func(_ *TokenRequest, f *CodeFacts) { f.Code.CodeChallenge = "" }},
		{"user removed", InvalidGrant, func(_ *TokenRequest, f *CodeFacts) { f.User = nil }},
		{"user disabled", InvalidGrant, func(_ *TokenRequest, f *CodeFacts) { f.User.Disabled = true }},
		{"user's sessions ended", InvalidGrant, func(_ *TokenRequest, f *CodeFacts) { f.User.Epoch++ }},
		{"user's sessions ended, and a new one", InvalidGrant, func(_ *TokenRequest, f *CodeFacts) { f.User.Epoch++; f.Session.UserEpoch++ }},
		{"client disabled and enabled", InvalidGrant, func(_ *TokenRequest, f *CodeFacts) { f.Authenticating.Epoch++ }},
		{"global epoch raised", InvalidGrant, func(_ *TokenRequest, f *CodeFacts) { f.GlobalEpoch++ }},
		{"global epoch raised before the session", InvalidGrant, func(_ *TokenRequest, f *CodeFacts) { f.Session.GlobalEpoch-- }},
		{"signed out", InvalidGrant, func(_ *TokenRequest, f *CodeFacts) { f.Session.EndedAt = noon }},
		{"session idle", InvalidGrant, func(_ *TokenRequest, f *CodeFacts) { f.Session.ExpiresAt = noon }},
		{"session over", InvalidGrant, func(_ *TokenRequest, f *CodeFacts) { f.Session.EndsAt = noon }},
		{"session removed", InvalidGrant, func(_ *TokenRequest, f *CodeFacts) { f.Session = nil }},
		{"session of another person", InvalidGrant, func(_ *TokenRequest, f *CodeFacts) { f.Session.User = "usr_bob" }},
		{"signed out, with offline_access", InvalidGrant, func(_ *TokenRequest, f *CodeFacts) {
			f.Session.EndedAt, f.Code.Scope = noon, []string{OpenID, OfflineAccess}
		}},
		{"no scope is left", InvalidGrant, func(_ *TokenRequest, f *CodeFacts) { f.Authenticating.Scopes = []string{"write"} }},
		{"no audience is left", InvalidGrant, func(_ *TokenRequest, f *CodeFacts) { f.Authenticating.Audiences = nil }},
		{"resource not granted", InvalidTarget, func(r *TokenRequest, _ *CodeFacts) { r.Resources = []string{"https://evil.example"} }},
		{"resource of the client, not granted", InvalidTarget, func(r *TokenRequest, f *CodeFacts) {
			r.Resources, f.Code.Audiences = []string{otherAPI}, []string{api}
		}},
		{"two resources", InvalidTarget, func(r *TokenRequest, _ *CodeFacts) { r.Resources = []string{api, otherAPI} }},
	} {
		req, f := redemption(confidentialSite())
		test.alter(&req, &f)
		o := RedeemCode(signInPolicy, req, f, drawn, noon)
		refusedWith(t, o.Answer.Refused, test.code)
		if o.Answer.Issue != nil || len(o.Changes) > 0 {
			t.Errorf("%s: %+v", test.name, o)
		}
	}
}

func TestWhateverIsWrongWithACodeReadsAlike(t *testing.T) {
	texts := map[string]bool{}
	for _, alter := range []func(*TokenRequest, *CodeFacts){
		func(_ *TokenRequest, f *CodeFacts) { f.Code = nil },
		func(_ *TokenRequest, f *CodeFacts) { f.Code.Client = "other" },
		func(_ *TokenRequest, f *CodeFacts) { f.Code.Grant = "grt_1" },
		func(_ *TokenRequest, f *CodeFacts) { f.Code.ExpiresAt = noon },
		func(_ *TokenRequest, f *CodeFacts) { f.Session = nil },
		func(r *TokenRequest, _ *CodeFacts) { r.RedirectURI = otherCallback },
		func(r *TokenRequest, _ *CodeFacts) { r.CodeVerifier = rfcChallenge },
	} {
		req, f := redemption(site())
		alter(&req, &f)
		texts[RedeemCode(signInPolicy, req, f, drawn, noon).Answer.Refused.Description] = true
	}
	if len(texts) != 1 {
		t.Errorf("%v", texts)
	}
}

// RFC 6749 §4.1.2. Whoever presents a spent code need not prove anything more
// about it: the code itself has been where it should not be.
func TestAReplayedCodeEndsWhatItBought(t *testing.T) {
	for name, alter := range map[string]func(*TokenRequest, *CodeFacts){
		"at once":               func(*TokenRequest, *CodeFacts) {},
		"expired":               func(_ *TokenRequest, f *CodeFacts) { f.Code.ExpiresAt = noon.Add(-time.Hour) },
		"signed out":            func(_ *TokenRequest, f *CodeFacts) { f.Session = nil },
		"by a thief":            func(r *TokenRequest, _ *CodeFacts) { r.CodeVerifier = "" },
		"with another resource": func(r *TokenRequest, _ *CodeFacts) { r.Resources = []string{"https://evil.example"} },
	} {
		req, f := redemption(site())
		f.Code.Grant = "grt_1"
		alter(&req, &f)
		o := RedeemCode(signInPolicy, req, f, drawn, noon)
		refusedWith(t, o.Answer.Refused, InvalidGrant)
		if want := []change.Change{change.GrantRevoked{Grant: "grt_1", Reason: "replay", At: noon}}; !reflect.DeepEqual(o.Changes, want) {
			t.Errorf("%s: %+v", name, o.Changes)
		}
		f.GrantRevoked = true
		if again := RedeemCode(signInPolicy, req, f, drawn, noon); again.Answer.Issue != nil || len(again.Changes) > 0 {
			t.Errorf("%s, once more: %+v", name, again)
		}
	}
}

func TestACodeLivesUntilItsLastMicrosecond(t *testing.T) {
	req, f := redemption(site())
	f.Code.ExpiresAt = noon.Add(microsecond)
	f.Session.ExpiresAt, f.Session.EndsAt = noon.Add(microsecond), noon.Add(microsecond)
	if o := RedeemCode(signInPolicy, req, f, drawn, noon); o.Answer.Issue == nil {
		t.Error(o.Answer.Refused)
	}
}

func TestWhereTheRedirectURIMayBeLeftOut(t *testing.T) {
	for _, test := range []struct {
		sentBefore, bound bool
		sent              string
		fits              bool
	}{
		{true, true, callback, true},
		{true, true, "", true}, // OAuth 2.1 §4.1.3
		{true, true, otherCallback, false},
		{true, false, callback, true},
		{true, false, "", false}, // RFC 6749 §4.1.3
		{true, false, otherCallback, false},
		{false, true, callback, true},
		{false, true, "", true},
		{false, false, "", true},
		{false, false, callback, true},
		{false, false, otherCallback, false},
		{true, true, callback + "/", false},
		{true, true, "HTTPS://app.example/callback", false},
	} {
		c := &Code{RedirectURI: callback, RedirectURISent: test.sentBefore}
		if test.bound {
			c.CodeChallenge = rfcChallenge
		}
		if c.redirectsTo(test.sent) != test.fits {
			t.Errorf("%+v: %t", test, !test.fits)
		}
	}
}

func TestACodeWithoutAChallengeIsBoundByTheClientsSecret(t *testing.T) {
	req, f := redemption(confidentialSite())
	f.Code.CodeChallenge, req.CodeVerifier = "", ""
	if o := RedeemCode(signInPolicy, req, f, drawn, noon); o.Answer.Issue == nil {
		t.Error(o.Answer.Refused)
	}
	req.RedirectURI = ""
	refusedWith(t, RedeemCode(signInPolicy, req, f, drawn, noon).Answer.Refused, InvalidGrant)
}

func TestACodeBuysNoMoreThanItsClientMayHaveNow(t *testing.T) {
	req, f := redemption(site())
	f.Authenticating.Scopes, f.Authenticating.Audiences = []string{"read", "write"}, []string{otherAPI}
	o := RedeemCode(signInPolicy, req, f, drawn, noon)
	if o.Answer.Issue == nil {
		t.Fatal(o.Answer.Refused)
	}
	issued := o.Changes[0].(change.GrantIssued)
	if token := o.Answer.Issue.AccessToken; !slices.Equal(token.Scope, []string{"read"}) || token.Audience != otherAPI || o.Answer.Issue.IDToken != nil {
		t.Errorf("%+v", o.Answer.Issue)
	}
	equalStrings(t, "the grant's scope", issued.Scope, "read")
	equalStrings(t, "the grant's audiences", issued.Audiences, otherAPI)
}

func TestRedeemingDoesNotTouchTheFacts(t *testing.T) {
	req, f := redemption(site())
	f.Authenticating.Scopes = []string{"read"}
	RedeemCode(signInPolicy, req, f, drawn, noon)
	_, untouched := redemption(site())
	untouched.Authenticating.Scopes = []string{"read"}
	if !reflect.DeepEqual(f, untouched) {
		t.Errorf("%+v", f)
	}
}

func TestCodesAreHashedUnderTheServersKey(t *testing.T) {
	hash := string(CodeHash(secretKey, "kwc_code"))
	if len(hash) != 32 || hash == string(CodeHash([]byte("another key"), "kwc_code")) || hash == string(CodeHash(secretKey, "kwc_other")) {
		t.Errorf("%x", hash)
	}
}
