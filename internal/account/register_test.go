package account

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/change"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestEverythingWrongWithAFormIsSaidAtOnce(t *testing.T) {
	for _, test := range []struct {
		form   Registration
		fields string
	}{
		{Registration{"Ada@Example.com", "Ada", "xq7-vt0k"}, ""},
		{Registration{"ada", "Ada", "xq7-vt0k"}, "email"},
		{Registration{"ada@example.com", " ", "xq7-vt0k"}, "name"},
		{Registration{"ada@example.com", "Ada", "short"}, "password"},
		{Registration{"ada.lovelace@example.com", "Ada", "ADA.LOVELACE"}, "password"},
		{Registration{}, "email name password"},
		{Registration{"a@x,b@y", "\n", "password"}, "email name password"},
	} {
		canonical, problems := test.form.Check()
		var fields []string
		for _, problem := range problems {
			fields = append(fields, problem.Field)
			if !strings.HasSuffix(problem.Message(), ".") {
				t.Errorf("%q is no sentence", problem.Message())
			}
		}
		if got := strings.Join(fields, " "); got != test.fields {
			t.Errorf("%+v: wrong are %q, want %q", test.form, got, test.fields)
		}
		if problems == nil && canonical != "ada@example.com" {
			t.Errorf("%+v: %q", test.form, canonical)
		}
	}
}

func TestRegisteringAnAddress(t *testing.T) {
	r := Registration{"Ada@Example.com", "Ada", "xq7-vt0k"}
	got := Register(r, "ada@example.com", "$argon2id$", "usr_new", nil, noon)
	want := []change.Change{change.UserRegistered{
		User: "usr_new", Email: "Ada@Example.com", CanonicalEmail: "ada@example.com", Name: "Ada", PasswordHash: "$argon2id$", At: noon,
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	got = Register(r, "ada@example.com", "$argon2id$", "usr_new", &User{ID: "usr_old"}, noon)
	if want := []change.Change{change.RegistrationRepeated{User: "usr_old"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("an address that is taken: %+v, want %+v", got, want)
	}
}

// ATTACKS class 9: neither the answer nor the work says whether an address is taken.
func TestNewAndTakenAddressesWriteAsManyJournalRows(t *testing.T) {
	rows := func(existing *User) (n int) {
		for _, c := range Register(Registration{}, "ada@example.com", "hash", "usr_new", existing, noon) {
			if _, kind := c.Fact(); kind == change.Audit {
				n++
			}
		}
		return n
	}
	if absent, taken, disabled := rows(nil), rows(&User{ID: "usr_1"}), rows(&User{ID: "usr_1", Disabled: true}); absent != 1 || taken != 1 || disabled != 1 {
		t.Errorf("%d rows for a new address, %d for a taken one, %d for a disabled person's", absent, taken, disabled)
	}
}
