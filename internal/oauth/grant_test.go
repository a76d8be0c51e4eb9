package oauth

import (
	"reflect"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/change"
)

// inSession are the facts of a refresh of what ada granted when she signed in.
func inSession(c *Client, scope ...string) RefreshFacts {
	f := factsOf(c)
	f.Grant, f.Session = grantInSession(c), adaSignedIn()
	if scope != nil {
		f.Grant.Scope = scope
	}
	return f
}

// OpenID Connect Core §11.
func TestWithoutOfflineAccessAGrantEndsWithItsSession(t *testing.T) {
	for name, alter := range map[string]func(*RefreshFacts){
		"signed out":              func(f *RefreshFacts) { f.Session.EndedAt = noon },
		"idle":                    func(f *RefreshFacts) { f.Session.ExpiresAt = noon },
		"over":                    func(f *RefreshFacts) { f.Session.EndsAt = noon },
		"removed":                 func(f *RefreshFacts) { f.Session = nil },
		"of an earlier epoch":     func(f *RefreshFacts) { f.Session.UserEpoch-- },
		"become another person's": func(f *RefreshFacts) { f.Session.User = "usr_bob" },
	} {
		f, offline := inSession(site()), inSession(site(), OpenID, OfflineAccess)
		alter(&f)
		alter(&offline)
		o := Refresh(policy, refreshOf(f.Client, 5), f, drawn, noon)
		refusedWith(t, o.Answer.Refused, InvalidGrant)
		if len(o.Changes) > 0 || f.TokenLives(noon.Add(time.Minute), noon) {
			t.Errorf("%s: %+v", name, o.Changes)
		}
		if Refresh(policy, refreshOf(f.Client, 5), offline, drawn, noon).Answer.Issue == nil || !offline.TokenLives(noon.Add(time.Minute), noon) {
			t.Errorf("%s: offline_access ends too", name)
		}
	}
}

func TestAGrantWithoutASessionNeedsNone(t *testing.T) {
	f := factsOf(site())
	if !f.TokenLives(noon.Add(time.Minute), noon) || f.session(noon) != nil {
		t.Errorf("%+v", f)
	}
}

// OpenID Connect Core §12.2.
func TestARefreshedIDTokenTellsOfTheSameSignIn(t *testing.T) {
	for _, scope := range [][]string{{OpenID, "read"}, {OpenID, OfflineAccess}} {
		f := inSession(site(), scope...)
		f.Grant.Claims, f.User.Email = `{"id_token":{"email":null}}`, "ada@example.com"
		f.Session.AuthTime = noon.Add(-time.Minute) // she has signed in again
		issue := Refresh(policy, refreshOf(site(), 5), f, drawn, noon).Answer.Issue
		if issue == nil {
			t.Fatal("refused")
		}
		want := &IDToken{
			Algorithm: "RS256", Issuer: policy.Issuer, Subject: "usr_ada", Audience: "app", IssuedAt: noon, ExpiresAt: noon.Add(time.Hour),
			AuthTime: f.Grant.AuthTime, ACR: acrPassword, AMR: []string{Password}, Session: "ses_ada", Claims: map[string]any{"email": "ada@example.com"},
		}
		if !reflect.DeepEqual(issue.IDToken, want) {
			t.Errorf("%+v, want %+v", issue.IDToken, want)
		}
	}
	f := inSession(site())
	req := refreshOf(site(), 5)
	req.Scope = "read"
	if issue := Refresh(policy, req, f, drawn, noon).Answer.Issue; issue == nil || issue.IDToken != nil {
		t.Errorf("without openid: %+v", issue)
	}
}

func TestOnlyAnAppThatThePersonUsesKeepsTheirSession(t *testing.T) {
	for name, test := range map[string]struct {
		scope []string
		ago   time.Duration
		seen  bool
	}{
		"a minute ago":        {[]string{OpenID}, time.Minute, true},
		"just now":            {[]string{OpenID}, 30 * time.Second, false},
		"with offline_access": {[]string{OpenID, OfflineAccess}, time.Minute, false},
	} {
		f := inSession(site(), test.scope...)
		f.Session.SeenAt = noon.Add(-test.ago)
		o := Refresh(signInPolicy, refreshOf(site(), 5), f, drawn, noon)
		var want []change.Change
		if test.seen {
			want = []change.Change{change.SessionSeen{Session: "ses_ada", At: noon, ExpiresAt: noon.Add(signInPolicy.SessionIdle)}}
		}
		if o.Answer.Issue == nil || !reflect.DeepEqual(o.Changes, want) {
			t.Errorf("%s: %+v", name, o.Changes)
		}
	}
}

func TestARefreshGivesNoMoreThanTheClientMayHaveNow(t *testing.T) {
	for name, test := range map[string]struct {
		scopes, audiences []string
		scope             []string // nil: nothing is left
		audience          string
	}{
		"all":                  {[]string{OpenID, "read", "write"}, []string{api, otherAPI}, []string{OpenID, "read"}, api},
		"a scope was taken":    {[]string{OpenID}, []string{api}, []string{OpenID}, api},
		"an API was taken":     {[]string{OpenID, "read"}, []string{otherAPI}, []string{OpenID, "read"}, otherAPI},
		"all scopes are taken": {[]string{"write"}, []string{api}, nil, ""},
		"all APIs are taken":   {[]string{OpenID}, []string{"https://new.example"}, nil, ""},
	} {
		f := inSession(site())
		f.Client.Scopes, f.Client.Audiences = test.scopes, test.audiences
		o := Refresh(policy, refreshOf(site(), 5), f, drawn, noon)
		if test.scope == nil {
			refusedWith(t, o.Answer.Refused, InvalidGrant)
			if len(o.Changes) > 0 {
				t.Errorf("%s: %+v", name, o.Changes)
			}
			continue
		}
		if o.Answer.Issue == nil {
			t.Errorf("%s: %+v", name, o.Answer.Refused)
			continue
		}
		equalStrings(t, name, o.Answer.Issue.AccessToken.Scope, test.scope...)
		if got := o.Answer.Issue.AccessToken.Audience; got != test.audience {
			t.Errorf("%s: for %s", name, got)
		}
	}
}

func TestStillDoesNotTouchWhatWasGranted(t *testing.T) {
	granted := []string{"a", "b", "c"}
	left, ok := still(granted, []string{"c", "b"})
	equalStrings(t, "left", left, "b", "c")
	equalStrings(t, "granted", granted, "a", "b", "c")
	if _, none := still(granted, nil); !ok || none {
		t.Error("whether something is left")
	}
	if left, ok := still(nil, []string{"a"}); !ok || len(left) > 0 {
		t.Errorf("%v of nothing", left)
	}
}
