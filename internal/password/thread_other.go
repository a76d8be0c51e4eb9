//go:build !linux

package password

import "runtime/debug"

// startThread runs work on a goroutine: elsewhere a thread's own priority is not to be had in the same way.
func startThread(work func()) { go work() }

// An arena is the memory of one thread's hashes.
type arena struct {
	blocks []block
}

// get returns n blocks, of any content, which are valid until the next call.
func (a *arena) get(n int) ([]block, error) {
	if len(a.blocks) != n {
		a.blocks = nil // first, so that both are never needed
		a.blocks = make([]block, n)
	}
	return a.blocks, nil
}

// release gives the memory back.
func (a *arena) release() {
	if a.blocks != nil {
		a.blocks = nil
		debug.FreeOSMemory()
	}
}
