package store

import (
	"database/sql"
	"time"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
)

// LogoutSubscriber reads in the journal which sessions ended.
const LogoutSubscriber = "logout"

// LockCursor returns how far a subscriber has read the journal, and keeps other
// nodes from reading on until the transaction ends.
func (tx *Tx) LockCursor(subscriber string) (number int64, err error) {
	err = tx.queryRow(`INSERT INTO cursors (subscriber, number) VALUES ($1, 0)
		ON CONFLICT (subscriber) DO UPDATE SET number = cursors.number RETURNING number`, subscriber).Scan(&number)
	return number, err
}

// Cursor returns how far a subscriber has read the journal.
func (r Reader) Cursor(subscriber string) (number int64, err error) {
	err = r.queryRow(`SELECT COALESCE((SELECT number FROM cursors WHERE subscriber = $1), 0)`, subscriber).Scan(&number)
	return number, err
}

// LastNumber returns the journal's last number.
func (r Reader) LastNumber() (int64, error) { return r.lastNumber() }

// SessionClient is a client that holds something issued to a person in a session.
type SessionClient struct{ Client, User, Session string }

// ClientsOfSession returns those of a session that ended.
func (r Reader) ClientsOfSession(session string) ([]SessionClient, error) {
	return r.sessionClients(`SELECT DISTINCT client_id, user_id, session_id FROM grants WHERE session_id <> '' AND session_id = $1`, session)
}

// ClientsOfUser returns those of all the sessions that ended with a person's
// epoch: not of those that ended by themselves, or have begun since.
func (r Reader) ClientsOfUser(user string) ([]SessionClient, error) {
	return r.sessionClients(`SELECT DISTINCT g.client_id, g.user_id, g.session_id FROM grants g
		JOIN users u ON u.id = g.user_id
		JOIN sessions s ON s.id = g.session_id AND s.ended_at = 0 AND s.user_epoch < u.epoch
		WHERE g.user_id <> '' AND g.user_id = $1`, user)
}

func (r Reader) sessionClients(statement string, id string) ([]SessionClient, error) {
	rows, err := r.query(statement, id)
	return collect(rows, err, func(rows *sql.Rows) (c SessionClient, err error) {
		err = rows.Scan(&c.Client, &c.User, &c.Session)
		return c, err
	})
}

// DueLogouts returns some clients that are to be told now, each once, so that
// one that does not answer keeps nobody else waiting.
func (r Reader) DueLogouts(now time.Time, limit int) ([]oauth.Logout, error) {
	rows, err := r.query(`SELECT id, client_id, user_id, session_id, tries FROM logouts l WHERE next_at <= $1
		AND NOT EXISTS (SELECT 1 FROM logouts e WHERE e.client_id = l.client_id AND e.next_at <= $1 AND e.id < l.id)
		ORDER BY next_at LIMIT $2`, toMicros(now), limit)
	return collect(rows, err, func(rows *sql.Rows) (l oauth.Logout, err error) {
		err = rows.Scan(&l.ID, &l.Client, &l.User, &l.Session, &l.Tries)
		return l, err
	})
}

// ClaimLogout takes the next try of a logout for this node, until a time by
// which it will have ended; false: another node was first, or it is done.
func (tx *Tx) ClaimLogout(l oauth.Logout, now, until time.Time) (claimed bool, err error) {
	var id string
	found, err := orNil(&id, tx.queryRow(`UPDATE logouts SET next_at = $1 WHERE id = $2 AND tries = $3 AND next_at <= $4 RETURNING id`,
		toMicros(until), l.ID, l.Tries, toMicros(now)).Scan(&id))
	return found != nil, err
}

func (tx *Tx) oweLogout(c change.LogoutOwed) error {
	return tx.exec(`INSERT INTO logouts (id, client_id, user_id, session_id, tries, next_at, created_at) VALUES ($1, $2, $3, $4, 0, $5, $5)
		ON CONFLICT (client_id, session_id) DO NOTHING`, c.ID, c.Client, c.User, c.Session, toMicros(c.At))
}

func (tx *Tx) tellLogout(c change.LogoutTold) error {
	return tx.exec(`DELETE FROM logouts WHERE id = $1`, c.ID)
}

func (tx *Tx) delayLogout(c change.LogoutDelayed) error {
	if err := tx.exec(`UPDATE logouts SET tries = $1, next_at = $2 WHERE id = $3`, c.Tries, toMicros(c.Next), c.ID); err != nil {
		return err
	}
	return tx.exec(`UPDATE logouts SET next_at = $1 WHERE client_id = $2 AND next_at < $1`, toMicros(c.Next), c.Client)
}

func (tx *Tx) readJournal(c change.JournalRead) error {
	return tx.exec(`UPDATE cursors SET number = $1 WHERE subscriber = $2`, c.Number, c.Subscriber)
}
