package server

import (
	"context"
	"time"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/store"
)

// decide is one transaction: load locks and reads the facts, rule decides on
// them at the transaction's time, and what changes is applied. An error of
// either changes nothing. The store may run both more than once, so rule draws
// its random values itself.
func decide[Facts any](
	ctx context.Context, db *store.DB, origin change.Origin,
	load func(*store.Tx) (Facts, error),
	rule func(Facts, time.Time) ([]change.Change, error),
) error {
	return db.Update(ctx, func(tx *store.Tx) error {
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
