// Verifier measures package resource, the verifier for APIs: what a token costs
// that was not seen before, beside the bare verification of its signature by
// the standard library, and one that was. It writes processor time and
// allocations as JSON.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
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

// Figures are an algorithm's: the best of each, and by how much new exceeds raw
// in the median of batches that were measured right after each other.
type Figures struct {
	Raw  Cost    `json:"raw"`
	New  Cost    `json:"new"`
	Seen Cost    `json:"seen"`
	More float64 `json:"more_percent"`
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

// measure does batches of each kind in turn.
func measure(algorithm string, span time.Duration) (f Figures, err error) {
	i, err := newIssuer(algorithm)
	if err != nil {
		return f, err
	}
	defer i.close()
	v, err := resource.New(i.url, audience, resource.WithCacheSize(remembered))
	if err != nil {
		return f, err
	}
	v = v.Require("orders:read")
	made := make([]token, tokens)
	for n := range made {
		if made[n], err = i.token(n); err != nil {
			return f, err
		}
	}
	verify := func(n int) bool {
		_, err := v.Verify(context.Background(), made[n].text)
		return err == nil
	}
	var more []float64
	for start, first := time.Now(), 0; len(more) == 0 || time.Since(start) < span; first = (first + batch) % tokens {
		raw, err := costOf(func(n int) bool { return i.verifies(made[first+n]) })
		if err != nil {
			return f, err
		}
		unseen, err := costOf(func(n int) bool { return verify(first + n) })
		if err != nil {
			return f, err
		}
		seen, err := costOf(func(int) bool { return verify(first + batch - 1) })
		if err != nil {
			return f, err
		}
		f.Raw, f.New, f.Seen = lower(f.Raw, raw), lower(f.New, unseen), lower(f.Seen, seen)
		more = append(more, 100*(unseen.Micros/raw.Micros-1))
	}
	slices.Sort(more)
	f.More = more[len(more)/2]
	return f, nil
}

// costOf is what each of a batch costs.
func costOf(do func(n int) bool) (c Cost, err error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began, err := process.OwnTime()
	if err != nil {
		return c, err
	}
	for n := range batch {
		if !do(n) {
			return c, errors.New("a good token was refused")
		}
	}
	ended, err := process.OwnTime()
	if err != nil {
		return c, err
	}
	runtime.ReadMemStats(&after)
	c.Micros = float64((ended - began).Nanoseconds()) / 1000 / batch
	c.Allocs = float64(after.Mallocs-before.Mallocs) / batch
	return c, nil
}

// lower is the cheaper one; the zero Cost is none.
func lower(a, b Cost) Cost {
	if a.Micros == 0 || b.Micros < a.Micros {
		return b
	}
	return a
}
