// Package random draws the random values that decisions are given.
package random

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	mathrand "math/rand/v2"

	"github.com/google/uuid"

	"github.com/keywright/keywright/internal/oauth"
)

// ID returns a new identifier: a typed prefix and a UUID of version 7, whose
// order in time keeps the database's pages together. It is no secret.
func ID(prefix string) string {
	id := uuid.Must(uuid.NewV7())
	return prefix + hex.EncodeToString(id[:])
}

// statusIndexes is how many places the status lists have. They are drawn, so
// that neighbours on a list say nothing about each other.
const statusIndexes = 1 << 31

// ForGrant draws those of a decision that may issue a grant.
func ForGrant() oauth.Fresh {
	f := ForToken()
	f.GrantID = ID("grt_")
	rand.Read(f.Random[:])
	f.StatusIndex = mathrand.Int64N(statusIndexes)
	return f
}

// ForToken draws those of a decision that can only issue from a grant there is.
func ForToken() oauth.Fresh {
	var raw [12]byte
	rand.Read(raw[:])
	return oauth.Fresh{TokenSuffix: base64.RawURLEncoding.EncodeToString(raw[:])}
}

// Prefixes of secrets, by which people and scanners know them.
const (
	ClientSecret      = "kws_"
	InitialToken      = "kwi_"
	RegistrationToken = "kwm_"
)

// Secret returns a prefix and 256 random bits.
func Secret(prefix string) string {
	var raw [32]byte
	rand.Read(raw[:])
	return prefix + base64.RawURLEncoding.EncodeToString(raw[:])
}
