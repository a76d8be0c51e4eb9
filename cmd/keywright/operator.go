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
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/keywright/keywright/internal/server"
	"github.com/keywright/keywright/internal/settings"
	"github.com/keywright/keywright/internal/store"
)

// Commands work beside a running server: they ask it, through a Unix socket in
// the data folder, since two writers on one SQLite file would starve each other.
// When no server runs, a command is its own for a moment.

// folderPatience is how long a command waits for another one to leave the folder.
const folderPatience = 10 * time.Second

// serveOperator answers commands until stop is called.
func serveOperator(folder string, handler http.Handler) (stop func(), err error) {
	path, release, err := socketPath(folder)
	if err != nil {
		return nil, err
	}
	os.Remove(path) // left by a process that was killed; the folder's lock is ours
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
	web := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	go web.Serve(l)
	return func() {
		ending, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		web.Shutdown(ending)
		release()
	}, nil
}

// operator asks a server, running or its own, to do something.
type operator struct {
	web   *http.Client
	close func()
}

// askServer returns an operator for the folder: the server that runs there, or
// else one of its own. While another command has the folder, it waits.
func (c *command) askServer(ctx context.Context, s *settings.Settings) (*operator, error) {
	if err := checkDataFolder(s.Data); err != nil {
		return nil, err
	}
	for began := time.Now(); ; {
		if o, err := runningServer(s.Data); err == nil {
			return o, nil
		}
		db, err := openStore(ctx, s, false)
		switch {
		case err == nil:
			return ownServer(ctx, s, db)
		case !errors.Is(err, store.ErrFolderInUse):
			return nil, err
		}
		if time.Since(began) > folderPatience {
			return nil, fmt.Errorf("another process holds %s but answers no commands", s.Data)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func runningServer(folder string) (*operator, error) {
	path, release, err := socketPath(folder)
	if err != nil {
		return nil, err
	}
	conn, err := net.Dial("unix", path)
	release()
	if err != nil {
		return nil, err
	}
	first := sync.OnceValue(func() net.Conn { return conn })
	return &operator{
		web:   &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return first(), nil }}},
		close: func() { conn.Close() },
	}, nil
}

// ownServer serves one connection in memory.
func ownServer(ctx context.Context, s *settings.Settings, db *store.DB) (*operator, error) {
	hasher, err := newHasher(s)
	if err != nil {
		db.Close()
		return nil, err
	}
	srv, err := server.New(ctx, serverConfig(s, s.Issuer, db, hasher, slog.New(slog.DiscardHandler)))
	if err != nil {
		db.Close()
		return nil, err
	}
	return &operator{
		web:   &http.Client{Transport: handlerTransport{srv.Admin()}},
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

// call sends in (nil: nothing) and decodes the answer into out.
func (o *operator) call(ctx context.Context, method, path string, in, out any) error {
	var body bytes.Buffer
	if in == nil {
		in = struct{}{}
	}
	if err := json.NewEncoder(&body).Encode(in); err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://keywright"+path, &body)
	if err != nil {
		return err
	}
	resp, err := o.web.Do(req)
	if err != nil {
		return err
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
