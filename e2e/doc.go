// Package e2e holds no code, only tests of the whole: the built binary, real
// sockets, a real disk, kill -9.
package e2e
