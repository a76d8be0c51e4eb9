package store

import (
	"context"
	"database/sql"
	"testing"

	"modernc.org/sqlite"
)

// What the tests must reach that nobody else may.

// Exec runs a statement that no change has.
func (tx *Tx) Exec(query string, args ...any) error { return tx.exec(query, args...) }

// QueryRow reads what no method reads.
func (r Reader) QueryRow(query string, args ...any) *sql.Row { return r.queryRow(query, args...) }

// Query reads rows that no method reads.
func (r Reader) Query(query string, args ...any) (*sql.Rows, error) { return r.query(query, args...) }

// Record adds to seen each statement that the transaction runs from now on,
// with the number of its parameters.
func (tx *Tx) Record(seen map[string]int) { tx.q = recorder{tx.q, seen} }

type recorder struct {
	preparer
	seen map[string]int
}

func (r recorder) queryRow(ctx context.Context, query string, args ...any) *sql.Row {
	r.seen[query] = len(args)
	return r.preparer.queryRow(ctx, query, args...)
}

func (r recorder) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	r.seen[query] = len(args)
	return r.preparer.query(ctx, query, args...)
}

func (r recorder) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	r.seen[query] = len(args)
	return r.preparer.exec(ctx, query, args...)
}

// LockSchema does what a node does before it migrates.
func (tx *Tx) LockSchema() error { return tx.exec(tx.db.engine.lockSchema) }

// Waiting returns how many updates wait for the writer.
func (db *DB) Waiting() int { return len(db.writer.queue) }

// OnCommit calls f before each commit from now on.
func (db *DB) OnCommit(t testing.TB, f func()) {
	t.Helper()
	err := db.Update(context.Background(), func(*Tx) error {
		return db.writer.conn.Raw(func(conn any) error {
			conn.(sqlite.HookRegisterer).RegisterCommitHook(func() int32 { f(); return 0 })
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Migrations returns the file names for an engine.
func Migrations(t testing.TB, engine string) []string {
	t.Helper()
	all, err := migrationsFor(engine)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range all {
		names = append(names, m.name)
	}
	return names
}

// CheckDurability opens a file with pragmas and tells what Open would say.
func CheckDurability(t testing.TB, file string, pragmas ...string) error {
	t.Helper()
	pool, err := openSQLitePool(file, 1, pragmas...)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	return checkDurability(plain{pool})
}
