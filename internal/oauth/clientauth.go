package oauth

import (
	"crypto/hmac"
	"crypto/sha256"
	"slices"
	"time"
)

// AuthMethod is how a request named its client. RFC 6749 §2.3, OpenID Connect
// Core §9.
type AuthMethod string

const (
	ClientSecretBasic AuthMethod = "client_secret_basic"
	ClientSecretPost  AuthMethod = "client_secret_post"
	PrivateKeyJWT     AuthMethod = "private_key_jwt" // RFC 7523
	NoAuthentication  AuthMethod = "none"            // a public client's client_id alone
)

// Credentials are what a request says about its client.
type Credentials struct {
	ID     string
	Secret string
	Method AuthMethod
	Proved bool   // PrivateKeyJWT: its assertion was verified and is spent
	Origin string // of the web page that sent it; empty: none, or one that needs no registration
}

// SecretHash is what the store keeps of a client secret: HMAC-SHA-256 under a
// key that the database holds sealed only. Secrets are 256 random bits, so
// stretching would buy nothing.
func SecretHash(key []byte, secret string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(secret))
	return mac.Sum(nil)
}

// authenticate checks a client's credentials; c is nil for an unknown client.
// Each failure answers alike, so that ids and states cannot be probed.
func authenticate(creds Credentials, c *Client, secretKey []byte) *Refusal {
	switch {
	case !creds.prove(c, secretKey) || c.Disabled:
		return refuse(InvalidClient, "client authentication failed: check client_id, the secret and the method")
	case creds.Origin != "" && !slices.Contains(c.Origins, creds.Origin):
		return refuse(InvalidRequest, "the page's origin "+quote(creds.Origin)+" is not registered for this client")
	}
	return nil
}

// prove says whether the request comes from c. A secret that was sent is hashed
// whoever c is, so that the work done depends on the request alone.
func (creds Credentials) prove(c *Client, secretKey []byte) bool {
	switch creds.Method {
	case NoAuthentication:
		return c != nil && c.Public
	case ClientSecretBasic, ClientSecretPost:
		hash := SecretHash(secretKey, creds.Secret)
		return c != nil && c.mayUse(creds.Method) && hmac.Equal(hash, c.SecretHash)
	case PrivateKeyJWT:
		return c != nil && c.mayUse(PrivateKeyJWT) && creds.Proved
	}
	return false
}

// mayUse says whether a confidential client is registered for a method: for one,
// or with a secret that it may send either way.
func (c *Client) mayUse(method AuthMethod) bool {
	registered := AuthMethod(c.AuthMethod)
	return !c.Public && (registered == method || registered == "" && method != PrivateKeyJWT)
}

// ClientAssertion is the content of a JWT by which a client authenticates; its
// signature is verified by that client's keys. RFC 7523 §3.
type ClientAssertion struct {
	Issuer    string
	Subject   string
	Audience  string // empty also where it is a list
	ID        string
	IssuedAt  time.Time
	NotBefore time.Time
	ExpiresAt time.Time
}

const (
	// assertionTTL bounds for how long an assertion's id must be remembered.
	assertionTTL = 10 * time.Minute
	clockSkew    = time.Minute
)

// Accept says whether the assertion may be used, once, by c. The audience must be
// the issuer's identifier alone, so that no other server can pass it on.
func (a ClientAssertion) Accept(c *Client, issuer string, now time.Time) bool {
	switch {
	case a.Issuer != c.ID || a.Subject != c.ID:
		return false
	case a.Audience != issuer:
		return false
	case a.ID == "" || len(a.ID) > maxClientIDLength:
		return false
	case a.ExpiresAt.IsZero() || !now.Before(a.ExpiresAt) || a.ExpiresAt.After(now.Add(assertionTTL+clockSkew)):
		return false
	}
	return !a.IssuedAt.After(now.Add(clockSkew)) && !a.NotBefore.After(now.Add(clockSkew))
}

// authorized refuses a grant type that the client is not registered for.
func (c *Client) authorized(grantType string) *Refusal {
	if slices.Contains(c.Grants, grantType) {
		return nil
	}
	return refuse(UnauthorizedClient, "this client is not registered for the grant "+grantType)
}
