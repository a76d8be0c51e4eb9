package pages

// A Page is one of the structs of this file.
type Page interface {
	// template is the name of the page's template.
	template() string
}

// Problem is what to mend in a field, shown below it.
type Problem struct {
	Field   string
	Message string
}

// Problems are what to mend in a form.
type Problems []Problem

// Of returns what to mend in a field, or nil.
func (p Problems) Of(field string) *Problem {
	for i := range p {
		if p[i].Field == field {
			return &p[i]
		}
	}
	return nil
}

// Alert is what went wrong with the whole form; it is the key of a text.
type Alert string

// The alerts of forms.
const (
	WrongCredentials Alert = "alert.wrong-credentials"
	TooManyAttempts  Alert = "alert.too-many-attempts"
	Busy             Alert = "alert.busy"
	FlowExpired      Alert = "alert.flow-expired"
	PasswordChanged  Alert = "alert.password-changed"
	NameChanged      Alert = "alert.name-changed"
)

// SignIn asks for an e-mail address and a password.
type SignIn struct {
	Flow     string // sealed; empty: the person came by themselves
	App      string // to which they sign in; empty: this site
	Email    string // as typed before
	Alert    Alert
	Problems Problems
}

// SignUp asks for what an account needs.
type SignUp struct {
	Flow     string
	App      string
	Email    string
	Name     string
	Alert    Alert
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
	Request  string // sealed to session, person and the scopes shown
	App      string
	Host     string // where the app lives: what nobody can choose freely
	Email    string
	Scopes   []Scope
	Resource string // the API that the tokens are for; empty: none was named
	Offline  bool   // it goes on while the person is away
}

// SignOut asks whether to sign out.
type SignOut struct {
	Request string // sealed
	App     string // which asked for it
	Email   string
}

// SignedOut says that it is done.
type SignedOut struct {
	App     string
	Return  string   // where the app wants people to come back; empty: nowhere
	Notify  []string // frames of apps that sign out in the browser
	Nothing bool     // nobody was signed in
}

// FormPost hands an answer to an app by a form. OAuth 2.0 Form Post Response Mode §2.
type FormPost struct {
	Action string
	Fields []Field
}

// Field is a name and a value.
type Field struct{ Name, Value string }

// Failure says what went wrong when nothing can be handed back to an app.
type Failure struct {
	Title     string // the key of a text
	Message   string // the key of a text
	RequestID string
	Details   []Field // for a developer, in dev only
	Docs      string  // a page about it
}

// Account is a person's own page.
type Account struct {
	Token    string // bound to the session
	Name     string
	Email    string
	Verified bool
	Alert    Alert
	Problems Problems
	Apps     []App
	Sessions []Session
}

// App is one that a person has allowed something.
type App struct {
	ID     string
	Name   string
	Scopes []Scope
	Since  string
}

// Session is a browser in which a person is signed in.
type Session struct {
	ID      string
	Browser string
	Since   string
	Current bool
}

// Start greets a developer, in dev only: three commands that work as printed.
type Start struct {
	Issuer   string
	APIURL   string // empty: no example API runs
	Register string
	SignIn   string
	Call     string
}

// Index lists the gallery, in dev only.
type Index struct{ States []string }

func (Start) template() string         { return "start" }
func (Index) template() string         { return "index" }
func (SignIn) template() string        { return "sign-in" }
func (SignUp) template() string        { return "sign-up" }
func (ChooseAccount) template() string { return "choose-account" }
func (Consent) template() string       { return "consent" }
func (SignOut) template() string       { return "sign-out" }
func (SignedOut) template() string     { return "signed-out" }
func (FormPost) template() string      { return "form-post" }
func (Failure) template() string       { return "failure" }
func (Account) template() string       { return "account" }
