// Package storetest gives tests real databases: a new SQLite folder, and a new
// PostgreSQL schema where the suite has started a server.
package storetest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/keywright/keywright/internal/store"
)

// PostgresVariable names the environment variable with the server's URL.
const PostgresVariable = "KEYWRIGHT_TEST_POSTGRES"

// Each runs f as a subtest for every engine that is present. clock is the time
// that the database lives in; nil is the real one.
func Each(t *testing.T, clock func() time.Time, f func(t *testing.T, db *store.DB)) {
	t.Helper()
	EachOptions(t, func(t *testing.T, o store.Options) {
		o.Clock = clock
		db, err := store.Open(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		f(t, db)
	})
}

// EachOptions does the same for a test that opens the database itself.
func EachOptions(t *testing.T, f func(t *testing.T, o store.Options)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, SQLite(t)) })
	if os.Getenv(PostgresVariable) != "" {
		t.Run("postgres", func(t *testing.T) { f(t, Postgres(t)) })
	}
}

// SQLite returns options for a new folder.
func SQLite(t testing.TB) store.Options {
	return store.Options{Folder: t.TempDir(), MasterKey: MasterKey(), Create: true}
}

// Postgres returns options for a new schema, which is dropped after the test.
func Postgres(t testing.TB) store.Options {
	t.Helper()
	server := os.Getenv(PostgresVariable)
	admin, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	schema := "test_" + strings.ToLower(rand.Text())
	if _, err := admin.Exec("CREATE SCHEMA " + schema); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec(fmt.Sprintf("DROP SCHEMA %s CASCADE", schema)); err != nil {
			t.Error(err)
		}
		admin.Close()
	})
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return store.Options{DatabaseURL: u.String(), MasterKey: MasterKey(), Create: true}
}

// MasterKey is the one that all test databases are sealed with.
func MasterKey() [32]byte { return sha256.Sum256([]byte("a test's master key")) }
