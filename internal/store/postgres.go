package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

// postgresTimeout bounds a transaction, so that no caller hangs on a dead
// network. It is no caller's context: those end when a browser goes away.
const postgresTimeout = 10 * time.Second

func (db *DB) openPostgres(ctx context.Context, o Options) error {
	config, err := pgxpool.ParseConfig(o.DatabaseURL)
	if err != nil {
		// pgx's message can repeat the URL, which holds the password.
		return fmt.Errorf("the database URL is not understood: it looks like postgres://user:password@host:5432/name")
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	db.engine = postgresEngine
	db.read = stdlib.OpenDBFromPool(pool)
	db.reads = plain{db.read}
	db.onClose = pool.Close
	return db.checkPostgresDurability(ctx)
}

// checkPostgresDurability refuses a server that acknowledges what a crash can undo.
func (db *DB) checkPostgresDurability(ctx context.Context) error {
	var mode string
	if err := db.read.QueryRowContext(ctx, "SHOW synchronous_commit").Scan(&mode); err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	if mode == "off" {
		return errors.New("PostgreSQL runs with synchronous_commit=off, so a crash can undo what was acknowledged: turn it on")
	}
	return nil
}

// updatePostgres runs fn at READ COMMITTED: what a decision depends on is
// locked first and read in later statements.
func (db *DB) updatePostgres(ctx context.Context, fn func(*Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, postgresTimeout)
	defer cancel()
	for attempt := 1; ; attempt++ {
		err := db.tryPostgres(ctx, fn)
		if err == nil || attempt == attempts || !db.engine.retryable(err) {
			return err
		}
	}
}

// tryPostgres waits for a connection as long as waiting lasts.
func (db *DB) tryPostgres(waiting context.Context, fn func(*Tx) error) error {
	conn, err := db.read.Conn(waiting)
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(waiting), postgresTimeout)
	defer cancel()
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // also when fn panics; after Commit it does nothing
	if err := fn(&Tx{Reader: Reader{ctx: ctx, q: plain{tx}, db: db}}); err != nil {
		return err
	}
	return tx.Commit()
}
