package main

import (
	"fmt"
	"os"
)

// shortSocketPath names a folder by an open file, however long its path is.
func shortSocketPath(folder string) (path string, release func(), err error) {
	dir, err := os.Open(folder)
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/keywright.sock", dir.Fd()), func() { dir.Close() }, nil
}
