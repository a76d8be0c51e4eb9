package jose

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"strconv"
	"strings"
	"testing"
	"time"
)

// An access token as Keywright issues them: about 700 bytes.
const accessToken = `{"iss":"https://id.example.com","sub":"usr_01jx3v9m2kfz8v6q4w5n7r0ths","aud":"https://api.example.com","exp":1900000600,"iat":1900000000,"jti":"grt_01jx3v9m2kfz8v6q4w5n7r0ths.q7Zk3mN1x8c","client_id":"cli_01jx3v9m2kfz8v6q4w5n7r0ths","scope":"openid profile email orders:read orders:write","auth_time":1899999000,"sid":"ses_01jx3v9m2kfz8v6q4w5n7r0ths"}`

// compare runs two things in turn, so that both meet the same moments of the
// machine, and reports what each costs and how much more the second is.
func compare(b *testing.B, raw, token func() bool) {
	var rawTime, tokenTime time.Duration
	b.ReportAllocs()
	for b.Loop() {
		start := time.Now()
		ok := raw()
		between := time.Now()
		if ok = token() && ok; !ok {
			b.Fatal("failed")
		}
		rawTime += between.Sub(start)
		tokenTime += time.Since(between)
	}
	b.ReportMetric(float64(rawTime.Nanoseconds())/float64(b.N), "raw-ns/op")
	b.ReportMetric(float64(tokenTime.Nanoseconds())/float64(b.N), "token-ns/op")
	b.ReportMetric(100*(float64(tokenTime)/float64(rawTime)-1), "%more")
}

// BenchmarkSign sets a token beside the bare signature of the standard library.
func BenchmarkSign(b *testing.B) {
	for _, algorithm := range algorithms {
		key := testKey(b, algorithm)
		input, payload := sign(b, key, "at+jwt", accessToken), []byte(accessToken)
		b.Run(string(algorithm), func(b *testing.B) {
			compare(b, func() bool {
				return signRaw(b, key, input) != nil
			}, func() bool {
				_, err := key.Sign("at+jwt", payload)
				return err == nil
			})
		})
	}
}

// BenchmarkVerifyNew sets a token that was not seen before beside the bare
// verification of its signature.
func BenchmarkVerifyNew(b *testing.B) {
	for _, algorithm := range algorithms {
		key := testKey(b, algorithm)
		set := NewSet(key.Public())
		token := sign(b, key, "at+jwt", accessToken)
		input := token[:strings.LastIndexByte(token, '.')]
		signature := signRaw(b, key, input)
		b.Run(string(algorithm), func(b *testing.B) {
			compare(b, func() bool {
				return verifyRaw(key.Public(), input, signature)
			}, func() bool {
				_, err := set.Verify(token, "at+jwt")
				return err == nil
			})
		})
	}
}

func signRaw(b *testing.B, key *PrivateKey, input string) []byte {
	b.Helper()
	var signature []byte
	var err error
	switch signer := key.signer.(type) {
	case *ecdsa.PrivateKey:
		digest := sha256.Sum256([]byte(input))
		signature, err = ecdsa.SignASN1(rand.Reader, signer, digest[:])
	default:
		signature, err = key.signature([]byte(input))
	}
	if err != nil {
		b.Fatal(err)
	}
	return signature
}

func verifyRaw(key *PublicKey, input string, signature []byte) bool {
	if public, ok := key.key.(*ecdsa.PublicKey); ok {
		digest := sha256.Sum256([]byte(input))
		return ecdsa.VerifyASN1(public, digest[:], signature)
	}
	return key.verifies(input, signature)
}

// BenchmarkVerifySeen finds a token of 700 bytes among 10,000 others.
func BenchmarkVerifySeen(b *testing.B) {
	key := testKey(b, ES256)
	token := sign(b, key, "at+jwt", accessToken)
	seen := NewSeen[*Claims](20_002)
	for i := range 10_000 {
		seen.Put(DigestOf(strconv.Itoa(i)), &Claims{})
	}
	seen.Put(DigestOf(token), &Claims{})
	b.SetBytes(int64(len(token)))
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := seen.Get(DigestOf(token)); !ok {
			b.Fatal("forgotten")
		}
	}
}

func BenchmarkClaims(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parseClaims(accessToken); err != nil {
			b.Fatal(err)
		}
	}
}
