package server

import (
	"html"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/operator"
)

const postLogoutURI = "https://app.example.com/"

// leaving is a request to the end session endpoint; empty values are left out.
func leaving(parameters ...string) string {
	values := url.Values{}
	for i := 0; i < len(parameters); i += 2 {
		if parameters[i+1] != "" {
			values.Set(parameters[i], parameters[i+1])
		}
	}
	return "/end_session?" + values.Encode()
}

// isSignedIn says whether the browser's session lives.
func (b *browser) isSignedIn() bool {
	b.h.Helper()
	return strings.Contains(b.get("/account").at.body, `id="save-profile"`)
}

func TestEndSession(t *testing.T) {
	inEachHouse(t, func(h *house) {
		app, other := h.webApp("app"), h.webApp("other")
		h.run("82 with a hint it signs out at once and goes back", func(h *house) {
			b := h.visitor("82@example.com")
			a := b.tokens(app)
			offline := b.tokens(other, "scope", "openid offline_access", "prompt", "consent")
			h.clock.advance(2 * time.Hour) // a hint may have expired
			b.get(leaving("id_token_hint", a.member("id_token"), "post_logout_redirect_uri", postLogoutURI, "state", "a & state"))
			if b.left != postLogoutURI+"?state=a+%26+state" || b.at.status != 303 {
				h.Error(b.at.status, b.left)
			}
			b.denies("login_required", "app", "prompt", "none")
			b.denies("login_required", "other", "prompt", "none")
			h.ended(app, a)
			h.ok(h.refresh(offline.member("refresh_token"), "client_id", "other"))
			b.get(leaving("id_token_hint", a.member("id_token"), "post_logout_redirect_uri", postLogoutURI)) // once more
			if b.left != postLogoutURI {
				h.Error(b.at.status, b.left)
			}
		})
		h.run("82 the back button shows nothing", func(h *house) {
			b := h.visitor("back@example.com")
			if b.at.header.Get("Cache-Control") != "no-store" {
				h.Error(b.at.header)
			}
			page := b.at
			b.get("/sign-out").shows(200, "sign-out").press("sign-out")
			if b.isSignedIn() || b.path != "/sign-in" {
				h.Error(b.path)
			}
			b.at = page
			b.press("save-profile", "name", "Eve").fails(403, "session_ended")
		})
		h.run("84 what was issued in the session is not active any more", func(h *house) {
			web, stranger := h.webApp("web", confidential), h.webApp("stranger", confidential)
			b := h.visitor("84@example.com")
			a := b.tokens(web)
			ask := func(token string, c operator.Client) string {
				return h.ok(h.form("/introspect", []string{"token", token}, basicOf(c))).body
			}
			for _, token := range []string{a.member("access_token"), a.member("refresh_token")} {
				if own := ask(token, web); !strings.Contains(own, `"active":true`) {
					h.Error(own)
				}
				h.ok(h.form("/revoke", []string{"token", token}, basicOf(stranger)))
				if foreign := ask(token, stranger); foreign != inactive {
					h.Error(foreign)
				}
			}
			if got := ask(a.member("id_token"), web); got != inactive {
				h.Error(got)
			}
			b.get("/sign-out").press("sign-out")
			for _, token := range []string{a.member("access_token"), a.member("refresh_token")} {
				if got := ask(token, web); got != inactive {
					h.Error(got)
				}
			}
		})
		h.run("POST", func(h *house) {
			b := h.visitor("post@example.com")
			hint := b.tokens(app).member("id_token")
			_, query, _ := strings.Cut(leaving("id_token_hint", hint, "post_logout_redirect_uri", postLogoutURI, "state", "s"), "?")
			b.send("POST", "/end_session", query)
			if b.left != postLogoutURI+"?state=s" || b.isSignedIn() {
				h.Error(b.at.status, b.left)
			}
		})
		h.run("81 a bad request leads nowhere and signs nobody out", func(h *house) {
			b := h.visitor("81@example.com")
			tokens := b.tokens(app)
			hint, foreign := tokens.member("id_token"), b.tokens(other).member("id_token")
			f := newForger(h, hint)
			h.webApp("off")
			off := b.tokens(operator.Client{ID: "off"}).member("id_token")
			h.admin("POST", "/clients/off/disable", nil, nil)
			for name, parameters := range map[string][]string{
				"an address that nobody registered": {"id_token_hint", hint, "post_logout_redirect_uri", "https://evil.example/"},
				"a redirect URI":                    {"id_token_hint", hint, "post_logout_redirect_uri", redirectURI},
				"an added query":                    {"id_token_hint", hint, "post_logout_redirect_uri", postLogoutURI + "?x=1"},
				"no slash":                          {"id_token_hint", hint, "post_logout_redirect_uri", strings.TrimSuffix(postLogoutURI, "/")},
				"a fragment":                        {"id_token_hint", hint, "post_logout_redirect_uri", postLogoutURI + "#x"},
				"a hint of another client":          {"id_token_hint", foreign, "client_id", "app", "post_logout_redirect_uri", postLogoutURI},
				"a hint with alg none":              {"id_token_hint", f.input(map[string]any{"alg": "none"}) + ".", "post_logout_redirect_uri", postLogoutURI},
				"a hint by another key":             {"id_token_hint", f.selfSigned(nil), "post_logout_redirect_uri", postLogoutURI},
				"a hint that is an access token":    {"id_token_hint", tokens.member("access_token"), "post_logout_redirect_uri", postLogoutURI},
				"a garbage hint":                    {"id_token_hint", "x", "client_id", "app", "post_logout_redirect_uri", postLogoutURI},
				"no client":                         {"post_logout_redirect_uri", postLogoutURI},
				"an unknown client":                 {"client_id", "nobody", "post_logout_redirect_uri", postLogoutURI},
				"a disabled client":                 {"id_token_hint", off, "post_logout_redirect_uri", postLogoutURI},
				"a state that is too long":          {"id_token_hint", hint, "post_logout_redirect_uri", postLogoutURI, "state", strings.Repeat("s", 4097)},
			} {
				b.get(leaving(parameters...))
				if b.at.status != 400 || b.left != "" || b.at.header.Get("Location") != "" || strings.Contains(b.at.body, `id="sign-out"`) {
					h.Error(name, b.at.status, b.left)
				}
			}
			b.get(leaving("id_token_hint", hint, "post_logout_redirect_uri", postLogoutURI)+"&post_logout_redirect_uri=https://evil.example/").fails(400, "redirect_mismatch")
			b.get(leaving("id_token_hint", hint)+"&state=1&state=2").fails(400, "app_mistake")
			if !b.isSignedIn() {
				h.Error("signed out")
			}
		})
		h.run("81 without a hint it asks, and only offers the way back", func(h *house) {
			b := h.visitor("asks@example.com")
			a := b.tokens(app)
			b.get(leaving("client_id", "app", "post_logout_redirect_uri", postLogoutURI, "state", "s")).shows(200, "sign-out").says("app", "asks@example.com")
			page := b.at
			b.press("stay")
			if !b.isSignedIn() {
				h.Error("signed out")
			}
			b.at = page
			b.press("sign-out")
			if b.at.status != 200 || b.left != "" {
				h.Error(b.at.status, b.left)
			}
			if !strings.Contains(html.UnescapeString(b.at.body), `href="`+postLogoutURI+`?state=s"`) {
				h.Error(b.at.body)
			}
			h.ended(app, a)
			b.get(leaving("client_id", "app", "post_logout_redirect_uri", postLogoutURI)) // while nobody is signed in
			if b.at.status != 200 || b.left != "" || !strings.Contains(b.at.body, "href=\""+postLogoutURI) {
				h.Error(b.at.status, b.left, b.at.body)
			}
		})
		h.run("81 a hint of another person asks", func(h *house) {
			hint := h.visitor("ada@example.com").tokens(app).member("id_token")
			b := h.visitor("eve@example.com")
			b.get(leaving("id_token_hint", hint, "post_logout_redirect_uri", postLogoutURI)).shows(200, "sign-out").says("eve@example.com")
			if !b.isSignedIn() {
				h.Error("signed out")
			}
		})
		h.run("the page that asks is bound to the session", func(h *house) {
			page := h.visitor("bound@example.com").get("/sign-out").at
			b := h.visitor("victim@example.com")
			b.at = page
			b.press("sign-out").fails(403, "other_browser")
			b.get("/sign-out")
			b.send("POST", "/sign-out", "action=sign-out").fails(403, "other_browser")
			if !b.isSignedIn() {
				h.Error("signed out")
			}
		})
		h.run("other sessions of the person stay", func(h *house) {
			b := h.visitor("stay@example.com")
			elsewhere := h.visitorAgain("stay@example.com")
			b.get("/sign-out").press("sign-out")
			if b.isSignedIn() || !elsewhere.isSignedIn() {
				h.Error(b.isSignedIn(), elsewhere.isSignedIn())
			}
		})
	})
}

func TestFrontChannelLogout(t *testing.T) {
	inEachHouse(t, func(h *house) {
		front := func(uri, logout string) func(*operator.Client) {
			return func(c *operator.Client) {
				c.RedirectURIs, c.FrontchannelLogoutURI = append(c.RedirectURIs, uri), logout
			}
		}
		app := h.webApp("app", front("https://one.example.com/cb", "https://one.example.com/out?x=1"))
		two := h.webApp("two", front("https://two.example.com/cb", "https://two.example.com/out"))
		h.webApp("three", front("https://three.example.com/cb", "https://three.example.com/out")) // which has nothing in this session
		off := h.webApp("off", front("https://off.example.com/cb", "https://off.example.com/out"))
		b := h.visitor("ada@example.com")
		h.visitorAgain("ada@example.com").tokens(operator.Client{ID: "three"})
		b.tokens(two)
		b.tokens(off)
		h.admin("POST", "/clients/off/disable", nil, nil)
		a := b.tokens(app)
		_, claims := h.idToken(a)
		b.get(leaving("id_token_hint", a.member("id_token"), "post_logout_redirect_uri", postLogoutURI, "state", "s"))
		if b.at.status != 200 || b.left != "" {
			h.Fatal(b.at.status, b.left)
		}
		told := url.Values{"iss": {h.Policy.Issuer}, "sid": {claims["sid"].(string)}}.Encode()
		body := html.UnescapeString(b.at.body)
		if strings.Count(body, "<iframe ") != 2 || !strings.Contains(body, `src="https://one.example.com/out?x=1&`+told+`"`) || !strings.Contains(body, `src="https://two.example.com/out?`+told+`"`) {
			h.Error(body)
		}
		if !strings.Contains(body, `<meta http-equiv="refresh" content="0; url=`+postLogoutURI+`?state=s">`) {
			h.Error(body)
		}
		if policy := b.at.header.Get("Content-Security-Policy"); !strings.HasSuffix(policy, "; frame-src https://one.example.com https://two.example.com") {
			h.Error(policy)
		}
		if b.isSignedIn() {
			h.Error("still signed in")
		}
	})
}
