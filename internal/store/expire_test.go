package store_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/store"
	"github.com/keywright/keywright/internal/store/storetest"
)

func newExpiry(db *store.DB) *store.Expiry {
	return store.NewExpiry(db, policy.RefreshIdle, policy.AccessTokenTTL)
}

// walk takes steps until there is no more to do.
func walk(t rapid.TB, e *store.Expiry) {
	t.Helper()
	for more := true; more; {
		var err error
		if more, err = e.Step(context.Background()); err != nil {
			t.Error(err)
		}
	}
}

// bareGrant inserts a grant at a place in the walk.
func bareGrant(id int, at time.Time) change.GrantIssued {
	return change.GrantIssued{
		Grant: fmt.Sprintf("grt_%06d", id), Client: "spa", User: "usr_1", StatusIndex: statusIndexes.Add(1), At: at, ExpiresAt: at.Add(policy.RefreshAbsolute),
	}
}

func TestDeadGrantsGoInSmallStepsAndLivingOnesStay(t *testing.T) {
	clock := newClock()
	storetest.Each(t, clock.now, func(t *testing.T, db *store.DB) {
		const grants = 1000
		old, young := clock.now().Add(-policy.RefreshIdle-time.Hour), clock.now()
		c := publicClient(t, db)
		var changes []change.Change
		for i := range grants {
			at := young
			if i%3 != 0 { // a step finds both, and some find nothing
				at = old
			}
			if 400 <= i && i < 700 {
				at = young
			}
			g := bareGrant(i, at)
			g.Client = c
			changes = append(changes, g)
		}
		apply(t, db, changes...)
		e := newExpiry(db)
		before := count(t, db, `SELECT COUNT(*) FROM grants`)
		for more := true; more; {
			var err error
			if more, err = e.Step(context.Background()); err != nil {
				t.Fatal(err)
			}
			after := count(t, db, `SELECT COUNT(*) FROM grants`)
			if before-after > 200 {
				t.Errorf("one step deleted %d rows", before-after)
			}
			before = after
		}
		if n := count(t, db, `SELECT COUNT(*) FROM grants WHERE created_at < $1`, young.UnixMicro()); n != 0 {
			t.Errorf("%d dead grants are left", n)
		}
		if n := count(t, db, `SELECT COUNT(*) FROM grants`); n != grants/3+1+200 {
			t.Errorf("%d grants are left", n)
		}
	})
}

func TestDeadGrantGoesADayAfterItsLastTokenHasExpired(t *testing.T) {
	const user, client = "usr_ada", "spa"
	const never = time.Duration(-1)
	cases := []struct {
		name string
		own  bool // the client's own grant, not a person's
		end  func(grant string, at time.Time) []change.Change
		dead time.Duration // how long after the end
	}{
		{"left alone", false, nil, policy.RefreshIdle},
		{"revoked", false, func(grant string, at time.Time) []change.Change {
			return []change.Change{change.GrantRevoked{Grant: grant, Reason: "revocation", At: at}}
		}, 0},
		{"its client removed", false, func(string, time.Time) []change.Change { return []change.Change{change.ClientRemoved{Client: client}} }, 0},
		{"its client disabled", false, func(_ string, at time.Time) []change.Change {
			return []change.Change{change.ClientDisabled{Client: client, At: at}}
		}, 0},
		{"its person disabled", false, func(_ string, at time.Time) []change.Change {
			return []change.Change{change.UserDisabled{User: user, At: at}}
		}, policy.RefreshIdle},
		{"a client's own, left alone", true, nil, never},
		{"a client's own, its client removed", true, func(string, time.Time) []change.Change { return []change.Change{change.ClientRemoved{Client: client}} }, 0},
		{"a client's own, of an earlier epoch", true, func(_ string, at time.Time) []change.Change {
			return []change.Change{change.ClientDisabled{Client: client, At: at}, change.ClientEnabled{Client: client}}
		}, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			clock := newClock()
			storetest.Each(t, clock.now, func(t *testing.T, db *store.DB) {
				apply(t, db,
					change.UserRegistered{User: user, Email: "a@example.com", CanonicalEmail: "a@example.com", At: db.Now()},
					change.ClientAdded{Client: client, ClientMetadata: refreshing, At: db.Now()})
				grant := grantOf(granted(t, db, user, client).RefreshToken)
				if c.own {
					f, err := db.Read(context.Background()).ClientFacts(client)
					if err != nil {
						t.Fatal(err)
					}
					grant = newID("grt_")
					apply(t, db, change.GrantIssued{Grant: grant, Client: client, StatusIndex: statusIndexes.Add(1),
						ClientEpoch: f.Client.Epoch, GlobalEpoch: f.GlobalEpoch, At: db.Now()})
				}
				if c.end != nil {
					apply(t, db, c.end(grant, db.Now())...)
				}
				left := func() bool {
					walk(t, newExpiry(db))
					return count(t, db, `SELECT COUNT(*) FROM grants WHERE id = $1`, grant) == 1
				}
				if c.dead == never {
					clock.advance(10 * 365 * 24 * time.Hour)
					if !left() || !lives(t, db, grant) {
						t.Error("a living grant was deleted")
					}
					return
				}
				clock.advance(c.dead + policy.AccessTokenTTL + 24*time.Hour - time.Minute)
				if !left() {
					t.Error("it went while a token of it could live by another node's clock")
				}
				clock.advance(time.Hour)
				if left() {
					t.Error("it is still there")
				}
			})
		})
	}
}

// expiring are the tables whose rows expire one by one, with a row of each.
var expiring = []struct {
	table string
	row   func(i int, end time.Time) change.Change
}{
	{"attempts", func(i int, end time.Time) change.Change {
		return change.AttemptsReserved{Buckets: []change.AttemptBucket{{Key: fmt.Sprint(i), Failures: 1, ExpiresAt: end}}}
	}},
	{"revoked_tokens", func(i int, end time.Time) change.Change {
		return change.AccessTokenRevoked{TokenID: fmt.Sprint(i), ExpiresAt: end}
	}},
	{"codes", func(i int, end time.Time) change.Change {
		return change.CodeIssued{Hash: fmt.Append(nil, i), Flow: fmt.Sprint(i), At: end.Add(-oauth.CodeTTL), ExpiresAt: end}
	}},
	{"client_assertions", func(i int, end time.Time) change.Change {
		return change.ClientAssertionUsed{Client: "a", ID: fmt.Sprint(i), ExpiresAt: end}
	}},
	{"sessions", func(i int, end time.Time) change.Change {
		// It fell idle long before its end.
		idle := end.Add(-policy.SessionIdle)
		return change.SessionStarted{Session: fmt.Sprint(i), SecretHash: fmt.Append(nil, i), At: idle, ExpiresAt: idle, EndsAt: end}
	}},
	{"logouts", func(i int, end time.Time) change.Change { // nobody has tried to tell
		return change.LogoutOwed{ID: fmt.Sprint(i), Client: fmt.Sprint(i), Session: "ses_1", At: end}
	}},
	{"registration_tokens", func(i int, end time.Time) change.Change {
		return change.RegistrationTokenAdded{Token: fmt.Sprint(i), Hash: fmt.Append(nil, i), At: end.Add(-time.Minute), ExpiresAt: end}
	}},
}

func TestWhatHasExpiredGoesADayLateInSmallSteps(t *testing.T) {
	const late = 24 * time.Hour
	clock := newClock()
	storetest.Each(t, clock.now, func(t *testing.T, db *store.DB) {
		early := clock.now().Add(time.Minute)
		var changes []change.Change
		for _, e := range expiring {
			for i := range 450 {
				changes = append(changes, e.row(i, early))
			}
			changes = append(changes, e.row(450, early.Add(time.Microsecond)))
		}
		apply(t, db, changes...)
		left := func(table string) int64 { return count(t, db, `SELECT COUNT(*) FROM `+table) }
		clock.advance(time.Minute + late)
		e := newExpiry(db)
		walk(t, e)
		for _, e := range expiring {
			if n := left(e.table); n != 451 {
				t.Errorf("%s: %d rows are left before a day has passed", e.table, n)
			}
		}
		clock.advance(time.Microsecond)
		for _, want := range []int64{251, 51, 1, 1} {
			if _, err := e.Step(context.Background()); err != nil {
				t.Fatal(err)
			}
			for _, e := range expiring {
				if n := left(e.table); n != want {
					t.Errorf("%s: a step left %d rows, want %d", e.table, n, want)
				}
			}
		}
	})
}

// A tokenHolder holds every token, code and cookie that was ever issued, and
// tries them all.
type tokenHolder struct {
	db      *store.DB
	policy  oauth.Policy
	access  []oauth.AccessToken
	refresh []held
	codes   []held
	cookies []string
}

type held struct{ client, token string }

func (h *tokenHolder) hold(issue *oauth.Issue) {
	if issue == nil {
		return
	}
	h.access = append(h.access, issue.AccessToken)
	if issue.RefreshToken != "" {
		h.refresh = append(h.refresh, held{issue.AccessToken.ClientID, issue.RefreshToken})
	}
}

// works returns the tokens that work now.
func (h *tokenHolder) works(t *rapid.T) []string {
	var all []string
	r := h.db.Read(context.Background())
	for _, token := range h.access {
		if tokenLives(t, h.db, token) {
			all = append(all, token.ID)
		}
	}
	for _, held := range h.refresh {
		f, err := r.RefreshFacts(held.client, grantOf(held.token), "")
		if err != nil {
			t.Fatal(err)
		}
		if oauth.Refresh(h.policy, refreshRequest(held.client, held.token), f, fresh(), h.db.Now()).Answer.Issue != nil {
			all = append(all, held.token)
		}
	}
	for _, cookie := range h.cookies {
		f, err := r.SessionFacts(cookieHash(h.db, cookie))
		if err != nil {
			t.Fatal(err)
		}
		if f.SignedIn(h.db.Now()) != nil {
			all = append(all, cookie)
		}
	}
	return append(all, h.workingCodes(t)...)
}

func (h *tokenHolder) workingCodes(t *rapid.T) (all []string) {
	err := h.db.Update(context.Background(), func(tx *store.Tx) error {
		for _, held := range h.codes {
			outcome, err := decideRedeem(tx, h.db, held.client, held.token, h.db.Now())
			if err != nil {
				return err
			}
			if outcome.Answer.Issue != nil {
				all = append(all, held.token)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (h *tokenHolder) walk(t *rapid.T) {
	before := h.works(t)
	walk(t, newExpiry(h.db))
	if after := h.works(t); !slices.Equal(before, after) {
		t.Fatalf("before the walk these worked: %v\nafter it: %v", before, after)
	}
}

// Whatever happens and whenever the walk comes by: no token works otherwise
// after it than before, and in the end only what lives is left.
func TestExpiryIsNeverNoticed(t *testing.T) {
	clock := newClock()
	storetest.Each(t, clock.now, func(t *testing.T, db *store.DB) {
		lives := 0
		rapid.Check(t, func(rt *rapid.T) {
			if lives++; lives > 25 && db.Engine() == "postgres" {
				return // each token that is tried costs a round trip
			}
			liveAndExpire(t, rt, db, clock)
		})
	})
}

func liveAndExpire(t *testing.T, rt *rapid.T, db *store.DB, clock *clock) {
	p := policy
	p.RefreshGrace = 10 * time.Second
	h := &tokenHolder{db: db, policy: p}
	users := []string{registered(t, db), registered(t, db)}
	clients := []string{webClient(t, db), webClient(t, db)}
	machine := newID("batch-")
	machineClient(t, db, machine)
	anyone := func(rt *rapid.T) string { return rapid.SampledFrom(users).Draw(rt, "user") }
	anyClient := func(rt *rapid.T) string { return rapid.SampledFrom(clients).Draw(rt, "client") }
	anyCookie := func(rt *rapid.T) string { return rapid.SampledFrom(append(h.cookies, "")).Draw(rt, "cookie") }
	exists := func(client string) bool {
		c, err := db.Read(context.Background()).Client(client)
		return err == nil && c != nil && !c.Disabled
	}
	rt.Repeat(map[string]func(*rapid.T){
		"sign in": func(rt *rapid.T) {
			if c := anyClient(rt); exists(c) {
				h.hold(granted(t, db, anyone(rt), c))
			}
		},
		"refresh": func(rt *rapid.T) {
			if len(h.refresh) > 0 {
				held := rapid.SampledFrom(h.refresh).Draw(rt, "token")
				h.hold(refresh(t, db, p, held.client, held.token))
			}
		},
		"client's own token": func(rt *rapid.T) {
			if exists(machine) {
				h.hold(ownToken(t, db, machine))
			}
		},
		"revoke a token": func(rt *rapid.T) {
			if len(h.access) > 0 {
				token := rapid.SampledFrom(h.access).Draw(rt, "token")
				apply(t, db, change.AccessTokenRevoked{TokenID: token.ID, ExpiresAt: token.ExpiresAt})
			}
		},
		"revoke a grant": func(rt *rapid.T) {
			if len(h.refresh) > 0 {
				held := rapid.SampledFrom(h.refresh).Draw(rt, "token")
				apply(t, db, change.GrantRevoked{Grant: grantOf(held.token), Reason: "revocation", At: db.Now()})
			}
		},
		"disable and enable a person": func(rt *rapid.T) {
			u := anyone(rt)
			apply(t, db, change.UserDisabled{User: u, At: db.Now()}, change.UserEnabled{User: u})
		},
		"disable and enable a client": func(rt *rapid.T) {
			c := rapid.SampledFrom(append(clients, machine)).Draw(rt, "client")
			apply(t, db, change.ClientDisabled{Client: c, At: db.Now()}, change.ClientEnabled{Client: c})
		},
		"remove or add a client": func(rt *rapid.T) {
			c := anyClient(rt)
			if exists(c) {
				apply(t, db, change.ClientRemoved{Client: c})
				return
			}
			apply(t, db, change.ClientAdded{Client: c, ClientMetadata: signing, At: db.Now()})
		},
		"sign in in a browser": func(rt *rapid.T) {
			h.cookies = append(h.cookies, signedIn(t, db, anyone(rt), anyCookie(rt)))
		},
		"sign out": func(rt *rapid.T) { signOut(t, db, anyCookie(rt)) },
		"allow an app": func(rt *rapid.T) {
			c, scope := anyClient(rt), rapid.SampledFrom([]string{"openid", "openid offline_access"}).Draw(rt, "scope")
			if code := authorize(t, db, c, anyCookie(rt), newID("flw_"), scope); code != "" {
				h.codes = append(h.codes, held{c, code})
			}
		},
		"redeem a code": func(rt *rapid.T) {
			if len(h.codes) > 0 {
				held := rapid.SampledFrom(h.codes).Draw(rt, "code")
				h.hold(redeem(t, db, held.client, held.token))
			}
		},
		"forbid an app": func(rt *rapid.T) { withdraw(t, db, anyone(rt), anyClient(rt)) },
		"time passes": func(rt *rapid.T) {
			clock.advance(rapid.SampledFrom([]time.Duration{time.Second, time.Minute, policy.AccessTokenTTL, policy.SessionIdle / 2, policy.RefreshIdle / 2, policy.RefreshIdle}).Draw(rt, "how long"))
		},
		"the walk comes by": h.walk,
	})
	h.walk(rt)
	clock.advance(10 * 365 * 24 * time.Hour)
	walk(t, newExpiry(db))
	left := count(t, db, `SELECT COUNT(*) FROM grants g WHERE g.user_id <> '' OR NOT EXISTS
		(SELECT 1 FROM clients c WHERE c.id = g.client_id AND c.epoch = g.client_epoch)`)
	left += count(t, db, `SELECT (SELECT COUNT(*) FROM codes) + (SELECT COUNT(*) FROM sessions)`)
	if left != 0 {
		rt.Fatalf("%d dead grants, codes and sessions are left", left)
	}
}
