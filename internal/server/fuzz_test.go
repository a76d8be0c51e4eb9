package server

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/keywright/keywright/internal/store/storetest"
)

// FuzzParseForm: whatever is accepted, url.ParseQuery reads alike, each
// parameter stands once, and every value is text.
func FuzzParseForm(f *testing.F) {
	for _, seed := range []string{
		"", "&", "=", "a", "a=b", "a=b&a=c", "a=&a=", "a=b&c=d&", "a%3Db=c", "a=%41+%42", "a=%", "a=%zz", "a=%00", "a=%ff", "a=\xff", "resource=a&resource=b",
		"resource=", "a;b=c", "=a&=b", strings.Repeat("a&", 200), "%61=1&a=2", "a=b=c", "\n=\r",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		got, refusal := parseForm(body)
		if refusal != nil {
			if refusal.Code != "invalid_request" || refusal.Description == "" {
				t.Errorf("%+v", refusal)
			}
			return
		}
		want, err := url.ParseQuery(strings.ReplaceAll(body, ";", "%3B"))
		if err != nil {
			t.Fatalf("url.ParseQuery refuses %q: %v", body, err)
		}
		if len(want["resource"]) > 0 {
			delete(want, "resource")
		}
		if len(want) != len(got.values) || strings.Count(body, "&") >= maxFormFields {
			t.Errorf("%q: %d parameters, want %d", body, len(got.values), len(want))
		}
		for name, values := range want {
			if len(values) != 1 || got.get(name) != values[0] {
				t.Errorf("%q: %s is %q, want %q", body, name, got.get(name), values)
			}
		}
		for name, value := range got.values {
			if !utf8.ValidString(name+value) || strings.Contains(name+value, "\x00") {
				t.Errorf("%q: %q=%q is no text", body, name, value)
			}
		}
	})
}

// FuzzForm sends forms to every endpoint that takes one: never a failure of ours.
func FuzzForm(f *testing.F) {
	for _, seed := range []string{
		"grant_type=client_credentials&client_id=billing&client_secret=x", "grant_type=refresh_token&client_id=direct&refresh_token=kwr_x",
		"token=x&client_id=direct", "client_id=%00", "client_id=%ff", "grant_type=client_credentials&client_id=%27--&client_secret=%00",
		"token=kwr_AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQ&client_id=direct", "grant_type=refresh_token&refresh_token=x&client_id=direct&scope=%22&resource=x",
	} {
		f.Add(seed, "")
		f.Add(seed, "Basic YmlsbGluZzp4")
	}
	f.Add("", "Basic JTAwOiUwMA==")
	h := fuzzHouse(f)
	h.machine("billing")
	f.Fuzz(func(t *testing.T, body, authorization string) {
		for _, path := range []string{"/token", "/introspect", "/revoke"} {
			r := httptest.NewRequest("POST", path, strings.NewReader(body))
			r.Header["Content-Type"], r.Header["Authorization"] = []string{"application/x-www-form-urlencoded"}, []string{authorization}
			neverOurFault(t, h, r)
		}
	})
}

// FuzzParseParameters: whatever is accepted, url.ParseQuery reads alike, and what
// stands twice is known.
func FuzzParseParameters(f *testing.F) {
	for _, seed := range []string{"", "&", "=", "a", "a=b&a=c", "a=&a=c", "a=%00", "a=%ff", "a=%", "resource=a&resource=b", "a;b=c", "%61=1&a=2", "a=b=c", "a+b=%2B"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		got, ok := parseParameters(query)
		want, err := url.ParseQuery(query)
		if !ok || err != nil && strings.Contains(query, ";") {
			return // url refuses semicolons, which are only letters here
		}
		if err != nil || len(query) > maxParameters {
			t.Fatalf("%q is accepted: %v", query, err)
		}
		for name, values := range want {
			values = slices.DeleteFunc(values, func(v string) bool { return v == "" })
			switch {
			case name == "resource":
				if !slices.Equal(got.resources, values) {
					t.Errorf("%q: resources are %q, want %q", query, got.resources, values)
				}
			case len(values) > 0 && got.get(name) != values[0]:
				t.Errorf("%q: %s is %q, want %q", query, name, got.get(name), values)
			case slices.Contains(got.repeated, name) != (len(values) > 1):
				t.Errorf("%q: repeated are %q", query, got.repeated)
			}
		}
		for name, value := range got.values {
			if !utf8.ValidString(name+value) || strings.Contains(name+value, "\x00") {
				t.Errorf("%q: %q=%q is no text", query, name, value)
			}
		}
	})
}

// FuzzPages sends anything to the entrances and the pages of somebody who is
// signed in: never a failure of ours, and never on to where nobody registered.
func FuzzPages(f *testing.F) {
	h := fuzzHouse(f)
	h.registered("ada@example.com")
	h.webApp("app", trusted)
	b := h.browser()
	b.get("/sign-in").signInAs("ada@example.com")
	routes := routesOf(h)
	for _, path := range []string{authorizePath("app"), authorizePath("app", "redirect_uri", "https://evil.example/"), authorizePath("app", "claims", `{"id_token":{"sub":null}}`, "prompt", "none")} {
		_, query, _ := strings.Cut(path, "?")
		f.Add(query)
	}
	for _, seed := range []string{"client_id=app&post_logout_redirect_uri=https%3A%2F%2Fapp.example.com%2F", "id_token_hint=e30.e30.e30", "flow=x&email=a%40b&password=%00", "request=x&action=allow", "token=x&name=%ff", "ui_locales=de", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, parameters string) {
		for _, r := range routes {
			if r.kind == api || r.path == "/sign-out" || r.method == "POST" && r.path == "/account/sessions" {
				continue
			}
			request := httptest.NewRequest(r.method, r.path, strings.NewReader(parameters))
			if r.method == "GET" {
				request.URL.RawQuery, request.Body = parameters, http.NoBody
			}
			b.sendCookies(request)
			asBrowser(h, r.method)(request)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, request)
			location := w.Header().Get("Location")
			here := strings.HasPrefix(location, "/") && !strings.HasPrefix(location, "//")
			if w.Code >= 500 || location != "" && !here && !strings.HasPrefix(location, redirectURI+"?") && !strings.HasPrefix(location, "https://app.example.com/") {
				t.Errorf("%s %s: %d to %q", r.method, r.path, w.Code, location)
			}
		}
	})
}

// FuzzJSON does the same for the tutorial API.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `null`, `[]`, `{"email":"ada@example.com","password":"x"}`, `{"email":"ada@example.com","name":"A","password":"analytical engine"}`,
		`{"email":"a@b","name":"\u0000","password":"\ud800aaaaaaaa"}`, `{"email":1}`, `{"email":"a","email":"b"}`, "\xef\xbb\xbf{}", `{"email":"a@b","password":"\u0000"}`,
		`{"name":"\ud83d\ude00","email":"a@example.com","password":"\ud83d\ude00\ud83d\ude00"}`,
	} {
		f.Add(seed)
	}
	h := fuzzHouse(f)
	f.Fuzz(func(t *testing.T, body string) {
		for _, path := range []string{"/login", "/register"} {
			r := httptest.NewRequest("POST", path, strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			neverOurFault(t, h, r)
		}
	})
}

// fuzzHouse stands on PostgreSQL where there is one: it refuses texts that SQLite takes.
func fuzzHouse(f *testing.F) *house {
	if os.Getenv(storetest.PostgresVariable) != "" {
		return build(f, storetest.Postgres(f))
	}
	return newHouse(f)
}

func neverOurFault(t *testing.T, h *house, r *http.Request) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code >= 500 || !json.Valid(w.Body.Bytes()) {
		t.Errorf("%s: %d %s", r.URL.Path, w.Code, w.Body)
	}
}

// FuzzParseObject: what is accepted, encoding/json reads alike.
func FuzzParseObject(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":1}`, `{"a":1,"a":2}`, `{"a":1,}`, `{"a":{"a":1}}`, ` { "a" : "\u0061" } `, `{"a":1}x`, `{"\u0061":1,"a":2}`, "{\"a\":\"\xff\"}", `{a:1}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := parseObject(body)
		var want map[string]json.RawMessage
		if json.Unmarshal(body, &want) != nil || want == nil {
			if err == nil {
				t.Errorf("%q is accepted", body)
			}
			return
		}
		if err != nil {
			if err != errTwice && err != errNotUTF8 {
				t.Errorf("%q is refused: %v", body, err)
			}
			return
		}
		if len(got) != len(want) {
			t.Errorf("%q: %d members, want %d", body, len(got), len(want))
		}
		for name, value := range want {
			if string(got[name]) != string(value) {
				t.Errorf("%q: %s is %s, want %s", body, name, got[name], value)
			}
		}
	})
}
