package resource

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/jose"
)

func benchmarkIssuer(b *testing.B, algorithm jose.Algorithm) (*issuer, crypto) {
	b.Helper()
	key, err := jose.GenerateKey(algorithm, nil)
	if err != nil {
		b.Fatal(err)
	}
	i := newIssuer(b)
	i.publish(key)
	return i, crypto{b, key}
}

// realistic returns the n-th access token of about 700 bytes.
func (i *issuer) realistic(b *testing.B, n int) string {
	return i.token(b, map[string]any{
		"sub": "usr_01jx3v9m2kfz8v6q4w5n7r0ths", "jti": fmt.Sprintf("grt_01jx3v9m2kfz8v6q4w5n7r0ths.%010d", n),
		"client_id": "cli_01jx3v9m2kfz8v6q4w5n7r0ths", "scope": "openid profile email orders:read orders:write",
		"auth_time": i.clock.seconds(-60), "sid": "ses_01jx3v9m2kfz8v6q4w5n7r0ths",
	})
}

// BenchmarkVerifyNew is a token that was not seen before, in turn with the bare
// verification of its signature by the standard library.
func BenchmarkVerifyNew(b *testing.B) {
	for _, algorithm := range []jose.Algorithm{jose.ES256, jose.EdDSA} {
		b.Run(string(algorithm), func(b *testing.B) {
			i, raw := benchmarkIssuer(b, algorithm)
			v := i.verifier(b, WithCacheSize(1000)).Require("orders:read")
			tokens := make([]string, 2000) // each is forgotten before its next turn
			for n := range tokens {
				tokens[n] = i.realistic(b, n)
			}
			verifyRaw := raw.verifier(tokens)
			var rawTime, tokenTime time.Duration
			b.ReportAllocs()
			for n := 0; b.Loop(); n = (n + 1) % len(tokens) {
				start := time.Now()
				ok := verifyRaw(n)
				between := time.Now()
				_, err := v.Verify(context.Background(), tokens[n])
				rawTime, tokenTime = rawTime+between.Sub(start), tokenTime+time.Since(between)
				if !ok || err != nil {
					b.Fatal(ok, err)
				}
			}
			b.ReportMetric(float64(rawTime.Nanoseconds())/float64(b.N), "raw-ns/op")
			b.ReportMetric(float64(tokenTime.Nanoseconds())/float64(b.N), "token-ns/op")
			b.ReportMetric(100*(float64(tokenTime)/float64(rawTime)-1), "%more")
		})
	}
}

// BenchmarkVerifySeen is a token that was verified before.
func BenchmarkVerifySeen(b *testing.B) {
	i, _ := benchmarkIssuer(b, jose.ES256)
	v := i.verifier(b).Require("orders:read")
	token := i.realistic(b, 0)
	mustVerify(b, v, token)
	b.SetBytes(int64(len(token)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(context.Background(), token); err != nil {
			b.Fatal(err)
		}
	}
}

// crypto verifies with nothing but the standard library.
type crypto struct {
	b   *testing.B
	key *jose.PrivateKey
}

func (c crypto) verifier(tokens []string) func(n int) bool {
	der, err := c.key.MarshalPKCS8()
	if err != nil {
		c.b.Fatal(err)
	}
	private, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		c.b.Fatal(err)
	}
	inputs, signatures := make([][]byte, len(tokens)), make([][]byte, len(tokens))
	for n, token := range tokens {
		end := strings.LastIndexByte(token, '.')
		inputs[n] = []byte(token[:end])
		if signatures[n], err = base64.RawURLEncoding.DecodeString(token[end+1:]); err != nil {
			c.b.Fatal(err)
		}
	}
	switch key := private.(type) {
	case *ecdsa.PrivateKey:
		r, s := make([]*big.Int, len(tokens)), make([]*big.Int, len(tokens))
		for n, signature := range signatures {
			r[n], s[n] = new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
		}
		return func(n int) bool {
			digest := sha256.Sum256(inputs[n])
			return ecdsa.Verify(&key.PublicKey, digest[:], r[n], s[n])
		}
	case ed25519.PrivateKey:
		public := key.Public().(ed25519.PublicKey)
		return func(n int) bool { return ed25519.Verify(public, inputs[n], signatures[n]) }
	}
	c.b.Fatalf("a %T", private)
	return nil
}
