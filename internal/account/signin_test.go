package account

import (
	"reflect"
	"testing"

	"github.com/keywright/keywright/internal/change"
)

func TestSigningIn(t *testing.T) {
	ada := func(alter func(*User)) *User {
		u := &User{ID: "usr_ada", CredentialVersion: 3}
		if alter != nil {
			alter(u)
		}
		return u
	}
	right := PasswordProof{Right: true, Version: 3}
	wrong := PasswordProof{Right: false, Version: 3}
	reserved := []string{"account:1", "address:1"}
	returned := change.AttemptsReturned{Keys: reserved}
	for _, test := range []struct {
		name     string
		user     *User
		proof    PasswordProof
		reserved []string
		ok       bool
		changes  []change.Change
	}{
		{"the right password", ada(nil), right, reserved, true, []change.Change{returned}},
		{"the right password, no limits", ada(nil), right, nil, true, nil},
		{"the right password, hashed under old parameters", ada(nil), PasswordProof{true, 3, "new"}, reserved, true, []change.Change{
			returned, change.PasswordRehashed{User: "usr_ada", PasswordHash: "new", Version: 3},
		}},
		{"a wrong password", ada(nil), wrong, reserved, false, nil},
		{"nobody has the address", nil, wrong, reserved, false, nil},
		{"nobody has the address any more", nil, right, reserved, false, nil},
		{"a disabled person", ada(func(u *User) { u.Disabled = true }), right, reserved, false, nil},
		{"a disabled person, rehashed", ada(func(u *User) { u.Disabled = true }), PasswordProof{true, 3, "new"}, reserved, false, nil},
		{"the password was changed meanwhile", ada(func(u *User) { u.CredentialVersion = 4 }), right, reserved, false, nil},
		{"a proof of nobody", ada(nil), PasswordProof{}, reserved, false, nil},
		{"a proof without a version", ada(nil), PasswordProof{Right: true}, reserved, false, nil},
	} {
		ok, changes := SignIn(test.user, test.proof, test.reserved)
		if ok != test.ok || !reflect.DeepEqual(changes, test.changes) {
			t.Errorf("%s: %t, %+v, want %t, %+v", test.name, ok, changes, test.ok, test.changes)
		}
	}
}
