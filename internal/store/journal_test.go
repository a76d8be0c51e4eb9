package store_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/store"
	"github.com/keywright/keywright/internal/store/storetest"
)

// journalRows commits n updates of one journal row each.
func journalRows(t testing.TB, db *store.DB, n int) {
	t.Helper()
	for i := range n {
		apply(t, db, change.RegistrationRepeated{User: fmt.Sprint("usr_", i)})
	}
}

func number(t testing.TB, db *store.DB, holder string) int {
	t.Helper()
	n, err := db.NumberJournal(context.Background(), holder)
	if err != nil {
		t.Error(err)
	}
	return n
}

func verified(t testing.TB, db *store.DB) (broken int64) {
	t.Helper()
	broken, err := db.VerifyJournal(context.Background())
	if err != nil {
		t.Error(err)
	}
	return broken
}

// checkNumbers wants the numbers 1 to n, once each, and as many rows.
func checkNumbers(t testing.TB, db *store.DB, n int) {
	t.Helper()
	entries, err := db.Read(context.Background()).Journal(0, n+10)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range entries {
		if e.Number != int64(i)+1 {
			t.Fatalf("number %d stands in place %d", e.Number, i+1)
		}
	}
	if len(entries) != n {
		t.Errorf("%d rows have a number, not %d", len(entries), n)
	}
	if broken := verified(t, db); broken != 0 {
		t.Errorf("the chain is broken at %d", broken)
	}
}

func TestJournalIsNumberedInBatchesWithoutGaps(t *testing.T) {
	storetest.Each(t, newClock().now, func(t *testing.T, db *store.DB) {
		if n := number(t, db, "a"); n != 0 {
			t.Errorf("an empty journal has %d rows", n)
		}
		journalRows(t, db, 5)
		if n := number(t, db, "a"); n != 5 {
			t.Errorf("%d of 5 rows were numbered", n)
		}
		if n := number(t, db, "a"); n != 0 {
			t.Errorf("%d rows were numbered again", n)
		}
		var changes []change.Change
		for range 2500 {
			changes = append(changes, change.RegistrationRepeated{User: "usr_1"})
		}
		apply(t, db, changes...)
		for _, want := range []int{1000, 1000, 500, 0} {
			if n := number(t, db, "a"); n != want {
				t.Errorf("a batch of %d, not %d", n, want)
			}
		}
		checkNumbers(t, db, 2505)
		if n := count(t, db, `SELECT COUNT(*) FROM journal_batches`); n != 4 {
			t.Errorf("%d batches", n)
		}
	})
}

func TestRefusedUpdateLeavesNoGapInTheJournal(t *testing.T) {
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
		for i := range 10 {
			db.Update(context.Background(), func(tx *store.Tx) error {
				if err := tx.Apply(change.Origin{}, change.RegistrationRepeated{User: "usr_1"}); err != nil {
					return err
				}
				if i%2 == 1 {
					return errPlanted
				}
				return nil
			})
		}
		number(t, db, "a")
		checkNumbers(t, db, 5)
	})
}

func TestTwoSequencersNeverNumberTwice(t *testing.T) {
	clock := newClock()
	storetest.Each(t, clock.now, func(t *testing.T, db *store.DB) {
		const writers, rows = 4, 30
		var writing, numbering sync.WaitGroup
		var written atomic.Bool
		for range writers {
			writing.Go(func() { journalRows(t, db, rows) })
		}
		for i := range 4 {
			numbering.Go(func() {
				for last := false; ; last = written.Load() {
					for number(t, db, fmt.Sprint("holder ", i)) > 0 {
						clock.advance(4 * time.Second) // every third turn a lease has run out
					}
					if last {
						return
					}
				}
			})
		}
		writing.Wait()
		written.Store(true)
		numbering.Wait()
		clock.advance(time.Minute)
		number(t, db, "the last")
		checkNumbers(t, db, writers*rows)
	})
}

func TestLeaseIsTakenOverWhenItHasRunOutAndRaisesTheFence(t *testing.T) {
	clock := newClock()
	storetest.Each(t, clock.now, func(t *testing.T, db *store.DB) {
		steps := []struct {
			wait     time.Duration
			holder   string
			numbered int
			fence    int64
		}{
			{0, "a", 1, 1},
			{9 * time.Second, "b", 0, 1}, // a's lease lives
			{0, "a", 2, 1},               // a renews it
			{9 * time.Second, "b", 0, 1},
			{time.Second, "b", 2, 2}, // it has run out
			{0, "a", 0, 2},
			{10 * time.Second, "a", 2, 3},
			{time.Hour, "a", 1, 3}, // nobody else came
		}
		for i, step := range steps {
			clock.advance(step.wait)
			journalRows(t, db, 1)
			if n := number(t, db, step.holder); n != step.numbered {
				t.Errorf("step %d: %s numbered %d rows", i, step.holder, n)
			}
			if fence := count(t, db, `SELECT fence FROM leases WHERE name = 'journal'`); fence != step.fence {
				t.Errorf("step %d: fence %d", i, fence)
			}
		}
		if n := count(t, db, `SELECT COUNT(*) FROM journal_batches WHERE fence = 3`); n != 2 {
			t.Errorf("%d batches carry the last fence", n)
		}
		checkNumbers(t, db, len(steps))
	})
}

func TestVerifyJournalFindsWhatWasDoneToIt(t *testing.T) {
	const insert = `INSERT INTO journal (at, name, origin, facts, number) VALUES (1, 'user.disabled.v1', '{}', '{}', `
	deeds := []struct {
		name  string
		deed  []string
		found int64 // the batches begin at 1, 4 and 7; the last row is 9
	}{
		{"nothing", nil, 0},
		{"a changed fact", []string{`UPDATE journal SET facts = '{}' WHERE number = 5`}, 4},
		{"a changed origin", []string{`UPDATE journal SET origin = '{"actor":"usr_2"}' WHERE number = 1`}, 1},
		{"a changed name", []string{`UPDATE journal SET name = 'user.enabled.v1' WHERE number = 9`}, 7},
		{"a changed time", []string{`UPDATE journal SET at = at + 1 WHERE number = 4`}, 4},
		{"a moved boundary", []string{`UPDATE journal SET name = name || '{', origin = substr(origin, 2) WHERE number = 5`}, 4},
		{"a removed row", []string{`DELETE FROM journal WHERE number = 6`}, 4},
		{"a removed row and its gap closed", []string{`DELETE FROM journal WHERE number = 5`, `UPDATE journal SET number = 5 WHERE number = 6`}, 4},
		{"the last row removed", []string{`DELETE FROM journal WHERE number = 9`}, 7},
		{"two rows exchanged", []string{`UPDATE journal SET number = 99 WHERE number = 2`, `UPDATE journal SET number = 2 WHERE number = 3`,
			`UPDATE journal SET number = 3 WHERE number = 99`}, 1},
		{"an inserted row", []string{`UPDATE journal SET number = 10 WHERE number = 9`, insert + `9)`}, 7},
		{"a row before the first", []string{insert + `-1)`}, 0}, // Journal never shows it
		{"an added row", []string{insert + `10)`}, 10},
		{"a row far away", []string{insert + `1000)`}, 10},
		{"a removed batch", []string{`DELETE FROM journal WHERE number BETWEEN 4 AND 6`, `DELETE FROM journal_batches WHERE last_number = 6`}, 4},
		{"the first batch removed", []string{`DELETE FROM journal WHERE number < 4`, `DELETE FROM journal_batches WHERE last_number = 3`}, 1},
		{"the last batch's seal removed", []string{`DELETE FROM journal_batches WHERE last_number = 9`}, 7},
		{"a forged seal", []string{`UPDATE journal_batches SET mac = (SELECT mac FROM journal_batches WHERE last_number = 3) WHERE last_number = 6`}, 4},
		{"two batches made one", []string{`DELETE FROM journal_batches WHERE last_number = 3`, `UPDATE journal_batches SET first_number = 1 WHERE last_number = 6`}, 1},
		{"a batch without end", []string{`UPDATE journal_batches SET last_number = 9000000000000 WHERE last_number = 9`}, 7},
		{"a batch that ends before it begins", []string{`UPDATE journal_batches SET last_number = 2 WHERE last_number = 3`}, 1},
	}
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
		for _, d := range deeds {
			exec(t, db, `DELETE FROM journal`)
			exec(t, db, `DELETE FROM journal_batches`)
			for range 3 {
				journalRows(t, db, 3)
				number(t, db, "a")
			}
			for _, statement := range d.deed {
				exec(t, db, statement)
			}
			if found := verified(t, db); found != d.found {
				t.Errorf("%s: found %d, not %d", d.name, found, d.found)
			}
		}
	})
}

// A seal covers the one before it, so that no batch of another history fits,
// such as one that a restored backup went on from.
func TestBatchOfAnotherHistoryDoesNotFit(t *testing.T) {
	storetest.Each(t, newClock().now, func(t *testing.T, db *store.DB) {
		history := func(users ...string) {
			exec(t, db, `DELETE FROM journal`)
			exec(t, db, `DELETE FROM journal_batches`)
			for _, user := range users {
				apply(t, db, change.RegistrationRepeated{User: user})
				number(t, db, "a")
			}
		}
		history("usr_1", "usr_2")
		var seal []byte
		if err := db.Read(context.Background()).QueryRow(`SELECT mac FROM journal_batches WHERE last_number = 2`).Scan(&seal); err != nil {
			t.Fatal(err)
		}
		history("usr_1", "usr_2")
		exec(t, db, `UPDATE journal_batches SET mac = $1 WHERE last_number = 2`, seal)
		if found := verified(t, db); found != 0 {
			t.Errorf("the same history is broken at %d", found)
		}
		history("usr_3", "usr_2")
		exec(t, db, `UPDATE journal_batches SET mac = $1 WHERE last_number = 2`, seal)
		if found := verified(t, db); found != 2 {
			t.Errorf("found %d, not 2", found)
		}
	})
}

func TestLeaseOfAClockThatWasAheadIsNotWaitedFor(t *testing.T) {
	clock := newClock()
	storetest.Each(t, clock.now, func(t *testing.T, db *store.DB) {
		clock.advance(365 * 24 * time.Hour)
		journalRows(t, db, 1)
		number(t, db, "a")
		clock.advance(-365 * 24 * time.Hour)
		journalRows(t, db, 1)
		if n := number(t, db, "b"); n != 1 {
			t.Errorf("%d rows were numbered", n)
		}
		checkNumbers(t, db, 2)
	})
}

func TestJournalVerifiesWhileItIsWrittenAndNumbered(t *testing.T) {
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
		var wg sync.WaitGroup
		var written atomic.Bool
		wg.Go(func() {
			defer written.Store(true)
			for range 30 {
				journalRows(t, db, 3)
				number(t, db, "a")
			}
		})
		for !written.Load() {
			if broken := verified(t, db); broken != 0 {
				t.Errorf("broken at %d", broken)
			}
		}
		wg.Wait()
		checkNumbers(t, db, 90)
	})
}

func TestJournalIsReadFromAnyNumberOn(t *testing.T) {
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
		journalRows(t, db, 7)
		number(t, db, "a")
		journalRows(t, db, 2) // no numbers yet
		entries, err := db.Read(context.Background()).Journal(3, 3)
		if err != nil {
			t.Fatal(err)
		}
		var numbers []int64
		for _, e := range entries {
			numbers = append(numbers, e.Number)
		}
		if !slices.Equal(numbers, []int64{4, 5, 6}) {
			t.Errorf("got %v", numbers)
		}
	})
}
