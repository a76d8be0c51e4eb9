package server

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/pages"
)

// kind says what a route may rely on. A route without one does not build.
type kind int

const (
	unsorted kind = iota
	// page shows HTML to a person, knows cookies, and is posted to from pages of
	// ours only.
	page
	// entrance is where other sites send people. It decides nothing on POST.
	entrance
	// api never reads a cookie.
	api
)

// sharing says which web pages may read a route's answers.
type sharing int

const (
	withNobody   sharing = iota
	withAnybody          // public data
	withClients          // the origins of registered clients
	withTutorial         // the pages that may use the tutorial API
)

type route struct {
	method  string
	path    string
	kind    kind
	sharing sharing
	serve   func(*exchange)
}

type routeTable []route

// table is everything that the server answers.
func (s *Server) table() (routeTable, error) {
	metadata, err := s.metadata()
	if err != nil {
		return nil, err
	}
	return slices.Concat(routeTable{
		{"GET", "/.well-known/openid-configuration", api, withAnybody, metadata},
		{"GET", "/.well-known/oauth-authorization-server", api, withAnybody, metadata},
		{"GET", oauth.JWKSPath, api, withAnybody, s.jwks},

		{"GET", oauth.AuthorizationPath, entrance, withNobody, s.authorize},
		{"POST", oauth.AuthorizationPath, entrance, withNobody, (*exchange).toOwnGet},
		{"GET", oauth.EndSessionPath, entrance, withNobody, s.endSession},
		{"POST", oauth.EndSessionPath, entrance, withNobody, (*exchange).toOwnGet},

		{"GET", signInPath, page, withNobody, s.signInAlone},
		{"POST", signInPath, page, withNobody, s.signIn},
		{"GET", signUpPath, page, withNobody, s.signUpAlone},
		{"POST", signUpPath, page, withNobody, s.signUp},
		{"GET", consentPath, page, withNobody, s.consentAlone},
		{"POST", consentPath, page, withNobody, s.consent},
		{"GET", goOnPath, page, withNobody, s.goOn},
		{"GET", signOutPath, page, withNobody, s.signOutAlone},
		{"POST", signOutPath, page, withNobody, s.signOut},
		{"GET", signedOutPath, page, withNobody, s.signedOutAlone},
		{"GET", accountPath, page, withNobody, s.account},
		{"POST", accountPath + "/profile", page, withNobody, s.accountProfile},
		{"POST", accountPath + "/password", page, withNobody, s.accountPassword},
		{"POST", accountPath + "/apps", page, withNobody, s.accountApps},
		{"POST", accountPath + "/sessions", page, withNobody, s.accountSessions},
		{"GET", "/.well-known/change-password", page, withNobody, (*exchange).toAccount},
		{"GET", pages.StylePath, page, withNobody, s.style},
		{"GET", pages.FormPostPath, page, withNobody, s.formPostScript},
		{"GET", pages.LogoPath, page, withNobody, s.logo},
		{"GET", pages.LogoDarkPath, page, withNobody, s.logoDark},

		{"POST", oauth.TokenPath, api, withClients, s.token},
		{"GET", oauth.UserInfoPath, api, withClients, s.userInfo},
		{"POST", oauth.UserInfoPath, api, withClients, s.userInfo},
		{"POST", oauth.RevocationPath, api, withClients, s.revoke},
		{"POST", oauth.IntrospectionPath, api, withNobody, s.introspect},

		{"GET", "/livez", api, withNobody, s.livez},
		{"GET", "/readyz", api, withNobody, s.readyz},
		{"GET", "/healthz", api, withNobody, s.readyz},
	}, s.registrationRoutes(), s.tutorialRoutes(), s.devRoutes()), nil
}

// tutorialRoutes are absent where no origin may use them.
func (s *Server) tutorialRoutes() routeTable {
	if s.Dev == nil && len(s.DirectOrigins) == 0 {
		return nil
	}
	return routeTable{
		{"POST", "/register", api, withTutorial, s.register},
		{"POST", "/login", api, withTutorial, s.login},
		{"GET", "/profile", api, withTutorial, s.profile},
	}
}

func (s *Server) devRoutes() routeTable {
	if s.Dev == nil {
		return routeTable{{"GET", "/", page, withNobody, (*exchange).toAccount}}
	}
	return append(s.gallery(), routeTable{
		{"GET", "/", page, withNobody, s.start},
		{"GET", "/dev/flows", page, withNobody, s.devFlows},
	}...)
}

// endpoint is all routes of one path.
type endpoint struct {
	path    string
	allow   string
	sharing sharing
	methods map[string]route
}

// nowhere is every path without a route. Pages of clients may read even its
// 404, since the interceptors of tutorials send their preflights everywhere.
var nowhere = endpoint{path: "none", sharing: withClients}

func (t routeTable) endpoints() map[string]endpoint {
	all := map[string]endpoint{}
	for _, r := range t {
		if r.kind == unsorted {
			panic("route " + r.path + " has no kind")
		}
		e, ok := all[r.path]
		if !ok {
			e = endpoint{path: r.path, sharing: r.sharing, methods: map[string]route{}}
		}
		e.methods[r.method] = r
		if r.method == http.MethodGet && r.kind != entrance { // what an entrance decides is for who gets the answer
			e.methods[http.MethodHead] = r // RFC 9110 §9.3.2
		}
		e.allow = strings.Join(slices.Sorted(maps.Keys(e.methods)), ", ")
		all[r.path] = e
	}
	return all
}

func (e endpoint) serve(x *exchange) {
	x.route = e.path
	r, ok := e.methods[x.r.Method]
	switch {
	case ok && (r.kind == api || x.guard(r.kind)):
		r.serve(x)
	case ok:
	case e.methods == nil && x.opensPage():
		x.failurePage(http.StatusNotFound, pages.NotFound)
	case e.methods == nil:
		x.fail(http.StatusNotFound, "not_found", "there is nothing at this path")
	case e.methods[http.MethodPost].kind == page && x.opensPage():
		x.w.Header().Set("Allow", e.allow)
		x.failurePage(http.StatusMethodNotAllowed, pages.BadMethod)
	default:
		x.w.Header().Set("Allow", e.allow)
		x.fail(http.StatusMethodNotAllowed, oauth.InvalidRequest, "this endpoint answers "+e.allow+" only")
	}
}

// opensPage says that a browser wants to show the answer to somebody.
func (x *exchange) opensPage() bool {
	return x.r.Method == http.MethodGet && strings.Contains(x.r.Header.Get("Accept"), "text/html")
}
