package server

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// aForm is one that a page of ours shows, with which seal it carries, and which
// field holds it.
type aForm struct {
	path, seal string
	fields     []string
}

// forms are each of the pages' forms, filled in by b, who is signed in.
func (b *browser) forms() []aForm {
	h := b.h
	h.clock.advance(time.Second) // the sign-in was before what follows
	flow := b.get(authorizePath("app", "prompt", "login")).form("sign-in").fields.Get("flow")
	consent := b.get(authorizePath("app", "prompt", "consent")).form("allow").fields.Get("request")
	signOut := b.get("/sign-out").form("sign-out").fields.Get("request")
	account := b.get("/account").form("save-profile").fields.Get("token")
	return []aForm{
		{"/account/profile", "token", []string{"token", account, "name", "Mallory", "phone", "", "address", ""}},
		{"/account/password", "token", []string{"token", account, "current", rightPassword, "password", "a password of Mallory"}},
		{"/account/apps", "token", []string{"token", account, "client", "app"}},
		{"/account/sessions", "token", []string{"token", account, "session", "others"}},
		{"/consent", "request", []string{"request", consent, "action", "allow"}},
		{"/sign-up", "flow", []string{"flow", flow, "email", "mallory@example.com", "name", "M", "password", rightPassword}},
		{"/sign-out", "request", []string{"request", signOut, "action", "sign-out"}},
		{"/sign-in", "flow", []string{"flow", flow, "email", "eve@example.com", "password", rightPassword}},
	}
}

// without leaves out a field, or gives it another value.
func without(fields []string, name, instead string) (changed []string) {
	for i := 0; i < len(fields); i += 2 {
		switch {
		case fields[i] != name:
			changed = append(changed, fields[i], fields[i+1])
		case instead != "":
			changed = append(changed, name, instead)
		}
	}
	return changed
}

// TestFormsOfOtherSitesAreRefused is class 13, for each form of each page, also
// the one to sign in by, which comes before any session.
func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	inEachHouse(t, func(h *house) {
		h.registered("ada@example.com")
		h.registered("eve@example.com")
		h.webApp("app")
		ada, eve := h.browser(), h.browser()
		ada.codeFor("app")
		eve.get("/sign-in").signInAs("eve@example.com")
		hers := eve.forms()
		host := strings.TrimPrefix(h.Policy.Issuer, "http://")
		says := func(fetchSite string, headers ...string) option {
			return func(r *http.Request) {
				for _, name := range []string{"Origin", "Sec-Fetch-Site", "Referer"} {
					r.Header.Del(name)
				}
				if fetchSite != "" {
					r.Header.Set("Sec-Fetch-Site", fetchSite)
				}
				for i := 0; i < len(headers); i += 2 {
					r.Header.Add(headers[i], headers[i+1])
				}
			}
		}
		foreign := map[string]option{
			"Origin null":                      says("", "Origin", "null"),
			"Origin null, said to be ours":     says("same-origin", "Origin", "null"),
			"an evil origin":                   says("", "Origin", "https://evil.example"),
			"an evil origin, said to be ours":  says("same-origin", "Origin", "https://evil.example"),
			"https of the same host":           says("", "Origin", "https://"+host),
			"another port":                     says("", "Origin", "http://127.0.0.1:1"),
			"a name that begins like ours":     says("", "Origin", h.Policy.Issuer+".evil.example"),
			"our origin with a slash":          says("", "Origin", h.Policy.Issuer+"/"),
			"our origin and an evil one":       says("", "Origin", h.Policy.Issuer, "Origin", "https://evil.example"),
			"a client's origin":                says("", "Origin", "https://app.example.com"),
			"an empty origin":                  says("", "Origin", ""),
			"no origin and an evil referrer":   says("", "Referer", "https://evil.example/"),
			"a referrer that begins like ours": says("", "Referer", h.Policy.Issuer+".evil.example/"),
			"a referrer with our name as user": says("", "Referer", "http://"+host+"@evil.example/"),
			"cross-site":                       says("cross-site", "Origin", h.Policy.Issuer),
			"same-site":                        says("same-site", "Origin", h.Policy.Issuer),
			"cross-site without origin":        says("cross-site"),
		}
		for i, f := range ada.forms() {
			body, post := encode(f.fields), []option{asBrowser(h, "POST"), ada.sendCookies}
			h.unchanged(func() {
				refused := func(name string, a answer) {
					h.Helper()
					if a.status != 403 || a.header.Get("Location") != "" || strings.Contains(strings.Join(a.header["Set-Cookie"], ""), h.cookies.session) {
						h.Errorf("%s, %s: %d %v", f.path, name, a.status, a.header)
					}
				}
				for name, from := range foreign {
					refused(name, h.send("POST", f.path, body, append(post, from)...))
				}
				for _, mediaType := range []string{"text/plain", "", "application/json", "multipart/form-data; boundary=x", "text/plain; x=application/x-www-form-urlencoded"} {
					refused("as "+mediaType, h.send("POST", f.path, body, append(post, func(r *http.Request) { r.Header.Set("Content-Type", mediaType) })...))
				}
				if f.path != "/sign-out" { // nobody's: there is nothing to do
					refused("no cookie", h.send("POST", f.path, body, asBrowser(h, "POST")))
				}
				refused("no seal", h.send("POST", f.path, encode(without(f.fields, f.seal, "")), post...))
				refused("another session's seal", h.send("POST", f.path, encode(without(f.fields, f.seal, hers[i].fields[1])), post...))
				for _, method := range []string{"PUT", "PATCH", "DELETE"} {
					if a := h.send(method, f.path, body, post...); a.status != 405 {
						h.Errorf("%s %s: %d", method, f.path, a.status)
					}
				}
				for _, override := range []string{"X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"} {
					a := h.get(f.path+"?_method=POST&"+body, ada.sendCookies, h.atIssuer, header(override, "POST"))
					if a.status != 200 && a.status != 303 && a.status != 400 && a.status != 405 {
						h.Errorf("GET %s as POST: %d", f.path, a.status)
					}
				}
			})
		}
		h.unchanged(func() { // a real one is taken by its own host alone
			for _, f := range ada.forms() {
				a := h.send("POST", f.path, encode(f.fields), asBrowser(h, "POST"), ada.sendCookies, func(r *http.Request) { r.Host = "evil.example" })
				if a.status != 421 {
					h.Errorf("%s at another host: %d", f.path, a.status)
				}
			}
		})
		for _, f := range ada.forms() { // and each does something, when the page's own button is pressed
			if f.path == "/account/password" || f.path == "/account/sessions" {
				continue // the first ends the seals of the rest, the second has no others to end
			}
			before := h.rows("journal")
			if a := h.send("POST", f.path, encode(f.fields), asBrowser(h, "POST"), ada.sendCookies); a.status >= 400 || h.rows("journal") == before {
				h.Errorf("%s: %d", f.path, a.status)
			}
		}
	})
}

// TestPlainOriginOfOurHostIsNoOrigin is class 13: http, on the host of https.
func TestPlainOriginOfOurHostIsNoOrigin(t *testing.T) {
	h := newHouse(t, func(c *Config) { c.Policy.Issuer = "https://id.example.com" })
	h.registered("ada@example.com")
	b := h.browser()
	f := b.get("/sign-in").form("sign-in")
	f.fields.Set("email", "ada@example.com")
	f.fields.Set("password", rightPassword)
	for origin, want := range map[string]int{"http://id.example.com": 403, "https://id.example.com:443": 403, "https://sub.id.example.com": 403, "https://ID.example.com": 403, "https://id.example.com": 303} {
		a := h.send("POST", "/sign-in", f.fields.Encode(), b.sendCookies, header("Origin", origin), asBrowser(h, "POST"), func(r *http.Request) {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		})
		if a.status != want {
			t.Errorf("%s: %d, want %d", origin, a.status, want)
		}
	}
}

// TestProxyHeadersChangeNoPage is class 15 (and 11): whatever is said about host,
// scheme or path, addresses, cookies and decisions are those of the issuer.
func TestProxyHeadersChangeNoPage(t *testing.T) {
	for _, change := range []func(*Config){func(*Config) {}, trusting("127.0.0.0/8")} {
		h := newHouse(t, change, perAddress(2))
		h.webApp("app")
		get := func(path string, options ...option) answer {
			a := h.get(path, append(options, h.atIssuer)...)
			a.header.Del("Date")
			a.header.Del("Set-Cookie")
			a.body = sealedText.ReplaceAllString(a.body, "sealed")
			a.body = requestIDText.ReplaceAllString(a.body, "id")
			return a
		}
		for _, path := range []string{"/sign-in", authorizePath("app"), "/account", "/end_session", "/.well-known/openid-configuration", "/authorize"} {
			want := get(path)
			for name, value := range map[string]string{
				"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "X-Forwarded-Port": "1", "X-Forwarded-Prefix": "/evil", "Forwarded": "host=evil.example;proto=https",
				"X-Original-URL": "/account", "X-Rewrite-URL": "/account", "X-Forwarded-Uri": "/account", "X-Forwarded-For": "a", "X-Real-IP": "evil", "X_Forwarded_Host": "evil.example",
				"X-Host": "evil.example", "X-Forwarded-Server": "evil.example", "X-HTTP-Host-Override": "evil.example",
			} {
				if difference := unlike(want, get(path, header(name, value))); difference != "" {
					t.Errorf("%s with %s: %s", path, name, difference)
				}
			}
			if a := get(path, func(r *http.Request) { r.Host = "evil.example" }); strings.Contains(a.header.Get("Location"), "evil") {
				t.Error(a.header)
			}
		}
		h.registered("ada@example.com")
		b := h.browser()
		for i, sent := range []string{"a", "1.1.1.1, unknown", strings.Repeat("1.1.1.1,", 500), "fe80::1%eth0"} {
			want := 422
			if i == 2 || i == 3 && len(h.TrustedProxies) == 0 {
				want = 429
			}
			b.get("/sign-in")
			f := b.form("sign-in")
			f.fields.Set("email", fmt.Sprint("nobody", i, "@example.com"))
			f.fields.Set("password", "wrong password")
			if a := h.send("POST", "/sign-in", f.fields.Encode(), b.sendCookies, asBrowser(h, "POST"), from(sent)); a.status != want {
				t.Errorf("%.20s: %d, want %d", sent, a.status, want)
			}
		}
	}
}
