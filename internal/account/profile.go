package account

import (
	"strings"
	"time"

	"github.com/keywright/keywright/internal/change"
)

const (
	maxPhoneLength   = 50  // bytes
	maxAddressLength = 500 // bytes
)

// Profile is what a person says about themselves.
type Profile struct {
	Name    string
	Phone   string
	Address string // lines
}

// Check returns everything that is wrong with the form.
func (p Profile) Check() (problems []Problem) {
	if code := checkName(p.Name); code != "" {
		problems = append(problems, Problem{"name", code})
	}
	switch {
	case len(p.Phone) > maxPhoneLength:
		problems = append(problems, Problem{"phone", PhoneTooLong})
	case strings.ContainsFunc(p.Phone, isControl):
		problems = append(problems, Problem{"phone", NotText})
	}
	switch {
	case len(p.Address) > maxAddressLength:
		problems = append(problems, Problem{"address", AddressTooLong})
	case strings.ContainsFunc(p.Address, func(r rune) bool { return isControl(r) && r != '\r' && r != '\n' }):
		problems = append(problems, Problem{"address", NotText})
	}
	return problems
}

// ChangeProfile decides a checked form.
func ChangeProfile(u *User, p Profile, now time.Time) []change.Change {
	address := strings.TrimSpace(strings.ReplaceAll(p.Address, "\r\n", "\n"))
	return []change.Change{change.ProfileChanged{User: u.ID, Name: p.Name, Phone: strings.TrimSpace(p.Phone), Address: address, At: now}}
}

// ChangePassword decides about a new password; u is read after the hash. The
// current one must have been proved, and not been changed since (OWASP
// ASVS 5.0, 6.2.3). It ends whatever the person holds.
func ChangePassword(u *User, proof PasswordProof, newHash string, reserved []string, now time.Time) (ok bool, changes []change.Change) {
	if u == nil || u.Disabled || !proof.Right || u.CredentialVersion != proof.Version {
		return false, nil
	}
	if len(reserved) > 0 {
		changes = append(changes, change.AttemptsReturned{Keys: reserved})
	}
	return true, append(changes, change.PasswordChanged{User: u.ID, PasswordHash: newHash, At: now})
}
