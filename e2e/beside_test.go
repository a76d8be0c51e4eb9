package e2e

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestFiftyClientsAreAddedBesideAFullRotationLoad(t *testing.T) {
	p := startDev(t, t.TempDir(), []string{strict})
	ctx, stop := context.WithCancel(context.Background())
	var rotations, failures atomic.Int64
	var load sync.WaitGroup
	for n := range 64 {
		who := newPerson(n)
		must(t, 200)(p.register(who))
		first, status, err := p.signIn(who)
		must(t, 200)(status, err)
		load.Go(func() {
			for token := first.Refresh; ctx.Err() == nil; rotations.Add(1) {
				next, status, err := p.refresh(token)
				if err != nil || status != http.StatusOK {
					failures.Add(1)
					return
				}
				token = next.Refresh
			}
		})
	}
	var slowest time.Duration
	for n := range 50 {
		began := time.Now()
		err := p.command(nil, "client", "add", "--id", fmt.Sprint("beside-", n), "--grant", "client_credentials", "--json")
		took := time.Since(began)
		if err != nil {
			t.Error(err)
		}
		if took > time.Second {
			t.Errorf("client %d took %v", n, took)
		}
		slowest = max(slowest, took)
	}
	stop()
	load.Wait()
	t.Logf("slowest client add %v beside %d rotations", slowest, rotations.Load())
	if failures.Load() > 0 {
		t.Errorf("%d rotation chains broke\n%s", failures.Load(), p.log)
	}
	var clients []struct{}
	if err := p.command(&clients, "client", "list", "--json"); err != nil || len(clients) != 51 {
		t.Errorf("%d clients are listed, not 50 and the built-in one: %v", len(clients), err)
	}
}
