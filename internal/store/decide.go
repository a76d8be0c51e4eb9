package store

import (
	"context"
	"time"

	"github.com/keywright/keywright/internal/change"
)

// Decide is one transaction: load locks and reads the facts, rule decides on
// them at the transaction's time, and what changes is applied. An error of
// either changes nothing. The store may run both more than once, so rule draws
// its random values itself.
func Decide[Facts any](
	ctx context.Context, db *DB, origin change.Origin,
	load func(*Tx) (Facts, error),
	rule func(Facts, time.Time) ([]change.Change, error),
) error {
	return db.Update(ctx, func(tx *Tx) error {
		facts, err := load(tx)
		if err != nil {
			return err
		}
		now, err := tx.Now() // after the rows are locked
		if err != nil {
			return err
		}
		changes, err := rule(facts, now)
		if err != nil {
			return err
		}
		return tx.Apply(origin, changes...)
	})
}
