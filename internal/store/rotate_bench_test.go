package store_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
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
	ctx := context.Background()
	db, err := store.Open(ctx, storetest.SQLite(b))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	const grants = 1000
	now := db.Now()
	err = db.Update(ctx, func(tx *store.Tx) error {
		changes := []change.Change{
			change.UserRegistered{User: "usr_1", Email: "ada@example.com", CanonicalEmail: "ada@example.com", PasswordHash: "-", At: now},
			change.ClientAdded{Client: "spa", Public: true, Grants: []string{oauth.RefreshTokenGrant}, Scopes: []string{"openid", "profile"},
				Audiences: []string{"https://api.example.com"}, RedirectURIs: []string{"https://app.example.com/callback"},
				Origins: []string{"https://app.example.com"}, At: now},
		}
		return tx.Apply(change.Origin{}, changes...)
	})
	if err != nil {
		b.Fatal(err)
	}
	c, err := db.Read(ctx).ClientFacts("spa")
	if err != nil {
		b.Fatal(err)
	}
	ids := make([]string, grants)
	for i := range ids {
		var raw [16]byte
		rand.Read(raw[:])
		ids[i] = "grt_" + hex.EncodeToString(raw[:])
		err = db.Update(ctx, func(tx *store.Tx) error {
			return tx.Apply(change.Origin{}, change.GrantIssued{Grant: ids[i], Client: "spa", User: "usr_1", Scope: []string{"openid", "profile"},
				Audiences: []string{"https://api.example.com"}, StatusIndex: int64(i), UserEpoch: now.UnixMicro(), ClientEpoch: c.Client.Epoch,
				GlobalEpoch: c.GlobalEpoch, AuthTime: now, At: now, ExpiresAt: now.Add(time.Hour)})
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	before := cpu()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for {
				i := next.Add(1)
				if i > int64(b.N) {
					return
				}
				id := ids[i%grants]
				err := db.Update(ctx, func(tx *store.Tx) error {
					f, err := tx.LockRefreshFacts("spa", id, "")
					if err != nil {
						return err
					}
					now, err := tx.Now()
					if err != nil {
						return err
					}
					return tx.Apply(change.Origin{}, change.GrantRotated{Grant: id, Generation: f.Grant.Generation + 1, At: now})
				})
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-µs/op")
}

func cpu() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
