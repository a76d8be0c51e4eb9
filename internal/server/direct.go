package server

import "net/http"

// The tutorial API is what the Angular clients of countless tutorials call:
// register.go, login.go, profile.go. Its tokens belong to the built-in public
// client "direct".

// tutorialAllowed refuses pages of foreign origins. It is no defence of the
// data, which no cookie unlocks, but keeps a page elsewhere from trying passwords.
func (s *Server) tutorialAllowed(x *exchange) bool {
	origin := x.r.Header.Get("Origin")
	if origin == "" || origin == s.Policy.Issuer || s.mayUseTutorial(origin) {
		return true
	}
	x.fail(http.StatusForbidden, "origin_not_allowed", "pages of this origin may not use this API; the operator lists origins in direct_origins")
	return false
}
