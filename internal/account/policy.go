package account

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	MinPasswordLength = 8    // bytes
	MaxPasswordLength = 1024 // bytes; all of them are hashed, never a part
	maxNameLength     = 200  // bytes
)

// CheckPassword returns what is wrong with a new password, or "". There are no
// composition rules: length and not being guessed first are what counts. NIST
// SP 800-63B §3.1.1.2.
func CheckPassword(password, canonicalEmail string) ProblemCode {
	local, _, _ := strings.Cut(canonicalEmail, "@")
	switch lower := strings.ToLower(password); {
	case len(password) < MinPasswordLength:
		return PasswordTooShort
	case TooLong(password):
		return PasswordTooLong
	case common(password):
		return PasswordCommon
	case lower == canonicalEmail || lower == local:
		return PasswordIsEmail
	}
	return ""
}

// TooLong says that no account can have this password, so it need not be hashed.
func TooLong(password string) bool { return len(password) > MaxPasswordLength }

// checkName returns what is wrong with a name, or "".
func checkName(name string) ProblemCode {
	switch {
	case !strings.ContainsFunc(name, isVisible):
		return NameMissing
	case len(name) > maxNameLength:
		return NameTooLong
	case strings.ContainsFunc(name, isControl):
		return NotText
	}
	return ""
}

func isVisible(r rune) bool { return unicode.IsGraphic(r) && !unicode.IsSpace(r) }

// isControl also names what is no text, and the characters that turn the
// direction of text around, by which a name could pretend to be another.
func isControl(r rune) bool {
	return r < 0x20 || 0x7f <= r && r < 0xa0 || r == 0x2028 || r == 0x2029 ||
		0x202a <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069 || r == utf8.RuneError
}
