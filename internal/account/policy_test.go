package account

import (
	"strings"
	"testing"
)

func TestPasswordPolicy(t *testing.T) {
	const email = "ada.lovelace@example.com"
	for _, test := range []struct {
		name, password string
		good           bool
	}{
		{"empty", "", false},
		{"7 characters", "abcd-7!", false},
		{"8 characters", "xq7-vt0k", true},
		{"7 characters in 14 bytes", "äöüßéèê", true},
		{"8 characters in 16 bytes", "äöüßéèêñ", true},
		{"2 characters in 8 bytes", "🙈🙉", true},
		{"8 characters in 32 bytes", "🙈🙉🙊🐵🐒🦍🦧🐼", true},
		{"7 bytes that are no text", "\xff\xfe\xfd\xfc\xfb\xfa\xf9", false},
		{"spaces", "a b c d e f", true},
		{"only spaces", "          ", true},
		{"control characters", "xq7\x00vt0k\n", true},
		{"a sentence", "correct horse battery staple", true},
		{"digits only, but not guessed first", "8302945716", true},
		{"common", "password1", false},
		{"common, other case", "PassWord1", false},
		{"common with more", "password1-xq7", true},
		{"64 characters", strings.Repeat("xq7-vt0k", 8), true},
		{"1024 bytes", strings.Repeat("x", 1024), true},
		{"1025 bytes", strings.Repeat("x", 1025), false},
		{"1 MB", strings.Repeat("x", 1<<20), false},
		{"the address", email, false},
		{"the address, other case", strings.ToUpper(email), false},
		{"the name in the address", "ada.lovelace", false},
		{"the name in the address, other case", "Ada.Lovelace", false},
		{"the address and more", email + "!", true},
	} {
		problem := CheckPassword(test.password, email)
		if (problem == "") != test.good {
			t.Errorf("%s: %q", test.name, problem)
		}
		if test.password != "" && strings.Contains(Problem{Code: problem}.Message(), test.password) {
			t.Errorf("%s: the problem repeats the password: %s", test.name, problem)
		}
	}
	if problem := CheckPassword("xq7-vt0k", ""); problem != "" {
		t.Errorf("without an address: %s", problem)
	}
}

func TestNames(t *testing.T) {
	for _, name := range []string{"Ada", "Ada Lovelace", "O'Neil", "李小龍", "محمد", "Zoë", "x", "1", "👩‍💻", " Ada ", strings.Repeat("a", 200), "<b>Ada</b>", "नरेन्द्र"} {
		if problem := checkName(name); problem != "" {
			t.Errorf("%q: %s", name, problem)
		}
	}
	for _, name := range []string{
		"", " ", "\t", "\u00a0", "\u2003\u3000", "\u200b", "\u200b\ufeff", "\u200d", strings.Repeat(" ", 200), strings.Repeat("a", 201), strings.Repeat("a", 1<<20),
		"Ada\nBcc: x", "Ada\r", "Ada\x00", "Ada\x1b[31m", "Ada\x7f", "Ada\u0085", "Ada\u2028", "Ada\u2029", "Ada\u202etxt.exe", "\u2066Ada\u2069", "Ada\xff", "\xc3\x28", "Ada\ufffd",
	} {
		if checkName(name) == "" {
			t.Errorf("%.40q is accepted", name)
		}
	}
}
