package oauth

import (
	"testing"
	"time"

	"github.com/keywright/keywright/internal/change"
)

func clientFacts(c *Client) ClientFacts {
	return ClientFacts{
		Client: c, Grant: &Grant{ID: "grt_own", Client: "worker"}, GlobalEpoch: globalEpoch, SecretKey: secretKey, KeyID: refreshKey.ID,
	}
}

func TestClientCredentialsIssuesATokenOfTheClientItself(t *testing.T) {
	o := ClientCredentials(policy, TokenRequest{Client: workerCredentials(), Scope: "write read", Resources: []string{otherAPI}}, clientFacts(worker()), drawn, noon)
	if o.Answer.Issue == nil || len(o.Changes) != 0 {
		t.Fatalf("%+v", o)
	}
	issue := o.Answer.Issue
	equalStrings(t, "scope", issue.AccessToken.Scope, "write", "read")
	issue.AccessToken.Scope = nil
	want := AccessToken{
		Issuer: "https://id.example", Subject: "worker", ClientID: "worker", Audience: otherAPI, ID: "grt_own.suffix",
		IssuedAt: noon, ExpiresAt: noon.Add(10 * time.Minute),
	}
	if got := issue.AccessToken; got.Issuer != want.Issuer || got.Subject != want.Subject || got.ClientID != want.ClientID || got.Audience != want.Audience ||
		got.ID != want.ID || !got.IssuedAt.Equal(want.IssuedAt) || !got.ExpiresAt.Equal(want.ExpiresAt) || !got.AuthTime.IsZero() {
		t.Errorf("%+v, want %+v", got, want)
	}
	if issue.RefreshToken != "" {
		t.Error("RFC 6749 §4.4.3: there is a refresh token")
	}
}

func TestTheFirstClientCredentialsRequestMakesTheGrant(t *testing.T) {
	f := clientFacts(worker())
	f.Grant = nil
	o := ClientCredentials(policy, TokenRequest{Client: workerCredentials()}, f, drawn, noon)
	if o.Answer.Issue == nil || len(o.Changes) != 1 {
		t.Fatalf("%+v", o)
	}
	issued := o.Changes[0].(change.GrantIssued)
	if issued.Grant != drawn.GrantID || issued.Client != "worker" || issued.User != "" || issued.ClientEpoch != 6 || issued.GlobalEpoch != globalEpoch ||
		issued.StatusIndex != drawn.StatusIndex || issued.Random != drawn.Random || issued.KeyID != refreshKey.ID ||
		!issued.At.Equal(noon) || !issued.ExpiresAt.IsZero() || !issued.AuthTime.IsZero() {
		t.Errorf("%+v", issued)
	}
	if id := o.Answer.Issue.AccessToken.ID; id != drawn.GrantID+".suffix" {
		t.Errorf("the token %s does not hang on it", id)
	}
}

func TestClientCredentialsDefaults(t *testing.T) {
	c := worker()
	c.Audiences, c.AccessTokenTTL = nil, 5*time.Second
	token := ClientCredentials(policy, TokenRequest{Client: workerCredentials()}, clientFacts(c), drawn, noon).Answer.Issue.AccessToken
	equalStrings(t, "scope", token.Scope, "read", "write", "admin")
	if token.Audience != policy.Issuer || !token.ExpiresAt.Equal(noon.Add(5*time.Second)) {
		t.Errorf("%+v", token)
	}
}

func TestClientCredentialsIsRefused(t *testing.T) {
	for _, test := range []struct {
		name  string
		alter func(*TokenRequest, *ClientFacts)
		code  string
	}{
		{"an unknown client", func(_ *TokenRequest, f *ClientFacts) { f.Client = nil }, InvalidClient},
		{"a disabled client", func(_ *TokenRequest, f *ClientFacts) { f.Client.Disabled = true }, InvalidClient},
		{"a wrong secret", func(r *TokenRequest, _ *ClientFacts) { r.Client.Secret = "wrong" }, InvalidClient},
		{"no secret", func(r *TokenRequest, _ *ClientFacts) { r.Client.Secret, r.Client.Method = "", NoAuthentication }, InvalidClient},
		{"a page of a foreign origin", func(r *TokenRequest, _ *ClientFacts) { r.Client.Origin = "https://evil.example" }, InvalidRequest},
		{"another grant only", func(_ *TokenRequest, f *ClientFacts) { f.Client.Grants = []string{RefreshTokenGrant} }, UnauthorizedClient},
		{"no grant", func(_ *TokenRequest, f *ClientFacts) { f.Client.Grants = nil }, UnauthorizedClient},
		{"a public client", func(r *TokenRequest, f *ClientFacts) {
			r.Client, f.Client = appCredentials(), app()
			f.Client.Grants = []string{ClientCredentialsGrant}
		}, UnauthorizedClient},
		{"a scope it may not have", func(r *TokenRequest, _ *ClientFacts) { r.Scope = "read delete" }, InvalidScope},
		{"a scope in upper case", func(r *TokenRequest, _ *ClientFacts) { r.Scope = "READ" }, InvalidScope},
		{"a malformed scope", func(r *TokenRequest, _ *ClientFacts) { r.Scope = "read\twrite" }, InvalidScope},
		{"a foreign resource", func(r *TokenRequest, _ *ClientFacts) { r.Resources = []string{"https://evil.example"} }, InvalidTarget},
		{"two resources", func(r *TokenRequest, _ *ClientFacts) { r.Resources = []string{api, otherAPI} }, InvalidTarget},
	} {
		t.Run(test.name, func(t *testing.T) {
			req, f := TokenRequest{Client: workerCredentials()}, clientFacts(worker())
			f.Grant = nil
			test.alter(&req, &f)
			o := ClientCredentials(policy, req, f, drawn, noon)
			refusedWith(t, o.Answer.Refused, test.code)
			if o.Answer.Issue != nil || len(o.Changes) != 0 {
				t.Errorf("issued or changed: %+v", o)
			}
		})
	}
}
