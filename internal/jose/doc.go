// Package jose owns signing keys and signed tokens: JSON Web Keys (RFC 7517,
// RFC 7638), JWS in its compact form (RFC 7515) and the claims of a JWT
// (RFC 7519, RFC 9068).
//
// It knows three algorithms, all asymmetric, and a key has exactly one of them:
// no token can choose how it is verified. Everything that a token could use to
// bring its own rules along (crit, b64, zip, embedded or linked keys) is
// refused before a signature is looked at.
//
//	key.go     key pairs, PKCS #8
//	jwk.go     public keys as JSON, key sets
//	sign.go    payload to token
//	verify.go  token to claims
//	claims.go  the claims that Keywright reads
//	scan.go    the strict JSON scanner under header and claims
//	seen.go    a bounded memory of verified tokens
//	view.go    text as bytes and back, without a copy
package jose
