package server

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/pages"
)

// cookieNames are the server's three cookies. None can be set by a page of
// another origin, or by one without TLS (RFC 6265bis §4.1.3), but on a
// developer's own machine, where plain http knows no such prefix and the ports
// share their cookies.
type cookieNames struct {
	secure   bool
	browser  string // binds flows to a browser; no credential
	session  string
	language string
}

func namesOfCookies(issuer string) cookieNames {
	u, _ := url.Parse(issuer)
	if u.Scheme == "https" {
		return cookieNames{true, "__Host-browser", "__Host-session", "__Host-language"}
	}
	name := func(kind string) string { return "keywright-" + kind + "-" + u.Port() }
	return cookieNames{false, name("browser"), name("session"), name("language")}
}

const (
	untilClosed       = 0                  // seconds: a cookie that goes with the browser
	languageCookieTTL = 365 * 24 * 60 * 60 // seconds
)

// cookie returns a cookie's value. Of two with one name nobody can say which
// counts, so neither does.
func (x *exchange) cookie(name string) string {
	if sent := x.r.CookiesNamed(name); len(sent) == 1 {
		return sent[0].Value
	}
	return ""
}

// setCookie keeps a value for some seconds; less than 0 removes it.
func (x *exchange) setCookie(name, value string, maxAge int) {
	http.SetCookie(x.w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: maxAge, Secure: x.server.cookies.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// browser returns what names this browser, which gets its name now if it has none.
func (x *exchange) browser() string {
	name := x.server.cookies.browser
	if x.newBrowser == "" {
		x.newBrowser = x.cookie(name)
	}
	if len(x.newBrowser) != len(randomText()) {
		x.newBrowser = randomText()
		x.setCookie(name, x.newBrowser, untilClosed)
	}
	return x.newBrowser
}

// sessionHash names the session of this browser, as it is or as it has just become.
func (x *exchange) sessionHash() []byte {
	secret := x.newSession
	if secret == "" {
		secret = x.cookie(x.server.cookies.session)
	}
	if secret == "" {
		return []byte{}
	}
	return oauth.SessionHash(x.server.DB.Secrets().Session, secret)
}

// keepSession gives the browser the cookie of a session that has begun.
func (x *exchange) keepSession(secret string) {
	x.newSession = secret
	x.setCookie(x.server.cookies.session, secret, int(x.server.Policy.SessionAbsolute.Seconds()))
}

// forgetSession takes the cookie of a session that has ended.
func (x *exchange) forgetSession() { x.setCookie(x.server.cookies.session, "", -1) }

// language is what the person chose, or their browser says. OpenID Connect Core
// §3.1.2.1, ui_locales.
func (x *exchange) language() string {
	languages := []string{x.locales, x.cookie(x.server.cookies.language), x.r.Header.Get("Accept-Language")}
	for i, list := range languages {
		if len(list) > maxLanguages {
			languages[i] = ""
		}
	}
	return pages.Choose(languages...)
}

// maxLanguages is more than any browser or app lists; to read a megabyte of them costs much.
const maxLanguages = 4 << 10

// chooseLanguage is the switch below each page; the choice is remembered.
func (x *exchange) chooseLanguage(locale string) {
	if locale == "" {
		return
	}
	x.locales = pages.Choose(locale)
	x.setCookie(x.server.cookies.language, x.locales, languageCookieTTL)
}

// randomText is 256 bits that nobody can guess.
func randomText() string {
	var raw [32]byte
	rand.Read(raw[:])
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

// browserName is a few words by which a person knows a browser of theirs.
func browserName(userAgent string) string {
	find := func(names [][2]string) string {
		for _, n := range names {
			if strings.Contains(userAgent, n[0]) {
				return n[1]
			}
		}
		return ""
	}
	browser := find([][2]string{{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}})
	system := find([][2]string{
		{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"},
	})
	switch {
	case browser != "" && system != "":
		return browser + ", " + system
	default:
		return browser + system
	}
}
