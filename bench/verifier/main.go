// Verifier measures package resource, the verifier for APIs: what a token costs
// that was not seen before, beside the bare verification of its signature by
// the standard library, and one that was. It writes processor time and
// allocations as JSON.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/keywright/keywright/bench/internal/process"
	"github.com/keywright/keywright/resource"
)

// The tokens are more than the verifier remembers, so that each is forgotten
// before its next turn.
const (
	remembered = 500
	tokens     = 2000
	batch      = 200
)

// Cost is what one verification costs.
type Cost struct {
	Micros float64 `json:"us"`
	Allocs float64 `json:"allocations"`
}

// Figures are an algorithm's.
type Figures struct {
	Raw  Cost `json:"raw"`
	New  Cost `json:"new"`
	Seen Cost `json:"seen"`
}

func main() {
	span := flag.Duration("for", 2*time.Second, "how long to measure each algorithm")
	flag.Parse()
	all := map[string]Figures{}
	for _, algorithm := range []string{"ES256", "EdDSA"} {
		figures, err := measure(algorithm, *span)
		if err != nil {
			fmt.Fprintln(os.Stderr, "verifier:", err)
			os.Exit(1)
		}
		all[algorithm] = figures
	}
	if err := json.NewEncoder(os.Stdout).Encode(all); err != nil {
		fmt.Fprintln(os.Stderr, "verifier:", err)
		os.Exit(1)
	}
}

// measure does batches of each kind in turn, and keeps the best of each.
func measure(algorithm string, span time.Duration) (best Figures, err error) {
	i, err := newIssuer(algorithm)
	if err != nil {
		return best, err
	}
	defer i.close()
	v, err := resource.New(i.url, audience, resource.WithCacheSize(remembered))
	if err != nil {
		return best, err
	}
	v = v.Require("orders:read")
	made := make([]token, tokens)
	for n := range made {
		if made[n], err = i.token(n); err != nil {
			return best, err
		}
	}
	verify := func(n int) bool {
		_, err := v.Verify(context.Background(), made[n].text)
		return err == nil
	}
	if !verify(0) { // fetches the keys
		return best, fmt.Errorf("resource refuses the token %s", made[0].text)
	}
	for start, first := time.Now(), 0; time.Since(start) < span; first = (first + batch) % tokens {
		for _, kind := range []struct {
			best *Cost
			do   func(n int) bool
		}{
			{&best.Raw, func(n int) bool { return i.verifies(made[first+n]) }},
			{&best.New, func(n int) bool { return verify(first + n) }},
			{&best.Seen, func(int) bool { return verify(first) }},
		} {
			if err := kind.best.improve(kind.do); err != nil {
				return best, err
			}
		}
	}
	return best, nil
}

// improve keeps the lower of what was measured and what one more batch costs.
func (c *Cost) improve(do func(n int) bool) error {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began, err := process.OwnTime()
	if err != nil {
		return err
	}
	for n := range batch {
		if !do(n) {
			return fmt.Errorf("a good token was refused")
		}
	}
	ended, err := process.OwnTime()
	if err != nil {
		return err
	}
	runtime.ReadMemStats(&after)
	one := Cost{float64((ended - began).Nanoseconds()) / 1000 / batch, float64(after.Mallocs-before.Mallocs) / batch}
	if c.Micros == 0 || one.Micros < c.Micros {
		*c = one
	}
	return nil
}
