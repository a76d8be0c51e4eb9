package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// Options say where the rows are and how to open them.
type Options struct {
	Folder      string   // holds the SQLite file and its lock; unused on PostgreSQL
	DatabaseURL string   // postgres://…; empty: SQLite
	MasterKey   [32]byte // unseals the keys in the database
	Create      bool     // make a new database if there is none
	// Clock replaces the database's idea of now; nil: the real one.
	Clock func() time.Time
}

// DB is an open database.
type DB struct {
	engine  engine
	read    *sql.DB
	reads   preparer
	writer  *writer // SQLite only
	clock   func() time.Time
	sealer  sealer
	secrets Secrets
	lock    *folderLock // SQLite only
	onClose func()      // PostgreSQL only
}

var (
	// ErrNoDatabase says that there is nothing to open yet.
	ErrNoDatabase = errors.New("there is no database yet")
	// ErrFolderInUse says that another process owns the SQLite folder.
	ErrFolderInUse = errors.New("another process is using this data folder")
	// ErrWrongMasterKey says that the master key does not open this database.
	ErrWrongMasterKey = errors.New("the master key does not open this database")
	// ErrNewerSchema says that a newer Keywright has migrated this database.
	ErrNewerSchema = errors.New("the database was migrated by a newer version")
	// ErrOutcomeUnknown says that the disk failed while committing.
	ErrOutcomeUnknown = errors.New("the disk failed during a commit: it may or may not be kept")
)

// Open opens the database, brings its schema up to date and unseals its secrets.
func Open(ctx context.Context, o Options) (_ *DB, err error) {
	db := &DB{clock: o.Clock}
	if db.sealer, err = newSealer(o.MasterKey); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			db.Close()
		}
	}()
	if o.DatabaseURL == "" {
		err = db.openSQLite(o)
	} else {
		err = db.openPostgres(ctx, o)
	}
	if err != nil {
		return nil, err
	}
	if err := db.migrate(ctx, o.Create); err != nil {
		return nil, err
	}
	if err := db.openSecrets(ctx, o.Create); err != nil {
		return nil, err
	}
	return db, nil
}

// Close waits for the updates under way and closes the database.
func (db *DB) Close() error {
	var errs []error
	if db.writer != nil {
		errs = append(errs, db.writer.close())
	}
	if db.read != nil {
		errs = append(errs, db.read.Close())
	}
	if db.onClose != nil {
		db.onClose()
	}
	if db.lock != nil {
		errs = append(errs, db.lock.release())
		db.lock = nil
	}
	return errors.Join(errs...)
}

// Secrets returns the keys that the server computes with.
func (db *DB) Secrets() Secrets { return db.secrets }

// Engine names the database engine: "sqlite" or "postgres".
func (db *DB) Engine() string { return db.engine.name }

// Read returns a reader outside of any transaction: each of its methods sees
// one consistent state.
func (db *DB) Read(ctx context.Context) Reader {
	if db.writer != nil {
		ctx = context.WithoutCancel(ctx) // watching a context costs more than the read
	}
	return Reader{ctx: ctx, q: db.reads, db: db}
}

// Update runs fn in a transaction and returns once its commit is durable. fn may
// run more than once, so it must draw its random values anew and touch nothing
// but its Tx. If it returns an error, panics or exits, it has changed nothing.
// ctx bounds the wait for the transaction to begin, not the transaction.
func (db *DB) Update(ctx context.Context, fn func(*Tx) error) error {
	if db.writer != nil {
		return db.writer.update(ctx, fn)
	}
	return db.updatePostgres(ctx, fn)
}

// Ready returns an error unless the database answers, and takes writes again
// after it has failed to.
func (db *DB) Ready(ctx context.Context) error {
	if _, err := db.Read(ctx).Epoch(GlobalEpoch); err != nil {
		return err
	}
	if db.writer != nil && db.writer.failing.Load() {
		// SQLite skips a write that changes nothing; this one only makes the
		// nodes load their keys again.
		return db.Update(ctx, func(tx *Tx) error { return tx.raiseEpoch(keysEpoch) })
	}
	return nil
}

// A Tx is one transaction. It is valid only inside the function given to Update.
type Tx struct {
	Reader
	now time.Time
}

// Now is the transaction's time: the database's own clock where several nodes
// share one, truncated to microseconds. It is read once, at the first call,
// which must come after the rows to decide on were locked.
func (tx *Tx) Now() (time.Time, error) {
	if !tx.now.IsZero() {
		return tx.now, nil
	}
	now, err := tx.Reader.Now()
	tx.now = now
	return now, err
}

// Now is the time that decisions are made by: the database's own clock where
// several nodes share one.
func (r Reader) Now() (time.Time, error) {
	if r.db.clock != nil || r.db.engine.now == "" {
		return r.db.Now(), nil
	}
	var micros int64
	err := r.queryRow(r.db.engine.now).Scan(&micros)
	if err != nil {
		return time.Time{}, fmt.Errorf("read the database's clock: %w", err)
	}
	return fromMicros(micros), nil
}

// Now is this node's time, truncated to microseconds.
func (db *DB) Now() time.Time {
	now := time.Now
	if db.clock != nil {
		now = db.clock
	}
	return now().UTC().Truncate(time.Microsecond)
}

// Reader loads facts.
type Reader struct {
	ctx context.Context
	q   preparer
	db  *DB
}

// preparer runs statements, prepared where that pays.
type preparer interface {
	queryRow(ctx context.Context, query string, args ...any) *sql.Row
	query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	exec(ctx context.Context, query string, args ...any) (sql.Result, error)
}

func (r Reader) queryRow(query string, args ...any) *sql.Row {
	return r.q.queryRow(r.ctx, query, args...)
}

func (r Reader) query(query string, args ...any) (*sql.Rows, error) {
	return r.q.query(r.ctx, query, args...)
}

// exec is the Tx's alone: a Reader cannot write.
func (tx *Tx) exec(query string, args ...any) error {
	_, err := tx.q.exec(tx.ctx, query, args...)
	return err
}

// collect reads every row.
func collect[T any](rows *sql.Rows, err error, scan func(*sql.Rows) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

func toMicros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

func toList(items []string) string { return strings.Join(items, " ") }

func fromList(text string) []string { return strings.Fields(text) }

func sqliteFile(folder string) string { return filepath.Join(folder, "keywright.db") }
