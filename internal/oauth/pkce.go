package oauth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
)

// S256 is the one code challenge method. RFC 9700 §2.1.1 asks for one that does
// not show the verifier, so plain is refused.
const S256 = "S256"

// checkChallenge decides about a request's code challenge. RFC 7636 §4.3, §4.4.1.
func checkChallenge(c *Client, challenge, method string) *Refusal {
	switch {
	case challenge == "" && method != "":
		return refuse(InvalidRequest, "code_challenge_method without code_challenge")
	case challenge == "" && c.PKCEOptional && !c.Public:
		return nil
	case challenge == "" && !c.Public:
		return refuse(InvalidRequest, "code_challenge is missing: use PKCE (RFC 7636), or register the client with require_pkce false")
	case challenge == "":
		return refuse(InvalidRequest, "code_challenge is missing: a public client must use PKCE (RFC 7636)")
	case method != S256:
		return refuse(InvalidRequest, "code_challenge_method must be S256")
	case !isChallenge(challenge):
		return refuse(InvalidRequest, "code_challenge must be the base64url form of a SHA-256 hash: 43 characters")
	}
	return nil
}

func isChallenge(challenge string) bool {
	hash, err := strictBase64.DecodeString(challenge) // which skips line ends
	return err == nil && len(hash) == sha256.Size && len(challenge) == base64.RawURLEncoding.EncodedLen(sha256.Size)
}

// proves says whether verifier belongs to challenge. A verifier without a
// challenge is refused, since somebody has taken the challenge away. RFC 7636
// §4.6, RFC 9700 §4.8.2.
func proves(verifier, challenge string) bool {
	if challenge == "" || verifier == "" {
		return challenge == verifier
	}
	if len(verifier) < 43 || len(verifier) > 128 {
		return false
	}
	for _, c := range []byte(verifier) {
		if !isUnreserved(c) {
			return false
		}
	}
	sum := sha256.Sum256([]byte(verifier))
	return subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(challenge)) == 1
}
