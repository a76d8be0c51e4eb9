package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// keywright is the binary under test, built once as users build it.
var keywright string

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "keywright-e2e-")
	if err != nil {
		panic(err)
	}
	keywright = filepath.Join(folder, "keywright")
	build := exec.Command("go", "build", "-o", keywright, "../cmd/keywright")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		panic(string(out))
	}
	code := m.Run()
	os.RemoveAll(folder)
	os.Exit(code)
}

// cheap makes hashing cost nothing, for tests that are not about it. Only dev takes it.
var cheap = []string{"KEYWRIGHT_ARGON2=m=64,t=1,p=1"}

// A process is a server that runs.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	folder string
	issuer string
	log    *lockedBuffer
}

// startDev starts `keywright dev` on a free port, or, with wrapper, a program that starts it.
func startDev(t *testing.T, folder string, env []string, wrapper ...string) *process {
	t.Helper()
	args := append(wrapper, keywright, "dev", "--listen", "127.0.0.1:0", "--data", folder)
	p := &process{t: t, cmd: exec.Command(args[0], args[1:]...), folder: folder, log: &lockedBuffer{}}
	p.cmd.Env = append(append(os.Environ(), cheap...), env...)
	p.cmd.Stderr = p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	p.issuer = firstMatch(t, out, `http://localhost:[0-9]+`, p.log)
	p.waitReady()
	return p
}

// firstMatch reads until a pattern appears, and goes on reading in the background.
func firstMatch(t *testing.T, from io.Reader, pattern string, log *lockedBuffer) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	var text []byte
	chunk := make([]byte, 4096)
	for {
		n, err := from.Read(chunk)
		text = append(text, chunk[:n]...)
		if found := re.Find(text); found != nil {
			go io.Copy(io.Discard, from)
			return string(found)
		}
		if err != nil {
			t.Fatalf("no %s in %q: %v\n%s", pattern, text, err, log)
		}
	}
}

func (p *process) waitReady() {
	p.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		resp, err := http.Get(p.issuer + "/readyz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	p.t.Fatalf("not ready\n%s", p.log)
}

// kill is kill -9 of the whole group, and waits for its end.
func (p *process) kill() {
	syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	p.cmd.Wait()
}

// command runs a command beside the server and decodes its JSON.
func (p *process) command(out any, args ...string) error {
	cmd := exec.Command(keywright, append(args, "--data", p.folder)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	text, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%v: %w\n%s", args, err, stderr.String())
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}

// tokens are what a sign-in or a refresh gives.
type tokens struct {
	Token   string `json:"token"`
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
}

func postJSON(at string, body any, out any) (status int, err error) {
	text, err := json.Marshal(body)
	if err != nil {
		return 0, err
	}
	return decode(http.Post(at, "application/json", bytes.NewReader(text)))(out)
}

func postForm(at string, form url.Values, out any) (status int, err error) {
	return decode(http.PostForm(at, form))(out)
}

func decode(resp *http.Response, err error) func(out any) (int, error) {
	return func(out any) (int, error) {
		if err != nil {
			return 0, err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err == nil && out != nil {
			err = json.Unmarshal(body, out)
		}
		return resp.StatusCode, err
	}
}

type person struct {
	Email    string `json:"email"`
	Name     string `json:"name"`
	Password string `json:"password"`
}

func newPerson(n int) person {
	return person{fmt.Sprintf("person%d@example.com", n), "A Person", fmt.Sprintf("correct horse %d", n)}
}

func (p *process) register(who person) (int, error) {
	return postJSON(p.issuer+"/register", who, nil)
}

func (p *process) signIn(who person) (t tokens, status int, err error) {
	status, err = postJSON(p.issuer+"/login", who, &t)
	return t, status, err
}

func (p *process) refresh(token string) (t tokens, status int, err error) {
	status, err = postForm(p.issuer+"/token", url.Values{"grant_type": {"refresh_token"}, "client_id": {"direct"}, "refresh_token": {token}}, &t)
	return t, status, err
}

func (p *process) revoke(token string) (int, error) {
	return postForm(p.issuer+"/revoke", url.Values{"client_id": {"direct"}, "token": {token}}, nil)
}

// lockedBuffer is written by a process and read by a test.
type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
