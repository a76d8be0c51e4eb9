package store

import (
	"database/sql"
	"errors"

	"github.com/keywright/keywright/internal/account"
	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
)

const userColumns = `id, email, name, password_hash, credential_version, disabled_at, epoch, created_at, phone, address, email_verified_at, updated_at`

// personColumns are what the protocol needs to know of a person.
const personColumns = `u.id, u.name, u.email, u.email_verified_at, u.phone, u.address, u.updated_at, u.disabled_at, u.epoch`

// personRow receives personColumns, all of them NULL after an outer join that found none.
type personRow struct {
	id, name, email, phone, address          sql.NullString
	verifiedAt, updatedAt, disabledAt, epoch sql.NullInt64
}

func (r *personRow) dest() []any {
	return []any{&r.id, &r.name, &r.email, &r.verifiedAt, &r.phone, &r.address, &r.updatedAt, &r.disabledAt, &r.epoch}
}

func (r *personRow) person() *oauth.User {
	if !r.id.Valid {
		return nil
	}
	return &oauth.User{
		ID: r.id.String, Name: r.name.String, Email: r.email.String, EmailVerified: r.verifiedAt.Int64 != 0, Phone: r.phone.String,
		Address: r.address.String, UpdatedAt: fromMicros(r.updatedAt.Int64), Disabled: r.disabledAt.Int64 != 0, Epoch: r.epoch.Int64,
	}
}

type scanner interface{ Scan(dest ...any) error }

func scanUser(row scanner) (*account.User, error) {
	var u account.User
	var disabledAt, createdAt, verifiedAt, updatedAt int64
	err := row.Scan(&u.ID, &u.Email, &u.Name, &u.PasswordHash, &u.CredentialVersion, &disabledAt, &u.Epoch, &createdAt,
		&u.Phone, &u.Address, &verifiedAt, &updatedAt)
	if err != nil {
		return nil, err
	}
	u.Disabled, u.CreatedAt = disabledAt != 0, fromMicros(createdAt)
	u.EmailVerified, u.UpdatedAt = verifiedAt != 0, fromMicros(updatedAt)
	return &u, nil
}

// UserByEmail returns the person with a canonical address, or nil.
func (r Reader) UserByEmail(canonicalEmail string) (*account.User, error) {
	return orNil(scanUser(r.queryRow(`SELECT `+userColumns+` FROM users WHERE canonical_email = $1`, canonicalEmail)))
}

// UserByID returns a person, or nil.
func (r Reader) UserByID(id string) (*account.User, error) {
	return orNil(scanUser(r.queryRow(`SELECT `+userColumns+` FROM users WHERE id = $1`, id)))
}

// LockUserByEmail is UserByEmail for a transaction that decides about the person.
func (tx *Tx) LockUserByEmail(canonicalEmail string) (*account.User, error) {
	return orNil(scanUser(tx.queryRow(`SELECT `+userColumns+` FROM users WHERE canonical_email = $1`+tx.db.engine.forUpdate, canonicalEmail)))
}

// LockUser is UserByID for a transaction that decides about the person.
func (tx *Tx) LockUser(id string) (*account.User, error) {
	return orNil(scanUser(tx.queryRow(`SELECT `+userColumns+` FROM users WHERE id = $1`+tx.db.engine.forUpdate, id)))
}

// Users returns a page of people, ordered by id, after a given id.
func (r Reader) Users(after string, limit int) ([]*account.User, error) {
	rows, err := r.query(`SELECT `+userColumns+` FROM users WHERE id > $1 ORDER BY id LIMIT $2`, after, limit)
	return collect(rows, err, func(rows *sql.Rows) (*account.User, error) { return scanUser(rows) })
}

// orNil turns "no row" into nil: absence is a fact, not a failure.
func orNil[T any](row *T, err error) (*T, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return row, err
}

func (tx *Tx) registerUser(c change.UserRegistered) error {
	// The epoch starts at the time, so that a grant of a deleted namesake never fits.
	return tx.exec(`INSERT INTO users (id, email, canonical_email, name, password_hash, credential_version, disabled_at, epoch, created_at,
		phone, address, email_verified_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, 1, 0, $6, $6, '', '', 0, $6)`,
		c.User, c.Email, c.CanonicalEmail, c.Name, c.PasswordHash, toMicros(c.At))
}

// repeatRegistration writes the row unchanged: a taken address costs what a new
// one does.
func (tx *Tx) repeatRegistration(c change.RegistrationRepeated) error {
	return tx.exec(`UPDATE users SET epoch = epoch WHERE id = $1`, c.User)
}

func (tx *Tx) rehashPassword(c change.PasswordRehashed) error {
	return tx.exec(`UPDATE users SET password_hash = $1 WHERE id = $2 AND credential_version = $3`, c.PasswordHash, c.User, c.Version)
}

func (tx *Tx) changeProfile(c change.ProfileChanged) error {
	return tx.exec(`UPDATE users SET name = $1, phone = $2, address = $3, updated_at = $4 WHERE id = $5`,
		c.Name, c.Phone, c.Address, toMicros(c.At), c.User)
}

func (tx *Tx) changePassword(c change.PasswordChanged) error {
	return tx.exec(`UPDATE users SET password_hash = $1, credential_version = credential_version + 1, epoch = epoch + 1 WHERE id = $2`,
		c.PasswordHash, c.User)
}

func (tx *Tx) disableUser(c change.UserDisabled) error {
	return tx.exec(`UPDATE users SET disabled_at = $1, epoch = epoch + 1 WHERE id = $2`, toMicros(c.At), c.User)
}

func (tx *Tx) enableUser(c change.UserEnabled) error {
	return tx.exec(`UPDATE users SET disabled_at = 0 WHERE id = $1`, c.User)
}

func (tx *Tx) endUserSessions(c change.UserSessionsEnded) error {
	return tx.exec(`UPDATE users SET epoch = epoch + 1 WHERE id = $1`, c.User)
}
