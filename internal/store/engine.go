package store

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	sqlite3 "modernc.org/sqlite/lib"
)

// engine is all that differs between SQLite and PostgreSQL beside how a
// transaction begins.
type engine struct {
	name      string
	forUpdate string           // ends a SELECT that locks its rows
	keep      string           // ends a SELECT whose rows nobody deletes meanwhile
	now       string           // the database's clock in microseconds; empty: this process's
	retryable func(error) bool // the transaction met another: run it again
	// hasMigrations counts the tables of that name in this database.
	hasMigrations string
	lockSchema    string // keeps other nodes from migrating; empty: there are none
}

var sqliteEngine = engine{
	name:          "sqlite",
	hasMigrations: "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'schema_migrations'",
	// One writer: a transaction that began has the database to itself, and
	// meets only what it could not see when it drew its random values.
	retryable: func(err error) bool {
		code := sqliteCode(err)
		return code == sqlite3.SQLITE_CONSTRAINT_UNIQUE || code == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	},
}

var postgresEngine = engine{
	name:          "postgres",
	hasMigrations: "SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'schema_migrations'",
	lockSchema:    "SELECT pg_advisory_xact_lock(1801812343)", // the bytes of "keyw"
	forUpdate:     " FOR UPDATE",
	keep:          " FOR KEY SHARE",
	now:           "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
	retryable: func(err error) bool {
		var e *pgconn.PgError
		if !errors.As(err, &e) {
			return false
		}
		switch e.Code {
		case "23505", // unique_violation: another transaction made the row first
			"40001", // serialization_failure
			"40P01": // deadlock_detected
			return true
		}
		return false
	},
}

// attempts is how often a transaction runs that keeps meeting others.
const attempts = 5
