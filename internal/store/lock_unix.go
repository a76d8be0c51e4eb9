//go:build unix

package store

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// A folderLock marks a folder as one process's own. The kernel drops it when
// the process ends, however it ends.
type folderLock struct{ file *os.File }

func lockFolder(folder string) (*folderLock, error) {
	file, err := os.OpenFile(filepath.Join(folder, "keywright.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, ErrFolderInUse
		}
		return nil, err
	}
	return &folderLock{file}, nil
}

func (l *folderLock) release() error { return l.file.Close() }
