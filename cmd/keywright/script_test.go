package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/keywright/keywright/internal/store/storetest"
)

// TestMain lets the test binary be keywright itself, so that every script runs
// real processes.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"keywright": main})
}

// quickRace lets processes with the race detector end without a pause of a second.
const quickRace = "GORACE=atexit_sleep_ms=0"

func TestCommandLine(t *testing.T) { runScripts(t, "testdata", prepare) }

func TestCommandLineOnPostgreSQL(t *testing.T) {
	if os.Getenv(storetest.PostgresVariable) == "" {
		t.Skip(storetest.PostgresVariable + " is not set")
	}
	runScripts(t, "testdata/postgres", func(env *testscript.Env) error {
		env.Setenv("KEYWRIGHT_DATABASE_URL", storetest.Postgres(t).DatabaseURL)
		return prepare(env)
	})
}

// runScripts ends a script that waits for a server that should not have started.
func runScripts(t *testing.T, folder string, setup func(*testscript.Env) error) {
	testscript.Run(t, testscript.Params{
		Dir: folder, Cmds: scriptCommands, Setup: setup, Deadline: time.Now().Add(3 * time.Minute),
		RequireExplicitExec: true, RequireUniqueNames: true,
	})
}

// prepare gives a script two addresses that nobody listens on.
func prepare(env *testscript.Env) error {
	env.Vars = append(env.Vars, quickRace)
	for _, name := range []string{"", "OTHER_"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		env.Setenv(name+"ADDRESS", l.Addr().String())
		env.Setenv(name+"PORT", strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
		env.Setenv(name+"URL", fmt.Sprintf("http://localhost:%d", l.Addr().(*net.TCPAddr).Port))
		if err := l.Close(); err != nil {
			return err
		}
	}
	return nil
}

// scriptCommands are what the scripts can do beside testscript's own.
var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"exits":    exits,
	"ready":    ready,
	"http":     request,
	"mode":     mode,
	"parallel": parallel,
	"capture":  capture,
	"write":    write,
}

// exits CODE PROGRAM [ARG]... runs a program, which must end with exactly that code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	if ended, ok := errors.AsType[*exec.ExitError](err); ok {
		got = ended.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// ready URL waits until the server there is ready.
func ready(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(untilReady(http.DefaultClient, args[0]))
}

func untilReady(web *http.Client, url string) (err error) {
	for began := time.Now(); time.Since(began) < 30*time.Second; time.Sleep(5 * time.Millisecond) {
		var resp *http.Response
		if resp, err = web.Get(url + "/readyz"); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
	}
	return fmt.Errorf("%s is not ready: %w", url, err)
}

// http STATUS METHOD URL [JSON [HEADER:VALUE]...] shows the answer's body as stdout.
func request(ts *testscript.TestScript, _ bool, args []string) {
	body := ""
	if len(args) > 3 {
		body = args[3]
	}
	req, err := http.NewRequest(args[1], args[2], strings.NewReader(body))
	ts.Check(err)
	req.Header.Set("Content-Type", "application/json")
	for _, header := range args[min(4, len(args)):] {
		name, value, _ := strings.Cut(header, ":")
		if name == "Host" {
			req.Host = value
		}
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	ts.Check(err)
	ts.Stdout().Write(answer)
	if strconv.Itoa(resp.StatusCode) != args[0] {
		ts.Fatalf("%s %s answers %d %s, want %s", args[1], args[2], resp.StatusCode, answer, args[0])
	}
}

// mode OCTAL FILE... checks permissions.
func mode(ts *testscript.TestScript, _ bool, args []string) {
	for _, file := range args[1:] {
		info, err := os.Stat(ts.MkAbs(file))
		ts.Check(err)
		if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[0] {
			ts.Fatalf("%s has mode %s, want %s", file, got, args[0])
		}
	}
}

// parallel N PROGRAM [ARG]... runs a program N times at once, with {} replaced
// by 1 to N. All must succeed.
func parallel(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	path, err := exec.LookPath(args[1])
	ts.Check(err)
	failures := make([]error, n)
	var running sync.WaitGroup
	for i := range n {
		cmd := exec.Command(path, strings.Split(strings.ReplaceAll(strings.Join(args[2:], "\x00"), "{}", strconv.Itoa(i+1)), "\x00")...)
		cmd.Dir = ts.MkAbs(".")
		cmd.Env = append(os.Environ(), quickRace, "KEYWRIGHT_DATABASE_URL="+ts.Getenv("KEYWRIGHT_DATABASE_URL"))
		running.Go(func() {
			if out, err := cmd.CombinedOutput(); err != nil {
				failures[i] = fmt.Errorf("%w: %s", err, out)
			}
		})
	}
	running.Wait()
	ts.Check(errors.Join(failures...))
}

// capture NAME MEMBER sets a variable to a member of the JSON object on stdout,
// of the first one in a list.
func capture(ts *testscript.TestScript, _ bool, args []string) {
	text := strings.TrimPrefix(ts.ReadFile("stdout"), "[")
	var object map[string]any
	ts.Check(json.NewDecoder(strings.NewReader(text)).Decode(&object))
	value, ok := object[args[1]].(string)
	if !ok {
		ts.Fatalf("there is no text %s in %v", args[1], object)
	}
	ts.Setenv(args[0], value)
}

// write FILE TEXT writes exactly the text, in which \n, \r and \xff may stand.
func write(ts *testscript.TestScript, _ bool, args []string) {
	text, err := strconv.Unquote(`"` + args[1] + `"`)
	ts.Check(err)
	file := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(filepath.Dir(file), 0o700))
	ts.Check(os.WriteFile(file, []byte(text), 0o600))
}
