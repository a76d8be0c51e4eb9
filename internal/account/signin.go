package account

import (
	"github.com/keywright/keywright/internal/change"
)

// PasswordProof is what hashing a password showed, outside of any transaction.
type PasswordProof struct {
	Right    bool
	Version  int64  // the credential version that was read before hashing
	Rehashed string // the same password under today's parameters; empty: not needed
}

// SignIn decides whether a person may sign in; u is read after the hash, and nil
// when nobody has the address. A wrong password, an unknown address and a
// disabled person are refused alike, and so is a password that was changed
// while it was being hashed.
func SignIn(u *User, proof PasswordProof, reserved []string) (ok bool, changes []change.Change) {
	if u == nil || u.Disabled || !proof.Right || u.CredentialVersion != proof.Version {
		return false, nil
	}
	if len(reserved) > 0 {
		changes = append(changes, change.AttemptsReturned{Keys: reserved})
	}
	if proof.Rehashed != "" {
		changes = append(changes, change.PasswordRehashed{User: u.ID, PasswordHash: proof.Rehashed, Version: proof.Version})
	}
	return true, changes
}
