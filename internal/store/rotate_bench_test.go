//go:build unix

package store_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/store"
	"github.com/keywright/keywright/internal/store/storetest"
)

// BenchmarkRotate is the heart of the program: lock a grant's facts, decide,
// rotate, commit durably. The processor's time is what to compare.
func BenchmarkRotate(b *testing.B) {
	for _, callers := range []int{1, 16, 64} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) { benchmarkRotate(b, callers) })
	}
}

func benchmarkRotate(b *testing.B, callers int) {
	db := open(b, storetest.SQLite(b))
	user, client := registered(b, db), publicClient(b, db)
	grants := make([]string, 500)
	for i := range grants {
		grants[i] = grantOf(granted(b, db, user, client).RefreshToken)
	}
	b.ReportAllocs()
	b.ResetTimer()
	before := processorTime()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				if err := rotate(db, client, grants[i%int64(len(grants))]); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64((processorTime()-before).Microseconds())/float64(b.N), "cpu-µs/op")
}

func rotate(db *store.DB, client, grant string) error {
	return db.Update(context.Background(), func(tx *store.Tx) error {
		f, err := tx.LockRefreshFacts(client, grant, "")
		if err != nil {
			return err
		}
		now, err := tx.Now()
		if err != nil {
			return err
		}
		return tx.Apply(change.Origin{}, change.GrantRotated{Grant: grant, Generation: f.Grant.Generation + 1, At: now})
	})
}

// processorTime is what this process has used of all cores.
func processorTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
