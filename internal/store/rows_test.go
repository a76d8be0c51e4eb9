package store_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/account"
	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/store"
	"github.com/keywright/keywright/internal/store/storetest"
)

// same fails unless a loaded value is what was stored.
func same[T any](t *testing.T, what string, err error, got, want T) {
	t.Helper()
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%s: %v\n got %s\nwant %s", what, err, spelled(got), spelled(want))
	}
}

// spelled shows a value with all that it points to.
func spelled(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%+v", v)
	}
	return string(text)
}

func TestUserIsLoadedAsRegistered(t *testing.T) {
	storetest.Each(t, newClock().now, func(t *testing.T, db *store.DB) {
		r := db.Read(context.Background())
		at := db.Now()
		apply(t, db, change.UserRegistered{
			User: "usr_1", Email: "Ada@Example.com", CanonicalEmail: "ada@example.com", Name: "Ada Löwe 🦁", PasswordHash: "$argon2id$1", At: at,
		})
		want := &account.User{
			ID: "usr_1", Email: "Ada@Example.com", Name: "Ada Löwe 🦁", PasswordHash: "$argon2id$1",
			CredentialVersion: 1, Epoch: at.UnixMicro(), CreatedAt: at, UpdatedAt: at,
		}
		got, err := r.UserByID("usr_1")
		same(t, "by id", err, got, want)
		got, err = r.UserByEmail("ada@example.com")
		same(t, "by address", err, got, want)
		err = db.Update(context.Background(), func(tx *store.Tx) error {
			got, err := tx.LockUser("usr_1")
			same(t, "locked by id", err, got, want)
			got, err = tx.LockUserByEmail("ada@example.com")
			same(t, "locked by address", err, got, want)
			got, err = tx.LockUser("usr_2")
			same(t, "locked unknown id", err, got, nil)
			got, err = tx.LockUserByEmail("Ada@Example.com")
			same(t, "locked address that is not canonical", err, got, nil)
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		got, err = r.UserByID("usr_2")
		same(t, "unknown id", err, got, nil)

		apply(t, db, change.PasswordRehashed{User: "usr_1", PasswordHash: "$argon2id$late", Version: 2})
		got, err = r.UserByID("usr_1")
		same(t, "rehashed after the credential has changed", err, got, want)
		apply(t, db, change.PasswordRehashed{User: "usr_1", PasswordHash: "$argon2id$2", Version: 1})
		want.PasswordHash = "$argon2id$2"
		got, err = r.UserByID("usr_1")
		same(t, "rehashed", err, got, want)

		apply(t, db, change.UserDisabled{User: "usr_1", At: at})
		want.Disabled, want.Epoch = true, want.Epoch+1
		got, err = r.UserByID("usr_1")
		same(t, "disabled", err, got, want)
		apply(t, db, change.UserEnabled{User: "usr_1"})
		want.Disabled = false
		got, err = r.UserByID("usr_1")
		same(t, "enabled", err, got, want)
		apply(t, db, change.UserSessionsEnded{User: "usr_1"})
		want.Epoch++
		got, err = r.UserByID("usr_1")
		same(t, "sessions ended", err, got, want)
	})
}

func TestUsersAreListedInPages(t *testing.T) {
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
		var want []string
		for range 5 {
			want = append(want, registered(t, db))
		}
		slices.Sort(want)
		var got []string
		after := ""
		for range 4 {
			page, err := db.Read(context.Background()).Users(after, 2)
			if err != nil {
				t.Fatal(err)
			}
			for _, u := range page {
				got = append(got, u.ID)
				after = u.ID
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestAddressHasOnePersonHoweverManyRegisterAtOnce(t *testing.T) {
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
		r := account.Registration{Email: "ada@example.com", Name: "Ada"}
		atOnce(20, func(int) {
			err := db.Update(context.Background(), func(tx *store.Tx) error {
				existing, err := tx.LockUserByEmail(r.Email)
				if err != nil {
					return err
				}
				return tx.Apply(change.Origin{}, account.Register(r, r.Email, "-", newID("usr_"), existing, db.Now())...)
			})
			if err != nil {
				t.Error(err)
			}
		})
		if n := count(t, db, `SELECT COUNT(*) FROM users`); n != 1 {
			t.Errorf("%d people", n)
		}
		if n := count(t, db, `SELECT COUNT(*) FROM journal WHERE name = 'user.registration_repeated.v1'`); n != 19 {
			t.Errorf("%d repeated registrations are in the journal", n)
		}
	})
}

func TestClientIsLoadedAsAdded(t *testing.T) {
	storetest.Each(t, newClock().now, func(t *testing.T, db *store.DB) {
		r := db.Read(context.Background())
		at := db.Now()
		metadata := change.ClientMetadata{
			Grants: []string{"client_credentials", "refresh_token"}, Scopes: []string{"openid", "read"},
			Audiences: []string{"https://api.example.com", "https://other.example.com"}, Serves: []string{"https://api.example.com"},
			RedirectURIs: []string{"https://app.example.com/cb?x=1", "http://127.0.0.1/cb"}, PostLogoutRedirectURIs: []string{"https://app.example.com/"},
			Origins: []string{"https://app.example.com"}, AccessTokenTTL: 90 * time.Second, RegisteredBy: oauth.ByOperator,
		}
		apply(t, db, change.ClientAdded{Client: "web", SecretHash: []byte{1, 2, 3}, RegistrationToken: []byte{4}, ClientMetadata: metadata, At: at})
		apply(t, db, change.ClientAdded{Client: "app", ClientMetadata: change.ClientMetadata{
			Public: true, Origins: []string{"https://b.example.com", "https://c.example.com"},
		}, At: at})
		web, err := r.Client("web")
		want := &oauth.Client{ID: "web", SecretHash: []byte{1, 2, 3}, RegistrationToken: []byte{4}, ClientMetadata: metadata, CreatedAt: at}
		if web == nil || web.Epoch == 0 {
			t.Fatal("it has no epoch")
		}
		want.Epoch = web.Epoch
		same(t, "added", err, web, want)
		facts, err := r.ClientFacts("web")
		same(t, "its facts", err, facts.Client, withoutToken(want))
		if facts.Grant != nil || facts.GlobalEpoch == 0 || len(facts.SecretKey) != 32 {
			t.Errorf("its facts: %+v", facts)
		}
		facts, err = r.ClientFacts("nobody")
		same(t, "the facts of nobody", err, facts.Client, nil)
		missing, err := r.Client("nobody")
		same(t, "nobody", err, missing, nil)

		all, err := r.Clients()
		if err != nil || len(all) != 2 || all[0].ID != "app" || !reflect.DeepEqual(all[1], withoutToken(want)) {
			t.Errorf("the list: %+v %v", all, err)
		}
		if app := all[0]; !app.Public || len(app.SecretHash)+len(app.Grants)+len(app.Scopes) != 0 || app.AccessTokenTTL != 0 {
			t.Errorf("a client with nothing: %+v", app)
		}

		apply(t, db, change.ClientSecretReplaced{Client: "web", SecretHash: []byte{9}})
		want.SecretHash = []byte{9}
		web, err = r.Client("web")
		same(t, "with a new secret", err, web, want)
		apply(t, db, change.ClientDisabled{Client: "web", At: at})
		want.Disabled, want.Epoch = true, want.Epoch+1
		web, err = r.Client("web")
		same(t, "disabled", err, web, want)
		apply(t, db, change.ClientEnabled{Client: "web"})
		want.Disabled = false
		err = db.Update(context.Background(), func(tx *store.Tx) error {
			web, err := tx.LockClient("web")
			same(t, "enabled", err, web, want)
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		apply(t, db, change.ClientRemoved{Client: "web"})
		web, err = r.Client("web")
		same(t, "removed", err, web, nil)
	})
}

// withoutToken is what is loaded of a client wherever nobody configures it.
func withoutToken(c *oauth.Client) *oauth.Client {
	bare := *c
	bare.RegistrationToken = nil
	return &bare
}

func TestOriginsAreThoseOfEnabledClients(t *testing.T) {
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
		r := db.Read(context.Background())
		_, before, err := r.CacheEpochs()
		if err != nil {
			t.Fatal(err)
		}
		added := func(client string, origins ...string) change.Change {
			return change.ClientAdded{Client: client, ClientMetadata: change.ClientMetadata{Origins: origins}, At: db.Now()}
		}
		steps := []struct {
			change change.Change
			want   []string
		}{
			{added("a", "https://a.example", "https://b.example"), []string{"https://a.example", "https://b.example"}},
			{added("b"), []string{"https://a.example", "https://b.example"}},
			{added("c", "https://c.example"), []string{"https://a.example", "https://b.example", "https://c.example"}},
			{change.ClientDisabled{Client: "a", At: db.Now()}, []string{"https://c.example"}},
			{change.ClientRemoved{Client: "c"}, nil},
			{change.ClientEnabled{Client: "a"}, []string{"https://a.example", "https://b.example"}},
		}
		for _, step := range steps {
			apply(t, db, step.change)
			got, err := r.Origins()
			slices.Sort(got)
			same(t, reflect.TypeOf(step.change).Name(), err, got, step.want)
			_, after, err := r.CacheEpochs()
			if err != nil || after <= before {
				t.Errorf("%T raised the epoch from %d to %d: %v", step.change, before, after, err)
			}
			before = after
		}
	})
}

func TestGrantIsLoadedAsIssued(t *testing.T) {
	clock := newClock()
	storetest.Each(t, clock.now, func(t *testing.T, db *store.DB) {
		r := db.Read(context.Background())
		user, client := registered(t, db), publicClient(t, db)
		at := db.Now()
		u, err := r.UserByID(user)
		if err != nil {
			t.Fatal(err)
		}
		f, err := r.ClientFacts(client)
		if err != nil {
			t.Fatal(err)
		}
		const claims = `{"userinfo":{"name":null}}`
		apply(t, db, change.SessionStarted{
			Session: "ses_1", User: user, SecretHash: []byte("hash"), UserEpoch: 7, GlobalEpoch: 8, At: at, ExpiresAt: at.Add(time.Hour), EndsAt: at.Add(2 * time.Hour),
		})
		apply(t, db, change.GrantIssued{
			Grant: "grt_1", Client: client, User: user, Session: "ses_1", Methods: []string{"pwd", "otp"}, Claims: claims, Scope: []string{"openid", "email"}, Audiences: []string{"https://api.example.com"},
			Random: [16]byte{1, 2, 3}, KeyID: 255, StatusIndex: 1<<31 - 1, UserEpoch: u.Epoch, ClientEpoch: f.Client.Epoch, GlobalEpoch: f.GlobalEpoch,
			AuthTime: at.Add(-time.Minute), At: at, ExpiresAt: at.Add(time.Hour),
		})
		want := oauth.GrantFacts{
			Grant: &oauth.Grant{
				ID: "grt_1", Client: client, User: user, Session: "ses_1", Methods: []string{"pwd", "otp"}, Claims: claims, Scope: []string{"openid", "email"}, Audiences: []string{"https://api.example.com"},
				Random: [16]byte{1, 2, 3}, KeyID: 255, StatusIndex: 1<<31 - 1, Generation: 1, CurrentSince: at, CreatedAt: at,
				ExpiresAt: at.Add(time.Hour), AuthTime: at.Add(-time.Minute), UserEpoch: u.Epoch, ClientEpoch: f.Client.Epoch, GlobalEpoch: f.GlobalEpoch,
			},
			Client: f.Client, User: &oauth.User{ID: user, Name: u.Name, Email: u.Email, UpdatedAt: u.UpdatedAt, Epoch: u.Epoch},
			Session: &oauth.Session{ // what tells whether it lives
				ID: "ses_1", User: user, Methods: []string{}, SeenAt: at, ExpiresAt: at.Add(time.Hour), EndsAt: at.Add(2 * time.Hour), UserEpoch: 7, GlobalEpoch: 8,
			},
			GlobalEpoch: f.GlobalEpoch,
		}
		got, err := r.GrantFacts("grt_1", "")
		same(t, "issued", err, got, want)

		clock.advance(time.Minute)
		apply(t, db, change.GrantRotated{Grant: "grt_1", Generation: 2, At: db.Now()})
		want.Grant.Generation, want.Grant.CurrentSince = 2, db.Now()
		got, err = r.GrantFacts("grt_1", "")
		same(t, "rotated", err, got, want)
		apply(t, db, change.GrantRecovered{Grant: "grt_1", Had: 2, Generation: 9, At: db.Now()})
		want.Grant.Generation = 9
		got, err = r.GrantFacts("grt_1", "")
		same(t, "recovered", err, got, want)

		for range 2 { // the second time it is known already
			apply(t, db, change.AccessTokenRevoked{Grant: "grt_1", TokenID: "t1", ExpiresAt: db.Now()})
		}
		want.TokenRevoked = true
		got, err = r.GrantFacts("grt_1", "t1")
		same(t, "with a revoked token", err, got, want)
		want.TokenRevoked = false
		got, err = r.GrantFacts("grt_1", "t2")
		same(t, "with another token", err, got, want)

		revokedAt := db.Now()
		apply(t, db, change.GrantRevoked{Grant: "grt_1", Reason: "revocation", At: revokedAt})
		clock.advance(time.Minute)
		apply(t, db, change.GrantRevoked{Grant: "grt_1", Reason: "replay", At: db.Now()})
		want.Grant.RevokedAt = revokedAt
		got, err = r.GrantFacts("grt_1", "")
		same(t, "revoked twice", err, got, want)

		apply(t, db, change.SessionEnded{Session: "ses_1", User: user, At: revokedAt})
		want.Session.EndedAt = revokedAt
		got, err = r.GrantFacts("grt_1", "")
		same(t, "in a session that ended", err, got, want)
		got, err = r.GrantFacts("grt_2", "")
		same(t, "unknown", err, got, oauth.GrantFacts{})
		apply(t, db, change.ClientRemoved{Client: client})
		want.Client = nil
		got, err = r.GrantFacts("grt_1", "")
		same(t, "without its client", err, got, want)
	})
}

func TestRefreshFactsNameTheClientThatAsks(t *testing.T) {
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
		user, mine, other := registered(t, db), publicClient(t, db), publicClient(t, db)
		grant := grantOf(granted(t, db, user, mine).RefreshToken)
		check := func(what string, facts func(client, grant, token string) (oauth.RefreshFacts, error)) {
			for _, asking := range []string{mine, other, "nobody"} {
				f, err := facts(asking, grant, "")
				if err != nil || f.Grant == nil || f.Client == nil || f.Client.ID != mine {
					t.Errorf("%s, asked by %s: %+v %v", what, asking, f, err)
				}
				if known := f.Authenticating != nil; known != (asking != "nobody") || known && f.Authenticating.ID != asking {
					t.Errorf("%s: %s is taken for %+v", what, asking, f.Authenticating)
				}
			}
			f, err := facts(other, "grt_unknown", "")
			if err != nil || f.Grant != nil || f.Client != nil || f.Authenticating == nil || len(f.SecretKey) == 0 || len(f.Key.Key) == 0 {
				t.Errorf("%s, unknown grant: %+v %v", what, f, err)
			}
		}
		check("read", db.Read(context.Background()).RefreshFacts)
		err := db.Update(context.Background(), func(tx *store.Tx) error {
			check("locked", tx.LockRefreshFacts)
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestSigningKeyIsLoadedAsAddedAndSealedInBetween(t *testing.T) {
	storetest.Each(t, newClock().now, func(t *testing.T, db *store.DB) {
		r := db.Read(context.Background())
		at := db.Now()
		life := func(id string, from time.Duration) oauth.SigningKey {
			return oauth.SigningKey{ID: id, Algorithm: "ES256", PublishedAt: at, ReadyAt: at.Add(time.Minute), SignsFrom: at.Add(from)}
		}
		add := func(k store.SigningKey) {
			apply(t, db, change.SigningKeyAdded{
				KeyID: k.ID, Algorithm: k.Algorithm, PrivateKey: k.PrivateKey, PublishedAt: k.PublishedAt, ReadyAt: k.ReadyAt, SignsFrom: k.SignsFrom,
			})
		}
		raised := epochsOfKeys(t, db)
		want := []store.SigningKey{
			{SigningKey: life("first", time.Hour), PrivateKey: []byte("private 1")},
			{SigningKey: life("second", 2*time.Hour), PrivateKey: []byte("private 2")},
		}
		add(want[1])
		raised("added")
		add(want[0])
		raised("added")
		got, err := r.SigningKeys()
		same(t, "added", err, got, want)
		var sealed []byte
		if err := r.QueryRow(`SELECT sealed FROM signing_keys WHERE kid = 'first'`).Scan(&sealed); err != nil || bytes.Contains(sealed, want[0].PrivateKey) {
			t.Errorf("it stands open in the database: %q %v", sealed, err)
		}

		apply(t, db, change.SigningKeyPromoted{KeyID: "second", SignsFrom: at})
		raised("promoted")
		want[1].SignsFrom = at
		want[0], want[1] = want[1], want[0]
		err = db.Update(context.Background(), func(tx *store.Tx) error {
			got, err := tx.LockSigningKeys()
			same(t, "promoted", err, got, want)
			return nil
		})
		if err != nil {
			t.Error(err)
		}

		exec(t, db, `UPDATE signing_keys SET sealed = (SELECT sealed FROM signing_keys WHERE kid = 'second') WHERE kid = 'first'`)
		if _, err := r.SigningKeys(); !errors.Is(err, store.ErrWrongMasterKey) {
			t.Errorf("a key that was moved to another row is taken: %v", err)
		}
		apply(t, db, change.SigningKeyRemoved{KeyID: "first"})
		raised("removed")
		got, err = r.SigningKeys()
		same(t, "removed", err, got, want[:1])
	})
}

// epochsOfKeys checks at each call that the nodes are told to load the keys again.
func epochsOfKeys(t *testing.T, db *store.DB) (raised func(what string)) {
	t.Helper()
	read := func() int64 {
		keys, _, err := db.Read(context.Background()).CacheEpochs()
		if err != nil {
			t.Fatal(err)
		}
		return keys
	}
	before := read()
	return func(what string) {
		t.Helper()
		after := read()
		if after <= before {
			t.Errorf("%s: the epoch went from %d to %d", what, before, after)
		}
		before = after
	}
}
