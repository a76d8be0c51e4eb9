package password

import (
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// niceness weighs a hashing thread at 137 where others have 1,024 (sched_prio_to_weight in the kernel). Under full
// load of other work a core gives it 12 %, which is what keeps sign-in going; at 15 it would be 3 %.
const niceness = 9

// startThread runs work on a thread that runs nothing else, at a low priority. It is never unlocked: without
// privilege its priority cannot be raised again, and so it must end with work rather than go back to Go's
// scheduler. It is not the program's first, whose priority is what ps shows and which cannot end.
func startThread(work func()) {
	locked := make(chan struct{})
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			startThread(work) // which gets another thread, while this one is held
			runtime.UnlockOSThread()
			close(locked)
			return
		}
		close(locked)
		// PRIO_PROCESS with a thread's id is that thread alone. It cannot fail for one's own thread and a
		// lower priority; in a sandbox that forbids it, hashes are right all the same.
		_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), niceness)
		work()
	}()
	<-locked
}

// An arena is the memory of one thread's hashes. It lies outside Go's heap: there it would count as live, so that
// the collector let garbage grow by as much again, and would be given back late.
type arena struct {
	blocks []block
	mapped []byte // the same memory
}

// get returns n blocks, of any content, which are valid until the next call.
func (a *arena) get(n int) ([]block, error) {
	if len(a.blocks) == n {
		return a.blocks, nil
	}
	a.release()
	size := n * int(unsafe.Sizeof(block{}))
	mapped, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, fmt.Errorf("password: no memory to hash in (%d bytes): %w", size, err)
	}
	a.mapped, a.blocks = mapped, unsafe.Slice((*block)(unsafe.Pointer(&mapped[0])), n)
	return a.blocks, nil
}

// release gives the memory back.
func (a *arena) release() {
	if a.mapped != nil {
		_ = unix.Munmap(a.mapped) // fails only for what was not mapped
		*a = arena{}
	}
}
