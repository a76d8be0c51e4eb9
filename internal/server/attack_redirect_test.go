package server

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/keywright/keywright/internal/operator"
)

// hostileRedirects are almost https://app.example.com/callback, or another of a
// client's registered addresses, to some reader of addresses.
var hostileRedirects = []string{
	"https://app.example.com@evil.example/callback", "https://evil.example@app.example.com/callback", "https://app.example.com:443@evil.example/callback",
	"https://a@b@evil.example/callback", "https://app.example.com%40evil.example/callback", "https://app.example.com\\@evil.example/callback",
	"https://evil.example\\.app.example.com/callback", "https://evil.example%5c.app.example.com/callback", "https://user:pass@app.example.com/callback",
	"https://@app.example.com/callback", "https://app.example.com:@evil.example/callback",

	"https://app.example.com/callback/..;/x", "https://app.example.com/callback/../x", "https://app.example.com/x/../callback", "https://app.example.com/callback%2f..",
	"https://app.example.com/callback/%2e%2e/x", "https://app.example.com/./callback", "https://app.example.com//callback", "https://app.example.com/callback/",
	"https://app.example.com/callback;x", "https://app.example.com/callback?x", "https://app.example.com/callback?", "https://app.example.com/callback?x=1",
	"https://app.example.com/callback#f", "https://app.example.com/callback#", "https://app.example.com/callback%23", "https://app.example.com/callbackX",
	"https://app.example.com/Callback", "https://app.example.com/callbac", "https://app.example.com/", "https://app.example.com", "https://app.example.com/c%61llback",
	"https://app.example.com/callback&x", "https://app.example.com\\callback", "https://app.example.com/callback\\..\\x",

	"HTTPS://app.example.com/callback", "https://APP.EXAMPLE.COM/callback", "https://app.example.com./callback", "https://app.example.com.evil.example/callback",
	"https://evilapp.example.com/callback", "https://appXexampleXcom/callback", "https://app.example.com:443/callback", "https://app.example.com:8443/callback",
	"https://app.example.com:0443/callback", "https://app.example.com:/callback", "https://sub.app.example.com/callback", "https://example.com/callback",
	"https://*.example.com/callback", "https://app.example.com%00.evil.example/callback", "https://app.example.com%2eevil.example/callback",
	"https://[::ffff:127.0.0.1]/callback", "https://[app.example.com]/callback",

	"http://app.example.com/callback", "//app.example.com/callback", "/callback", "callback", "https:app.example.com/callback", "https:/app.example.com/callback",
	"https:///app.example.com/callback", "https:\\\\app.example.com/callback", "://app.example.com/callback", "https//app.example.com/callback",
	"https://app.example.com/callback\x00", "https://app.example.com/callback\n", "https://app.example.com/call\tback", "https://app.example.com/callback\r\nX: y",
	" https://app.example.com/callback", "https://app.example.com/callback ", "https://app.example.com\n.evil.example/callback", "\x00https://app.example.com/callback",
	"https://аpp.example.com/callback", "https://app。example.com/callback", "https://ａpp.example.com/callback", "https://app.example.com／callback",
	"https://app.example.com⁄@evil.example/callback", "https://app.example.com/callback\u202e", "https://app.example.com/callback\u0085", "https://xn--pp-6kc.example.com/callback",

	"javascript:alert(1)", "JaVaScRiPt:alert(1)", "javascript://app.example.com/callback", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "blob:https://app.example.com/x",
	"about:blank", "intent://app.example.com/callback", "com.example.app:/callback", "urn:ietf:wg:oauth:2.0:oob", "null", "*", ".", "..", "%", "https://", "https://%zz/callback",
	"https://app.example.com/callback" + strings.Repeat("a", 3000),

	// a web client's loopback addresses have one port, and a name is no address
	"http://127.0.0.1/native", "http://127.0.0.1:8081/native", "http://[::1]:8080/native", "http://localhost:8080/native", "http://127.1:8080/native", "http://2130706433:8080/native",
	"http://127.0.0.1.evil.example:8080/native", "http://127.0.0.1:8080@evil.example/native", "http://127.0.0.1:8080/native/", "https://127.0.0.1:8080/native",
}

// ofNativeApp are hostile where any port of a loopback address is right.
var ofNativeApp = []string{
	"http://127.0.0.1:0/native", "http://127.0.0.1:65536/native", "http://127.0.0.1:/native", "http://127.0.0.1:8080x/native", "http://127.0.0.1:08080/native",
	"http://127.0.0.1:80@evil.example/native", "http://127.0.0.1.evil.example/native", "http://127.0.0.1:8080/native/", "http://127.0.0.1:8080/x", "http://127.0.0.1:8080",
	"http://127.0.0.1:8080?native", "http://127.0.0.2:8080/native", "http://localhost:9999/local", "http://localhost./local", "http://[::1%25lo]:8080/native",
	"http://0:8080/native", "http://[::ffff:127.0.0.1]:8080/native", "http://127.0.0.1:8080\\@evil.example/native", "https://127.0.0.1:8080/native", "HTTP://127.0.0.1:8080/native",
}

// redirectHouse has ada signed in, and clients that would get a code at once.
func redirectHouse(h *house) (b *browser, tokens answer) {
	h.registered("ada@example.com")
	web := h.webApp("web", trusted, func(c *operator.Client) {
		c.RedirectURIs = append(c.RedirectURIs, "http://127.0.0.1:8080/native")
		c.PostLogoutRedirectURIs = c.RedirectURIs
	})
	h.webApp("native", trusted, func(c *operator.Client) {
		c.Native, c.Origins, c.RedirectURIs = true, nil, []string{"http://127.0.0.1/native", "http://localhost/local"}
		c.PostLogoutRedirectURIs = c.RedirectURIs
	})
	b = h.browser()
	return b, h.ok(h.redeem(web, b.codeFor("web")))
}

// TestHostileRedirectURIsAreShownAndNotFollowed is class 3, at both endpoints
// that lead out of the server, with a person for whom the right address works.
func TestHostileRedirectURIsAreShownAndNotFollowed(t *testing.T) {
	for _, change := range []func(*Config){func(*Config) {}, asDev} {
		h := newHouse(t, change)
		b, tokens := redirectHouse(h)
		h.unchanged(func() {
			modes := []string{"query", "form_post", "form_post.jwt", "fragment"}
			for client, uris := range map[string][]string{"web": hostileRedirects, "native": append(ofNativeApp, hostileRedirects[:20]...)} {
				for i, uri := range uris {
					h.stays(b.get(authorizePath(client, "redirect_uri", uri, "response_mode", modes[i%len(modes)])), uri)
					h.stays(b.get(authorizePath(client, "redirect_uri", uri, "prompt", "none")), uri)
					leave := url.Values{"client_id": {client}, "post_logout_redirect_uri": {uri}, "state": {"x"}}
					h.stays(b.get("/end_session?"+leave.Encode()), uri)
					leave.Set("client_id", "web")
					leave.Set("id_token_hint", tokens.member("id_token"))
					h.stays(b.get("/end_session?"+leave.Encode()), uri)
				}
			}
			twice := authorizePath("web") + "&redirect_uri=" + url.QueryEscape("https://evil.example/")
			h.stays(b.get(twice), "twice")
			h.stays(b.get(authorizePath("nobody", "redirect_uri", "https://evil.example/")), "of nobody's")
		})
		for client, uris := range map[string][]string{"web": {redirectURI, "http://127.0.0.1:8080/native"}, "native": {"http://127.0.0.1/native", "http://127.0.0.1:50000/native", "http://localhost/local"}} {
			for _, uri := range uris {
				if b.get(authorizePath(client, "redirect_uri", uri)); b.left == "" {
					b.press("allow") // to an app on the device, always: RFC 8252 §8.6
				}
				if b.answered(uri).Get("code") == "" {
					t.Errorf("%s: no code to %s", client, uri)
				}
			}
		}
	}
}

var leadsAway = regexp.MustCompile(`(?i)<(form|a|iframe|script|link|img|base|meta)\b[^>]*evil\.example`)

// stays wants a page of ours that refuses, and leads nowhere.
func (h *house) stays(b *browser, sent string) {
	h.Helper()
	a := b.at
	if a.status != 400 || a.header.Get("Location") != "" || a.header.Get("Refresh") != "" || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") || leadsAway.MatchString(a.body) {
		h.Errorf("%q at %s: %d %v", sent, b.path[:min(len(b.path), 40)], a.status, a.header)
	}
	if csp := a.header.Get("Content-Security-Policy"); strings.Contains(csp, "evil") || !strings.Contains(csp, "form-action 'self';") {
		h.Errorf("%q: %s", sent, csp)
	}
}

var outside = []string{
	"//evil.example", "/\\evil.example", "/\\/evil.example", "/%09/evil.example", "\\\\evil.example", "https:evil.example", "https:///evil.example", "/@evil.example",
	"/..//evil.example", "javascript:alert(1)//evil.example", "data:text/html,evil.example", "https://evil.example/", "/%0a/evil.example", "http://evil.example:80/",
}

// parameterNames are those that any endpoint of this or another server has read.
var parameterNames = []string{
	"client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce", "code_challenge", "code_challenge_method", "prompt", "max_age",
	"login_hint", "acr_values", "claims", "id_token_hint", "resource", "request", "request_uri", "ui_locales", "display", "post_logout_redirect_uri", "logout_hint",
	"return_to", "return", "next", "continue", "url", "rd", "redirect", "redirect_to", "target", "callbackUrl", "iss", "flow", "action", "error", "error_uri", "target_link_uri",
}

// TestNoParameterLeadsAway is class 4: whatever stands in whichever parameter of
// whichever GET, people stay here or go where the client is registered.
func TestNoParameterLeadsAway(t *testing.T) {
	for _, change := range []func(*Config){func(*Config) {}, asDev} {
		h := newHouse(t, change)
		ada, _ := redirectHouse(h)
		check := func(path string, cookies option) {
			a := h.get(path, h.atIssuer, cookies)
			if location := a.header.Get("Location"); !h.leadsHome(location) || a.header.Get("Refresh") != "" || leadsAway.MatchString(a.body) {
				t.Errorf("%s: %d to %q", path, a.status, location)
			}
		}
		nobody := h.browser()
		for _, evil := range outside {
			all := url.Values{}
			for _, name := range parameterNames {
				all.Set(name, evil)
			}
			for _, r := range routesOf(h) {
				if r.method == "GET" && r.kind != api && !strings.HasPrefix(r.path, "/dev/pages/") {
					check(r.path+"?"+all.Encode(), nobody.sendCookies)
					check(r.path+"?"+all.Encode(), ada.sendCookies)
					check(r.path+"?"+evil, ada.sendCookies)
				}
			}
			for _, name := range parameterNames {
				if h.Dev == nil { // which changes no address
					check(authorizePath("web", name, evil), ada.sendCookies)
				}
			}
			for _, name := range []string{"client_id", "id_token_hint", "logout_hint", "post_logout_redirect_uri", "state", "ui_locales"} {
				if h.Dev == nil {
					check("/end_session?"+url.Values{"client_id": {"web"}, "state": {"x"}, name: {evil}}.Encode(), ada.sendCookies)
				}
			}
			check("/"+evil, ada.sendCookies)
		}
		b := h.browser()
		b.get("/sign-in?return_to=//evil.example").press("sign-in", "email", "ada@example.com", "password", rightPassword, "return_to", "//evil.example", "next", "//evil.example")
		if b.path != "/account" || b.left != "" {
			t.Errorf("signing in led to %s %s", b.path, b.left)
		}
	}
}

// leadsHome says whether a Location is of this server or registered.
func (h *house) leadsHome(location string) bool {
	for _, registered := range []string{"https://app.example.com/callback?", "http://127.0.0.1:8080/native?", "http://127.0.0.1/native?", h.Policy.Issuer + "/"} {
		if strings.HasPrefix(location, registered) {
			return true
		}
	}
	here, _, _ := strings.Cut(location, "?")
	return here == "" || here[0] == '/' && !strings.HasPrefix(here, "//") && !strings.Contains(here, "\\")
}
