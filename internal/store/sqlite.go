package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// readers is how many connections read beside the writer.
const readers = 4

// openSQLite takes the folder for this process and opens the file in it.
func (db *DB) openSQLite(o Options) error {
	file := sqliteFile(o.Folder)
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) && !o.Create {
		return ErrNoDatabase
	}
	var err error
	if db.lock, err = lockFolder(o.Folder); err != nil {
		return err
	}
	if err := makePrivate(file); err != nil {
		return err
	}
	db.engine = sqliteEngine
	// synchronous=FULL: a commit that was acknowledged is on the disk.
	pool, err := openSQLitePool(file, 1, "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)")
	if err != nil {
		return err
	}
	if db.writer, err = newWriter(db, pool); err != nil {
		return fmt.Errorf("open %s: %w", file, err)
	}
	db.read, err = openSQLitePool(file, readers, "query_only(ON)")
	db.reads = &poolStatements{pool: db.read}
	return err
}

// makePrivate makes the file if there is none. SQLite gives its other files,
// which hold the same rows, the permissions of this one.
func makePrivate(file string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(0o600), f.Close())
}

func openSQLitePool(file string, conns int, pragmas ...string) (*sql.DB, error) {
	dsn := url.URL{Scheme: "file", Opaque: strings.ReplaceAll(url.PathEscape(file), "%2F", "/")}
	q := url.Values{"_pragma": append(pragmas, "busy_timeout(10000)", "trusted_schema(OFF)", "cell_size_check(ON)")}
	dsn.RawQuery = q.Encode()
	pool, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	return pool, nil
}

// checkDurability reads back what the pragmas asked for: a file system that
// refuses WAL must not pass unnoticed.
func checkDurability(conn preparer) error {
	var mode string
	if err := conn.queryRow(context.Background(), "PRAGMA journal_mode").Scan(&mode); err != nil {
		return err
	}
	var synchronous int
	if err := conn.queryRow(context.Background(), "PRAGMA synchronous").Scan(&synchronous); err != nil {
		return err
	}
	const full = 2
	if mode != "wal" || synchronous != full {
		return fmt.Errorf("SQLite runs with journal_mode=%s and synchronous=%d, but durable commits need wal and %d", mode, synchronous, full)
	}
	return nil
}
