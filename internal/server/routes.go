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
	// page shows HTML to a person.
	page
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

		{"POST", oauth.TokenPath, api, withClients, s.token},
		{"POST", oauth.RevocationPath, api, withClients, s.revoke},
		{"POST", oauth.IntrospectionPath, api, withNobody, s.introspect},

		{"GET", "/livez", api, withNobody, s.livez},
		{"GET", "/readyz", api, withNobody, s.readyz},
		{"GET", "/healthz", api, withNobody, s.readyz},
	}, s.tutorialRoutes(), s.devRoutes()), nil
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
		return nil
	}
	return append(s.gallery(), routeTable{
		{"GET", "/", page, withNobody, s.start},
		{"GET", pages.StylePath, page, withNobody, s.style},
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
		if r.method == http.MethodGet {
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
	case ok:
		r.serve(x)
	case e.methods == nil:
		x.fail(http.StatusNotFound, "not_found", "there is nothing at this path")
	default:
		x.w.Header().Set("Allow", e.allow)
		x.fail(http.StatusMethodNotAllowed, oauth.InvalidRequest, "this endpoint answers "+e.allow+" only")
	}
}
