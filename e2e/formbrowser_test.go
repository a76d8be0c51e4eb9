package e2e

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// A formBrowser knows links, forms and cookies, and nothing else.
type formBrowser struct {
	t      *testing.T
	web    http.Client
	issuer string
	at     *url.URL
	status int
	page   string
	left   *url.URL // where it left the issuer to; nil: it is still there
}

func newFormBrowser(t *testing.T, issuer string) *formBrowser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &formBrowser{t: t, issuer: issuer, web: http.Client{
		Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (b *formBrowser) get(at string) *formBrowser {
	b.t.Helper()
	return b.follow(b.web.Get(at))
}

func (b *formBrowser) follow(resp *http.Response, err error) *formBrowser {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	b.at, b.status, b.page, b.left = resp.Request.URL, resp.StatusCode, string(body), nil
	if next, err := resp.Location(); err == nil {
		if strings.HasPrefix(next.String(), b.issuer+"/") {
			return b.get(next.String())
		}
		b.left = next
	}
	return b
}

var (
	formOf    = regexp.MustCompile(`(?s)<form.*?</form>`)
	hiddenOf  = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
	actionOf  = regexp.MustCompile(`action="([^"]*)"`)
	pressedOf = regexp.MustCompile(`name="([^"]*)" value="([^"]*)"`)
)

// press presses a button, by its id, after filling in fields of its form: a name
// and a value in turn.
func (b *formBrowser) press(button string, fields ...string) *formBrowser {
	b.t.Helper()
	for _, form := range formOf.FindAllString(b.page, -1) {
		_, tag, found := strings.Cut(form, `id="`+button+`"`)
		if !found {
			continue
		}
		values := url.Values{}
		for _, field := range hiddenOf.FindAllStringSubmatch(form, -1) {
			values.Set(html.UnescapeString(field[1]), html.UnescapeString(field[2]))
		}
		tag, _, _ = strings.Cut(tag, ">")
		if name := pressedOf.FindStringSubmatch(tag); name != nil {
			values.Set(name[1], name[2])
		}
		for i := 0; i < len(fields); i += 2 {
			values.Set(fields[i], fields[i+1])
		}
		action, err := b.at.Parse(html.UnescapeString(actionOf.FindStringSubmatch(form)[1]))
		if err != nil {
			b.t.Fatal(err)
		}
		return b.follow(b.web.PostForm(action.String(), values))
	}
	b.t.Fatalf("there is no button %s at %s (%d): %s", button, b.at, b.status, b.page)
	return nil
}

// signIn signs in and allows, as far as it is asked to.
func (b *formBrowser) signIn(who person) *formBrowser {
	b.t.Helper()
	if strings.Contains(b.page, `id="sign-in"`) {
		b.press("sign-in", "email", who.Email, "password", who.Password)
	}
	if strings.Contains(b.page, `id="allow"`) {
		b.press("allow")
	}
	return b
}

// answered returns what came back to the app.
func (b *formBrowser) answered() url.Values {
	b.t.Helper()
	if b.left == nil {
		b.t.Fatalf("still at %s (%d): %s", b.at, b.status, b.page)
	}
	return b.left.Query()
}
