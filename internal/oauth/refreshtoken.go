package oauth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strings"
)

// A refresh token is derived, not drawn, so that the same successor can be
// given twice and the database need not hold it:
//
//	kwr_ base64url( key id | grant id | generation | HMAC-SHA-256 )
//	                1        16         8            32 bytes
//
// The HMAC is keyed by the server and covers the grant's own random bytes.
const (
	refreshTokenPrefix = "kwr_"
	grantIDPrefix      = "grt_"
	claimsSize         = 1 + 16 + 8
	refreshTokenSize   = claimsSize + sha256.Size
	firstGeneration    = 1
)

// RefreshKey derives refresh tokens.
type RefreshKey struct {
	ID  byte
	Key []byte
}

// RefreshToken is one taken apart; nothing of it is proved yet.
type RefreshToken struct {
	GrantID    string
	Generation int64
	claims     [claimsSize]byte
	mac        [sha256.Size]byte
}

var strictBase64 = base64.RawURLEncoding.Strict()

// ParseRefreshToken takes a refresh token apart. It refuses every text that
// derive would not write.
func ParseRefreshToken(token string) (t RefreshToken, ok bool) {
	encoded, ok := strings.CutPrefix(token, refreshTokenPrefix)
	if !ok || len(encoded) != base64.RawURLEncoding.EncodedLen(refreshTokenSize) || strings.ContainsAny(encoded, "\r\n") {
		return RefreshToken{}, false
	}
	raw, err := strictBase64.DecodeString(encoded)
	if err != nil {
		return RefreshToken{}, false
	}
	copy(t.claims[:], raw)
	copy(t.mac[:], raw[claimsSize:])
	t.GrantID = grantIDPrefix + hex.EncodeToString(raw[1:17])
	t.Generation = int64(binary.BigEndian.Uint64(raw[17:claimsSize]))
	if t.Generation < firstGeneration {
		return RefreshToken{}, false
	}
	return t, true
}

// derive makes the refresh token of one generation of g.
func (k RefreshKey) derive(g *Grant, generation int64) string {
	raw := append(make([]byte, 0, refreshTokenSize), g.KeyID)
	raw, _ = hex.AppendDecode(raw, []byte(strings.TrimPrefix(g.ID, grantIDPrefix)))
	raw = binary.BigEndian.AppendUint64(raw, uint64(generation))
	raw = append(raw, k.mac(g, raw)...)
	return string(base64.RawURLEncoding.AppendEncode([]byte(refreshTokenPrefix), raw))
}

// genuine says whether t was derived by this key for g.
func (k RefreshKey) genuine(t RefreshToken, g *Grant) bool {
	return hmac.Equal(t.mac[:], k.mac(g, t.claims[:]))
}

func (k RefreshKey) mac(g *Grant, claims []byte) []byte {
	mac := hmac.New(sha256.New, k.Key)
	mac.Write([]byte("refresh token\x00"))
	mac.Write(g.Random[:])
	mac.Write(claims)
	return mac.Sum(nil)
}
