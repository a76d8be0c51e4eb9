package server

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/jose"
	"github.com/keywright/keywright/internal/keyring"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/operator"
	"github.com/keywright/keywright/internal/store"
	"github.com/keywright/keywright/resource"
)

// rsaPair is the same for all houses: to make it takes long.
var rsaPair = sync.OnceValues(func() (pair []oauth.NewKey, err error) {
	for range 2 {
		key, err := jose.GenerateKey(jose.RS256, rand.Reader)
		if err != nil {
			return nil, err
		}
		der, err := key.MarshalPKCS8()
		if err != nil {
			return nil, err
		}
		pair = append(pair, oauth.NewKey{ID: key.ID(), Algorithm: string(jose.RS256), PrivateKey: der})
	}
	return pair, nil
})

// giveRSAKeys publishes in a new database what its first server would.
func (h *house) giveRSAKeys(c Config) {
	h.Helper()
	pair, err := rsaPair()
	if err != nil {
		h.Fatal(err)
	}
	err = store.Decide(context.Background(), c.DB, change.Origin{Actor: "test"}, (*store.Tx).LockSigningKeys, func(rows []store.SigningKey, now time.Time) ([]change.Change, error) {
		if len(rows) > 0 {
			return nil, nil
		}
		return oauth.KeepKeys(nil, string(jose.RS256), pair, c.KeyLifetime, now), nil
	})
	if err != nil {
		h.Fatal(err)
	}
}

// upkeep is what Run does once a minute.
func (h *house) upkeep() {
	h.Helper()
	if err := errors.Join(h.keys.Keep(context.Background()), h.reload(context.Background())); err != nil {
		h.Fatal(err)
	}
}

// published returns the key ids that verifiers see.
func (h *house) published() (ids []string) {
	h.Helper()
	var set struct {
		Keys []map[string]string `json:"keys"`
	}
	if err := json.Unmarshal([]byte(h.ok(h.get("/jwks")).body), &set); err != nil {
		h.Fatal(err)
	}
	for _, key := range set.Keys {
		if key["use"] != "sig" || key["alg"] == "" || key["kid"] == "" || key["d"] != "" {
			h.Errorf("%v", key)
		}
		ids = append(ids, key["kid"])
	}
	return ids
}

// rotate rotates the keys, and returns the next one that signs access tokens.
func (h *house) rotate(leaked bool) (next operator.Key) {
	h.Helper()
	var rotated []operator.Key
	h.admin("POST", "/keys/rotate", operator.Rotation{Leaked: leaked}, &rotated)
	for i, view := range rotated {
		if view.Algorithm != string(keyring.Algorithms[i]) || view.ID == "" || len(rotated) != len(keyring.Algorithms) {
			h.Errorf("%+v", rotated)
		}
		if view.Algorithm == string(h.SigningAlg) {
			next = view
		}
	}
	return next
}

// signedBy returns the key id of a new token.
func (h *house) signedBy(basic option) (keyID, token string) {
	h.Helper()
	token = h.ok(h.form("/token", []string{"grant_type", "client_credentials"}, basic)).member("access_token")
	return newForger(h, token).header["kid"].(string), token
}

// TestKeysRotateByThemselves walks through four months, and has an API that knows
// nothing but the published keys look at every token. Class 2.
func TestKeysRotateByThemselves(t *testing.T) {
	inEachHouse(t, func(h *house) {
		_, basic := h.machine("billing")
		api, err := resource.New(h.Policy.Issuer, "https://api.example.com", resource.WithClock(h.clock.now), resource.WithLeeway(0))
		if err != nil {
			h.Fatal(err)
		}
		type issued struct {
			token string
			until time.Time
		}
		firstSeen := map[string]time.Time{}
		var living []issued
		signers := map[string]bool{}
		began := h.clock.now()
		for step := 0; h.clock.now().Sub(began) < 120*24*time.Hour; step++ {
			h.upkeep()
			now := h.clock.now()
			ids := h.published()
			for _, id := range ids {
				if firstSeen[id].IsZero() {
					firstSeen[id] = now
				}
			}
			id, token := h.signedBy(basic)
			if age := now.Sub(firstSeen[id]); len(signers) > 0 && !signers[id] && age < 2*oauth.JWKSMaxAge {
				h.Errorf("key %s signs %v after it was published", id, age)
			}
			signers[id] = true
			living = append(living, issued{token, now.Add(h.Policy.AccessTokenTTL)})
			living = slices.DeleteFunc(living, func(i issued) bool { return !now.Before(i.until) })
			for _, i := range living {
				if _, err := api.Verify(context.Background(), i.token); err != nil {
					h.Fatalf("step %d: a living token is refused: %v", step, err)
				}
			}
			// Small steps for an hour, then a large one.
			if step%20 == 19 {
				h.clock.advance(5 * 24 * time.Hour)
			} else {
				h.clock.advance(3 * time.Minute)
			}
		}
		if len(signers) < 4 || len(signers) > 5 {
			h.Errorf("%d keys signed in 120 days, 30 days each", len(signers))
		}
		if n := len(h.published()); n > 4*len(keyring.Algorithms) {
			h.Errorf("%d keys are published still", n)
		}
	}, func(c *Config) { c.KeyLifetime = 30 * 24 * time.Hour })
}

func TestOrderedRotationWaitsUntilVerifiersKnowTheKey(t *testing.T) {
	inEachHouse(t, func(h *house) {
		_, basic := h.machine("billing")
		h.clock.advance(time.Hour)
		h.upkeep()
		old, token := h.signedBy(basic)
		rotated := h.rotate(false)
		if !slices.Contains(h.published(), rotated.ID) || rotated.ID == old {
			h.Errorf("%+v", rotated)
		}
		if rotated.Signing { // the first pair was published long ago
			if id, _ := h.signedBy(basic); id != rotated.ID {
				h.Error("the successor does not sign")
			}
		}
		second := h.rotate(false)
		if second.Signing || second.SignsFrom.Sub(second.PublishedAt) < 2*oauth.JWKSMaxAge {
			h.Errorf("a key nobody can know signs: %+v", second)
		}
		if id, _ := h.signedBy(basic); id != rotated.ID {
			h.Error("a key nobody can know signed")
		}
		h.clock.advance(second.SignsFrom.Sub(h.clock.now()))
		if id, _ := h.signedBy(basic); id != second.ID {
			h.Error("the second successor does not sign in time")
		}
		if _, ok := h.verify(token); !ok {
			h.Error("a token of the retired key is refused")
		}
	})
}

func TestLeakedKeyIsReplacedAndItsTokensEnd(t *testing.T) {
	inEachHouse(t, func(h *house) {
		_, basic := h.machine("billing")
		var all []string
		last := ""
		for range 3 {
			h.clock.advance(time.Second)
			rotated := h.rotate(true)
			id, token := h.signedBy(basic)
			if !rotated.Signing || rotated.ID != id || slices.Contains(all, id) {
				h.Errorf("%+v, signed by %s", rotated, id)
			}
			if _, ok := h.verify(token); !ok {
				h.Error("its token is refused")
			}
			if _, ok := h.verify(last); ok {
				h.Error("a token of the leaked key is accepted")
			}
			last = token
			all = append(all, id)
		}
	})
}

// TestRotationRightAfterATakeover: the successor has just begun to sign and the
// keys were not kept since.
func TestRotationRightAfterATakeover(t *testing.T) {
	h := newHouse(t)
	h.clock.advance(30*24*time.Hour + time.Second)
	h.rotate(false)
}

func TestEveryAlgorithmHasItsKeys(t *testing.T) {
	inEachHouse(t, func(h *house) {
		now := h.clock.now()
		ids := h.published()
		if len(ids) != 6 {
			h.Errorf("published are %v", ids)
		}
		for _, algorithm := range keyring.Algorithms {
			key, err := h.keys.Signer(algorithm, now)
			if err != nil || key.Algorithm() != algorithm || !slices.Contains(ids, key.ID()) {
				h.Errorf("%s: %v, %v", algorithm, key, err)
			}
		}
		if key, err := h.keys.Signer("PS256", now); err == nil {
			h.Errorf("%v signs for another algorithm", key)
		}
		h.clock.advance(time.Second)
		h.rotate(true)
		if slices.ContainsFunc(h.published(), func(id string) bool { return slices.Contains(ids[:3], id) }) {
			h.Error("a leaked key is published")
		}
	})
}

// TestAnotherAlgorithmSignsAtOnce: verifiers have known its keys for long.
func TestAnotherAlgorithmSignsAtOnce(t *testing.T) {
	inEachHouse(t, func(h *house) {
		_, basic := h.machine("billing")
		old, token := h.signedBy(basic)
		ids := h.published()
		h.closeStore()
		h.open(func(c *Config) { c.SigningAlg = jose.EdDSA })
		id, fresh := h.signedBy(basic)
		if alg := newForger(h, fresh).header["alg"]; id == old || alg != "EdDSA" || !slices.Contains(ids, id) {
			h.Errorf("signed by %s with %v", id, alg)
		}
		if _, ok := h.verify(token); !ok {
			h.Error("a token of the old algorithm is refused")
		}
	})
}

// TestNodesShareKeysAndOrigins has two servers on one PostgreSQL.
func TestNodesShareKeysAndOrigins(t *testing.T) {
	inEachHouse(t, func(h *house) {
		if h.DB.Engine() != "postgres" {
			return
		}
		_, basic := h.machine("billing")
		other := build(h.TB, h.store, func(c *Config) { c.Policy.Issuer = h.Policy.Issuer })
		other.clock.micros.Store(h.clock.micros.Load())
		h.rotate(true)
		h.addClient(operator.Client{ID: "spa", Public: true, Origins: []string{"https://app.example.com"}})
		if other.origins.has("https://app.example.com") {
			h.Error("the other node knows too early: the test proves nothing")
		}
		other.upkeep()
		_, token := h.signedBy(basic)
		if a := other.ok(other.form("/introspect", []string{"token", token}, basic)); !strings.Contains(a.body, `"active":true`) {
			h.Error("the other node does not know the key")
		}
		if !other.origins.has("https://app.example.com") {
			h.Error("the other node does not know the origin")
		}
	})
}

// TestReloadsInParallelEndWithTheNewest: a slow reload puts no older rows over
// newer ones.
func TestReloadsInParallelEndWithTheNewest(t *testing.T) {
	h := newHouse(t)
	parallel(16, func(i int) {
		if i%4 == 0 {
			id := string(rune('a' + i))
			h.addClient(operator.Client{ID: id, Public: true, Origins: []string{"https://" + id + ".example.com"}})
			h.admin("POST", "/clients/"+id+"/disable", nil, &operator.Client{})
		} else if err := h.reload(context.Background()); err != nil {
			h.Error(err)
		}
	})
	for _, id := range []string{"a", "e", "i", "m"} {
		if h.origins.has("https://" + id + ".example.com") {
			t.Errorf("the origin of %s, which is disabled, is known still", id)
		}
	}
}

func TestPublishedDocumentsAreNotSentAgain(t *testing.T) {
	h := newHouse(t)
	for _, path := range []string{"/jwks", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"} {
		a := h.ok(h.get(path))
		etag := a.header.Get("ETag")
		if a.header.Get("Cache-Control") != "public, max-age=300" || etag == "" || a.header.Get("Content-Type") != "application/json" {
			t.Error(path, a.header)
		}
		for sent, status := range map[string]int{etag: 304, "W/" + etag: 304, `"x", ` + etag: 304, `"x"`: 200, strings.Trim(etag, `"`): 200, "": 200} {
			if again := h.get(path, header("If-None-Match", sent)); again.status != status || status == 304 && (again.body != "" || again.header.Get("ETag") != etag) {
				t.Errorf("%s, If-None-Match %s: %d", path, sent, again.status)
			}
		}
	}
	before := h.get("/jwks").header.Get("ETag")
	h.clock.advance(time.Second)
	h.rotate(true)
	if h.get("/jwks").header.Get("ETag") == before {
		t.Error("another key set has the same ETag")
	}
}

func TestMetadataIsTheSameAtBothPaths(t *testing.T) {
	h := newHouse(t)
	openID, oauth2 := h.get("/.well-known/openid-configuration"), h.get("/.well-known/oauth-authorization-server")
	if openID.body != oauth2.body {
		t.Error("they differ")
	}
	var metadata map[string]any
	if err := json.Unmarshal([]byte(openID.body), &metadata); err != nil {
		t.Fatal(err)
	}
	if metadata["issuer"] != h.Policy.Issuer {
		t.Error(metadata["issuer"])
	}
	for _, name := range []string{"token_endpoint", "jwks_uri", "revocation_endpoint", "introspection_endpoint"} {
		path, ok := strings.CutPrefix(metadata[name].(string), h.Policy.Issuer)
		if a := h.get(path); !ok || a.status == http.StatusNotFound {
			t.Errorf("%s: %v", name, metadata[name])
		}
	}
}

func TestCommandsMakeNoKeysOfTheirOwn(t *testing.T) {
	h := newHouse(t)
	read := func() []oauth.SigningKey {
		rows, err := h.DB.Read(context.Background()).SigningKeys()
		if err != nil {
			t.Fatal(err)
		}
		return keyring.Lives(rows)
	}
	before := read()
	own := operator.New(operator.Config{DB: h.DB, Hasher: h.Hasher, Keys: keyring.New(h.DB, time.Hour)})
	w := httptest.NewRecorder()
	own.ServeHTTP(w, httptest.NewRequest("GET", "/keys", nil))
	if after := read(); w.Code != http.StatusOK || !slices.Equal(after, before) {
		t.Errorf("%d: a command changed the keys: %v", w.Code, after)
	}
}
