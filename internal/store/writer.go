package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// A writer owns SQLite's one writing connection and commits many callers'
// updates at once, since a commit costs an fsync however much it holds: it
// takes whoever waits, gives each a turn inside a savepoint, and commits. Every
// update runs in its caller's own goroutine, so that a panic or a Goexit is the
// caller's alone; the writer only hands the connection around.
type writer struct {
	db      *DB
	pool    *sql.DB   // of one connection
	conn    *sql.Conn // nil after it failed, until it is opened again
	stmts   *connStatements
	queue   chan *member
	once    sync.Once // closes closing
	closing chan struct{}
	stopped chan struct{}
	failing atomic.Bool // the last commit did not work
}

// groupLimit bounds how long the first member of a group waits for the last.
const groupLimit = 128

// A member is one update that waits, runs or waits for its commit.
type member struct {
	taken atomic.Bool     // by the writer, or back by its caller
	turn  chan *Tx        // run now; nil: it is over, see err
	done  chan struct{}   // ran
	ctx   context.Context // carries values, is never waited for
	err   error
	gone  bool // its caller panicked or exited
}

var (
	errClosed = errors.New("the database is closed")
	errGone   = errors.New("the update panicked or exited")
)

func newWriter(db *DB, pool *sql.DB) (*writer, error) {
	w := &writer{
		db: db, pool: pool, queue: make(chan *member, groupLimit),
		closing: make(chan struct{}), stopped: make(chan struct{}),
	}
	if err := w.ensureConn(); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	go w.loop()
	return w, nil
}

// update is what a caller does: wait for its turn, run, wait for the commit.
func (w *writer) update(ctx context.Context, fn func(*Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m := &member{turn: make(chan *Tx), done: make(chan struct{}), ctx: context.WithoutCancel(ctx)}
	select {
	case w.queue <- m:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.closing:
		return errClosed
	}
	cancelled := ctx.Done()
	for {
		select {
		case tx := <-m.turn:
			if tx == nil {
				return m.err
			}
			m.run(tx, fn)
		case <-cancelled:
			if m.taken.CompareAndSwap(false, true) {
				return ctx.Err()
			}
			cancelled = nil // its turn has come: now the commit decides
		case <-w.stopped:
			if m.taken.CompareAndSwap(false, true) {
				return errClosed
			}
		}
	}
}

// run is one turn. It hands the connection back however fn ends.
func (m *member) run(tx *Tx, fn func(*Tx) error) {
	m.err, m.gone = errGone, true
	defer func() { m.done <- struct{}{} }()
	m.err = fn(tx)
	m.gone = false
}

// close refuses new updates and waits for the group under way.
func (w *writer) close() error {
	w.once.Do(func() { close(w.closing) })
	<-w.stopped
	if w.conn != nil {
		w.stmts.close()
		w.conn.Close()
	}
	return w.pool.Close()
}

func (w *writer) loop() {
	defer close(w.stopped)
	for {
		select {
		case first := <-w.queue:
			// Whoever is about to ask gets to: on one processor the last group's
			// callers would else find that a group of one has begun without them.
			runtime.Gosched()
			group := w.take(first)
			if len(group) > 0 {
				w.commit(group)
			}
			for _, m := range group {
				if !m.gone {
					m.turn <- nil
				}
			}
		case <-w.closing:
			return
		}
	}
}

// take returns the first member and whoever waits behind it.
func (w *writer) take(first *member) []*member {
	var group []*member
	add := func(m *member) {
		if m.taken.CompareAndSwap(false, true) {
			group = append(group, m)
		}
	}
	add(first)
	for len(group) < groupLimit {
		select {
		case m := <-w.queue:
			add(m)
		default:
			return group
		}
	}
	return group
}

// commit commits the group, or, if the group as such fails, each member alone,
// once: whoever made it fail then fails by himself.
func (w *writer) commit(group []*member) {
	err := w.begin()
	begun := err == nil
	if begun {
		err = w.try(group)
	}
	w.failing.Store(err != nil)
	switch {
	case err == nil:
	case !begun || len(group) == 1 || errors.Is(err, ErrOutcomeUnknown):
		fail(group, err)
	default:
		for _, m := range group {
			if !m.gone {
				w.commit([]*member{m})
			}
		}
	}
}

// fail answers whoever has no error of their own, which is nearer to the cause.
func fail(group []*member, err error) {
	for _, m := range group {
		if m.err == nil {
			m.err = err
		}
	}
}

func (w *writer) begin() error {
	if err := w.ensureConn(); err != nil {
		return err
	}
	err := w.exec("BEGIN IMMEDIATE")
	if err != nil {
		w.rollback()
	}
	return err
}

// try runs the group in the transaction that has begun, and ends it. It returns
// an error only when the transaction as a whole has failed; then no member has
// changed anything, unless the error is ErrOutcomeUnknown.
func (w *writer) try(group []*member) error {
	alone := len(group) == 1
	for _, m := range group {
		if err := w.runMember(m, alone); err != nil {
			w.rollback()
			return err
		}
	}
	if alone && group[0].err != nil {
		w.rollback()
		return nil
	}
	err := w.exec("COMMIT")
	switch {
	case err == nil:
		return nil
	case isIOError(err):
		w.drop()
		return fmt.Errorf("%w: %w", ErrOutcomeUnknown, err)
	default:
		w.rollback()
		return err
	}
}

// runMember gives m its turn, inside a savepoint unless it is alone.
func (w *writer) runMember(m *member, alone bool) error {
	for attempt := 1; ; attempt++ {
		if !alone {
			if err := w.exec("SAVEPOINT member"); err != nil {
				return err
			}
		}
		m.turn <- &Tx{Reader: Reader{ctx: m.ctx, q: w.stmts, db: w.db}}
		<-m.done
		again := !m.gone && m.err != nil && sqliteEngine.retryable(m.err) && attempt < attempts
		switch {
		case alone && again:
			if err := w.exec("ROLLBACK"); err != nil {
				return err
			}
			if err := w.exec("BEGIN IMMEDIATE"); err != nil {
				return err
			}
		case alone:
			return nil
		case m.err != nil:
			if err := w.exec("ROLLBACK TO member"); err != nil {
				return err
			}
			fallthrough
		default:
			if err := w.exec("RELEASE member"); err != nil {
				return err
			}
		}
		if !again {
			return nil
		}
	}
}

func (w *writer) exec(query string) error {
	_, err := w.stmts.exec(context.Background(), query)
	return err
}

// rollback leaves the connection without a transaction, or closed.
func (w *writer) rollback() {
	err := w.exec("ROLLBACK")
	// After some errors SQLite has rolled back by itself: there is no
	// transaction, which it calls by its most general code.
	if err != nil && sqliteCode(err) != sqlite3.SQLITE_ERROR {
		w.drop()
	}
}

// ensureConn opens the connection again after it was dropped.
func (w *writer) ensureConn() error {
	if w.conn != nil {
		return nil
	}
	conn, err := w.pool.Conn(context.Background())
	if err != nil {
		return err
	}
	w.conn, w.stmts = conn, newConnStatements(conn)
	if err := checkDurability(w.stmts); err != nil {
		w.drop()
		return err
	}
	return nil
}

// drop closes the connection for good, not back into the pool.
func (w *writer) drop() {
	w.stmts.close()
	w.conn.Raw(func(any) error { return driver.ErrBadConn })
	w.conn = nil
}

func isIOError(err error) bool { return sqliteCode(err)&0xff == sqlite3.SQLITE_IOERR }

// sqliteCode returns SQLite's extended result code, or 0 for another error.
func sqliteCode(err error) int {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return 0
	}
	return e.Code()
}
