package store_test

import (
	"context"
	"testing"

	"github.com/keywright/keywright/internal/store"
	"github.com/keywright/keywright/internal/store/storetest"
)

func TestNewDatabaseIsReady(t *testing.T) {
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
		if err := db.Ready(context.Background()); err != nil {
			t.Fatal(err)
		}
	})
}
