package oauth

import (
	"slices"
	"strings"
)

const (
	maxScopeLength      = 4096
	maxScopeTokenLength = 128
)

// parseScope splits a scope parameter, without duplicates. RFC 6749 §3.3.
func parseScope(scope string) ([]string, *Refusal) {
	if len(scope) > maxScopeLength {
		return nil, refuse(InvalidScope, "scope is longer than 4,096 bytes")
	}
	tokens := strings.Split(scope, " ")
	kept := tokens[:0]
	for _, token := range tokens {
		switch {
		case token == "":
		case !validScopeToken(token):
			return nil, refuse(InvalidScope, "scope holds a character that RFC 6749 section 3.3 does not allow, or a name over 128 bytes")
		case slices.Contains(kept, token):
		case len(kept) == maxListLength:
			return nil, refuse(InvalidScope, "scope has more than 64 names, and no client may have so many")
		default:
			kept = append(kept, token)
		}
	}
	if len(kept) == 0 {
		return nil, refuse(InvalidScope, "scope names nothing")
	}
	return kept, nil
}

func validScopeToken(token string) bool {
	for _, c := range []byte(token) {
		if c <= 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return token != "" && len(token) <= maxScopeTokenLength
}

// scopeWithin returns the scope to grant: what was asked for, if all of it is
// allowed, or everything allowed if nothing was asked for.
func scopeWithin(asked string, allowed []string) ([]string, *Refusal) {
	if asked == "" {
		return allowed, nil
	}
	scope, refusal := parseScope(asked)
	if refusal != nil {
		return nil, refusal
	}
	for _, token := range scope {
		if !slices.Contains(allowed, token) {
			return nil, refuse(InvalidScope, "scope "+quote(token)+" is not among those that this client or grant may have")
		}
	}
	return scope, nil
}
