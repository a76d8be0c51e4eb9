package oauth

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/change"
)

const (
	callback      = "https://app.example/callback"
	otherCallback = "https://app.example/other"
)

// site is a public client that uses codes.
func site() *Client {
	c := app()
	c.Grants = []string{AuthorizationCodeGrant, RefreshTokenGrant}
	c.Scopes = []string{OpenID, Profile, Email, OfflineAccess, "read"}
	c.RedirectURIs = []string{callback}
	return c
}

// adaSignedIn is ada's session of an hour ago, used half a minute ago.
func adaSignedIn() *Session {
	return &Session{
		ID: "ses_ada", User: ada().ID, Methods: []string{Password}, AuthTime: noon.Add(-time.Hour), CreatedAt: noon.Add(-time.Hour),
		SeenAt: noon.Add(-30 * time.Second), ExpiresAt: noon.Add(time.Hour), EndsAt: noon.Add(time.Hour), UserEpoch: ada().Epoch, GlobalEpoch: globalEpoch,
	}
}

// asking is an authorization request that gets its code at once: it began a
// minute ago, ada is signed in, and has allowed all of it before.
type asking struct {
	*Flow
	*Act
	*AuthorizationFacts
}

func anAsking() asking {
	return asking{
		&Flow{ID: "flw_1", Start: noon.Add(-time.Minute), Request: AuthorizationRequest{
			ClientID: "app", RedirectURI: callback, ResponseType: "code", Scope: "openid email", State: "state", Nonce: "nonce",
			CodeChallenge: rfcChallenge, CodeChallengeMethod: S256,
		}},
		&Act{},
		&AuthorizationFacts{
			Client: site(), Consented: []string{OpenID, Email}, ConsentedAudiences: []string{api, otherAPI},
			SessionFacts: SessionFacts{Session: adaSignedIn(), User: ada(), GlobalEpoch: globalEpoch},
		},
	}
}

var freshCode = FreshCode{Code: "kwc_code", Hash: []byte("hash of the code")}

func (a asking) decide() (Authorization, []change.Change) {
	return Authorize(signInPolicy, *a.Flow, *a.Act, *a.AuthorizationFacts, freshCode, noon)
}

// answers is what ada answers on the consent page that showed some scopes.
func (a asking) answers(allowed bool, scope ...string) {
	*a.Act = Act{Answered: true, Allowed: allowed, Scope: scope, Audiences: []string{api, otherAPI}, Session: "ses_ada", User: ada().ID}
}

func (a asking) hintAt(subject string) {
	a.Request.IDTokenHint, a.Request.Hint = "an ID token", &IDTokenHint{Subject: subject, Audience: []string{"app"}, Session: "ses_ada"}
}

// outcome names what came of a request, and checks that it is whole.
func outcome(t *testing.T, a asking) string {
	t.Helper()
	answer, changes := a.decide()
	if answer.Response == nil || answer.Response.Refused != nil {
		if len(changes) > 0 {
			t.Errorf("nothing is issued, and it changes %+v", changes)
		}
	}
	switch {
	case answer.Fault != nil:
		refusedWith(t, &answer.Fault.Refusal, answer.Fault.Code)
		return "fault " + answer.Fault.Code
	case answer.Ask != nil && answer.Ask.SignUp:
		return "sign up"
	case answer.Ask != nil:
		return [...]string{"", "sign in", "account", "consent"}[answer.Ask.Page]
	case answer.Response.Refused == nil:
		return "code"
	}
	r := answer.Response
	refusedWith(t, r.Refused, r.Refused.Code)
	want := []Parameter{{"error", r.Refused.Code}, {"error_description", r.Refused.Description}}
	if state := a.Request.State; state != "" && len(state) <= maxEchoed {
		want = append(want, Parameter{"state", state})
	}
	if want = append(want, Parameter{"iss", policy.Issuer}); !slices.Equal(r.Parameters, want) {
		t.Errorf("the error has %v, want %v", r.Parameters, want)
	}
	return r.Refused.Code
}

// ruleCases say what each rule refuses and lets pass, in the rules' order. The
// first refusal of each rule must win over those of the rules after it.
var ruleCases = []struct {
	rule    string // begins its text
	refuses []alteration
	passes  []alteration
}{
	{"client_id", []alteration{
		{"fault invalid_request", func(a asking) { a.Request.Repeated = []string{"client_id"} }},
		{"fault invalid_request", func(a asking) { a.Request.ClientID, a.Client = "", nil }},
		{"fault invalid_client", func(a asking) { a.Client = nil }},
	}, []alteration{{"code", func(asking) {}}}},
	{"the client is not disabled", []alteration{
		{"fault unauthorized_client", func(a asking) { a.Client.Disabled = true }},
	}, []alteration{{"code", func(a asking) { a.Client.Epoch++ }}}},
	{"redirect_uri", []alteration{
		{"fault invalid_request", func(a asking) { a.Request.RedirectURI = "https://evil.example/callback" }},
		{"fault invalid_request", func(a asking) { a.Request.RedirectURI = callback + "/" }},
		{"fault invalid_request", func(a asking) { a.Request.RedirectURI = callback + "?a=b" }},
		{"fault invalid_request", func(a asking) { a.Request.Repeated = []string{"redirect_uri"} }},
		{"fault invalid_request", func(a asking) { a.Request.RedirectURI = "" }}, // with scope openid
		{"fault invalid_request", func(a asking) {
			a.Request.RedirectURI, a.Request.Scope, a.Client.RedirectURIs = "", "email", []string{callback, otherCallback}
		}},
		{"fault invalid_request", func(a asking) { a.Request.RedirectURI, a.Request.Scope, a.Client.RedirectURIs = "", "email", nil }},
	}, []alteration{
		{"code", func(a asking) { a.Request.RedirectURI, a.Request.Scope = "", "email" }},
		{"code", func(a asking) { a.Client.RedirectURIs = []string{otherCallback, callback} }},
	}},
	{"response_mode", []alteration{
		{InvalidRequest, func(a asking) { a.Request.ResponseMode = "fragment" }},
		{InvalidRequest, func(a asking) { a.Request.ResponseMode = "query.jwt" }},
		{InvalidRequest, func(a asking) { a.Request.ResponseMode, a.Client.ResponseModes = QueryMode, []string{FormPostMode} }},
		{InvalidRequest, func(a asking) {
			a.Client.Native, a.Client.RedirectURIs = true, []string{"com.example.app:/callback"}
			a.Request.ResponseMode, a.Request.RedirectURI = FormPostMode, "com.example.app:/callback"
		}},
	}, []alteration{
		{"code", func(a asking) { a.Request.ResponseMode = QueryMode }},
		{"code", func(a asking) { a.Request.ResponseMode = FormPostMode }},
	}},
	{"request objects", []alteration{
		{RequestNotSupported, func(a asking) { a.Request.Request = "eyJ" }},
		{RequestURINotSupported, func(a asking) { a.Request.RequestURI = "urn:ietf:params:oauth:request_uri:1" }},
	}, nil},
	{"no parameter stands twice", []alteration{
		{InvalidRequest, func(a asking) { a.Request.Repeated = []string{"state"} }},
		{InvalidRequest, func(a asking) { a.Request.Repeated = []string{"\"><script>"} }},
	}, []alteration{{"code", func(a asking) { a.Request.Resources = []string{api, otherAPI} }}}},
	{"response_type", []alteration{
		{UnsupportedResponseType, func(a asking) { a.Request.ResponseType = "token" }},
		{UnsupportedResponseType, func(a asking) { a.Request.ResponseType = "code id_token" }},
		{UnsupportedResponseType, func(a asking) { a.Request.ResponseType = "id_token" }},
		{UnsupportedResponseType, func(a asking) { a.Request.ResponseType = "none" }},
		{InvalidRequest, func(a asking) { a.Request.ResponseType = "" }},
	}, nil},
	{"the client may use codes", []alteration{
		{UnauthorizedClient, func(a asking) { a.Client.Grants = []string{RefreshTokenGrant} }},
	}, []alteration{{"code", func(a asking) { a.Client.Grants = []string{AuthorizationCodeGrant} }}}},
	{"the code will be bound", []alteration{
		{InvalidRequest, func(a asking) { a.Request.CodeChallenge, a.Request.CodeChallengeMethod = "", "" }},
		{InvalidRequest, func(a asking) { a.Request.CodeChallengeMethod = "plain" }},
	}, []alteration{{"code", func(a asking) {
		a.Request.CodeChallenge, a.Request.CodeChallengeMethod, a.Client.Public, a.Client.PKCEOptional = "", "", false, true
	}}}},
	{"prompt is well-formed", []alteration{
		{InvalidRequest, func(a asking) { a.Request.Prompt = "none login" }},
		{InvalidRequest, func(a asking) { a.Request.Prompt = "None" }},
		{InvalidRequest, func(a asking) { a.Request.Prompt = "none create" }},
	}, []alteration{{"code", func(a asking) { a.Request.Prompt = "none" }}, {"code", func(a asking) { a.Request.Prompt = "none none" }}}},
	{"max_age", []alteration{
		{InvalidRequest, func(a asking) { a.Request.MaxAge = "-1" }},
		{InvalidRequest, func(a asking) { a.Request.MaxAge = "abc" }},
		{InvalidRequest, func(a asking) { a.Request.MaxAge = "1.5" }},
		{InvalidRequest, func(a asking) { a.Request.MaxAge = "+1" }},
		{InvalidRequest, func(a asking) { a.Request.MaxAge = "99999999999999999999" }},
	}, []alteration{{"code", func(a asking) { a.Request.MaxAge = "3600" }}, {"code", func(a asking) { a.Request.MaxAge = "2147483647" }}}},
	{"claims is well-formed", []alteration{
		{InvalidRequest, func(a asking) { a.Request.Claims = "[]" }},
	}, []alteration{{"code", func(a asking) { a.Request.Claims = `{"userinfo":{"email":null}}` }}}},
	{"id_token_hint", []alteration{
		{InvalidRequest, func(a asking) { a.Request.IDTokenHint, a.Request.Hint = "forged", nil }},
		{InvalidRequest, func(a asking) { a.hintAt(ada().ID); a.Request.Hint.Audience = []string{"worker"} }},
	}, []alteration{{"code", func(a asking) { a.hintAt(ada().ID) }}}},
	{"nothing to echo", []alteration{
		{InvalidRequest, func(a asking) { a.Request.State = strings.Repeat("s", maxEchoed+1) }},
		{InvalidRequest, func(a asking) { a.Request.Nonce = strings.Repeat("n", maxEchoed+1) }},
	}, []alteration{{"code", func(a asking) {
		a.Request.State, a.Request.Nonce = strings.Repeat("s", maxEchoed), strings.Repeat("n", maxEchoed)
	}}}},
	{"resource", []alteration{
		{InvalidTarget, func(a asking) { a.Request.Resources = []string{"https://evil.example"} }},
		{InvalidTarget, func(a asking) { a.Request.Resources = []string{api, "https://evil.example"} }},
	}, []alteration{
		{"code", func(a asking) { a.Request.Resources = []string{otherAPI} }},
		{"code", func(a asking) {
			a.Request.Resources, a.Client.Audiences, a.Client.Trusted = []string{policy.Issuer}, nil, true
		}},
	}},
	{"scope", []alteration{
		{InvalidScope, func(a asking) { a.Request.Scope = "unknown" }},
		{InvalidScope, func(a asking) { a.Request.Scope = "openid \"" }},
	}, []alteration{{"code", func(a asking) { a.Request.Scope = OfflineAccess }}, {"code", func(a asking) { a.Request.Scope = "openid unknown" }}}},
	{"the person is signed in", []alteration{
		{"sign in", func(a asking) { a.SessionFacts.Session, a.Answered = nil, false }},
		{"sign in", func(a asking) { a.SessionFacts.Session.EndedAt = noon }},
		{"sign in", func(a asking) { a.Request.Prompt = promptLogin }},
		{"sign up", func(a asking) { a.Request.Prompt = promptCreate }},
		{"sign up", func(a asking) { a.Request.Prompt, a.SessionFacts.Session = "consent create", nil }},
		{"sign in", func(a asking) { a.Request.MaxAge = "0" }},
		{"sign in", func(a asking) { a.Request.MaxAge = "3539" }}, // the flow began a minute ago
		{"sign in", func(a asking) { a.Request.Prompt, a.Request.MaxAge = promptLogin, "3600" }},
		{LoginRequired, func(a asking) { a.Request.Prompt, a.SessionFacts.Session = promptNone, nil }},
		{LoginRequired, func(a asking) { a.Request.Prompt, a.Request.MaxAge = promptNone, "0" }},
	}, []alteration{
		{"code", func(a asking) { a.Request.MaxAge = "3540" }},
		{"code", func(a asking) { a.Request.Prompt, a.SessionFacts.Session.AuthTime = promptLogin, a.Start }},
		{"code", func(a asking) { a.Request.Prompt, a.SessionFacts.Session.AuthTime = promptCreate, a.Start }},
		{"code", func(a asking) { a.Request.MaxAge, a.SessionFacts.Session.AuthTime = "0", a.Start }},
	}},
	{"it is the person who was asked for", []alteration{
		{"sign in", func(a asking) { a.hintAt("usr_bob") }},
		{"sign in", func(a asking) { a.Request.Claims = `{"id_token":{"sub":{"value":"usr_bob"}}}` }},
		{"sign in", func(a asking) { a.Request.Claims = `{"id_token":{"sub":{"values":["usr_bob","usr_eve"]}}}` }},
		{"sign in", func(a asking) { a.hintAt(ada().ID); a.Request.Claims = `{"id_token":{"sub":{"value":"usr_bob"}}}` }},
		{LoginRequired, func(a asking) { a.hintAt("usr_bob"); a.Request.Prompt = promptNone }},
		{LoginRequired, func(a asking) { a.hintAt("usr_bob"); a.SessionFacts.Session.AuthTime = a.Start }},
	}, []alteration{
		{"code", func(a asking) { a.hintAt(ada().ID); a.Request.Prompt = promptNone }},
		{"code", func(a asking) { a.Request.Claims = `{"id_token":{"sub":{"value":"usr_ada"}}}` }},
		{"code", func(a asking) { a.Request.Claims = `{"id_token":{"sub":{"values":["usr_bob","usr_ada"]}}}` }},
		{"code", func(a asking) { a.Request.Claims = `{"userinfo":{"sub":{"value":"usr_bob"}}}` }},
	}},
	{"the person chose the account", []alteration{
		{"account", func(a asking) { a.Request.Prompt, a.Answered = promptSelectAccount, false }},
		{"account", func(a asking) {
			a.Request.Prompt = promptSelectAccount
			*a.Act = Act{ChoseAccount: true, Session: "ses_ada", User: "usr_bob"}
		}},
		{"account", func(a asking) {
			a.Request.Prompt = promptSelectAccount
			*a.Act = Act{ChoseAccount: true, Session: "ses_old", User: ada().ID}
		}},
	}, []alteration{
		{"code", func(a asking) {
			a.Request.Prompt = promptSelectAccount
			*a.Act = Act{ChoseAccount: true, Session: "ses_ada", User: ada().ID}
		}},
		{"code", func(a asking) { a.Request.Prompt, a.SessionFacts.Session.AuthTime = promptSelectAccount, a.Start }},
		{"code", func(a asking) { a.Request.Prompt = promptSelectAccount; a.answers(true, OpenID, Email) }},
	}},
	{"they signed in strongly enough", []alteration{
		{UnmetAuthenticationRequirements, func(a asking) { a.Request.Claims = `{"id_token":{"acr":{"essential":true,"values":["phr","phrh"]}}}` }},
		{UnmetAuthenticationRequirements, func(a asking) { a.Request.Claims = `{"id_token":{"acr":{"essential":true,"value":"phr"}}}` }},
	}, []alteration{
		{"code", func(a asking) {
			a.Request.Claims = `{"id_token":{"acr":{"essential":true,"values":["phr","` + acrPassword + `"]}}}`
		}},
		{"code", func(a asking) { a.Request.Claims = `{"id_token":{"acr":{"values":["phr"]}}}` }},
		{"code", func(a asking) { a.Request.Claims = `{"id_token":{"acr":{"essential":true}}}` }},
		{"code", func(a asking) { a.Request.Claims = `{"userinfo":{"acr":{"essential":true,"value":"phr"}}}` }},
		{"code", func(a asking) { a.Request.ACRValues = "phr" }}, // a voluntary claim
	}},
	{"they did not deny", []alteration{
		{AccessDenied, func(a asking) { a.answers(false, OpenID, Email) }},
	}, []alteration{{"code", func(a asking) { a.answers(true, OpenID, Email) }}}},
	{"they allowed it", []alteration{
		{"consent", func(a asking) { a.Consented = nil }},
		{"consent", func(a asking) { a.Consented = []string{OpenID} }},
		{"consent", func(a asking) { a.Request.Prompt = promptConsent }},
		{"consent", func(a asking) { a.Request.Prompt, a.Client.Trusted = promptConsent, true }},
		{"consent", func(a asking) { a.answers(true, OpenID) }},
		{"consent", func(a asking) { a.Request.Claims = `{"userinfo":{"name":null}}` }},
		{"consent", func(a asking) { a.Request.Claims = `{"id_token":{"name":{"essential":true}}}` }},
		{"consent", func(a asking) { a.Client.Scopes, a.Request.Scope, a.Consented = nil, "", nil }}, // a client's first time
		{"consent", func(a asking) { a.ConsentedAudiences = []string{api} }},
		{"consent", func(a asking) { a.answers(true, OpenID, Email); a.Act.Audiences = []string{otherAPI} }},
		{"consent", func(a asking) { a.Client.Native = true }},
		{"consent", func(a asking) { a.Client.Native, a.Client.Trusted = true, true }},
		{ConsentRequired, func(a asking) { a.Request.Prompt, a.Consented = promptNone, nil }},
	}, []alteration{
		{"code", func(a asking) { a.Client.Trusted, a.Consented = true, nil }},
		{"code", func(a asking) { a.Client.Scopes, a.Request.Scope, a.Consented = nil, "", []string{} }},
		{"code", func(a asking) { a.Request.Prompt = promptConsent; a.answers(true, OpenID, Email) }},
		{"code", func(a asking) { a.Consented = []string{"read", Email, OpenID, Profile} }},
		{"code", func(a asking) { a.Request.Claims = `{"userinfo":{"address":null}}` }}, // not the client's
		{"code", func(a asking) { a.ConsentedAudiences, a.Request.Resources = []string{api}, []string{api} }},
		{"code", func(a asking) { a.Client.Native = true; a.answers(true, OpenID, Email) }},
		{"code", func(a asking) { a.Client.Native, a.Client.Public = true, false }},
	}},
}

// alteration is what is different about a request, and what comes of it.
type alteration struct {
	want string
	make func(asking)
}

func TestEachRuleOfAnAuthorizationRequest(t *testing.T) {
	for _, rule := range ruleCases {
		for i, c := range slices.Concat(rule.refuses, rule.passes) {
			a := anAsking()
			c.make(a)
			if got := outcome(t, a); got != c.want {
				t.Errorf("%s, case %d: %s, want %s", rule.rule, i, got, c.want)
			}
		}
	}
}

func TestEveryRuleHasACase(t *testing.T) {
	var rules []string
	for _, row := range pageRules {
		rules = append(rules, row.rule)
	}
	for _, row := range authorizationRules {
		rules = append(rules, row.rule)
	}
	if len(rules) != len(ruleCases) {
		t.Fatalf("%d rules, and cases of %d", len(rules), len(ruleCases))
	}
	for i, rule := range rules {
		if !strings.HasPrefix(rule, ruleCases[i].rule) || len(ruleCases[i].refuses) == 0 {
			t.Errorf("rule %d is %q, and the cases are of %q", i, rule, ruleCases[i].rule)
		}
	}
}

// What two rules refuse, the earlier one answers.
func TestAnEarlierRuleWins(t *testing.T) {
	for i, earlier := range ruleCases {
		for _, later := range ruleCases[i+1:] {
			alone, both := anAsking(), anAsking()
			earlier.refuses[0].make(alone)
			later.refuses[0].make(both)
			earlier.refuses[0].make(both)
			outcome(t, both)
			want, _ := alone.decide()
			got, _ := both.decide()
			if refusalOf(got) != refusalOf(want) {
				t.Errorf("%s and %s: %+v, want %+v", earlier.rule, later.rule, refusalOf(got), refusalOf(want))
			}
		}
	}
}

// refusalOf is what tells one rule's answer from another's.
func refusalOf(a Authorization) (r Refusal) {
	switch {
	case a.Fault != nil:
		return a.Fault.Refusal
	case a.Ask != nil:
		return Refusal{Code: [...]string{"", "sign in", "account", "consent"}[a.Ask.Page]}
	case a.Response.Refused != nil:
		return *a.Response.Refused
	}
	return r
}

func TestACodeHoldsAllThatWasDecided(t *testing.T) {
	a := anAsking()
	a.Request.Claims, a.Request.Resources = `{"userinfo":{"email":{"essential":true}, "address":null}}`, []string{otherAPI}
	answer, changes := a.decide()
	response := &AuthorizationResponse{callback, QueryMode, []Parameter{{"code", "kwc_code"}, {"state", "state"}, {"iss", policy.Issuer}}, nil}
	if !reflect.DeepEqual(answer, Authorization{Response: response}) {
		t.Errorf("%+v, want %+v", answer.Response, response)
	}
	want := []change.Change{change.CodeIssued{
		Hash: freshCode.Hash, Flow: "flw_1", Client: "app", User: "usr_ada", Session: "ses_ada", RedirectURI: callback, RedirectURISent: true,
		CodeChallenge: rfcChallenge, Nonce: "nonce", Scope: []string{OpenID, Email}, Audiences: []string{otherAPI},
		Claims: `{"id_token":{},"userinfo":{"email":null}}`, Methods: []string{Password}, AuthTime: noon.Add(-time.Hour),
		UserEpoch: ada().Epoch, ClientEpoch: site().Epoch, GlobalEpoch: globalEpoch, At: noon, ExpiresAt: noon.Add(CodeTTL),
	}}
	if !reflect.DeepEqual(changes, want) {
		t.Errorf("%+v, want %+v", changes, want)
	}
}

func TestARedirectURIThatWasLeftOutIsTheOneRegistered(t *testing.T) {
	a := anAsking()
	a.Request.RedirectURI, a.Request.Scope = "", "email"
	answer, changes := a.decide()
	code := changes[0].(change.CodeIssued)
	if answer.Response.RedirectURI != callback || code.RedirectURI != callback || code.RedirectURISent {
		t.Errorf("%+v, %+v", answer.Response, code)
	}
}

func TestAnAnswerWithoutStateHasNone(t *testing.T) {
	a := anAsking()
	a.Request.State = ""
	answer, _ := a.decide()
	if want := []Parameter{{"code", "kwc_code"}, {"iss", policy.Issuer}}; !slices.Equal(answer.Response.Parameters, want) {
		t.Errorf("%v", answer.Response.Parameters)
	}
}

func TestWhatThePersonAllowsIsRemembered(t *testing.T) {
	for name, test := range map[string]struct {
		before, shown, remembered []string
	}{
		"the first time":          {nil, []string{OpenID, Email}, []string{OpenID, Email}},
		"more than before":        {[]string{OpenID, "read"}, []string{OpenID, Email}, []string{OpenID, "read", Email}},
		"nothing new":             {[]string{Email, OpenID}, []string{OpenID, Email}, nil},
		"more than is needed now": {[]string{OpenID}, []string{OpenID, Email, "read"}, []string{OpenID, Email, "read"}},
	} {
		a := anAsking()
		a.Consented = test.before
		a.answers(true, test.shown...)
		_, changes := a.decide()
		var remembered []string
		for _, c := range changes {
			if given, ok := c.(change.ConsentGiven); ok {
				remembered = given.Scope
				if given.User != "usr_ada" || given.Client != "app" || !given.At.Equal(noon) {
					t.Errorf("%s: %+v", name, given)
				}
			}
		}
		equalStrings(t, name, remembered, test.remembered...)
	}
}

func TestAnAPIThatThePersonAllowsIsRemembered(t *testing.T) {
	a := anAsking()
	a.ConsentedAudiences, a.Request.Resources = []string{api}, []string{otherAPI}
	a.answers(true, OpenID, Email)
	a.Act.Audiences = []string{otherAPI}
	_, changes := a.decide()
	if given, ok := changes[0].(change.ConsentGiven); !ok || !slices.Equal(given.Audiences, []string{api, otherAPI}) {
		t.Errorf("%+v", changes)
	}
}

func TestATrustedClientIsNotRemembered(t *testing.T) {
	a := anAsking()
	a.Client.Trusted, a.Consented = true, nil
	if _, changes := a.decide(); len(changes) != 1 {
		t.Errorf("%+v", changes)
	}
}

func TestASessionIsSeenOnceAMinute(t *testing.T) {
	for ago, seen := range map[time.Duration]bool{time.Minute - microsecond: false, time.Minute: true, time.Hour: true, -time.Hour: false} {
		a := anAsking()
		a.SessionFacts.Session.SeenAt = noon.Add(-ago)
		_, changes := a.decide()
		var want change.Change = change.SessionSeen{Session: "ses_ada", At: noon, ExpiresAt: noon.Add(signInPolicy.SessionIdle)}
		if slices.Contains(changes[1:], want) != seen {
			t.Errorf("last seen %v ago: %+v", ago, changes)
		}
	}
}

func TestAnAnswerGoesTheWayThatWasAskedFor(t *testing.T) {
	for _, test := range []struct {
		registered []string
		asked      string
		mode       string
		refused    bool
	}{
		{nil, "", QueryMode, false},
		{nil, QueryMode, QueryMode, false},
		{nil, FormPostMode, FormPostMode, false},
		{nil, "fragment", QueryMode, true},
		{[]string{FormPostMode}, "", FormPostMode, false},
		{[]string{FormPostMode}, QueryMode, FormPostMode, true},
		{[]string{FormPostMode}, "fragment", FormPostMode, true},
		{[]string{QueryMode}, FormPostMode, QueryMode, true},
		{[]string{FormPostMode, QueryMode}, "", QueryMode, false},
	} {
		for _, also := range []func(asking){func(asking) {}, func(a asking) { a.Request.Request = "eyJ" }, func(a asking) { a.Request.Repeated = []string{"state"} }} {
			a := anAsking()
			a.Request.ResponseMode, a.Client.ResponseModes = test.asked, test.registered
			alone, _ := a.decide()
			also(a)
			answer, _ := a.decide()
			if answer.Response == nil || answer.Response.Mode != test.mode || (alone.Response.Refused != nil) != test.refused {
				t.Errorf("%q of %q: %+v", test.asked, test.registered, answer.Response)
			}
		}
	}
}

func TestAStateThatIsTooLongIsNeverEchoed(t *testing.T) {
	for _, also := range ruleCases[3:] { // after the page rules
		a := anAsking()
		a.Request.State = strings.Repeat("s", maxEchoed+1)
		also.refuses[0].make(a)
		outcome(t, a) // checks it
	}
}

// What is dropped is not refused: OpenID Connect Core §3.1.2.1, §11.
func TestTheScopeThatIsGranted(t *testing.T) {
	const offline = "openid offline_access"
	for name, test := range map[string]struct {
		make    func(asking)
		asked   string
		granted []string
	}{
		"what was asked for":                    {func(asking) {}, "openid email", []string{OpenID, Email}},
		"once each":                             {func(asking) {}, "openid openid  email", []string{OpenID, Email}},
		"nothing unknown":                       {func(asking) {}, "openid unknown email", []string{OpenID, Email}},
		"nothing that is not the client's":      {func(a asking) { a.Client.Scopes = []string{OpenID} }, "openid email", []string{OpenID}},
		"all where none is named, but offline":  {func(a asking) { a.Consented = a.Client.Scopes }, "", []string{OpenID, Profile, Email, "read"}},
		"no offline_access unasked":             {func(asking) {}, offline, []string{OpenID}},
		"offline_access that was allowed":       {func(a asking) { a.Consented = []string{OpenID, OfflineAccess} }, offline, []string{OpenID, OfflineAccess}},
		"offline_access that is allowed now":    {func(a asking) { a.Request.Prompt = promptConsent; a.answers(true, OpenID, OfflineAccess) }, offline, []string{OpenID, OfflineAccess}},
		"offline_access of a trusted client":    {func(a asking) { a.Client.Trusted = true }, offline, []string{OpenID, OfflineAccess}},
		"no offline_access that is no use":      {func(a asking) { a.Client.Trusted, a.Client.Grants = true, []string{AuthorizationCodeGrant} }, offline, []string{OpenID}},
		"no offline_access of another's choice": {func(a asking) { a.answers(true, OpenID, OfflineAccess) }, offline, []string{OpenID}},
	} {
		a := anAsking()
		test.make(a)
		a.Request.Scope = test.asked
		_, changes := a.decide()
		i := slices.IndexFunc(changes, func(c change.Change) bool { _, ok := c.(change.CodeIssued); return ok })
		if i < 0 {
			t.Errorf("%s: no code", name)
			continue
		}
		equalStrings(t, name, changes[i].(change.CodeIssued).Scope, test.granted...)
	}
}

func TestAConsentPageShowsAllThatIsAskedFor(t *testing.T) {
	a := anAsking()
	a.Consented, a.Request.Resources = nil, []string{api, otherAPI}
	a.Request.Scope, a.Request.Prompt = "openid offline_access", promptConsent
	a.Request.Claims = `{"userinfo":{"name":null,"phone_number":null},"id_token":{"email":null,"unknown":null}}`
	answer, _ := a.decide()
	want := &Ask{Page: AskConsent, Scope: []string{OpenID, OfflineAccess, Email, Profile}, Audiences: []string{api, otherAPI}}
	if !reflect.DeepEqual(answer.Ask, want) {
		t.Errorf("%+v, want %+v", answer.Ask, want)
	}
}

func TestASignInPageKnowsWhoIsExpected(t *testing.T) {
	a := anAsking()
	a.Request.LoginHint, a.SessionFacts.Session = "ada@example.com", nil
	if answer, _ := a.decide(); answer.Ask == nil || answer.Ask.LoginHint != "ada@example.com" {
		t.Errorf("%+v", answer.Ask)
	}
}

func TestAFlowIsOpenForHalfAnHourAndForOneCode(t *testing.T) {
	for name, test := range map[string]struct {
		make func(asking)
		want string
	}{
		"its last microsecond":               {func(a asking) { a.Start = noon.Add(microsecond - FlowTTL) }, "code"},
		"half an hour":                       {func(a asking) { a.Start = noon.Add(-FlowTTL) }, "fault flow_expired"},
		"a clock that goes back":             {func(a asking) { a.Start = noon.Add(time.Hour) }, "code"},
		"its code was issued":                {func(a asking) { a.FlowEnded = true }, "fault flow_used"},
		"its code was issued, and it denies": {func(a asking) { a.FlowEnded = true; a.answers(false) }, "fault flow_used"},
		"another session's consent":          {func(a asking) { a.answers(true, OpenID, Email); a.Act.Session = "ses_old" }, "fault consent_of_others"},
		"another person's consent":           {func(a asking) { a.answers(true, OpenID, Email); a.Act.User = "usr_bob" }, "fault consent_of_others"},
		"another person's denial":            {func(a asking) { a.answers(false, OpenID, Email); a.Act.User = "usr_bob" }, "fault consent_of_others"},
		"consent of a session that ended":    {func(a asking) { a.answers(true, OpenID, Email); a.SessionFacts.Session.EndedAt = noon }, "fault consent_of_others"},
		"consent without a session":          {func(a asking) { a.answers(true, OpenID, Email); a.SessionFacts.Session = nil }, "fault consent_of_others"},
		"a client that is gone meanwhile":    {func(a asking) { a.Client = nil; a.FlowEnded = true }, "fault invalid_client"},
	} {
		a := anAsking()
		test.make(a)
		if got := outcome(t, a); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

func TestPromptNoneShowsNoPage(t *testing.T) {
	for _, rule := range ruleCases {
		for _, c := range rule.refuses {
			a := anAsking()
			c.make(a)
			if a.Request.Prompt != "" {
				continue
			}
			a.Request.Prompt = promptNone
			if got := outcome(t, a); slices.Contains([]string{"sign in", "account", "consent"}, got) {
				t.Errorf("%s: %s", rule.rule, got)
			}
		}
	}
}

func TestAuthorizingDoesNotTouchTheFacts(t *testing.T) {
	for _, rule := range ruleCases {
		for _, c := range slices.Concat(rule.refuses, rule.passes) {
			a, untouched := anAsking(), anAsking()
			c.make(a)
			c.make(untouched)
			a.decide()
			if !reflect.DeepEqual(a, untouched) {
				t.Errorf("%s: %+v", rule.rule, a)
			}
		}
	}
}

func TestAnAnsweredRequestBeginsAnewWithoutAnotherAccount(t *testing.T) {
	for query, want := range map[string]string{
		"client_id=app&prompt=login": "client_id=app&prompt=login",
		"b=2&a=1":                    "b=2&a=1",
		"scope=openid&prompt=create&resource=a&resource=b":    "prompt=&resource=a&resource=b&scope=openid",
		"prompt=consent+create&client_id=app&state=%26create": "client_id=app&prompt=consent&state=%26create",
	} {
		if got := Anew(query); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
}
