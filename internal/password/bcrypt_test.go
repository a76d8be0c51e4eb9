package password

import (
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

// From wrapper.c of crypt_blowfish (https://www.openwall.com/crypt/).
func TestBcryptHashesOfOpenwallVerify(t *testing.T) {
	for _, c := range []struct{ password, hash string }{
		{"U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"},
		{"U*U*", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"},
		{"U*U*U", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"},
		{"\xa3", "$2y$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq"},
		{"\xa3", "$2b$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq"},
		{"", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy"},
	} {
		if !matches(t, c.hash, c.password) {
			t.Errorf("%q does not match %s", c.password, c.hash)
		}
		if matches(t, c.hash, c.password+"x") {
			t.Errorf("%q matches %s", c.password+"x", c.hash)
		}
	}
}

func TestBcryptDoesNotVerifyByTruncation(t *testing.T) {
	const (
		hash  = "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui"
		first = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	)
	if len(first) != maxBcryptPassword || !matches(t, hash, first) {
		t.Error("72 bytes do not match")
	}
	longer := first + "chars after 72 are ignored"
	if bcrypt.CompareHashAndPassword([]byte(hash), []byte(longer)) != nil {
		t.Error("the library has changed: it compares more than 72 bytes")
	}
	if matches(t, hash, longer) {
		t.Error("72 right bytes and 26 more match")
	}
}

func TestBcryptDoesNotTakeARepetitionForThePassword(t *testing.T) {
	hash, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	repeated := strings.Repeat("secret\x00", 3) + "secret"
	if bcrypt.CompareHashAndPassword(hash, []byte(repeated)) != nil {
		t.Error("the library has changed: it tells a repetition from the password")
	}
	if matches(t, string(hash), repeated) {
		t.Error("the password, NUL and the password match")
	}
}
