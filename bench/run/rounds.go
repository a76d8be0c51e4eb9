package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"time"

	"github.com/keywright/keywright/bench/internal/closedloop"
	"github.com/keywright/keywright/bench/internal/process"
)

const (
	warmup      = 500 * time.Millisecond
	connections = 16
	formType    = "Content-Type: application/x-www-form-urlencoded"
	jsonType    = "Content-Type: application/json"
)

// A step is one measurement of a round.
type step func(context.Context) (closedloop.Result, error)

// interleave measures each step once a round, in turn, so that all meet the
// same moments of the machine, and returns the best of each.
func (b *bench) interleave(ctx context.Context, steps ...step) ([]closedloop.Result, error) {
	best := make([]closedloop.Result, len(steps))
	for round := range b.rounds {
		for i, measure := range steps {
			result, err := measure(ctx)
			if err != nil {
				return nil, err
			}
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if round > 0 {
				result = better(best[i], result)
			}
			best[i] = result
		}
	}
	return best, nil
}

// better takes of each figure the one that was less disturbed.
func better(a, b closedloop.Result) closedloop.Result {
	b.CPU, b.Rate = min(a.CPU, b.CPU), max(a.Rate, b.Rate)
	b.P50, b.P99, b.Max = min(a.P50, b.P50), min(a.P99, b.P99), min(a.Max, b.Max)
	b.Errors += a.Errors
	if a.FirstError != "" {
		b.FirstError = a.FirstError
	}
	return b
}

// plan is a load on s, of which s's processor time is measured.
func (b *bench) plan(s server, path string) closedloop.Plan {
	return closedloop.Plan{
		URL: s.base + path, Connections: connections, Warmup: warmup, Duration: b.span, Servers: []int{s.process.PID()},
	}
}

// repeat measures the same load each round.
func repeat(p closedloop.Plan) step { return p.Run }

// issue is a request for a client's own token.
func (b *bench) issue(s server, path, secret string) closedloop.Plan {
	p := b.plan(s, path)
	p.Headers = []string{formType, basic("bench", secret)}
	p.Body = "grant_type=client_credentials"
	return p
}

func basic(id, secret string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
}

// signIn is people signing in, one after the other.
func (b *bench) signIn() closedloop.Plan {
	p := b.plan(b.keywright.server, "/login")
	p.Connections = 4
	p.Headers = []string{jsonType}
	p.Body = `{"email":"{{line}}","password":"` + password + `"}`
	for _, person := range people {
		p.Lines = append(p.Lines, email(person))
	}
	return p
}

// take asks n times and returns a member of each answer.
func take(ctx context.Context, p closedloop.Plan, n int, member string) ([]string, error) {
	p.Warmup, p.Duration = 0, time.Minute
	p.MaxRequests, p.Keep, p.KeepLimit = int64(n), member, n
	result, err := p.Run(ctx)
	switch {
	case err != nil:
		return nil, err
	case len(result.Kept) != n:
		return nil, fmt.Errorf("%s gave %d of %d %ss: %s", p.URL, len(result.Kept), n, member, result.FirstError)
	}
	return result.Kept, nil
}

// rate is what `floor hash` and `floor commit` measure.
type rate struct {
	PerSecond float64 `json:"per_second"`
	CPU       float64 `json:"cpu_ms"`
}

// floorRate runs one of the floor's loops on the server's core.
func (b *bench) floorRate(ctx context.Context, args ...string) (r rate, err error) {
	cmd := exec.CommandContext(ctx, b.floorProgram, append(args, "-for", b.span.String())...)
	var text []byte
	err = process.OnCore(serverCore, func() error {
		text, err = cmd.Output()
		return err
	})
	if err != nil {
		return r, fmt.Errorf("floor %v: %w", args, err)
	}
	return r, json.Unmarshal(text, &r)
}

// alone is the rate that a core gives which does nothing else.
func (r rate) alone() float64 { return 1000 / r.CPU }

func (r *rate) keepBest(other rate) {
	r.PerSecond = max(r.PerSecond, other.PerSecond)
	if r.CPU == 0 || other.CPU < r.CPU {
		r.CPU = other.CPU
	}
}

// rotateLines lets the next run begin with the lines that this one did not reach.
func rotateLines(lines []string, used int64) []string {
	n := int(used % int64(len(lines)))
	return slices.Concat(lines[n:], lines[:n])
}
