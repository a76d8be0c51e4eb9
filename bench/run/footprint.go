package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/keywright/keywright/bench/internal/process"
)

const mebibyte = 1 << 20

// measureIdle is the memory of a server that has just started.
func (b *bench) measureIdle(ctx context.Context) error {
	select {
	case <-time.After(2 * time.Second):
	case <-ctx.Done():
		return ctx.Err()
	}
	now, _, err := process.Memory(b.keywright.process.PID())
	if err != nil {
		return err
	}
	idle := float64(now) / mebibyte
	b.rows = append(b.rows, row{
		name: "memory, idle", floor: "–", keywright: number(idle) + " MiB", ratio: "–", target: "≤ 25 MiB",
		conditions: []condition{atMost("RSS", idle, 25, " MiB")},
	})
	return nil
}

// measureMemory is the memory right after all load.
func (b *bench) measureMemory(context.Context) error {
	now, most, err := process.Memory(b.keywright.process.PID())
	if err != nil {
		return err
	}
	loaded := float64(now) / mebibyte
	b.rows = append(b.rows, row{
		name: "memory, after load with a storm", floor: "–", ratio: "–", target: "≤ 70 MiB",
		keywright:  fmt.Sprintf("%s MiB (at most %s)", number(loaded), number(float64(most)/mebibyte)),
		conditions: []condition{atMost("RSS", loaded, 70, " MiB")},
	})
	return nil
}

// measureColdStart is from exec to the first answer, with the database that all
// the load has left.
func (b *bench) measureColdStart(ctx context.Context) error {
	var took []float64
	for range 5 {
		b.keywright.stop()
		if err := b.startKeywright(ctx, &b.keywright); err != nil {
			return err
		}
		took = append(took, b.keywright.started.Seconds()*1000)
	}
	slices.Sort(took)
	size, err := os.Stat(filepath.Join(b.keywright.folder, "keywright.db"))
	if err != nil {
		return err
	}
	b.rows = append(b.rows, row{
		name: fmt.Sprintf("cold start, database of %s MiB", number(float64(size.Size())/mebibyte)), floor: "–", ratio: "–", target: "≤ 60 ms",
		keywright:  fmt.Sprintf("%s ms (median %s, worst %s)", number(took[0]), number(took[len(took)/2]), number(took[len(took)-1])),
		conditions: []condition{atMost("best", took[0], 60, " ms").here()},
	})
	return nil
}

// measureSize is the stripped binary, in millions of bytes.
func (b *bench) measureSize(context.Context) error {
	info, err := os.Stat(b.binary)
	if err != nil {
		return err
	}
	size := float64(info.Size()) / 1e6
	b.rows = append(b.rows, row{
		name: "binary, stripped", floor: "–", keywright: number(size) + " MB", ratio: "–", target: "≤ 25 MB",
		conditions: []condition{atMost("size", size, 25, " MB")},
	})
	return nil
}
