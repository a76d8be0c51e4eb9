package server

import (
	"net/http"
	"slices"
	"strings"

	"github.com/keywright/keywright/internal/pages"
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
		Register: `curl -sw '\n' ` + issuer + `/register -H 'Content-Type: application/json' -d '{"name":"Ada",` + person + `}'`,
		SignIn:   `TOKEN=$(curl -s ` + issuer + `/login -H 'Content-Type: application/json' -d '{` + person + `}' | sed 's/.*"token":"\([^"]*\)".*/\1/')`,
		Call:     `curl -sw '\n' ` + apiURL + ` -H "Authorization: Bearer $TOKEN"`,
	}
}

// start is the page that greets a developer.
func (s *Server) start(x *exchange) {
	try := NewTry(s.Policy.Issuer, s.Dev.APIURL)
	x.page(http.StatusOK, pages.Start{
		Issuer: s.Policy.Issuer, APIURL: s.Dev.APIURL, DemoURL: s.Dev.DemoURL, Register: try.Register, SignIn: try.SignIn, Call: try.Call,
	})
}
