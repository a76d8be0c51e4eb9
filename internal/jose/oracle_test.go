package jose

import (
	"encoding/json"
	"testing"

	gojose "github.com/go-jose/go-jose/v4"
	"pgregory.net/rapid"
)

var gojoseAlgorithms = []gojose.SignatureAlgorithm{gojose.ES256, gojose.EdDSA, gojose.RS256}

// anyClaims draws the claims of a token, strange strings included.
var anyClaims = rapid.Custom(func(t *rapid.T) map[string]any {
	claims := map[string]any{
		"sub": rapid.String().Draw(t, "sub"),
		"aud": rapid.SliceOfN(rapid.String(), 1, 3).Draw(t, "aud"),
		"exp": rapid.IntRange(0, maxDate).Draw(t, "exp"),
	}
	for name, value := range rapid.MapOf(rapid.StringMatching(`own[a-z]{1,5}`), rapid.String()).Draw(t, "own") {
		claims[name] = value
	}
	return claims
})

func TestOurTokensVerifyWithGoJose(t *testing.T) {
	published := publishedSet(t)
	var theirs gojose.JSONWebKeySet
	if err := json.Unmarshal(published, &theirs); err != nil {
		t.Fatal(err)
	}
	for _, algorithm := range algorithms {
		key := testKey(t, algorithm)
		rapid.Check(t, func(t *rapid.T) {
			payload, err := json.Marshal(anyClaims.Draw(t, "claims"))
			if err != nil {
				t.Fatal(err)
			}
			token, err := key.Sign("at+jwt", payload)
			if err != nil {
				t.Fatal(err)
			}
			parsed, err := gojose.ParseSignedCompact(token, gojoseAlgorithms)
			if err != nil {
				t.Fatal(err)
			}
			if h := parsed.Signatures[0].Header; h.KeyID != key.ID() || h.ExtraHeaders["typ"] != "at+jwt" {
				t.Fatalf("header %+v", h)
			}
			verified, err := parsed.Verify(&theirs)
			if err != nil || string(verified) != string(payload) {
				t.Fatalf("%s, %v", verified, err)
			}
		})
	}
}

func TestGoJoseTokensVerifyWithOurs(t *testing.T) {
	for _, algorithm := range algorithms {
		key := testKey(t, algorithm)
		theirs := gojose.JSONWebKey{Key: key.signer, KeyID: "theirs", Algorithm: string(algorithm), Use: "sig"}
		published, err := json.Marshal(gojose.JSONWebKeySet{Keys: []gojose.JSONWebKey{theirs.Public()}})
		if err != nil {
			t.Fatal(err)
		}
		set, err := ParseSet(published)
		if err != nil || len(set.keys) != 1 {
			t.Fatalf("%s: %v", published, err)
		}
		options := (&gojose.SignerOptions{}).WithType("at+jwt")
		signer, err := gojose.NewSigner(gojose.SigningKey{Algorithm: gojose.SignatureAlgorithm(algorithm), Key: theirs}, options)
		if err != nil {
			t.Fatal(err)
		}
		rapid.Check(t, func(t *rapid.T) {
			claims := anyClaims.Draw(t, "claims")
			payload, err := json.Marshal(claims)
			if err != nil {
				t.Fatal(err)
			}
			signed, err := signer.Sign(payload)
			if err != nil {
				t.Fatal(err)
			}
			token, err := signed.CompactSerialize()
			if err != nil {
				t.Fatal(err)
			}
			got, err := set.Verify(token, "at+jwt")
			if err != nil {
				t.Fatal(err)
			}
			if got.Subject != claims["sub"] || int(got.ExpiresAt.Unix()) != claims["exp"] || got.Payload != string(payload) {
				t.Fatalf("%+v of %v", got, claims)
			}
		})
	}
}

// Whatever we accept, go-jose accepts.
func TestNoMutationIsAcceptedThatGoJoseRefuses(t *testing.T) {
	published := publishedSet(t)
	var theirs gojose.JSONWebKeySet
	if err := json.Unmarshal(published, &theirs); err != nil {
		t.Fatal(err)
	}
	ours, err := ParseSet(published)
	if err != nil {
		t.Fatal(err)
	}
	honest := sign(t, testKey(t, EdDSA), "at+jwt", somePayload)
	rapid.Check(t, func(t *rapid.T) {
		token := []byte(honest)
		for range rapid.IntRange(0, 2).Draw(t, "changes") {
			token[rapid.IntRange(0, len(token)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
		}
		if _, err := ours.Verify(string(token), "at+jwt"); err != nil {
			return
		}
		parsed, err := gojose.ParseSignedCompact(string(token), gojoseAlgorithms)
		if err != nil {
			t.Fatalf("%s: %v", token, err)
		}
		if _, err := parsed.Verify(&theirs); err != nil {
			t.Fatalf("%s: %v", token, err)
		}
	})
}

func publishedSet(t *testing.T) []byte {
	t.Helper()
	var keys []*PublicKey
	for _, algorithm := range algorithms {
		keys = append(keys, testKey(t, algorithm).Public())
	}
	published, err := json.Marshal(NewSet(keys...))
	if err != nil {
		t.Fatal(err)
	}
	return published
}
