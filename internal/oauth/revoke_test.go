package oauth

import (
	"reflect"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/change"
)

// presentedRefresh is a genuine refresh token of c's grant.
func presentedRefresh(c *Client, generation int64) PresentedToken {
	token, _ := ParseRefreshToken(refreshKey.derive(grantTo(c), generation))
	return PresentedToken{Refresh: &token}
}

// presentedAccess is an access token that was issued to c a minute ago.
func presentedAccess(c *Client) PresentedToken {
	return PresentedToken{Access: &AccessToken{
		Issuer: policy.Issuer, Subject: ada().ID, ClientID: c.ID, Audience: api, Scope: []string{"read"}, ID: grantTo(c).ID + ".suffix",
		IssuedAt: noon.Add(-time.Minute), ExpiresAt: noon.Add(time.Minute), AuthTime: noon.Add(-time.Hour),
	}}
}

func credentialsOf(c *Client) Credentials {
	if c.Public {
		return appCredentials()
	}
	return workerCredentials()
}

func TestRevokingARefreshTokenEndsItsGrant(t *testing.T) {
	for _, c := range []*Client{app(), worker()} {
		for _, generation := range []int64{1, 4, 5, 6} {
			r, changes := Revoke(credentialsOf(c), presentedRefresh(c, generation), factsOf(c), noon)
			want := []change.Change{change.GrantRevoked{Grant: grantTo(c).ID, Reason: "revocation", At: noon}}
			if r != nil || !reflect.DeepEqual(changes, want) {
				t.Errorf("%s, generation %d: %v, %+v", c.ID, generation, r, changes)
			}
		}
	}
}

func TestRevokingAnAccessTokenEndsOnlyIt(t *testing.T) {
	token := presentedAccess(app())
	r, changes := Revoke(appCredentials(), token, factsOf(app()), noon)
	want := []change.Change{change.AccessTokenRevoked{Grant: grantTo(app()).ID, TokenID: token.Access.ID, ExpiresAt: token.Access.ExpiresAt}}
	if r != nil || !reflect.DeepEqual(changes, want) {
		t.Errorf("%v, %+v", r, changes)
	}
}

func TestARevocationHoldsWhenTheClockGoesBack(t *testing.T) {
	f := factsOf(app())
	f.Grant.ExpiresAt = noon.Add(-time.Second)
	if _, changes := Revoke(appCredentials(), presentedRefresh(app(), 5), f, noon); len(changes) != 1 {
		t.Errorf("the revocation of an expired grant is not kept: %+v", changes)
	}
}

// RFC 7009 §2.2: what cannot be revoked is no error.
func TestRevokingWhatIsNotOnesOwnChangesNothing(t *testing.T) {
	for _, test := range []struct {
		name  string
		token PresentedToken
		alter func(*PresentedToken, *RefreshFacts)
	}{
		{"no token of ours", PresentedToken{}, func(*PresentedToken, *RefreshFacts) {}},
		{"no token and no grant", PresentedToken{}, func(_ *PresentedToken, f *RefreshFacts) { f.Grant = nil }},
		{"refresh token of a deleted grant", presentedRefresh(worker(), 5), func(_ *PresentedToken, f *RefreshFacts) { f.Grant = nil }},
		{"access token of a deleted grant", presentedAccess(worker()), func(_ *PresentedToken, f *RefreshFacts) { f.Grant = nil }},
		{"forged refresh token", presentedRefresh(worker(), 5), func(p *PresentedToken, _ *RefreshFacts) { p.Refresh.mac[0] ^= 1 }},
		{"another client's refresh token", presentedRefresh(app(), 5), func(_ *PresentedToken, f *RefreshFacts) { f.Grant = grantTo(app()) }},
		{"another client's access token", presentedAccess(app()), func(_ *PresentedToken, f *RefreshFacts) { f.Grant = grantTo(app()) }},
		{"access token that names another client's grant", presentedAccess(app()), func(*PresentedToken, *RefreshFacts) {}},
		{"refresh token, revoked already", presentedRefresh(worker(), 5), func(_ *PresentedToken, f *RefreshFacts) { f.Grant.RevokedAt = noon }},
		{"access token of a revoked grant", presentedAccess(worker()), func(_ *PresentedToken, f *RefreshFacts) { f.Grant.RevokedAt = noon }},
		{"access token, revoked already", presentedAccess(worker()), func(_ *PresentedToken, f *RefreshFacts) { f.TokenRevoked = true }},
		{"expired access token", presentedAccess(worker()), func(p *PresentedToken, _ *RefreshFacts) { p.Access.ExpiresAt = noon }},
	} {
		f := factsOf(worker())
		test.alter(&test.token, &f)
		if r, changes := Revoke(workerCredentials(), test.token, f, noon); r != nil || len(changes) != 0 {
			t.Errorf("%s: %v, %+v", test.name, r, changes)
		}
	}
}

func TestRevokingNeedsTheClient(t *testing.T) {
	wrong := workerCredentials()
	wrong.Secret = "wrong"
	for _, token := range []PresentedToken{{}, presentedRefresh(worker(), 5), presentedAccess(worker())} {
		r, changes := Revoke(wrong, token, factsOf(worker()), noon)
		refusedWith(t, r, InvalidClient)
		if len(changes) != 0 {
			t.Errorf("%+v", changes)
		}
		f := factsOf(worker())
		f.Authenticating = nil
		r, _ = Revoke(workerCredentials(), token, f, noon)
		refusedWith(t, r, InvalidClient)
	}
}

func TestAPresentedTokenNamesItsGrant(t *testing.T) {
	for name, test := range map[string]struct {
		token          PresentedToken
		grant, tokenID string
	}{
		"none":            {PresentedToken{}, "", ""},
		"refresh token":   {presentedRefresh(app(), 5), grantTo(app()).ID, ""},
		"access token":    {presentedAccess(app()), grantTo(app()).ID, grantTo(app()).ID + ".suffix"},
		"no dot in it":    {PresentedToken{Access: &AccessToken{ID: "nodot"}}, "nodot", "nodot"},
		"nothing before":  {PresentedToken{Access: &AccessToken{ID: ".suffix"}}, "", ".suffix"},
		"dots after that": {PresentedToken{Access: &AccessToken{ID: "grt_1.a.b"}}, "grt_1", "grt_1.a.b"},
	} {
		if got := test.token.GrantID(); got != test.grant {
			t.Errorf("%s: grant %q, want %q", name, got, test.grant)
		}
		if got := test.token.TokenID(); got != test.tokenID {
			t.Errorf("%s: token %q, want %q", name, got, test.tokenID)
		}
	}
}
