package password

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestAHashIsComputedOnAThreadOfLowPriority(t *testing.T) {
	h := newHasher(t, Options{Threads: 2})
	for range 3 {
		err := h.do(t.Context(), func(memory *arena) error {
			if unix.Gettid() == unix.Getpid() {
				t.Error("on the program's first thread")
			}
			// The system call answers 20 less the niceness.
			if p, err := unix.Getpriority(unix.PRIO_PROCESS, unix.Gettid()); err != nil || 20-p != niceness {
				t.Errorf("niceness %d, %v", 20-p, err)
			}
			before := threadTime()
			if _, err := (&argon2idHash{DefaultParams, make([]byte, 16), make([]byte, 32)}).matches(memory, nil); err != nil {
				return err
			}
			if spent := threadTime() - before; spent < 5*time.Millisecond {
				t.Errorf("the thread worked for %v: another one does the hashing", spent)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func threadTime() time.Duration {
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &used); err != nil {
		panic(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func TestAThreadOfLowPriorityEndsWithItsHasher(t *testing.T) {
	h := newHasher(t, Options{Params: quick, Threads: 1})
	var thread string
	err := h.do(t.Context(), func(*arena) error {
		thread = fmt.Sprintf("/proc/self/task/%d", unix.Gettid())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Close()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); runtime.Gosched() {
		if _, err := os.Stat(thread); os.IsNotExist(err) {
			return
		}
	}
	t.Error("the thread lives on, for anything to run on it")
}

func TestAThreadIsNeverTheProgramsFirst(t *testing.T) {
	for range 100 {
		ended := make(chan struct{})
		startThread(func() {
			if unix.Gettid() == unix.Getpid() {
				t.Error("it is")
			}
			close(ended)
		})
		<-ended
	}
}

func TestMemoryThatCannotBeHadIsAnError(t *testing.T) {
	var memory arena
	if _, err := memory.get(math.MaxInt >> 10); err == nil {
		t.Error("the whole address space was had")
	}
	if blocks, err := memory.get(8); err != nil || len(blocks) != 8 {
		t.Errorf("%d blocks, %v", len(blocks), err)
	}
	memory.release()
	memory.release()
}
