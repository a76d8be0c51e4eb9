package oauth

import (
	"reflect"
	"testing"
	"time"
)

// resourceServer serves the audience api, and nothing else.
func resourceServer() *Client {
	c := worker()
	c.ID, c.Serves, c.Grants = "resource-server", []string{api}, nil
	return c
}

func TestIntrospectionShowsALivingAccessToken(t *testing.T) {
	token := presentedAccess(app())
	f := factsOf(app())
	f.Authenticating = resourceServer()
	got, r := Introspect(policy, workerCredentials(), token, f, noon)
	want := Introspection{
		Active: true, TokenType: "Bearer", Issuer: policy.Issuer, Subject: "usr_ada", ClientID: "app", Audience: api, Scope: []string{"read"},
		TokenID: grantTo(app()).ID + ".suffix", IssuedAt: noon.Add(-time.Minute), ExpiresAt: noon.Add(time.Minute), AuthTime: noon.Add(-time.Hour),
	}
	if r != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %+v, want %+v", r, got, want)
	}
}

func TestIntrospectionShowsAClientItsOwnAccessToken(t *testing.T) {
	got, r := Introspect(policy, workerCredentials(), presentedAccess(worker()), factsOf(worker()), noon)
	if r != nil || !got.Active {
		t.Errorf("%v, %+v", r, got)
	}
}

func TestIntrospectionShowsAClientItsOwnRefreshToken(t *testing.T) {
	f := factsOf(worker())
	got, r := Introspect(policy, workerCredentials(), presentedRefresh(worker(), 5), f, noon)
	want := Introspection{
		Active: true, Issuer: policy.Issuer, Subject: "usr_ada", ClientID: "worker", Scope: []string{"read", "write"},
		IssuedAt: f.Grant.CreatedAt, ExpiresAt: f.Grant.ExpiresAt, AuthTime: f.Grant.AuthTime,
	}
	if r != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %+v, want %+v", r, got, want)
	}
	f.Grant.ExpiresAt = noon.Add(policy.RefreshAbsolute)
	got, _ = Introspect(policy, workerCredentials(), presentedRefresh(worker(), 5), f, noon)
	if idle := f.Grant.CurrentSince.Add(policy.RefreshIdle); !got.ExpiresAt.Equal(idle) {
		t.Errorf("it expires at %v, not when it will have been idle: %v", got.ExpiresAt, idle)
	}
}

// RFC 7662 §2.2, §4: what is not active, or not for this client to see, looks alike.
func TestIntrospectionShowsNothingElse(t *testing.T) {
	for _, test := range []struct {
		name  string
		token PresentedToken
		alter func(*PresentedToken, *RefreshFacts)
	}{
		{"no token of ours", PresentedToken{}, func(*PresentedToken, *RefreshFacts) {}},
		{"no such grant", presentedAccess(worker()), func(_ *PresentedToken, f *RefreshFacts) { f.Grant = nil }},
		{"expired", presentedAccess(worker()), func(p *PresentedToken, _ *RefreshFacts) { p.Access.ExpiresAt = noon }},
		{"revoked by itself", presentedAccess(worker()), func(_ *PresentedToken, f *RefreshFacts) { f.TokenRevoked = true }},
		{"of a revoked grant", presentedAccess(worker()), func(_ *PresentedToken, f *RefreshFacts) { f.Grant.RevokedAt = noon }},
		{"of an expired grant", presentedAccess(worker()), func(_ *PresentedToken, f *RefreshFacts) { f.Grant.ExpiresAt = noon }},
		{"of a disabled person", presentedAccess(worker()), func(_ *PresentedToken, f *RefreshFacts) { f.User.Disabled = true }},
		{"of a removed person", presentedAccess(worker()), func(_ *PresentedToken, f *RefreshFacts) { f.User = nil }},
		{"of a person whose sessions ended", presentedAccess(worker()), func(_ *PresentedToken, f *RefreshFacts) { f.User.Epoch++ }},
		{"of a disabled client", presentedAccess(worker()), func(_ *PresentedToken, f *RefreshFacts) {
			f.Client = worker()
			f.Client.Disabled = true
		}},
		{"of a removed client", presentedAccess(worker()), func(_ *PresentedToken, f *RefreshFacts) { f.Client = nil }},
		{"of a client enabled again", presentedAccess(worker()), func(_ *PresentedToken, f *RefreshFacts) { f.Client.Epoch++ }},
		{"of a restored database", presentedAccess(worker()), func(_ *PresentedToken, f *RefreshFacts) { f.GlobalEpoch++ }},
		{"naming another client than its grant", presentedAccess(app()), func(*PresentedToken, *RefreshFacts) {}},
		{"another client's, for an audience not served", presentedAccess(app()), func(p *PresentedToken, f *RefreshFacts) {
			f.Grant, f.Client = grantTo(app()), app()
			f.Authenticating = resourceServer()
			p.Access.Audience = otherAPI
		}},
		{"another client's refresh token, audience served", presentedRefresh(app(), 5), func(_ *PresentedToken, f *RefreshFacts) {
			f.Grant, f.Client = grantTo(app()), app()
			f.Authenticating = resourceServer()
		}},
		{"a forged refresh token", presentedRefresh(worker(), 5), func(p *PresentedToken, _ *RefreshFacts) { p.Refresh.mac[31] ^= 1 }},
		{"a replayed refresh token", presentedRefresh(worker(), 3), func(*PresentedToken, *RefreshFacts) {}},
		{"an idle refresh token", presentedRefresh(worker(), 5), func(_ *PresentedToken, f *RefreshFacts) {
			f.Grant.CurrentSince = noon.Add(-policy.RefreshIdle)
		}},
	} {
		f := factsOf(worker())
		test.alter(&test.token, &f)
		got, r := Introspect(policy, workerCredentials(), test.token, f, noon)
		if r != nil || !reflect.DeepEqual(got, Introspection{}) {
			t.Errorf("%s: %v, %+v", test.name, r, got)
		}
	}
}

func TestIntrospectionNeedsAuthentication(t *testing.T) {
	wrong := workerCredentials()
	wrong.Secret = "wrong"
	_, r := Introspect(policy, wrong, presentedAccess(worker()), factsOf(worker()), noon)
	refusedWith(t, r, InvalidClient)
	_, r = Introspect(policy, appCredentials(), presentedAccess(app()), factsOf(app()), noon)
	refusedWith(t, r, InvalidClient)
	f := factsOf(worker())
	f.Authenticating = nil
	_, r = Introspect(policy, workerCredentials(), presentedAccess(worker()), f, noon)
	refusedWith(t, r, InvalidClient)
}

func TestIntrospectionAgreesWithRefresh(t *testing.T) {
	for _, grace := range []time.Duration{0, 10 * time.Second} {
		for _, since := range []time.Duration{-time.Hour, 0, time.Second, time.Minute, policy.RefreshIdle - microsecond, policy.RefreshIdle} {
			for generation := int64(1); generation <= 7; generation++ {
				f, p := factsOf(worker()), policy
				f.Grant.CurrentSince, p.RefreshGrace = noon.Add(-since), grace
				shown, _ := Introspect(p, workerCredentials(), presentedRefresh(worker(), generation), f, noon)
				served := Refresh(p, refreshOf(worker(), generation), f, drawn, noon).Answer.Issue != nil
				if shown.Active != served {
					t.Errorf("grace %v, %v after, generation %d: active %t, served %t", grace, since, generation, shown.Active, served)
				}
			}
		}
	}
}
