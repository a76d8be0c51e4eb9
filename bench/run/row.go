package main

import (
	"fmt"
	"strings"

	"github.com/keywright/keywright/bench/internal/closedloop"
)

// A row is one line of the table.
type row struct {
	name       string
	floor      string
	keywright  string
	ratio      string
	target     string
	conditions []condition // all of which make the target; none: there is no target
	problem    string      // why the figures cannot be trusted
}

// A condition is one bound of a target.
type condition struct {
	what     string
	value    float64
	bound    float64
	atLeast  bool
	unit     string
	absolute bool // a slower machine than the targets' own would miss it
}

func atMost(what string, value, bound float64, unit string) condition {
	return condition{what: what, value: value, bound: bound, unit: unit}
}

func atLeast(what string, value, bound float64, unit string) condition {
	return condition{what: what, value: value, bound: bound, unit: unit, atLeast: true}
}

// here marks a bound in units of time or rate.
func (c condition) here() condition {
	c.absolute = true
	return c
}

// met says whether the bound is kept, on a machine that is slower by a factor.
func (c condition) met(slower float64) bool {
	if !c.absolute {
		slower = 1
	}
	if c.atLeast {
		return c.value >= c.bound/slower
	}
	return c.value <= c.bound*slower
}

// verdict says whether a row's target is reached.
func (r row) verdict(slower float64) string {
	if r.problem != "" {
		return "not measured: " + r.problem
	}
	if len(r.conditions) == 0 {
		return "–"
	}
	var missed, scaled []string
	for _, c := range r.conditions {
		switch {
		case c.met(1):
		case c.met(slower):
			scaled = append(scaled, c.String())
		default:
			missed = append(missed, c.String())
		}
	}
	switch {
	case missed != nil:
		return "**no**: " + strings.Join(append(missed, scaled...), ", ")
	case scaled != nil:
		return "no here: " + strings.Join(scaled, ", ") + "; yes at the targets' speed"
	}
	return "yes"
}

func (c condition) String() string { return c.what + " " + number(c.value) + c.unit }

// problemOf explains failed requests: figures beside errors mean nothing.
func problemOf(results ...closedloop.Result) string {
	for _, r := range results {
		switch {
		case r.Errors > 0:
			return fmt.Sprintf("%d requests failed, first: %s", r.Errors, strings.ReplaceAll(r.FirstError, "|", "¦"))
		case r.Requests == 0:
			return "no request was answered"
		}
	}
	return ""
}

// cost is a result as a cell of the table.
func cost(r closedloop.Result) string {
	return fmt.Sprintf("%s µs, %s/s, p50 %s ms, p99 %s ms", number(r.CPU), number(r.Rate), number(r.P50), number(r.P99))
}

func times(a, b float64) string {
	if b == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f ×", a/b)
}

// number has three digits that count, and commas at the thousands.
func number(f float64) string {
	switch whole := int(f + 0.5); {
	case f >= 1e6:
		return fmt.Sprintf("%d,%03d,%03d", whole/1e6, whole/1000%1000, whole%1000)
	case f >= 1000:
		return fmt.Sprintf("%d,%03d", whole/1000, whole%1000)
	case f >= 100:
		return fmt.Sprintf("%.0f", f)
	case f >= 10:
		return fmt.Sprintf("%.1f", f)
	}
	return fmt.Sprintf("%.2f", f)
}
