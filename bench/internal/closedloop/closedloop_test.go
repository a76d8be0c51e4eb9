package closedloop

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// start returns the URL of a server that answers with what answer returns.
func start(t *testing.T, answer func(r *http.Request, body string) (status int, text string)) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		status, text := answer(r, string(body))
		w.WriteHeader(status)
		io.WriteString(w, text)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func mustRun(t *testing.T, p Plan) Result {
	t.Helper()
	p.Duration = 10 * time.Second // none comes near it
	result, err := p.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestARunEndsAfterItsRequests(t *testing.T) {
	url := start(t, func(*http.Request, string) (int, string) { return 200, "" })
	if got := mustRun(t, Plan{URL: url, Connections: 3, MaxRequests: 20}); got.Requests != 20 || got.Errors != 0 {
		t.Errorf("%d requests and %d errors, want 20 and 0", got.Requests, got.Errors)
	}
}

func TestPlaceholdersAreReplacedInHeadersAndBody(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	url := start(t, func(r *http.Request, body string) (int, string) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, r.Method+" "+r.Header.Get("X-Who")+" "+body)
		return 200, ""
	})
	mustRun(t, Plan{URL: url, Headers: []string{"X-Who: {{line}}"}, Body: "n={{i}}&t={{token}}", Lines: []string{"ada", "grace"}, Tokens: []string{"x"}, MaxRequests: 3})
	want := []string{"POST grace n=1&t=x", "POST ada n=2&t=x", "POST grace n=3&t=x"}
	if !slices.Equal(seen, want) {
		t.Errorf("sent %q, want %q", seen, want)
	}
}

func TestAChainSendsWhatTheSameConnectionWasGivenLast(t *testing.T) {
	current := map[string]string{"a0": "a", "b0": "b"}
	var mu sync.Mutex
	url := start(t, func(_ *http.Request, token string) (int, string) {
		mu.Lock()
		defer mu.Unlock()
		name, ok := current[token]
		if !ok {
			return 400, "replayed"
		}
		delete(current, token)
		next := fmt.Sprintf("%s%d", name, len(token))
		next += strings.Repeat("'", len(token)-1)
		current[next] = name
		return 200, `{"next": "` + next + `"}`
	})
	got := mustRun(t, Plan{URL: url, Body: "{{token}}", Chain: "next", Tokens: []string{"a0", "b0"}, Connections: 2, MaxRequests: 12, Keep: "next", KeepLimit: 5})
	if got.Errors != 0 || got.Requests != 12 {
		t.Errorf("%d requests, %d errors (%s), want 12 and none", got.Requests, got.Errors, got.FirstError)
	}
	for _, token := range got.Tokens {
		if current[token] == "" {
			t.Errorf("the run ends with the token %q, which was spent", token)
		}
	}
	if len(got.Kept) != 5 {
		t.Errorf("kept %d members, want 5", len(got.Kept))
	}
}

func TestABrokenChainStops(t *testing.T) {
	url := start(t, func(*http.Request, string) (int, string) { return 400, "no" })
	got := mustRun(t, Plan{URL: url, Body: "{{token}}", Chain: "next", Tokens: []string{"a", "b"}, Connections: 2})
	if got.Errors != 2 || got.FirstError != "answer 400: no" {
		t.Errorf("%d errors, first %q; want one for each connection", got.Errors, got.FirstError)
	}
}

func TestARunWithNothingButErrorsEnds(t *testing.T) {
	url := start(t, func(*http.Request, string) (int, string) { return 503, "" })
	if got := mustRun(t, Plan{URL: url}); got.Errors < maxErrors || got.Requests != 0 {
		t.Errorf("%d errors and %d requests", got.Errors, got.Requests)
	}
}

func TestWhatCannotBeMeasuredIsRefused(t *testing.T) {
	for name, p := range map[string]Plan{
		"another machine":        {URL: "http://192.0.2.1/"},
		"a name that may be one": {URL: "http://example.com/"},
		"TLS":                    {URL: "https://localhost/"},
		"no end":                 {URL: "http://localhost/", Duration: time.Hour},
		"too many connections":   {URL: "http://localhost/", Connections: maxConnections + 1},
		"a chain without tokens": {URL: "http://localhost/", Chain: "next"},
		"lines without any":      {URL: "http://localhost/", Body: "{{line}}"},
	} {
		if p.Duration == 0 {
			p.Duration = time.Second
		}
		if _, err := p.Run(t.Context()); err == nil {
			t.Errorf("%s: was put under load", name)
		}
	}
}

func TestAnswersAreReadWhole(t *testing.T) {
	for name, of := range map[string]struct {
		text   string
		body   string
		closes bool
	}{
		"with a length":  {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", false},
		"in chunks":      {"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", "hello", false},
		"without a body": {"HTTP/1.1 200 OK\r\n\r\n", "", false},
		"the last":       {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", "", true},
	} {
		// A second one behind it shows that the first was read to its end.
		r := bufio.NewReader(strings.NewReader(of.text + "HTTP/1.1 204 No Content\r\n\r\n"))
		var first, second answer
		if err := first.read(r); err != nil || first.status != 200 || string(first.body) != of.body || first.closes != of.closes {
			t.Errorf("%s: %+v, %v", name, first, err)
		}
		if err := second.read(r); err != nil || second.status != 204 {
			t.Errorf("%s: the next one is %+v, %v", name, second, err)
		}
	}
}

func TestBrokenAnswersAreErrors(t *testing.T) {
	for _, text := range []string{
		"", "HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.1 2\r\n\r\n", "HTTP/1.1 200 OK\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhe",
	} {
		var a answer
		if err := a.read(bufio.NewReader(strings.NewReader(text))); err == nil {
			t.Errorf("%q was read as %+v", text, a)
		}
	}
}
