package pages

// State is a page with sample data, and the name of what it shows.
type State struct {
	Name string
	Page Page
}

const sampleFlow = "a-sealed-flow"

var sampleScopes = []Scope{{Name: "openid"}, {Name: "profile"}, {Name: "email"}, {Name: "invoices:read", Description: "read your invoices"}}

// Gallery is every page in every state that people meet.
func Gallery() []State {
	problems := Problems{
		{"name", "A name is needed."},
		{"email", "This is not an e-mail address that we can use, such as ada@example.com."},
		{"password", "The password must have at least 8 characters."},
	}
	return []State{
		{"sign-in", SignIn{Flow: sampleFlow, App: "Notes"}},
		{"sign-in-by-itself", SignIn{}},
		{"sign-in-wrong", SignIn{Flow: sampleFlow, App: "Notes", Email: "ada@example.com", Alert: WrongCredentials}},
		{"sign-in-throttled", SignIn{Flow: sampleFlow, App: "Notes", Email: "ada@example.com", Alert: TooManyAttempts}},
		{"sign-in-empty", SignIn{Flow: sampleFlow, App: "Notes", Problems: problems[1:2]}},
		{"sign-up", SignUp{Flow: sampleFlow, App: "Notes"}},
		{"sign-up-problems", SignUp{Flow: sampleFlow, App: "Notes", Email: "ada@", Problems: problems}},
		{"choose-account", ChooseAccount{Flow: sampleFlow, App: "Notes", Name: "Ada Lovelace", Email: "ada@example.com"}},
		{"consent", Consent{Request: "sealed", App: "Notes", Host: "notes.example.com", Email: "ada@example.com", Scopes: sampleScopes}},
		{"consent-offline", Consent{
			Request: "sealed", App: "A very long name of an app that somebody registered by themselves", Host: "a-very-long-host-name.apps.example.com",
			Email: "augusta.ada.king.countess.of.lovelace@analytical-engine.example.com", Scopes: sampleScopes, Resource: "https://api.example.com/invoices", Offline: true,
		}},
		{"sign-out", SignOut{Request: "sealed", App: "Notes", Email: "ada@example.com"}},
		{"signed-out", SignedOut{App: "Notes", Return: "https://notes.example.com/"}},
		{"signed-out-nobody", SignedOut{Nothing: true}},
		{"form-post", FormPost{Action: "https://notes.example.com/callback", Fields: []Field{{"code", "kwc_sample"}, {"state", "s"}}}},
		{"account", Account{
			Token: "sealed", Name: "Ada Lovelace", Email: "ada@example.com",
			Apps:     []App{{"notes", "Notes", sampleScopes[:3], "12 October 2026"}, {"billing", "Billing", sampleScopes[3:], "3 November 2026"}},
			Sessions: []Session{{"1", "Firefox on Linux", "today", true}, {"2", "Safari on iPhone", "2 November 2026", false}},
		}},
		{"account-alone", Account{
			Token: "sealed", Name: "Ada", Email: "ada@example.com", Verified: true, Problems: Problems{{"current", "This is not your password."}},
			Sessions: []Session{{"1", "Firefox on Linux", "today", true}},
		}},
		{"failure-redirect", Failure{Title: "failure.title", Message: "failure.redirect", RequestID: "6f1f0c1d9b1e4a77", Details: []Field{
			{"parameter", "redirect_uri"}, {"sent", "https://notes.example.com/callback/"}, {"registered", "https://notes.example.com/callback"},
			{"difference", `a "/" more at the end`},
		}}},
		{"failure-client", Failure{Title: "failure.title", Message: "failure.client", RequestID: "6f1f0c1d9b1e4a77"}},
		{"start", Start{"http://localhost:10101", "http://localhost:10102", "curl …/register", "TOKEN=$(curl …/login)", "curl -H \"Authorization: Bearer $TOKEN\""}},
		{"index", Index{States: []string{"sign-in", "sign-up"}}},
		{"failure-broken", Failure{Title: "failure.broken-title", Message: "failure.broken", RequestID: "6f1f0c1d9b1e4a77"}},
	}
}
