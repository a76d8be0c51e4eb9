package jose

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
)

var algorithms = []Algorithm{ES256, EdDSA, RS256}

// testKey returns one key an algorithm for all tests: RSA keys take long to make.
var testKey = func() func(testing.TB, Algorithm) *PrivateKey {
	generate := sync.OnceValues(func() (map[Algorithm]*PrivateKey, error) {
		keys := make(map[Algorithm]*PrivateKey)
		for _, algorithm := range algorithms {
			key, err := GenerateKey(algorithm, rand.Reader)
			if err != nil {
				return nil, err
			}
			keys[algorithm] = key
		}
		return keys, nil
	})
	return func(t testing.TB, algorithm Algorithm) *PrivateKey {
		t.Helper()
		keys, err := generate()
		if err != nil {
			t.Fatal(err)
		}
		return keys[algorithm]
	}
}()

func sign(t testing.TB, key *PrivateKey, typ, payload string) string {
	t.Helper()
	token, err := key.Sign(typ, []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestKeySurvivesPKCS8(t *testing.T) {
	for _, algorithm := range algorithms {
		key := testKey(t, algorithm)
		der, err := key.MarshalPKCS8()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParsePKCS8(algorithm, der)
		if err != nil {
			t.Fatal(err)
		}
		if again.ID() != key.ID() || again.Algorithm() != algorithm {
			t.Errorf("%s: read back as %s", key, again)
		}
		token := sign(t, again, "at+jwt", `{"sub":"ada"}`)
		if _, err := NewSet(key.Public()).Verify(token, "at+jwt"); err != nil {
			t.Errorf("%s: a token of the key read back: %v", algorithm, err)
		}
	}
}

func TestKeyOfAnotherAlgorithmIsRefused(t *testing.T) {
	for _, of := range algorithms {
		der, err := testKey(t, of).MarshalPKCS8()
		if err != nil {
			t.Fatal(err)
		}
		for _, as := range append(algorithms, "HS256", "none", "") {
			if _, err := ParsePKCS8(as, der); (err == nil) != (as == of) {
				t.Errorf("%s key read as %q: %v", of, as, err)
			}
		}
	}
	if _, err := GenerateKey("HS256", rand.Reader); err == nil {
		t.Error("a symmetric key was made")
	}
}

func TestWeakPrivateKeyIsRefused(t *testing.T) {
	t.Setenv("GODEBUG", "rsa1024min=0")
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for algorithm, key := range map[Algorithm]any{RS256: weak, ES256: p384} {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParsePKCS8(algorithm, der); err == nil {
			t.Errorf("%T was accepted for %s", key, algorithm)
		}
	}
}

func TestPrivateKeyPrintsNoSecret(t *testing.T) {
	for _, algorithm := range algorithms {
		key := testKey(t, algorithm)
		asJSON, err := json.Marshal(map[string]any{"key": key})
		if err != nil {
			t.Fatal(err)
		}
		want := string(algorithm) + " key " + key.ID()
		for _, text := range []string{fmt.Sprint(key), fmt.Sprintf("%+v", key), fmt.Sprintf("%#v", key)} {
			if text != want {
				t.Errorf("printed %q, want %q", text, want)
			}
		}
		if string(asJSON) != `{"key":{}}` {
			t.Errorf("as JSON: %s", asJSON)
		}
	}
}

// RFC 7638 §3.1, RFC 8037 A.3.
func TestThumbprintIsThatOfTheRFC(t *testing.T) {
	vectors := map[string]string{
		"NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs": `{"kty":"RSA","e":"AQAB","alg":"RS256","kid":"2011-04-29","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"}`,
		"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k": `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`,
	}
	for want, text := range vectors {
		key, err := parseJWK([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := key.thumbprint(); got != want {
			t.Errorf("thumbprint %s, want %s", got, want)
		}
	}
}

func TestPublishedSetHoldsNoPrivateMember(t *testing.T) {
	for _, algorithm := range algorithms {
		key := testKey(t, algorithm)
		data, err := json.Marshal(NewSet(key.Public()))
		if err != nil {
			t.Fatal(err)
		}
		var set struct{ Keys []map[string]string }
		if err := json.Unmarshal(data, &set); err != nil {
			t.Fatal(err)
		}
		for name := range set.Keys[0] {
			if !strings.Contains(" kty use alg kid crv x y n e ", " "+name+" ") {
				t.Errorf("%s: published member %s", algorithm, name)
			}
		}
		if set.Keys[0]["kid"] != key.ID() || set.Keys[0]["use"] != "sig" || set.Keys[0]["alg"] != string(algorithm) {
			t.Errorf("%s: published as %v", algorithm, set.Keys[0])
		}
	}
	if data, err := json.Marshal(NewSet()); err != nil || string(data) != `{"keys":[]}` {
		t.Errorf("an empty set is published as %s, %v", data, err)
	}
}
