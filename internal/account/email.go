package account

import "strings"

const (
	maxEmailLength     = 254 // RFC 5321 §4.5.3.1.3, less the angle brackets
	maxLocalPartLength = 64  // RFC 5321 §4.5.3.1.1
	maxLabelLength     = 63  // RFC 1035 §2.3.4
)

// CanonicalEmail returns the one form under which an address is kept and found.
// An address is what HTML's <input type=email> takes (WHATWG HTML §4.10.5.1.5):
// a dot-atom and a domain in ASCII. Quoted local parts, address literals and
// other alphabets are refused, since mail systems disagree about which of those
// are the same. Both parts are folded to lower case: RFC 5321 lets the local
// part be case-sensitive, but people do not type it so, and two people whose
// addresses differ by case only are one person or an attack.
func CanonicalEmail(email string) (canonical string, ok bool) {
	local, domain, found := strings.Cut(email, "@")
	if !found || len(email) > maxEmailLength || len(local) > maxLocalPartLength {
		return "", false
	}
	if !isDotAtom(local) || !isDomain(domain) {
		return "", false
	}
	return strings.ToLower(email), true
}

// isDotAtom follows RFC 5322 §3.2.3.
func isDotAtom(s string) bool {
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" || strings.ContainsFunc(atom, func(r rune) bool { return !isAtomText(r) }) {
			return false
		}
	}
	return true
}

func isAtomText(r rune) bool {
	return isAlphanumeric(r) || strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
}

func isDomain(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > maxLabelLength || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		if strings.ContainsFunc(label, func(r rune) bool { return !isAlphanumeric(r) && r != '-' }) {
			return false
		}
	}
	return true
}

func isAlphanumeric(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}
