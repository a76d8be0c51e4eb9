package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"

	"github.com/keywright/keywright/bench/internal/process"
)

// verification is what the program bench/verifier writes of one algorithm.
type verification struct {
	Raw, New, Seen struct {
		Micros float64 `json:"us"`
		Allocs float64 `json:"allocations"`
	}
	More float64 `json:"more_percent"`
}

// measureVerifier is what package resource costs an API, beside the bare
// signature.
func (b *bench) measureVerifier(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, b.verifierProgram, "-for", (b.span * 2).String())
	var text []byte
	err := process.OnCore(serverCore, func() (err error) {
		text, err = cmd.Output()
		return err
	})
	if err != nil {
		return err
	}
	var all map[string]verification
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	for _, of := range []struct {
		algorithm string
		more      float64
	}{{"ES256", 5}, {"EdDSA", 8}} {
		v := all[of.algorithm]
		extra := v.New.Allocs - v.Raw.Allocs
		b.rows = append(b.rows, row{
			name:       "`resource`, token not seen before, " + of.algorithm,
			floor:      fmt.Sprintf("bare signature %s µs, %s/s", number(v.Raw.Micros), number(1e6/v.Raw.Micros)),
			keywright:  fmt.Sprintf("%s µs, %s/s, %.0f allocations more", number(v.New.Micros), number(1e6/v.New.Micros), extra),
			ratio:      fmt.Sprintf("%+.1f %%", v.More),
			target:     fmt.Sprintf("+ ≤ %.0f %%, ≤ 30 allocations more", of.more),
			conditions: []condition{atMost("more", v.More, of.more, " %"), atMost("allocations", extra, 30, "")},
		})
	}
	seen := all["ES256"].Seen
	b.rows = append(b.rows, row{
		name: "`resource`, token seen before", floor: "–", ratio: "–", target: "≤ 1 µs, ≤ 1 allocation",
		keywright:  fmt.Sprintf("%s µs, %s/s, %.0f allocations", number(seen.Micros), number(1e6/seen.Micros), seen.Allocs),
		conditions: []condition{atMost("CPU", seen.Micros, 1, " µs").here(), atMost("allocations", seen.Allocs, 1, "")},
	})
	return nil
}
