package oauth

import (
	"slices"
	"strings"
	"testing"

	"github.com/keywright/keywright/internal/change"
)

// webApp and nativeApp differ in what a redirect URI may be.
func webApp(redirectURIs ...string) *Client {
	return &Client{ID: "web", ClientMetadata: change.ClientMetadata{RedirectURIs: redirectURIs, PostLogoutRedirectURIs: redirectURIs}}
}

func nativeApp(redirectURIs ...string) *Client {
	c := webApp(redirectURIs...)
	c.Native = true
	return c
}

func TestGoodRedirectURIsAreAccepted(t *testing.T) {
	for _, uri := range []string{
		"https://app.example", "https://app.example/", "https://app.example/cb", "https://app.example/cb?flow=1&x=%20", "https://app.example:8443/cb",
		"https://app.example:443/cb", "https://a-b.c_d.example/~x/y;z=1", "https://xn--bcher-kva.example/cb", "https://192.0.2.1/cb", "https://[2001:db8::1]/cb",
		"https://[::1]:8443/cb", "http://localhost/cb", "http://localhost:4200/cb", "http://app.localhost:4200/", "http://127.0.0.1:51004/cb", "http://[::1]:51004/cb",
		"https://app.example/a.b/..c/...", "https://app.example/" + strings.Repeat("a", 2028),
	} {
		for _, c := range []*Client{webApp(), nativeApp()} {
			if problem := c.validateRedirectURI(uri); problem != "" {
				t.Errorf("%.80q %s", uri, problem)
			}
		}
	}
	for _, uri := range []string{"com.example.app:/cb", "com.example.app://cb"} {
		if problem := nativeApp().validateRedirectURI(uri); problem != "" {
			t.Errorf("%q %s", uri, problem)
		}
		if webApp().validateRedirectURI(uri) == "" {
			t.Errorf("%q of a web client is accepted", uri)
		}
	}
}

func TestRedirectURIsCompareExactly(t *testing.T) {
	const cb = "https://app.example/cb"
	for _, c := range []*Client{webApp(cb), nativeApp(cb)} {
		if !c.HasRedirectURI(cb) || !c.HasPostLogoutRedirectURI(cb) {
			t.Error("the registered URI is refused")
		}
		for _, uri := range append(hostileRedirectURIs, "https://app.example/cb/", "https://app.example/CB", "https://app.example/c%62", "https://app.example/cb?x", "https://app.example/cb?",
			"https://app.example:443/cb", "https://app.example:8443/cb", "https://app.example.evil.example/cb", "https://appXexample/cb", "https://app-example/cb",
			"https://evil.example/cb", "https://a.app.example/cb", "http://app.example/cb", "https://app.example", "https://app.example//cb", "https://app.example/cb;x",
			"https://app.example/cb/x", "https://app.example/c", "com.example.app:/cb") {
			if c.HasRedirectURI(uri) || c.HasPostLogoutRedirectURI(uri) {
				t.Errorf("%.80q is taken for %s", uri, cb)
			}
		}
	}
	if none := webApp(); none.HasRedirectURI("") || none.HasRedirectURI(cb) {
		t.Error("a client without redirect URIs has one")
	}
}

func TestThePortOfALoopbackAddressVariesForNativeClientsOnly(t *testing.T) {
	for _, c := range []struct {
		registered, asked string
		same              bool
	}{
		{"http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", true},
		{"http://127.0.0.1:1/cb", "http://127.0.0.1:65535/cb", true},
		{"http://127.0.0.1:1/cb", "http://127.0.0.1/cb", true},
		{"http://127.0.0.1", "http://127.0.0.1:51004", true},
		{"http://127.0.0.1?x=1", "http://127.0.0.1:51004?x=1", true},
		{"http://[::1]/cb", "http://[::1]:51004/cb", true},
		{"http://localhost/cb", "http://localhost:51004/cb", false},
		{"http://app.localhost/cb", "http://app.localhost:51004/cb", false},
		{"https://127.0.0.1/cb", "https://127.0.0.1:51004/cb", false},
		{"https://app.example/cb", "https://app.example:51004/cb", false},
		{"http://127.0.0.1/cb", "http://[::1]/cb", false},
		{"http://127.0.0.1/cb", "http://localhost/cb", false},
		{"http://127.0.0.1/cb", "https://127.0.0.1:51004/cb", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1:51004/other", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1:51004/cb?x", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1:51004/cb#x", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1:51004", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1:/cb", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1:0/cb", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1:65536/cb", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1:080/cb", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1:+80/cb", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1:80:80/cb", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1:80@evil.example/cb", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1@evil.example/cb", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1.evil.example/cb", false},
		{"http://127.0.0.1/cb", "http://127.0.0.10/cb", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1\\evil.example/cb", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1#@evil.example/cb", false},
		{"http://127.0.0.1/cb", "HTTP://127.0.0.1:51004/cb", false},
		{"http://[::1]/cb", "http://[::1]evil.example:1/cb", false},
		{"http://[::1]/cb", "http://[::1]:1:1/cb", false},
	} {
		if got := nativeApp(c.registered).HasRedirectURI(c.asked); got != c.same {
			t.Errorf("native: %q for %q: %t", c.asked, c.registered, got)
		}
		if got := nativeApp(c.registered).HasPostLogoutRedirectURI(c.asked); got != c.same {
			t.Errorf("native, post-logout: %q for %q: %t", c.asked, c.registered, got)
		}
		if webApp(c.registered).HasRedirectURI(c.asked) {
			t.Errorf("web: %q is taken for %q", c.asked, c.registered)
		}
	}
}

var hostileRedirectURIs = []string{
	// Nothing, or not absolute.
	"", " ", "/", "/cb", "cb", "//app.example/cb", "///app.example/cb", "?", "#", ":", "://app.example/cb", "app.example/cb", "app.example:443/cb", "localhost:4200",
	// Schemes that run, read or lead somewhere else; in any case and disguise.
	"javascript:alert(1)", "JaVaScRiPt:alert(1)", "javascript://app.example/%0aalert(1)", " javascript:alert(1)", "java\tscript:alert(1)", "java\nscript:alert(1)",
	"\x01javascript:alert(1)", "javascript&colon;alert(1)", "data:text/html,<script>alert(1)</script>", "DATA:text/html;base64,PHNjcmlwdD4=", "vbscript:msgbox(1)",
	"file:///etc/passwd", "blob:https://app.example/uuid", "about:blank", "mailto:a@app.example", "ftp://app.example/cb", "ws://app.example/cb", "view-source:https://app.example",
	"filesystem:https://app.example/temporary/x", "intent://app.example/#Intent;scheme=https;end", "myapp:/cb", "x-callback:/cb", "urn:ietf:wg:oauth:2.0:oob", "jar:https://app.example!/",
	// Private-use schemes that are no domain names.
	".example:/cb", "com.:/cb", "com..example:/cb", "com.example.app:", "com.example.app:cb", "COM.EXAMPLE.APP:/cb", "com.example+app:/cb", "-com.example:/cb", "com.example.app://user@cb/", "com.example.-app:/cb",
	// http, where others can listen.
	"http://app.example/cb", "HTTP://app.example/cb", "http://localhost.evil.example/cb", "http://localhost@evil.example/cb", "http://evil.example#localhost", "http://localhos/cb",
	"http://.localhost/cb", "http://localhost./cb", "http://127.0.0.1.evil.example/cb", "http://127.0.0.1@evil.example/cb", "http://127.1/cb", "http://0x7f000001/cb", "http://2130706433/cb",
	"http://0.0.0.0/cb", "http://127.0.0.2/cb", "http://0177.0.0.1/cb", "http://[::ffff:127.0.0.1]/cb", "http://[::1%25lo]/cb", "http://[0:0:0:0:0:0:0:1]/cb", "http://[::]/cb", "http://::1/cb", "http://192.168.0.1/cb",
	// Who is the host?
	"https://app.example@evil.example/cb", "https://app.example:443@evil.example/cb", "https://a@b@evil.example/cb", "https://user:pass@app.example/cb", "https://@app.example/cb", "https://:@app.example/cb",
	`https://evil.example\@app.example/cb`, `https:\\app.example/cb`, `https://app.example\.evil.example/cb`, "https:/app.example/cb", "https:app.example/cb", "https:///app.example/cb", "https://", "https:///", "https://:443/cb", "https://?x", "https://#x",
	// How is it written?
	"HTTPS://app.example/cb", "https://APP.EXAMPLE/cb", "https://App.example/cb", "https://app.example./cb", "https://.app.example/cb", "https://app..example/cb", "https://-app.example/cb", "https://app-.example/cb",
	"https://app%2eexample/cb", "https://app.example%00.evil.example/cb", "https://app.example%2f@evil.example/cb", "https://bücher.example/cb", "https://аpp.example/cb", "https://ａpp.example/cb", "https://app。example/cb",
	"https://app.example;evil.example/cb", "https://app.example,evil.example/cb", "https://app.example'/cb", "https://(app.example)/cb", "https://$app.example/cb", "https://app.example|evil/cb", "https://[app.example]/cb", "https://[::1/cb", "https://::1/cb", "https://[::1].evil.example/cb", "https://[v1.x]/cb", "https://[::ffff:192.0.2.1]/cb", "https://[2001:DB8::1]/cb", "https://[2001:db8:0::1]/cb",
	"https://" + strings.Repeat("a", 64) + ".example/cb",
	// Ports.
	"https://app.example:/cb", "https://app.example:0/cb", "https://app.example:65536/cb", "https://app.example:99999/cb", "https://app.example:0443/cb", "https://app.example:+443/cb", "https://app.example:443:443/cb", "https://app.example:https/cb",
	// Wildcards, fragments, what splits a header or a document.
	"https://*.app.example/cb", "https://app.example/*", "https://*/cb", "https://app.example/cb?x=*", "https://app.example/cb#", "https://app.example/cb#f", "https://app.example/cb?x#f", "com.example.app:/cb#f",
	"https://app.example/cb\r\nSet-Cookie: a=b", "https://app.example/cb\n", "https://app.example/cb\t", "https://app.example/ cb", "https://app.example/cb ", " https://app.example/cb", "https://app.example/cb\x00", "https://app.example/\x7f", "https://app.example/é",
	`https://app.example/"><script>`, "https://app.example/<b>", "https://app.example/{x}", "https://app.example/`x`", "https://app.example/a^b", "https://app.example/a|b",
	// Paths that one reads as another.
	"https://app.example/cb/../admin", "https://app.example/..", "https://app.example/cb/./x", "https://app.example/cb/..;/x", "https://app.example/cb/..;a=b/x", "https://app.example/cb%2f..", "https://app.example/cb/%2e%2e/x", "https://app.example/cb/%2E./x", "https://app.example/cb/.%2e",
	`https://app.example/cb/..\x`, "https://app.example/cb%5c..%5cx", "https://app.example/cb%00", "https://app.example/cb%0d%0aLocation:x", "https://app.example/cb%7f", "https://app.example/%zz", "https://app.example/%", "com.example.app:/a/../b",
	"https://app.example/" + strings.Repeat("a", 2029), "https://" + strings.Repeat("a.", 1<<19) + "example/cb",
}

func TestHostileRedirectURIsAreRefused(t *testing.T) {
	if len(hostileRedirectURIs) < 60 {
		t.Errorf("only %d", len(hostileRedirectURIs))
	}
	for _, uri := range hostileRedirectURIs {
		for _, c := range []*Client{webApp(), nativeApp()} {
			problem := c.validateRedirectURI(uri)
			if problem == "" {
				t.Errorf("%.80q is accepted", uri)
			}
			if bad := forbidden(problem); bad != "" {
				t.Errorf("%.80q: the problem holds %s", uri, bad)
			}
		}
	}
}

func TestOriginsAreWrittenAsBrowsersSendThem(t *testing.T) {
	for _, origin := range []string{
		"https://app.example", "https://app.example:8443", "https://192.0.2.1", "https://[2001:db8::1]", "https://xn--bcher-kva.example",
		"http://localhost", "http://localhost:4200", "http://app.localhost:4200", "http://127.0.0.1:4200", "http://[::1]:4200",
	} {
		if problem := ValidateOrigin(origin); problem != "" {
			t.Errorf("%q %s", origin, problem)
		}
	}
	for _, origin := range slices.Concat(hostileRedirectURIs, []string{
		"null", "*", "https://*", "https://*.app.example", "https://app.example/", "https://app.example/cb", "https://app.example?", "https://app.example?x", "https://app.example:443", "http://localhost:80",
		"https://app.example:08443", "https://app.example https://evil.example", "capacitor://localhost", "com.example.app://cb", "com.example.app:/cb", "HTTPS://app.example", "https://app.example,https://b.example", "https://app.example;",
	}) {
		problem := ValidateOrigin(origin)
		if problem == "" {
			t.Errorf("%.80q is accepted", origin)
		}
		if bad := forbidden(problem); bad != "" {
			t.Errorf("%.80q: the problem holds %s", origin, bad)
		}
	}
}

func FuzzRedirectURI(f *testing.F) {
	for _, uri := range hostileRedirectURIs {
		if len(uri) < 200 {
			f.Add(uri)
		}
	}
	f.Add("https://app.example/cb")
	f.Add("com.example.app:/cb")
	f.Add("http://[::1]:1/")
	f.Fuzz(func(t *testing.T, uri string) {
		if nativeApp().validateRedirectURI(uri) != "" {
			return
		}
		if c := nativeApp(uri); !c.HasRedirectURI(uri) {
			t.Errorf("%q is not itself", uri)
		}
		path, _, _ := strings.Cut(uri, "?")
		secure := strings.HasPrefix(uri, "https://")
		loopback := strings.HasPrefix(uri, "http://localhost") || strings.HasPrefix(uri, "http://127.0.0.1") || strings.HasPrefix(uri, "http://[::1]") ||
			strings.HasPrefix(uri, "http://") && strings.Contains(uri, ".localhost")
		scheme, _, _ := strings.Cut(uri, ":")
		if !secure && !loopback && !strings.Contains(scheme, ".") {
			t.Errorf("%q is accepted", uri)
		}
		if strings.ContainsAny(uri, "#*\\\"<> \t\r\n\x00") || strings.Contains(path, "/../") {
			t.Errorf("%q is accepted", uri)
		}
		authority, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(uri, "https://"), "http://"), "/")
		if authority, _, _ = strings.Cut(authority, "?"); (secure || loopback) && (strings.Contains(authority, "@") || authority != strings.ToLower(authority)) {
			t.Errorf("%q is accepted", uri)
		}
	})
}
