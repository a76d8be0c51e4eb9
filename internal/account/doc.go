// Package account decides about people: who may register, who may sign in, what
// a password must be, and when somebody has tried too often. Like package oauth
// it is given the facts, the time and fresh random values, and returns changes.
//
//	email.go     one canonical form per address
//	policy.go    NIST SP 800-63B §3.1.1: what a password must be
//	common.go    the passwords that everybody tries first
//	register.go  registration, which never says whether an address is taken
//	signin.go    sign-in with a password
//	profile.go   what people say about themselves
//	throttle.go  only failures count, reserved before the hash
package account

import "time"

// User is a person.
type User struct {
	ID                string
	Email             string // as typed
	EmailVerified     bool   // something proved that the address is theirs
	Name              string
	Phone             string // as typed; empty: not given
	Address           string // postal; empty: not given
	PasswordHash      string // PHC string
	CredentialVersion int64  // grows with each change of the password
	Disabled          bool
	Epoch             int64
	CreatedAt         time.Time
	UpdatedAt         time.Time // of what they say about themselves
}

// Problem is what is wrong with a field of a form, for the person to mend.
type Problem struct {
	Field string // "email", "name", "password", "phone" or "address"
	Code  ProblemCode
}

// ProblemCode is what can be wrong; pages have a text for each in every language.
type ProblemCode string

// What can be wrong with a field.
const (
	Missing          ProblemCode = "missing"
	NotString        ProblemCode = "not-string"
	NotText          ProblemCode = "not-text" // control characters
	EmailInvalid     ProblemCode = "email-invalid"
	NameMissing      ProblemCode = "name-missing"
	NameTooLong      ProblemCode = "name-too-long"
	PhoneTooLong     ProblemCode = "phone-too-long"
	AddressTooLong   ProblemCode = "address-too-long"
	PasswordTooShort ProblemCode = "password-too-short"
	PasswordTooLong  ProblemCode = "password-too-long"
	PasswordCommon   ProblemCode = "password-common"
	PasswordIsEmail  ProblemCode = "password-is-email"
	PasswordWrong    ProblemCode = "password-wrong" // the current one
)

// messages are for programs that show them as they stand.
var messages = map[ProblemCode]string{
	Missing:          "This is missing.",
	NotString:        "This must be a string.",
	NotText:          "This must be text without control characters.",
	EmailInvalid:     "This is not an e-mail address that we can use, such as ada@example.com.",
	NameMissing:      "A name is needed.",
	NameTooLong:      "The name must have at most 200 bytes.",
	PhoneTooLong:     "The phone number must have at most 50 bytes.",
	AddressTooLong:   "The address must have at most 500 bytes.",
	PasswordTooShort: "The password must have at least 8 characters.",
	PasswordTooLong:  "The password must have at most 1,024 bytes.",
	PasswordCommon:   "This password is among the first that attackers try. Choose another one.",
	PasswordIsEmail:  "The password must not be your e-mail address.",
	PasswordWrong:    "This is not the current password.",
}

// Message is one sentence, to be shown beside the field.
func (p Problem) Message() string { return messages[p.Code] }
