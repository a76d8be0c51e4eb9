package main

import (
	"context"
	"fmt"
	"time"

	"github.com/keywright/keywright/bench/internal/closedloop"
)

// measureSignIn is people signing in, beside nothing but hashing.
func (b *bench) measureSignIn(ctx context.Context) error {
	p := b.signIn()
	p.Duration *= 2 // a few dozen hashes a second: more time for as exact a figure
	best, err := b.interleave(ctx, func(ctx context.Context) (closedloop.Result, error) {
		if err := b.measureHashing(ctx); err != nil {
			return closedloop.Result{}, err
		}
		return p.Run(ctx)
	})
	if err != nil {
		return err
	}
	ours, raw := best[0], *b.hashing
	share := 100 * ours.Rate / raw.alone()
	b.rows = append(b.rows, row{
		name:  fmt.Sprintf("sign-in, Argon2id 19 MiB t=2, %d connections", p.Connections),
		floor: fmt.Sprintf("x/crypto: %s ms, %s/s", number(raw.CPU), number(raw.alone())), keywright: cost(ours),
		ratio: fmt.Sprintf("%.0f %% of the rate; CPU %s", share, times(ours.CPU/1000, raw.CPU)), target: "≥ 90 % of the raw rate",
		conditions: []condition{atLeast("share", share, 90, " %")}, problem: problemOf(ours),
	})
	return nil
}

// measureHashing keeps the best raw hash rate.
func (b *bench) measureHashing(ctx context.Context) error {
	raw, err := b.floorRate(ctx, "hash")
	if err != nil {
		return err
	}
	if b.hashing == nil {
		b.hashing = new(rate)
	}
	b.hashing.keepBest(raw)
	return nil
}

// measureStorm is what a storm of sign-ins does to reads, and what a storm of
// token requests leaves for sign-ins.
func (b *bench) measureStorm(ctx context.Context) error {
	if b.hashing == nil {
		if err := b.measureHashing(ctx); err != nil {
			return err
		}
	}
	reads, err := b.profile(ctx)
	if err != nil {
		return err
	}
	var besideReads, besideTokens closedloop.Result
	best, err := b.interleave(ctx,
		repeat(reads),
		b.inStorm(reads, &besideReads),
		b.inStorm(b.issue(b.keywright.server, "/token", b.keywright.secret), &besideTokens))
	if err != nil {
		return err
	}
	alone, stormy, tokens := best[0], best[1], best[2]
	share := func(r closedloop.Result) float64 { return 100 * r.Rate / b.hashing.alone() }
	b.rows = append(b.rows, row{
		name:  "reads (/profile) in a storm of sign-ins",
		floor: fmt.Sprintf("alone: %s/s, p50 %s ms, p99 %s ms", number(alone.Rate), number(alone.P50), number(alone.P99)),
		keywright: fmt.Sprintf("%s/s, p50 %s ms, p99 %s ms; sign-in has %.0f %% of the core",
			number(stormy.Rate), number(stormy.P50), number(stormy.P99), share(besideReads)),
		ratio:  "p50 " + times(stormy.P50, alone.P50) + ", p99 " + times(stormy.P99, alone.P99),
		target: "p50 ≤ 1.5 ×, p99 ≤ 2 ×",
		conditions: []condition{
			atMost("p50", stormy.P50/alone.P50, 1.5, " ×"), atMost("p99", stormy.P99/alone.P99, 2, " ×"),
		},
		problem: problemOf(alone, stormy, besideReads),
	}, row{
		name: "sign-in under full token load", floor: fmt.Sprintf("x/crypto: %s ms", number(b.hashing.CPU)),
		keywright:  fmt.Sprintf("%s sign-ins/s beside %s tokens/s, p99 %s ms", number(besideTokens.Rate), number(tokens.Rate), number(tokens.P99)),
		ratio:      fmt.Sprintf("%.0f %% of a core", share(besideTokens)),
		target:     "≥ 10 % of a core",
		conditions: []condition{atLeast("share", share(besideTokens), 10, " %")}, problem: problemOf(tokens, besideTokens),
	})
	return nil
}

// inStorm measures a load while people sign in, and keeps in signIns what they
// got meanwhile.
func (b *bench) inStorm(load closedloop.Plan, signIns *closedloop.Result) step {
	load.Warmup += warmup // the storm has begun
	load.Duration *= 2
	return func(ctx context.Context) (closedloop.Result, error) {
		ctx, cancel := context.WithTimeout(ctx, load.Warmup+load.Duration+time.Minute)
		defer cancel()
		storm := b.signIn()
		storm.Warmup, storm.Duration = load.Warmup, load.Duration
		type outcome struct {
			result closedloop.Result
			err    error
		}
		over := make(chan outcome)
		go func() {
			result, err := storm.Run(ctx)
			over <- outcome{result, err}
		}()
		result, err := load.Run(ctx)
		o := <-over
		if signIns.Requests > 0 {
			o.result = better(*signIns, o.result)
		}
		*signIns = o.result
		if err == nil {
			err = o.err
		}
		return result, err
	}
}
