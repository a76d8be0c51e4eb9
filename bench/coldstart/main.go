// Coldstart measures the time from exec to the first answer:
//
//	coldstart -url http://localhost:8080/readyz -n 5 keywright serve --data …
//
// It starts the command n times, one after the other, and writes the
// milliseconds as JSON. The command's own output goes to standard error.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"time"

	"github.com/keywright/keywright/bench/internal/process"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "coldstart:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	url := flag.String("url", "", "what to ask for until it answers 200")
	n := flag.Int("n", 5, "how often to start")
	core := flag.Int("core", 0, "the core to run on")
	flag.Parse()
	if *url == "" || flag.NArg() == 0 || *n < 1 {
		return fmt.Errorf("want coldstart -url URL COMMAND…")
	}
	var took []float64
	for range *n {
		one, err := start(ctx, *core, *url, flag.Args())
		if err != nil {
			return err
		}
		took = append(took, float64(one.Microseconds())/1000)
	}
	slices.Sort(took)
	return json.NewEncoder(os.Stdout).Encode(struct {
		Best   float64 `json:"best_ms"`
		Median float64 `json:"median_ms"`
		Worst  float64 `json:"worst_ms"`
	}{took[0], took[len(took)/2], took[len(took)-1]})
}

func start(ctx context.Context, core int, url string, command []string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	p, err := process.Start(core, cmd)
	if err != nil {
		return 0, err
	}
	defer p.Stop()
	return p.FirstAnswer(ctx, url)
}
