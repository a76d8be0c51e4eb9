package store_test

import (
	"context"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/store"
	"github.com/keywright/keywright/internal/store/storetest"
)

func TestRegistrationTokenIsLoadedAsAdded(t *testing.T) {
	storetest.Each(t, newClock().now, func(t *testing.T, db *store.DB) {
		at := db.Now()
		want := &oauth.RegistrationToken{ID: "rgt_1", UsesLeft: 3, CreatedAt: at, ExpiresAt: at.Add(time.Hour)}
		apply(t, db, change.RegistrationTokenAdded{Token: "rgt_2", Hash: []byte("hash 2"), Uses: 1, At: at, ExpiresAt: at},
			change.RegistrationTokenAdded{Token: "rgt_1", Hash: []byte("hash 1"), Uses: 3, At: at, ExpiresAt: at.Add(time.Hour)})
		check := func(what string, want *oauth.RegistrationToken) {
			t.Helper()
			decide(t, db, func(tx *store.Tx, _ time.Time) ([]change.Change, error) {
				got, err := tx.LockRegistrationToken([]byte("hash 1"))
				same(t, what, err, got, want)
				got, err = tx.LockRegistrationToken([]byte("hash 3"))
				same(t, "unknown", err, got, nil)
				return nil, nil
			})
		}
		check("added", want)
		apply(t, db, change.RegistrationTokenUsed{Token: "rgt_1"})
		want.UsesLeft = 2
		check("used", want)
		all, err := db.Read(context.Background()).RegistrationTokens()
		same(t, "the list", err, all, []oauth.RegistrationToken{*want, {ID: "rgt_2", UsesLeft: 1, CreatedAt: at, ExpiresAt: at}})
		apply(t, db, change.RegistrationTokenRemoved{Token: "rgt_1"})
		check("removed", nil)
	})
}

func TestRegistrationTokenRegistersAsManyClientsAsItMay(t *testing.T) {
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
		for _, name := range []string{"rgt_1", "rgt_2", "rgt_3", "rgt_4", "rgt_5"} {
			apply(t, db, change.RegistrationTokenAdded{Token: name, Hash: []byte(name), Uses: 3, At: db.Now(), ExpiresAt: db.Now().Add(time.Hour)})
			var registered atomic.Int64
			atOnce(10, func(int) {
				var refusal *oauth.Refusal
				decide(t, db, func(tx *store.Tx, now time.Time) (changes []change.Change, err error) {
					token, err := tx.LockRegistrationToken([]byte(name))
					if err != nil {
						return nil, err
					}
					fresh := oauth.FreshClient{ID: newID("cl_"), SecretHash: []byte("secret"), TokenHash: []byte("token")}
					_, changes, refusal = oauth.Register(oauth.Registration{RedirectURIs: []string{redirectURI}}, token, fresh, now)
					return changes, nil
				})
				if refusal == nil {
					registered.Add(1)
				}
			})
			if n := registered.Load(); n != 3 {
				t.Errorf("%s registered %d", name, n)
			}
		}
		if n := count(t, db, `SELECT COUNT(*) FROM clients`); n != 15 {
			t.Errorf("%d clients are stored", n)
		}
	})
}

func TestClientAssertionIsUsedOnceHoweverManyPresentIt(t *testing.T) {
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
		for _, client := range []string{"a", "b"} { // each has ids of its own
			var accepted atomic.Int64
			atOnce(20, func(int) {
				fresh := false
				decide(t, db, func(tx *store.Tx, now time.Time) ([]change.Change, error) {
					used, err := tx.AssertionUsed(client, "jti")
					if fresh = !used; used || err != nil {
						return nil, err
					}
					return []change.Change{change.ClientAssertionUsed{Client: client, ID: "jti", ExpiresAt: now.Add(time.Minute)}}, nil
				})
				if fresh {
					accepted.Add(1)
				}
			})
			if accepted.Load() != 1 {
				t.Errorf("accepted %d times", accepted.Load())
			}
		}
		used, err := db.Read(context.Background()).AssertionUsed("a", "another")
		same(t, "another id", err, used, false)
	})
}

func TestWholeMetadataOfAClientIsLoadedAsRegistered(t *testing.T) {
	storetest.Each(t, newClock().now, func(t *testing.T, db *store.DB) {
		r := db.Read(context.Background())
		all := filled(change.ClientAdded{}).(change.ClientAdded)
		apply(t, db, all)
		check := func(what string, secret, token []byte, metadata change.ClientMetadata) {
			t.Helper()
			c, err := r.Client(all.Client)
			if err != nil {
				t.Fatal(err)
			}
			same(t, what, nil, c.ClientMetadata, metadata)
			if string(c.SecretHash) != string(secret) || string(c.RegistrationToken) != string(token) {
				t.Errorf("%s: the hashes are %q and %q", what, c.SecretHash, c.RegistrationToken)
			}
			f, err := r.ClientFacts(all.Client)
			same(t, what+", its facts", err, f.Client, withoutToken(c))
		}
		check("added", all.SecretHash, all.RegistrationToken, all.ClientMetadata)

		_, origins, err := r.CacheEpochs()
		if err != nil {
			t.Fatal(err)
		}
		next := all.ClientMetadata
		next.Public, next.Name, next.Origins, next.Trusted = false, "another", []string{"https://b.example.com"}, false
		apply(t, db, change.ClientChanged{Client: all.Client, ClientMetadata: next})
		check("changed", all.SecretHash, all.RegistrationToken, next)
		if _, after, err := r.CacheEpochs(); err != nil || after <= origins {
			t.Errorf("the epoch of origins went from %d to %d: %v", origins, after, err)
		}
		apply(t, db, change.ClientChanged{Client: all.Client, SecretHash: []byte{7}, ClientMetadata: next})
		check("with a new secret", []byte{7}, all.RegistrationToken, next)
		apply(t, db, change.ClientChanged{Client: all.Client, SecretHash: []byte{}, ClientMetadata: next})
		check("without its secret", nil, all.RegistrationToken, next)
	})
}

// A machine's requests, which are many, do not pay for what only few clients have.
func TestMetadataThatAMachineNeedsStandsInColumns(t *testing.T) {
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
		columns := change.ClientMetadata{
			Public: true, Grants: []string{oauth.ClientCredentialsGrant}, Scopes: []string{"read"}, Audiences: []string{"https://api.example.com"},
			Serves: []string{"https://api.example.com"}, RedirectURIs: []string{redirectURI}, PostLogoutRedirectURIs: []string{redirectURI},
			Origins: []string{"https://app.example.com"}, AccessTokenTTL: time.Minute, RegisteredBy: oauth.ByOperator,
		}
		apply(t, db, change.ClientAdded{Client: "batch", ClientMetadata: columns, At: db.Now()})
		if n := count(t, db, `SELECT COUNT(*) FROM clients WHERE metadata = ''`); n != 1 {
			t.Error("it has JSON")
		}
		named := columns
		named.Name = "Batch"
		apply(t, db, change.ClientChanged{Client: "batch", ClientMetadata: named})
		if n := count(t, db, `SELECT COUNT(*) FROM clients WHERE metadata LIKE '%Batch%' AND metadata NOT LIKE '%api.example%'`); n != 1 {
			t.Error("its name is not in the JSON, or all the rest is too")
		}
		apply(t, db, change.ClientChanged{Client: "batch", ClientMetadata: columns})
		c, err := db.Read(context.Background()).Client("batch")
		if err != nil || !reflect.DeepEqual(c.ClientMetadata, columns) {
			t.Errorf("%+v %v", c, err)
		}
	})
}
