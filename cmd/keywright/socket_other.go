//go:build !linux

package main

import "fmt"

func shortSocketPath(folder string) (path string, release func(), err error) {
	return "", nil, fmt.Errorf("the path of the data folder %s is too long for a socket: choose one below 90 characters", folder)
}
