// Floor is what the hardware, Go's standard library and net/http cost: whatever
// a sign-in server does on top of it is measured against it.
//
//	floor serve -listen 127.0.0.1:7000     /json /sign /edsign /verify over HTTP
//	floor hash -for 3s                     Argon2id, one after the other
//	floor commit -in DIR -for 1s           durable appends to a file, one after the other
//
// hash and commit write their figures as JSON.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/keywright/keywright/bench/internal/process"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("want floor serve, floor hash or floor commit")
	}
	flags := flag.NewFlagSet(args[0], flag.ExitOnError)
	listen := flags.String("listen", "127.0.0.1:7000", "where to serve")
	secret := flags.String("secret", "client-secret-0123456789abcdef0123", "of the client bench")
	folder := flags.String("in", os.TempDir(), "the folder to append in")
	span := flags.Duration("for", 3*time.Second, "how long to measure")
	flags.Parse(args[1:])
	switch args[0] {
	case "serve":
		return serve(*listen, *secret)
	case "hash":
		return report(*span, hash)
	case "commit":
		file, err := os.CreateTemp(*folder, "commit")
		if err != nil {
			return err
		}
		defer os.Remove(file.Name())
		defer file.Close()
		return report(*span, func() error { return commit(file) })
	}
	return fmt.Errorf("there is no floor %s", args[0])
}

// report does one thing again and again, and writes how often it could be done
// and what one cost.
func report(span time.Duration, do func() error) error {
	start, n := time.Now(), 0.0
	for time.Since(start) < span {
		if err := do(); err != nil {
			return err
		}
		n++
	}
	seconds := time.Since(start).Seconds()
	cpu, err := process.OwnTime()
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]float64{
		"per_second": n / seconds, "ms": seconds * 1000 / n, "cpu_ms": cpu.Seconds() * 1000 / n,
	})
}

var salt = make([]byte, 16)

// hash costs what OWASP's Password Storage Cheat Sheet asks for.
func hash() error {
	argon2.IDKey([]byte("correct horse battery staple"), salt, 2, 19*1024, 1, 32)
	return nil
}

// commit makes one page durable, as a write-ahead log does: SQLite's frame is a
// page of 4,096 bytes behind a header of 24.
func commit(file *os.File) error {
	var frame [4096 + 24]byte
	if _, err := file.Write(frame[:]); err != nil {
		return err
	}
	return file.Sync()
}
