package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/store"
	"github.com/keywright/keywright/internal/store/storetest"
)

// What eight holders of one grant do at the same time must look as if they had
// done it one after the other, and then there is one living branch at most, and
// none after a replay, a revocation or the person's end.

// operation is what a holder asks for.
type operation struct {
	kind      string // "refresh", "revoke" or "disable"
	presented int64  // the generation of the refresh token
}

// result is what a holder sees.
type result struct {
	issued int64 // the generation of the new refresh token; 0: refused
	at     int64 // when the decision was made, in microseconds
}

// branch is the model's state: all that one living branch is.
type branch struct {
	generation, since int64
	dead              bool
}

// modelOf is DESIGN's table of refresh tokens, written once more.
func modelOf(g *holding) porcupine.Model {
	grace := g.policy.RefreshGrace.Microseconds()
	return porcupine.Model{
		Init: func() any { return branch{1, g.since, false} },
		Step: func(state, input, output any) (bool, any) {
			b, in, out := state.(branch), input.(operation), output.(result)
			if in.kind != "refresh" {
				b.dead = true
				return true, b
			}
			soon := grace > 0 && out.at-b.since <= grace
			switch {
			case b.dead:
				return out.issued == 0, b
			case in.presented > b.generation:
				return false, b // a token that is not issued yet
			case in.presented == b.generation && !soon:
				b = branch{b.generation + 1, out.at, false}
				return out.issued == b.generation, b
			case in.presented == b.generation, in.presented == b.generation-1 && (soon || grace > 0 && g.secret != ""):
				return out.issued == b.generation, b
			default:
				b.dead = true
				return out.issued == 0, b
			}
		},
		DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v -> %+v", input, output) },
		DescribeState:     func(state any) string { return fmt.Sprintf("%+v", state) },
	}
}

// A decider decides a refresh and applies its changes.
type decider func(g *holding, token string) (oauth.Outcome, time.Time, error)

// A holding is one grant and those who hold it.
type holding struct {
	db           *store.DB
	policy       oauth.Policy
	user, client string
	secret       string // of a confidential client
	since        int64
	clock        *clock
	refresh      decider

	mu     sync.Mutex
	tokens map[int64]string // every one that was issued, by its generation
	newest int64
}

const clientSecret = "a confidential client's secret"

// newHolding signs somebody new in to a new client.
func newHolding(t *testing.T, db *store.DB, clock *clock, refresh decider, r *rand.Rand) *holding {
	t.Helper()
	g := &holding{db: db, policy: policy, user: registered(t, db), client: newID("client-"), clock: clock, refresh: refresh, tokens: map[int64]string{}}
	g.policy.RefreshIdle, g.policy.RefreshAbsolute = 1<<50, 1<<50
	added := change.ClientAdded{Client: g.client, ClientMetadata: refreshing, At: db.Now()}
	if r.IntN(2) == 0 {
		g.policy.RefreshGrace = 10 * time.Second
	}
	if r.IntN(2) == 0 {
		g.secret = clientSecret
		added.Public, added.SecretHash = false, oauth.SecretHash(db.Secrets().ClientSecret, clientSecret)
	}
	apply(t, db, added)
	g.hold(granted(t, db, g.user, g.client).RefreshToken)
	g.since = db.Now().UnixMicro()
	return g
}

func (g *holding) hold(token string) (generation int64) {
	parsed, _ := oauth.ParseRefreshToken(token)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.tokens[parsed.Generation] = token
	g.newest = max(g.newest, parsed.Generation)
	return parsed.Generation
}

func (g *holding) newestToken() (token string, generation int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.tokens[g.newest], g.newest
}

func (g *holding) anyToken(r *rand.Rand) (token string, generation int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	generation = 1 + r.Int64N(g.newest)
	for g.tokens[generation] == "" { // a planted bug may leave gaps
		generation--
	}
	return g.tokens[generation], generation
}

func (g *holding) request(token string) oauth.TokenRequest {
	req := refreshRequest(g.client, token)
	if g.secret != "" {
		req.Client.Secret, req.Client.Method = g.secret, oauth.ClientSecretBasic
	}
	return req
}

func (g *holding) decide(f oauth.RefreshFacts, token string, now time.Time) oauth.Outcome {
	return oauth.Refresh(g.policy, g.request(token), f, oauth.Fresh{TokenSuffix: "x"}, now)
}

// refreshRight does what the server does.
func refreshRight(g *holding, token string) (outcome oauth.Outcome, now time.Time, err error) {
	err = g.db.Update(context.Background(), func(tx *store.Tx) error {
		f, err := tx.LockRefreshFacts(g.client, grantOf(token), "")
		if err != nil {
			return err
		}
		if now, err = tx.Now(); err != nil {
			return err
		}
		outcome = g.decide(f, token, now)
		return tx.Apply(change.Origin{}, outcome.Changes...)
	})
	return outcome, now, err
}

func (g *holding) revoke(token string) error {
	parsed, _ := oauth.ParseRefreshToken(token)
	return g.db.Update(context.Background(), func(tx *store.Tx) error {
		f, err := tx.LockRefreshFacts(g.client, parsed.GrantID, "")
		if err != nil {
			return err
		}
		now, err := tx.Now()
		if err != nil {
			return err
		}
		refusal, changes := oauth.Revoke(g.request(token).Client, oauth.PresentedToken{Refresh: &parsed}, f, now)
		if refusal != nil {
			return fmt.Errorf("revoke: %+v", refusal)
		}
		return tx.Apply(change.Origin{}, changes...)
	})
}

func (g *holding) disable() error {
	return g.db.Update(context.Background(), func(tx *store.Tx) error {
		return tx.Apply(change.Origin{}, change.UserDisabled{User: g.user, At: g.db.Now()})
	})
}

const (
	holders             = 8
	operationsPerHolder = 6
)

// history lets the holders loose on the grant and writes down what they see.
func (g *holding) history(t *testing.T, r *rand.Rand) []porcupine.Operation {
	var moment atomic.Int64
	histories := make([][]porcupine.Operation, holders)
	seeds := make([]uint64, holders)
	for i := range seeds {
		seeds[i] = r.Uint64()
	}
	calm := r.IntN(2) == 0 // nobody ends anything on purpose
	atOnce(holders, func(i int) {
		r := rand.New(rand.NewPCG(seeds[i], 0))
		mine, generation := g.newestToken()
		for range operationsPerHolder {
			in, token := operation{"refresh", generation}, mine
			switch n := r.IntN(100); {
			case n < 3, n < 10 && !calm:
				g.clock.advance(11 * time.Second)
			case n < 40: // another tab's
				token, in.presented = g.newestToken()
			case calm:
			case n < 43:
				in.kind = "revoke"
			case n < 45:
				in.kind = "disable"
			case n < 55: // one that was stolen some time ago
				token, in.presented = g.anyToken(r)
			}
			call := moment.Add(1)
			out, issued, err := g.do(in, token)
			if err != nil {
				t.Error(err)
				return
			}
			histories[i] = append(histories[i], porcupine.Operation{ClientId: i, Input: in, Call: call, Output: out, Return: moment.Add(1)})
			if out.issued != 0 {
				mine, generation = issued, out.issued
			}
		}
	})
	return slices.Concat(histories...)
}

func (g *holding) do(in operation, token string) (out result, issued string, err error) {
	switch in.kind {
	case "revoke":
		return out, "", g.revoke(token)
	case "disable":
		return out, "", g.disable()
	}
	outcome, now, err := g.refresh(g, token)
	if err != nil {
		return out, "", err
	}
	out.at = now.UnixMicro()
	if outcome.Answer.Issue != nil {
		issued = outcome.Answer.Issue.RefreshToken
		out.issued = g.hold(issued)
	}
	return out, issued, nil
}

// historiesWanted is how many each engine is tried with.
func historiesWanted(t *testing.T) int {
	text := os.Getenv("KEYWRIGHT_TEST_HISTORIES")
	if text == "" {
		return 100
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("KEYWRIGHT_TEST_HISTORIES: %v", err)
	}
	return n
}

func check(t *testing.T, g *holding, history []porcupine.Operation) bool {
	t.Helper()
	answer := porcupine.CheckOperationsTimeout(modelOf(g), history, time.Minute)
	if answer == porcupine.Unknown {
		t.Fatal("the checker took more than a minute")
	}
	return answer == porcupine.Ok
}

func TestHoldersOfOneGrantSeeOneBranch(t *testing.T) {
	clock := newClock()
	storetest.Each(t, clock.now, func(t *testing.T, db *store.DB) {
		var seen struct{ rotated, retried, refused, survived int }
		for seed := range uint64(historiesWanted(t)) {
			r := rand.New(rand.NewPCG(seed, 1))
			g := newHolding(t, db, clock, refreshRight, r)
			history := g.history(t, r)
			if !check(t, g, history) {
				t.Fatalf("seed %d, grace %v, secret %q:\n%s", seed, g.policy.RefreshGrace, g.secret, describe(history))
			}
			for _, o := range history {
				switch in, out := o.Input.(operation), o.Output.(result); {
				case in.kind != "refresh":
				case out.issued == 0:
					seen.refused++
				case out.issued == in.presented+1:
					seen.rotated++
				default:
					seen.retried++
				}
			}
			if lives(t, db, grantOf(g.tokens[1])) {
				seen.survived++
			}
		}
		t.Logf("%+v", seen)
		if seen.rotated == 0 || seen.retried == 0 || seen.refused == 0 || seen.survived == 0 {
			t.Errorf("the histories are too much alike: %+v", seen)
		}
	})
}

func describe(history []porcupine.Operation) string {
	slices.SortFunc(history, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
	var b strings.Builder
	for _, o := range history {
		fmt.Fprintf(&b, "holder %d, %d to %d: %+v -> %+v\n", o.ClientId, o.Call, o.Return, o.Input, o.Output)
	}
	return b.String()
}

// A checker must be able to fail: here are three stores that are wrong.
func TestCheckerFindsPlantedBugs(t *testing.T) {
	bugs := map[string]decider{
		"a lost update": func(g *holding, token string) (oauth.Outcome, time.Time, error) {
			f, err := g.db.Read(context.Background()).RefreshFacts(g.client, grantOf(token), "") // before the transaction
			now := g.db.Now()
			if err != nil {
				return oauth.Outcome{}, now, err
			}
			outcome := g.decide(f, token, now)
			err = g.db.Update(context.Background(), func(tx *store.Tx) error { return tx.Apply(change.Origin{}, outcome.Changes...) })
			return outcome, now, err
		},
		"a revived revocation": func(g *holding, token string) (outcome oauth.Outcome, now time.Time, err error) {
			err = g.db.Update(context.Background(), func(tx *store.Tx) error {
				f, err := tx.LockRefreshFacts(g.client, grantOf(token), "")
				if err != nil {
					return err
				}
				now = g.db.Now()
				f.Grant.RevokedAt, f.Grant.UserEpoch, f.User.Disabled = time.Time{}, f.User.Epoch, false // as a cache would have it
				outcome = g.decide(f, token, now)
				return tx.Apply(change.Origin{}, outcome.Changes...)
			})
			return outcome, now, err
		},
		"two branches": func(g *holding, token string) (outcome oauth.Outcome, now time.Time, err error) {
			err = g.db.Update(context.Background(), func(tx *store.Tx) error {
				f, err := tx.LockRefreshFacts(g.client, grantOf(token), "")
				if err != nil {
					return err
				}
				now = g.db.Now()
				outcome = g.decide(f, token, now)
				if parsed, _ := oauth.ParseRefreshToken(token); outcome.Answer.Refused != nil && len(outcome.Changes) > 0 {
					f.Grant.Generation, f.Grant.CurrentSince = parsed.Generation, time.Time{} // a replay begins a branch of its own
					outcome = g.decide(f, token, now)
					return nil
				}
				return tx.Apply(change.Origin{}, outcome.Changes...)
			})
			return outcome, now, err
		},
	}
	for name, bug := range bugs {
		t.Run(name, func(t *testing.T) {
			clock := newClock()
			storetest.Each(t, clock.now, func(t *testing.T, db *store.DB) {
				for seed := range uint64(200) {
					r := rand.New(rand.NewPCG(seed, 2))
					g := newHolding(t, db, clock, bug, r)
					if !check(t, g, g.history(t, r)) {
						t.Logf("found in history %d", seed+1)
						return
					}
				}
				t.Error("not found in 200 histories")
			})
		})
	}
}
