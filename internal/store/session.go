package store

import (
	"database/sql"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
)

const sessionColumns = `s.id, s.user_id, s.methods, s.browser, s.auth_time, s.created_at, s.seen_at, s.expires_at, s.ends_at, s.ended_at,
	s.user_epoch, s.global_epoch`

// sessionRow receives sessionColumns, all of them NULL after an outer join that found none.
type sessionRow struct {
	id, user, methods, browser                                    sql.NullString
	authTime, createdAt, seenAt, expiresAt, endsAt, endedAt, u, g sql.NullInt64
}

func (r *sessionRow) dest() []any {
	return []any{&r.id, &r.user, &r.methods, &r.browser, &r.authTime, &r.createdAt, &r.seenAt, &r.expiresAt, &r.endsAt, &r.endedAt, &r.u, &r.g}
}

func (r *sessionRow) session() *oauth.Session {
	if !r.id.Valid {
		return nil
	}
	return &oauth.Session{
		ID: r.id.String, User: r.user.String, Methods: fromList(r.methods.String), Browser: r.browser.String,
		AuthTime: fromMicros(r.authTime.Int64), CreatedAt: fromMicros(r.createdAt.Int64), SeenAt: fromMicros(r.seenAt.Int64),
		ExpiresAt: fromMicros(r.expiresAt.Int64), EndsAt: fromMicros(r.endsAt.Int64), EndedAt: fromMicros(r.endedAt.Int64),
		UserEpoch: r.u.Int64, GlobalEpoch: r.g.Int64,
	}
}

// sessionLifeColumns tell whether a session lives.
const sessionLifeColumns = `s.id, s.user_id, s.seen_at, s.expires_at, s.ends_at, s.ended_at, s.user_epoch, s.global_epoch`

func (r *sessionRow) lifeDest() []any {
	return []any{&r.id, &r.user, &r.seenAt, &r.expiresAt, &r.endsAt, &r.endedAt, &r.u, &r.g}
}

// SessionFacts returns the session of a cookie with its person, in one statement.
func (r Reader) SessionFacts(secretHash []byte) (f oauth.SessionFacts, err error) {
	var session sessionRow
	var user personRow
	dest := append(session.dest(), user.dest()...)
	_, err = orNil(&session, r.queryRow(`SELECT `+sessionColumns+`, `+personColumns+`, e.value
		FROM epochs e LEFT JOIN sessions s ON s.secret_hash = $1 LEFT JOIN users u ON u.id = s.user_id
		WHERE e.name = 'global'`, secretHash).Scan(append(dest, &f.GlobalEpoch)...))
	f.Session, f.User = session.session(), user.person()
	return f, err
}

// LockSessionFacts is SessionFacts for a transaction that decides about the
// session. It locks the session's person: what is issued in it, and what ends it, does.
func (tx *Tx) LockSessionFacts(secretHash []byte) (oauth.SessionFacts, error) {
	if lock := tx.db.engine.forUpdate; lock != "" {
		var id string
		if _, err := orNil(&id, tx.queryRow(`SELECT u.id FROM users u JOIN sessions s ON s.user_id = u.id WHERE s.secret_hash = $1`+lock+` OF u`, secretHash).Scan(&id)); err != nil {
			return oauth.SessionFacts{}, err
		}
	}
	return tx.SessionFacts(secretHash)
}

// Sessions returns a person's sessions that did not end by themselves, the last
// used first.
func (r Reader) Sessions(user string) ([]*oauth.Session, error) {
	rows, err := r.query(`SELECT `+sessionColumns+` FROM sessions s WHERE s.user_id = $1 AND s.ended_at = 0 ORDER BY s.seen_at DESC, s.id LIMIT 200`, user)
	return collect(rows, err, func(rows *sql.Rows) (*oauth.Session, error) {
		var row sessionRow
		err := rows.Scan(row.dest()...)
		return row.session(), err
	})
}

// SessionClients returns the clients that hold something issued in a session.
func (r Reader) SessionClients(session string) ([]*oauth.Client, error) {
	rows, err := r.query(`SELECT `+clientColumns+` FROM clients c
		WHERE c.id IN (SELECT g.client_id FROM grants g WHERE g.session_id <> '' AND g.session_id = $1) ORDER BY c.id`, session)
	return collect(rows, err, scanClient)
}

func (tx *Tx) startSession(c change.SessionStarted) error {
	return tx.exec(`INSERT INTO sessions (id, secret_hash, user_id, methods, browser, auth_time, created_at, seen_at, expires_at, ends_at, ended_at,
		user_epoch, global_epoch) VALUES ($1, $2, $3, $4, $5, $6, $6, $6, $7, $8, 0, $9, $10)`,
		c.Session, c.SecretHash, c.User, toList(c.Methods), c.Browser, toMicros(c.At), toMicros(c.ExpiresAt), toMicros(c.EndsAt), c.UserEpoch, c.GlobalEpoch)
}

func (tx *Tx) renewSession(c change.SessionRenewed) error {
	return tx.exec(`UPDATE sessions SET secret_hash = $1, methods = $2, auth_time = $3, seen_at = $3, expires_at = $4, ends_at = $5, user_epoch = $6
		WHERE id = $7 AND ended_at = 0`,
		c.SecretHash, toList(c.Methods), toMicros(c.At), toMicros(c.ExpiresAt), toMicros(c.EndsAt), c.UserEpoch, c.Session)
}

func (tx *Tx) seeSession(c change.SessionSeen) error {
	return tx.exec(`UPDATE sessions SET seen_at = $1, expires_at = $2 WHERE id = $3`, toMicros(c.At), toMicros(c.ExpiresAt), c.Session)
}

func (tx *Tx) endSession(c change.SessionEnded) error {
	return tx.exec(`UPDATE sessions SET ended_at = $1 WHERE id = $2 AND ended_at = 0`, toMicros(c.At), c.Session)
}
