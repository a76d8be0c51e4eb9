// Load puts a server on this machine under load and writes what it measured as
// one line of JSON:
//
//	load -url http://localhost:8080/token -H 'Content-Type: application/x-www-form-urlencoded' \
//	     -body 'grant_type=refresh_token&client_id=direct&refresh_token={{token}}' \
//	     -chain refresh_token -tokens first.txt -c 16 -for 5s -pid 4711
//
// Pin it to a core of its own: taskset -c 1 load …
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/keywright/keywright/bench/internal/closedloop"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	var p closedloop.Plan
	flag.StringVar(&p.URL, "url", "", "what to ask for; on this machine only")
	flag.StringVar(&p.Method, "method", "", "the method; GET, or POST with a body, unless set")
	flag.StringVar(&p.Body, "body", "", "the body; {{i}}, {{line}} and {{token}} are replaced, in headers too")
	flag.IntVar(&p.Connections, "c", 16, "connections")
	flag.DurationVar(&p.Duration, "for", 5*time.Second, "how long to measure")
	flag.DurationVar(&p.Warmup, "warm", time.Second, "how long to send before")
	flag.Int64Var(&p.MaxRequests, "n", 0, "end after so many requests; 0: when the time is over")
	flag.StringVar(&p.Chain, "chain", "", "the member of an answer that is the connection's next {{token}}")
	flag.Func("H", "a header; repeat for several", func(header string) error {
		p.Headers = append(p.Headers, header)
		return nil
	})
	flag.Func("pid", "a process whose time to measure, with its descendants; repeat for several", func(text string) error {
		var pid int
		_, err := fmt.Sscan(text, &pid)
		p.Servers = append(p.Servers, pid)
		return err
	})
	flag.Func("tokens", "a file with the first {{token}} of each connection, one a line", readInto(&p.Tokens))
	flag.Func("lines", "a file whose lines are {{line}}, in turn", readInto(&p.Lines))
	flag.Parse()

	result, err := p.Run(ctx)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}

func readInto(lines *[]string) func(file string) error {
	return func(file string) error {
		text, err := os.ReadFile(file)
		*lines = strings.Split(strings.TrimSpace(string(text)), "\n")
		return err
	}
}
