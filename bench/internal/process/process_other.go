//go:build !linux

package process

import (
	"errors"
	"time"
)

var errLinuxOnly = errors.New("measuring needs Linux: cores are set and read by its means")

type cpuSet struct{}

func only(int) *cpuSet               { return nil }
func affinity() (*cpuSet, error)     { return nil, errLinuxOnly }
func setAffinity(int, *cpuSet) error { return errLinuxOnly }

// MoveTo needs Linux.
func MoveTo(int) error { return errLinuxOnly }

// CPUTime needs Linux.
func CPUTime(...int) (time.Duration, error) { return 0, errLinuxOnly }

// Memory needs Linux.
func Memory(int) (now, most int64, err error) { return 0, 0, errLinuxOnly }

// Busy needs Linux.
func Busy() (used, stolen time.Duration, err error) { return 0, 0, errLinuxOnly }

// OwnTime needs Linux.
func OwnTime() (time.Duration, error) { return 0, errLinuxOnly }
