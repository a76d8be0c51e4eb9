package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/keywright/keywright/internal/store"
	"github.com/keywright/keywright/internal/store/storetest"
)

// openKept opens SQLite with a table of what was kept how often, and one whose
// constraint only a COMMIT checks.
func openKept(t *testing.T) *store.DB {
	t.Helper()
	db, err := store.Open(context.Background(), storetest.SQLite(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	makeKept(t, db)
	return db
}

func makeKept(t *testing.T, db *store.DB) {
	t.Helper()
	exec(t, db, `CREATE TABLE kept (id TEXT PRIMARY KEY, times INTEGER NOT NULL, ballast BLOB)`)
	exec(t, db, `CREATE TABLE orphans (parent TEXT REFERENCES kept (id) DEFERRABLE INITIALLY DEFERRED)`)
}

// keep counts that an update was committed.
func keep(tx *store.Tx, id string) error {
	return tx.Exec(`INSERT INTO kept (id, times) VALUES ($1, 1) ON CONFLICT (id) DO UPDATE SET times = times + 1`, id)
}

func timesKept(t *testing.T, db *store.DB, id string) int64 {
	t.Helper()
	return count(t, db, `SELECT COALESCE(MAX(times), 0) FROM kept WHERE id = $1`, id)
}

// hold keeps the writer busy until the function that it returns is called.
func hold(t *testing.T, db *store.DB) (release func()) {
	t.Helper()
	holding, released, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		err := db.Update(context.Background(), func(*store.Tx) error {
			close(holding)
			<-released
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}()
	<-holding
	return func() {
		close(released)
		<-done
	}
}

func awaitWaiting(db *store.DB, n int) {
	for db.Waiting() < n {
		runtime.Gosched()
	}
}

// inOneGroup runs calls so that all of them wait for the same commit, in order.
func inOneGroup(t *testing.T, db *store.DB, calls ...func()) {
	t.Helper()
	release := hold(t, db)
	var wg sync.WaitGroup
	for i, call := range calls {
		wg.Go(call)
		awaitWaiting(db, i+1)
	}
	release()
	wg.Wait()
}

func TestUpdatesThatWaitShareOneCommit(t *testing.T) {
	db := openKept(t)
	var commits atomic.Int64
	db.OnCommit(t, func() { commits.Add(1) })
	before := commits.Load()
	const callers = 100
	var calls []func()
	for i := range callers {
		calls = append(calls, func() {
			if err := db.Update(context.Background(), func(tx *store.Tx) error { return keep(tx, fmt.Sprint(i)) }); err != nil {
				t.Error(err)
			}
		})
	}
	inOneGroup(t, db, calls...)
	if n := commits.Load() - before - 1; n != 1 { // one is the holder's
		t.Errorf("%d updates took %d commits", callers, n)
	}
	if n := count(t, db, `SELECT COUNT(*) FROM kept WHERE times = 1`); n != callers {
		t.Errorf("kept %d of %d updates once", n, callers)
	}
}

// A planted member is what goes wrong in the middle of a group.
type planted struct {
	name string
	// call runs the update by the name "planted" and checks what its caller sees.
	call func(t *testing.T, db *store.DB)
	kept int64 // how often the planted update must be kept
}

var errPlanted = errors.New("planted")

// updatePlanted keeps "planted" and then does what is wrong.
func updatePlanted(db *store.DB, then func(tx *store.Tx) error) error {
	return db.Update(context.Background(), func(tx *store.Tx) error {
		if err := keep(tx, "planted"); err != nil {
			return err
		}
		return then(tx)
	})
}

// plantedErrors are updates that end with an error, and how to know it.
func plantedErrors() []planted {
	cases := []struct {
		name string
		then func(tx *store.Tx) error
		is   func(error) bool
	}{
		{"an error", func(*store.Tx) error { return errPlanted }, func(err error) bool { return errors.Is(err, errPlanted) }},
		{"a refused statement", func(tx *store.Tx) error { return tx.Exec(`no SQL`) }, isSQLite(sqlite3.SQLITE_ERROR)},
		{"a unique violation for ever", func(tx *store.Tx) error { return tx.Exec(`INSERT INTO kept (id, times) VALUES ('old', 1)`) },
			isSQLite(sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)},
		{"a failing COMMIT", func(tx *store.Tx) error { return tx.Exec(`INSERT INTO orphans (parent) VALUES ('nobody')`) },
			isSQLite(sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY)},
		{"a full disk", func(tx *store.Tx) error {
			return tx.Exec(`UPDATE kept SET ballast = zeroblob(10000000) WHERE id = 'planted'`)
		},
			isSQLite(sqlite3.SQLITE_FULL)},
	}
	var all []planted
	for _, c := range cases {
		all = append(all, planted{name: c.name, call: func(t *testing.T, db *store.DB) {
			if err := updatePlanted(db, c.then); !c.is(err) {
				t.Errorf("answered %v", err)
			}
		}})
	}
	return all
}

func isSQLite(code int) func(error) bool {
	return func(err error) bool {
		var e *sqlite.Error
		return errors.As(err, &e) && e.Code() == code
	}
}

// deadline is a context whose deadline passes when the test wants it.
type deadline struct {
	context.Context
	passed chan struct{}
}

func (d deadline) Done() <-chan struct{} { return d.passed }

func (d deadline) Err() error {
	select {
	case <-d.passed:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

func TestWhatGoesWrongHitsOnlyWhomItMust(t *testing.T) {
	cases := append(plantedErrors(),
		planted{name: "a panic", call: func(t *testing.T, db *store.DB) {
			defer func() {
				if v := recover(); v != errPlanted {
					t.Errorf("recovered %v", v)
				}
			}()
			updatePlanted(db, func(*store.Tx) error { panic(errPlanted) })
			t.Error("the panic did not reach its caller")
		}},
		planted{name: "a Goexit", call: func(t *testing.T, db *store.DB) {
			exited := make(chan bool)
			go func() {
				returned := false
				defer func() { exited <- !returned }()
				updatePlanted(db, func(*store.Tx) error { runtime.Goexit(); return nil })
				returned = true
			}()
			if !<-exited {
				t.Error("the goroutine did not exit")
			}
		}},
		planted{name: "a deadline that passes while it runs", kept: 1, call: func(t *testing.T, db *store.DB) {
			ctx := deadline{context.Background(), make(chan struct{})}
			err := db.Update(ctx, func(tx *store.Tx) error {
				close(ctx.passed)
				return keep(tx, "planted")
			})
			if err != nil {
				t.Errorf("a commit that was made answered %v", err)
			}
		}},
		planted{name: "a unique violation that passes", kept: 1, call: func(t *testing.T, db *store.DB) {
			id := "old"
			err := updatePlanted(db, func(tx *store.Tx) error {
				drawn := id
				id = "new"
				return tx.Exec(`INSERT INTO kept (id, times) VALUES ($1, 1)`, drawn)
			})
			if err != nil || timesKept(t, db, "new") != 1 {
				t.Errorf("it did not run again: %v", err)
			}
		}},
	)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			db := openKept(t)
			exec(t, db, `INSERT INTO kept (id, times) VALUES ('old', 1)`)
			limitPages(t, db)
			for _, place := range []int{0, 3, 7} { // first, in the middle, last
				exec(t, db, `DELETE FROM kept WHERE id <> 'old'`)
				inOneGroup(t, db, surround(t, db, place, 8, func() { c.call(t, db) })...)
				checkSurrounded(t, db, place, 8)
				if n := timesKept(t, db, "planted"); n != c.kept {
					t.Errorf("place %d: the planted update is kept %d times, not %d", place, n, c.kept)
				}
			}
			exec(t, db, `DELETE FROM kept WHERE id <> 'old'`)
			c.call(t, db) // alone
			if n := timesKept(t, db, "planted"); n != c.kept {
				t.Errorf("alone: the planted update is kept %d times, not %d", n, c.kept)
			}
		})
	}
}

// A member that is gone is not waited for when the others run again.
func TestGroupWithAPanicAndAFailingCommitKeepsTheOthers(t *testing.T) {
	db := openKept(t)
	keepTwo := surround(t, db, 0, 3, func() {
		defer func() { recover() }()
		updatePlanted(db, func(*store.Tx) error { panic(errPlanted) })
	})
	inOneGroup(t, db, append(keepTwo, func() {
		err := updatePlanted(db, func(tx *store.Tx) error { return tx.Exec(`INSERT INTO orphans (parent) VALUES ('nobody')`) })
		if !isSQLite(sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY)(err) {
			t.Errorf("answered %v", err)
		}
	})...)
	checkSurrounded(t, db, 0, 3)
	if n := timesKept(t, db, "planted"); n != 0 {
		t.Errorf("what panicked or failed is kept %d times", n)
	}
}

// limitPages lets the file grow a little, not much.
func limitPages(t *testing.T, db *store.DB) {
	t.Helper()
	pages := count(t, db, `PRAGMA page_count`)
	exec(t, db, fmt.Sprintf(`PRAGMA max_page_count = %d`, pages+50))
}

// surround puts a call among well-behaved updates that are named by their place.
func surround(t *testing.T, db *store.DB, place, size int, call func()) []func() {
	var calls []func()
	for i := range size {
		if i == place {
			calls = append(calls, call)
			continue
		}
		calls = append(calls, func() {
			if err := db.Update(context.Background(), func(tx *store.Tx) error { return keep(tx, fmt.Sprint(i)) }); err != nil {
				t.Errorf("update %d was hit: %v", i, err)
			}
		})
	}
	return calls
}

func checkSurrounded(t *testing.T, db *store.DB, place, size int) {
	t.Helper()
	for i := range size {
		if n := timesKept(t, db, fmt.Sprint(i)); i != place && n != 1 {
			t.Errorf("place %d: update %d is kept %d times", place, i, n)
		}
	}
}

func TestCallerWhoLeavesTheQueueHasChangedNothing(t *testing.T) {
	db := openKept(t)
	ctx := deadline{context.Background(), make(chan struct{})}
	release := hold(t, db)
	var leaving, staying sync.WaitGroup
	leaving.Go(func() {
		err := db.Update(ctx, func(tx *store.Tx) error { return keep(tx, "left") })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("answered %v", err)
		}
	})
	awaitWaiting(db, 1)
	staying.Go(func() {
		if err := db.Update(context.Background(), func(tx *store.Tx) error { return keep(tx, "stayed") }); err != nil {
			t.Error(err)
		}
	})
	awaitWaiting(db, 2)
	close(ctx.passed)
	leaving.Wait() // it is answered although its turn has not come
	release()
	staying.Wait()
	if left, stayed := timesKept(t, db, "left"), timesKept(t, db, "stayed"); left != 0 || stayed != 1 {
		t.Errorf("who left is kept %d times, who stayed %d times", left, stayed)
	}
}

func TestFullQueueKeepsCallersWaiting(t *testing.T) {
	db := openKept(t)
	release := hold(t, db)
	var wg sync.WaitGroup
	const callers = 400 // more than the queue and a group hold
	for i := range callers {
		wg.Go(func() {
			if err := db.Update(context.Background(), func(tx *store.Tx) error { return keep(tx, fmt.Sprint(i)) }); err != nil {
				t.Error(err)
			}
		})
	}
	awaitWaiting(db, 128)
	release()
	wg.Wait()
	if n := count(t, db, `SELECT COUNT(*) FROM kept WHERE times = 1`); n != callers {
		t.Errorf("kept %d of %d", n, callers)
	}
}

func TestContextThatHasEndedStartsNothing(t *testing.T) {
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		err := db.Update(ctx, func(*store.Tx) error { t.Error("it ran"); return nil })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("answered %v", err)
		}
	})
}

func TestThousandConcurrentIncrementsLoseNothing(t *testing.T) {
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
		exec(t, db, `CREATE TABLE counters (id TEXT PRIMARY KEY, value BIGINT NOT NULL)`)
		exec(t, db, `INSERT INTO counters (id, value) VALUES ('c', 0)`)
		lock := map[string]string{"postgres": " FOR UPDATE"}[db.Engine()]
		var wg sync.WaitGroup
		for range 1000 {
			wg.Go(func() {
				err := db.Update(context.Background(), func(tx *store.Tx) error {
					var value int64
					if err := tx.QueryRow(`SELECT value FROM counters WHERE id = 'c'` + lock).Scan(&value); err != nil {
						return err
					}
					return tx.Exec(`UPDATE counters SET value = $1 WHERE id = 'c'`, value+1)
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := count(t, db, `SELECT value FROM counters WHERE id = 'c'`); n != 1000 {
			t.Errorf("%d of 1000 increments", n)
		}
	})
}

func TestErrorPanicAndGoexitChangeNothing(t *testing.T) {
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
		exec(t, db, `CREATE TABLE kept (id TEXT PRIMARY KEY, times BIGINT NOT NULL)`)
		insert := func(end func() error) error {
			return db.Update(context.Background(), func(tx *store.Tx) error {
				if err := tx.Exec(`INSERT INTO kept (id, times) VALUES ('x', 1)`); err != nil {
					return err
				}
				return end()
			})
		}
		if err := insert(func() error { return errPlanted }); !errors.Is(err, errPlanted) {
			t.Errorf("answered %v", err)
		}
		func() {
			defer func() {
				if v := recover(); v != errPlanted {
					t.Errorf("recovered %v", v)
				}
			}()
			insert(func() error { panic(errPlanted) })
		}()
		exited := make(chan struct{})
		go func() {
			defer close(exited)
			insert(func() error { runtime.Goexit(); return nil })
		}()
		<-exited
		if n := count(t, db, `SELECT COUNT(*) FROM kept`); n != 0 {
			t.Errorf("%d rows are kept", n)
		}
		if err := insert(func() error { return nil }); err != nil {
			t.Errorf("a later update: %v", err)
		}
	})
}

func TestCloseKeepsOrRefusesEachWaitingUpdate(t *testing.T) {
	o := storetest.SQLite(t)
	db, err := store.Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	makeKept(t, db)
	release := hold(t, db)
	const callers = 50
	answers := make([]error, callers)
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			answers[i] = db.Update(context.Background(), func(tx *store.Tx) error { return keep(tx, fmt.Sprint(i)) })
		})
	}
	awaitWaiting(db, callers)
	wg.Go(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	release()
	wg.Wait()
	if err := db.Update(context.Background(), func(*store.Tx) error { return nil }); err == nil {
		t.Error("a closed database takes updates")
	}
	if err := db.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
	db, err = store.Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for i, err := range answers {
		if n := timesKept(t, db, fmt.Sprint(i)); n > 1 || (n == 1) != (err == nil) {
			t.Errorf("update %d was answered %v and is kept %d times", i, err, n)
		}
	}
}

func TestForeignLockFailsTheWholeGroupAtOnce(t *testing.T) {
	o := storetest.SQLite(t)
	db, err := store.Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	makeKept(t, db)
	const busy = 300 * time.Millisecond
	exec(t, db, fmt.Sprintf(`PRAGMA busy_timeout = %d`, busy.Milliseconds()))
	foreign, err := sql.Open("sqlite", o.Folder+"/keywright.db")
	if err != nil {
		t.Fatal(err)
	}
	defer foreign.Close()
	foreign.SetMaxOpenConns(1)

	const callers = 20
	if _, err := foreign.Exec(`BEGIN IMMEDIATE`); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	var wg sync.WaitGroup
	for range callers { // the first waits for the lock, the others behind it
		wg.Go(func() {
			err := db.Update(context.Background(), func(tx *store.Tx) error { return keep(tx, "x") })
			if !isSQLite(sqlite3.SQLITE_BUSY)(err) {
				t.Errorf("answered %v", err)
			}
		})
	}
	wg.Wait()
	if took := time.Since(began); took > callers/2*busy {
		t.Errorf("one lock made %d updates wait %v, one after the other", callers, took)
	}
	if _, err := foreign.Exec(`ROLLBACK`); err != nil {
		t.Fatal(err)
	}
	exec(t, db, `DELETE FROM kept`)
}

func TestReadinessAfterAFailedCommitIsProvedByAWrite(t *testing.T) {
	o := storetest.SQLite(t)
	ctx := context.Background()
	db, err := store.Open(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	makeKept(t, db)
	written := func() int64 {
		info, err := os.Stat(filepath.Join(o.Folder, "keywright.db-wal"))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	before := written()
	if err := db.Ready(ctx); err != nil || written() != before {
		t.Errorf("a sound database was written to, to see whether it is ready: %v", err)
	}
	if err := updatePlanted(db, func(tx *store.Tx) error { return tx.Exec(`INSERT INTO orphans (parent) VALUES ('nobody')`) }); err == nil {
		t.Fatal("the COMMIT was to fail")
	}
	before = written()
	if err := db.Ready(ctx); err != nil || written() == before {
		t.Errorf("nothing was written: %v", err)
	}
}
