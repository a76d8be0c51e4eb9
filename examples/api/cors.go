package main

import (
	"net/http"
	"net/url"
)

// allowLocalApps lets the apps of a developer's browser, on any port of
// http://localhost, call the API. An API in production names its apps instead.
func allowLocalApps(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Origin")
		origin := r.Header.Get("Origin")
		if app, err := url.Parse(origin); err == nil && app.Scheme == "http" && app.Hostname() == "localhost" {
			w.Header().Set("Access-Control-Allow-Origin", origin)
			w.Header().Set("Access-Control-Expose-Headers", "WWW-Authenticate")
			if r.Method == http.MethodOptions { // a preflight, which carries no token
				w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
				w.Header().Set("Access-Control-Max-Age", "600")
				w.WriteHeader(http.StatusNoContent)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}
