// Package account decides about people: who may register, who may sign in, what
// a password must be, and when somebody has tried too often. Like package oauth
// it is given the facts, the time and fresh random values, and returns changes.
//
//	email.go     one canonical form per address
//	policy.go    NIST SP 800-63B §3.1.1: what a password must be
//	common.go    the passwords that everybody tries first
//	register.go  registration, which never says whether an address is taken
//	signin.go    sign-in with a password
//	throttle.go  only failures count, reserved before the hash
package account

import "time"

// User is a person.
type User struct {
	ID                string
	Email             string // as typed
	Name              string
	PasswordHash      string // PHC string
	CredentialVersion int64  // grows with each change of the password
	Disabled          bool
	Epoch             int64
	CreatedAt         time.Time
}

// Problem is what is wrong with a field of a form, for the person to mend.
type Problem struct {
	Field   string // "email", "name" or "password"
	Message string // one sentence, to be shown beside the field
}
