package web

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func serve(t *testing.T, method, path, encodings string, changes ...func(*http.Request)) (*http.Response, string) {
	t.Helper()
	files := fstest.MapFS{
		"index.html":          {Data: []byte("the page")},
		"index.html.br":       {Data: []byte("the page, squeezed")},
		"main-ABCDEF12.js":    {Data: []byte("the script")},
		"main-ABCDEF12.js.br": {Data: []byte("squeezed")},
		"chunk-b_4-c33x.js":   {Data: []byte("a chunk")},
		"my-settings.js":      {Data: []byte("a public script")},
		"touch-icon.png":      {Data: []byte("an icon")},
		"favicon.svg":         {Data: []byte("<svg/>")},
		"3rdpartylicenses.md": {Data: []byte("thanks")},
	}
	handler, err := newApp(files, "localhost:4200", Settings{Issuer: "http://localhost:10101", ClientID: "demo", API: "http://localhost:10102"})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	r.Host = "localhost:4200"
	r.Header.Set("Accept-Encoding", encodings)
	for _, change := range changes {
		change(r)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Result(), string(body)
}

func TestEveryRouteOfAnAppIsItsPage(t *testing.T) {
	const noCache, forever = "no-cache", "public, max-age=31536000, immutable"
	for _, c := range []struct {
		method, path, accepts          string
		status                         int
		body, encoding, caching, media string
	}{
		{"GET", "/", "", 200, "the page", "", noCache, "text/html; charset=utf-8"},
		{"GET", "/profile", "br", 200, "the page, squeezed", "br", noCache, "text/html; charset=utf-8"},
		{"GET", "/a/b?c=d", "", 200, "the page", "", noCache, "text/html; charset=utf-8"},
		{"GET", "/main-ABCDEF12.js", "gzip", 200, "the script", "", forever, "text/javascript; charset=utf-8"},
		{"GET", "/main-ABCDEF12.js", "gzip, deflate, br, zstd", 200, "squeezed", "br", forever, "text/javascript; charset=utf-8"},
		{"GET", "/chunk-b_4-c33x.js", "br", 200, "a chunk", "", forever, "text/javascript; charset=utf-8"},
		{"GET", "/my-settings.js", "br", 200, "a public script", "", noCache, "text/javascript; charset=utf-8"},
		{"GET", "/favicon.svg", "br", 200, "<svg/>", "", noCache, "image/svg+xml"},
		{"GET", "/touch-icon.png", "", 200, "an icon", "", noCache, "image/png"},
		{"GET", "/keywright.json", "br", 200, `{"issuer":"http://localhost:10101","clientId":"demo","api":"http://localhost:10102"}`, "", noCache, "application/json"},
		{"GET", "/main-OLDOLD12.js", "br", 404, "404 page not found\n", "", noCache, "text/plain; charset=utf-8"},
		{"GET", "/../web.go", "", 404, "404 page not found\n", "", noCache, "text/plain; charset=utf-8"},
		{"GET", "/..%2f..%2fkeywright.json", "", 200, `{"issuer":"http://localhost:10101","clientId":"demo","api":"http://localhost:10102"}`, "", noCache, "application/json"},
		{"GET", "/main-ABCDEF12.js", "gzip, br;q=0", 200, "the script", "", forever, "text/javascript; charset=utf-8"},
		{"GET", "/main-ABCDEF12.js", "br;q=0.5", 200, "squeezed", "br", forever, "text/javascript; charset=utf-8"},
		{"GET", "/main-ABCDEF12.js", "sbr", 200, "the script", "", forever, "text/javascript; charset=utf-8"},
		{"GET", "/main-ABCDEF12.js.br", "br", 404, "404 page not found\n", "", noCache, "text/plain; charset=utf-8"},
		{"HEAD", "/", "", 200, "", "", noCache, "text/html; charset=utf-8"},
		{"POST", "/", "", 405, "this is a static site\n", "", "", "text/plain; charset=utf-8"},
	} {
		response, body := serve(t, c.method, c.path, c.accepts)
		h := response.Header
		if response.StatusCode != c.status || body != c.body || h.Get("Content-Encoding") != c.encoding || h.Get("Cache-Control") != c.caching ||
			h.Get("Content-Type") != c.media {
			t.Errorf("%s %s (%s): %s %q %v", c.method, c.path, c.accepts, response.Status, body, h)
		}
	}
}

func TestAPageMayCallItsIssuerAndItsAPIAlone(t *testing.T) {
	response, _ := serve(t, "GET", "/", "")
	policy := response.Header.Get("Content-Security-Policy")
	if !strings.HasSuffix(policy, "connect-src 'self' http://localhost:10101 http://localhost:10102") || !strings.HasPrefix(policy, "default-src 'none';") ||
		strings.Contains(policy, "unsafe") {
		t.Error(policy)
	}
}

func TestABrowserAsksForWhatMayChangeByItsETag(t *testing.T) {
	for _, path := range []string{"/", "/favicon.svg", "/keywright.json"} {
		response, _ := serve(t, "GET", path, "br")
		again, body := serve(t, "GET", path, "br", func(r *http.Request) { r.Header.Set("If-None-Match", response.Header.Get("ETag")) })
		if again.StatusCode != http.StatusNotModified || body != "" || again.Header.Get("Vary") != response.Header.Get("Vary") {
			t.Errorf("%s again: %s %q %v", path, again.Status, body, again.Header)
		}
	}
}

func TestASqueezedPageIsAnotherRepresentation(t *testing.T) {
	plain, _ := serve(t, "GET", "/", "")
	squeezed, _ := serve(t, "GET", "/", "br")
	for _, h := range []http.Header{plain.Header, squeezed.Header} {
		if h.Get("Vary") != "Accept, Accept-Encoding" || h.Get("ETag") == "" {
			t.Error(h)
		}
	}
	if plain.Header.Get("ETag") == squeezed.Header.Get("ETag") {
		t.Error("both have the ETag", plain.Header.Get("ETag"))
	}
}

func TestARouteWithADotIsAPageToWhoOpensIt(t *testing.T) {
	opens := func(r *http.Request) { r.Header.Set("Accept", "text/html,*/*;q=0.8") }
	if response, body := serve(t, "GET", "/user/ada.smith", "", opens); response.StatusCode != 200 || body != "the page" {
		t.Errorf("%s %q", response.Status, body)
	}
}

func TestAnAppIsAtOneHostAlone(t *testing.T) {
	for host, want := range map[string]int{
		"127.0.0.1:4200": 302, "[::1]:4200": 302, "app.localhost:4200": 302, "localhost": 302, "localhost:4200": 200,
		"evil.example": 421, "localhost.evil.example:4200": 421, "": 421, "10.0.0.1:4200": 421,
	} {
		response, _ := serve(t, "GET", "/profile?a=b", "", func(r *http.Request) { r.Host = host })
		if location := response.Header.Get("Location"); response.StatusCode != want || want == 302 && location != "http://localhost:4200/profile?a=b" {
			t.Errorf("%s: %s %s", host, response.Status, location)
		}
	}
}
