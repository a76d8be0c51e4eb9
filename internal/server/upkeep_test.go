package server

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/operator"
	"github.com/keywright/keywright/internal/store"
)

func TestJournalIsNumberedAndSaysWhoDidWhat(t *testing.T) {
	inEachHouse(t, func(h *house) {
		tokens := h.signIn("ada@example.com")
		h.refused(h.refresh(h.rotated(tokens.refresh).refresh+"x"), 400, "invalid_grant")
		h.refused(h.refresh(tokens.refresh), 400, "invalid_grant") // a replay
		h.admin("POST", "/users/ada@example.com/disable", nil, &operator.User{})
		if err := h.numberJournal(context.Background()); err != nil {
			h.Fatal(err)
		}
		if broken, err := h.DB.VerifyJournal(context.Background()); broken != 0 || err != nil {
			h.Errorf("the chain is broken at %d: %v", broken, err)
		}
		entries, err := h.DB.Read(context.Background()).Journal(0, 100)
		if err != nil {
			h.Fatal(err)
		}
		var names []string
		for _, e := range entries {
			names = append(names, e.Name)
		}
		want := []string{
			"signing_key.added.v1", "signing_key.added.v1", // given to the house
			"client.added.v2", "signing_key.added.v1", "signing_key.added.v1", "signing_key.added.v1", "signing_key.added.v1",
			"user.registered.v1", "grant.issued.v2", "grant.revoked.v1", "user.disabled.v1",
		}
		if !slices.Equal(names, want) {
			h.Errorf("%q, want %q", names, want)
		}
	}, grace(0))
}

func TestExpiredRowsGo(t *testing.T) {
	inEachHouse(t, func(h *house) {
		_, basic := h.machine("billing")
		person := h.signIn("ada@example.com")
		h.wantBody(h.login("ada@example.com", "wrong password"), 401, notSignedIn)
		h.ok(h.form("/revoke", []string{"token", person.access, "client_id", "direct"}))
		h.ok(h.form("/token", []string{"grant_type", "client_credentials"}, basic))
		expiry := store.NewExpiry(h.DB, h.Policy.RefreshIdle, oauth.MaxAccessTokenTTL)
		count := func() [3]int {
			if err := expire(context.Background(), expiry); err != nil {
				h.Fatal(err)
			}
			return [3]int{h.rows("attempts"), h.rows("revoked_tokens"), h.rows("grants")}
		}
		if got := count(); got != [3]int{2, 1, 2} {
			h.Errorf("what has not expired is gone: %v", got)
		}
		h.clock.advance(h.Policy.RefreshIdle + 49*time.Hour)
		count()
		if got := count(); got != [3]int{0, 0, 1} {
			h.Errorf("left are %v, want the machine's grant alone", got)
		}
	})
}

func TestUpkeepEndsWithItsContext(t *testing.T) {
	h := newHouse(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	h.Run(ctx)
}
