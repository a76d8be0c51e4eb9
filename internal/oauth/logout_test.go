package oauth

import (
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keywright/keywright/internal/change"
)

const signedOutPage = "https://app.example/signed-out"

// leaving is a request that signs ada out at once: it comes with an ID token of
// her session.
func leaving() (EndSessionRequest, EndSessionFacts) {
	c := site()
	c.PostLogoutRedirectURIs = []string{signedOutPage}
	return EndSessionRequest{
			IDTokenHint: "an ID token", Hint: &IDTokenHint{Subject: ada().ID, Audience: []string{"app"}, Session: "ses_ada"},
			ClientID: "app", PostLogoutRedirectURI: signedOutPage, State: "state",
		},
		EndSessionFacts{Client: c, SessionFacts: sessionOf(ada())}
}

var adaLeft = []change.Change{change.SessionEnded{Session: "ses_ada", User: "usr_ada", At: noon}}

func TestAnIDTokenSignsItsPersonOut(t *testing.T) {
	req, f := leaving()
	answer, changes := EndSession(req, f, false, noon)
	want := EndSessionAnswer{Done: true, Return: signedOutPage + "?state=state", Proved: true, Session: f.Session}
	if !reflect.DeepEqual(answer, want) || !reflect.DeepEqual(changes, adaLeft) {
		t.Errorf("%+v, %+v", answer, changes)
	}
}

// OpenID Connect RP-Initiated Logout 1.0 §2, §4, §6.
func TestWhoHasNoProofIsAskedFirst(t *testing.T) {
	for name, alter := range map[string]func(*EndSessionRequest){
		"nothing but the request":          func(r *EndSessionRequest) { *r = EndSessionRequest{} },
		"client_id alone":                  func(r *EndSessionRequest) { r.IDTokenHint, r.Hint = "", nil },
		"a hint of another person":         func(r *EndSessionRequest) { r.Hint.Subject = "usr_bob" },
		"a hint of an earlier session":     func(r *EndSessionRequest) { r.Hint.Session = "ses_old" },
		"a hint of no session":             func(r *EndSessionRequest) { r.Hint.Session = "" },
		"another person's of this session": func(r *EndSessionRequest) { r.Hint.Subject = "usr_bob" },
	} {
		req, f := leaving()
		alter(&req)
		if req.Client() == "" {
			f.Client = nil
		}
		answer, changes := EndSession(req, f, false, noon)
		if !answer.Ask || answer.Done || answer.Proved || answer.Fault != nil || len(changes) > 0 {
			t.Errorf("%s: %+v, %+v", name, answer, changes)
		}
		answer, changes = EndSession(req, f, true, noon)
		if answer.Ask || !answer.Done || answer.Proved || !reflect.DeepEqual(changes, adaLeft) {
			t.Errorf("%s, confirmed: %+v, %+v", name, answer, changes)
		}
	}
}

func TestWhereNobodyIsSignedInNothingEnds(t *testing.T) {
	for name, session := range map[string]SessionFacts{
		"no session": {GlobalEpoch: globalEpoch},
		"signed out": func() SessionFacts { f := sessionOf(ada()); f.Session.EndedAt = noon; return f }(),
		"disabled":   func() SessionFacts { f := sessionOf(ada()); f.User.Disabled = true; return f }(),
	} {
		req, f := leaving()
		f.SessionFacts = session
		answer, changes := EndSession(req, f, false, noon)
		if !answer.Done || !answer.Proved || answer.Session != nil || answer.Return == "" || len(changes) > 0 {
			t.Errorf("%s: %+v, %+v", name, answer, changes)
		}
		req.IDTokenHint, req.Hint = "", nil
		if answer, _ := EndSession(req, f, false, noon); !answer.Done || answer.Proved {
			t.Errorf("%s, without a hint: %+v", name, answer)
		}
	}
}

func TestABadLogoutRequestLeadsNowhere(t *testing.T) {
	for name, test := range map[string]struct {
		alter     func(*EndSessionRequest, *EndSessionFacts)
		parameter string
		code      string
	}{
		"a parameter twice":             {func(r *EndSessionRequest, _ *EndSessionFacts) { r.Repeated = []string{"state"} }, "state", InvalidRequest},
		"a forged hint":                 {func(r *EndSessionRequest, _ *EndSessionFacts) { r.Hint = nil }, "id_token_hint", InvalidRequest},
		"another client's hint":         {func(r *EndSessionRequest, _ *EndSessionFacts) { r.Hint.Audience = []string{"worker"} }, "client_id", InvalidRequest},
		"an unknown client":             {func(_ *EndSessionRequest, f *EndSessionFacts) { f.Client = nil }, "client_id", InvalidClient},
		"a disabled client":             {func(_ *EndSessionRequest, f *EndSessionFacts) { f.Client.Disabled = true }, "client_id", InvalidClient},
		"an unknown client of the hint": {func(r *EndSessionRequest, f *EndSessionFacts) { r.ClientID, f.Client = "", nil }, "client_id", InvalidClient},
		"a way back and no client": {func(r *EndSessionRequest, f *EndSessionFacts) {
			*r = EndSessionRequest{PostLogoutRedirectURI: signedOutPage}
			f.Client = nil
		}, "post_logout_redirect_uri", InvalidRequest},
		"a way back and a hint for two": {func(r *EndSessionRequest, f *EndSessionFacts) {
			r.ClientID, r.Hint.Audience, f.Client = "", []string{"app", "worker"}, nil
		}, "post_logout_redirect_uri", InvalidRequest},
		"a way back not registered":     {func(r *EndSessionRequest, _ *EndSessionFacts) { r.PostLogoutRedirectURI = "https://evil.example" }, "post_logout_redirect_uri", InvalidRequest},
		"a way back with more":          {func(r *EndSessionRequest, _ *EndSessionFacts) { r.PostLogoutRedirectURI += "?a=b" }, "post_logout_redirect_uri", InvalidRequest},
		"a redirect URI of its sign-in": {func(r *EndSessionRequest, _ *EndSessionFacts) { r.PostLogoutRedirectURI = callback }, "post_logout_redirect_uri", InvalidRequest},
		"a state that is too long":      {func(r *EndSessionRequest, _ *EndSessionFacts) { r.State = strings.Repeat("s", maxEchoed+1) }, "state", InvalidRequest},
	} {
		req, f := leaving()
		test.alter(&req, &f)
		for _, confirmed := range []bool{false, true} {
			answer, changes := EndSession(req, f, confirmed, noon)
			if answer.Fault == nil || !reflect.DeepEqual(answer, EndSessionAnswer{Fault: answer.Fault}) || len(changes) > 0 {
				t.Errorf("%s: %+v, %+v", name, answer, changes)
				continue
			}
			refusedWith(t, &answer.Fault.Refusal, test.code)
			if answer.Fault.Parameter != test.parameter {
				t.Errorf("%s: the fault is in %s", name, answer.Fault.Parameter)
			}
		}
	}
}

func TestWhoseLogoutRequestItIs(t *testing.T) {
	hint := func(audience ...string) *IDTokenHint { return &IDTokenHint{Audience: audience} }
	for want, requests := range map[string][]EndSessionRequest{
		"":    {{}, {Hint: hint()}, {Hint: hint("app", "worker")}},
		"app": {{ClientID: "app"}, {Hint: hint("app")}, {ClientID: "app", Hint: hint("worker")}, {ClientID: "app", Hint: hint("app", "worker")}},
	} {
		for _, req := range requests {
			if got := req.Client(); got != want {
				t.Errorf("%+v: %q, want %q", req, got, want)
			}
		}
	}
}

func TestTheWayBackCarriesTheState(t *testing.T) {
	for _, test := range [][3]string{
		{signedOutPage, "", signedOutPage}, {"", "state", ""}, {signedOutPage, "a b&c=d", signedOutPage + "?state=a+b%26c%3Dd"}, {signedOutPage + "?x=y", "s", signedOutPage + "?x=y&state=s"},
	} {
		if got := returnTo(EndSessionRequest{PostLogoutRedirectURI: test[0], State: test[1]}); got != test[2] {
			t.Errorf("%s, want %s", got, test[2])
		}
	}
}

func TestWhatIsAddedToAnAddressIsReadFromIt(t *testing.T) {
	addresses := rapid.SampledFrom([]string{callback, callback + "?a=b", callback + "?", "com.example.app:/callback", "http://127.0.0.1:8080/", "https://app.example"})
	rapid.Check(t, func(t *rapid.T) {
		address := addresses.Draw(t, "address")
		values := rapid.MapOfN(rapid.StringMatching("[b-z_]{1,9}"), rapid.String(), 1, 5).Draw(t, "parameters")
		var parameters []Parameter
		for name, value := range values {
			parameters = append(parameters, Parameter{name, value})
		}
		u, err := url.Parse(WithQuery(address, parameters...))
		if err != nil || u.Fragment != "" {
			t.Fatal(u, err)
		}
		query := u.Query()
		for name, value := range values {
			if !slices.Equal(query[name], []string{value}) {
				t.Errorf("%s is %q, want %q in %s", name, query[name], value, u)
			}
		}
		before, _ := url.Parse(address)
		if u.Scheme != before.Scheme || u.Host != before.Host || u.Path != before.Path || query.Get("a") != before.Query().Get("a") {
			t.Errorf("%s became %s", address, u)
		}
	})
}

// OpenID Connect Back-Channel Logout 1.0 §2.4.
func TestALogoutTokenIsShortLivedAndNamesTheSession(t *testing.T) {
	c := site()
	c.IDTokenAlg = "ES256"
	got := NewLogoutToken(policy, c, "usr_ada", "ses_ada", "jti", noon)
	want := LogoutToken{
		Algorithm: "ES256", Issuer: policy.Issuer, Audience: "app", Subject: "usr_ada", Session: "ses_ada", ID: "jti",
		IssuedAt: noon, ExpiresAt: noon.Add(2 * time.Minute),
	}
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestAClientThatDoesNotHearIsTriedEverMoreRarely(t *testing.T) {
	l, now, last := Logout{ID: "lgo_1", Client: "app", User: "usr_ada", Session: "ses_ada"}, noon, time.Duration(0)
	for range 8 {
		delayed, ok := LogoutTried(l, false, now).(change.LogoutDelayed)
		pause := delayed.Next.Sub(now)
		if !ok || delayed.ID != l.ID || delayed.Tries != l.Tries+1 || pause <= last {
			t.Fatalf("try %d: %+v after %v", l.Tries, delayed, last)
		}
		l.Tries, now, last = delayed.Tries, delayed.Next, pause
	}
	if given := LogoutTried(l, false, now); given != (change.LogoutTold{ID: l.ID}) {
		t.Errorf("after a day: %+v", given)
	}
	if total := now.Sub(noon); total < 12*time.Hour || total > 24*time.Hour {
		t.Errorf("it was tried for %v", total)
	}
	for _, tries := range []int64{0, 3, 8, 9, 1 << 40} {
		l.Tries = tries
		if told := LogoutTried(l, true, now); told != (change.LogoutTold{ID: l.ID}) {
			t.Errorf("told after %d tries: %+v", tries, told)
		}
	}
}

func TestABrowserTellsOnlyWhoListens(t *testing.T) {
	c := site()
	if got := FrontchannelLogout(policy, c, "ses_ada"); got != "" {
		t.Errorf("%s", got)
	}
	c.FrontchannelLogoutURI = "https://app.example/leave?a=b"
	if got, want := FrontchannelLogout(policy, c, "ses_ada"), "https://app.example/leave?a=b&iss=https%3A%2F%2Fid.example&sid=ses_ada"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	c.Disabled = true
	if FrontchannelLogout(policy, c, "ses_ada") != "" || FrontchannelLogout(policy, nil, "ses_ada") != "" {
		t.Error("a client that is disabled or gone is told")
	}
}
