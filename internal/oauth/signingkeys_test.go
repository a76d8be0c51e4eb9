package oauth

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/change"
)

const day = 24 * time.Hour

// keyRing is the published keys of a server, and what they did.
type keyRing struct {
	t        *testing.T
	keys     []SigningKey
	lifetime time.Duration
	drawn    int
	first    map[string]bool      // an algorithm's first pair may sign at once
	leaked   map[string]bool      // took over from one that had leaked
	signed   map[string]time.Time // by key, the last time
}

func newKeyRing(t *testing.T, lifetime time.Duration) *keyRing {
	return &keyRing{t: t, lifetime: lifetime, first: map[string]bool{}, leaked: map[string]bool{}, signed: map[string]time.Time{}}
}

// keep is what a server does each minute, and at its start.
func (r *keyRing) keep(algorithm string, now time.Time) []change.Change {
	r.t.Helper()
	var made []NewKey
	for range KeysWanted(r.keys, algorithm, now) {
		r.drawn++
		made = append(made, NewKey{ID: fmt.Sprint(algorithm, "-", r.drawn), Algorithm: algorithm, PrivateKey: []byte("private")})
	}
	isFirst := len(r.ids(algorithm)) == 0
	changes := KeepKeys(r.keys, algorithm, made, r.lifetime, now)
	for _, c := range changes {
		if added, ok := c.(change.SigningKeyAdded); ok && isFirst {
			r.first[added.KeyID] = true
		}
	}
	r.apply(changes, now)
	if wanted := KeysWanted(r.keys, algorithm, now); wanted != 0 {
		r.t.Fatalf("%d more keys are wanted", wanted)
	}
	return changes
}

func (r *keyRing) rotate(algorithm string, leaked bool, now time.Time) {
	r.t.Helper()
	next, changes, ok := RotateKeys(r.keys, algorithm, leaked, now)
	if !ok {
		r.t.Fatal("there is no successor")
	}
	if leaked {
		r.leaked[next.ID] = true
		maps.DeleteFunc(r.signed, func(id string, _ time.Time) bool { return strings.HasPrefix(id, algorithm) }) // their tokens end with them
	}
	r.apply(changes, now)
	r.keep(algorithm, now)
}

func (r *keyRing) apply(changes []change.Change, now time.Time) {
	r.t.Helper()
	for _, c := range changes {
		switch c := c.(type) {
		case change.SigningKeyAdded:
			r.keys = append(r.keys, SigningKey{c.KeyID, c.Algorithm, c.PublishedAt, c.ReadyAt, c.SignsFrom})
		case change.SigningKeyPromoted:
			i := slices.IndexFunc(r.keys, func(k SigningKey) bool { return k.ID == c.KeyID })
			for _, k := range r.keys {
				if k.Algorithm == r.keys[i].Algorithm && k.SignsFrom.Equal(c.SignsFrom) {
					r.t.Fatalf("%s begins together with %s", c.KeyID, k.ID)
				}
			}
			r.keys[i].SignsFrom = c.SignsFrom
		case change.SigningKeyRemoved:
			if last, ok := r.signed[c.KeyID]; ok && now.Before(last.Add(MaxAccessTokenTTL)) {
				r.t.Fatalf("%s is withdrawn at %v, but signed at %v", c.KeyID, now, last)
			}
			r.keys = slices.DeleteFunc(r.keys, func(k SigningKey) bool { return k.ID == c.KeyID })
		default:
			r.t.Fatalf("%T", c)
		}
	}
}

// sign lets a node sign a token, and checks that verifiers know the key.
func (r *keyRing) sign(algorithm string, now time.Time) SigningKey {
	r.t.Helper()
	k, ok := Signer(r.keys, algorithm, now)
	if !ok || k.Algorithm != algorithm {
		r.t.Fatalf("%q signs with %s, not %s", k.ID, k.Algorithm, algorithm)
	}
	slices.Reverse(r.keys)
	if other, _ := Signer(r.keys, algorithm, now); other != k {
		r.t.Fatalf("in another order %s signs, not %s", other.ID, k.ID)
	}
	if !r.first[k.ID] && !r.leaked[k.ID] && now.Before(k.PublishedAt.Add(keyLead)) {
		r.t.Fatalf("%s signs %v after it was published", k.ID, now.Sub(k.PublishedAt))
	}
	r.signed[k.ID] = now
	return k
}

func (r *keyRing) ids(algorithm string) (ids []string) {
	for _, k := range r.keys {
		if k.Algorithm == algorithm {
			ids = append(ids, k.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

func TestTheFirstPairMaySignAtOnce(t *testing.T) {
	r := newKeyRing(t, 30*day)
	r.keep("ES256", noon)
	if k := r.sign("ES256", noon); k.ID != "ES256-1" || len(r.keys) != 2 {
		t.Errorf("%s signs, of %d keys", k.ID, len(r.keys))
	}
	r.rotate("ES256", false, noon)
	if k := r.sign("ES256", noon.Add(microsecond)); k.ID != "ES256-2" {
		t.Errorf("%s signs after the rotation", k.ID)
	}
}

func TestAKeySignsForItsLifetimeWithoutUpkeep(t *testing.T) {
	r := newKeyRing(t, 30*day)
	r.keep("ES256", noon)
	for after, want := range map[time.Duration]string{0: "ES256-1", 30*day - microsecond: "ES256-1", 30 * day: "ES256-2", 300 * day: "ES256-2"} {
		if k, _ := Signer(r.keys, "ES256", noon.Add(after)); k.ID != want {
			t.Errorf("after %v %s signs, want %s", after, k.ID, want)
		}
	}
}

func TestAnExpectedRotationWaitsForVerifiers(t *testing.T) {
	r := newKeyRing(t, 30*day)
	r.keep("ES256", noon)
	r.rotate("ES256", false, noon.Add(time.Hour)) // 2 signs, 3 is published
	now := noon.Add(2 * time.Hour)
	r.rotate("ES256", false, now) // 3 is known already
	if k := r.sign("ES256", now); k.ID != "ES256-3" {
		t.Errorf("%s signs", k.ID)
	}
	r.rotate("ES256", false, now) // 4 was published just now
	if _, changes, ok := RotateKeys(r.keys, "ES256", false, now.Add(time.Second)); !ok || len(changes) != 0 {
		t.Errorf("asking again while verifiers learn of it changes %+v", changes)
	}
	if k := r.sign("ES256", now.Add(keyLead-microsecond)); k.ID != "ES256-3" {
		t.Errorf("%s signs before verifiers know it", k.ID)
	}
	if k := r.sign("ES256", now.Add(keyLead)); k.ID != "ES256-4" {
		t.Errorf("%s signs", k.ID)
	}
}

func TestALeakedKeyIsReplacedAndWithdrawnAtOnce(t *testing.T) {
	r := newKeyRing(t, 30*day)
	r.keep("ES256", noon)
	for want := 2; want < 10; want++ {
		now := noon.Add(time.Duration(want) * time.Second)
		r.rotate("ES256", true, now)
		if k := r.sign("ES256", now); k.ID != fmt.Sprint("ES256-", want) {
			t.Errorf("%s signs", k.ID)
		}
		if published := r.ids("ES256"); len(published) != 2 || slices.Contains(published, fmt.Sprint("ES256-", want-1)) {
			t.Errorf("published are %v", published)
		}
	}
	// Even in the microsecond in which the last one began.
	now := noon.Add(time.Minute)
	r.rotate("ES256", true, now)
	r.rotate("ES256", true, now)
	if k := r.sign("ES256", now); k.ID != "ES256-11" {
		t.Errorf("%s signs", k.ID)
	}
}

func TestRotatingNeverPutsAKeyOff(t *testing.T) {
	r := newKeyRing(t, time.Hour)
	r.keep("ES256", noon)
	next, changes, ok := RotateKeys(r.keys, "ES256", false, noon.Add(time.Hour-microsecond))
	if !ok || len(changes) != 1 || next.SignsFrom.After(noon.Add(time.Hour)) {
		t.Errorf("%+v, %+v", next, changes)
	}
	if _, changes, ok := RotateKeys(r.keys, "EdDSA", true, noon); ok || len(changes) != 0 {
		t.Errorf("rotated to an algorithm without a key: %+v", changes)
	}
	if _, changes, ok := RotateKeys(nil, "ES256", true, noon); ok || len(changes) != 0 {
		t.Errorf("rotated without keys: %+v", changes)
	}
}

func TestAClockThatIsBehindStillFindsAKey(t *testing.T) {
	r := newKeyRing(t, 30*day)
	r.keep("ES256", noon)
	for _, behind := range []time.Duration{microsecond, time.Second, 365 * day} {
		if k, ok := Signer(r.keys, "ES256", noon.Add(-behind)); !ok || k.ID != "ES256-1" {
			t.Errorf("%v behind, %s signs, %t", behind, k.ID, ok)
		}
		if changes := r.keep("ES256", noon.Add(-behind)); len(changes) != 0 {
			t.Errorf("%v behind: %+v", behind, changes)
		}
	}
}

func TestAlgorithmsKnowNothingOfEachOther(t *testing.T) {
	r := newKeyRing(t, 30*day)
	if _, ok := Signer(nil, "ES256", noon); ok {
		t.Error("without keys something signs")
	}
	r.keep("ES256", noon)
	now := noon.Add(100 * day)
	if k, ok := Signer(r.keys, "RS256", now); ok {
		t.Errorf("%s signs for another algorithm", k.ID)
	}
	if wanted := KeysWanted(r.keys, "RS256", now); wanted != 2 {
		t.Errorf("%d keys are wanted of an algorithm that has none", wanted)
	}
	r.keep("ES256", now)
	before := r.ids("ES256")
	r.keep("RS256", now)
	r.sign("RS256", now) // its first pair, at once
	r.rotate("RS256", false, now.Add(day))
	r.rotate("RS256", true, now.Add(2*day))
	if after := r.ids("ES256"); !slices.Equal(after, before) || len(before) != 2 {
		t.Errorf("keeping and rotating RS256 turned ES256's %v into %v", before, after)
	}
	r.keep("ES256", now.Add(3*day))
	r.rotate("ES256", true, now.Add(3*day))
	if k := r.sign("RS256", now.Add(3*day)); k.ID != r.ids("RS256")[0] || len(r.ids("RS256")) != 2 {
		t.Errorf("%s signs, of %v", k.ID, r.ids("RS256"))
	}
}

// A year in the life of the keys of three algorithms, whose operator rotates one
// of them now and then.
func TestAYearOfSigningKeys(t *testing.T) {
	algorithms := []string{"ES256", "EdDSA", "RS256"}
	for _, lifetime := range []time.Duration{time.Hour, 7 * day, 30 * day} {
		for seed := range uint64(8) {
			random := rand.New(rand.NewPCG(seed, 0))
			r, now := newKeyRing(t, lifetime), noon
			most := 0
			for now.Before(noon.Add(365 * day)) {
				now = r.nextMoment(now, random)
				for _, algorithm := range algorithms {
					r.keep(algorithm, now)
				}
				chosen := algorithms[random.IntN(len(algorithms))]
				switch random.IntN(50) {
				case 0:
					r.rotate(chosen, false, now)
				case 1:
					r.rotate(chosen, true, now)
				}
				for _, algorithm := range algorithms {
					r.sign(algorithm, now)
				}
				most = max(most, len(r.keys))
			}
			if limit := 12 + 3*int(36*time.Hour/lifetime); most > limit {
				t.Errorf("lifetime %v, seed %d: %d keys were published at once", lifetime, seed, most)
			}
			if minimum := len(algorithms) * int(365*day/(lifetime+12*time.Hour)); r.drawn < minimum {
				t.Errorf("lifetime %v, seed %d: only %d keys in a year", lifetime, seed, r.drawn)
			}
		}
	}
}

// nextMoment is at most twelve hours ahead, and often the very moment at which a
// key begins or the last one before it.
func (r *keyRing) nextMoment(now time.Time, random *rand.Rand) time.Time {
	next := now.Add(time.Duration(random.Int64N(int64(12 * time.Hour)))).Truncate(microsecond)
	for _, k := range r.keys {
		if k.SignsFrom.After(now.Add(microsecond)) && k.SignsFrom.Before(next) && random.IntN(2) == 0 {
			return k.SignsFrom.Add(-time.Duration(random.IntN(2)) * microsecond)
		}
	}
	return later(next, now.Add(microsecond))
}
