// Package closedloop owns the load: connections each of which sends a request,
// waits for its answer, and only then sends the next. It speaks HTTP/1.1 on raw
// keep-alive sockets, so that it costs little beside the server it measures, and
// only to this machine.
package closedloop

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keywright/keywright/bench/internal/process"
)

// Bounds of one run, whatever is asked for.
const (
	maxConnections = 1024
	maxTime        = 10 * time.Minute
	maxErrors      = 1000 // then the run ends: there is nothing to measure
	patience       = 20 * time.Second
)

// A Plan says what to send, how often and for how long. In Headers and Body
// {{i}} stands for a number that is new in each request, {{line}} for the next
// of Lines, and {{token}} for what the connection's last answer held.
type Plan struct {
	URL     string
	Method  string // empty: GET, or POST where there is a body
	Headers []string
	Body    string
	Lines   []string

	Connections int // 0: 1
	Warmup      time.Duration
	Duration    time.Duration // of what is measured
	MaxRequests int64         // 0: as many as fit

	// Chain names the member of each JSON answer that is the connection's next
	// {{token}}; Tokens are the first ones. A connection whose request failed then
	// stops: its token may be spent.
	Chain  string
	Tokens []string

	// Keep names a member to return from the answers, from at most KeepLimit of them.
	Keep      string
	KeepLimit int

	Servers []int // processes whose time is measured, with their descendants
}

// Result is what a run measured, after its warm-up.
type Result struct {
	Requests   int64   `json:"requests"`
	Errors     int64   `json:"errors"`
	FirstError string  `json:"first_error,omitempty"`
	Seconds    float64 `json:"seconds"`
	Rate       float64 `json:"requests_per_second"`
	P50        float64 `json:"p50_ms"`
	P99        float64 `json:"p99_ms"`
	Max        float64 `json:"max_ms"`
	CPU        float64 `json:"cpu_us_per_request,omitempty"` // of Plan.Servers
	Cores      float64 `json:"cores,omitempty"`              // that they kept busy

	Sent   int64    `json:"-"` // requests, the warm-up's too
	Tokens []string `json:"-"` // the last of each connection
	Kept   []string `json:"-"`
}

// run is one Plan under way.
type run struct {
	Plan
	address    string
	head, body template
	chain      *regexp.Regexp
	keep       *regexp.Regexp

	counter    atomic.Int64 // requests begun
	answered   atomic.Int64 // as they should be
	kept       atomic.Int64
	errors     atomic.Int64
	firstError atomic.Pointer[string]
	measuring  atomic.Bool
	over       chan struct{}
	end        sync.Once
}

// Run runs the plan until its time or its number of requests is over, or ctx
// ends, which is no error.
func (p Plan) Run(ctx context.Context) (Result, error) {
	r, err := p.prepare()
	if err != nil {
		return Result{}, err
	}
	connections := make([]*connection, r.Connections)
	var running sync.WaitGroup
	for i := range connections {
		c := &connection{run: r}
		if len(r.Tokens) > 0 {
			c.token = r.Tokens[i%len(r.Tokens)]
		}
		connections[i] = c
	}
	begin := func() (idle <-chan struct{}) {
		for _, c := range connections {
			running.Go(c.loop)
		}
		done := make(chan struct{})
		go func() {
			running.Wait()
			close(done)
		}()
		return done
	}
	first, last, err := r.measure(ctx, begin)
	r.stop()
	running.Wait()
	if err != nil {
		return Result{}, err
	}
	return r.result(connections, first, last), nil
}

func (p Plan) prepare() (*run, error) {
	target, err := url.Parse(p.URL)
	if err != nil {
		return nil, err
	}
	p.Connections = max(p.Connections, 1)
	ip, _ := netip.ParseAddr(target.Hostname())
	switch {
	case target.Scheme != "http" || target.Hostname() != "localhost" && !ip.IsLoopback():
		return nil, fmt.Errorf("%q is not http on this machine, the only thing that is put under load", p.URL)
	case p.Connections > maxConnections || p.Duration <= 0 || p.Warmup+p.Duration > maxTime:
		return nil, fmt.Errorf("%d connections for %v: want at most %d, for at most %v", p.Connections, p.Warmup+p.Duration, maxConnections, maxTime)
	case p.Chain != "" && len(p.Tokens) < p.Connections:
		return nil, fmt.Errorf("%d first tokens for %d connections: want one for each", len(p.Tokens), p.Connections)
	}
	r := &run{Plan: p, address: target.Host, over: make(chan struct{})}
	if target.Port() == "" {
		r.address = net.JoinHostPort(target.Hostname(), "80")
	}
	r.head, r.body = parseTemplate(p.requestHead(target)), parseTemplate(p.Body)
	r.chain, r.keep = member(p.Chain), member(p.Keep)
	if (r.head.holds(line) || r.body.holds(line)) && len(p.Lines) == 0 {
		return nil, errors.New("{{line}} stands for one of no lines")
	}
	return r, nil
}

func (p Plan) requestHead(target *url.URL) string {
	method := p.Method
	switch {
	case method == "" && p.Body == "":
		method = "GET"
	case method == "":
		method = "POST"
	}
	head := method + " " + target.RequestURI() + " HTTP/1.1\r\nHost: " + target.Host + "\r\n"
	for _, header := range p.Headers {
		head += header + "\r\n"
	}
	return head
}

// member finds a text in a JSON answer of ours, which holds no escapes.
func member(name string) *regexp.Regexp {
	if name == "" {
		return nil
	}
	return regexp.MustCompile(`"` + regexp.QuoteMeta(name) + `"\s*:\s*"([^"\\]*)"`)
}

// A snapshot is how far the run had come at one moment.
type snapshot struct {
	at       time.Time
	answered int64
	cpu      time.Duration
}

func (r *run) snapshot() (s snapshot, err error) {
	if len(r.Servers) > 0 {
		s.cpu, err = process.CPUTime(r.Servers...)
	}
	s.at, s.answered = time.Now(), r.answered.Load()
	return s, err
}

// measure returns the snapshots at the end of the warm-up and at the end. Without
// a warm-up the first request counts.
func (r *run) measure(ctx context.Context, begin func() (idle <-chan struct{})) (first, last snapshot, err error) {
	var idle <-chan struct{}
	wait := func(d time.Duration) {
		select {
		case <-time.After(d):
		case <-r.over:
		case <-idle:
		case <-ctx.Done():
		}
	}
	if r.Warmup > 0 {
		idle = begin()
		wait(r.Warmup)
	}
	if first, err = r.snapshot(); err != nil {
		return first, last, err
	}
	r.measuring.Store(true)
	if idle == nil {
		idle = begin()
	}
	wait(r.Duration)
	r.measuring.Store(false)
	last, err = r.snapshot()
	return first, last, err
}

func (r *run) stop() { r.end.Do(func() { close(r.over) }) }

func (r *run) isOver() bool {
	select {
	case <-r.over:
		return true
	default:
		return false
	}
}

func (r *run) failed(err error) {
	text := err.Error()
	r.firstError.CompareAndSwap(nil, &text)
	if r.errors.Add(1) >= maxErrors {
		r.stop()
	}
}

func (r *run) result(connections []*connection, first, last snapshot) Result {
	seconds := last.at.Sub(first.at).Seconds()
	result := Result{Requests: last.answered - first.answered, Errors: r.errors.Load(), Seconds: seconds, Sent: r.counter.Load()}
	if text := r.firstError.Load(); text != nil {
		result.FirstError = *text
	}
	cpu := (last.cpu - first.cpu).Seconds()
	if result.Requests > 0 {
		result.Rate, result.Cores = float64(result.Requests)/seconds, cpu/seconds
		result.CPU = cpu * 1e6 / float64(result.Requests)
	}
	var latencies []time.Duration
	for _, c := range connections {
		latencies = append(latencies, c.latencies...)
		result.Tokens = append(result.Tokens, c.token)
		result.Kept = append(result.Kept, c.kept...)
	}
	slices.Sort(latencies)
	result.P50, result.P99, result.Max = quantile(latencies, 0.5), quantile(latencies, 0.99), quantile(latencies, 1)
	return result
}

// quantile is in milliseconds.
func quantile(sorted []time.Duration, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	i := min(int(q*float64(len(sorted))), len(sorted)-1)
	return sorted[i].Seconds() * 1000
}
