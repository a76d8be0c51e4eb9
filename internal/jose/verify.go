package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// MaxTokenBytes is the length above which a token is refused unread.
const MaxTokenBytes = 16 << 10

var (
	// ErrInvalid is every refusal of a token. Its text says why, for logs and for
	// whoever issues tokens: a caller that tells a stranger the reason tells more
	// than the stranger needs.
	ErrInvalid = errors.New("invalid token")
	// ErrUnknownKey is the ErrInvalid of a well-formed token whose key is not in
	// the set. With a newer set it may verify.
	ErrUnknownKey = fmt.Errorf("%w: unknown key", ErrInvalid)
)

func refused(reason string) error { return fmt.Errorf("%w: %s", ErrInvalid, reason) }

// Verify returns the claims of a token in compact form (RFC 7515 §3.1) that a
// key of the set has signed. The header's typ must be one of types; the empty
// string among them admits a header without typ. Neither issuer nor audience
// nor any time is judged here. Every error is an ErrInvalid.
func (s *Set) Verify(token string, types ...string) (*Claims, error) {
	payload, err := s.payload(token, types)
	if err != nil {
		return nil, err
	}
	claims, err := parseClaims(payload)
	if err != nil {
		return nil, refused("claims: " + err.Error())
	}
	return claims, nil
}

// payload returns what the token's signature covers.
func (s *Set) payload(token string, types []string) (string, error) {
	segments, err := split(token)
	if err != nil {
		return "", err
	}
	h, err := parseHeader(segments.header)
	if err != nil {
		return "", err
	}
	if !h.hasType(types) {
		return "", refused("a token of another typ")
	}
	if !slices.Contains([]Algorithm{ES256, EdDSA, RS256}, h.algorithm) {
		return "", refused("an unsupported algorithm")
	}
	key, ok := s.Key(h.keyID)
	if !ok {
		return "", ErrUnknownKey
	}
	// RFC 8725 §3.1: the key says which algorithm it is, the token only agrees.
	if h.algorithm != key.algorithm {
		return "", refused("an algorithm that is not its key's")
	}
	signature, err := base64url.DecodeString(segments.signature)
	if err != nil || !key.verifies(segments.signed, signature) {
		return "", refused("its signature does not verify")
	}
	payload, err := decode(segments.payload)
	if err != nil {
		return "", refused("its payload is not base64url")
	}
	return payload, nil
}

type segments struct {
	header, payload, signature string
	signed                     string // header, dot, payload
}

func split(token string) (s segments, err error) {
	if len(token) > MaxTokenBytes {
		return s, refused("too long")
	}
	// The base64 decoder would step over line ends.
	if strings.IndexByte(token, '\n') >= 0 || strings.IndexByte(token, '\r') >= 0 {
		return s, refused("a line end within")
	}
	first, last := strings.IndexByte(token, '.'), strings.LastIndexByte(token, '.')
	if first < 0 || first == last || strings.IndexByte(token[first+1:last], '.') >= 0 {
		return s, refused("not three segments")
	}
	return segments{token[:first], token[first+1 : last], token[last+1:], token[:last]}, nil
}

// decode returns what a segment says.
func decode(segment string) (string, error) {
	text, err := base64url.DecodeString(segment)
	return textOf(text), err
}

// header holds the members of a JOSE header that are read. RFC 7515 §4.1.
type header struct {
	algorithm  Algorithm
	keyID, typ string
}

func parseHeader(segment string) (h header, err error) {
	text, err := decode(segment)
	if err != nil {
		return h, refused("its header is not base64url")
	}
	err = eachMember(text, func(name, value string) error {
		switch name {
		case "alg":
			return readString((*string)(&h.algorithm), name, value)
		case "kid":
			return readString(&h.keyID, name, value)
		case "typ":
			return readString(&h.typ, name, value)
		case "crit", "b64", "zip", "jku", "jwk", "x5u", "x5c":
			return errors.New(name + " is not accepted")
		}
		return nil
	})
	if err != nil {
		return h, refused("header: " + err.Error())
	}
	return h, nil
}

// hasType compares media types, whose "application/" may be left out and whose
// case means nothing. RFC 7515 §4.1.9.
func (h header) hasType(types []string) bool {
	typ := h.typ
	if prefix := "application/"; len(typ) > len(prefix) && strings.EqualFold(typ[:len(prefix)], prefix) {
		typ = typ[len(prefix):]
	}
	for _, t := range types {
		if strings.EqualFold(typ, t) {
			return true
		}
	}
	return false
}

func (k *PublicKey) verifies(input string, signature []byte) bool {
	switch key := k.key.(type) {
	case ed25519.PublicKey:
		return ed25519.Verify(key, bytesOf(input), signature)
	case *ecdsa.PublicKey:
		if len(signature) != 64 { // RFC 7518 §3.4
			return false
		}
		digest := sha256.Sum256(bytesOf(input))
		return ecdsa.VerifyASN1(key, digest[:], asn1Signature(signature))
	case *rsa.PublicKey:
		digest := sha256.Sum256(bytesOf(input))
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) == nil
	}
	return false
}

// asn1Signature writes r and s, 32 octets each, the way ecdsa reads them fastest:
// as a SEQUENCE of two INTEGERs in DER.
func asn1Signature(rs []byte) []byte {
	der := append(make([]byte, 0, 72), 0x30, 0)
	for _, integer := range [][]byte{rs[:32], rs[32:]} {
		for len(integer) > 1 && integer[0] == 0 {
			integer = integer[1:]
		}
		if integer[0] >= 0x80 { // would be negative
			der = append(der, 0x02, byte(len(integer)+1), 0)
		} else {
			der = append(der, 0x02, byte(len(integer)))
		}
		der = append(der, integer...)
	}
	der[1] = byte(len(der) - 2)
	return der
}
