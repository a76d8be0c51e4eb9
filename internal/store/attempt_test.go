package store_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/account"
	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/store"
	"github.com/keywright/keywright/internal/store/storetest"
)

var limits = account.Limits{PerAccount: 10, PerAddress: 1000, Window: 15 * time.Minute}

// reserve does what a sign-in does before it hashes a password.
func reserve(t testing.TB, db *store.DB, account, address string) (allowed bool) {
	t.Helper()
	err := db.Update(context.Background(), func(tx *store.Tx) error {
		byAccount, byAddress, err := tx.LockAttempts(account, address)
		if err != nil {
			return err
		}
		now, err := tx.Now()
		if err != nil {
			return err
		}
		r := limits.Reserve(byAccount, byAddress, now)
		allowed = !r.Refused
		return tx.Apply(change.Origin{}, r.Changes...)
	})
	if err != nil {
		t.Error(err)
	}
	return allowed
}

func TestParallelAttemptsNeverPassTheLimit(t *testing.T) {
	clock := newClock()
	storetest.Each(t, clock.now, func(t *testing.T, db *store.DB) {
		for window := range 3 { // no row at first, then one that has expired
			var allowed atomic.Int64
			atOnce(210, func(i int) {
				if i%20 == 0 { // what has expired is deleted meanwhile
					walk(t, newExpiry(db))
					return
				}
				if reserve(t, db, "account", fmt.Sprint("address ", i%7)) {
					allowed.Add(1)
				}
			})
			if n := allowed.Load(); n != limits.PerAccount {
				t.Errorf("window %d: %d attempts were allowed", window, n)
			}
			clock.advance(limits.Window + time.Hour)
		}
	})
}

func TestReturnedAttemptsCountNoMore(t *testing.T) {
	clock := newClock()
	storetest.Each(t, clock.now, func(t *testing.T, db *store.DB) {
		for range limits.PerAccount {
			if !reserve(t, db, "a", "x") {
				t.Fatal("refused too early")
			}
		}
		if reserve(t, db, "a", "x") {
			t.Fatal("not refused")
		}
		atOnce(4, func(int) { apply(t, db, change.AttemptsReturned{Keys: []string{"a", "x", "unknown"}}) })
		for i := range 5 {
			if allowed := reserve(t, db, "a", "x"); allowed != (i < 4) {
				t.Errorf("attempt %d after 4 were returned: %v", i, allowed)
			}
		}
		for range 30 {
			apply(t, db, change.AttemptsReturned{Keys: []string{"a"}})
		}
		if n := count(t, db, `SELECT failures FROM attempts WHERE bucket = 'a'`); n != 0 {
			t.Errorf("returning too often leaves %d", n)
		}
	})
}

func TestExpiredAttemptsAreForgotten(t *testing.T) {
	clock := newClock()
	storetest.Each(t, clock.now, func(t *testing.T, db *store.DB) {
		for i := range 450 {
			reserve(t, db, fmt.Sprint("account ", i), "address")
		}
		clock.advance(limits.Window / 2)
		reserve(t, db, "late", "address 2")
		clock.advance(limits.Window/2 + 24*time.Hour + 2*time.Minute)
		walk(t, newExpiry(db))
		if n := count(t, db, `SELECT COUNT(*) FROM attempts`); n != 2 {
			t.Errorf("%d rows are left", n)
		}
	})
}
