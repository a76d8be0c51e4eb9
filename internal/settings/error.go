package settings

import (
	"fmt"
	"regexp"
	"strings"
)

// Error says what is wrong with one setting, where, and what would be right.
type Error struct {
	Key     string // the setting; empty where it is none, such as an unreadable file
	Value   string // as given; always empty for a secret
	Origin  Origin
	Problem string // completes `"value" `, such as "has no port"
	Accepts string // what would be right; empty: nothing to say
}

func (e *Error) Error() string {
	var text strings.Builder
	text.WriteString(e.Origin.place() + ":")
	if e.Key != "" && !e.Origin.named {
		text.WriteString(" " + e.Key)
	}
	if e.Value != "" {
		text.WriteString(" " + quote(e.Value))
	}
	text.WriteString(" " + e.Problem)
	if e.Accepts != "" {
		text.WriteString(" (accepted: " + e.Accepts + ")")
	}
	return text.String()
}

// Origins tells for each key where its value comes from.
type Origins map[string]Origin

// Origin is where a value comes from.
type Origin struct {
	source       string
	named        bool // source names the setting, as a flag does
	line, column int  // in a file; 0: unknown
}

// String is the origin in short: "default", "keywright.yaml:3",
// "environment KEYWRIGHT_LISTEN" or "flag --listen".
func (o Origin) String() string {
	if o.line == 0 {
		return o.source
	}
	return fmt.Sprintf("%s:%d", o.source, o.line)
}

// place is the origin as an editor wants it, with the column.
func (o Origin) place() string {
	if o.column == 0 {
		return o.String()
	}
	return fmt.Sprintf("%s:%d", o, o.column)
}

func (o Origin) known() bool { return o.source != "" }

// userinfo is the place where people leave a password in a URL.
var userinfo = regexp.MustCompile(`//[^/\s]*@`)

// quote shows a value in an error: short, printable and without the password of a URL.
func quote(value string) string {
	value = userinfo.ReplaceAllString(value, "//…@")
	const most = 100
	if runes := []rune(value); len(runes) > most {
		value = string(runes[:most]) + "…"
	}
	return fmt.Sprintf("%q", value)
}
