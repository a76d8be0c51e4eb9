package pages

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Flows shows the last flows as sequence pictures, in dev only.
type Flows struct{ Flows []Flow }

// Flow is one sign-in, step by step.
type Flow struct {
	Title string
	App   string
	When  time.Time
	Steps []Step
}

// Step is one message from a lane to another.
type Step struct {
	At       time.Time
	From, To string // of Lanes
	Request  string // such as GET /authorize
	Params   []Field
	Decision string
	Tokens   []Token
	Refusal  string // why the step failed; empty: it did not
}

// Token is a token that was decoded.
type Token struct {
	Name   string
	Header string // JSON, to be shown as it is
	Claims string // JSON, to be shown as it is
}

// Lanes are who takes part in a flow, from left to right.
var Lanes = []string{"browser", "app", "keywright", "api"}

func laneName(lane string) string {
	if lane == "api" {
		return "API"
	}
	return strings.ToUpper(lane[:min(1, len(lane))]) + lane[min(1, len(lane)):]
}

// Failed says whether a step was refused.
func (f Flow) Failed() bool {
	return slices.ContainsFunc(f.Steps, func(s Step) bool { return s.Refusal != "" })
}

// After is the time of a step since the flow's first.
func (f Flow) After(s Step) string {
	return fmt.Sprintf("%.3f s", s.At.Sub(f.Steps[0].At).Seconds())
}

// Arrow are the classes of the step's arrow; empty: it has none. The style sheet
// knows each pair of lanes.
func (s Step) Arrow() string {
	from, to := slices.Index(Lanes, s.From)+1, slices.Index(Lanes, s.To)+1
	switch {
	case from == 0 || to == 0:
		return ""
	case from == to:
		return fmt.Sprintf("within within-%d", from)
	case from < to:
		return fmt.Sprintf("arrow right between-%d-%d", from, to)
	}
	return fmt.Sprintf("arrow left between-%d-%d", to, from)
}
