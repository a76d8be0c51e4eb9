package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// makeRun starts the README's first command on free ports.
func makeRun(t *testing.T, keywrightPort, apiPort string) (cmd *exec.Cmd, out *lockedBuffer) {
	t.Helper()
	cmd = exec.Command("make", "run", "LISTEN=127.0.0.1:"+keywrightPort, "API_LISTEN=127.0.0.1:"+apiPort)
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), "KEYWRIGHT_DATA="+t.TempDir())
	out = &lockedBuffer{}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	return cmd, out
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
}

// waitFor asks until a text appears in what a command has printed.
func waitFor(t *testing.T, out *lockedBuffer, text string) {
	t.Helper()
	for deadline := time.Now().Add(3 * time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if strings.Contains(out.String(), text) {
			return
		}
	}
	t.Fatalf("%q does not appear in:\n%s", text, out)
}

var curlLines = regexp.MustCompile(`(?m)^(curl .*|TOKEN=.*)$`)

func TestMakeRunPrintsThreeCommandsThatWork(t *testing.T) {
	port, apiPort := freePort(t), freePort(t)
	cmd, out := makeRun(t, port, apiPort)
	waitFor(t, out, "# Call the API")
	lines := curlLines.FindAllString(out.String(), -1)
	if len(lines) != 3 {
		t.Fatalf("%d lines, not three:\n%s", len(lines), out)
	}
	if !strings.Contains(out.String(), "http://localhost:"+apiPort) {
		t.Errorf("the API's address is not printed:\n%s", out)
	}
	waitOpen(t, apiPort)
	script := strings.Replace(strings.Join(lines, "\n"), "\n", "; echo; ", 1)
	answer, err := exec.Command("bash", "-c", script).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, answer)
	}
	registered, called, _ := strings.Cut(string(answer), "\n")
	if registered != `{"status":"ok"}` {
		t.Errorf("registering answers %s", registered)
	}
	var greeting struct{ Message string }
	if err := json.Unmarshal([]byte(called), &greeting); err != nil || !strings.Contains(greeting.Message, "usr_") {
		t.Errorf("the API answers %q: %v", called, err)
	}

	page, err := http.Get("http://localhost:" + port + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer page.Body.Close()
	html, _ := io.ReadAll(page.Body)
	if strings.Count(string(html), "curl ") != 3 {
		t.Errorf("the start page does not show the three commands:\n%s", html)
	}

	syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) // what Ctrl-C sends
	cmd.Wait()
	for _, p := range []string{port, apiPort} {
		if conn, err := net.Dial("tcp", "127.0.0.1:"+p); err == nil {
			conn.Close()
			t.Errorf("port %s is still open after Ctrl-C", p)
		}
	}
}

func TestMakeRunNamesTheOwnerOfABusyPort(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	port := fmt.Sprint(busy.Addr().(*net.TCPAddr).Port)
	cmd, out := makeRun(t, port, freePort(t))
	if err := cmd.Wait(); err == nil {
		t.Error("make run succeeds on a busy port")
	}
	owner := fmt.Sprintf("e2e.test (process %d)", os.Getpid())
	for _, want := range []string{owner, "--listen"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not named in:\n%s", want, out)
		}
	}
}

func waitOpen(t *testing.T, port string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", "127.0.0.1:"+port); err == nil {
			conn.Close()
			return
		}
	}
	t.Fatalf("port %s does not open", port)
}
