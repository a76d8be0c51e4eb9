package oauth

import (
	"encoding/base64"
	"math"
	"strings"
	"testing"
)

func aRefreshToken() (*Grant, string) {
	g := grantTo(app())
	return g, refreshKey.derive(g, g.Generation)
}

func TestARefreshTokenSaysWhatItIs(t *testing.T) {
	g := grantTo(app())
	for _, generation := range []int64{1, 2, 255, 256, math.MaxInt64} {
		text := refreshKey.derive(g, generation)
		token, ok := ParseRefreshToken(text)
		if !ok || token.GrantID != g.ID || token.Generation != generation || !refreshKey.genuine(token, g) {
			t.Errorf("generation %d: %+v, %t", generation, token, ok)
		}
		if again := refreshKey.derive(g, generation); again != text {
			t.Errorf("derived again, it is another one: %s", again)
		}
	}
	if _, text := aRefreshToken(); len(text) != 80 || !strings.HasPrefix(text, "kwr_") {
		t.Errorf("%s has %d characters", text, len(text))
	}
}

func TestARefreshTokenHasAGenerationAboveZero(t *testing.T) {
	g := grantTo(app())
	for _, generation := range []int64{0, -1, math.MinInt64} {
		if _, ok := ParseRefreshToken(refreshKey.derive(g, generation)); ok {
			t.Errorf("generation %d is parsed", generation)
		}
	}
}

func TestNoPartOfARefreshTokenIsOne(t *testing.T) {
	_, text := aRefreshToken()
	for n := range len(text) {
		if _, ok := ParseRefreshToken(text[:n]); ok {
			t.Errorf("its first %d characters are", n)
		}
		if _, ok := ParseRefreshToken(text[n+1:]); ok {
			t.Errorf("its last %d characters are", len(text)-n-1)
		}
	}
}

func TestARefreshTokenWithAnotherCharacterIsNotGenuine(t *testing.T) {
	g, text := aRefreshToken()
	for i := range text {
		for c := range 256 {
			changed := []byte(text)
			if changed[i] = byte(c); string(changed) == text {
				continue
			}
			if token, ok := ParseRefreshToken(string(changed)); ok && refreshKey.genuine(token, g) {
				t.Errorf("%q is genuine", changed)
			}
		}
	}
}

func TestADecoratedRefreshTokenIsNone(t *testing.T) {
	g, text := aRefreshToken()
	body := strings.TrimPrefix(text, refreshTokenPrefix)
	raw, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil {
		t.Fatal(err)
	}
	for name, changed := range map[string]string{
		"empty": "", "the prefix alone": refreshTokenPrefix, "no prefix": body, "the prefix twice": refreshTokenPrefix + text,
		"another prefix": "kwa_" + body, "the prefix in upper case": "KWR_" + body, "upper case": strings.ToUpper(text), "lower case": strings.ToLower(text),
		"padding": text + "=", "double padding": text + "==", "a space after": text + " ", "a space before": " " + text, "a space inside": "kwr_ " + body,
		"a line end after": text + "\n", "a line end inside": text[:40] + "\r\n" + text[40:], "a line end for a character": text[:40] + "\n" + text[41:],
		"line ends for all": refreshTokenPrefix + strings.Repeat("\n", len(body)), "NUL after": text + "\x00", "twice": text + text, "more": text + "AAAA",
		"the other alphabet":   refreshTokenPrefix + base64.RawStdEncoding.EncodeToString(append([]byte{0xff, 0xff, 0xff}, raw[3:]...)),
		"a byte less":          refreshTokenPrefix + base64.RawURLEncoding.EncodeToString(raw[1:]),
		"a byte more":          refreshTokenPrefix + base64.RawURLEncoding.EncodeToString(append(raw, 0)),
		"hexadecimal":          refreshTokenPrefix + strings.Repeat("00", 57),
		"something else, long": strings.Repeat("kwr_", 1<<18),
	} {
		if token, ok := ParseRefreshToken(changed); ok && refreshKey.genuine(token, g) {
			t.Errorf("%s: it is genuine", name)
		}
	}
}

func TestARefreshTokenIsBoundToItsGrantAndKey(t *testing.T) {
	g, text := aRefreshToken()
	token, _ := ParseRefreshToken(text)
	for name, alter := range map[string]func(*Grant, *RefreshKey){
		"other random bytes": func(g *Grant, _ *RefreshKey) { g.Random[15] ^= 1 },
		"no random bytes":    func(g *Grant, _ *RefreshKey) { g.Random = [16]byte{} },
		"another key":        func(_ *Grant, k *RefreshKey) { k.Key = []byte("another key") },
		"no key":             func(_ *Grant, k *RefreshKey) { k.Key = nil },
	} {
		other, key := *g, refreshKey
		alter(&other, &key)
		if key.genuine(token, &other) {
			t.Errorf("%s: it is genuine", name)
		}
	}
	other := *g
	other.ID, other.Generation = "grt_ffffffffffffffffffffffffffffffff", 77
	foreign, _ := ParseRefreshToken(refreshKey.derive(&other, g.Generation))
	foreign.mac = token.mac
	if refreshKey.genuine(foreign, g) {
		t.Error("the proof of one grant serves for another")
	}
}

func FuzzParseRefreshToken(f *testing.F) {
	g, text := aRefreshToken()
	for _, seed := range append(hostileTexts, text, text+"=", text[:79], strings.ToUpper(text), refreshKey.derive(g, math.MaxInt64)) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		token, ok := ParseRefreshToken(text)
		if !ok {
			if token != (RefreshToken{}) {
				t.Errorf("refused, but %+v", token)
			}
			return
		}
		raw := append(token.claims[:], token.mac[:]...)
		if written := refreshTokenPrefix + base64.RawURLEncoding.EncodeToString(raw); written != text {
			t.Errorf("%q and %q are one token", text, written)
		}
		if token.Generation < 1 || len(token.GrantID) != 36 {
			t.Errorf("%+v", token)
		}
		if refreshKey.genuine(token, g) && (token.GrantID != g.ID || refreshKey.derive(g, token.Generation) != text) {
			t.Errorf("%q is genuine", text)
		}
	})
}
