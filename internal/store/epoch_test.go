package store_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/store"
	"github.com/keywright/keywright/internal/store/storetest"
)

// Whoever is ended and admitted again begins anew: what was issued before stays
// dead. The clock stands still, so that no epoch is new because the time is.
func TestWhatWasEndedStaysEnded(t *testing.T) {
	const user, client = "usr_ada", "spa"
	at := newClock().now()
	added := change.ClientAdded{Client: client, ClientMetadata: refreshing, At: at}
	ends := map[string][]change.Change{
		"person disabled and enabled":   {change.UserDisabled{User: user, At: at}, change.UserEnabled{User: user}},
		"person's sessions ended":       {change.UserSessionsEnded{User: user}},
		"person's password changed":     {change.PasswordChanged{User: user, PasswordHash: "-", At: at}},
		"person's consent withdrawn":    {change.ConsentWithdrawn{User: user, Client: client, At: at}},
		"client disabled and enabled":   {change.ClientDisabled{Client: client, At: at}, change.ClientEnabled{Client: client}},
		"client removed and added":      {change.ClientRemoved{Client: client}, added},
		"client replaced after a pause": {change.ClientDisabled{Client: client, At: at}, change.ClientEnabled{Client: client}, change.ClientRemoved{Client: client}, added},
		"everything ended":              nil,
	}
	for name, changes := range ends {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, newClock().now, func(t *testing.T, db *store.DB) {
				apply(t, db, change.UserRegistered{User: user, Email: "a@example.com", CanonicalEmail: "a@example.com", At: at}, added)
				old := granted(t, db, user, client).RefreshToken
				if !lives(t, db, grantOf(old)) {
					t.Fatal("the grant was born dead")
				}
				for _, c := range changes {
					apply(t, db, c)
					if lives(t, db, grantOf(old)) {
						t.Errorf("the grant lives after %T", c)
					}
				}
				if changes == nil {
					exec(t, db, `UPDATE epochs SET value = value + 1 WHERE name = $1`, store.GlobalEpoch)
				}
				if lives(t, db, grantOf(old)) || refresh(t, db, policy, client, old) != nil {
					t.Error("the old grant lives")
				}
				if again := granted(t, db, user, client).RefreshToken; refresh(t, db, policy, client, again) == nil {
					t.Error("a new grant does not")
				}
			})
		})
	}
}

func TestClientThatIsReplacedAgainAndAgainNeverRepeatsAnEpoch(t *testing.T) {
	storetest.Each(t, newClock().now, func(t *testing.T, db *store.DB) {
		seen := map[int64]bool{}
		see := func() {
			c, err := db.Read(context.Background()).Client("spa")
			if err != nil || seen[c.Epoch] {
				t.Fatalf("epoch %d was seen before: %v", c.Epoch, err)
			}
			seen[c.Epoch] = true
		}
		for range 5 {
			apply(t, db, change.ClientAdded{Client: "spa", At: db.Now()})
			see()
			for range 3 {
				apply(t, db, change.ClientDisabled{Client: "spa", At: db.Now()}, change.ClientEnabled{Client: "spa"})
				see()
			}
			apply(t, db, change.ClientRemoved{Client: "spa"})
		}
	})
}

// machineClient adds a client that asks for tokens of its own.
func machineClient(t testing.TB, db *store.DB, id string) {
	t.Helper()
	apply(t, db, change.ClientAdded{
		Client: id, SecretHash: oauth.SecretHash(db.Secrets().ClientSecret, "a secret"), At: db.Now(),
		ClientMetadata: change.ClientMetadata{Grants: []string{oauth.ClientCredentialsGrant}},
	})
}

// ownToken does what the token endpoint does with client_credentials.
func ownToken(t testing.TB, db *store.DB, client string) *oauth.Issue {
	t.Helper()
	req := oauth.TokenRequest{
		Client:    oauth.Credentials{ID: client, Secret: "a secret", Method: oauth.ClientSecretBasic},
		GrantType: oauth.ClientCredentialsGrant,
	}
	var outcome oauth.Outcome
	err := db.Update(context.Background(), func(tx *store.Tx) error {
		facts, err := tx.ClientFacts(client)
		if err != nil {
			return err
		}
		outcome = oauth.ClientCredentials(policy, req, facts, fresh(), db.Now())
		return tx.Apply(change.Origin{}, outcome.Changes...)
	})
	if err != nil || outcome.Answer.Issue == nil {
		t.Errorf("no token: %v %+v", err, outcome.Answer.Refused)
	}
	return outcome.Answer.Issue
}

// ownGrant returns the grant that a client's own token hangs on.
func ownGrant(t testing.TB, db *store.DB, client string) string {
	t.Helper()
	issue := ownToken(t, db, client)
	if issue == nil {
		return ""
	}
	grant, _ := oauth.GrantOfToken(issue.AccessToken.ID)
	return grant
}

func TestClientHasOneGrantOfItsOwnHoweverManyRequestsRace(t *testing.T) {
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
		machineClient(t, db, "batch")
		grants := func() map[string]bool {
			seen := make(chan string, 20)
			atOnce(cap(seen), func(int) { seen <- ownGrant(t, db, "batch") })
			close(seen)
			different := map[string]bool{}
			for grant := range seen {
				different[grant] = true
			}
			return different
		}
		first := grants()
		if len(first) != 1 {
			t.Fatalf("%d grants", len(first))
		}
		apply(t, db, change.ClientDisabled{Client: "batch", At: db.Now()}, change.ClientEnabled{Client: "batch"})
		second := grants()
		if len(second) != 1 {
			t.Fatalf("%d grants in the next epoch", len(second))
		}
		for grant := range second {
			if first[grant] || !lives(t, db, grant) {
				t.Error("the next epoch has the grant of the last")
			}
			apply(t, db, change.GrantRevoked{Grant: grant, Reason: "revocation", At: db.Now()})
			if again := ownGrant(t, db, "batch"); again == grant || !lives(t, db, again) {
				t.Error("a client whose grant was revoked gets no other")
			}
		}
		for grant := range first {
			if lives(t, db, grant) {
				t.Error("the first grant lives")
			}
		}
	})
}

func TestStatusIndexThatIsTakenIsDrawnAgain(t *testing.T) {
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
		var next atomic.Int64
		for i := range 3 {
			err := db.Update(context.Background(), func(tx *store.Tx) error {
				index := next.Load()
				next.Add(1) // what a later attempt draws
				return tx.Apply(change.Origin{}, change.GrantIssued{
					Grant: newID("grt_"), Client: "spa", User: "usr_1", StatusIndex: index / 2, At: time.UnixMicro(1),
				})
			})
			if err != nil {
				t.Errorf("grant %d: %v", i, err)
			}
		}
		if n := count(t, db, `SELECT COUNT(DISTINCT status_index) FROM grants`); n != 3 {
			t.Errorf("%d indexes for 3 grants", n)
		}
	})
}
