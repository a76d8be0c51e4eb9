package oauth

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// RFC 7636 appendix B.
const (
	rfcVerifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	rfcChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func TestAVerifierProvesItsChallenge(t *testing.T) {
	unreserved := "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
	for name, test := range map[string]struct {
		verifier, challenge string
		proves              bool
	}{
		"RFC 7636 appendix B":              {rfcVerifier, rfcChallenge, true},
		"neither":                          {"", "", true},
		"no verifier":                      {"", rfcChallenge, false},
		"the challenge was taken away":     {rfcVerifier, "", false},
		"the challenge itself, as plain":   {rfcChallenge, rfcChallenge, false},
		"another challenge":                {rfcVerifier, challengeOf(rfcVerifier + "x"), false},
		"upper case":                       {strings.ToUpper(rfcVerifier), rfcChallenge, false},
		"one character more":               {rfcVerifier + "k", rfcChallenge, false},
		"a space after":                    {rfcVerifier + " ", challengeOf(rfcVerifier + " "), false},
		"42 characters":                    {strings.Repeat("a", 42), challengeOf(strings.Repeat("a", 42)), false},
		"43 characters":                    {strings.Repeat("a", 43), challengeOf(strings.Repeat("a", 43)), true},
		"128 characters":                   {strings.Repeat("a", 128), challengeOf(strings.Repeat("a", 128)), true},
		"129 characters":                   {strings.Repeat("a", 129), challengeOf(strings.Repeat("a", 129)), false},
		"every character that may be":      {unreserved, challengeOf(unreserved), true},
		"a character that may not be":      {rfcVerifier + "+", challengeOf(rfcVerifier + "+"), false},
		"a character that may not be, too": {rfcVerifier + "=", challengeOf(rfcVerifier + "="), false},
		"NUL":                              {rfcVerifier + "\x00", challengeOf(rfcVerifier + "\x00"), false},
		"no ASCII":                         {rfcVerifier + "é", challengeOf(rfcVerifier + "é"), false},
		"a padded challenge":               {rfcVerifier, rfcChallenge + "=", false},
	} {
		if proves(test.verifier, test.challenge) != test.proves {
			t.Errorf("%s: proved %t, want %t", name, !test.proves, test.proves)
		}
	}
}

func TestACodeChallengeIsNeededAndHashed(t *testing.T) {
	public, confidential, optional := site(), site(), site()
	confidential.Public, optional.Public, optional.PKCEOptional = false, false, true
	publicOptional := site()
	publicOptional.PKCEOptional = true // which nobody can register
	for name, test := range map[string]struct {
		client            *Client
		challenge, method string
		taken             bool
	}{
		"S256":                                {public, rfcChallenge, S256, true},
		"S256 of a confidential client":       {confidential, rfcChallenge, S256, true},
		"S256 where it is optional":           {optional, rfcChallenge, S256, true},
		"none":                                {public, "", "", false},
		"none of a confidential client":       {confidential, "", "", false},
		"none where it is optional":           {optional, "", "", true},
		"none of a public client":             {publicOptional, "", "", false},
		"a method alone":                      {public, "", S256, false},
		"a method alone where it is optional": {optional, "", S256, false},
		"plain":                               {public, rfcVerifier, "plain", false},
		"plain where it is optional":          {optional, rfcVerifier, "plain", false},
		"plain by default":                    {public, rfcChallenge, "", false},
		"an unknown method":                   {public, rfcChallenge, "S512", false},
		"lower case":                          {public, rfcChallenge, "s256", false},
		"42 characters":                       {public, rfcChallenge[1:], S256, false},
		"44 characters":                       {public, rfcChallenge + "A", S256, false},
		"a line end instead of a character":   {public, strings.Repeat("A", 42) + "\n", S256, false},
		"line ends":                           {public, strings.Repeat("\n", 43), S256, false},
		"padding":                             {public, rfcChallenge[:42] + "=", S256, false},
		"base64 that is not for URLs":         {public, "+" + rfcChallenge[1:], S256, false},
		"bits that no hash leaves":            {public, rfcChallenge[:42] + "N", S256, false},
		"no ASCII":                            {public, rfcChallenge[:41] + "é", S256, false},
	} {
		if r := checkChallenge(test.client, test.challenge, test.method); r != nil {
			refusedWith(t, r, InvalidRequest)
			if test.taken {
				t.Errorf("%s: %s", name, r.Description)
			}
		} else if !test.taken {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestOnlyItsOwnVerifierProvesAChallenge(t *testing.T) {
	verifiers := rapid.StringMatching(`[A-Za-z0-9._~-]{43,128}`)
	rapid.Check(t, func(t *rapid.T) {
		verifier, other := verifiers.Draw(t, "verifier"), verifiers.Draw(t, "other")
		challenge := challengeOf(verifier)
		if !isChallenge(challenge) || !proves(verifier, challenge) || other != verifier && proves(other, challenge) {
			t.Errorf("%q, %q", verifier, other)
		}
	})
}

func FuzzProves(f *testing.F) {
	f.Add(rfcVerifier, rfcChallenge)
	f.Add("", "")
	f.Add(rfcVerifier, "")
	f.Fuzz(func(t *testing.T, verifier, challenge string) {
		if !proves(verifier, challenge) {
			return
		}
		switch {
		case verifier == "" && challenge == "":
		case len(verifier) < 43 || len(verifier) > 128 || challengeOf(verifier) != challenge || !isChallenge(challenge):
			t.Errorf("%q proves %q", verifier, challenge)
		}
	})
}
