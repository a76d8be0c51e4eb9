package oauth

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/keywright/keywright/internal/change"
)

// DirectClient is the built-in public client of the tutorial API.
const DirectClient = "direct"

// AuthorizationCodeGrant is RFC 6749 §4.1's.
const AuthorizationCodeGrant = "authorization_code"

// Client is an application that is registered. RFC 6749 §2.
type Client struct {
	ID                string
	SecretHash        []byte // of a confidential client that has a secret
	RegistrationToken []byte // hash of what may change it; RFC 7592 §3
	change.ClientMetadata
	Disabled  bool
	Epoch     int64
	CreatedAt time.Time
}

// Title is how people are shown the client.
func (c *Client) Title() string { return cmp.Or(c.Name, c.ID) }

// NeedsSecret says whether the client proves itself with a secret.
func (c *Client) NeedsSecret() bool {
	return !c.Public && c.AuthMethod != string(PrivateKeyJWT)
}

// Limits of a registration.
const (
	maxClientIDLength = 128
	maxClientName     = 100 // characters
	maxListLength     = 64
	maxURILength      = 2048
	maxKeySet         = 16 << 10 // bytes
	MinAccessTokenTTL = 5 * time.Second
	MaxAccessTokenTTL = 24 * time.Hour
)

var (
	grantTypes  = []string{AuthorizationCodeGrant, ClientCredentialsGrant, RefreshTokenGrant}
	signingAlgs = []string{"RS256", "ES256", "EdDSA"}
	authMethods = []string{string(ClientSecretBasic), string(ClientSecretPost), string(PrivateKeyJWT), string(NoAuthentication)}
)

// ValidateRegistration refuses a client that nobody may register or become by
// a change, whoever asks for it, with a code of RFC 7591 §3.2.2. Whether its
// keys can be used, the caller has checked.
func ValidateRegistration(c *Client) *Refusal {
	for _, check := range []func() string{c.idProblem, c.listProblem, c.nameProblem, c.proofProblem, c.grantProblem, c.wordProblem, c.logoutProblem} {
		if problem := check(); problem != "" {
			return refuse(InvalidClientMetadata, problem)
		}
	}
	if problem := c.redirectProblem(); problem != "" {
		return refuse(InvalidRedirectURI, problem)
	}
	return nil
}

func (c *Client) idProblem() string {
	switch {
	case !validClientID(c.ID):
		return "the id must have 1 to 128 characters of A-Z a-z 0-9 . _ ~ -"
	case isSubject(c.ID):
		// RFC 9700 §4.15: no client may pass for a person.
		return "the id must not look like a person's: " + SubjectPrefix + "..."
	case c.ID == DirectClient:
		return quote(DirectClient) + " is the built-in client of the tutorial API"
	}
	return ""
}

func (c *Client) listProblem() string {
	for _, list := range [][]string{
		c.Grants, c.ResponseModes, c.Scopes, c.Audiences, c.Serves, c.RedirectURIs, c.PostLogoutRedirectURIs, c.Origins,
	} {
		if len(list) > maxListLength {
			return "no list of a client may have more than 64 members"
		}
	}
	return ""
}

// nameProblem keeps a name from pretending to be another, or more than a name.
func (c *Client) nameProblem() string {
	switch {
	case c.Name == "":
		return ""
	case utf8.RuneCountInString(c.Name) > maxClientName:
		return "the name must have at most 100 characters"
	case strings.ContainsFunc(c.Name, isUnprintable) || !strings.ContainsFunc(c.Name, isVisible):
		return "the name must be text in one line, without characters that are unseen or turn its direction"
	}
	return ""
}

func isVisible(r rune) bool { return unicode.IsGraphic(r) && !unicode.IsSpace(r) }

func isUnprintable(r rune) bool {
	return r == utf8.RuneError || r != ' ' && !unicode.IsPrint(r) && !unicode.Is(unicode.Zs, r) || unicode.Is(unicode.Bidi_Control, r)
}

// proofProblem is about how the client proves itself. RFC 7591 §2.
func (c *Client) proofProblem() string {
	method := AuthMethod(c.AuthMethod)
	switch {
	case c.AuthMethod != "" && !slices.Contains(authMethods, c.AuthMethod):
		return unknown("authentication method", c.AuthMethod, authMethods)
	case c.Public && method != "" && method != NoAuthentication:
		return "a public client cannot authenticate by " + c.AuthMethod + ": it cannot keep a secret or key"
	case !c.Public && method == NoAuthentication:
		return "a client that authenticates by none is a public client"
	case c.JWKS != "" && c.JWKSURI != "":
		return "jwks and jwks_uri exclude each other" // RFC 7591 §2
	case method == PrivateKeyJWT && c.JWKS == "" && c.JWKSURI == "":
		return "private_key_jwt needs the client's public keys: jwks, or the jwks_uri where they are"
	case len(c.JWKS) > maxKeySet:
		return "jwks must have at most 16,384 bytes"
	case c.PKCEOptional && c.Public:
		return "a public client must use PKCE" // RFC 9700 §2.1.1
	}
	if c.JWKSURI == "" {
		return ""
	}
	if problem := validateWebURI(c.JWKSURI); problem != "" {
		return "the jwks_uri " + quote(c.JWKSURI) + " " + problem
	}
	if !strings.HasPrefix(c.JWKSURI, "https:") {
		return "the jwks_uri " + quote(c.JWKSURI) + " must use https"
	}
	return ""
}

func (c *Client) grantProblem() string {
	for _, grant := range c.Grants {
		if !slices.Contains(grantTypes, grant) {
			return unknown("grant", grant, grantTypes)
		}
	}
	switch {
	case c.Public && slices.Contains(c.Grants, ClientCredentialsGrant):
		// RFC 6749 §4.4
		return "a public client cannot have the grant client_credentials: it has no secret to prove itself with"
	case len(c.RedirectURIs) == 0 && slices.Contains(c.Grants, AuthorizationCodeGrant):
		return "the grant authorization_code needs a redirect URI"
	}
	return ""
}

// wordProblem is about the lists of names, and what else is chosen among known words.
func (c *Client) wordProblem() string {
	for _, mode := range c.ResponseModes {
		if !slices.Contains(responseModes, mode) {
			return unknown("response mode", mode, responseModes)
		}
	}
	for _, alg := range []string{c.IDTokenAlg, c.UserInfoAlg} {
		if alg != "" && !slices.Contains(signingAlgs, alg) {
			return unknown("signing algorithm", alg, signingAlgs)
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
	for _, origin := range c.Origins {
		if problem := ValidateOrigin(origin); problem != "" {
			return "the origin " + quote(origin) + " " + problem
		}
	}
	if c.AccessTokenTTL != 0 && (c.AccessTokenTTL < MinAccessTokenTTL || c.AccessTokenTTL > MaxAccessTokenTTL) {
		return "the access token's lifetime must be between 5s and 24h"
	}
	return ""
}

func unknown(what, word string, known []string) string {
	return "unknown " + what + " " + quote(word) + "; known are " + strings.Join(known, ", ")
}

// logoutProblem is about where a client hears that a session ended.
func (c *Client) logoutProblem() string {
	for _, uri := range []string{c.BackchannelLogoutURI, c.FrontchannelLogoutURI} {
		if uri == "" {
			continue
		}
		if problem := validateWebURI(uri); problem != "" {
			return "the logout URI " + quote(uri) + " " + problem
		}
	}
	if c.FrontchannelLogoutURI == "" {
		return ""
	}
	// OpenID Connect Front-Channel Logout 1.0 §2
	for _, uri := range c.RedirectURIs {
		if sameOrigin(uri, c.FrontchannelLogoutURI) {
			return ""
		}
	}
	return "the front-channel logout URI " + quote(c.FrontchannelLogoutURI) + " must have the scheme, host and port of a redirect URI"
}

func (c *Client) redirectProblem() string {
	for _, uri := range slices.Concat(c.RedirectURIs, c.PostLogoutRedirectURIs) {
		if problem := c.validateRedirectURI(uri); problem != "" {
			return "the redirect URI " + quote(uri) + " " + problem
		}
	}
	return ""
}

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
