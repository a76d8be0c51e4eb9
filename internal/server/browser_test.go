package server

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/keywright/keywright/internal/operator"
)

// A browser keeps cookies, shows one page, and posts its forms as browsers do. It
// follows redirects within the server, and stops at those that leave it.
type browser struct {
	h       *house
	cookies map[string]string
	at      answer // the page that it shows
	path    string // where that came from
	left    string // where it was sent outside of the server; empty: nowhere
}

func (h *house) browser() *browser { return &browser{h: h, cookies: map[string]string{}} }

func (b *browser) send(method, path, body string, options ...option) *browser {
	b.h.Helper()
	b.left = ""
	for range 10 {
		b.path = path
		b.at = b.h.send(method, path, body, append([]option{b.sendCookies, asBrowser(b.h, method)}, options...)...)
		b.keepCookies()
		location := b.at.header.Get("Location")
		if location == "" {
			return b
		}
		here, ok := strings.CutPrefix(location, b.h.Policy.Issuer)
		if !ok && !strings.HasPrefix(location, "/") {
			b.left = location
			return b
		}
		if !ok {
			here = location
		}
		method, path, body, options = http.MethodGet, here, "", nil
	}
	b.h.Fatal("redirected for ever at " + path)
	return b
}

// asBrowser adds what browsers say by themselves about a form of this site.
func asBrowser(h *house, method string) option {
	return func(r *http.Request) {
		h.atIssuer(r)
		r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
		if method == http.MethodPost && r.Header.Get("Origin") == "" {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Origin", h.Policy.Issuer)
			r.Header.Set("Sec-Fetch-Site", "same-origin")
		}
	}
}

func (b *browser) sendCookies(r *http.Request) {
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
}

func (b *browser) keepCookies() {
	for _, c := range (&http.Response{Header: b.at.header}).Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
}

func (b *browser) get(path string, options ...option) *browser {
	b.h.Helper()
	return b.send(http.MethodGet, path, "", options...)
}

var (
	formTag   = regexp.MustCompile(`(?s)<form\b([^>]*)>(.*?)</form>`)
	fieldTag  = regexp.MustCompile(`<(?:input|textarea)\b([^>]*)>`)
	buttonTag = regexp.MustCompile(`<button\b([^>]*)>`)
	attribute = regexp.MustCompile(`([a-z-]+)="([^"]*)"`)
)

func attributes(tag string) map[string]string {
	all := map[string]string{}
	for _, m := range attribute.FindAllStringSubmatch(tag, -1) {
		all[m[1]] = html.UnescapeString(m[2])
	}
	return all
}

// a webForm is one of a page, with what it would post.
type webForm struct {
	action string
	fields url.Values
}

// form returns the page's form that has a button with an id; "" is the first form.
func (b *browser) form(button string) webForm {
	b.h.Helper()
	for _, m := range formTag.FindAllStringSubmatch(b.at.body, -1) {
		f := webForm{attributes(m[1])["action"], url.Values{}}
		for _, field := range fieldTag.FindAllStringSubmatch(m[2], -1) {
			if a := attributes(field[1]); a["name"] != "" {
				f.fields.Set(a["name"], a["value"])
			}
		}
		for _, tag := range buttonTag.FindAllStringSubmatch(m[2], -1) {
			a := attributes(tag[1])
			if a["id"] != button && button != "" {
				continue
			}
			if a["name"] != "" {
				f.fields.Set(a["name"], a["value"])
			}
			return f
		}
	}
	b.h.Fatalf("%s has no button %q: %d %s", b.path, button, b.at.status, b.at.body)
	return webForm{}
}

// press fills in fields, by names and values in turn, and presses a button.
func (b *browser) press(button string, fields ...string) *browser {
	b.h.Helper()
	f := b.form(button)
	for i := 0; i < len(fields); i += 2 {
		f.fields.Set(fields[i], fields[i+1])
	}
	return b.send(http.MethodPost, f.action, f.fields.Encode())
}

// shows wants a page with a button.
func (b *browser) shows(status int, button string) *browser {
	b.h.Helper()
	if b.at.status != status || !strings.Contains(b.at.body, `id="`+button+`"`) {
		b.h.Fatalf("%s: got %d, want %d with button %s: %.3000s", b.path, b.at.status, status, button, b.at.body)
	}
	return b
}

// fails wants a failure's page.
func (b *browser) fails(status int, code string) *browser {
	b.h.Helper()
	if b.at.status != status || !strings.Contains(b.at.body, code) || b.left != "" {
		b.h.Fatalf("%s: got %d, left to %q, want %d with %s: %.3000s", b.path, b.at.status, b.left, status, code, b.at.body)
	}
	return b
}

// answered returns what came back to the client's redirect URI.
func (b *browser) answered(redirectURI string) url.Values {
	b.h.Helper()
	if b.left == "" {
		b.h.Fatalf("%s: not sent back: %d %.3000s", b.path, b.at.status, b.at.body)
	}
	uri, query, _ := strings.Cut(b.left, "?")
	if uri != redirectURI {
		b.h.Fatalf("sent to %s, want %s", b.left, redirectURI)
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		b.h.Fatal(err)
	}
	if values.Get("iss") != b.h.Policy.Issuer {
		b.h.Errorf("iss is %q", values.Get("iss"))
	}
	return values
}

// signInAs fills in the sign-in page that is shown.
func (b *browser) signInAs(email string) *browser {
	b.h.Helper()
	return b.press("sign-in", "email", email, "password", rightPassword)
}

const (
	verifier    = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636 appendix B
	redirectURI = "https://app.example.com/callback"
)

func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// webApp registers a client for sign-in: a page in a browser unless changes make it another.
func (h *house) webApp(id string, changes ...func(*operator.Client)) operator.Client {
	h.Helper()
	c := operator.Client{
		ID: id, Public: true, RedirectURIs: []string{redirectURI}, PostLogoutRedirectURIs: []string{"https://app.example.com/"},
		Scopes: []string{"openid", "profile", "email", "address", "phone", "offline_access"}, Origins: []string{"https://app.example.com"},
	}
	for _, change := range changes {
		change(&c)
	}
	return h.addClient(c)
}

func confidential(c *operator.Client) { c.Public = false }
func trusted(c *operator.Client)      { c.Trusted = true }

// authorizePath asks for a code, with parameters in turn over the usual ones; an
// empty value leaves one out.
func authorizePath(clientID string, parameters ...string) string {
	values := url.Values{
		"client_id": {clientID}, "redirect_uri": {redirectURI}, "response_type": {"code"}, "scope": {"openid profile email"}, "state": {"a state"},
		"nonce": {"a nonce"}, "code_challenge": {challengeOf(verifier)}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(parameters); i += 2 {
		values.Del(parameters[i])
		if parameters[i+1] != "" {
			values.Set(parameters[i], parameters[i+1])
		}
	}
	return "/authorize?" + values.Encode()
}

// redeem asks for tokens.
func (h *house) redeem(c operator.Client, code string, parameters ...string) answer {
	h.Helper()
	all := []string{"grant_type", "authorization_code", "code", code, "redirect_uri", redirectURI, "code_verifier", verifier, "client_id", c.ID}
	if c.Secret != "" {
		all = append(all, "client_secret", c.Secret)
	}
	for i := 0; i < len(parameters); i += 2 {
		at := slices.Index(all, parameters[i])
		switch {
		case at < 0:
			all = append(all, parameters[i], parameters[i+1])
		case parameters[i+1] == "":
			all = slices.Delete(all, at, at+2)
		default:
			all[at+1] = parameters[i+1]
		}
	}
	return h.form("/token", all)
}

// codeFor signs ada in, who has an account, allows what is asked for and returns the code.
func (b *browser) codeFor(clientID string, parameters ...string) string {
	b.h.Helper()
	b.get(authorizePath(clientID, parameters...))
	if strings.Contains(b.at.body, `id="sign-in"`) {
		b.signInAs("ada@example.com")
	}
	if strings.Contains(b.at.body, `id="allow"`) {
		b.press("allow")
	}
	code := b.answered(redirectURI).Get("code")
	if code == "" {
		b.h.Fatal("no code: " + b.left)
	}
	return code
}

func TestPersonSignsInToAnAppAndASecondOneKnowsThem(t *testing.T) {
	inEachHouse(t, func(h *house) {
		h.registered("ada@example.com")
		first, second := h.webApp("first"), h.webApp("second", confidential)
		b := h.browser()
		b.get(authorizePath("first")).shows(200, "sign-in")
		b.signInAs("ada@example.com").shows(200, "allow")
		b.press("allow")
		values := b.answered(redirectURI)
		if values.Get("state") != "a state" {
			h.Error(values)
		}
		tokens := h.ok(h.redeem(first, values.Get("code")))
		if tokens.member("id_token") == "" || tokens.member("refresh_token") == "" {
			h.Error(tokens.body)
		}
		info := h.ok(h.get("/userinfo", bearerToken(tokens.member("access_token"))))
		if info.member("name") != "Ada" || info.member("email") != "ada@example.com" {
			h.Error(info.body)
		}
		b.get(authorizePath("second")).shows(200, "allow")
		b.press("allow")
		h.ok(h.redeem(second, b.answered(redirectURI).Get("code")))
		b.get(authorizePath("second", "prompt", "none"))
		h.ok(h.redeem(second, b.answered(redirectURI).Get("code")))
		h.ok(h.refresh(tokens.member("refresh_token"), "client_id", "first"))

		b.get("/account")
		if !strings.Contains(b.at.body, "Firefox, Linux") || !strings.Contains(b.at.body, "second") {
			h.Error(b.at.body)
		}
		b.get("/sign-out").shows(200, "sign-out").press("sign-out")
		b.get(authorizePath("second", "prompt", "none"))
		if b.answered(redirectURI).Get("error") != "login_required" {
			h.Error(b.left)
		}
		h.refused(h.refresh(tokens.member("refresh_token"), "client_id", "first"), 400, "invalid_grant")
		if a := h.get("/userinfo", bearerToken(tokens.member("access_token"))); a.status != 401 {
			h.Error(a.status, a.body)
		}
	})
}

// tellAll does what the server's jobs do when sessions have ended.
func (h *house) tellAll(ctx context.Context) error {
	return errors.Join(h.readJournal(ctx), h.tellClients(ctx))
}
