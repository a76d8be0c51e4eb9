package store

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"slices"
	"time"
)

// The journal is numbered after the commit, by one sequencer at a time, in
// batches. Each batch is sealed by an HMAC over the last one: a chain inside
// every transaction would serialise the writers, and a chain without a key
// would prove nothing.

const (
	sequencerLease    = "journal"
	sequencerLeaseTTL = 10 * time.Second
	batchLimit        = 1000
)

// Entry is a numbered row of the journal.
type Entry struct {
	Number int64
	At     time.Time
	Name   string
	Origin string // change.Origin as JSON
	Facts  string // the change as JSON
}

// NumberJournal numbers what was committed since the last call and returns how
// many rows that were. holder is this process; another's living lease makes it
// return 0, and so does an empty journal, without a write.
func (db *DB) NumberJournal(ctx context.Context, holder string) (numbered int, err error) {
	waiting, err := db.Read(ctx).unnumbered()
	if err != nil || !waiting {
		return 0, err
	}
	err = db.Update(ctx, func(tx *Tx) error {
		numbered = 0
		fence, held, err := tx.takeLease(sequencerLease, holder, sequencerLeaseTTL)
		if err != nil || !held {
			return err
		}
		numbered, err = tx.numberBatch(fence)
		return err
	})
	return numbered, err
}

func (r Reader) unnumbered() (waiting bool, err error) {
	err = r.queryRow(`SELECT EXISTS (SELECT 1 FROM journal WHERE number = 0)`).Scan(&waiting)
	return waiting, err
}

// takeLease takes or renews a lease. Its fence grows with each new holder, so
// that a holder who slept is told from the next one.
func (tx *Tx) takeLease(name, holder string, ttl time.Duration) (fence int64, held bool, err error) {
	if err := tx.exec(`INSERT INTO leases (name, holder, fence, expires_at) VALUES ($1, '', 0, 0) ON CONFLICT (name) DO NOTHING`, name); err != nil {
		return 0, false, err
	}
	var current string
	var expiresAt int64
	if err := tx.queryRow(`SELECT holder, fence, expires_at FROM leases WHERE name = $1`+tx.db.engine.forUpdate, name).Scan(&current, &fence, &expiresAt); err != nil {
		return 0, false, err
	}
	now, err := tx.Now()
	if err != nil {
		return 0, false, err
	}
	if current != holder {
		left := fromMicros(expiresAt).Sub(now)
		if 0 < left && left <= ttl { // more than that was written by a clock that was ahead
			return 0, false, nil
		}
		fence++
	}
	err = tx.exec(`UPDATE leases SET holder = $1, fence = $2, expires_at = $3 WHERE name = $4`, holder, fence, toMicros(now.Add(ttl)), name)
	return fence, err == nil, err
}

func (tx *Tx) numberBatch(fence int64) (int, error) {
	last, mac, err := tx.lastBatch()
	if err != nil {
		return 0, err
	}
	rows, err := tx.query(`UPDATE journal SET number = next.number
		FROM (SELECT id, $1 + row_number() OVER (ORDER BY id) AS number FROM journal WHERE number = 0 ORDER BY id LIMIT $2) AS next
		WHERE journal.id = next.id
		RETURNING journal.number, at, name, origin, facts`, last, batchLimit)
	batch, err := collect(rows, err, scanEntry)
	if err != nil || len(batch) == 0 {
		return 0, err
	}
	slices.SortFunc(batch, func(a, b Entry) int { return cmp.Compare(a.Number, b.Number) })
	chain := newChain(tx.db.secrets.journal, mac)
	for _, e := range batch {
		chain.add(e)
	}
	now, err := tx.Now()
	if err != nil {
		return 0, err
	}
	return len(batch), tx.exec(`INSERT INTO journal_batches (last_number, first_number, fence, mac, sealed_at) VALUES ($1, $2, $3, $4, $5)`,
		last+int64(len(batch)), last+1, fence, chain.seal(), toMicros(now))
}

func (r Reader) lastBatch() (last int64, mac []byte, err error) {
	err = r.queryRow(`SELECT last_number, mac FROM journal_batches ORDER BY last_number DESC LIMIT 1`).Scan(&last, &mac)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil, nil
	}
	return last, mac, err
}

// Journal returns numbered rows after a number, in order.
func (r Reader) Journal(after int64, limit int) ([]Entry, error) {
	rows, err := r.query(`SELECT number, at, name, origin, facts FROM journal WHERE number > 0 AND number > $1 ORDER BY number LIMIT $2`, after, limit)
	return collect(rows, err, scanEntry)
}

func scanEntry(rows *sql.Rows) (e Entry, err error) {
	var at int64
	err = rows.Scan(&e.Number, &at, &e.Name, &e.Origin, &e.Facts)
	e.At = fromMicros(at)
	return e, err
}

// VerifyJournal walks the whole chain. It returns the first number of the first
// batch in which somebody without the key changed, removed or added a row, or 0.
// That whole batches were cut off the end does not show here.
func (db *DB) VerifyJournal(ctx context.Context) (broken int64, err error) {
	r := db.Read(ctx)
	end, err := r.lastNumber() // before the seals: what is numbered by now is sealed by then
	if err != nil {
		return 0, err
	}
	seals, err := r.seals()
	if err != nil {
		return 0, err
	}
	var previous []byte
	next := int64(1)
	for _, s := range seals {
		if s.first != next || s.last < s.first || s.last-s.first >= batchLimit {
			return next, nil
		}
		entries, err := r.Journal(next-1, int(s.last-s.first+1))
		if err != nil {
			return 0, err
		}
		chain := newChain(db.secrets.journal, previous)
		for _, e := range entries {
			chain.add(e)
		}
		if !hmac.Equal(chain.seal(), s.mac) {
			return next, nil
		}
		previous, next = s.mac, s.last+1
	}
	if end >= next {
		return next, nil
	}
	return 0, nil
}

func (r Reader) lastNumber() (number int64, err error) {
	err = r.queryRow(`SELECT COALESCE(MAX(number), 0) FROM journal WHERE number > 0`).Scan(&number)
	return number, err
}

// seal ends a batch of the journal.
type seal struct {
	first, last int64
	mac         []byte
}

func (r Reader) seals() ([]seal, error) {
	rows, err := r.query(`SELECT first_number, last_number, mac FROM journal_batches ORDER BY last_number`)
	return collect(rows, err, func(rows *sql.Rows) (s seal, err error) {
		err = rows.Scan(&s.first, &s.last, &s.mac)
		return s, err
	})
}

// A chain computes a batch's seal.
type chain struct{ mac hash.Hash }

func newChain(key, previous []byte) chain {
	mac := hmac.New(sha256.New, key)
	mac.Write(previous)
	return chain{mac}
}

// add writes each field behind its length, so that no two entries look alike.
func (c chain) add(e Entry) {
	for _, field := range []string{fmt.Sprint(e.Number), fmt.Sprint(toMicros(e.At)), e.Name, e.Origin, e.Facts} {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(field)))
		c.mac.Write(length[:])
		c.mac.Write([]byte(field))
	}
}

func (c chain) seal() []byte { return c.mac.Sum(nil) }
