package server

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/keywright/keywright/internal/account"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/pages"
)

// page sends HTML to a person, in a language that they read. Its forms lead back
// here, and over a redirect to the origins of formTargets: Chromium checks each
// hop after a form against form-action.
func (x *exchange) page(status int, p pages.Page, formTargets ...string) {
	html, err := x.server.pages.Render(x.language(), p)
	if err != nil {
		x.broke(err)
		return
	}
	targets := "'self'"
	for _, target := range formTargets {
		if target != "" && !strings.Contains(targets+" ", " "+target+" ") {
			targets += " " + target
		}
	}
	h := x.w.Header()
	h["Content-Type"] = htmlType
	h["Content-Security-Policy"] = []string{"default-src 'none'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; form-action " + targets + "; " + x.server.pages.Sources(p)}
	h["X-Frame-Options"] = deny
	h["Referrer-Policy"] = sameOrigin // no-referrer would make browsers send Origin: null with our own forms
	h["Cache-Control"] = noStore
	x.write(status, html)
}

var (
	htmlType   = []string{"text/html; charset=utf-8"}
	cssType    = []string{"text/css; charset=utf-8"}
	scriptType = []string{"text/javascript; charset=utf-8"}
	deny       = []string{"DENY"}
	sameOrigin = []string{"same-origin"}
)

// failurePage shows what went wrong where nothing can go back to an app.
func (x *exchange) failurePage(status int, code pages.FailureCode, values ...string) {
	x.page(status, pages.Failure{Code: code, Values: values, RequestID: x.id, Docs: docsOf(code)})
}

// docsOf is the page that explains a failure.
func docsOf(code pages.FailureCode) string {
	return "https://github.com/keywright/keywright/blob/main/docs/errors.md#" + string(code)
}

// brokePage is broke for a person.
func (x *exchange) brokePage(err error) {
	x.blame(err)
	x.failurePage(http.StatusInternalServerError, pages.Broken)
}

// fault shows a refusal of oauth's that must stay here. A developer sees which
// parameter is wrong, and how it differs from what is registered.
func (x *exchange) fault(f *oauth.Fault) {
	code, status := pages.AppMistake, http.StatusBadRequest
	switch {
	case f.Code == oauth.FlowUsed:
		code, status = pages.FlowUsed, http.StatusForbidden
	case f.Code == oauth.FlowExpired:
		code, status = pages.FlowExpired, http.StatusForbidden
	case f.Code == oauth.ConsentOfOthers:
		code, status = pages.SessionEnded, http.StatusForbidden
	case f.Parameter == "client_id":
		code = pages.UnknownClient
	case strings.HasSuffix(f.Parameter, "redirect_uri"):
		code = pages.RedirectMismatch
	}
	page := pages.Failure{Code: code, RequestID: x.id, Docs: docsOf(code)}
	if x.server.Dev != nil {
		page.Details = []pages.Field{{Name: f.Code, Value: f.Description}}
		if f.Parameter != "" {
			page.Mismatch = &pages.Mismatch{Parameter: f.Parameter, Sent: f.Sent, Registered: f.Registered}
		}
	}
	x.step.note("", f.Description)
	x.page(status, page)
}

var crossOrigin = http.NewCrossOriginProtection()

// guard refuses what no page of ours sends. Pages are reached at the issuer's
// own host, where their cookies are, and their forms are posted from there.
func (x *exchange) guard(k kind) (passed bool) {
	issuer, _ := url.Parse(x.server.Policy.Issuer)
	if x.r.Host != issuer.Host {
		x.misdirected(issuer)
		return false
	}
	if x.r.Method != http.MethodPost {
		if k == page {
			x.chooseLanguage(x.r.URL.Query().Get("ui_locales"))
		}
		return true
	}
	switch {
	case k == page && !x.fromOwnPage():
		x.failurePage(http.StatusForbidden, pages.CrossOrigin)
	case !isForm(x.r):
		x.failurePage(http.StatusForbidden, pages.BadForm)
	default:
		return true
	}
	return false
}

// misdirected sends a developer to where the cookies are, and tells an operator
// that a proxy, or the issuer, names another host.
func (x *exchange) misdirected(issuer *url.URL) {
	if x.server.Dev != nil && x.r.Method == http.MethodGet {
		x.redirect(http.StatusFound, x.server.Policy.Issuer+x.r.URL.RequestURI())
		return
	}
	x.failurePage(http.StatusMisdirectedRequest, pages.HostMismatch, x.r.Host, x.server.Policy.Issuer)
}

// fromOwnPage is the defence against forms of other sites: what browsers say
// about where a request comes from. Beside it stands what the form carries.
func (x *exchange) fromOwnPage() bool {
	if crossOrigin.Check(x.r) != nil {
		return false
	}
	if origin := x.r.Header.Values("Origin"); len(origin) > 0 {
		return len(origin) == 1 && origin[0] == x.server.Policy.Issuer
	}
	referrer := x.r.Header.Get("Referer")
	return referrer == "" || strings.HasPrefix(referrer, x.server.Policy.Issuer+"/")
}

// postedForm decodes what a page of ours posted. It answers what it refuses.
func (x *exchange) postedForm() (form, bool) {
	f, refusal := decodeForm(x.r)
	if refusal != nil {
		status := http.StatusBadRequest
		if refusal == tooLarge {
			status = http.StatusRequestEntityTooLarge
		}
		x.failurePage(status, pages.BadForm)
		return f, false
	}
	return f, true
}

// redirect sends the browser elsewhere. See Other makes every method a GET, and
// forgets what was posted. RFC 9110 §15.4.4, RFC 9700 §4.12.
func (x *exchange) redirect(status int, location string) {
	h := x.w.Header()
	h["Location"] = []string{location}
	h["Cache-Control"] = noStore
	x.write(status, nil)
}

// problemsOf are a form's problems as pages show them.
func problemsOf(problems []account.Problem) (shown pages.Problems) {
	for _, p := range problems {
		shown = append(shown, pages.Problem{Field: p.Field, Message: pages.Text("problem." + string(p.Code))})
	}
	return shown
}

// formTargets are where a page's forms may lead over a redirect: to the client,
// and to where its own pages send people next.
func formTargets(c *oauth.Client, redirectURI string) []string {
	if c == nil {
		return nil
	}
	if redirectURI == "" && len(c.RedirectURIs) == 1 {
		redirectURI = c.RedirectURIs[0]
	}
	return slices.Concat([]string{originOf(redirectURI)}, c.Origins)
}

// style is the style sheet of every page.
func (s *Server) style(x *exchange) { x.asset(cssType, s.pages.Style()) }

// formPostScript presses the button of the form post page.
func (s *Server) formPostScript(x *exchange) { x.asset(scriptType, pages.FormPostScript()) }

func (s *Server) logo(x *exchange)     { x.image(s.pages.Logo()) }
func (s *Server) logoDark(x *exchange) { x.image(s.pages.LogoDark()) }

func (x *exchange) image(image []byte, mediaType string) {
	if image == nil {
		x.failurePage(http.StatusNotFound, pages.NotFound)
		return
	}
	x.asset([]string{mediaType}, image)
}

func (x *exchange) asset(mediaType []string, content []byte) {
	h := x.w.Header()
	h["Content-Type"] = mediaType
	h["Cache-Control"] = publicFor5Minutes
	x.quiet = true
	x.write(http.StatusOK, content)
}

// gallery shows every page in every state with sample data, in dev only.
func (s *Server) gallery() routeTable {
	var names []string
	var table routeTable
	for _, state := range pages.Gallery() {
		names = append(names, state.Name)
		table = append(table, route{"GET", "/dev/pages/" + state.Name, page, withNobody, func(x *exchange) { x.page(http.StatusOK, state.Page) }})
	}
	return append(table, route{"GET", "/dev/pages", page, withNobody, func(x *exchange) { x.page(http.StatusOK, pages.Index{States: names}) }})
}
