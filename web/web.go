// Package web holds the demo apps as `npm run build` left them, and serves them
// as a static web server does in production.
package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"path"
	"regexp"
	"strconv"
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

// HasApp says whether an app was built before this program was: demo or second.
func HasApp(name string) bool {
	_, err := fs.Stat(dist, "dist/"+name+"/index.html")
	return err == nil
}

// App returns the handler of an app. Its host is the one at which its client is
// registered, with the port.
func App(name, host string, settings Settings) (http.Handler, error) {
	files, err := fs.Sub(dist, "dist/"+name)
	if err != nil {
		return nil, err
	}
	return newApp(files, host, settings)
}

func newApp(files fs.FS, host string, settings Settings) (*app, error) {
	told, err := json.Marshal(settings)
	return &app{files: files, host: host, settings: told, policy: policy(settings)}, err
}

// policy lets a page load what is its own, and call its issuer and its API.
func policy(s Settings) string {
	return strings.TrimSpace(fmt.Sprintf("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "+
		"base-uri 'self'; form-action 'self'; frame-ancestors 'none'; connect-src 'self' %s %s", s.Issuer, s.API))
}

type app struct {
	files    fs.FS
	host     string
	settings []byte
	policy   string
}

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer") // addresses of callbacks hold codes
	switch name := strings.TrimPrefix(path.Clean(r.URL.Path), "/"); {
	case r.Host != a.host && !isLoopback(r.Host):
		http.Error(w, "this app is at http://"+a.host, http.StatusMisdirectedRequest) // a page of a foreign name that points here is an attack
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		header.Set("Allow", "GET, HEAD")
		http.Error(w, "this is a static site", http.StatusMethodNotAllowed)
	case r.Host != a.host: // of this machine too, but the issuer sends nobody back there
		http.Redirect(w, r, "http://"+a.host+r.URL.RequestURI(), http.StatusFound)
	case name == "keywright.json":
		serveContent(w, r, name, a.settings)
	default:
		a.serveFile(w, r, name)
	}
}

// isLoopback says of a Host that it is a name of this machine.
func isLoopback(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	ip, err := netip.ParseAddr(strings.Trim(name, "[]"))
	return err == nil && ip.IsLoopback() || name == "localhost" || strings.HasSuffix(name, ".localhost") // RFC 6761 §6.3
}

// serveFile serves a built file, which its name's hash makes immutable, or for
// any route of the app its one page.
func (a *app) serveFile(w http.ResponseWriter, r *http.Request, name string) {
	header := w.Header()
	if !a.has(name) && (path.Ext(name) == "" || strings.Contains(r.Header.Get("Accept"), "text/html")) {
		name = "index.html"
	}
	header.Set("Vary", "Accept, Accept-Encoding")
	if !a.has(name) || strings.HasSuffix(name, compressed) {
		header.Set("Cache-Control", "no-cache")
		http.NotFound(w, r)
		return
	}
	if !isScriptOrStyle.MatchString(name) { // a browser obeys the policy of the page that loads those
		header.Set("Content-Security-Policy", a.policy)
	}
	file := name
	if a.has(name+compressed) && acceptsBrotli(r.Header.Get("Accept-Encoding")) {
		file += compressed
		header.Set("Content-Encoding", "br")
	}
	content, err := fs.ReadFile(a.files, file)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	serveContent(w, r, name, content)
}

// serveContent answers with a file, which browsers keep: for ever, if its name
// changes with it, or until it is another one.
func serveContent(w http.ResponseWriter, r *http.Request, name string, content []byte) {
	if hashed.MatchString(name) {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("ETag", fmt.Sprintf(`"%x"`, sha256.Sum256(content)))
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content)) // the name says the type
}

var (
	isScriptOrStyle = regexp.MustCompile(`\.(js|css)$`)
	// hashed are names that say what is in the file, as the builder writes them.
	hashed = regexp.MustCompile(`^(main|chunk|styles|polyfills|worker)-[\w-]{8}\.(js|css)$`)
)

// compressed ends the names of the files that stand in for others.
const compressed = ".br"

// has says whether there is such a file.
func (a *app) has(name string) bool {
	info, err := fs.Stat(a.files, name)
	return err == nil && info.Mode().IsRegular()
}

// acceptsBrotli reads what a browser takes. RFC 9110 §12.5.3.
func acceptsBrotli(encodings string) bool {
	for coding := range strings.SplitSeq(encodings, ",") {
		name, weight, weighted := strings.Cut(strings.TrimSpace(coding), ";q=")
		if name != "br" {
			continue
		}
		q, err := strconv.ParseFloat(weight, 64)
		return !weighted || err == nil && q > 0
	}
	return false
}
