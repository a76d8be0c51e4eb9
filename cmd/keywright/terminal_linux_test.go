package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// openTerminal returns both ends of a new pseudo-terminal.
func openTerminal(t *testing.T) (keyboard, terminal *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { keyboard.Close() })
	if err := unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	return keyboard, terminal
}

func TestLogIsJSONUnlessATerminalReadsIt(t *testing.T) {
	t.Parallel()
	folder := initFolder(t)
	for _, c := range []struct {
		format     string
		onTerminal bool
		begins     string
	}{
		{"auto", false, `{"time":"`},
		{"auto", true, "time="},
		{"json", true, `{"time":"`},
		{"text", false, "time="},
	} {
		address, url := freeAddress(t)
		cmd := exec.Command("keywright", "serve", "--data", folder, "--listen", address, "--issuer", url, "--log-format", c.format)
		cmd.Env = append(os.Environ(), quickRace)
		reader, writer, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		if c.onTerminal {
			reader, writer = openTerminal(t)
		}
		cmd.Stderr = writer
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(reader).ReadString('\n')
		cmd.Process.Kill()
		cmd.Wait()
		if err != nil || !strings.HasPrefix(line, c.begins) || !strings.Contains(line, "serving") {
			t.Errorf("format %s, on a terminal %v: %q, %v", c.format, c.onTerminal, line, err)
		}
	}
}
