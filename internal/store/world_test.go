package store_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/store"
)

// A clock is the time that a test's database lives in.
type clock struct{ micros atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.micros.Store(time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC).UnixMicro())
	return c
}

func (c *clock) now() time.Time          { return time.UnixMicro(c.micros.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.micros.Add(d.Microseconds()) }

// apply commits changes made by nobody in particular.
func apply(t testing.TB, db *store.DB, changes ...change.Change) {
	t.Helper()
	err := db.Update(context.Background(), func(tx *store.Tx) error { return tx.Apply(change.Origin{}, changes...) })
	if err != nil {
		t.Fatal(err)
	}
}

func exec(t testing.TB, db *store.DB, query string, args ...any) {
	t.Helper()
	err := db.Update(context.Background(), func(tx *store.Tx) error { return tx.Exec(query, args...) })
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// count returns the one number that a query selects.
func count(t testing.TB, db *store.DB, query string, args ...any) (n int64) {
	t.Helper()
	if err := db.Read(context.Background()).QueryRow(query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

var policy = oauth.Policy{
	Issuer: "https://id.example.com", AccessTokenTTL: 10 * time.Minute,
	RefreshIdle: 14 * 24 * time.Hour, RefreshAbsolute: 90 * 24 * time.Hour,
	SessionIdle: 24 * time.Hour, SessionAbsolute: 30 * 24 * time.Hour,
}

func newID(prefix string) string {
	var raw [16]byte
	rand.Read(raw[:])
	return prefix + hex.EncodeToString(raw[:])
}

var statusIndexes atomic.Int64

func fresh() oauth.Fresh {
	f := oauth.Fresh{GrantID: newID("grt_"), StatusIndex: statusIndexes.Add(1), TokenSuffix: rand.Text()}
	rand.Read(f.Random[:])
	return f
}

// registered returns the person that it adds.
func registered(t testing.TB, db *store.DB) string {
	t.Helper()
	id := newID("usr_")
	address := id + "@example.com"
	apply(t, db, change.UserRegistered{User: id, Email: address, CanonicalEmail: address, Name: "Ada", PasswordHash: "-", At: db.Now()})
	return id
}

// refreshing is what is registered about a public client that may refresh.
var refreshing = change.ClientMetadata{Public: true, Grants: []string{oauth.RefreshTokenGrant}}

// publicClient returns the client that it adds, which may refresh.
func publicClient(t testing.TB, db *store.DB) string {
	t.Helper()
	id := newID("client-")
	apply(t, db, change.ClientAdded{Client: id, ClientMetadata: refreshing, At: db.Now()})
	return id
}

// granted signs a person in to a client and returns the grant's first tokens.
func granted(t testing.TB, db *store.DB, user, client string) *oauth.Issue {
	t.Helper()
	var outcome oauth.Outcome
	err := db.Update(context.Background(), func(tx *store.Tx) error {
		u, err := tx.LockUser(user)
		if err != nil {
			return err
		}
		facts, err := tx.ClientFacts(client)
		if err != nil {
			return err
		}
		now, err := tx.Now()
		if err != nil {
			return err
		}
		outcome = oauth.GrantDirect(policy, facts, oauth.User{ID: u.ID, Epoch: u.Epoch}, db.Secrets().Refresh, fresh(), now)
		return tx.Apply(change.Origin{}, outcome.Changes...)
	})
	if err != nil {
		t.Fatal(err)
	}
	if outcome.Answer.Issue == nil {
		t.Fatalf("no grant: %+v", outcome.Answer.Refused)
	}
	return outcome.Answer.Issue
}

// decide runs rule in a transaction and applies what it returns.
func decide(t testing.TB, db *store.DB, rule func(tx *store.Tx, now time.Time) ([]change.Change, error)) {
	t.Helper()
	err := db.Update(context.Background(), func(tx *store.Tx) error {
		now, err := tx.Now()
		if err != nil {
			return err
		}
		changes, err := rule(tx, now)
		if err != nil {
			return err
		}
		return tx.Apply(change.Origin{}, changes...)
	})
	if err != nil {
		t.Error(err)
	}
}

// refresh does what the token endpoint does with a public client's refresh
// token, and returns nil when it is refused.
func refresh(t testing.TB, db *store.DB, p oauth.Policy, client, token string) *oauth.Issue {
	t.Helper()
	var outcome oauth.Outcome
	err := db.Update(context.Background(), func(tx *store.Tx) (err error) {
		outcome, err = decideRefresh(tx, p, client, token)
		if err != nil {
			return err
		}
		return tx.Apply(change.Origin{}, outcome.Changes...)
	})
	if err != nil {
		t.Fatal(err)
	}
	return outcome.Answer.Issue
}

func decideRefresh(tx *store.Tx, p oauth.Policy, client, token string) (oauth.Outcome, error) {
	facts, err := tx.LockRefreshFacts(client, grantOf(token), "")
	if err != nil {
		return oauth.Outcome{}, err
	}
	now, err := tx.Now()
	if err != nil {
		return oauth.Outcome{}, err
	}
	return oauth.Refresh(p, refreshRequest(client, token), facts, oauth.Fresh{TokenSuffix: rand.Text()}, now), nil
}

func refreshRequest(client, token string) oauth.TokenRequest {
	return oauth.TokenRequest{
		Client:    oauth.Credentials{ID: client, Method: oauth.NoAuthentication},
		GrantType: oauth.RefreshTokenGrant, RefreshToken: token,
	}
}

func grantOf(refreshToken string) string {
	t, _ := oauth.ParseRefreshToken(refreshToken)
	return t.GrantID
}

// lives says whether an access token issued just now from a grant may be used.
func lives(t testing.TB, db *store.DB, grant string) bool {
	t.Helper()
	return tokenLives(t, db, oauth.AccessToken{ID: grant + ".x", ExpiresAt: db.Now().Add(time.Minute)})
}

// tokenLives asks both who know: GrantFacts, and TokenFacts, which loads less
// and knows no sessions.
func tokenLives(t rapid.TB, db *store.DB, token oauth.AccessToken) bool {
	t.Helper()
	grant, _ := oauth.GrantOfToken(token.ID)
	r := db.Read(context.Background())
	all, err := r.GrantFacts(grant, token.ID)
	if err != nil {
		t.Fatal(err)
	}
	few, err := r.TokenFacts(grant, token.ID)
	if err != nil {
		t.Fatal(err)
	}
	now := db.Now()
	live := all.TokenLives(token.ExpiresAt, now)
	hasSession := all.Grant != nil && all.Grant.Session != ""
	if few.TokenLives(token.ExpiresAt, now) != (live && !hasSession) || !reflect.DeepEqual(few.User, narrow(all.User)) {
		t.Fatal("TokenFacts and GrantFacts differ: ", few, all)
	}
	return live
}

// narrow returns what TokenFacts says of a person.
func narrow(u *oauth.User) *oauth.User {
	if u == nil {
		return nil
	}
	return &oauth.User{ID: u.ID, Name: u.Name, Email: u.Email, Disabled: u.Disabled, Epoch: u.Epoch}
}

// atOnce calls f n times at the same time and waits for all.
func atOnce(n int, f func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	wg.Wait()
}
