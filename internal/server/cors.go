package server

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/keywright/keywright/internal/store"
)

// originSet is the web origins of all enabled clients, kept in memory since it
// is public and asked for by every request from a browser.
type originSet struct {
	set atomic.Pointer[map[string]bool]
}

func (o *originSet) load(ctx context.Context, db *store.DB) error {
	origins, err := db.Read(ctx).Origins()
	if err != nil {
		return err
	}
	set := map[string]bool{}
	for _, origin := range origins {
		set[origin] = true
	}
	o.set.Store(&set)
	return nil
}

func (o *originSet) has(origin string) bool { return (*o.set.Load())[origin] }

// mayRead says whether a page may read an endpoint's answer. Answers that
// depend on the client are checked against that client's origins again.
func (s *Server) mayRead(origin string, with sharing) bool {
	switch with {
	case withClients:
		return s.origins.has(origin) || s.mayUseTutorial(origin)
	case withTutorial:
		return s.mayUseTutorial(origin)
	}
	return false
}

func (s *Server) mayUseTutorial(origin string) bool {
	return s.Dev != nil && isLocalhost(origin) || slices.Contains(s.DirectOrigins, origin)
}

// isLocalhost accepts http://localhost with any port or none, as browsers write it.
func isLocalhost(origin string) bool {
	rest, ok := strings.CutPrefix(origin, "http://localhost")
	if !ok || rest == "" {
		return ok
	}
	port, ok := strings.CutPrefix(rest, ":")
	_, err := strconv.ParseUint(port, 10, 16)
	return ok && err == nil
}

// share lets a page of an allowed origin read the answer, an error's too. There
// are never credentials: these endpoints read no cookie. Fetch §3.3.
func (s *Server) share(x *exchange, with sharing) {
	if with == withNobody {
		return
	}
	h := x.w.Header()
	if with == withAnybody {
		h["Access-Control-Allow-Origin"] = anyOrigin
		return
	}
	h["Vary"] = varyOrigin
	origins := x.r.Header["Origin"]
	if len(origins) == 1 && s.mayRead(origins[0], with) {
		h["Access-Control-Allow-Origin"] = origins
		h["Access-Control-Expose-Headers"] = exposed
	}
}

var (
	anyOrigin  = []string{"*"}
	varyOrigin = []string{"Origin"}
	exposed    = []string{"Retry-After, WWW-Authenticate"}
)

// preflight answers OPTIONS at any path, to the pages that may read the path's
// answers. authorization is named, since a browser does not take "*" for it.
func (x *exchange) preflight(e endpoint) {
	x.route = e.path
	h := x.w.Header()
	if h["Access-Control-Allow-Origin"] != nil {
		h.Set("Access-Control-Allow-Methods", "GET, POST")
		h.Set("Access-Control-Allow-Headers", "authorization, content-type")
		h.Set("Access-Control-Max-Age", "600")
	}
	x.write(http.StatusNoContent, nil)
}
