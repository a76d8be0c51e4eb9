package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/keywright/keywright/bench/internal/process"
)

// referenceFloor is what the floor costs, in µs, on the machine that the
// targets in microseconds were set on.
var referenceFloor = map[string]float64{"/json": 14, "/sign": 68, "/edsign": 52, "/verify": 99}

// slowness is how much slower than that machine this one is: the geometric mean
// over the floor's paths.
func (b *bench) slowness() float64 {
	product, n := 1.0, 0.0
	for path, reference := range referenceFloor {
		if here, ok := b.floorCPU[path]; ok {
			product *= here / reference
			n++
		}
	}
	if n == 0 {
		return 1
	}
	return math.Pow(product, 1/n)
}

// write writes everything as Markdown.
func (b *bench) write(out io.Writer, n noise) error {
	others, stolen, err := n.sinceThen()
	if err != nil {
		return err
	}
	slower := b.slowness()
	w := &strings.Builder{}
	fmt.Fprintf(w, "# Keywright beside the floor\n\n")
	fmt.Fprintf(w, "- %s- %s, %d cores, Linux %s, %s\n", b.version, cpuModel(), runtime.NumCPU(), kernel(), runtime.Version())
	fmt.Fprintf(w, "- server on core %d, load on core %d; best of %d rounds of %v, in turn with the floor\n", serverCore, loadCore, b.rounds, b.span)
	fmt.Fprintf(w, "- other processes used %.0f %% of this machine meanwhile, and its hypervisor took %.1f %%\n", others, stolen)
	fmt.Fprintf(w, "- this machine needs %.2f times the processor time of the one that the targets in µs, ms and /s were set on\n", slower)
	fmt.Fprintf(w, "- µs are processor time of the whole server, per request\n\n")
	fmt.Fprintf(w, "| what | floor | Keywright | ratio | target | reached |\n|---|---|---|---|---|---|\n")
	for _, r := range b.rows {
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s |\n", r.name, r.floor, r.keywright, r.ratio, r.target, r.verdict(slower))
	}
	fmt.Fprintf(w, "\nNo peer was run. bench/README.md says how to read this, and quotes figures of peers.\n")
	_, err = io.WriteString(out, w.String())
	return err
}

func cpuModel() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func kernel() string {
	text, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return strings.TrimSpace(string(text))
}

// noise is what other processes do beside this run.
type noise struct {
	at                time.Time
	used, stolen, own time.Duration
}

func listenToNoise() (n noise, err error) {
	n.at = time.Now()
	if n.used, n.stolen, err = process.Busy(); err != nil {
		return n, err
	}
	n.own, err = process.OwnTime()
	return n, err
}

// sinceThen returns the percentage of the machine that processes not of this
// run have used, and that the hypervisor has given away.
func (n noise) sinceThen() (others, stolen float64, err error) {
	now, err := listenToNoise()
	if err != nil {
		return 0, 0, err
	}
	all := time.Since(n.at).Seconds() * float64(runtime.NumCPU()) / 100
	used := (now.used - n.used).Seconds() - (now.own - n.own).Seconds()
	return max(0, used/all), (now.stolen - n.stolen).Seconds() / all, nil
}
