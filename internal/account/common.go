package account

import (
	_ "embed"
	"strings"
)

// commonPasswords are sorted bytewise, in lower case, one a line, none under 8 bytes. For where they come from see
// common.LICENSE.
//
//go:embed common.txt
var commonPasswords string

// common reports whether a password is one of those that are tried first, whatever the case of its ASCII letters.
func common(password string) bool {
	lines := commonPasswords
	for lines != "" {
		start := strings.LastIndexByte(lines[:len(lines)/2], '\n') + 1
		line, after, _ := strings.Cut(lines[start:], "\n")
		switch order := compareLower(password, line); {
		case order == 0:
			return true
		case order < 0:
			lines = lines[:start]
		default:
			lines = after
		}
	}
	return false
}

// compareLower is strings.Compare of password, in lower case, and line.
func compareLower(password, line string) int {
	for i := range min(len(password), len(line)) {
		c := password[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != line[i] {
			return int(c) - int(line[i])
		}
	}
	return len(password) - len(line)
}
