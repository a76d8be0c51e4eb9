package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"time"
)

const (
	audience = "https://api.example.com"
	keyID    = "2bVqyMHjTmSGGnLsm2vyiJ9Ow2BwGmXEvPjtdWUoCmk"
)

var base64url = base64.RawURLEncoding

// issuer signs tokens with nothing but the standard library.
type issuer struct {
	url       string
	algorithm string
	key       crypto.Signer
	close     func()
}

// token is one in compact form, and its parts as the standard library wants them.
type token struct {
	text      string
	input     []byte
	signature []byte // in DER with ECDSA
}

func newIssuer(algorithm string) (*issuer, error) {
	i := &issuer{algorithm: algorithm}
	key := map[string]string{"kid": keyID, "alg": algorithm, "use": "sig"}
	switch algorithm {
	case "ES256":
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		point, err := private.PublicKey.Bytes() // 4, x, y
		if err != nil {
			return nil, err
		}
		i.key = private
		key["kty"], key["crv"] = "EC", "P-256"
		key["x"], key["y"] = base64url.EncodeToString(point[1:33]), base64url.EncodeToString(point[33:])
	case "EdDSA":
		public, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return nil, err
		}
		i.key = private
		key["kty"], key["crv"], key["x"] = "OKP", "Ed25519", base64url.EncodeToString(public)
	}
	i.serve(map[string]any{"keys": []any{key}})
	return i, nil
}

// serve publishes the keys where the metadata says.
func (i *issuer) serve(keys any) {
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	i.url, i.close = server.URL, server.Close
	publish := func(path string, document any) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			json.NewEncoder(w).Encode(document)
		})
	}
	publish("/.well-known/openid-configuration", map[string]string{"issuer": i.url, "jwks_uri": i.url + "/jwks"})
	publish("/jwks", keys)
}

// token is one as Keywright issues them, of about 700 bytes.
func (i *issuer) token(n int) (t token, err error) {
	now := time.Now().Unix()
	claims, err := json.Marshal(map[string]any{
		"iss": i.url, "aud": audience, "iat": now, "exp": now + 600, "auth_time": now - 60,
		"sub": "usr_01981b2f9c4e7d3a8b6c5d4e3f2a1b0c", "client_id": "direct", "scope": "openid profile email orders:read orders:write",
		"jti": fmt.Sprintf("grt_01981b2f9c4e7d3a8b6c5d4e3f2a1b0c.%016d", n),
	})
	if err != nil {
		return t, err
	}
	header := `{"alg":"` + i.algorithm + `","kid":"` + keyID + `","typ":"at+jwt"}`
	t.input = []byte(base64url.EncodeToString([]byte(header)) + "." + base64url.EncodeToString(claims))
	digest, hash := t.input, crypto.Hash(0)
	if i.algorithm == "ES256" {
		sum := sha256.Sum256(t.input)
		digest, hash = sum[:], crypto.SHA256
	}
	if t.signature, err = i.key.Sign(rand.Reader, digest, hash); err != nil {
		return t, err
	}
	wire, err := i.wire(t.signature)
	t.text = string(t.input) + "." + base64url.EncodeToString(wire)
	return t, err
}

// wire is a signature as a token holds it. RFC 7518 §3.4: r and s, 32 octets each.
func (i *issuer) wire(signature []byte) ([]byte, error) {
	if i.algorithm != "ES256" {
		return signature, nil
	}
	var rs struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(signature, &rs); err != nil {
		return nil, err
	}
	wire := make([]byte, 64)
	rs.R.FillBytes(wire[:32])
	rs.S.FillBytes(wire[32:])
	return wire, nil
}

// verifies is the bare verification of a signature.
func (i *issuer) verifies(t token) bool {
	switch key := i.key.Public().(type) {
	case *ecdsa.PublicKey:
		digest := sha256.Sum256(t.input)
		return ecdsa.VerifyASN1(key, digest[:], t.signature)
	case ed25519.PublicKey:
		return ed25519.Verify(key, t.input, t.signature)
	}
	return false
}
