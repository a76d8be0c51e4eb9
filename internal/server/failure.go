package server

import (
	"fmt"
	"runtime/debug"
)

// panicked makes an error of a panic, with the place where it happened.
func panicked(v any) error { return fmt.Errorf("panic: %v\n%s", v, debug.Stack()) }
