package main

import (
	"context"

	"github.com/keywright/keywright/bench/internal/closedloop"
)

const bearer = "Authorization: Bearer "

// profile asks who a token speaks for; the connections share a few tokens.
func (b *bench) profile(ctx context.Context) (p closedloop.Plan, err error) {
	p = b.plan(b.keywright.server, "/profile")
	p.Headers = []string{bearer + "{{token}}"}
	p.Tokens, err = take(ctx, b.signIn(), len(people), "token")
	return p, err
}

// measureProfile is an authenticated read, with tokens that were not seen
// before and with those that were.
func (b *bench) measureProfile(ctx context.Context) error {
	if err := b.gatherAccessTokens(ctx); err != nil {
		return err
	}
	seen, err := b.profile(ctx)
	if err != nil {
		return err
	}
	tokens, err := take(ctx, b.issue(b.floor, "/sign", b.keywright.secret), 1, "access_token")
	if err != nil {
		return err
	}
	floor := b.plan(b.floor, "/verify")
	floor.Headers = []string{bearer + tokens[0]}
	best, err := b.interleave(ctx, repeat(floor), b.unseen(), repeat(b.plan(b.floor, "/json")), repeat(seen))
	if err != nil {
		return err
	}
	b.noteFloor("/verify", best[0])
	b.noteFloor("/json", best[2])
	b.addReads("/profile", best)
	return nil
}

// addReads adds the rows of an authenticated read: best are the floor that verifies,
// the read with unseen tokens, the floor that does not, and the read with seen ones.
func (b *bench) addReads(path string, best []closedloop.Result) {
	for i, of := range []struct {
		name, floor, target string
		bound               float64
	}{{path + ", token not seen before", "/verify", "≤ 130 µs", 130}, {path + ", token seen before", "/json", "≤ 35 µs", 35}} {
		floor, ours := best[2*i], best[2*i+1]
		b.rows = append(b.rows, row{
			name: of.name, floor: "`" + of.floor + "` " + cost(floor), keywright: cost(ours), ratio: times(ours.CPU, floor.CPU),
			target: of.target, conditions: []condition{atMost("CPU", ours.CPU, of.bound, " µs").here()}, problem: problemOf(floor, ours),
		})
	}
}

// unseen asks with another token each time.
func (b *bench) unseen() step {
	p := b.plan(b.keywright.server, "/profile")
	p.Headers, p.Lines = []string{bearer + "{{line}}"}, b.accessTokens
	return func(ctx context.Context) (closedloop.Result, error) {
		result, err := p.Run(ctx)
		p.Lines = rotateLines(p.Lines, result.Sent)
		return result, err
	}
}

// gatherAccessTokens refreshes until there are enough.
func (b *bench) gatherAccessTokens(ctx context.Context) error {
	missing := enoughTokens - len(b.accessTokens)
	if missing <= 0 {
		return nil
	}
	p, err := b.rotation(ctx, 64)
	if err != nil {
		return err
	}
	tokens, err := take(ctx, p, missing, "access_token")
	b.keepAccessTokens(tokens)
	return err
}
