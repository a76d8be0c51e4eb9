package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/keywright/keywright/internal/keyring"
	"github.com/keywright/keywright/internal/operator"
	"github.com/keywright/keywright/internal/settings"
	"github.com/keywright/keywright/internal/store"
)

// Commands work beside a running server: they ask it, through a Unix socket in
// the data folder, since two writers on one SQLite file would starve each other,
// and since a key in the server's environment is not in theirs. When no server
// runs, a command is its own for a moment.

// answerPatience is longer than a server may take to answer.
const answerPatience = 40 * time.Second

// serveCommands answers commands until stop is called. The folder must be this
// process's own.
func serveCommands(folder string, handler http.Handler, log *slog.Logger) (stop func(), err error) {
	path, release, err := socketPath(folder)
	if err != nil {
		return nil, err
	}
	os.Remove(path) // left by a process that was killed
	l, err := net.Listen("unix", path)
	if err != nil {
		release()
		return nil, fmt.Errorf("cannot listen for commands: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		release()
		return nil, err
	}
	web := newHTTPServer(handler, log)
	go web.Serve(l)
	return func() {
		ending, cancel := context.WithTimeout(context.Background(), drainTimeout)
		defer cancel()
		web.Shutdown(ending)
		release()
	}, nil
}

func dialServer(folder string) (net.Conn, error) {
	path, release, err := socketPath(folder)
	if err != nil {
		return nil, err
	}
	defer release()
	return net.Dial("unix", path)
}

// isServed says whether a server answers commands for the folder.
func isServed(folder string) bool {
	conn, err := dialServer(folder)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// caller asks a server, running or its own, to do something.
type caller struct {
	web   *http.Client
	close func()
}

// caller returns one for the folder that the settings name.
func (c *command) caller(cmd *cobra.Command) (*caller, error) {
	s, _, err := c.load(cmd)
	if err != nil {
		return nil, err
	}
	db, err := claimStore(cmd.Context(), s, false)
	switch {
	case errors.Is(err, errServed):
		return askServer(s.Data), nil
	case err != nil:
		return nil, err
	}
	via, err := ownOperator(cmd.Context(), s, db)
	if err != nil {
		db.Close()
	}
	return via, err
}

func askServer(folder string) *caller {
	dial := func(context.Context, string, string) (net.Conn, error) { return dialServer(folder) }
	transport := &http.Transport{DialContext: dial}
	return &caller{
		web:   &http.Client{Transport: transport, Timeout: answerPatience},
		close: transport.CloseIdleConnections,
	}
}

// ownOperator answers in memory, for as long as a command takes.
func ownOperator(ctx context.Context, s *settings.Settings, db *store.DB) (*caller, error) {
	hasher, err := newHasher(s)
	if err != nil {
		return nil, err
	}
	if err := operator.EnsureDirectClient(ctx, db); err != nil {
		return nil, err
	}
	handler := operator.New(operator.Config{
		DB: db, Hasher: hasher, Keys: keyring.New(db, s.KeyLifetime),
		Reload: func(context.Context) error { return nil }, // nothing is kept in memory
	})
	return &caller{
		web:   &http.Client{Transport: handlerTransport{handler}},
		close: func() { db.Close() },
	}, nil
}

// handlerTransport answers requests by calling a handler.
type handlerTransport struct{ handler http.Handler }

func (t handlerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	w := &answer{header: http.Header{}, status: http.StatusOK}
	t.handler.ServeHTTP(w, r)
	return &http.Response{
		StatusCode: w.status, Header: w.header, Body: io.NopCloser(&w.body), Request: r,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: int64(w.body.Len()),
	}, nil
}

type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }

// ask calls the server once.
func (c *command) ask(cmd *cobra.Command, method, path string, in, out any) error {
	via, err := c.caller(cmd)
	if err != nil {
		return err
	}
	defer via.close()
	return via.call(cmd.Context(), method, path, in, out)
}

// call sends in (nil: nothing) and decodes the answer into out.
func (via *caller) call(ctx context.Context, method, path string, in, out any) error {
	if in == nil {
		in = struct{}{}
	}
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://keywright"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := via.web.Do(req)
	if err != nil {
		if sent, ok := errors.AsType[*url.Error](err); ok {
			err = sent.Err // without the made-up URL
		}
		return fmt.Errorf("the server did not answer: look whether it was done before you repeat it (%w)", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		return json.NewDecoder(resp.Body).Decode(out)
	}
	var failure struct {
		Error string `json:"error"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&failure); err != nil || failure.Error == "" {
		return fmt.Errorf("the server answered %s", resp.Status)
	}
	return errors.New(failure.Error)
}

// maxSocketPath is what sockaddr_un holds on the narrowest system, less the zero byte.
const maxSocketPath = 103

// socketPath returns a path for the folder's socket that is short enough for
// the kernel, and what to call when it is no longer needed.
func socketPath(folder string) (path string, release func(), err error) {
	path = filepath.Join(folder, "keywright.sock")
	if len(path) <= maxSocketPath {
		return path, func() {}, nil
	}
	return shortSocketPath(folder)
}
