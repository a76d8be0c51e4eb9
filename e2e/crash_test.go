package e2e

import (
	"context"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/store/storetest"
)

// rounds is how often a test kills the server: few with `make test`, many with `make crash`.
func rounds(short int) int {
	if n, err := strconv.Atoi(os.Getenv("KEYWRIGHT_TEST_CRASHES")); err == nil {
		return n
	}
	return short
}

// strict makes every second use of a refresh token a replay.
const strict = "KEYWRIGHT_REFRESH_GRACE=0"

// patient lets people sign in however often the server was killed while they
// did: an attempt that was reserved and never returned counts as a failure.
const patient = "KEYWRIGHT_THROTTLE=off"

func TestKilledServerKeepsWhatItAcknowledgedOnSQLite(t *testing.T) {
	killAndCheck(t, rounds(10), []string{strict, patient})
}

func TestKilledServerKeepsWhatItAcknowledgedOnPostgreSQL(t *testing.T) {
	if os.Getenv(storetest.PostgresVariable) == "" {
		t.Skip("no PostgreSQL: scripts/postgres.sh starts one")
	}
	killAndCheck(t, rounds(3), []string{strict, patient, "KEYWRIGHT_DATABASE_URL=" + storetest.Postgres(t).DatabaseURL})
}

// acknowledged is what the server has said yes to, and so must keep.
type acknowledged struct {
	mu      sync.Mutex
	people  []person
	chains  []chain    // rotated, then left alone
	revoked []string   // refresh tokens whose grant was revoked
	keys    [][]string // of each rotation, one an algorithm
	asking  bool       // a rotation of keys was asked for and not acknowledged
}

// chain is a refresh token that was rotated, and the one before it.
type chain struct{ spent, current string }

func (a *acknowledged) add(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f()
}

func killAndCheck(t *testing.T, rounds int, env []string) {
	folder := t.TempDir()
	var people atomic.Int64
	for round := range rounds {
		var seen acknowledged
		p := startDev(t, folder, env)
		ctx, stop := context.WithCancel(context.Background())
		var load sync.WaitGroup
		for range 4 {
			load.Go(func() { usePeople(ctx, p, &people, &seen) })
		}
		load.Go(func() { rotateKeys(ctx, p, &seen) })
		time.Sleep(time.Duration(200+rand.IntN(400)) * time.Millisecond) // the moment of the crash is the test's input
		p.kill()
		stop()
		load.Wait()

		p = startDev(t, folder, env)
		check(t, p, &seen)
		p.kill()
		t.Logf("round %d: %d people, %d rotations, %d revocations, %d rotations of keys", round, len(seen.people), len(seen.chains), len(seen.revoked), len(seen.keys))
	}
}

// usePeople registers, signs in, rotates and revokes until the server is gone.
func usePeople(ctx context.Context, p *process, people *atomic.Int64, seen *acknowledged) {
	for ctx.Err() == nil {
		who := newPerson(int(people.Add(1)))
		if status, err := p.register(who); err != nil || status != http.StatusOK {
			return
		}
		seen.add(func() { seen.people = append(seen.people, who) })
		first, status, err := p.signIn(who)
		if err != nil || status != http.StatusOK {
			return
		}
		c := chain{current: first.Refresh}
		for range 1 + rand.IntN(4) {
			next, status, err := p.refresh(c.current)
			if err != nil || status != http.StatusOK {
				return
			}
			c = chain{spent: c.current, current: next.Refresh}
		}
		if rand.IntN(2) == 0 {
			seen.add(func() { seen.chains = append(seen.chains, c) })
			continue
		}
		if status, err := p.revoke(c.current); err != nil || status != http.StatusOK {
			return
		}
		seen.add(func() { seen.revoked = append(seen.revoked, c.current) })
	}
}

func rotateKeys(ctx context.Context, p *process, seen *acknowledged) {
	for ctx.Err() == nil {
		var keys []struct {
			KID string `json:"kid"`
		}
		seen.add(func() { seen.asking = true })
		if err := p.command(&keys, "keys", "rotate", "--leaked", "--json"); err != nil {
			return
		}
		var ids []string
		for _, key := range keys {
			ids = append(ids, key.KID)
		}
		seen.add(func() { seen.asking, seen.keys = false, append(seen.keys, ids) })
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// check asks the new process about everything that the old one acknowledged.
func check(t *testing.T, p *process, seen *acknowledged) {
	t.Helper()
	for _, who := range seen.people {
		if _, status, err := p.signIn(who); err != nil || status != http.StatusOK {
			t.Errorf("%s was registered and is gone: %d %v", who.Email, status, err)
		}
	}
	for i, c := range seen.chains {
		if i%2 == 0 {
			if _, status, err := p.refresh(c.current); err != nil || status != http.StatusOK {
				t.Errorf("a refresh token that was handed out is refused: %d %v", status, err)
			}
			continue
		}
		for _, token := range []string{c.spent, c.current} { // the replay of one ends the other
			if _, status, err := p.refresh(token); err != nil || status != http.StatusBadRequest {
				t.Errorf("a spent refresh token, or its successor, works again: %d %v", status, err)
			}
		}
	}
	for _, token := range seen.revoked {
		if _, status, err := p.refresh(token); err != nil || status != http.StatusBadRequest {
			t.Errorf("a revoked refresh token works again: %d %v", status, err)
		}
	}
	checkKeys(t, p, seen)
}

// checkKeys knows that each rotation withdraws the key before it: the last one
// counts, unless the next may have been made.
func checkKeys(t *testing.T, p *process, seen *acknowledged) {
	t.Helper()
	var set struct {
		Keys []struct {
			KID string `json:"kid"`
		} `json:"keys"`
	}
	if _, err := decode(http.Get(p.issuer + "/jwks"))(&set); err != nil {
		t.Fatal(err)
	}
	published := map[string]bool{}
	for _, key := range set.Keys {
		published[key.KID] = true
	}
	for i, ids := range seen.keys {
		last := i == len(seen.keys)-1
		for _, kid := range ids {
			if last && !seen.asking && !published[kid] {
				t.Errorf("the signing key %s was acknowledged and is gone", kid)
			}
			if !last && published[kid] {
				t.Errorf("the leaked signing key %s was withdrawn and is back", kid)
			}
		}
	}
}
