package password

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// ErrBusy means that nothing was computed, since too many others wait or the wait was too long: 503 and Retry-After.
var ErrBusy = errors.New("password: too many sign-ins at once, try again in a few seconds")

// Options of a Hasher. A zero field stands for its default.
type Options struct {
	Params   Params        // of new hashes; DefaultParams
	Threads  int           // hashes computed at once; as many as GOMAXPROCS, at most 4
	Waiting  int           // requests that may wait for a thread; 128
	Patience time.Duration // how long one waits; 10 s
	// AtWork is told 1 when a thread begins to work and -1 when it has been idle for a second; nil is not told.
	// Several threads may call it at once.
	AtWork func(threads int)
}

const (
	defaultMaxThreads = 4
	defaultWaiting    = 128
	defaultPatience   = 10 * time.Second

	keepMemory = time.Second // a thread gives its memory back after so long without work
)

// A Hasher computes password hashes on threads of its own.
type Hasher struct {
	params   Params
	random   io.Reader
	threads  int
	patience time.Duration
	atWork   func(threads int)

	queue   chan *request
	making  chan struct{} // a place for each new hash under way or waiting
	closed  chan struct{}
	close   func()
	running sync.WaitGroup
	hashes  atomic.Uint64
}

// New starts the threads. Salts are read from random, which must be safe for concurrent use
// (crypto/rand.Reader). The error says which of the options' params is out of bounds.
func New(random io.Reader, o Options) (*Hasher, error) {
	o = o.withDefaults()
	if err := o.Params.check(); err != nil {
		return nil, err
	}
	if o.Threads < 1 || o.Waiting < 1 || o.Patience < 0 {
		return nil, fmt.Errorf("password: %d threads, %d waiting, patience %v: none can be negative", o.Threads, o.Waiting, o.Patience)
	}
	h := &Hasher{
		params:   o.Params,
		random:   random,
		threads:  o.Threads,
		patience: o.Patience,
		atWork:   o.AtWork,
		queue:    make(chan *request, o.Waiting),
		making:   make(chan struct{}, max(1, o.Waiting/2)),
		closed:   make(chan struct{}),
	}
	h.close = sync.OnceFunc(func() { close(h.closed) })
	for range h.threads {
		h.running.Add(1)
		startThread(h.serve)
	}
	return h, nil
}

func (o Options) withDefaults() Options {
	if o.Params == (Params{}) {
		o.Params = DefaultParams
	}
	if o.Threads == 0 {
		o.Threads = min(runtime.GOMAXPROCS(0), defaultMaxThreads)
	}
	if o.Waiting == 0 {
		o.Waiting = defaultWaiting
	}
	if o.Patience == 0 {
		o.Patience = defaultPatience
	}
	if o.AtWork == nil {
		o.AtWork = func(int) {}
	}
	return o
}

// Hash makes the string to store for a password, with a new salt. New hashes fill at most half of the queue:
// whoever registers without end keeps nobody from signing in. The error is ErrBusy, also when the deadline of
// ctx passes before a thread is free; context.Canceled, when the caller left; or that of the source of randomness
// or of memory.
func (h *Hasher) Hash(ctx context.Context, password []byte) (phc string, err error) {
	select {
	case h.making <- struct{}{}:
		defer func() { <-h.making }()
	default:
		return "", ErrBusy
	}
	made := &argon2idHash{Params: h.params, salt: make([]byte, saltSize)}
	if _, err := io.ReadFull(h.random, made.salt); err != nil {
		return "", fmt.Errorf("password: no salt: %w", err)
	}
	err = h.do(ctx, func(memory *arena) error {
		blocks, err := memory.get(h.params.blocks())
		if err == nil {
			made.key = h.params.key(blocks, password, made.salt, keySize)
		}
		return err
	})
	if err != nil {
		return "", err
	}
	return made.String(), nil
}

// Verify reports whether phc, as stored, is a hash of exactly this password. An empty phc stands for an absent
// user, or one without a password: the work of a hash with the Hasher's params, and false. (A present user costs
// just that, too, unless NeedsRehash.) Errors are as of Hash, or say that phc is none that this package accepts.
func (h *Hasher) Verify(ctx context.Context, password []byte, phc string) (ok bool, err error) {
	var expected stored = &argon2idHash{h.params, make([]byte, saltSize), make([]byte, keySize)}
	if phc != "" {
		if expected, err = parse(phc); err != nil {
			return false, err
		}
	}
	err = h.do(ctx, func(memory *arena) (err error) {
		ok, err = expected.matches(memory, password)
		return err
	})
	return ok && phc != "" && err == nil, err
}

// Hashes is how many hashes were computed since New, whatever came of them.
func (h *Hasher) Hashes() uint64 { return h.hashes.Load() }

// Threads is how many hashes are computed at once, and so by how much GOMAXPROCS should be raised.
func (h *Hasher) Threads() int { return h.threads }

// Close ends the threads, after the hash that each is computing. Who waits gets ErrBusy, as does who comes later.
func (h *Hasher) Close() {
	h.close()
	h.running.Wait()
}

// A request is work that waits for a thread. Either a thread takes it, or its caller when it gives up.
type request struct {
	work  func(*arena) error
	taken atomic.Bool
	err   error
	done  chan struct{}
}

func (r *request) take() bool { return r.taken.CompareAndSwap(false, true) }

// do runs work on one of the threads. When it returns, work is over or will never run.
func (h *Hasher) do(ctx context.Context, work func(*arena) error) error {
	ctx, cancel := context.WithTimeout(ctx, h.patience)
	defer cancel()
	if h.over(ctx) {
		return refusal(ctx)
	}
	r := &request{work: work, done: make(chan struct{})}
	select {
	case h.queue <- r:
	default:
		return ErrBusy
	}
	select {
	case <-r.done:
	case <-ctx.Done():
	case <-h.closed:
	}
	if r.take() {
		return refusal(ctx)
	}
	<-r.done
	return r.err
}

func (h *Hasher) over(ctx context.Context) bool {
	select {
	case <-h.closed:
		return true
	default:
		return ctx.Err() != nil
	}
}

func refusal(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	return ErrBusy
}

// serve is what each thread does.
func (h *Hasher) serve() {
	defer h.running.Done()
	var memory arena
	working := false
	rest := func() {
		memory.release()
		if working {
			h.atWork(-1)
			working = false
		}
	}
	defer rest()
	idle := time.NewTimer(keepMemory)
	for {
		select {
		case <-h.closed:
			return
		case <-idle.C:
			rest()
		case r := <-h.queue:
			if !working {
				h.atWork(1)
				working = true
			}
			if r.take() {
				r.err = r.work(&memory)
				h.hashes.Add(1)
				close(r.done)
			}
			idle.Reset(keepMemory)
		}
	}
}

// Outdated reports whether phc should be replaced at the next sign-in, when the password is at hand, since new
// hashes cost something else.
func (h *Hasher) Outdated(phc string) bool { return NeedsRehash(phc, h.params) }
