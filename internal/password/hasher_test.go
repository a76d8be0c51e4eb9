package password

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

// quick is enough for tests that are not about the cost.
var quick = Params{MemoryKiB: 64, Time: 1, Threads: 1}

func newHasher(t *testing.T, o Options) *Hasher {
	t.Helper()
	h, err := New(rand.Reader, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h
}

func hashOf(t *testing.T, h *Hasher, password string) string {
	t.Helper()
	phc, err := h.Hash(t.Context(), []byte(password))
	if err != nil {
		t.Fatal(err)
	}
	return phc
}

func verifies(t *testing.T, h *Hasher, password, phc string) bool {
	t.Helper()
	ok, err := h.Verify(t.Context(), []byte(password), phc)
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

// occupy gives every thread work that lasts until the returned function is called. Only within a bubble.
func occupy(h *Hasher) (release func()) {
	end := make(chan struct{})
	for range h.threads {
		go h.do(context.Background(), func(*arena) error { <-end; return nil })
	}
	synctest.Wait()
	return func() { close(end) }
}

func TestWhatWasHashedVerifies(t *testing.T) {
	h := newHasher(t, Options{})
	phc := hashOf(t, h, "correct horse battery staple")
	if !strings.HasPrefix(phc, "$argon2id$v=19$m=19456,t=2,p=1$") || NeedsRehash(phc, DefaultParams) {
		t.Errorf("hash is %s", phc)
	}
	if !verifies(t, h, "correct horse battery staple", phc) {
		t.Error("the password does not verify")
	}
	if verifies(t, h, "correct horse battery stapler", phc) {
		t.Error("another password verifies")
	}
	if h.Hashes() != 3 {
		t.Errorf("%d hashes were counted, not 3", h.Hashes())
	}
}

func TestAPasswordIsItsExactBytes(t *testing.T) {
	h := newHasher(t, Options{Params: quick})
	different := []string{
		"", " ", "pass", " pass", "pass ", "Pass", "pass\n", "pass\x00", "p\u00e4ss", "pa\u0308ss", "\xff",
		strings.Repeat("x", 72), strings.Repeat("x", 73), strings.Repeat("x", 1024), strings.Repeat("x", 1025),
	}
	for _, hashed := range different {
		phc := hashOf(t, h, hashed)
		for _, tried := range different {
			if verifies(t, h, tried, phc) != (tried == hashed) {
				t.Errorf("%q against the hash of %q: %t", tried, hashed, tried != hashed)
			}
		}
	}
}

func TestEachHashHasItsOwnSalt(t *testing.T) {
	h := newHasher(t, Options{Params: quick})
	if a, b := hashOf(t, h, "same"), hashOf(t, h, "same"); a == b {
		t.Errorf("both are %s", a)
	}
}

func TestNoSaltNoHash(t *testing.T) {
	broken := errors.New("no entropy")
	for _, random := range []io.Reader{iotest.ErrReader(broken), bytes.NewReader(make([]byte, saltSize-1))} {
		h, err := New(random, Options{Params: quick})
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		if phc, err := h.Hash(t.Context(), []byte("password")); err == nil || phc != "" {
			t.Errorf("Hash = %q, %v", phc, err)
		}
	}
}

func TestAnAbsentUserCostsTheSameAndNeverVerifies(t *testing.T) {
	h := newHasher(t, Options{})
	present := hashOf(t, h, "password")
	took := func(phc string) time.Duration {
		fastest := time.Hour
		for range 3 {
			start := time.Now()
			if verifies(t, h, "wrong password", phc) {
				t.Errorf("verified against %q", phc)
			}
			fastest = min(fastest, time.Since(start))
		}
		return fastest
	}
	before := h.Hashes()
	t.Logf("fastest of three: present %v, absent %v", took(present), took(""))
	if done := h.Hashes() - before; done != 6 {
		t.Errorf("%d hashes for 6 sign-ins", done)
	}
}

func TestAStoredHashThatIsNoneIsAnError(t *testing.T) {
	h := newHasher(t, Options{Params: quick})
	if ok, err := h.Verify(t.Context(), []byte("plain"), "plain"); ok || err == nil || errors.Is(err, ErrBusy) {
		t.Errorf("Verify = %t, %v", ok, err)
	}
	if h.Hashes() != 0 {
		t.Error("it cost a hash")
	}
}

func TestAThousandCallersNeverHashOnMoreThanTheThreads(t *testing.T) {
	h := newHasher(t, Options{Params: quick, Threads: 3, Waiting: 1000})
	var now, most atomic.Int64
	var callers sync.WaitGroup
	for range 1000 {
		callers.Go(func() {
			err := h.do(t.Context(), func(memory *arena) error {
				n := now.Add(1)
				defer now.Add(-1)
				for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				}
				_, err := (&argon2idHash{quick, make([]byte, 16), make([]byte, 32)}).matches(memory, nil)
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	callers.Wait()
	if most.Load() > 3 || h.Hashes() != 1000 {
		t.Errorf("%d at once, %d hashes", most.Load(), h.Hashes())
	}
}

func TestAThousandWrongPasswordsAtOnceCostNoMoreThanTheQueueHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHasher(t, Options{Params: quick, Threads: 2, Waiting: 64})
		release := occupy(h)
		var busy atomic.Int64
		var callers sync.WaitGroup
		for range 1000 {
			callers.Go(func() {
				if _, err := h.Verify(t.Context(), []byte("guess"), ""); errors.Is(err, ErrBusy) {
					busy.Add(1)
				}
			})
		}
		synctest.Wait()
		release()
		callers.Wait()
		if busy.Load() != 1000-64 || h.Hashes() != 2+64 {
			t.Errorf("%d refused, %d hashes", busy.Load(), h.Hashes())
		}
	})
}

func TestAFullQueueAnswersBusyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHasher(t, Options{Params: quick, Threads: 1, Waiting: 2})
		defer occupy(h)()
		for range 2 {
			go h.Hash(t.Context(), []byte("waits"))
		}
		synctest.Wait()
		start := time.Now()
		if _, err := h.Hash(t.Context(), []byte("one too many")); !errors.Is(err, ErrBusy) {
			t.Errorf("Hash: %v", err)
		}
		if waited := time.Since(start); waited != 0 {
			t.Errorf("after %v", waited)
		}
	})
}

func TestWaitingEndsAfterThePatienceOrTheCallersDeadline(t *testing.T) {
	for _, c := range []struct {
		name           string
		patience       time.Duration
		deadline, want time.Duration
	}{
		{"patience by default", 0, time.Hour, 10 * time.Second},
		{"patience", 3 * time.Second, time.Hour, 3 * time.Second},
		{"the caller's deadline", 0, 2 * time.Second, 2 * time.Second},
		{"a deadline in the past", 0, -time.Second, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHasher(t, Options{Params: quick, Threads: 1, Patience: c.patience})
				release := occupy(h)
				ctx, cancel := context.WithTimeout(t.Context(), c.deadline)
				defer cancel()
				start := time.Now()
				if _, err := h.Verify(ctx, []byte("late"), ""); !errors.Is(err, ErrBusy) {
					t.Errorf("Verify: %v", err)
				}
				if waited := time.Since(start); waited != c.want {
					t.Errorf("waited %v, not %v", waited, c.want)
				}
				release()
				synctest.Wait()
				if h.Hashes() != 1 {
					t.Error("who gave up cost a hash")
				}
			})
		})
	}
}

func TestCancelledCallersCostNoHash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHasher(t, Options{Params: quick, Threads: 2, Waiting: 50})
		release := occupy(h)
		ctx, cancel := context.WithCancel(t.Context())
		var callers sync.WaitGroup
		for range 50 {
			callers.Go(func() {
				if _, err := h.Verify(ctx, []byte("leaves"), ""); !errors.Is(err, context.Canceled) {
					t.Errorf("Verify: %v", err)
				}
			})
		}
		synctest.Wait()
		cancel()
		callers.Wait()
		release()
		synctest.Wait()
		if h.Hashes() != 2 {
			t.Errorf("%d hashes, not the 2 that were running", h.Hashes())
		}
		hashOf(t, h, "stays")
	})
}

func TestAHashThatHasBegunIsFinishedForItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHasher(t, Options{Params: quick, Threads: 1})
		ctx, cancel := context.WithCancel(t.Context())
		var returned atomic.Bool
		end := make(chan struct{})
		go func() {
			if err := h.do(ctx, func(*arena) error { <-end; return nil }); err != nil {
				t.Errorf("do: %v", err)
			}
			returned.Store(true)
		}()
		synctest.Wait()
		cancel()
		synctest.Wait()
		if returned.Load() {
			t.Error("the caller has its password back while it is read")
		}
		close(end)
	})
}

func TestMemoryIsKeptForASecondAndThenGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHasher(t, Options{Params: quick, Threads: 1})
		var used *arena
		for i := range 3 {
			err := h.do(t.Context(), func(memory *arena) error {
				if kept := memory.blocks != nil; kept != (i > 0) {
					t.Errorf("before hash %d the memory is there: %t", i, kept)
				}
				used = memory
				_, err := memory.get(1000)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(keepMemory - 1)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if used.blocks != nil {
			t.Error("the memory is kept")
		}
	})
}

func TestAClosedHasherIsBusyAndLeavesNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHasher(t, Options{Params: quick, Threads: 1})
		release := occupy(h)
		var callers sync.WaitGroup
		for range 10 {
			callers.Go(func() {
				if _, err := h.Hash(t.Context(), []byte("waits")); !errors.Is(err, ErrBusy) {
					t.Errorf("Hash: %v", err)
				}
			})
		}
		synctest.Wait()
		go h.Close()
		callers.Wait()
		release()
		h.Close()
		if _, err := h.Hash(t.Context(), []byte("later")); !errors.Is(err, ErrBusy) {
			t.Errorf("Hash after Close: %v", err)
		}
		if h.Hashes() != 1 {
			t.Errorf("%d hashes", h.Hashes())
		}
	})
}

func TestOptionsOutOfBoundsAreRefused(t *testing.T) {
	for _, o := range []Options{
		{Params: Params{MemoryKiB: 19456, Time: 2}},
		{Params: Params{MemoryKiB: 7, Time: 2, Threads: 1}},
		{Params: Params{MemoryKiB: 2 << 20, Time: 1, Threads: 1}},
		{Threads: -1}, {Waiting: -1}, {Patience: -1},
	} {
		if h, err := New(rand.Reader, o); err == nil {
			h.Close()
			t.Errorf("%+v is accepted", o)
		}
	}
}

func BenchmarkHashByFourCallers(b *testing.B) {
	h, err := New(rand.Reader, Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer h.Close()
	b.SetParallelism(4)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := h.Hash(b.Context(), []byte("correct horse")); err != nil {
				b.Error(err)
			}
		}
	})
}

func TestNewHashesLeaveHalfOfTheQueueToSignIns(t *testing.T) {
	h, busy := New(rand.Reader, Options{Params: Params{MemoryKiB: 8, Time: 1, Threads: 1}, Threads: 1, Waiting: 8})
	if busy != nil {
		t.Fatal(busy)
	}
	defer h.Close()
	started, release := make(chan struct{}), make(chan struct{})
	go h.do(t.Context(), func(*arena) error { close(started); <-release; return nil })
	<-started
	refused := make(chan error, 20)
	for range cap(refused) {
		go func() {
			_, err := h.Hash(t.Context(), []byte("a new password"))
			refused <- err
		}()
	}
	for range cap(refused) - 4 {
		if err := <-refused; !errors.Is(err, ErrBusy) {
			t.Errorf("a new hash is not refused: %v", err)
		}
	}
	verified := make(chan error)
	go func() {
		_, err := h.Verify(t.Context(), []byte("a password"), "")
		verified <- err
	}()
	close(release)
	if err := <-verified; err != nil {
		t.Errorf("a sign-in is refused: %v", err)
	}
}

func TestWhoeverWantsToKnowIsToldHowManyThreadsWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at atomic.Int64
		h := newHasher(t, Options{Params: quick, Threads: 2, AtWork: func(threads int) { at.Add(int64(threads)) }})
		release := occupy(h)
		if n := at.Load(); n != 2 {
			t.Errorf("%d threads work, not 2", n)
		}
		release()
		synctest.Wait()
		if n := at.Load(); n != 2 {
			t.Errorf("%d threads work right after, not 2", n)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if n := at.Load(); n != 0 {
			t.Errorf("%d threads work though all are idle", n)
		}
	})
}
