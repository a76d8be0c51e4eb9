package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/settings"
)

// process is a keywright that runs beside the test.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	output lockedBuffer // of both streams
	ended  chan struct{}
}

type lockedBuffer struct {
	lock sync.Mutex
	text strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.lock.Lock()
	defer b.lock.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.lock.Lock()
	defer b.lock.Unlock()
	return b.text.String()
}

// start starts keywright and ends it with the test.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command("keywright", args...), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	p.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), quickRace}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.cmd.Process.Kill()
		<-p.ended
		if t.Failed() {
			t.Logf("keywright %s:\n%s", strings.Join(args, " "), p.output.String())
		}
	})
	return p
}

// startReady starts keywright and waits until the server at url is ready.
func startReady(t *testing.T, web *http.Client, url string, args ...string) *process {
	t.Helper()
	p := start(t, args...)
	if err := untilReady(web, url); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// exit waits for the process to end and checks its code.
func (p *process) exit(want int) {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(30 * time.Second):
		p.t.Fatal("it does not end")
	}
	if got := p.cmd.ProcessState.ExitCode(); got != want {
		p.t.Fatalf("exit code %d, want %d", got, want)
	}
}

// eventually waits until text is in the output.
func (p *process) eventually(text string) {
	p.t.Helper()
	for began := time.Now(); !strings.Contains(p.output.String(), text); time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > 30*time.Second {
			p.t.Fatalf("%q does not come", text)
		}
	}
}

// keywright runs one command, which must succeed.
func keywright(t *testing.T, args ...string) (output string) {
	t.Helper()
	p := start(t, args...)
	p.exit(exitOK)
	return p.output.String()
}

func initFolder(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir() + "/data"
	keywright(t, "init", "--data", folder)
	return folder
}

// freeAddress returns an address that nobody listens on, and its URL.
func freeAddress(t *testing.T) (address, url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return l.Addr().String(), "http://localhost:" + port
}

// beginPost sends the header of a request and returns once the server waits for
// the body.
func beginPost(t *testing.T, url, path, contentType string, length int) net.Conn {
	t.Helper()
	host := strings.TrimPrefix(url, "http://")
	conn, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", path, host, contentType, length)
	const proceed = "HTTP/1.1 100 Continue\r\n\r\n"
	answer := make([]byte, len(proceed))
	if _, err := io.ReadFull(conn, answer); err != nil || string(answer) != proceed {
		t.Fatalf("%q, %v", answer, err)
	}
	return conn
}

func TestStopSignalDrainsBeforeTheListenerCloses(t *testing.T) {
	t.Parallel()
	folder := initFolder(t)
	address, url := freeAddress(t)
	p := startReady(t, http.DefaultClient, url, "serve", "--data", folder, "--listen", address, "--issuer", url, "--direct-origins", url)
	const body = `{"email":"ada@example.com","password":"analytical engine"}`
	underWay := beginPost(t, url, "/login", "application/json", len(body))

	p.signal(syscall.SIGTERM)
	p.eventually(`"stopping"`)
	fresh := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for path, want := range map[string]int{"/readyz": 503, "/livez": 200, "/.well-known/openid-configuration": 200} {
		resp, err := fresh.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("while draining, %s answers %d, want %d", path, resp.StatusCode, want)
		}
	}
	// Commands still find their server, and do not wait for its end.
	keywright(t, "client", "add", "--id", "late", "--data", folder)
	select {
	case <-p.ended:
		t.Error("the server ended before its request under way")
	default:
	}

	fmt.Fprint(underWay, body)
	var answer bytes.Buffer
	if _, err := answer.ReadFrom(underWay); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(answer.String(), "HTTP/1.1 401 ") {
		t.Errorf("the request under way got %q", answer.String())
	}
	p.exit(exitOK)
	if shown := keywright(t, "client", "list", "--data", folder); !strings.Contains(shown, "late") {
		t.Errorf("the client added while draining is lost: %s", shown)
	}
}

func TestSecondSignalForces(t *testing.T) {
	t.Parallel()
	folder := initFolder(t)
	address, url := freeAddress(t)
	for _, args := range [][]string{
		{"serve", "--data", folder, "--listen", address, "--issuer", url},
		{"dev", "--data", folder, "--listen", address},
	} {
		p := startReady(t, http.DefaultClient, url, args...)
		beginPost(t, url, "/token", "application/x-www-form-urlencoded", 9)
		p.signal(syscall.SIGTERM)
		p.eventually(`"stopping"`)
		p.signal(os.Interrupt)
		p.exit(exitUnclean)
		p.eventually("stopped at once by a second signal")
	}
}

func TestHangupDoesNotEndTheServer(t *testing.T) {
	t.Parallel()
	folder := initFolder(t)
	address, url := freeAddress(t)
	p := startReady(t, http.DefaultClient, url, "serve", "--data", folder, "--listen", address, "--issuer", url)
	p.signal(syscall.SIGHUP)
	p.eventually("no TLS certificate to reload")
	if err := untilReady(http.DefaultClient, url); err != nil {
		t.Error(err)
	}
}

func TestServeWaitsForACommandToLeaveTheFolder(t *testing.T) {
	t.Parallel()
	folder := initFolder(t)
	address, url := freeAddress(t)
	held, err := claimStore(t.Context(), &settings.Settings{Data: folder}, false)
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, "serve", "--data", folder, "--listen", address, "--issuer", url)
	waiting := start(t, "client", "list", "--data", folder)
	// Its port is open while it waits, so that nobody is turned away.
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
			break
		}
		if time.Since(began) > 30*time.Second {
			t.Fatal(err)
		}
	}
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
	waiting.exit(exitOK)
	if err := untilReady(http.DefaultClient, url); err != nil {
		t.Fatal(err)
	}
	p.signal(syscall.SIGTERM)
	p.exit(exitOK)
}
