// Run is `make bench`: it builds Keywright, starts it on this machine beside
// what the hardware and net/http cost, measures both in turn, and writes a table
// in Markdown. README.md beside it says how to read that.
//
//	go run ./bench/run
//	go run ./bench/run -only 'tokens|rotation' -rounds 1
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"time"

	"github.com/keywright/keywright/bench/internal/process"
)

// The server has one core, whoever measures it the other.
const (
	serverCore = 0
	loadCore   = 1
)

type options struct {
	rounds int
	span   time.Duration // of one measurement
	only   *regexp.Regexp
	folder string // for everything temporary; empty: the system's
	keep   bool
	binary string // measured instead of a fresh build
	flags  string // added to keywright serve
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func parseFlags() options {
	o := options{only: regexp.MustCompile("")}
	flag.IntVar(&o.rounds, "rounds", 3, "how often to measure, in turn with the floor; the best counts")
	flag.DurationVar(&o.span, "for", 2*time.Second, "how long one measurement takes")
	flag.StringVar(&o.folder, "dir", "", "where to put data and binaries: on the disk to measure")
	flag.BoolVar(&o.keep, "keep", false, "leave them there")
	flag.StringVar(&o.binary, "keywright", "", "measure this binary instead of building one")
	flag.StringVar(&o.flags, "flags", "", "more flags for keywright serve, separated by spaces")
	flag.Func("only", "run only the sections whose name matches", func(text string) (err error) {
		o.only, err = regexp.Compile(text)
		return err
	})
	flag.Parse()
	return o
}

func run(ctx context.Context, out, progress io.Writer) error {
	b := &bench{options: parseFlags(), progress: progress}
	noise, err := listenToNoise()
	if err != nil {
		return err
	}
	defer b.close()
	if err := b.prepare(ctx); err != nil {
		return err
	}
	// From here on this process is the load.
	runtime.GOMAXPROCS(1)
	if err := process.MoveTo(loadCore); err != nil {
		return err
	}
	if err := b.start(ctx); err != nil {
		return err
	}
	for _, s := range b.sections() {
		if !b.only.MatchString(s.name) {
			continue
		}
		fmt.Fprintf(progress, "%s …\n", s.name)
		if err := s.measure(ctx); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	b.close()
	return b.write(out, noise)
}

// A section measures one or more rows.
type section struct {
	name    string
	measure func(context.Context) error
}

// sections are in an order that lets one use what another made: rotation yields
// the access tokens to read with, and memory comes after all load.
func (b *bench) sections() []section {
	return []section{
		{"idle", b.measureIdle},
		{"tokens", b.measureTokens},
		{"verifier", b.measureVerifier},
		{"documents", b.measureDocuments},
		{"rotation", b.measureRotation},
		{"profile", b.measureProfile},
		{"introspection", b.measureIntrospection},
		{"sign-on", b.measureSignOn},
		{"sign-in", b.measureSignIn},
		{"storm", b.measureStorm},
		{"memory", b.measureMemory},
		{"cold start", b.measureColdStart},
		{"size", b.measureSize},
	}
}
