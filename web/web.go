// Package web holds the demo apps as `npm run build` left them, and serves them
// as a static web server does in production.
package web

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

// dist has a .gitkeep at least: without the built apps everything else works.
//
//go:embed dist/[.ds]*
var dist embed.FS

// Settings are what an app fetches when it starts, from /keywright.json.
type Settings struct {
	Issuer   string `json:"issuer"`
	ClientID string `json:"clientId"`
	API      string `json:"api,omitempty"`   // URL of an API that takes its tokens
	Other    string `json:"other,omitempty"` // URL of the other app
}

// HasApps says whether the apps were built before this program was.
func HasApps() bool {
	_, err := fs.Stat(dist, "dist/demo/index.html")
	return err == nil
}

// App returns the handler of an app: demo or second.
func App(name string, settings Settings) (http.Handler, error) {
	files, err := fs.Sub(dist, "dist/"+name)
	if err != nil {
		return nil, err
	}
	return newApp(files, settings)
}

func newApp(files fs.FS, settings Settings) (*app, error) {
	told, err := json.Marshal(settings)
	return &app{files: files, settings: told, policy: policy(settings)}, err
}

// policy lets a page load what is its own, and call its issuer and its API.
func policy(s Settings) string {
	return strings.TrimSpace(fmt.Sprintf("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "+
		"base-uri 'self'; form-action 'self'; frame-ancestors 'none'; connect-src 'self' %s %s", s.Issuer, s.API))
}

type app struct {
	files    fs.FS
	settings []byte
	policy   string
}

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", a.policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer") // addresses of callbacks hold codes
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		http.Error(w, "this is a static site", http.StatusMethodNotAllowed)
		return
	}
	if r.URL.Path == "/keywright.json" {
		header.Set("Cache-Control", "no-cache")
		http.ServeContent(w, r, "keywright.json", time.Time{}, bytes.NewReader(a.settings))
		return
	}
	a.serveFile(w, r, strings.TrimPrefix(path.Clean(r.URL.Path), "/"))
}

// serveFile serves a built file, which its name's hash makes immutable, or for
// any route of the app its one page.
func (a *app) serveFile(w http.ResponseWriter, r *http.Request, name string) {
	header := w.Header()
	header.Set("Cache-Control", "public, max-age=31536000, immutable")
	if path.Ext(name) == "" {
		name = "index.html"
	}
	if !strings.Contains(name, "-") {
		header.Set("Cache-Control", "no-cache")
	}
	file := name
	header.Set("Vary", "Accept-Encoding")
	if _, err := fs.Stat(a.files, name+".br"); err == nil && strings.Contains(r.Header.Get("Accept-Encoding"), "br") {
		file += ".br"
		header.Set("Content-Encoding", "br")
	}
	content, err := fs.ReadFile(a.files, file)
	if err != nil {
		header.Set("Cache-Control", "no-cache")
		http.NotFound(w, r)
		return
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content)) // the name says the type
}
