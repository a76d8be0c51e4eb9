package oauth

import (
	"crypto/hmac"
	"crypto/sha256"
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
		return c != nil && !c.Public && hmac.Equal(hash, c.SecretHash)
	}
	return false
}

// authorized refuses a grant type that the client is not registered for.
func (c *Client) authorized(grantType string) *Refusal {
	if slices.Contains(c.Grants, grantType) {
		return nil
	}
	return refuse(UnauthorizedClient, "this client is not registered for the grant "+grantType)
}
