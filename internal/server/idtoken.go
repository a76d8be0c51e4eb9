package server

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"maps"
	"time"

	"github.com/keywright/keywright/internal/jose"
	"github.com/keywright/keywright/internal/oauth"
)

// Types of what is signed beside access tokens. OpenID Connect Back-Channel
// Logout 1.0 §2.4.
const (
	idTokenType     = "JWT"
	logoutTokenType = "logout+jwt"
)

// signIDToken makes the JWT of an ID token beside its access token. OpenID
// Connect Core §2, §3.1.3.6.
func (s *Server) signIDToken(t *oauth.IDToken, accessToken string) (string, error) {
	c := map[string]any{}
	maps.Copy(c, t.Claims) // none of them can replace what follows
	maps.Copy(c, map[string]any{
		"iss": t.Issuer, "sub": t.Subject, "aud": t.Audience, "exp": t.ExpiresAt.Unix(), "iat": t.IssuedAt.Unix(),
		"auth_time": t.AuthTime.Unix(), "acr": t.ACR, "amr": t.AMR, "at_hash": halfHash(jose.Algorithm(t.Algorithm), accessToken),
	})
	if t.Nonce != "" {
		c["nonce"] = t.Nonce
	}
	if t.Session != "" {
		c["sid"] = t.Session
	}
	return s.signClaims(jose.Algorithm(t.Algorithm), idTokenType, c, t.IssuedAt)
}

// halfHash is the left half of a hash, of the signature's own algorithm. OpenID
// Connect Core §3.1.3.6; Ed25519 hashes with SHA-512.
func halfHash(algorithm jose.Algorithm, text string) string {
	if algorithm == jose.EdDSA {
		sum := sha512.Sum512([]byte(text))
		return base64.RawURLEncoding.EncodeToString(sum[:32])
	}
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// signLogoutToken makes the JWT of a logout token. OpenID Connect Back-Channel
// Logout 1.0 §2.4.
func (s *Server) signLogoutToken(t oauth.LogoutToken) (string, error) {
	return s.signClaims(jose.Algorithm(t.Algorithm), logoutTokenType, map[string]any{
		"iss": t.Issuer, "aud": t.Audience, "sub": t.Subject, "sid": t.Session, "jti": t.ID, "iat": t.IssuedAt.Unix(), "exp": t.ExpiresAt.Unix(),
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": struct{}{}},
	}, t.IssuedAt)
}

func (s *Server) signClaims(algorithm jose.Algorithm, typ string, c map[string]any, now time.Time) (string, error) {
	key, err := s.keys.Signer(algorithm, now)
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	return key.Sign(typ, payload)
}
