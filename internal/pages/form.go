package pages

import "slices"

// Text is the key of a sentence that every language has.
type Text string

// Notices say what was done.
const (
	// AccountReady is true whether or not the address had an account before.
	AccountReady    Text = "notice.account-ready"
	ProfileSaved    Text = "notice.profile-saved"
	PasswordChanged Text = "notice.password-changed"
	AccessRemoved   Text = "notice.access-removed"
	SessionsEnded   Text = "notice.sessions-ended"
)

// Alerts say what went wrong with a whole form.
const (
	WrongCredentials Text = "alert.wrong-credentials"
	TooManyAttempts  Text = "alert.too-many-attempts"
	Busy             Text = "alert.busy"
)

// What can be wrong with a field.
const (
	FieldMissing     Text = "problem.missing"
	NotText          Text = "problem.not-text" // control characters
	EmailInvalid     Text = "problem.email-invalid"
	NameMissing      Text = "problem.name-missing"
	NameTooLong      Text = "problem.name-too-long"
	PhoneTooLong     Text = "problem.phone-too-long"
	AddressTooLong   Text = "problem.address-too-long"
	PasswordTooShort Text = "problem.password-too-short"
	PasswordTooLong  Text = "problem.password-too-long"
	PasswordCommon   Text = "problem.password-common"
	PasswordIsEmail  Text = "problem.password-is-email"
	PasswordWrong    Text = "problem.password-wrong" // the current one
)

// Problem is what to mend in a field, shown below it.
type Problem struct {
	Field   string // name, email, password, current, phone or address
	Message Text
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

// first returns the first of the fields that has a problem, or otherwise.
func (p Problems) first(otherwise string, fields ...string) string {
	for _, field := range fields {
		if p.Of(field) != nil {
			return field
		}
	}
	return otherwise
}

// Focus is the field to begin in: the first to mend, or the first to fill in.
func (p SignIn) Focus() string {
	if p.Email != "" {
		return p.Problems.first("password", "email", "password")
	}
	return p.Problems.first("email", "email", "password")
}

// Focus is the field to begin in.
func (p SignUp) Focus() string { return p.Problems.first("name", "name", "email", "password") }

// Focus is the field to mend, if any.
func (p Account) Focus() string {
	return p.Problems.first("", "name", "phone", "address", "current", "password")
}

// HasOthers says whether there are sessions beside this one.
func (p Account) HasOthers() bool {
	return slices.ContainsFunc(p.Sessions, func(s Session) bool { return !s.Current })
}

// again is the form that asks for the same page in another language.
type again struct {
	Method string
	Action string // empty: where the page is
	Fields []Field
}

// A page that cannot be had again offers no other language.
func (p FormPost) again() *again { return nil }
func (p Refusal) again() *again  { return nil }
func (p Failure) again() *again  { return nil }

func (p SignIn) again() *again        { return inFlow("/sign-in", "flow", p.Flow, "show") }
func (p SignUp) again() *again        { return inFlow("/sign-up", "flow", p.Flow, "show") }
func (p ChooseAccount) again() *again { return inFlow("/sign-in", "flow", p.Flow, "choose") }
func (p Consent) again() *again       { return inFlow("/consent", "request", p.Request, "show") }
func (p SignOut) again() *again       { return inFlow("/sign-out", "request", p.Request, "show") }

func (p Account) again() *again { return &again{Method: "get", Action: "/account"} }

func (p SignedOut) again() *again {
	if p.Return != "" || len(p.Notify) > 0 {
		return nil
	}
	return &again{Method: "get", Action: "/signed-out"}
}

// inFlow posts the page's sealed value, so that it is not lost nor in an address.
func inFlow(path, field, sealed, action string) *again {
	if sealed == "" {
		return &again{Method: "get", Action: path}
	}
	return &again{Method: "post", Action: path, Fields: []Field{{field, sealed}, {"action", action}}}
}

func inAnotherLanguage(p Page) *again {
	if p, ok := p.(interface{ again() *again }); ok {
		return p.again()
	}
	return &again{Method: "get"}
}
