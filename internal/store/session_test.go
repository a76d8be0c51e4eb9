package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/store"
	"github.com/keywright/keywright/internal/store/storetest"
)

func TestSessionIsLoadedAsStarted(t *testing.T) {
	storetest.Each(t, newClock().now, func(t *testing.T, db *store.DB) {
		r, at, user := db.Read(context.Background()), db.Now(), registered(t, db)
		first := change.SessionStarted{
			Session: "ses_1", User: user, SecretHash: []byte("hash 1"), Methods: []string{"pwd", "otp"}, Browser: "Löwe on 🦁",
			UserEpoch: 7, GlobalEpoch: 9, At: at, ExpiresAt: at.Add(time.Hour), EndsAt: at.Add(2 * time.Hour),
		}
		want := &oauth.Session{
			ID: "ses_1", User: user, Methods: []string{"pwd", "otp"}, Browser: "Löwe on 🦁", AuthTime: at, CreatedAt: at, SeenAt: at,
			ExpiresAt: at.Add(time.Hour), EndsAt: at.Add(2 * time.Hour), UserEpoch: 7, GlobalEpoch: 9,
		}
		apply(t, db, first, change.SessionStarted{Session: "ses_2", User: "usr_other", SecretHash: []byte("hash 2"), At: at})
		check := func(what, hash string, want *oauth.Session) {
			t.Helper()
			f, err := r.SessionFacts([]byte(hash))
			same(t, what, err, f.Session, want)
			if f.GlobalEpoch == 0 || (f.User != nil) != (want != nil) || want != nil && f.User.ID != user {
				t.Errorf("%s: with it are loaded %+v and %d", what, f.User, f.GlobalEpoch)
			}
			decide(t, db, func(tx *store.Tx, _ time.Time) ([]change.Change, error) {
				locked, err := tx.LockSessionFacts([]byte(hash))
				same(t, what+", locked", err, locked, f)
				return nil, nil
			})
		}
		check("started", "hash 1", want)
		check("unknown", "hash 3", nil)
		check("no cookie", "", nil)

		apply(t, db, change.SessionSeen{Session: "ses_1", At: at.Add(time.Minute), ExpiresAt: at.Add(61 * time.Minute)})
		want.SeenAt, want.ExpiresAt = at.Add(time.Minute), at.Add(61*time.Minute)
		check("seen", "hash 1", want)

		later := at.Add(30 * time.Minute)
		apply(t, db, change.SessionRenewed{
			Session: "ses_1", SecretHash: []byte("hash 4"), Methods: []string{"pwd"}, UserEpoch: 8, At: later, ExpiresAt: later.Add(time.Hour), EndsAt: later.Add(3 * time.Hour),
		})
		want.Methods, want.UserEpoch, want.AuthTime, want.SeenAt = []string{"pwd"}, 8, later, later
		want.ExpiresAt, want.EndsAt = later.Add(time.Hour), later.Add(3*time.Hour)
		check("renewed", "hash 4", want)
		check("renewed, by the old cookie", "hash 1", nil)

		apply(t, db, change.SessionEnded{Session: "ses_1", User: user, At: later})
		apply(t, db, change.SessionEnded{Session: "ses_1", User: user, At: later.Add(time.Hour)})
		want.EndedAt = later
		check("ended twice", "hash 4", want)
		apply(t, db, change.SessionRenewed{Session: "ses_1", SecretHash: []byte("hash 5"), At: later})
		check("renewed after its end", "hash 5", nil)
	})
}

func TestSessionsOfAPersonAreListedLastUsedFirst(t *testing.T) {
	clock := newClock()
	storetest.Each(t, clock.now, func(t *testing.T, db *store.DB) {
		ada, bob := registered(t, db), registered(t, db)
		first, second, third := signedIn(t, db, ada, ""), signedIn(t, db, ada, ""), signedIn(t, db, ada, "")
		signedIn(t, db, bob, "")
		want := []*oauth.Session{session(t, db, second), session(t, db, third), session(t, db, first)}
		for i, s := range want {
			s.SeenAt = db.Now().Add(-time.Duration(i) * time.Minute)
			apply(t, db, change.SessionSeen{Session: s.ID, At: s.SeenAt, ExpiresAt: s.ExpiresAt})
		}
		got, err := db.Read(context.Background()).Sessions(ada)
		same(t, "all", err, got, want)
		signOut(t, db, third)
		got, err = db.Read(context.Background()).Sessions(ada)
		same(t, "without the one that ended", err, got, []*oauth.Session{want[0], want[2]})
	})
}

func TestRenewedSessionIsKnownByItsNewCookieAlone(t *testing.T) {
	clock := newClock()
	storetest.Each(t, clock.now, func(t *testing.T, db *store.DB) {
		ada, bob := registered(t, db), registered(t, db)
		first := signedIn(t, db, ada, "")
		id := session(t, db, first).ID
		second := signedIn(t, db, ada, first)
		if session(t, db, first) != nil || session(t, db, second) == nil || session(t, db, second).ID != id {
			t.Error("the same person's session was not renewed")
		}
		third := signedIn(t, db, bob, second)
		if session(t, db, second) != nil || session(t, db, third) == nil || session(t, db, third).ID == id {
			t.Error("another person has the session, or the first has it still")
		}
		if again := signedIn(t, db, ada, first); session(t, db, again) == nil || session(t, db, again).ID == id {
			t.Error("an old cookie brought a session back")
		}
	})
}

func TestSessionRenewedByManyAtOnceGoesToOne(t *testing.T) {
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
		user := registered(t, db)
		old := signedIn(t, db, user, "")
		id := session(t, db, old).ID
		cookies := make([]string, 20)
		atOnce(len(cookies), func(i int) { cookies[i] = signedIn(t, db, user, old) })
		renewed := 0
		for _, cookie := range cookies {
			s := session(t, db, cookie)
			if s == nil {
				t.Fatal("somebody who signed in is not signed in")
			}
			if s.ID == id {
				renewed++
			}
		}
		if renewed != 1 || session(t, db, old) != nil {
			t.Errorf("%d have the old session", renewed)
		}
	})
}

// ends are all ways in which a session ends before its time, and what each
// leaves of the person's other session.
var ends = []struct {
	name   string
	others bool // live on
	end    func(t *testing.T, db *store.DB, user, cookie string)
}{
	{"signed out", true, func(t *testing.T, db *store.DB, _, cookie string) { signOut(t, db, cookie) }},
	{"person's sessions ended", false, func(t *testing.T, db *store.DB, user, _ string) { apply(t, db, change.UserSessionsEnded{User: user}) }},
	{"password changed", false, func(t *testing.T, db *store.DB, user, _ string) {
		apply(t, db, change.PasswordChanged{User: user, PasswordHash: "-", At: db.Now()})
	}},
	{"person disabled and enabled", false, func(t *testing.T, db *store.DB, user, _ string) {
		apply(t, db, change.UserDisabled{User: user, At: db.Now()}, change.UserEnabled{User: user})
	}},
	{"everything ended", false, func(t *testing.T, db *store.DB, _, _ string) {
		exec(t, db, `UPDATE epochs SET value = value + 1 WHERE name = $1`, store.GlobalEpoch)
	}},
}

func TestEndedSessionTakesItsGrantsWithIt(t *testing.T) {
	storetest.Each(t, newClock().now, func(t *testing.T, db *store.DB) {
		client := webClient(t, db)
		for _, c := range ends {
			t.Run(c.name, func(t *testing.T) {
				user := registered(t, db)
				cookie, other := signedIn(t, db, user, ""), signedIn(t, db, user, "")
				online, offline := holds(t, db, client, cookie, "openid"), holds(t, db, client, cookie, "openid offline_access")
				elsewhere := holds(t, db, client, other, "openid")
				waiting := authorize(t, db, client, cookie, newID("flw_"), "openid offline_access")
				all := []*oauth.Issue{online, offline, elsewhere}
				for i, issue := range all {
					if !tokenLives(t, db, issue.AccessToken) {
						t.Fatalf("grant %d was born dead", i)
					}
				}
				c.end(t, db, user, cookie)
				if session(t, db, cookie) != nil || authorize(t, db, client, cookie, newID("flw_"), "openid") != "" {
					t.Error("the session lives")
				}
				if (session(t, db, other) != nil) != c.others {
					t.Errorf("the other session lives: %v", !c.others)
				}
				if redeem(t, db, client, waiting) != nil {
					t.Error("a code of the session is redeemed")
				}
				for i, live := range []bool{false, c.others, c.others} {
					if tokenLives(t, db, all[i].AccessToken) != live || (refresh(t, db, policy, client, all[i].RefreshToken) != nil) != live {
						t.Errorf("grant %d lives: %v", i, !live)
					}
				}
				if again := signedIn(t, db, user, cookie); session(t, db, again) == nil {
					t.Error("the person cannot sign in again")
				}
			})
		}
	})
}

func TestSessionEndsWhenItIsNotUsedAndHoweverItIsUsed(t *testing.T) {
	clock := newClock()
	storetest.Each(t, clock.now, func(t *testing.T, db *store.DB) {
		user, client := registered(t, db), webClient(t, db)
		idle := signedIn(t, db, user, "")
		forgotten := holds(t, db, client, idle, "openid")
		used := signedIn(t, db, user, "")
		held := holds(t, db, client, used, "openid")
		const step = 23 * time.Hour
		steps := int(policy.SessionAbsolute / step)
		for i := range steps {
			clock.advance(step)
			if (session(t, db, idle) != nil) != (i == 0) || tokenLives(t, db, renewed(forgotten, db)) != (i == 0) {
				t.Errorf("after %d times %v, the unused session or its grant is what it must not be", i+1, step)
			}
			if held = refresh(t, db, policy, client, held.RefreshToken); held == nil || session(t, db, used) == nil {
				t.Fatalf("after %d times %v the session that is used has ended", i+1, step)
			}
		}
		clock.advance(policy.SessionAbsolute - time.Duration(steps)*step)
		if session(t, db, used) != nil || refresh(t, db, policy, client, held.RefreshToken) != nil {
			t.Error("a session that is used has no end")
		}
	})
}

// renewed is an issue's access token as if it had not expired.
func renewed(issue *oauth.Issue, db *store.DB) oauth.AccessToken {
	token := issue.AccessToken
	token.ExpiresAt = db.Now().Add(time.Minute)
	return token
}

func TestClientsOfASessionAreThoseThatHoldSomething(t *testing.T) {
	storetest.Each(t, newClock().now, func(t *testing.T, db *store.DB) {
		r := db.Read(context.Background())
		user, first, second := registered(t, db), webClient(t, db), webClient(t, db)
		cookie, other := signedIn(t, db, user, ""), signedIn(t, db, user, "")
		id := session(t, db, cookie).ID
		holds(t, db, first, cookie, "openid")
		holds(t, db, first, cookie, "openid")
		holds(t, db, second, other, "openid")
		granted(t, db, user, second)                              // in no session
		authorize(t, db, second, cookie, newID("flw_"), "openid") // no grant yet
		clients, err := r.SessionClients(id)
		if err != nil || len(clients) != 1 || clients[0].ID != first {
			t.Errorf("%+v %v", clients, err)
		}
		got, err := r.ClientsOfSession(id)
		same(t, "to be told", err, got, []store.SessionClient{{Client: first, User: user, Session: id}})
		got, err = r.ClientsOfSession("")
		same(t, "of no session", err, got, nil)
	})
}

// What is issued in a session that is being ended is either refused, or known
// to whoever tells its clients afterwards.
func TestClientThatGetsItsGrantWhileTheSessionEndsIsToldOrRefused(t *testing.T) {
	for _, c := range ends[:2] {
		t.Run(c.name, func(t *testing.T) {
			storetest.Each(t, newClock().now, func(t *testing.T, db *store.DB) {
				client := webClient(t, db)
				told := 0
				for range 25 {
					user := registered(t, db)
					cookie := signedIn(t, db, user, "")
					id := session(t, db, cookie).ID
					code := authorize(t, db, client, cookie, newID("flw_"), "openid")
					var issue *oauth.Issue
					var hear []store.SessionClient
					atOnce(2, func(i int) {
						if i == 0 {
							issue = redeem(t, db, client, code)
							return
						}
						c.end(t, db, user, cookie)
						hear = clientsToTell(t, db, user, id, c.others)
					})
					if issue != nil && len(hear) != 1 || issue == nil && len(hear) != 0 {
						t.Fatalf("issued: %v; told: %v", issue != nil, hear)
					}
					told += len(hear)
				}
				t.Logf("%d of 25 got a grant first", told)
			})
		})
	}
}

func clientsToTell(t *testing.T, db *store.DB, user, session string, alone bool) []store.SessionClient {
	r := db.Read(context.Background())
	clients, err := r.ClientsOfUser(user)
	if alone {
		clients, err = r.ClientsOfSession(session)
	}
	if err != nil {
		t.Error(err)
	}
	return clients
}

// Whoever is told that a person's sessions ended may be told late: the sessions
// that the person has begun since are not meant.
func TestSessionBegunAfterAllOthersEndedIsNotAmongThem(t *testing.T) {
	storetest.Each(t, newClock().now, func(t *testing.T, db *store.DB) {
		for _, c := range ends[1:4] {
			user, client := registered(t, db), webClient(t, db)
			old, out := signedIn(t, db, user, ""), signedIn(t, db, user, "")
			id := session(t, db, old).ID
			holds(t, db, client, old, "openid")
			holds(t, db, client, out, "openid")
			signOut(t, db, out) // which its clients hear by itself
			if got := clientsToTell(t, db, user, "", false); len(got) != 0 {
				t.Errorf("%s: before it, %v", c.name, got)
			}
			c.end(t, db, user, "")
			holds(t, db, client, signedIn(t, db, user, ""), "openid")
			got := clientsToTell(t, db, user, "", false)
			same(t, c.name, nil, got, []store.SessionClient{{Client: client, User: user, Session: id}})
		}
	})
}
