package main

import (
	"strings"
	"testing"

	"github.com/keywright/keywright/internal/account"
)

func TestPasswordIsStdinLessOneFinalLineBreak(t *testing.T) {
	longest := strings.Repeat("x", account.MaxPasswordLength)
	for given, want := range map[string]string{
		"":                 "",
		"\n":               "",
		"\r\n":             "",
		"secret":           "secret",
		"secret\n":         "secret",
		"secret\r\n":       "secret",
		"secret\n\n":       "secret\n",
		"secret\n\r\n":     "secret\n",
		"secret\r":         "secret\r",
		"secret\r\r\n":     "secret\r",
		" two\nlines \n":   " two\nlines ",
		"\x00\n":           "\x00",
		longest:            longest,
		longest + "\n":     longest,
		longest + "\r\n":   longest,
		"gr\u00fc\u00df\n": "gr\u00fc\u00df",
	} {
		if got, err := readPassword(strings.NewReader(given)); err != nil || string(got) != want {
			t.Errorf("%q gives %q, %v; want %q", given, got, err, want)
		}
	}
}

func TestLongPasswordIsNeverCutToOneThatIsAccepted(t *testing.T) {
	for _, end := range []string{"", "\n", "\r\n", "\n\n"} {
		for extra := 1; extra < 8; extra++ {
			given := strings.Repeat("x", account.MaxPasswordLength+extra) + end
			if got, err := readPassword(strings.NewReader(given)); err != nil || len(got) <= account.MaxPasswordLength {
				t.Errorf("%d bytes and %q give %d bytes, %v", account.MaxPasswordLength+extra, end, len(got), err)
			}
		}
	}
}
