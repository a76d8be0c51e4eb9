package oauth

import (
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/change"
)

const microsecond = time.Microsecond

// refreshOf is a request of c with a token of its grant, of some generation.
func refreshOf(c *Client, generation int64) TokenRequest {
	req := TokenRequest{Client: workerCredentials(), GrantType: RefreshTokenGrant, RefreshToken: refreshKey.derive(grantTo(c), generation)}
	if c.Public {
		req.Client = appCredentials()
	}
	return req
}

// The grant is at generation 5. What each generation comes to, by the time
// since it became current: the generation handed out, 0 for a replay.
func TestTheRefreshRule(t *testing.T) {
	const g = 10 * time.Second
	const replay = 0
	for _, test := range []struct {
		since         time.Duration // t is so long ago
		public        map[int64]int64
		authenticated map[int64]int64
		strict        map[int64]int64 // grace 0, of either client
	}{
		{0, map[int64]int64{5: 5, 4: 5, 3: replay}, map[int64]int64{5: 5, 4: 5, 3: replay}, map[int64]int64{5: 6, 4: replay}},
		{microsecond, map[int64]int64{5: 5, 4: 5}, map[int64]int64{5: 5, 4: 5}, map[int64]int64{5: 6, 4: replay}},
		{g, map[int64]int64{5: 5, 4: 5, 3: replay, 1: replay}, map[int64]int64{5: 5, 4: 5, 3: replay}, map[int64]int64{5: 6, 4: replay, 3: replay}},
		{g + microsecond, map[int64]int64{5: 6, 4: replay, 3: replay}, map[int64]int64{5: 6, 4: 5, 3: replay}, map[int64]int64{5: 6, 4: replay}},
		{time.Hour, map[int64]int64{5: 6, 4: replay, 1: replay}, map[int64]int64{5: 6, 4: 5, 3: replay, 1: replay}, map[int64]int64{5: 6, 4: replay}},
		{-g, map[int64]int64{5: 5, 4: 5, 3: replay}, map[int64]int64{5: 5, 4: 5}, map[int64]int64{5: 6, 4: replay}},
		{-g - microsecond, map[int64]int64{5: 6, 4: replay}, map[int64]int64{5: 6, 4: 5, 3: replay}, map[int64]int64{5: 6, 4: replay}},
		{-100 * 365 * 24 * time.Hour, map[int64]int64{5: 6, 4: replay}, map[int64]int64{5: 6, 4: 5}, map[int64]int64{5: 6, 4: replay}},
	} {
		check := func(kind string, c *Client, grace time.Duration, rows map[int64]int64) {
			for presented, handed := range rows {
				f, p := factsOf(c), policy
				f.Grant.CurrentSince, p.RefreshGrace = noon.Add(-test.since), grace
				checkRefresh(t, kind, test.since, p, f, presented, handed)
			}
		}
		check("public", app(), g, test.public)
		check("authenticated", worker(), g, test.authenticated)
		check("strict, public", app(), 0, test.strict)
		check("strict, authenticated", worker(), 0, test.strict)
	}
}

func checkRefresh(t *testing.T, kind string, since time.Duration, p Policy, f RefreshFacts, presented, handed int64) {
	t.Helper()
	o := Refresh(p, refreshOf(f.Client, presented), f, drawn, noon)
	var want []change.Change
	switch handed {
	case 0:
		want = []change.Change{change.GrantRevoked{Grant: f.Grant.ID, Reason: "replay", At: noon}}
	case 6:
		want = []change.Change{change.GrantRotated{Grant: f.Grant.ID, Generation: 6, At: noon}}
	}
	if !reflect.DeepEqual(o.Changes, want) {
		t.Errorf("%s, %v after, generation %d: changes %+v, want %+v", kind, since, presented, o.Changes, want)
	}
	if handed == 0 {
		refusedWith(t, o.Answer.Refused, InvalidGrant)
		return
	}
	if o.Answer.Issue == nil || o.Answer.Issue.RefreshToken != refreshKey.derive(f.Grant, handed) {
		t.Errorf("%s, %v after, generation %d: %+v, want generation %d", kind, since, presented, o.Answer, handed)
	}
}

func TestATokenFromLostCommitsMovesTheGrantPastIt(t *testing.T) {
	for _, since := range []time.Duration{0, time.Second, time.Hour} {
		for presented := range map[int64]bool{6: true, 7: true, 1 << 40: true} {
			f := factsOf(app())
			f.Grant.CurrentSince = noon.Add(-since)
			o := Refresh(policy, refreshOf(app(), presented), f, drawn, noon)
			want := change.GrantRecovered{Grant: f.Grant.ID, Had: 5, Generation: presented + 1, At: noon}
			if len(o.Changes) != 1 || o.Changes[0] != want {
				t.Errorf("%+v, want %+v", o.Changes, want)
			}
			if o.Answer.Issue == nil || o.Answer.Issue.RefreshToken != refreshKey.derive(f.Grant, presented+1) {
				t.Errorf("%+v", o.Answer)
			}
		}
	}
}

func TestTheFirstGenerationHasNoPredecessor(t *testing.T) {
	f := factsOf(worker())
	f.Grant.Generation, f.Grant.CurrentSince = 1, noon
	o := Refresh(policy, refreshOf(worker(), 0), f, drawn, noon)
	refusedWith(t, o.Answer.Refused, InvalidGrant)
	if len(o.Changes) != 0 {
		t.Errorf("%+v", o.Changes)
	}
}

func TestARefreshIssuesWhatWasGranted(t *testing.T) {
	f := factsOf(app())
	req := refreshOf(app(), 5)
	req.Scope, req.Resources = "write", []string{otherAPI}
	issue := Refresh(policy, req, f, drawn, noon).Answer.Issue
	if issue == nil {
		t.Fatal("refused")
	}
	want := AccessToken{
		Issuer: policy.Issuer, Subject: "usr_ada", ClientID: "app", Audience: otherAPI, Scope: []string{"write"}, ID: f.Grant.ID + ".suffix",
		IssuedAt: noon, ExpiresAt: noon.Add(10 * time.Minute), AuthTime: f.Grant.AuthTime,
	}
	if !reflect.DeepEqual(issue.AccessToken, want) {
		t.Errorf("%+v, want %+v", issue.AccessToken, want)
	}
	req.Scope, req.Resources = "", nil
	token := Refresh(policy, req, f, drawn, noon).Answer.Issue.AccessToken
	equalStrings(t, "scope when none is asked for", token.Scope, "read", "write")
	if token.Audience != api {
		t.Errorf("audience when none is asked for is %s", token.Audience)
	}
}

func TestAnAccessTokenDoesNotOutliveItsGrant(t *testing.T) {
	for left, want := range map[time.Duration]time.Duration{
		time.Hour: 10 * time.Minute, 10 * time.Minute: 10 * time.Minute, time.Minute: time.Minute, microsecond: microsecond,
	} {
		f := factsOf(app())
		f.Grant.ExpiresAt = noon.Add(left)
		token := Refresh(policy, refreshOf(app(), 5), f, drawn, noon).Answer.Issue.AccessToken
		if got := token.ExpiresAt.Sub(noon); got != want {
			t.Errorf("%v before the grant's end the token lives for %v, want %v", left, got, want)
		}
	}
}

// Each failure is checked before generations are looked at, so even a replay
// changes nothing then.
func TestARefusedRefreshChangesNothing(t *testing.T) {
	for _, test := range []struct {
		name  string
		code  string
		alter func(*TokenRequest, *RefreshFacts)
	}{
		{"unknown client", InvalidClient, func(_ *TokenRequest, f *RefreshFacts) { f.Authenticating = nil }},
		{"client disabled", InvalidClient, func(_ *TokenRequest, f *RefreshFacts) { f.Authenticating.Disabled = true }},
		{"wrong secret", InvalidClient, func(r *TokenRequest, _ *RefreshFacts) { r.Client.Secret = "wrong" }},
		{"no secret", InvalidClient, func(r *TokenRequest, _ *RefreshFacts) { r.Client.Method, r.Client.Secret = NoAuthentication, "" }},
		{"foreign origin", InvalidRequest, func(r *TokenRequest, _ *RefreshFacts) { r.Client.Origin = "https://evil.example" }},
		{"grant type not registered", UnauthorizedClient, func(_ *TokenRequest, f *RefreshFacts) { f.Authenticating.Grants = []string{ClientCredentialsGrant} }},
		{"garbage", InvalidGrant, func(r *TokenRequest, _ *RefreshFacts) { r.RefreshToken = "garbage" }},
		{"no token", InvalidGrant, func(r *TokenRequest, _ *RefreshFacts) { r.RefreshToken = "" }},
		{"no such grant", InvalidGrant, func(_ *TokenRequest, f *RefreshFacts) { f.Grant = nil }},
		{"another server's token", InvalidGrant, func(_ *TokenRequest, f *RefreshFacts) { f.Key.Key = []byte("another key") }},
		{"a forged generation", InvalidGrant, func(r *TokenRequest, f *RefreshFacts) {
			r.RefreshToken = RefreshKey{refreshKey.ID, []byte("guessed")}.derive(f.Grant, math.MaxInt64)
		}},
		{"another client's token", InvalidGrant, func(r *TokenRequest, f *RefreshFacts) { r.Client, f.Authenticating = appCredentials(), app() }},
		{"revoked", InvalidGrant, func(_ *TokenRequest, f *RefreshFacts) { f.Grant.RevokedAt = noon.Add(-time.Second) }},
		{"revoked just now", InvalidGrant, func(_ *TokenRequest, f *RefreshFacts) { f.Grant.RevokedAt = noon }},
		{"revoked by a clock ahead", InvalidGrant, func(_ *TokenRequest, f *RefreshFacts) { f.Grant.RevokedAt = noon.Add(time.Hour) }},
		{"absolutely expired", InvalidGrant, func(_ *TokenRequest, f *RefreshFacts) { f.Grant.ExpiresAt = noon }},
		{"idle", InvalidGrant, func(_ *TokenRequest, f *RefreshFacts) { f.Grant.CurrentSince = noon.Add(-policy.RefreshIdle) }},
		{"user removed", InvalidGrant, func(_ *TokenRequest, f *RefreshFacts) { f.User = nil }},
		{"user disabled", InvalidGrant, func(_ *TokenRequest, f *RefreshFacts) { f.User.Disabled = true }},
		{"user's sessions ended", InvalidGrant, func(_ *TokenRequest, f *RefreshFacts) { f.User.Epoch++ }},
		{"user restored from a backup", InvalidGrant, func(_ *TokenRequest, f *RefreshFacts) { f.User.Epoch-- }},
		{"the grant's client removed", InvalidGrant, func(_ *TokenRequest, f *RefreshFacts) { f.Client = nil }},
		{"client disabled and enabled", InvalidGrant, func(_ *TokenRequest, f *RefreshFacts) { f.Client.Epoch++ }},
		{"global epoch raised", InvalidGrant, func(_ *TokenRequest, f *RefreshFacts) { f.GlobalEpoch++ }},
		{"scope not granted", InvalidScope, func(r *TokenRequest, _ *RefreshFacts) { r.Scope = "read admin" }},
		{"malformed scope", InvalidScope, func(r *TokenRequest, _ *RefreshFacts) { r.Scope = "\"" }},
		{"resource not granted", InvalidTarget, func(r *TokenRequest, _ *RefreshFacts) { r.Resources = []string{"https://evil.example"} }},
		{"resource granted to others", InvalidTarget, func(r *TokenRequest, f *RefreshFacts) {
			r.Resources, f.Grant.Audiences = []string{otherAPI}, []string{api}
		}},
		{"two resources", InvalidTarget, func(r *TokenRequest, _ *RefreshFacts) { r.Resources = []string{api, otherAPI} }},
	} {
		for _, presented := range []int64{5, 6, 4, 1} { // current, from lost commits, retry, replay
			req, f := refreshOf(worker(), presented), factsOf(worker())
			test.alter(&req, &f)
			o := Refresh(policy, req, f, drawn, noon)
			refusedWith(t, o.Answer.Refused, test.code)
			if o.Answer.Issue != nil || len(o.Changes) != 0 {
				t.Errorf("%s, generation %d: issued or changed: %+v", test.name, presented, o)
			}
		}
	}
}

func TestAGrantLivesUntilItsLastMicrosecond(t *testing.T) {
	for name, alter := range map[string]func(*Grant){
		"absolute": func(g *Grant) { g.ExpiresAt = noon.Add(microsecond) },
		"idle":     func(g *Grant) { g.CurrentSince = noon.Add(microsecond - policy.RefreshIdle) },
		"no end":   func(g *Grant) { g.ExpiresAt = time.Time{} },
	} {
		f := factsOf(app())
		alter(f.Grant)
		if o := Refresh(policy, refreshOf(app(), 5), f, drawn, noon); o.Answer.Issue == nil {
			t.Errorf("%s: %+v", name, o.Answer.Refused)
		}
	}
}

func TestDecidingDoesNotTouchTheFacts(t *testing.T) {
	f := factsOf(app())
	Refresh(policy, refreshOf(app(), 5), f, drawn, noon)
	Refresh(policy, refreshOf(app(), 1), f, drawn, noon)
	if !reflect.DeepEqual(f, factsOf(app())) {
		t.Errorf("%+v", f)
	}
}
