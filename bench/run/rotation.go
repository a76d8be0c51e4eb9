package main

import (
	"context"
	"fmt"

	"github.com/keywright/keywright/bench/internal/closedloop"
)

// enoughTokens is more than Keywright remembers, so that a walk over them never
// meets one that is remembered.
const enoughTokens = 30_000

// measureRotation exchanges refresh tokens, each connection its own, beside
// what the disk can make durable.
func (b *bench) measureRotation(ctx context.Context) error {
	for _, of := range []struct {
		connections int
		cpu, rate   float64
	}{{16, 250, 3000}, {64, 190, 5000}} {
		p, err := b.rotation(ctx, of.connections)
		if err != nil {
			return err
		}
		var disk rate
		best, err := b.interleave(ctx, func(ctx context.Context) (closedloop.Result, error) {
			commits, err := b.floorRate(ctx, "commit", "-in", b.home)
			if err != nil {
				return closedloop.Result{}, err
			}
			disk.keepBest(commits)
			result, err := p.Run(ctx)
			p.Tokens = result.Tokens
			b.keepAccessTokens(result.Kept)
			return result, err
		})
		if err != nil {
			return err
		}
		ours := best[0]
		b.rows = append(b.rows, row{
			name:  fmt.Sprintf("refresh rotation, SQLite FULL, grace 0, %d connections", of.connections),
			floor: fmt.Sprintf("fsync one by one: %s/s", number(disk.PerSecond)), keywright: cost(ours),
			ratio:  times(ours.Rate, disk.PerSecond) + " fsync",
			target: fmt.Sprintf("≤ %s µs, ≥ %s/s, p99 < 20 ms", number(of.cpu), number(of.rate)),
			conditions: []condition{
				atMost("CPU", ours.CPU, of.cpu, " µs").here(), atLeast("rate", ours.Rate, of.rate, "/s").here(), atMost("p99", ours.P99, 20, " ms").here(),
			},
			problem: problemOf(ours),
		})
	}
	return nil
}

// rotation is a chain of refreshes on each connection, with a grant of its own.
func (b *bench) rotation(ctx context.Context, connections int) (p closedloop.Plan, err error) {
	p = b.plan(b.keywright.server, "/token")
	p.Connections = connections
	p.Headers = []string{formType}
	p.Body = "grant_type=refresh_token&client_id=direct&refresh_token={{token}}"
	p.Chain = "refresh_token"
	p.Keep, p.KeepLimit = "access_token", enoughTokens/b.rounds
	p.Tokens, err = take(ctx, b.signIn(), connections, "refresh_token")
	return p, err
}

func (b *bench) keepAccessTokens(tokens []string) {
	missing := max(0, enoughTokens-len(b.accessTokens))
	b.accessTokens = append(b.accessTokens, tokens[:min(missing, len(tokens))]...)
}
