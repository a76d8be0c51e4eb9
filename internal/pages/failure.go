package pages

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// FailureCode is what went wrong, in a word that never changes.
type FailureCode string

// What can go wrong when nothing can be handed back to an app.
const (
	// HostMismatch has two values: how the browser reached us, and the issuer.
	HostMismatch     FailureCode = "host_mismatch"
	UnknownClient    FailureCode = "unknown_client"
	RedirectMismatch FailureCode = "redirect_mismatch"
	AppMistake       FailureCode = "app_mistake" // in the request of an app
	OtherBrowser     FailureCode = "other_browser"
	FlowExpired      FailureCode = "flow_expired"
	FlowUsed         FailureCode = "flow_used"
	SessionEnded     FailureCode = "session_ended"
	SignUpClosed     FailureCode = "sign_up_closed"
	CrossOrigin      FailureCode = "cross_origin" // a post from a page that is not ours
	BadForm          FailureCode = "bad_form"
	BadMethod        FailureCode = "bad_method"
	NotFound         FailureCode = "not_found"
	Broken           FailureCode = "broken"
)

// FailureCodes are all of them.
var FailureCodes = []FailureCode{
	HostMismatch, UnknownClient, RedirectMismatch, AppMistake, OtherBrowser, FlowExpired, FlowUsed, SessionEnded,
	SignUpClosed, CrossOrigin, BadForm, BadMethod, NotFound, Broken,
}

// Failure says what went wrong when nothing can be handed back to an app.
type Failure struct {
	Code      FailureCode
	Values    []string // for the places of the code's message
	RequestID string
	Docs      string    // the URL of a page about it; empty: none
	Mismatch  *Mismatch // for a developer, in dev only
	Details   []Field   // for a developer, in dev only
}

// Title is the key of the page's title.
func (f Failure) Title() string { return "failure." + string(f.Code) + ".title" }

// Message is the key of the page's message.
func (f Failure) Message() string { return "failure." + string(f.Code) }

// Mismatch is a parameter that is not what is registered.
type Mismatch struct {
	Parameter  string
	Sent       string // empty: it was missing
	Registered []string
}

// Nearest are the differences to all that is registered, the smallest first.
func (m Mismatch) Nearest() []Difference {
	all := make([]Difference, 0, len(m.Registered))
	for _, registered := range m.Registered {
		all = append(all, Differ(m.Sent, registered))
	}
	slices.SortStableFunc(all, func(a, b Difference) int {
		return len(a.Sent) + len(a.Registered) - len(b.Sent) - len(b.Registered)
	})
	return all
}

// Difference is what two values share at both ends, and what each has between.
type Difference struct {
	Before     string
	Sent       string
	Registered string
	After      string
}

// Differ finds where two values differ: the characters that one has too much,
// or else the whole parts of a URI that are not the same.
func Differ(sent, registered string) Difference {
	before := 0
	for before < min(len(sent), len(registered)) && sent[before] == registered[before] {
		before++
	}
	after := 0
	for after < min(len(sent), len(registered))-before && sent[len(sent)-1-after] == registered[len(registered)-1-after] {
		after++
	}
	boundary := isRuneStart
	if before+after < min(len(sent), len(registered)) {
		boundary = isPartStart
	}
	for !boundary(sent, before) || !boundary(registered, before) {
		before--
	}
	for !boundary(sent, len(sent)-after) || !boundary(registered, len(registered)-after) {
		after--
	}
	return Difference{
		sent[:before], sent[before : len(sent)-after], registered[before : len(registered)-after], sent[len(sent)-after:],
	}
}

func isRuneStart(text string, i int) bool {
	return i == 0 || i == len(text) || utf8.RuneStart(text[i])
}

// isPartStart says that a part of a URI begins or ends at i.
func isPartStart(text string, i int) bool {
	const delimiters = "/:?#&=."
	return i == 0 || i == len(text) || strings.IndexByte(delimiters, text[i-1]) >= 0 || strings.IndexByte(delimiters, text[i]) >= 0
}
