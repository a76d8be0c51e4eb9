package oauth

import (
	"cmp"
	"time"

	"github.com/keywright/keywright/internal/change"
)

// A signing key's life is a row of times, so that all nodes agree on it
// without a word: it is published, may sign once no verifier can hold a key set
// without it, signs until the next one of its algorithm does, and is withdrawn
// when the last token that it can have signed has expired. The keys of one
// algorithm know nothing of another's.
const (
	// JWKSMaxAge is how long verifiers may keep the published key set.
	JWKSMaxAge = 5 * time.Minute
	// keyLead leaves a verifier that caches for JWKSMaxAge as much again to refetch.
	keyLead = 2 * JWKSMaxAge
)

// SigningKey is a key's life.
type SigningKey struct {
	ID          string // RFC 7638 thumbprint
	Algorithm   string
	PublishedAt time.Time
	ReadyAt     time.Time // may sign from here on
	SignsFrom   time.Time // will sign from here on
}

// Signer returns the algorithm's key that signs at a moment: the one that began
// last. A clock that is behind the one by which the keys were published finds
// the first.
func Signer(keys []SigningKey, algorithm string, now time.Time) (key SigningKey, ok bool) {
	for _, k := range keys {
		if k.Algorithm == algorithm && (!ok || k.signsInsteadOf(key, now)) {
			key, ok = k, true
		}
	}
	return key, ok
}

// signsInsteadOf says which of two keys signs: the later one, once it has begun.
func (k SigningKey) signsInsteadOf(other SigningKey, now time.Time) bool {
	if cmp.Or(k.SignsFrom.Compare(other.SignsFrom), cmp.Compare(k.ID, other.ID)) > 0 {
		return !k.SignsFrom.After(now)
	}
	return other.SignsFrom.After(now)
}

// successor returns the algorithm's first key that begins after a moment.
func successor(keys []SigningKey, algorithm string, after time.Time) (key SigningKey, ok bool) {
	for _, k := range keys {
		if k.Algorithm == algorithm && k.SignsFrom.After(after) && (!ok || k.SignsFrom.Before(key.SignsFrom)) {
			key, ok = k, true
		}
	}
	return key, ok
}

// NewKey is a key pair that was just made.
type NewKey struct {
	ID         string
	Algorithm  string
	PrivateKey []byte // PKCS #8
}

// KeysWanted says how many new keys of an algorithm KeepKeys needs: with one
// that signs and a successor that is published, none.
func KeysWanted(keys []SigningKey, algorithm string, now time.Time) int {
	wanted := 0
	if _, ok := Signer(keys, algorithm, now); !ok {
		wanted++
	}
	if _, ok := successor(keys, algorithm, now); !ok {
		wanted++
	}
	return wanted
}

// KeepKeys publishes the keys of an algorithm that KeysWanted asked for and
// withdraws what has served. A key signs for lifetime before its successor takes
// over.
func KeepKeys(keys []SigningKey, algorithm string, made []NewKey, lifetime time.Duration, now time.Time) []change.Change {
	var changes []change.Change
	publish := func(signsFrom, readyAt time.Time) SigningKey {
		k := SigningKey{made[0].ID, algorithm, now, readyAt, signsFrom}
		changes = append(changes, change.SigningKeyAdded{
			KeyID: k.ID, Algorithm: algorithm, PrivateKey: made[0].PrivateKey,
			PublishedAt: k.PublishedAt, ReadyAt: k.ReadyAt, SignsFrom: k.SignsFrom,
		})
		made = made[1:]
		return k
	}
	current, signing := Signer(keys, algorithm, now)
	ready := now.Add(keyLead)
	if !signing && len(made) > 0 {
		// The algorithm has signed nothing yet: both keys of its first pair may sign at once.
		current, ready = publish(now, now), now
	}
	if _, ok := successor(keys, algorithm, now); !ok && len(made) > 0 {
		publish(later(ready, current.SignsFrom.Add(lifetime)), ready)
	}
	for _, k := range keys {
		if k.Algorithm != algorithm {
			continue
		}
		// What it signed ends at the latest this long after the next key began.
		next, ok := successor(keys, algorithm, k.SignsFrom)
		if ok && !now.Before(next.SignsFrom.Add(MaxAccessTokenTTL+time.Hour)) {
			changes = append(changes, change.SigningKeyRemoved{KeyID: k.ID})
		}
	}
	return changes
}

// RotateKeys lets an algorithm's successor take over as soon as every verifier
// can know it. When a key has leaked, it does at once, and every key of the
// algorithm that has signed is withdrawn: what they signed, and what a thief
// signs with them, is refused from then on. ok is false when there is no
// successor.
func RotateKeys(keys []SigningKey, algorithm string, leaked bool, now time.Time) (next SigningKey, changes []change.Change, ok bool) {
	next, ok = successor(keys, algorithm, now)
	if !ok {
		return SigningKey{}, nil, false
	}
	from := now
	if leaked {
		for _, k := range keys {
			if k.Algorithm == algorithm && !k.SignsFrom.After(now) {
				changes = append(changes, change.SigningKeyRemoved{KeyID: k.ID})
			}
		}
	} else {
		current, _ := Signer(keys, algorithm, now)
		from = later(next.ReadyAt, later(now, current.SignsFrom.Add(time.Microsecond))) // two keys never begin together
	}
	if from.Before(next.SignsFrom) {
		next.SignsFrom = from
		changes = append(changes, change.SigningKeyPromoted{KeyID: next.ID, SignsFrom: from})
	}
	return next, changes, true
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
