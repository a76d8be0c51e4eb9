package jose

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
)

// Limits of a key set. Issuers publish a handful of keys in a few kilobytes.
const (
	MaxSetBytes = 256 << 10
	maxSetKeys  = 64
)

// base64url as RFC 7515 §2 has it: no padding, and no second spelling of the
// same bytes.
var base64url = base64.RawURLEncoding.Strict()

// Set is a JWK Set: the keys that an issuer publishes. It does not change.
type Set struct {
	keys []*PublicKey
	byID map[string]*PublicKey
}

// NewSet returns the set of some keys. Of two with the same id the first stays.
func NewSet(keys ...*PublicKey) *Set {
	s := &Set{keys: []*PublicKey{}, byID: make(map[string]*PublicKey, len(keys))}
	for _, k := range keys {
		if _, taken := s.byID[k.id]; taken {
			continue
		}
		s.keys = append(s.keys, k)
		if k.id != "" {
			s.byID[k.id] = k
		}
	}
	return s
}

// ParseSet reads a JWK Set (RFC 7517 §5) of at most 256 KiB and 64 keys. Keys
// that it cannot trust or use are left out, as §5 asks: other types and
// algorithms, symmetric and private keys, keys that are not for signatures,
// points off the curve, RSA below 2048 bits, a kid that came before.
func ParseSet(data []byte) (*Set, error) {
	if len(data) > MaxSetBytes {
		return nil, fmt.Errorf("JWK Set of more than %d bytes", MaxSetBytes)
	}
	var document struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(data, &document); err != nil {
		return nil, fmt.Errorf("JWK Set: %w", err)
	}
	if document.Keys == nil {
		return nil, errors.New(`JWK Set without "keys"`)
	}
	if len(document.Keys) > maxSetKeys {
		return nil, fmt.Errorf("JWK Set of more than %d keys", maxSetKeys)
	}
	var keys []*PublicKey
	for _, raw := range document.Keys {
		if key, err := parseJWK(raw); err == nil {
			keys = append(keys, key)
		}
	}
	return NewSet(keys...), nil
}

// CanonicalPublicSet returns what is kept of the JWK Set that somebody registers:
// the keys that can be used, in one spelling. A private key in it is an error,
// since somebody has just given it away. No text is no set. RFC 7517 §5.
func CanonicalPublicSet(data []byte) (string, error) {
	if len(data) == 0 {
		return "", nil
	}
	var sent struct {
		Keys []map[string]json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(data, &sent); err != nil {
		return "", errors.New(`jwks must be a JWK Set: {'keys':[{'kty':'EC', ...}]}`)
	}
	for _, key := range sent.Keys {
		for _, private := range []string{"d", "k"} { // RFC 7518 §6.2.2, §6.3.2, §6.4.1; RFC 8037 §2
			if _, holds := key[private]; holds {
				return "", errors.New("jwks holds a private or symmetric key: make a new pair, and register its public key alone")
			}
		}
	}
	set, err := ParseSet(data)
	if err != nil {
		return "", errors.New("jwks is not a JWK Set that can be read")
	}
	if len(set.keys) == 0 {
		return "", errors.New("jwks holds no key that can be used: RSA from 2048 bits, EC on P-256 or OKP on Ed25519, for signatures")
	}
	text, err := json.Marshal(set)
	return string(text), err
}

// Key returns the key that a token names. A token that names none is taken to
// mean the only key there is.
func (s *Set) Key(id string) (key *PublicKey, ok bool) {
	if id == "" && len(s.keys) == 1 {
		return s.keys[0], true
	}
	key, ok = s.byID[id]
	return key, ok
}

// MarshalJSON returns the set as it is published.
func (s *Set) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string][]*PublicKey{"keys": s.keys})
}

// jwk is a key as RFC 7517 §4 and RFC 7518 §6 write it.
type jwk struct {
	Type       string          `json:"kty"`
	Use        string          `json:"use,omitempty"`
	Operations []string        `json:"key_ops,omitempty"`
	Algorithm  Algorithm       `json:"alg,omitempty"`
	ID         string          `json:"kid,omitempty"`
	Curve      string          `json:"crv,omitempty"`
	X          string          `json:"x,omitempty"`
	Y          string          `json:"y,omitempty"`
	N          string          `json:"n,omitempty"`
	E          string          `json:"e,omitempty"`
	Private    json.RawMessage `json:"d,omitempty"`
}

// MarshalJSON returns the key as a JWK.
func (k *PublicKey) MarshalJSON() ([]byte, error) {
	j := k.jwk()
	j.Use, j.Algorithm, j.ID = "sig", k.algorithm, k.id
	return json.Marshal(j)
}

// jwk returns the members that make up the key itself.
func (k *PublicKey) jwk() jwk {
	encode := base64url.EncodeToString
	switch key := k.key.(type) {
	case *ecdsa.PublicKey:
		point, err := key.Bytes() // 4, x, y
		if err != nil {
			panic(err) // newPublicKey takes P-256 only
		}
		return jwk{Type: "EC", Curve: "P-256", X: encode(point[1:33]), Y: encode(point[33:])}
	case ed25519.PublicKey:
		return jwk{Type: "OKP", Curve: "Ed25519", X: encode(key)}
	case *rsa.PublicKey:
		return jwk{Type: "RSA", N: encode(key.N.Bytes()), E: encode(big.NewInt(int64(key.E)).Bytes())}
	}
	panic(fmt.Sprintf("public key of type %T", k.key))
}

// thumbprint hashes the required members, in the order of their names. RFC 7638 §3.
func (k *PublicKey) thumbprint() string {
	j := k.jwk()
	var members string
	switch j.Type {
	case "EC":
		members = fmt.Sprintf(`{"crv":%q,"kty":"EC","x":%q,"y":%q}`, j.Curve, j.X, j.Y)
	case "OKP":
		members = fmt.Sprintf(`{"crv":%q,"kty":"OKP","x":%q}`, j.Curve, j.X)
	case "RSA":
		members = fmt.Sprintf(`{"e":%q,"kty":"RSA","n":%q}`, j.E, j.N)
	}
	hash := sha256.Sum256([]byte(members))
	return base64url.EncodeToString(hash[:])
}

func parseJWK(data []byte) (*PublicKey, error) {
	var j jwk
	if err := json.Unmarshal(data, &j); err != nil {
		return nil, err
	}
	if err := j.isForSignatures(); err != nil {
		return nil, err
	}
	parse, ok := map[string]func(jwk) (*PublicKey, error){
		"EC P-256":    jwk.ec,
		"OKP Ed25519": jwk.ed25519,
		"RSA ":        jwk.rsa,
	}[j.Type+" "+j.Curve]
	if !ok {
		return nil, fmt.Errorf("unsupported key type %q, curve %q", j.Type, j.Curve)
	}
	key, err := parse(j)
	if err != nil {
		return nil, err
	}
	if j.Algorithm != "" && j.Algorithm != key.algorithm {
		return nil, unsupported(j.Algorithm)
	}
	key.id = j.ID
	return key, nil
}

// isForSignatures refuses a key whose private half is public, and one that its
// owner wants used otherwise. RFC 7517 §4.2, §4.3.
func (j jwk) isForSignatures() error {
	if j.Private != nil {
		return errors.New("a private key was published")
	}
	if j.Use != "" && j.Use != "sig" {
		return fmt.Errorf("key for use %q", j.Use)
	}
	if j.Operations != nil && !slices.Contains(j.Operations, "verify") {
		return errors.New("key_ops without verify")
	}
	return nil
}

func (j jwk) ec() (*PublicKey, error) {
	x, errX := base64url.DecodeString(j.X)
	y, errY := base64url.DecodeString(j.Y)
	if err := errors.Join(errX, errY); err != nil {
		return nil, err
	}
	if len(x) != 32 || len(y) != 32 { // RFC 7518 §6.2.1.2
		return nil, errors.New("coordinates of a wrong length")
	}
	// Refuses a point that is not on the curve.
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
	if err != nil {
		return nil, err
	}
	return newPublicKey(ES256, key)
}

func (j jwk) ed25519() (*PublicKey, error) {
	key, err := base64url.DecodeString(j.X)
	if err != nil {
		return nil, err
	}
	return newPublicKey(EdDSA, ed25519.PublicKey(key))
}

func (j jwk) rsa() (*PublicKey, error) {
	n, errN := base64url.DecodeString(j.N)
	e, errE := base64url.DecodeString(j.E)
	if err := errors.Join(errN, errE); err != nil {
		return nil, err
	}
	exponent := new(big.Int).SetBytes(e)
	if exponent.Cmp(big.NewInt(3)) < 0 || exponent.Cmp(big.NewInt(math.MaxInt32)) > 0 || exponent.Bit(0) == 0 {
		return nil, errors.New("RSA exponent out of range")
	}
	return newPublicKey(RS256, &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent.Int64())})
}
