package resource

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
)

type contextKey struct{}

// TokenFrom returns the token of the request that a Handler let through. ok is
// false where no Handler stands before the caller.
func TokenFrom(ctx context.Context) (t *Token, ok bool) {
	t, ok = ctx.Value(contextKey{}).(*Token)
	return t, ok
}

// Handler passes on to next the requests that carry a good token, which next
// finds with TokenFrom, and answers all others as RFC 6750 §3 says: 401 without
// a good token, 403 where a scope is lacking, 400 for a malformed request, and
// 503 while there are no keys to judge by.
func (v *Verifier) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, refusal := bearerToken(r)
		if refusal != nil {
			refusal.write(w)
			return
		}
		t, err := v.Verify(r.Context(), token)
		if err != nil {
			v.refusal(err).write(w)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), contextKey{}, t)))
	})
}

// bearerToken returns the token in the Authorization header, the only place
// where one may be. RFC 6750 §2.1, RFC 9700 §4.3.2.
func bearerToken(r *http.Request) (string, *refusal) {
	fields := r.Header.Values("Authorization")
	if len(fields) == 0 {
		return "", noToken
	}
	if len(fields) > 1 {
		return "", invalidRequest("more than one Authorization header")
	}
	scheme, token, _ := strings.Cut(fields[0], " ")
	token = strings.TrimLeft(token, " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", noToken
	}
	// RFC 6750 §2: one way of sending a token at a time.
	if strings.Contains(r.URL.RawQuery, "access_token") && r.URL.Query().Has("access_token") {
		return "", invalidRequest("a second access token in the query")
	}
	return token, nil
}

// refusal is an error response. RFC 6750 §3.
type refusal struct {
	status      int
	code        string
	description string
	scope       string // what the token needs
}

var noToken = &refusal{
	status: http.StatusUnauthorized, code: "missing_token",
	description: "send an access token in the Authorization header, as a bearer token",
}

func invalidRequest(description string) *refusal {
	return &refusal{status: http.StatusBadRequest, code: "invalid_request", description: description}
}

func (v *Verifier) refusal(err error) *refusal {
	if bad, ok := errors.AsType[*invalidToken](err); ok {
		return &refusal{status: http.StatusUnauthorized, code: "invalid_token", description: bad.description}
	}
	if errors.Is(err, ErrInsufficientScope) {
		return &refusal{
			status: http.StatusForbidden, code: "insufficient_scope",
			description: "the access token lacks a scope", scope: strings.Join(v.scope, " "),
		}
	}
	return &refusal{
		status: http.StatusServiceUnavailable, code: "temporarily_unavailable",
		description: "access tokens cannot be verified at the moment",
	}
}

func (f *refusal) write(w http.ResponseWriter) {
	header := w.Header()
	if f.status == http.StatusServiceUnavailable {
		header.Set("Retry-After", strconv.Itoa(int(firstCooldown.Seconds())))
	} else {
		header.Set("WWW-Authenticate", f.challenge())
	}
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(f.status)
	json.NewEncoder(w).Encode(struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}{f.code, f.description})
}

// challenge says no more than its scheme to a request without credentials.
// RFC 6750 §3.1. Descriptions are constants that need no quoting.
func (f *refusal) challenge() string {
	if f == noToken {
		return "Bearer"
	}
	challenge := `Bearer error="` + f.code + `", error_description="` + f.description + `"`
	if f.scope != "" {
		challenge += `, scope="` + f.scope + `"`
	}
	return challenge
}
