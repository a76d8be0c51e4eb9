package oauth

import (
	"cmp"
	"slices"
	"time"

	"github.com/keywright/keywright/internal/change"
)

// A signing key's life is a row of times, so that all nodes agree on it
// without a word: it is published, may sign once no verifier can hold a key set
// without it, signs until the next one does, and is withdrawn when the last
// token that it can have signed has expired.
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

// Signer returns the key that signs at a moment: of the algorithm's keys the one
// that began last. Until the algorithm has one, after the operator chose
// another, the old algorithm's key goes on. A clock that is behind the one by
// which the keys were published finds the first.
func Signer(keys []SigningKey, algorithm string, now time.Time) (key SigningKey, ok bool) {
	for _, k := range keys {
		if k.SignsFrom.After(now) {
			continue
		}
		wanted, had := k.Algorithm == algorithm, key.Algorithm == algorithm
		if !ok || wanted && !had || wanted == had && compareBeginnings(k, key) > 0 {
			key, ok = k, true
		}
	}
	if !ok && len(keys) > 0 {
		return slices.MinFunc(keys, compareBeginnings), true
	}
	return key, ok
}

func compareBeginnings(a, b SigningKey) int {
	return cmp.Or(a.SignsFrom.Compare(b.SignsFrom), cmp.Compare(a.ID, b.ID))
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

// KeysWanted says how many new keys KeepKeys needs: with one that signs and a
// successor that is published, none.
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

// KeepKeys publishes what KeysWanted asked for and withdraws what has served.
// A key signs for lifetime before its successor takes over.
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
		// Nobody can hold a key set yet: both keys of the first pair may sign at once.
		current, ready = publish(now, now), now
	}
	if resumes(keys, current, algorithm, now) {
		// Its row says since when, so that the other algorithm's key is kept for its tokens.
		current.SignsFrom = now
		changes = append(changes, change.SigningKeyPromoted{KeyID: current.ID, SignsFrom: now})
	}
	if _, ok := successor(keys, algorithm, now); !ok && len(made) > 0 {
		from := ready
		if current.Algorithm == algorithm {
			from = later(ready, current.SignsFrom.Add(lifetime))
		}
		publish(from, ready)
	}
	for _, k := range keys {
		// What it signed ends at the latest this long after the algorithm's next key began.
		next, ok := successor(keys, algorithm, k.SignsFrom)
		if ok && !now.Before(next.SignsFrom.Add(MaxAccessTokenTTL+time.Hour)) {
			changes = append(changes, change.SigningKeyRemoved{KeyID: k.ID})
		}
	}
	return changes
}

// resumes says whether current signs again, because the operator went back to
// its algorithm, after a key of another one had begun.
func resumes(keys []SigningKey, current SigningKey, algorithm string, now time.Time) bool {
	return current.Algorithm == algorithm && slices.ContainsFunc(keys, func(k SigningKey) bool {
		return k.Algorithm != algorithm && k.SignsFrom.After(current.SignsFrom) && !k.SignsFrom.After(now)
	})
}

// RotateKeys lets the successor take over as soon as every verifier can know
// it. When a key has leaked, it does at once, and every key that has signed is
// withdrawn: what they signed, and what a thief signs with them, is refused from
// then on. ok is false when there is no successor.
func RotateKeys(keys []SigningKey, algorithm string, leaked bool, now time.Time) (next SigningKey, changes []change.Change, ok bool) {
	next, ok = successor(keys, algorithm, now)
	if !ok {
		return SigningKey{}, nil, false
	}
	from := now
	if leaked {
		for _, k := range keys {
			if !k.SignsFrom.After(now) {
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
