// Package store keeps what must survive. It is the only code that reads or
// writes rows: Reader loads the facts that a decision needs, Tx.Apply turns the
// decision's changes into rows, and nothing else writes.
//
// One SQL text serves both engines: SQLite, embedded, with one writer that
// commits many callers' updates at once (writer.go), and PostgreSQL
// (postgres.go). A file per noun holds its statements. Times are microseconds
// since 1970 in UTC, 0 for never; lists are space-separated.
//
// What a stolen database gives: nothing that can be presented. Passwords are
// Argon2id hashes, client secrets HMACs, refresh tokens are not stored at all,
// and keys are sealed by a master key that lives elsewhere (seal.go).
package store
