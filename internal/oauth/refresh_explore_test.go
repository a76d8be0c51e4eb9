package oauth

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/change"
)

// The refresh rule, explored to a fixed point: every state that any sequence of
// requests, lost answers, clock steps, revocations and lost commits can reach.
//
// A world is one grant, since a decision reads no other. Its client is honest
// and has two holders (tabs or processes), each with a token of its own. A thief
// has every token that was ever handed out, and presents any of them as the
// client (of a confidential one the secret was stolen, too), without the right
// secret, or as another client.
//
// A world is finite because the rule looks at differences only: generations
// count from the row's and are told apart down to three below, and ages are
// rounded to what the rule compares them with.

const (
	halfIdle = time.Hour
	idle     = 2 * halfIdle
	absolute = 3 * halfIdle
	farAhead = -halfIdle
	ancient  = -3 // this generation or an older one
	maxLag   = 2  // generations that a failover may lose
	highest  = 2 * maxLag
)

// world is one state. Generations are relative to the row's.
type world struct {
	row     row
	replica row           // what is left when the database loses commits
	born    time.Duration // age of the grant in whole halfIdles
	held    [2]int8       // the token of each honest holder
	oldest  int8          // generation ever handed out
	newest  int8
}

// row is what the database knows of the grant, and of what it depends on.
type row struct {
	generation int8 // 0, but for a replica
	age        time.Duration
	revoked    bool
	fate       fate
	ended      bool // not a column: something happened after which nothing may be bought
}

type fate uint8

const (
	nothing fate = iota
	userDisabled
	userEnabledAgain
	backupRestored
)

// rule is Refresh, or a broken variant of it.
type rule func(Policy, TokenRequest, RefreshFacts, Fresh, time.Time) Outcome

// explorer walks through all worlds of one policy and kind of client.
type explorer struct {
	rule   rule
	policy Policy
	client *Client
	steps  []step
	cache  map[question]answer

	seen  map[world]bool
	queue []visit
}

// visit is how a world was reached: from another in the queue, by a step.
type visit struct {
	world world
	from  int
	step  int
	depth int
}

// step is something that may happen in a world.
type step struct {
	name   string
	happen func(world) (next world, possible bool, violation string)
}

// question is all that one decision about a token depends on.
type question struct {
	age, born time.Duration
	revoked   bool
	fate      fate
	presented int8
}

// answer is what came of it, in generations relative to the row's.
type answer struct {
	ok       bool
	handed   int8
	moved    int8
	revoked  bool
	recovery bool

	revocable bool   // Revoke ends the grant with this token
	broken    string // a violation that the answer alone shows
}

func newExplorer(rule rule, grace time.Duration, public bool) *explorer {
	e := &explorer{
		rule: rule, policy: policy, client: worker(),
		cache: map[question]answer{}, seen: map[world]bool{},
	}
	if public {
		e.client = app()
	}
	e.policy.RefreshGrace, e.policy.RefreshIdle, e.policy.RefreshAbsolute = grace, idle, absolute
	e.steps = slices.Concat(e.honestSteps(), e.thiefSteps(), e.clockSteps(), e.operatorSteps())
	return e
}

// run explores until nothing new is found, and returns the first violation with
// the steps that lead to it.
func (e *explorer) run() (violation string, steps []string) {
	e.visit(visit{from: -1})
	for i := 0; i < len(e.queue); i++ {
		w, depth := e.queue[i].world, e.queue[i].depth
		if violation := e.oneLeaf(w); violation != "" {
			return violation, e.path(i)
		}
		for s, step := range e.steps {
			next, possible, violation := step.happen(w)
			if violation != "" {
				return violation, append(e.path(i), step.name)
			}
			if possible && next != w {
				e.visit(visit{next, i, s, depth + 1})
			}
		}
	}
	return "", nil
}

func (e *explorer) visit(v visit) {
	held := &v.world.held
	if held[0] > held[1] {
		held[0], held[1] = held[1], held[0] // the holders are alike
	}
	if v.world.row.ended && v.world.replica.ended {
		*held = [2]int8{} // nothing is promised to them any more, and the thief has the same tokens
	}
	if !e.seen[v.world] {
		e.seen[v.world] = true
		e.queue = append(e.queue, v)
	}
}

func (e *explorer) path(i int) (steps []string) {
	for ; e.queue[i].from >= 0; i = e.queue[i].from {
		steps = append(steps, e.steps[e.queue[i].step].name)
	}
	slices.Reverse(steps)
	return steps
}

func (e *explorer) depth() int { return e.queue[len(e.queue)-1].depth }

func (e *explorer) honestSteps() (steps []step) {
	for holder := range (world{}).held {
		for _, lost := range []bool{false, true} {
			steps = append(steps, step{fmt.Sprintf("holder %d refreshes, answer lost: %t", holder, lost), func(w world) (world, bool, string) {
				next, violation := e.honestRefresh(w, holder, lost)
				return next, true, violation
			}})
		}
	}
	return steps
}

func (e *explorer) thiefSteps() (steps []step) {
	for presented := int8(ancient); presented <= highest; presented++ {
		steps = append(steps, step{fmt.Sprintf("a thief presents %+d", presented), func(w world) (world, bool, string) {
			if presented < w.oldest || presented > w.newest {
				return w, false, ""
			}
			next, _, violation := e.refresh(w, presented)
			return next, true, violation
		}})
	}
	return steps
}

func (e *explorer) clockSteps() (steps []step) {
	g := e.policy.RefreshGrace
	for _, by := range []time.Duration{g / 2, g, g + time.Microsecond, halfIdle, idle, absolute, -g / 2, -g - time.Microsecond, farAhead} {
		if by == 0 {
			continue
		}
		steps = append(steps, step{fmt.Sprintf("the clock moves by %v", by), func(w world) (world, bool, string) {
			return e.later(w, by), true, ""
		}})
	}
	return steps
}

func (e *explorer) operatorSteps() []step {
	return []step{
		{"the client revokes", e.revoke},
		{"the replica catches up", func(w world) (world, bool, string) {
			w.replica = w.row
			return w, true, ""
		}},
		{"commits are lost", func(w world) (world, bool, string) {
			w = w.shifted(-w.replica.generation)
			w.row = w.replica
			return w, true, ""
		}},
		{"a backup is restored", func(w world) (world, bool, string) {
			w = w.shifted(-w.replica.generation)
			w.row = w.replica
			w.row.fate, w.row.ended = backupRestored, true
			w.replica = w.row
			return w, true, ""
		}},
		{"the user is disabled", turns(nothing, userDisabled)},
		{"the user is enabled", turns(userDisabled, userEnabledAgain)},
	}
}

func turns(from, to fate) func(world) (world, bool, string) {
	return func(w world) (world, bool, string) {
		possible := w.row.fate == from
		w.row.fate, w.row.ended = to, true
		return w, possible, ""
	}
}

// revoke asks Revoke itself, with a token that is spent already.
func (e *explorer) revoke(w world) (world, bool, string) {
	w.row.revoked = w.row.revoked || e.ask(w, -1).revocable
	w.row.ended = true
	return w, true, ""
}

// refresh presents a token and checks what every refresh must keep to.
func (e *explorer) refresh(w world, presented int8) (next world, a answer, violation string) {
	a = e.ask(w, presented)
	replay := !w.ended(e) && !e.worksNow(w, presented)
	switch changed := a.moved != 0 || a.revoked; {
	case a.broken != "":
		violation = a.broken
	case !a.ok && changed && !replay:
		violation = "a failure changes something"
	case a.ok && w.row.ended:
		violation = "something is bought after a replay or revocation"
	case a.ok && w.born >= absolute:
		violation = "the absolute lifetime is extended"
	case a.ok && w.row.age >= idle:
		violation = "an idle grant is revived"
	case a.ok && presented <= -2:
		violation = "something is bought with a token two generations old"
	case a.ok && replay:
		violation = "something is bought with a spent token"
	case a.ok && a.handed != a.moved:
		violation = "a token is handed out that is not the current one"
	case a.moved != 0 && !a.recovery && presented != 0:
		violation = "the grant moves on by a token that is not current"
	case a.ok && presented == 0 && a.moved == 0 && !e.soon(w):
		violation = "a token works twice"
	case a.moved != 0 && !a.recovery && e.soon(w):
		violation = "the grant moves twice within the grace"
	}
	if replay {
		w.row.ended = true
	}
	if a.moved != 0 {
		w = w.shifted(-a.moved)
		w.row.generation, w.row.age = 0, 0
		w.newest = max(w.newest, 0)
	}
	w.row.revoked = w.row.revoked || a.revoked
	if w.replica.generation < -maxLag {
		w.replica = w.row // it has caught up
	}
	return w, a, violation
}

// worksNow says what is promised to a holder: the current token works, one that
// was just spent works while a retry is allowed, and so does one whose commit
// was lost.
func (e *explorer) worksNow(w world, presented int8) bool {
	return presented >= 0 || presented == -1 && (e.soon(w) || e.policy.RefreshGrace > 0 && !e.client.Public)
}

func (e *explorer) soon(w world) bool {
	return e.policy.RefreshGrace > 0 && w.row.age.Abs() <= e.policy.RefreshGrace
}

// ended says whether the grant is over, by whatever happened or by time.
func (w world) ended(e *explorer) bool {
	return w.row.ended || w.born >= absolute || w.row.age >= idle
}

func (e *explorer) honestRefresh(w world, holder int, lost bool) (next world, violation string) {
	presented := w.held[holder]
	next, a, violation := e.refresh(w, presented)
	switch {
	case violation != "":
		return next, violation
	case !a.ok && !w.ended(e) && e.worksNow(w, presented):
		return next, "an honest client is signed out inside the grace"
	case a.ok && !lost:
		next.held[holder] = a.handed - a.moved
	}
	return next, ""
}

// oneLeaf checks that, once the grace is over, at most one of the tokens ever
// handed out moves the grant on. (One above the row's generation exists only
// where commits were lost.)
func (e *explorer) oneLeaf(w world) (violation string) {
	later := w
	later.row.age = e.policy.RefreshGrace + time.Microsecond
	var leaves []int8
	for presented := w.oldest; presented <= min(w.newest, 0); presented++ {
		if a := e.ask(later, presented); a.ok && a.moved > 0 {
			leaves = append(leaves, presented)
		}
	}
	switch {
	case len(leaves) > 1:
		return fmt.Sprintf("there are two live branches: %v", leaves)
	case w.newest > highest:
		return "the thief has tokens that no step presents"
	}
	return ""
}

// shifted counts all generations anew, from a row that moved by -by.
func (w world) shifted(by int8) world {
	for _, generation := range []*int8{&w.held[0], &w.held[1], &w.oldest, &w.newest} {
		*generation = max(*generation+by, ancient)
	}
	w.row.generation += by
	w.replica.generation += by
	return w
}

// later moves the clock.
func (e *explorer) later(w world, step time.Duration) world {
	w.row.age, w.replica.age = e.round(w.row.age+step), e.round(w.replica.age+step)
	w.born = min(max(w.born+step.Truncate(halfIdle), 0), absolute)
	return w
}

// round keeps of an age only what the rule can tell apart.
func (e *explorer) round(age time.Duration) time.Duration {
	g := e.policy.RefreshGrace
	switch distance := age.Abs(); {
	case age == 0:
		return 0
	case distance <= g:
		return age.Truncate(g / 2)
	case age >= halfIdle:
		return min(age.Truncate(halfIdle), idle)
	case age > 0:
		return g + time.Microsecond
	case distance < halfIdle/2:
		return -g - time.Microsecond
	default:
		return farAhead
	}
}

// ask lets the rule decide, once for each question.
func (e *explorer) ask(w world, presented int8) answer {
	q := question{w.row.age, w.born, w.row.revoked, w.row.fate, presented}
	a, ok := e.cache[q]
	if !ok {
		a = e.decide(q)
		e.cache[q] = a
	}
	return a
}

// decide makes the rows that a question stands for, and asks the rule for all
// scopes, for fewer and for more than were granted, and in another's name.
func (e *explorer) decide(q question) answer {
	f, now := e.facts(q)
	token := refreshKey.derive(f.Grant, f.Grant.Generation+int64(q.presented))
	own, foreign, wrong := e.credentials()
	ask := func(creds Credentials, client *Client, scope string) Outcome {
		f := f
		f.Authenticating = client
		return e.rule(e.policy, TokenRequest{Client: creds, RefreshToken: token, Scope: scope}, f, drawn, now)
	}
	a := e.read(f.Grant, ask(own, f.Client, ""), f.Grant.Scope)
	parsed, _ := ParseRefreshToken(token)
	_, revocation := Revoke(own, PresentedToken{Refresh: &parsed}, f, now)
	switch {
	case a.broken != "":
	case e.read(f.Grant, ask(own, f.Client, "read"), []string{"read"}) != a:
		a.broken = "the scope asked for changes more than the scope"
	case !refusedUnchanged(ask(own, f.Client, "read write admin")):
		a.broken = "the scope is widened, or the attempt changes something"
	case !refusedUnchanged(ask(wrong, f.Client, "")):
		a.broken = "a thief without the client's proof is served, or changes something"
	case !refusedUnchanged(ask(foreign, otherThan(f.Client), "")):
		a.broken = "another client is served, or changes something"
	}
	a.revocable = len(revocation) == 1
	return a
}

func refusedUnchanged(o Outcome) bool { return o.Answer.Refused != nil && len(o.Changes) == 0 }

func otherThan(c *Client) *Client {
	if c.Public {
		return worker()
	}
	return app()
}

// facts are the rows of a question, at a time.
func (e *explorer) facts(q question) (f RefreshFacts, now time.Time) {
	f, now = factsOf(e.client), noon
	client, user := *e.client, ada()
	f.Client, f.Authenticating, f.User = &client, &client, user
	f.Grant.Generation = 1000
	f.Grant.CurrentSince = now.Add(-q.age)
	f.Grant.CreatedAt = now.Add(-q.born - 3*e.policy.RefreshGrace)
	f.Grant.ExpiresAt = f.Grant.CreatedAt.Add(absolute)
	if q.revoked {
		f.Grant.RevokedAt = now
	}
	switch q.fate {
	case userDisabled:
		user.Disabled = true
		user.Epoch++
	case userEnabledAgain:
		user.Epoch++
	case backupRestored:
		f.GlobalEpoch++
	}
	return f, now
}

// credentials are the client's own, those of another client, and the client's
// with the wrong proof.
func (e *explorer) credentials() (own, foreign, wrong Credentials) {
	if e.client.Public {
		own, foreign, wrong = appCredentials(), workerCredentials(), appCredentials()
		wrong.Method, wrong.Secret = ClientSecretPost, "guessed"
		return own, foreign, wrong
	}
	own, foreign, wrong = workerCredentials(), appCredentials(), workerCredentials()
	wrong.Secret = "guessed"
	return own, foreign, wrong
}

// read says what an outcome does, relative to the grant it was decided on.
func (e *explorer) read(g *Grant, o Outcome, scope []string) (a answer) {
	relative := func(generation int64) int8 { return int8(generation - g.Generation) }
	for _, c := range o.Changes {
		switch c := c.(type) {
		case change.GrantRotated:
			a.moved = relative(c.Generation)
		case change.GrantRecovered:
			a.moved, a.recovery = relative(c.Generation), true
		case change.GrantRevoked:
			a.revoked = true
		default:
			a.broken = fmt.Sprintf("a refresh changes %T", c)
		}
	}
	issue := o.Answer.Issue
	if issue == nil {
		return a
	}
	token, _ := ParseRefreshToken(issue.RefreshToken)
	a.ok, a.handed = true, relative(token.Generation)
	switch {
	case !refreshKey.genuine(token, g):
		a.broken = "the token handed out is not of this grant"
	case !slices.Equal(issue.AccessToken.Scope, scope):
		a.broken = fmt.Sprintf("the scope is %v, not %v", issue.AccessToken.Scope, scope)
	case issue.AccessToken.ExpiresAt.After(g.ExpiresAt):
		a.broken = "the access token outlives the grant"
	}
	return a
}

func TestTheRefreshRuleHoldsInEveryReachableState(t *testing.T) {
	for _, grace := range []time.Duration{10 * time.Second, 0} {
		for _, public := range []bool{true, false} {
			t.Run(fmt.Sprintf("grace %v, public client %t", grace, public), func(t *testing.T) {
				t.Parallel()
				e := newExplorer(Refresh, grace, public)
				if violation, steps := e.run(); violation != "" {
					t.Fatalf("%s, after\n  %s", violation, strings.Join(steps, "\n  "))
				}
				t.Logf("%d states, %d decisions, fixed point at depth %d", len(e.queue), len(e.cache), e.depth())
				if e.depth() < 8 || len(e.queue) < 10_000 {
					t.Error("that is too few to have seen anything")
				}
			})
		}
	}
}

// altered is Refresh on other facts than the true ones.
func altered(alter func(*Policy, *TokenRequest, *RefreshFacts, time.Time)) rule {
	return func(p Policy, req TokenRequest, f RefreshFacts, fresh Fresh, now time.Time) Outcome {
		grant := *f.Grant
		f.Grant = &grant
		alter(&p, &req, &f, now)
		return Refresh(p, req, f, fresh, now)
	}
}

// brokenRules are what somebody might write instead of the rule.
var brokenRules = map[string]rule{
	"a replay is refused and nothing more": func(p Policy, req TokenRequest, f RefreshFacts, fresh Fresh, now time.Time) Outcome {
		o := Refresh(p, req, f, fresh, now)
		if o.Answer.Refused != nil {
			o.Changes = nil
		}
		return o
	},
	"the grace never ends": altered(func(p *Policy, _ *TokenRequest, _ *RefreshFacts, _ time.Time) { p.RefreshGrace = idle }),
	"there is no grace":    altered(func(p *Policy, _ *TokenRequest, _ *RefreshFacts, _ time.Time) { p.RefreshGrace = 0 }),
	"a time ahead is now": altered(func(_ *Policy, _ *TokenRequest, f *RefreshFacts, now time.Time) {
		if f.Grant.CurrentSince.After(now) {
			f.Grant.CurrentSince = now
		}
	}),
	"a revocation is not looked at": altered(func(_ *Policy, _ *TokenRequest, f *RefreshFacts, _ time.Time) { f.Grant.RevokedAt = time.Time{} }),
	"epochs are not looked at": altered(func(_ *Policy, _ *TokenRequest, f *RefreshFacts, _ time.Time) {
		f.Grant.UserEpoch, f.Grant.ClientEpoch, f.Grant.GlobalEpoch = f.User.Epoch, f.Client.Epoch, f.GlobalEpoch
	}),
	"the absolute lifetime starts anew": altered(func(_ *Policy, _ *TokenRequest, f *RefreshFacts, _ time.Time) {
		f.Grant.ExpiresAt = f.Grant.CurrentSince.Add(absolute)
	}),
	"an idle grant lives":           altered(func(p *Policy, _ *TokenRequest, _ *RefreshFacts, _ time.Time) { p.RefreshIdle = 2 * absolute }),
	"the client is not looked at":   altered(func(_ *Policy, _ *TokenRequest, f *RefreshFacts, _ time.Time) { f.Grant.Client = f.Authenticating.ID }),
	"the granted scope is not kept": altered(func(_ *Policy, _ *TokenRequest, f *RefreshFacts, _ time.Time) { f.Grant.Scope = f.Client.Scopes }),
	"a token from lost commits is a replay": func(p Policy, req TokenRequest, f RefreshFacts, fresh Fresh, now time.Time) Outcome {
		if token, _ := ParseRefreshToken(req.RefreshToken); token.Generation > f.Grant.Generation {
			return refused(refuse(InvalidGrant, badRefreshToken), change.GrantRevoked{Grant: f.Grant.ID})
		}
		return Refresh(p, req, f, fresh, now)
	},
	"a retry moves the grant on": func(p Policy, req TokenRequest, f RefreshFacts, fresh Fresh, now time.Time) Outcome {
		o := Refresh(p, req, f, fresh, now)
		if token, _ := ParseRefreshToken(req.RefreshToken); o.Answer.Issue != nil && token.Generation == f.Grant.Generation-1 {
			next := f.Grant.Generation + 1
			o.Answer.Issue.RefreshToken = f.Key.derive(f.Grant, next)
			o.Changes = []change.Change{change.GrantRotated{Grant: f.Grant.ID, Generation: next, At: now}}
		}
		return o
	},
	"a retry hands out a branch": func(p Policy, req TokenRequest, f RefreshFacts, fresh Fresh, now time.Time) Outcome {
		o := Refresh(p, req, f, fresh, now)
		if token, _ := ParseRefreshToken(req.RefreshToken); o.Answer.Issue != nil && token.Generation == f.Grant.Generation-1 {
			o.Answer.Issue.RefreshToken = f.Key.derive(f.Grant, f.Grant.Generation+1)
		}
		return o
	},
}

// An explorer that finds nothing proves something only if it can find.
func TestTheExplorerFindsEachBrokenRule(t *testing.T) {
	for name, broken := range brokenRules {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newExplorer(broken, 10*time.Second, true)
			violation, steps := e.run()
			if violation == "" {
				t.Fatalf("nothing found in %d states", len(e.queue))
			}
			t.Logf("%s, after %d steps and %d states:\n  %s", violation, len(steps), len(e.queue), strings.Join(steps, "\n  "))
		})
	}
}
