package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
)

// Sign returns payload, a JSON text, as a signed token in the compact form of
// RFC 7515 §3.1. typ says what kind of token it is; it is a constant of the
// caller, such as at+jwt, and goes into the header as it stands.
func (k *PrivateKey) Sign(typ string, payload []byte) (string, error) {
	header := append(make([]byte, 0, 128), k.header...)
	header = append(header, typ...)
	header = append(header, `"}`...)

	token := make([]byte, 0, base64url.EncodedLen(len(header)+len(payload)+ed25519.SignatureSize)+4)
	token = base64url.AppendEncode(token, header)
	token = append(token, '.')
	token = base64url.AppendEncode(token, payload)
	signature, err := k.signature(token)
	if err != nil {
		return "", fmt.Errorf("sign with %s: %w", k, err)
	}
	token = append(token, '.')
	return textOf(base64url.AppendEncode(token, signature)), nil
}

func (k *PrivateKey) signature(input []byte) ([]byte, error) {
	switch key := k.signer.(type) {
	case ed25519.PrivateKey:
		return ed25519.Sign(key, input), nil
	case *ecdsa.PrivateKey:
		digest := sha256.Sum256(input)
		r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
		if err != nil {
			return nil, err
		}
		signature := make([]byte, 64) // RFC 7518 §3.4: r and s, 32 octets each
		r.FillBytes(signature[:32])
		s.FillBytes(signature[32:])
		return signature, nil
	case *rsa.PrivateKey:
		digest := sha256.Sum256(input)
		return rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	}
	panic(fmt.Sprintf("private key of type %T", k.signer))
}
