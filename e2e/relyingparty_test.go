package e2e

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const (
	callback = "http://localhost:7001/callback"
	appHome  = "http://localhost:7001/"
)

// An app is a relying party by the book: go-oidc and x/oauth2.
type app struct {
	t        *testing.T
	provider *oidc.Provider
	config   oauth2.Config
}

// newApp registers a client and discovers its server.
func newApp(t *testing.T, p *process, id string, flags ...string) app {
	t.Helper()
	var client struct {
		Secret string `json:"client_secret"`
	}
	args := append([]string{"client", "add", "--json", "--id", id, "--redirect-uri", callback, "--post-logout-redirect-uri", appHome}, flags...)
	if err := p.command(&client, args...); err != nil {
		t.Fatal(err)
	}
	provider, err := oidc.NewProvider(t.Context(), p.issuer)
	if err != nil {
		t.Fatal(err)
	}
	return app{t, provider, oauth2.Config{
		ClientID: id, ClientSecret: client.Secret, Endpoint: provider.Endpoint(), RedirectURL: callback,
		Scopes: []string{oidc.ScopeOpenID, "profile", "email"},
	}}
}

func (a app) verifier() *oidc.IDTokenVerifier {
	return a.provider.Verifier(&oidc.Config{ClientID: a.config.ClientID})
}

// codeFor signs somebody in and returns the code that came back.
func (a app) codeFor(b *formBrowser, who person, codeVerifier string) string {
	a.t.Helper()
	b.get(a.config.AuthCodeURL("a state", oidc.Nonce("a nonce"), oauth2.S256ChallengeOption(codeVerifier))).signIn(who)
	answer := b.answered()
	if answer.Get("state") != "a state" || answer.Get("code") == "" {
		a.t.Fatal(b.left)
	}
	return answer.Get("code")
}

// redeem exchanges a code and verifies the ID token with every check that go-oidc has.
func (a app) redeem(code, codeVerifier string) (*oauth2.Token, *oidc.IDToken) {
	a.t.Helper()
	token, err := a.config.Exchange(a.t.Context(), code, oauth2.VerifierOption(codeVerifier))
	if err != nil {
		a.t.Fatal(err)
	}
	raw, _ := token.Extra("id_token").(string)
	idToken, err := a.verifier().Verify(a.t.Context(), raw)
	if err != nil {
		a.t.Fatal(err)
	}
	if idToken.Nonce != "a nonce" {
		a.t.Errorf("the nonce is %q", idToken.Nonce)
	}
	return token, idToken
}

// refusedWith wants an error response of the token endpoint.
func refusedWith(t *testing.T, err error, status int, code string) {
	t.Helper()
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) || refused.Response.StatusCode != status || refused.ErrorCode != code {
		t.Errorf("got %v, want %d %s", err, status, code)
	}
}

// registered starts a server with one person.
func registered(t *testing.T, env ...string) (*process, person) {
	t.Helper()
	p, who := startDev(t, t.TempDir(), env), newPerson(1)
	must(t, http.StatusOK)(p.register(who))
	return p, who
}

func TestGoRelyingPartySignsInWithEveryAlgorithm(t *testing.T) {
	p, who := registered(t)
	for _, alg := range []string{oidc.RS256, oidc.ES256, oidc.EdDSA} {
		a := newApp(t, p, "app-"+strings.ToLower(alg), "--id-token-alg", alg)
		codeVerifier := oauth2.GenerateVerifier()
		token, idToken := a.redeem(a.codeFor(newFormBrowser(t, p.issuer), who, codeVerifier), codeVerifier)
		if err := idToken.VerifyAccessToken(token.AccessToken); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
		if err := idToken.VerifyAccessToken(token.AccessToken + "x"); err == nil {
			t.Errorf("%s: at_hash is right for another access token", alg)
		}
		info, err := a.provider.UserInfo(t.Context(), oauth2.StaticTokenSource(token))
		if err != nil || info.Subject != idToken.Subject || info.Email != who.Email {
			t.Errorf("%s: UserInfo %+v %v", alg, info, err)
		}
	}
}

func TestGoRelyingPartyRefreshes(t *testing.T) {
	p, who := registered(t, strict)
	a := newApp(t, p, "app")
	codeVerifier := oauth2.GenerateVerifier()
	first, idToken := a.redeem(a.codeFor(newFormBrowser(t, p.issuer), who, codeVerifier), codeVerifier)
	refresh := func(token *oauth2.Token) (*oauth2.Token, error) {
		old := *token
		old.Expiry = time.Unix(1, 0)
		return a.config.TokenSource(t.Context(), &old).Token()
	}
	second, err := refresh(first)
	if err != nil || second.RefreshToken == first.RefreshToken {
		t.Fatal(second, err)
	}
	raw, _ := second.Extra("id_token").(string)
	if again, err := a.verifier().Verify(t.Context(), raw); err != nil || again.Subject != idToken.Subject {
		t.Error(again, err)
	}
	_, err = refresh(first)
	refusedWith(t, err, 400, "invalid_grant") // a replay,
	_, err = refresh(second)
	refusedWith(t, err, 400, "invalid_grant") // which ends them all
}

func TestGoRelyingPartyIsRefused(t *testing.T) {
	p, who := registered(t)
	a, other := newApp(t, p, "app"), newApp(t, p, "other")
	codeVerifier := oauth2.GenerateVerifier()
	exchange := func(a app, code, codeVerifier string) error {
		_, err := a.config.Exchange(t.Context(), code, oauth2.VerifierOption(codeVerifier))
		return err
	}
	b := newFormBrowser(t, p.issuer)
	code := a.codeFor(b, who, codeVerifier)
	refusedWith(t, exchange(a, code, oauth2.GenerateVerifier()), 400, "invalid_grant")
	code = a.codeFor(b, who, codeVerifier)
	refusedWith(t, exchange(other, code, codeVerifier), 400, "invalid_grant")
	wrong := a
	wrong.config.ClientSecret += "x"
	refusedWith(t, exchange(wrong, code, codeVerifier), 401, "invalid_client")
	token, _ := a.redeem(code, codeVerifier) // nothing of this has spent it
	refusedWith(t, exchange(a, code, codeVerifier), 400, "invalid_grant")
	if _, err := a.provider.UserInfo(t.Context(), oauth2.StaticTokenSource(token)); err == nil {
		t.Error("a replayed code left its access token alive")
	}
	raw, _ := token.Extra("id_token").(string)
	if _, err := other.verifier().Verify(t.Context(), raw); err == nil {
		t.Error("the ID token is good for another client")
	}
	if _, err := a.verifier().Verify(t.Context(), token.AccessToken); err == nil {
		t.Error("an access token passes for an ID token")
	}
}

func TestGoRelyingPartyMeetsRefusalsOfTheFrontChannel(t *testing.T) {
	p, _ := registered(t)
	a := newApp(t, p, "app")
	challenge := oauth2.S256ChallengeOption(oauth2.GenerateVerifier())
	for want, options := range map[string][]oauth2.AuthCodeOption{
		"login_required":            {challenge, oauth2.SetAuthURLParam("prompt", "none")},
		"invalid_request":           {},
		"unsupported_response_type": {challenge, oauth2.SetAuthURLParam("response_type", "id_token")},
		"invalid_scope":             {challenge, oauth2.SetAuthURLParam("scope", "none-of-mine")},
	} {
		answer := newFormBrowser(t, p.issuer).get(a.config.AuthCodeURL("a state", options...)).answered()
		if answer.Get("error") != want || answer.Get("state") != "a state" || answer.Get("iss") != p.issuer || answer.Has("code") {
			t.Errorf("got %v, want %s", answer, want)
		}
	}
}

func TestGoRelyingPartyHearsThatASessionEnded(t *testing.T) {
	p, who := registered(t)
	heard := make(chan string, 1)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { heard <- r.PostFormValue("logout_token") }))
	defer receiver.Close()
	a := newApp(t, p, "app", "--backchannel-logout-uri", receiver.URL)
	b, codeVerifier := newFormBrowser(t, p.issuer), oauth2.GenerateVerifier()
	token, idToken := a.redeem(a.codeFor(b, who, codeVerifier), codeVerifier)
	raw, _ := token.Extra("id_token").(string)

	b.get(p.issuer + "/end_session?" + url.Values{"id_token_hint": {raw}, "post_logout_redirect_uri": {appHome}, "state": {"after"}}.Encode())
	if b.left == nil || b.left.String() != appHome+"?state=after" {
		t.Errorf("left to %v: %d %s", b.left, b.status, b.page)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	select {
	case raw := <-heard:
		told, err := a.verifier().VerifyLogout(ctx, raw)
		var claims struct {
			Session string `json:"sid"`
		}
		if failed := idToken.Claims(&claims); err != nil || failed != nil || told.Subject != idToken.Subject || told.SessionID != claims.Session {
			t.Errorf("%+v %v, want sid %q of %q", told, err, claims.Session, idToken.Subject)
		}
		if _, err := newApp(t, p, "other").verifier().VerifyLogout(ctx, raw); err == nil {
			t.Error("the logout token is good for another client")
		}
	case <-ctx.Done():
		t.Fatalf("nothing was heard\n%s", p.log)
	}
	if _, err := a.provider.UserInfo(ctx, oauth2.StaticTokenSource(token)); err == nil {
		t.Error("the access token outlived its session at UserInfo")
	}
}
