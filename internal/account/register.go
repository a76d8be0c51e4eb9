package account

import (
	"time"

	"github.com/keywright/keywright/internal/change"
)

// Registration is a form that was filled in.
type Registration struct {
	Email    string
	Name     string
	Password string
}

// Check returns everything that is wrong with the form, and the canonical
// address. It depends on the form alone, never on who is registered.
func (r Registration) Check() (canonicalEmail string, problems []Problem) {
	canonicalEmail, ok := CanonicalEmail(r.Email)
	if !ok {
		problems = append(problems, Problem{"email", EmailInvalid})
	}
	if code := checkName(r.Name); code != "" {
		problems = append(problems, Problem{"name", code})
	}
	if code := CheckPassword(r.Password, canonicalEmail); code != "" {
		problems = append(problems, Problem{"password", code})
	}
	return canonicalEmail, problems
}

// Register decides a checked registration; existing is the person who has the
// address already, or nil. Both cases write one journal row, so that neither
// the answer nor the work done says which it was.
func Register(r Registration, canonicalEmail, passwordHash, newID string, existing *User, now time.Time) []change.Change {
	if existing != nil {
		return []change.Change{change.RegistrationRepeated{User: existing.ID}}
	}
	return []change.Change{change.UserRegistered{
		User: newID, Email: r.Email, CanonicalEmail: canonicalEmail, Name: r.Name, PasswordHash: passwordHash, At: now,
	}}
}
