package store_test

import (
	"context"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/store"
	"github.com/keywright/keywright/internal/store/storetest"
)

func TestCodeIsLoadedAsIssued(t *testing.T) {
	storetest.Each(t, newClock().now, func(t *testing.T, db *store.DB) {
		user, client, other, at := registered(t, db), webClient(t, db), webClient(t, db), db.Now()
		s := session(t, db, signedIn(t, db, user, ""))
		issued := change.CodeIssued{
			Hash: []byte("hash"), Flow: "flw_1", Client: client, User: user, Session: s.ID, RedirectURI: redirectURI, RedirectURISent: true,
			CodeChallenge: "challenge", Nonce: "nonce", Scope: []string{"openid", "email"}, Audiences: []string{"https://api.example.com"},
			Claims: `{"userinfo":{"name":null}}`, Methods: []string{"pwd", "otp"}, AuthTime: at.Add(-time.Hour),
			UserEpoch: 7, ClientEpoch: 8, GlobalEpoch: 9, At: at, ExpiresAt: at.Add(time.Minute),
		}
		want := &oauth.Code{
			Hash: []byte("hash"), Client: client, User: user, Session: s.ID, RedirectURI: redirectURI, RedirectURISent: true,
			CodeChallenge: "challenge", Nonce: "nonce", Scope: []string{"openid", "email"}, Audiences: []string{"https://api.example.com"},
			Claims: `{"userinfo":{"name":null}}`, Methods: []string{"pwd", "otp"}, AuthTime: at.Add(-time.Hour),
			UserEpoch: 7, ClientEpoch: 8, GlobalEpoch: 9, ExpiresAt: at.Add(time.Minute),
		}
		grantRevoked := false
		check := func(what, client, hash string, want *oauth.Code) {
			t.Helper()
			decide(t, db, func(tx *store.Tx, _ time.Time) ([]change.Change, error) {
				f, err := tx.LockCodeFacts(client, []byte(hash))
				same(t, what, err, f.Code, want)
				if known := want != nil; (f.User != nil) != known || (f.Session != nil) != known || known && (f.User.ID != user || f.Session.ID != s.ID) {
					t.Errorf("%s: with it are loaded %+v and %+v", what, f.User, f.Session)
				}
				if (f.Authenticating != nil) != (client != "nobody") || f.GlobalEpoch == 0 || len(f.SecretKey) != 32 || len(f.Key.Key) != 32 || f.GrantRevoked != grantRevoked {
					t.Errorf("%s: its facts are %+v", what, f)
				}
				return nil, nil
			})
		}
		apply(t, db, issued)
		check("issued", client, "hash", want)
		check("asked for by another client", other, "hash", want)
		check("asked for by nobody", "nobody", "hash", want)
		check("unknown", client, "hush", nil)
		apply(t, db, change.CodeRedeemed{Hash: []byte("hash"), Grant: "grt_1", At: at})
		want.Grant = "grt_1"
		apply(t, db, change.GrantIssued{Grant: "grt_1", User: user, At: at})
		check("redeemed", client, "hash", want)
		apply(t, db, change.GrantRevoked{Grant: "grt_1", At: at})
		grantRevoked = true
		check("redeemed for what has ended", client, "hash", want)
		grantRevoked = false

		issued.Hash, issued.Flow, issued.RedirectURISent = []byte("bare"), "flw_2", false
		want.Hash, want.RedirectURISent, want.Grant = []byte("bare"), false, ""
		apply(t, db, issued)
		check("of a request without redirect_uri", client, "bare", want)
	})
}

func TestAuthorizationFactsAreThoseOfTheClientTheCookieAndTheFlow(t *testing.T) {
	storetest.Each(t, newClock().now, func(t *testing.T, db *store.DB) {
		r, user, client, other := db.Read(context.Background()), registered(t, db), webClient(t, db), webClient(t, db)
		cookie := signedIn(t, db, user, "")
		authorize(t, db, client, cookie, "flw_used", "openid")
		type facts struct {
			client, signedIn, ended bool
			consented               []string
		}
		for _, c := range []struct {
			name, client, cookie, flow string
			want                       facts
		}{
			{"all", client, cookie, "flw_used", facts{true, true, true, []string{oauth.OpenID, oauth.OfflineAccess}}},
			{"a new flow", client, cookie, "flw_new", facts{true, true, false, []string{oauth.OpenID, oauth.OfflineAccess}}},
			{"another client", other, cookie, "flw_new", facts{true, true, false, nil}},
			{"no cookie", client, "", "flw_new", facts{true, false, false, nil}},
			{"an unknown client", "nobody", cookie, "flw_new", facts{false, true, false, nil}},
		} {
			check := func(f oauth.AuthorizationFacts, err error) {
				t.Helper()
				got := facts{f.Client != nil && f.Client.ID == c.client, f.Session != nil && f.User != nil && f.User.ID == user, f.FlowEnded, f.Consented}
				same(t, c.name, err, got, c.want)
			}
			check(r.AuthorizationFacts(c.client, cookieHash(db, c.cookie), c.flow))
			decide(t, db, func(tx *store.Tx, _ time.Time) ([]change.Change, error) {
				check(tx.LockAuthorizationFacts(c.client, cookieHash(db, c.cookie), c.flow))
				return nil, nil
			})
		}
		apply(t, db, change.ConsentGiven{User: user, Client: other, At: db.Now()})
		f, err := r.AuthorizationFacts(other, cookieHash(db, cookie), "flw_new")
		same(t, "a consent to nothing is one", err, f.Consented, []string{})
		apply(t, db, change.ConsentGiven{User: user, Client: other, Scope: []string{"a", "b"}, Audiences: []string{"c", "d"}, At: db.Now()})
		f, err = r.AuthorizationFacts(other, cookieHash(db, cookie), "flw_new")
		same(t, "the scope of a consent", err, f.Consented, []string{"a", "b"})
		same(t, "its audiences", err, f.ConsentedAudiences, []string{"c", "d"})
	})
}

func TestCodePresentedByManyAtOnceGivesOneGrant(t *testing.T) {
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
		client := webClient(t, db)
		code := authorize(t, db, client, signedIn(t, db, registered(t, db), ""), "flw_1", "openid offline_access")
		var issued atomic.Pointer[oauth.Issue]
		var n atomic.Int64
		atOnce(50, func(int) {
			if issue := redeem(t, db, client, code); issue != nil {
				issued.Store(issue)
				n.Add(1)
			}
		})
		if grants := count(t, db, `SELECT COUNT(*) FROM grants`); n.Load() != 1 || grants != 1 {
			t.Fatalf("%d were issued something from %d grants", n.Load(), grants)
		}
		// RFC 6749 §4.1.2: a code that is presented again takes back what it gave.
		if tokenLives(t, db, issued.Load().AccessToken) || refresh(t, db, policy, client, issued.Load().RefreshToken) != nil {
			t.Error("its grant lives after 49 replays")
		}
		if n := count(t, db, `SELECT COUNT(*) FROM journal WHERE name = 'grant.issued.v2'`); n != 1 {
			t.Errorf("the journal has %d grants", n)
		}
	})
}

func TestFlowEndsInOneCodeHoweverManyAskAtOnce(t *testing.T) {
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
		client := webClient(t, db)
		var cookies []string
		for range 4 { // people do not wait for one another
			cookies = append(cookies, signedIn(t, db, registered(t, db), ""))
		}
		for _, flow := range []string{"flw_1", "flw_2", "flw_3"} {
			var codes atomic.Int64
			atOnce(20, func(i int) {
				if authorize(t, db, client, cookies[i%len(cookies)], flow, "openid") != "" {
					codes.Add(1)
				}
			})
			if n := count(t, db, `SELECT COUNT(*) FROM codes WHERE flow_id = $1`, flow); codes.Load() != 1 || n != 1 {
				t.Errorf("%d got a code, of which %d are stored", codes.Load(), n)
			}
		}
	})
}

func TestConsentIsLoadedAsGiven(t *testing.T) {
	clock := newClock()
	storetest.Each(t, clock.now, func(t *testing.T, db *store.DB) {
		r, user, first, second := db.Read(context.Background()), registered(t, db), webClient(t, db), webClient(t, db)
		check := func(what string, want ...oauth.Consent) {
			t.Helper()
			got, err := r.Consents(user)
			same(t, what, err, got, want)
		}
		apis := []string{"https://api.example.com", "https://other.example.com"}
		of := func(client string, scope ...string) oauth.Consent {
			c, err := r.Client(client)
			if err != nil {
				t.Fatal(err)
			}
			return oauth.Consent{Client: withoutToken(c), Scope: scope, Audiences: apis, GivenAt: db.Now()}
		}
		check("none")
		apply(t, db, change.ConsentGiven{User: user, Client: first, Scope: []string{"openid"}, Audiences: apis, At: db.Now()},
			change.ConsentGiven{User: "usr_other", Client: first, Scope: []string{"openid"}, At: db.Now()})
		older := of(first, "openid")
		clock.advance(time.Minute)
		apply(t, db, change.ConsentGiven{User: user, Client: second, Scope: []string{"openid", "email"}, Audiences: apis, At: db.Now()})
		check("the last first", of(second, "openid", "email"), older)
		clock.advance(time.Minute)
		newer := of(second, "openid", "email")
		newer.GivenAt = db.Now().Add(-time.Minute)
		apis = apis[:1]
		apply(t, db, change.ConsentGiven{User: user, Client: first, Scope: []string{"openid", "phone"}, Audiences: apis, At: db.Now()})
		check("given again", of(first, "openid", "phone"), newer)
		withdraw(t, db, user, first)
		check("withdrawn", newer)
		others, err := r.Consents("usr_other")
		same(t, "of another person", err, len(others), 1)
		apply(t, db, change.ConsentsForgotten{Client: first})
		check("another client's forgotten", newer)
		apply(t, db, change.ConsentsForgotten{Client: second})
		check("forgotten")
		if n := count(t, db, `SELECT COUNT(*) FROM consents`); n != 0 {
			t.Error("another person's was not forgotten")
		}
	})
}

func TestHoldingsAreWhatAppsHoldOfAPerson(t *testing.T) {
	clock := newClock()
	storetest.Each(t, clock.now, func(t *testing.T, db *store.DB) {
		user, other, first, second := registered(t, db), registered(t, db), webClient(t, db), webClient(t, db)
		cookie := signedIn(t, db, user, "")
		check := func(what string, want ...string) {
			t.Helper()
			all, err := db.Read(context.Background()).Holdings(user)
			var got []string
			for _, h := range all {
				got = append(got, h.Client.ID+" "+strings.Join(h.Scope, " "))
			}
			same(t, what, err, got, want)
		}
		check("none")
		holds(t, db, first, cookie, "openid offline_access")
		clock.advance(time.Minute)
		last := holds(t, db, second, cookie, "openid")
		holds(t, db, second, signedIn(t, db, other, ""), "openid")
		granted(t, db, user, second) // in no session
		check("the newest first", second+" openid", first+" openid offline_access")
		apply(t, db, change.GrantRevoked{Grant: grantOf(last.RefreshToken), At: db.Now()})
		check("one revoked", first+" openid offline_access")
		apply(t, db, change.ClientDisabled{Client: first, At: db.Now()}, change.ClientEnabled{Client: first})
		check("its client's epoch ended")
		holds(t, db, first, cookie, "openid")
		check("a new one", first+" openid")
		apply(t, db, change.UserSessionsEnded{User: user})
		check("the person's epoch ended")
	})
}

func TestWithdrawnConsentEndsWhatItGave(t *testing.T) {
	storetest.Each(t, newClock().now, func(t *testing.T, db *store.DB) {
		user, other, client, kept := registered(t, db), registered(t, db), webClient(t, db), webClient(t, db)
		cookie := signedIn(t, db, user, "")
		online, offline := holds(t, db, client, cookie, "openid"), holds(t, db, client, cookie, "openid offline_access")
		direct := granted(t, db, user, client)
		code := authorize(t, db, client, cookie, "flw_1", "openid offline_access")
		living := []*oauth.Issue{
			holds(t, db, kept, cookie, "openid offline_access"), holds(t, db, client, signedIn(t, db, other, ""), "openid offline_access"),
		}
		withdraw(t, db, user, client)
		if redeem(t, db, client, code) != nil {
			t.Error("a code is redeemed")
		}
		for i, issue := range []*oauth.Issue{online, offline, direct} {
			if tokenLives(t, db, issue.AccessToken) || refresh(t, db, policy, client, issue.RefreshToken) != nil {
				t.Errorf("grant %d lives", i)
			}
		}
		for i, issue := range living {
			if !tokenLives(t, db, issue.AccessToken) {
				t.Errorf("grant %d of another app or person has ended", i)
			}
		}
		if session(t, db, cookie) == nil || !tokenLives(t, db, holds(t, db, client, cookie, "openid").AccessToken) {
			t.Error("the person cannot allow it again")
		}
	})
}

// Whether the code or the person is first: in the end the app holds nothing.
func TestWithdrawnConsentLeavesNothingHoweverItRacesWithACode(t *testing.T) {
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
		user, client := registered(t, db), webClient(t, db)
		cookie := signedIn(t, db, user, "")
		first := 0
		for range 40 {
			flow := newID("flw_")
			code := authorize(t, db, client, cookie, flow, "openid offline_access")
			var issue *oauth.Issue
			atOnce(2, func(i int) {
				if i == 0 {
					issue = redeem(t, db, client, code)
				} else {
					withdraw(t, db, user, client)
				}
			})
			if issue != nil {
				first++
			}
			if n := count(t, db, `SELECT COUNT(*) FROM grants WHERE revoked_at = 0`); n != 0 {
				t.Fatal("a grant survived")
			}
			if redeem(t, db, client, code) != nil {
				t.Fatal("the code survived")
			}
		}
		t.Logf("%d of 40 got a grant first", first)
	})
}

func TestConsentAndItsWithdrawalAtOnceLeaveBothOrNeither(t *testing.T) {
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
		user, client := registered(t, db), webClient(t, db)
		cookie := signedIn(t, db, user, "")
		for range 30 {
			var code string
			atOnce(2, func(i int) {
				if i == 0 {
					code = authorize(t, db, client, cookie, newID("flw_"), "openid offline_access")
				} else {
					withdraw(t, db, user, client)
				}
			})
			consents := count(t, db, `SELECT COUNT(*) FROM consents`)
			if works := redeem(t, db, client, code) != nil; works != (consents == 1) {
				t.Fatalf("%d consents are left, and the code works: %v", consents, works)
			}
			withdraw(t, db, user, client)
		}
	})
}

// A client that comes back under the same id is another one.
func TestRemovedClientTakesItsConsentsWithItHoweverTheyRace(t *testing.T) {
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
		user := registered(t, db)
		cookie := signedIn(t, db, user, "")
		first := 0
		for range 40 {
			client := webClient(t, db)
			var code string
			atOnce(2, func(i int) {
				if i == 0 {
					code = authorize(t, db, client, cookie, newID("flw_"), "openid")
				} else {
					apply(t, db, change.ClientRemoved{Client: client})
				}
			})
			if code != "" {
				first++
			}
			if n := count(t, db, `SELECT COUNT(*) FROM consents WHERE client_id = $1`, client); n != 0 {
				t.Fatal("a consent survived its client")
			}
			if redeem(t, db, client, code) != nil {
				t.Fatal("a code survived its client")
			}
		}
		t.Logf("%d of 40 got a code first", first)
	})
}

func TestChangesOfAPersonAreLoadedAsMade(t *testing.T) {
	clock := newClock()
	storetest.Each(t, clock.now, func(t *testing.T, db *store.DB) {
		r, user, client := db.Read(context.Background()), registered(t, db), webClient(t, db)
		cookie := signedIn(t, db, user, "")
		holds(t, db, client, cookie, "openid")
		want, err := r.UserByID(user)
		if err != nil {
			t.Fatal(err)
		}
		clock.advance(time.Minute)
		at := db.Now()
		apply(t, db, change.ProfileChanged{User: user, Name: "Ada Löwe", Phone: "+49 30 1", Address: "Straße 1\nBerlin", At: at})
		want.Name, want.Phone, want.Address, want.UpdatedAt = "Ada Löwe", "+49 30 1", "Straße 1\nBerlin", at
		exec(t, db, `UPDATE users SET email_verified_at = 1 WHERE id = $1`, user)
		want.EmailVerified = true
		got, err := r.UserByID(user)
		same(t, "with a changed profile", err, got, want)
		person := &oauth.User{
			ID: user, Name: want.Name, Email: want.Email, EmailVerified: true, Phone: want.Phone, Address: want.Address, UpdatedAt: at, Epoch: want.Epoch,
		}
		f, err := r.SessionFacts(cookieHash(db, cookie))
		same(t, "as the protocol sees them", err, f.User, person)

		clock.advance(time.Minute)
		apply(t, db, change.PasswordChanged{User: user, PasswordHash: "$argon2id$new", At: db.Now()})
		want.PasswordHash, want.CredentialVersion, want.Epoch = "$argon2id$new", want.CredentialVersion+1, want.Epoch+1
		got, err = r.UserByID(user)
		same(t, "with a new password", err, got, want)
		others, err := r.UserByID(registered(t, db))
		if err != nil || reflect.DeepEqual(others, want) || others.CredentialVersion != 1 {
			t.Errorf("another person: %+v %v", others, err)
		}
	})
}
