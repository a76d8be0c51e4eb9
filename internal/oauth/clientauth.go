package oauth

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"slices"
)

// AuthMethod is how a request named its client. RFC 6749 §2.3, OpenID Connect
// Core §9.
type AuthMethod string

const (
	ClientSecretBasic AuthMethod = "client_secret_basic"
	ClientSecretPost  AuthMethod = "client_secret_post"
	NoAuthentication  AuthMethod = "none" // a public client's client_id alone
)

// Credentials are what a request says about its client.
type Credentials struct {
	ID     string
	Secret string
	Method AuthMethod
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
	failed := refuse(InvalidClient, "client authentication failed: check client_id, the secret and the method")
	known := c
	if known == nil {
		known = &Client{} // the same work for an unknown client
	}
	// The hash is computed for unknown and public clients too.
	proved := subtle.ConstantTimeCompare(SecretHash(secretKey, creds.Secret), known.SecretHash) == 1
	if known.Public {
		proved = creds.Method == NoAuthentication
	}
	switch {
	case c == nil || c.Disabled || !proved:
		return failed
	case creds.Origin != "" && !slices.Contains(c.Origins, creds.Origin):
		return refuse(InvalidRequest, "the page's origin "+quote(creds.Origin)+" is not registered for this client")
	}
	return nil
}

// authorized refuses a grant type that the client is not registered for.
func (c *Client) authorized(grantType string) *Refusal {
	if slices.Contains(c.Grants, grantType) {
		return nil
	}
	return refuse(UnauthorizedClient, "this client is not registered for the grant "+grantType)
}
