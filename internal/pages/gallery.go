package pages

import "time"

// State is a page with sample data, and the name of what it shows.
type State struct {
	Name string
	Page Page
}

const (
	sampleFlow      = "a-sealed-flow"
	sampleRequestID = "6f1f0c1d9b1e4a77"
)

var (
	sampleScopes   = []Scope{{Name: "openid"}, {Name: "profile"}, {Name: "email"}, {Name: "invoices:read", Description: "read your invoices"}}
	sampleProblems = Problems{{"name", NameMissing}, {"email", EmailInvalid}, {"password", PasswordTooShort}}
	sampleDay      = time.Date(2026, time.November, 3, 14, 5, 0, 0, time.UTC)
)

// Gallery is every page in every state that people meet.
func Gallery() []State {
	states := append(signInGallery(), consentGallery()...)
	states = append(states, accountGallery()...)
	states = append(states, failureGallery()...)
	return append(states, devGallery()...)
}

func signInGallery() []State {
	return []State{
		{"sign-in", SignIn{Flow: sampleFlow, App: "Notes"}},
		{"sign-in-by-itself", SignIn{}},
		{"sign-in-ready", SignIn{Flow: sampleFlow, App: "Notes", Email: "ada@example.com", Notice: AccountReady}},
		{"sign-in-wrong", SignIn{Flow: sampleFlow, App: "Notes", Email: "ada@example.com", Alert: WrongCredentials}},
		{"sign-in-throttled", SignIn{Flow: sampleFlow, App: "Notes", Email: "ada@example.com", Alert: TooManyAttempts}},
		{"sign-in-busy", SignIn{Flow: sampleFlow, App: "Notes", Email: "ada@example.com", Alert: Busy}},
		{"sign-in-empty", SignIn{Flow: sampleFlow, App: "Notes", Problems: Problems{{"email", FieldMissing}, {"password", FieldMissing}}}},
		{"sign-in-closed", SignIn{Flow: sampleFlow, App: "Notes", NoSignUp: true}},
		{"sign-up", SignUp{Flow: sampleFlow, App: "Notes"}},
		{"sign-up-problems", SignUp{Flow: sampleFlow, App: "Notes", Email: "ada@", Problems: sampleProblems}},
		{"choose-account", ChooseAccount{Flow: sampleFlow, App: "Notes", Name: "Ada Lovelace", Email: "ada@example.com"}},
	}
}

func consentGallery() []State {
	return []State{
		{"consent", Consent{Request: "sealed", App: "Notes", Host: "notes.example.com", Email: "ada@example.com", Scopes: sampleScopes}},
		{"consent-offline", Consent{
			Request: "sealed", App: "Notes", Host: "notes.example.com", Email: "ada@example.com", Scopes: sampleScopes, Offline: true, Days: 30,
		}},
		{"consent-unverified", Consent{
			Request: "sealed", App: "A very long name of an app that somebody registered by themselves", Host: "a-very-long-host-name.apps.example.com",
			Unverified: true, Email: "augusta.ada.king.countess.of.lovelace@analytical-engine.example.com", Scopes: sampleScopes,
			Resource: "https://api.example.com/invoices", Offline: true,
		}},
		{"sign-out", SignOut{Request: "sealed", App: "Notes", Email: "ada@example.com"}},
		{"signed-out", SignedOut{App: "Notes", Return: "https://notes.example.com/"}},
		{"signed-out-notify", SignedOut{App: "Notes", Return: "https://notes.example.com/", Notify: []string{"https://notes.example.com/sign-out?sid=1"}}},
		{"signed-out-nobody", SignedOut{Nothing: true}},
		{"refusal", Refusal{App: "Notes", Host: "notes.example.com", Method: "get", Action: "https://notes.example.com/callback", Fields: []Field{{"error", "invalid_scope"}}}},
		{"form-post", FormPost{Action: "https://notes.example.com/callback", Fields: []Field{{"code", "kwc_sample"}, {"state", "s"}}}},
	}
}

func accountGallery() []State {
	here := Session{"1", "Firefox on Linux", sampleDay.AddDate(0, 0, -3), sampleDay, true}
	return []State{
		{"account", Account{
			Token: "sealed", Name: "Ada Lovelace", Phone: "+44 20 7946 0123", Address: "12 St James’s Square\nLondon SW1Y 4JH", Email: "ada@example.com",
			Apps: []App{
				{"notes", "Notes", sampleScopes[:3], sampleDay.AddDate(0, -1, 9)},
				{"billing", "Billing", sampleScopes[3:], sampleDay},
			},
			Sessions: []Session{here, {"2", "Safari on iPhone", sampleDay.AddDate(0, -2, 0), sampleDay.AddDate(0, 0, -1), false}},
		}},
		{"account-alone", Account{Token: "sealed", Name: "Ada", Email: "ada@example.com", Verified: true, Notice: ProfileSaved, Sessions: []Session{here}}},
		{"account-problems", Account{
			Token: "sealed", Email: "ada@example.com", Verified: true, Sessions: []Session{here},
			Problems: Problems{{"name", NameMissing}, {"phone", PhoneTooLong}, {"address", AddressTooLong}, {"current", PasswordWrong}, {"password", PasswordCommon}},
		}},
	}
}

func failureGallery() []State {
	const docs = "https://keywright.dev/errors"
	var states []State
	for _, code := range FailureCodes {
		failure := Failure{Code: code, RequestID: sampleRequestID, Docs: docs + "#" + string(code)}
		if code == HostMismatch {
			failure.Values = []string{"127.0.0.1:8080", "https://id.example.com"}
		}
		states = append(states, State{"failure-" + string(code), failure})
	}
	mismatch := Failure{Code: RedirectMismatch, RequestID: sampleRequestID, Docs: docs + "#redirect_mismatch"}
	slash, several, missing := mismatch, mismatch, mismatch
	slash.Mismatch = &Mismatch{"redirect_uri", "https://notes.example.com/callback/", []string{"https://notes.example.com/callback"}}
	several.Mismatch = &Mismatch{"redirect_uri", "http://localhost:4200/callback", []string{
		"https://notes.example.com/callback", "http://localhost:4200/signed-in/callback", "http://127.0.0.1:4200/callback",
	}}
	several.Details = []Field{{"client_id", "notes"}, {"response_type", "code"}}
	missing.Mismatch = &Mismatch{"redirect_uri", "", []string{"https://notes.example.com/callback", "https://notes.example.com/silent"}}
	return append(states,
		State{"failure-dev-slash", slash}, State{"failure-dev-several", several}, State{"failure-dev-missing", missing})
}

func devGallery() []State {
	return []State{
		{"start", Start{"http://localhost:10101", "http://localhost:10102", "http://localhost:4200/", "curl …/register", "TOKEN=$(curl …/login)", "curl -H \"Authorization: Bearer $TOKEN\""}},
		{"index", Index{States: []string{"sign-in", "sign-up"}}},
		{"flows", Flows{[]Flow{refusedFlow(), doneFlow()}}},
		{"flows-none", Flows{}},
	}
}

// sampleSteps are the steps of a sign-in until the app redeems its code.
func sampleSteps() []Step {
	at := func(ms int) time.Time { return sampleDay.Add(time.Duration(ms) * time.Millisecond) }
	return []Step{
		{At: at(0), From: "app", To: "browser", Request: "302 to /authorize", Decision: "The app sends the browser to sign in."},
		{
			At: at(12), From: "browser", To: "keywright", Request: "GET /authorize",
			Params: []Field{
				{"response_type", "code"}, {"client_id", "notes"}, {"redirect_uri", "https://notes.example.com/callback"}, {"scope", "openid profile"},
				{"code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, {"code_challenge_method", "S256"}, {"state", "af0ifjsldkj"},
			},
			Decision: "The client is known, the redirect URI is registered. Nobody is signed in: the sign-in page.",
		},
		{At: at(9_400), From: "browser", To: "keywright", Request: "POST /sign-in", Decision: "The password is right. A new session begins."},
		{At: at(9_660), From: "keywright", To: "keywright", Decision: "The person allowed these scopes before: no consent page."},
		{
			At: at(9_664), From: "keywright", To: "browser", Request: "303 to https://notes.example.com/callback",
			Params: []Field{{"code", "kwc_8sj…"}, {"state", "af0ifjsldkj"}, {"iss", "http://localhost:10101"}},
		},
		{At: at(9_671), From: "browser", To: "app", Request: "GET /callback"},
	}
}

func doneFlow() Flow {
	at := sampleDay.Add(9_702 * time.Millisecond)
	return Flow{Title: "Sign-in with a code", App: "Notes", When: sampleDay, Steps: append(sampleSteps(),
		Step{
			At: at, From: "app", To: "keywright", Request: "POST /token",
			Params:   []Field{{"grant_type", "authorization_code"}, {"code", "kwc_8sj…"}, {"code_verifier", "dBj…"}},
			Decision: "The code is live, the verifier fits the challenge.",
			Tokens: []Token{{
				"access_token",
				"{\n  \"alg\": \"ES256\",\n  \"typ\": \"at+jwt\",\n  \"kid\": \"k1\"\n}",
				"{\n  \"iss\": \"http://localhost:10101\",\n  \"sub\": \"usr_ada\",\n  \"aud\": \"http://localhost:10102\",\n  \"exp\": 1793714705\n}",
			}},
		},
		Step{At: at.Add(20 * time.Millisecond), From: "app", To: "api", Request: "GET /api", Decision: "200 OK"},
	)}
}

func refusedFlow() Flow {
	return Flow{Title: "Sign-in with a code", App: "Notes", When: sampleDay.Add(time.Minute), Steps: append(sampleSteps(),
		Step{
			At: sampleDay.Add(71 * time.Second), From: "app", To: "keywright", Request: "POST /token",
			Params:  []Field{{"grant_type", "authorization_code"}, {"code", "kwc_8sj…"}, {"code_verifier", "another-one"}},
			Refusal: "invalid_grant: the code_verifier does not fit the code_challenge of this flow (RFC 7636 §4.6).",
		},
	)}
}
