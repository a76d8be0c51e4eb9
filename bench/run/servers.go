package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/keywright/keywright/bench/internal/process"
)

// bench is what a whole run works with.
type bench struct {
	options
	progress io.Writer
	home     string // temporary
	version  string

	floorProgram    string
	verifierProgram string
	floor           server
	keywright       instance // signs with ES256
	eddsa           instance // signs with EdDSA

	accessTokens []string // of people, each good for /profile
	hashing      *rate    // the raw hash rate, once measured
	floorCPU     map[string]float64
	rows         []row
}

// server is one that listens on this machine.
type server struct {
	base    string // its URL
	process *process.Process
	started time.Duration // from exec to its first answer
}

// instance is a Keywright with a folder of its own.
type instance struct {
	server
	folder    string
	algorithm string // that it signs with
	secret    string // of the client bench
}

const (
	password   = "correct horse battery staple"
	tutorialUI = "http://localhost:4200"
)

// people are more than there are connections that sign in, so that no account
// reaches its limit of attempts under way.
var people = []string{"ada", "grace", "edsger", "barbara", "donald", "radia", "leslie", "frances"}

func email(person string) string { return person + "@example.com" }

// prepare builds the programs and makes the data folders.
func (b *bench) prepare(ctx context.Context) (err error) {
	if b.home, err = os.MkdirTemp(b.folder, "keywright-bench"); err != nil {
		return err
	}
	fmt.Fprintln(b.progress, "build …")
	b.floorProgram, b.verifierProgram = filepath.Join(b.home, "floor"), filepath.Join(b.home, "verifier")
	if b.binary == "" {
		b.binary = filepath.Join(b.home, "keywright")
		if err := b.build(ctx, "build", "-trimpath", "-ldflags", "-s -w", "-o", b.binary, "./cmd/keywright"); err != nil {
			return err
		}
	}
	if err := b.build(ctx, "build", "-o", b.floorProgram, "./bench/floor"); err != nil {
		return err
	}
	if err := b.build(ctx, "build", "-o", b.verifierProgram, "./bench/verifier"); err != nil {
		return err
	}
	b.keywright = instance{folder: filepath.Join(b.home, "es256"), algorithm: "ES256"}
	b.eddsa = instance{folder: filepath.Join(b.home, "eddsa"), algorithm: "EdDSA"}
	for _, i := range []*instance{&b.keywright, &b.eddsa} {
		if err := b.initialize(ctx, i); err != nil {
			return err
		}
	}
	b.version, err = b.command(ctx, &b.keywright, "", "version")
	return err
}

func (b *bench) build(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w\n%s(run it from the folder of go.mod)", strings.Join(args, " "), err, text)
	}
	return nil
}

// command runs one of Keywright's commands and returns what it prints.
func (b *bench) command(ctx context.Context, i *instance, input string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, b.binary, args...)
	cmd.Env = i.environ()
	var out, failure bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &out, &failure
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("keywright %s: %w\n%s", strings.Join(args, " "), err, &failure)
	}
	return out.String(), nil
}

// environ names what the commands that make keys must know, too. Settings of
// whoever runs this do not count.
func (i *instance) environ() []string {
	environ := slices.DeleteFunc(os.Environ(), func(variable string) bool { return strings.HasPrefix(variable, "KEYWRIGHT_") })
	return append(environ, "KEYWRIGHT_DATA="+i.folder, "KEYWRIGHT_SIGNING_ALG="+i.algorithm)
}

// initialize makes a folder with a client and people.
func (b *bench) initialize(ctx context.Context, i *instance) error {
	if _, err := b.command(ctx, i, "", "init"); err != nil {
		return err
	}
	text, err := b.command(ctx, i, "", "client", "add", "--json",
		"--id", "bench", "--grant", "client_credentials", "--scope", "bench:read", "--audience", "urn:bench")
	if err != nil {
		return err
	}
	var client struct {
		Secret string `json:"client_secret"`
	}
	if err := json.Unmarshal([]byte(text), &client); err != nil {
		return err
	}
	i.secret = client.Secret
	for _, person := range people {
		if _, err := b.command(ctx, i, password, "user", "add", "--email", email(person), "--name", person, "--password-stdin"); err != nil {
			return err
		}
	}
	return nil
}

// start starts the floor and both Keywrights.
func (b *bench) start(ctx context.Context) (err error) {
	listen, err := freeAddress()
	if err != nil {
		return err
	}
	floor := exec.Command(b.floorProgram, "serve", "-listen", listen, "-secret", b.keywright.secret)
	b.floor, err = b.startServer(ctx, floor, listen, "/json")
	if err != nil {
		return err
	}
	if err := b.startKeywright(ctx, &b.eddsa); err != nil {
		return err
	}
	return b.startKeywright(ctx, &b.keywright)
}

func (b *bench) startKeywright(ctx context.Context, i *instance) error {
	listen, err := freeAddress()
	if err != nil {
		return err
	}
	i.server, err = b.startServer(ctx, b.serve(i, listen), listen, "/readyz")
	return err
}

// serve has everything as it is by default, but strict rotation: no token is
// given twice.
func (b *bench) serve(i *instance, listen string) *exec.Cmd {
	_, port, _ := net.SplitHostPort(listen)
	cmd := exec.Command(b.binary, "serve", "--listen", listen, "--issuer", "http://localhost:"+port,
		"--direct-origins", tutorialUI, "--refresh-grace", "0s")
	cmd.Args = append(cmd.Args, strings.Fields(b.flags)...)
	cmd.Env = i.environ()
	return cmd
}

// startServer starts cmd, whose output goes to a file as it does under systemd,
// and waits until it answers.
func (b *bench) startServer(ctx context.Context, cmd *exec.Cmd, listen, path string) (s server, err error) {
	log, err := os.CreateTemp(b.home, "*.log")
	if err != nil {
		return s, err
	}
	defer log.Close() // the process has its own
	cmd.Stdout, cmd.Stderr = log, log
	if s.process, err = process.Start(serverCore, cmd); err != nil {
		return s, err
	}
	s.base = "http://" + listen
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if s.started, err = s.process.FirstAnswer(ctx, s.base+path); err != nil {
		s.stop()
		text, _ := os.ReadFile(log.Name())
		err = fmt.Errorf("%w\n%s", err, text)
	}
	return s, err
}

func (s *server) stop() {
	if s.process != nil {
		s.process.Stop()
		s.process = nil
	}
}

func (b *bench) close() {
	for _, s := range []*server{&b.floor, &b.keywright.server, &b.eddsa.server} {
		s.stop()
	}
	if b.home != "" && !b.keep {
		os.RemoveAll(b.home)
	}
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
