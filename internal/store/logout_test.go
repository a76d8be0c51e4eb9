package store_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/store"
	"github.com/keywright/keywright/internal/store/storetest"
)

func TestLogoutIsDueAsOwedUntilItIsTold(t *testing.T) {
	clock := newClock()
	storetest.Each(t, clock.now, func(t *testing.T, db *store.DB) {
		r, at := db.Read(context.Background()), db.Now()
		due := func(what string, after time.Duration, limit int, want ...oauth.Logout) {
			t.Helper()
			got, err := r.DueLogouts(at.Add(after), limit)
			same(t, what, err, got, want)
		}
		first := oauth.Logout{ID: "lgo_1", Client: "a", User: "usr_1", Session: "ses_1"}
		second := oauth.Logout{ID: "lgo_2", Client: "b", User: "usr_1", Session: "ses_1"}
		third := oauth.Logout{ID: "lgo_3", Client: "a", User: "usr_2", Session: "ses_2"}
		apply(t, db, change.LogoutOwed{ID: "lgo_2", Client: "b", User: "usr_1", Session: "ses_1", At: at.Add(time.Second)},
			change.LogoutOwed{ID: "lgo_1", Client: "a", User: "usr_1", Session: "ses_1", At: at},
			change.LogoutOwed{ID: "lgo_4", Client: "a", User: "usr_1", Session: "ses_1", At: at}, // is owed already
			change.LogoutOwed{ID: "lgo_3", Client: "a", User: "usr_2", Session: "ses_2", At: at})
		due("none yet", -time.Microsecond, 10)
		due("one of each client", 0, 10, first)
		due("both clients", time.Second, 10, first, second)
		due("at most one", time.Second, 1, first)
		apply(t, db, change.LogoutDelayed{ID: "lgo_1", Client: "a", Tries: 1, Next: at.Add(time.Minute)})
		due("while a client is left alone", time.Minute-time.Microsecond, 10, second)
		first.Tries = 1
		due("after that", time.Minute, 10, second, first)
		apply(t, db, change.LogoutTold{ID: "lgo_2"}, change.LogoutTold{ID: "lgo_1"})
		due("told", time.Minute, 10, third)
	})
}

func claim(t testing.TB, db *store.DB, l oauth.Logout, until time.Time) (claimed bool) {
	t.Helper()
	decide(t, db, func(tx *store.Tx, now time.Time) (_ []change.Change, err error) {
		claimed, err = tx.ClaimLogout(l, now, until)
		return nil, err
	})
	return claimed
}

func TestLogoutIsClaimedByOneOfManyNodes(t *testing.T) {
	clock := newClock()
	storetest.Each(t, clock.now, func(t *testing.T, db *store.DB) {
		apply(t, db, change.LogoutOwed{ID: "lgo_1", Client: "a", User: "usr_1", Session: "ses_1", At: db.Now()})
		due := oauth.Logout{ID: "lgo_1"}
		const lasts = 30 * time.Second
		for _, what := range []string{"at first", "after a node that has died"} {
			var claims atomic.Int64
			until := db.Now().Add(lasts)
			atOnce(20, func(int) {
				if claim(t, db, due, until) {
					claims.Add(1)
				}
			})
			if claims.Load() != 1 {
				t.Errorf("%s: claimed by %d", what, claims.Load())
			}
			clock.advance(lasts - time.Microsecond)
			if claim(t, db, due, until) {
				t.Errorf("%s: a claim is taken over before it has run out", what)
			}
			clock.advance(time.Microsecond)
		}
		apply(t, db, change.LogoutDelayed{ID: "lgo_1", Tries: 1, Next: db.Now()})
		if claim(t, db, due, db.Now().Add(lasts)) {
			t.Error("who read it before the last try makes that try again")
		}
		due.Tries = 1
		apply(t, db, change.LogoutTold{ID: "lgo_1"})
		if claim(t, db, due, db.Now().Add(lasts)) {
			t.Error("it is told again")
		}
	})
}

func TestSubscribersReadTheJournalOnceHoweverManyNodesRead(t *testing.T) {
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
		var read [41]atomic.Int64
		atOnce(40, func(int) {
			var cursor int64
			decide(t, db, func(tx *store.Tx, _ time.Time) (_ []change.Change, err error) {
				if cursor, err = tx.LockCursor("a"); err != nil {
					return nil, err
				}
				return []change.Change{change.JournalRead{Subscriber: "a", Number: cursor + 1}}, nil
			})
			read[cursor+1].Add(1)
		})
		for number := 1; number <= 40; number++ {
			if n := read[number].Load(); n != 1 {
				t.Errorf("entry %d was read %d times", number, n)
			}
		}
		r := db.Read(context.Background())
		cursor, err := r.Cursor("a")
		same(t, "the cursor", err, cursor, 40)
		cursor, err = r.Cursor("b")
		same(t, "of another subscriber", err, cursor, 0)
		last, err := r.LastNumber()
		same(t, "the journal's end before it is numbered", err, last, 0)
		apply(t, db, change.UserEnabled{User: "usr_1"}, change.UserEnabled{User: "usr_1"})
		number(t, db, "here")
		last, err = r.LastNumber()
		same(t, "the journal's end", err, last, 2)
	})
}
