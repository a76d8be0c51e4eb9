package server

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// answers says whether a Host is one of ours. A page of a foreign name that
// points to this machine must not be taken for a local one.
func (d *Dev) answers(host string) bool { return slices.Contains(d.Hosts, host) }

func (x *exchange) refuseHost() {
	x.fail(http.StatusMisdirectedRequest, "misdirected_request",
		"this server answers to "+strings.Join(x.server.Dev.Hosts, ", ")+" only")
}

// Try holds three commands that work as printed.
type Try struct{ Register, SignIn, Call string }

// NewTry returns the commands for an issuer and the API that accepts its
// tokens; without an API, the issuer's own profile is called.
func NewTry(issuer, apiURL string) Try {
	if apiURL == "" {
		apiURL = issuer + "/profile"
	}
	const person = `"email":"ada@example.com","password":"analytical engine"`
	return Try{
		Register: `curl -s ` + issuer + `/register -H 'Content-Type: application/json' -d '{"name":"Ada",` + person + `}'`,
		SignIn:   `TOKEN=$(curl -s ` + issuer + `/login -H 'Content-Type: application/json' -d '{` + person + `}' | sed 's/.*"token":"\([^"]*\)".*/\1/')`,
		Call:     `curl -s ` + apiURL + ` -H "Authorization: Bearer $TOKEN"`,
	}
}

//go:embed start.html
var startHTML string

//go:embed start.css
var startCSS []byte

var startTemplate = template.Must(template.New("start").Parse(startHTML))

// start is the page that greets a developer. It stands at the issuer's own
// address only, where cookies will be.
func (s *Server) start(x *exchange) {
	issuer, err := url.Parse(s.Policy.Issuer)
	if err != nil {
		x.broke(err)
		return
	}
	h := x.w.Header()
	if x.r.Host != issuer.Host {
		h.Set("Location", s.Policy.Issuer+"/")
		x.write(http.StatusFound, nil)
		return
	}
	var page bytes.Buffer
	data := struct {
		Issuer, APIURL string
		Try
	}{s.Policy.Issuer, s.Dev.APIURL, NewTry(s.Policy.Issuer, s.Dev.APIURL)}
	if err := startTemplate.Execute(&page, data); err != nil {
		x.broke(err)
		return
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", nothingLoads[0]+"; style-src 'self'")
	h["Cache-Control"] = noStore
	x.write(http.StatusOK, page.Bytes())
}

func (s *Server) startStyle(x *exchange) {
	x.w.Header().Set("Content-Type", "text/css; charset=utf-8")
	x.write(http.StatusOK, startCSS)
}
