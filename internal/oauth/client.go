package oauth

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

// DirectClient is the built-in public client of the tutorial API.
const DirectClient = "direct"

// Client is an application that is registered. RFC 6749 §2.
type Client struct {
	ID                     string
	Public                 bool
	SecretHash             []byte // of a confidential client
	Grants                 []string
	Scopes                 []string
	Audiences              []string // whose tokens it may ask for; the first is the default
	Serves                 []string // audiences that it is: it may introspect their tokens
	RedirectURIs           []string
	PostLogoutRedirectURIs []string
	Origins                []string      // where its pages are served: CORS
	AccessTokenTTL         time.Duration // zero: the policy's
	Disabled               bool
	Epoch                  int64
	CreatedAt              time.Time
}

// Limits of a registration.
const (
	maxClientIDLength = 128
	maxListLength     = 64
	maxURILength      = 2048
	MinAccessTokenTTL = 5 * time.Second
	MaxAccessTokenTTL = 24 * time.Hour
)

// ValidateRegistration returns what is wrong with a client that an operator
// wants to add, as a sentence, or "".
func ValidateRegistration(c Client) string {
	for _, list := range [][]string{c.Grants, c.Scopes, c.Audiences, c.Serves, c.RedirectURIs, c.PostLogoutRedirectURIs, c.Origins} {
		if len(list) > maxListLength {
			return "no list of a client may have more than 64 members"
		}
	}
	switch {
	case !validClientID(c.ID):
		return "the id must have 1 to 128 characters of A-Z a-z 0-9 . _ ~ -"
	case isSubject(c.ID):
		// RFC 9700 §4.15: no client may pass for a person.
		return "the id must not look like a person's: " + SubjectPrefix + "…"
	case c.ID == DirectClient:
		return quote(DirectClient) + " is the built-in client of the tutorial API"
	case c.AccessTokenTTL != 0 && (c.AccessTokenTTL < MinAccessTokenTTL || c.AccessTokenTTL > MaxAccessTokenTTL):
		return "the access token's lifetime must be between 5s and 24h"
	case c.Public && slices.Contains(c.Grants, ClientCredentialsGrant):
		// RFC 6749 §4.4
		return "a public client cannot have the grant client_credentials: it has no secret to prove itself with"
	}
	for _, grant := range c.Grants {
		if !slices.Contains(grantTypes, grant) {
			return "unknown grant " + quote(grant) + "; known are " + strings.Join(grantTypes, ", ")
		}
	}
	for _, scope := range c.Scopes {
		if !validScopeToken(scope) {
			return "the scope " + quote(scope) + " must have 1 to 128 printable ASCII characters, no space, quote or backslash"
		}
	}
	for _, audience := range slices.Concat(c.Audiences, c.Serves) {
		if problem := validateResource(audience); problem != "" {
			return "the audience " + quote(audience) + " " + problem
		}
	}
	for _, uri := range slices.Concat(c.RedirectURIs, c.PostLogoutRedirectURIs) {
		if problem := ValidateRedirectURI(uri); problem != "" {
			return "the redirect URI " + quote(uri) + " " + problem
		}
	}
	for _, origin := range c.Origins {
		if problem := ValidateOrigin(origin); problem != "" {
			return "the origin " + quote(origin) + " " + problem
		}
	}
	return ""
}

var grantTypes = []string{ClientCredentialsGrant, RefreshTokenGrant}

func validClientID(id string) bool {
	if id == "" || len(id) > maxClientIDLength {
		return false
	}
	for _, c := range []byte(id) {
		if !isUnreserved(c) {
			return false
		}
	}
	return true
}

// isUnreserved follows RFC 3986 §2.3, so that an id needs no escaping anywhere.
func isUnreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

// SubjectPrefix begins each person's id.
const SubjectPrefix = "usr_"

func isSubject(id string) bool { return len(id) >= 4 && strings.EqualFold(id[:4], SubjectPrefix) }

// ValidateOrigin returns what is wrong with a web origin (RFC 6454), or "".
func ValidateOrigin(origin string) string {
	u, err := url.Parse(origin)
	switch {
	case err != nil || len(origin) > maxURILength || !strings.EqualFold(origin, u.Scheme+"://"+u.Host):
		return "must be scheme://host[:port] and nothing else"
	case !hasPlainAuthority(origin, u):
		return "must be written as browsers send it: in lower case, with a plain host name or IP address"
	case u.Scheme == "https" && u.Port() == "443", u.Scheme == "http" && u.Port() == "80":
		return "must leave out the default port, as browsers do"
	case u.Scheme != "https" && !(u.Scheme == "http" && isLoopbackHost(u.Hostname())):
		return "must use https, or http on a loopback host"
	}
	return ""
}

// quote shows what somebody sent, in the characters that an error_description
// may have. RFC 6749 §5.2.
func quote(s string) string {
	if len(s) > 80 {
		s = s[:80] + "..."
	}
	return "'" + strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e || r == '"' || r == '\\' {
			return '?'
		}
		return r
	}, s) + "'"
}
