//go:build unix

package main

import "syscall"

// keepFilesPrivate makes every file that this process creates its owner's alone,
// those of the database engine as well.
func keepFilesPrivate() { syscall.Umask(0o077) }
