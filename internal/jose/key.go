package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
)

// Algorithm is a JWS signature algorithm. RFC 7518 §3.1, RFC 8037 §3.1.
type Algorithm string

const (
	ES256 Algorithm = "ES256" // ECDSA on P-256 with SHA-256
	EdDSA Algorithm = "EdDSA" // Ed25519
	RS256 Algorithm = "RS256" // RSA PKCS #1 v1.5 with SHA-256: what every OpenID client knows
)

// An RSA modulus below 2048 bits is weak (RFC 7518 §3.3); one above 8192 would
// only make verifiers slow. Keywright's own keys have 2048: signing is the cost.
const (
	minRSABits = 2048
	maxRSABits = 8192
	newRSABits = 2048
)

// PrivateKey signs tokens with one algorithm.
type PrivateKey struct {
	signer crypto.Signer
	public *PublicKey
	header string // of its tokens, up to the value of typ
}

// PublicKey verifies tokens of one algorithm.
type PublicKey struct {
	id        string
	algorithm Algorithm
	key       crypto.PublicKey // *ecdsa.PublicKey, ed25519.PublicKey or *rsa.PublicKey
}

// GenerateKey makes a new key for an algorithm. Ed25519 reads random; the other
// two take the operating system's randomness whatever random is, as Go does
// since 1.26.
func GenerateKey(algorithm Algorithm, random io.Reader) (*PrivateKey, error) {
	var signer crypto.Signer
	var err error
	switch algorithm {
	case ES256:
		signer, err = ecdsa.GenerateKey(elliptic.P256(), random)
	case EdDSA:
		_, signer, err = ed25519.GenerateKey(random)
	case RS256:
		signer, err = rsa.GenerateKey(random, newRSABits)
	default:
		return nil, unsupported(algorithm)
	}
	if err != nil {
		return nil, fmt.Errorf("generate %s key: %w", algorithm, err)
	}
	return newPrivateKey(algorithm, signer)
}

// ParsePKCS8 reads a private key that MarshalPKCS8 wrote, or any other one
// that fits the algorithm.
func ParsePKCS8(algorithm Algorithm, der []byte) (*PrivateKey, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("parse %s key: %w", algorithm, err)
	}
	signer, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a %T cannot sign", parsed)
	}
	return newPrivateKey(algorithm, signer)
}

// MarshalPKCS8 returns the key as an unencrypted PKCS #8 structure.
func (k *PrivateKey) MarshalPKCS8() ([]byte, error) {
	return x509.MarshalPKCS8PrivateKey(k.signer)
}

// ID returns the key's RFC 7638 thumbprint, which its tokens carry as kid.
func (k *PrivateKey) ID() string { return k.public.id }

// Algorithm returns the one algorithm that the key signs with.
func (k *PrivateKey) Algorithm() Algorithm { return k.public.algorithm }

// Public returns the half that is published.
func (k *PrivateKey) Public() *PublicKey { return k.public }

// String names the key and keeps its secret out of logs.
func (k *PrivateKey) String() string { return fmt.Sprintf("%s key %s", k.Algorithm(), k.ID()) }

// GoString does what String does.
func (k *PrivateKey) GoString() string { return k.String() }

// ID returns the key's kid: the thumbprint of our own keys, whatever the issuer
// chose for others, empty when it chose nothing.
func (k *PublicKey) ID() string { return k.id }

// Algorithm returns the one algorithm that the key verifies.
func (k *PublicKey) Algorithm() Algorithm { return k.algorithm }

func newPrivateKey(algorithm Algorithm, signer crypto.Signer) (*PrivateKey, error) {
	public, err := newPublicKey(algorithm, signer.Public())
	if err != nil {
		return nil, err
	}
	public.id = public.thumbprint()
	header := fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"`, algorithm, public.id)
	return &PrivateKey{signer, public, header}, nil
}

// newPublicKey checks that a key fits its algorithm and is strong enough. The
// key has no id yet.
func newPublicKey(algorithm Algorithm, key crypto.PublicKey) (*PublicKey, error) {
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		if algorithm == ES256 && key.Curve == elliptic.P256() {
			return &PublicKey{"", ES256, key}, nil
		}
	case ed25519.PublicKey:
		if algorithm == EdDSA && len(key) == ed25519.PublicKeySize {
			return &PublicKey{"", EdDSA, key}, nil
		}
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			return nil, fmt.Errorf("RSA key of %d bits: want %d to %d", bits, minRSABits, maxRSABits)
		}
		if algorithm == RS256 {
			return &PublicKey{"", RS256, key}, nil
		}
	default:
		return nil, errors.New("not a key for signatures that this package knows")
	}
	return nil, fmt.Errorf("the key does not fit algorithm %q", algorithm)
}

func unsupported(algorithm Algorithm) error {
	return fmt.Errorf("unsupported algorithm %q: use ES256, EdDSA or RS256", algorithm)
}
