package pages

import "time"

// A Page is one of the structs of this package.
type Page interface {
	// template is the name of the page's template.
	template() string
}

// SignIn asks for an e-mail address and a password.
type SignIn struct {
	Flow     string // sealed; empty: the person came by themselves
	App      string // to which they sign in; empty: this site
	Email    string // as typed before
	NoSignUp bool   // nobody may make an account here
	Notice   Text
	Alert    Text
	Problems Problems
}

// SignUp asks for what an account needs.
type SignUp struct {
	Flow     string
	App      string
	Email    string
	Name     string
	Alert    Text
	Problems Problems
}

// ChooseAccount asks whether to go on as the person who is signed in.
// OpenID Connect Core §3.1.2.1, prompt=select_account.
type ChooseAccount struct {
	Flow  string
	App   string
	Name  string
	Email string
}

// Scope is one thing that an app asks to be allowed.
type Scope struct {
	Name        string
	Description string // empty: the text of a scope that is known, or the name
}

// Consent asks whether an app may have what it asks for.
type Consent struct {
	Request    string // sealed to session, person and the scopes shown
	App        string
	Host       string // where the app lives: what nobody can choose freely
	Unverified bool   // the app registered itself
	Email      string
	Scopes     []Scope
	Resource   string // the API that the tokens are for; empty: none was named
	Offline    bool   // it goes on while the person is away, else until they sign out
	Days       int    // how long, when offline; 0: until the person takes it back
}

// SignOut asks whether to sign out.
type SignOut struct {
	Request string // sealed; empty: the person came by themselves
	App     string // which asked for it
	Email   string
}

// SignedOut says that it is done.
type SignedOut struct {
	App     string
	Return  string   // where the app wants people to come back; empty: nowhere
	Notify  []string // frames of apps that sign out in the browser; then people go on to Return by themselves
	Nothing bool     // nobody was signed in
}

// Refusal hands an error to an app that nobody vouches for, if the person wants
// to go there. RFC 9700 §4.11.2.
type Refusal struct {
	App    string
	Host   string // where the app lives
	Method string // get or post
	Action string // an http or https URL
	Fields []Field
}

// FormPost hands an answer to an app by a form. OAuth 2.0 Form Post Response Mode §2.
type FormPost struct {
	Action string // an http or https URL
	Fields []Field
}

// Field is a name and a value.
type Field struct{ Name, Value string }

// Account is a person's own page.
type Account struct {
	Token    string // bound to the session
	Name     string
	Phone    string
	Address  string // lines
	Email    string
	Verified bool
	Notice   Text
	Alert    Text
	Problems Problems
	Apps     []App
	Sessions []Session
}

// App is one that a person has allowed something.
type App struct {
	ID     string
	Name   string
	Scopes []Scope
	Since  time.Time
}

// Session is a browser in which a person is signed in.
type Session struct {
	ID       string
	Browser  string // such as Firefox on Linux
	Since    time.Time
	LastSeen time.Time // zero: not known
	Current  bool
}

// Start greets a developer, in dev only: three commands that work as printed.
type Start struct {
	Issuer   string
	APIURL   string // empty: no example API runs
	DemoURL  string // empty: the demo app is not served
	Register string
	SignIn   string
	Call     string
}

// Index lists the gallery, in dev only.
type Index struct{ States []string }

func (SignIn) template() string        { return "sign-in" }
func (SignUp) template() string        { return "sign-up" }
func (ChooseAccount) template() string { return "choose-account" }
func (Consent) template() string       { return "consent" }
func (SignOut) template() string       { return "sign-out" }
func (SignedOut) template() string     { return "signed-out" }
func (Refusal) template() string       { return "refusal" }
func (FormPost) template() string      { return "form-post" }
func (Account) template() string       { return "account" }
func (Failure) template() string       { return "failure" }
func (Flows) template() string         { return "flows" }
func (Start) template() string         { return "start" }
func (Index) template() string         { return "index" }
