package oauth

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/change"
)

// The sign-in flow, explored: every situation that so many steps can lead to, of
// two browsers, two people, two clients and two flows.
//
// A browser is whoever sits at it: a sealed flow or consent page that it was ever
// given can be posted at any later step, in whatever tab, as often as they like
// and in any order. Codes and refresh tokens can be presented at any time, by
// their own client or the other. The operator disables people and clients and
// changes registrations, and people withdraw what they allowed.
//
// Two things are kept apart: rows, which the deciders' changes make, and what an
// onlooker knows (who typed their password where and when, what was on the page
// that they allowed). The deciders see the rows alone; what they issue is held
// against what the onlooker knows.
//
// Browsers are alike, and so are people: the first to do anything is called the
// first. Time stands still but for a moment at each sign-in and each new flow, and
// for leaps; only ages in leaps and the order of sign-ins and flows matter then.

const (
	moment       = time.Second
	leap         = 20 * time.Minute // ends codes; two of them end flows and unused sessions, three all sessions
	manyLeaps    = 3                // have ended everything
	maxFlows     = 2
	maxShown     = 5 // pages of one flow that name a person
	emailToo     = "openid email"
	offlineToo   = "openid offline_access"
	movedURI     = "https://app.example/moved"
	elsewhereURI = "https://evil.example/callback"
)

var signInPolicy = Policy{
	Issuer: policy.Issuer, AccessTokenTTL: 10 * time.Minute, SessionIdle: 25 * time.Minute, SessionAbsolute: 50 * time.Minute,
	RefreshGrace: 24 * time.Hour, RefreshIdle: 24 * time.Hour, RefreshAbsolute: 24 * time.Hour, // refresh_explore_test.go has the rest
}

// signInRules are the deciders, or broken variants of them.
type signInRules struct {
	authorize func(Policy, Flow, Act, AuthorizationFacts, FreshCode, time.Time) (Authorization, []change.Change)
	begin     func(Policy, SessionFacts, User, []string, string, FreshSession, time.Time) (*Session, []change.Change)
	end       func(EndSessionRequest, EndSessionFacts, bool, time.Time) (EndSessionAnswer, []change.Change)
	redeem    func(Policy, TokenRequest, CodeFacts, Fresh, time.Time) Outcome
	refresh   rule
}

var trueRules = signInRules{Authorize, BeginSession, EndSession, RedeemCode, Refresh}

// walker walks through all situations.
type walker struct {
	signInRules
	scene
	deeds    []deed
	seen     map[[16]byte]bool
	trail    []footprint
	outcomes map[string]int
}

// deed is something that may be done in a situation.
type deed struct {
	name string
	do   func(*situation) (possible bool, violation string)
}

// footprint is how a situation was reached: from another, by a deed.
type footprint struct{ from, deed int }

// scene is how far to walk, and among how much.
type scene struct {
	flows     int  // at most
	disturbed bool // by operators, and by people who withdraw what they allowed
	depth     int
}

// scenes trade depth for breadth. The race detector has nothing to find in them,
// and makes each step six times as slow.
var scenes = []scene{{1, true, 8 - raced}, {2, false, 7 - raced}, {2, true, 6 - raced}}

func newWalker(r signInRules, sc scene) *walker {
	w := &walker{signInRules: r, scene: sc, seen: map[[16]byte]bool{}, outcomes: map[string]int{}}
	w.deeds = append(slices.Concat(w.browserDeeds(), w.clientDeeds()), deed{"time leaps", leaps})
	if sc.disturbed {
		w.deeds = append(w.deeds, w.operatorDeeds()...)
	}
	return w
}

// run explores to a depth, and returns the first violation with the deeds that
// lead to it.
func (w *walker) run() (violation string, deeds []string) {
	type node struct {
		situation
		trail int
	}
	first := situation{now: noon, rows: rows{clients: signInClients}}
	for i := range 2 {
		first.rows.users[i] = User{ID: people[i], Name: "A person", Email: "person@example.com", Epoch: ada().Epoch}
		first.browsers[i].person = nobody
	}
	w.trail = []footprint{{-1, 0}}
	frontier := []node{{first, 0}}
	var s situation
	for left := w.depth; left > 0; left-- {
		var next []node
		for _, at := range frontier {
			for d, deed := range w.deeds {
				s = at.situation
				possible, violation := deed.do(&s)
				if violation != "" {
					return violation, append(w.path(at.trail), deed.name)
				}
				if !possible {
					continue
				}
				key := s.key()
				if w.seen[key] {
					continue
				}
				w.seen[key] = true
				if left > 1 {
					w.trail = append(w.trail, footprint{at.trail, d})
					next = append(next, node{s, len(w.trail) - 1})
				}
			}
		}
		frontier = next
	}
	return "", nil
}

func (w *walker) path(i int) (deeds []string) {
	for ; w.trail[i].from >= 0; i = w.trail[i].from {
		deeds = append(deeds, w.deeds[w.trail[i].deed].name)
	}
	slices.Reverse(deeds)
	return deeds
}

func (w *walker) browserDeeds() (deeds []deed) {
	add := func(name string, do func(*situation) (bool, string)) { deeds = append(deeds, deed{name, do}) }
	for b := range 2 {
		for k := range kinds {
			add(fmt.Sprintf("browser %d asks for %s", b, kinds[k].name), func(s *situation) (bool, string) { return w.open(s, b, k) })
		}
		for p := range people {
			add(fmt.Sprintf("person %d signs in in browser %d", p, b), func(s *situation) (bool, string) { return w.signIn(s, b, p) })
		}
		add(fmt.Sprintf("browser %d signs out", b), func(s *situation) (bool, string) { return w.signOut(s, b) })
	}
	for f := range maxFlows {
		add(fmt.Sprintf("flow %d is posted", f), func(s *situation) (bool, string) { return w.post(s, f) })
		for page := range maxShown {
			name := fmt.Sprintf("flow %d, page %d is posted: ", f, page)
			add(name+"this account", func(s *situation) (bool, string) { return w.answer(s, f, page, Act{ChoseAccount: true}) })
			add(name+"allow", func(s *situation) (bool, string) { return w.answer(s, f, page, Act{Answered: true, Allowed: true}) })
			add(name+"deny", func(s *situation) (bool, string) { return w.answer(s, f, page, Act{Answered: true}) })
		}
	}
	return deeds
}

func (w *walker) clientDeeds() (deeds []deed) {
	for i := range maxFlows {
		for c := range signInClients {
			deeds = append(deeds, deed{fmt.Sprintf("client %d redeems code %d", c, i), func(s *situation) (bool, string) { return w.redeemCode(s, i, c) }})
		}
		deeds = append(deeds, deed{fmt.Sprintf("what code %d bought is refreshed", i), func(s *situation) (bool, string) { return w.refreshGrant(s, i) }})
	}
	return deeds
}

func (w *walker) operatorDeeds() (deeds []deed) {
	for p, user := range people {
		deeds = append(deeds,
			disturbance(fmt.Sprintf("person %d is disabled", p), func(s *situation) bool { return s.known[p] && !s.rows.users[p].Disabled },
				func(s *situation) change.Change { return change.UserDisabled{User: user, At: s.now} }, func(h held) bool { return h.person == p }),
			disturbance(fmt.Sprintf("person %d is enabled", p), func(s *situation) bool { return s.rows.users[p].Disabled },
				func(s *situation) change.Change { return change.UserEnabled{User: user} }, nothingIsCut))
		for c, client := range signInClients {
			deeds = append(deeds, disturbance(fmt.Sprintf("person %d withdraws from client %d", p, c), func(s *situation) bool { return s.known[p] },
				func(s *situation) change.Change {
					return change.ConsentWithdrawn{User: user, Client: client.ID, At: s.now}
				},
				func(h held) bool { return h.person == p && kinds[h.kind].client == c }))
		}
	}
	for c, client := range signInClients {
		deeds = append(deeds,
			disturbance(fmt.Sprintf("client %d is disabled", c), func(s *situation) bool { return !s.rows.clients[c].Disabled },
				func(s *situation) change.Change { return change.ClientDisabled{Client: client.ID, At: s.now} }, func(h held) bool { return kinds[h.kind].client == c }),
			disturbance(fmt.Sprintf("client %d is enabled", c), func(s *situation) bool { return s.rows.clients[c].Disabled },
				func(s *situation) change.Change { return change.ClientEnabled{Client: client.ID} }, nothingIsCut))
	}
	return append(deeds,
		registration("the app may have e-mail addresses", func(c *Client) { c.Scopes = []string{OpenID, Email, OfflineAccess} }),
		registration("the app may have no e-mail addresses", func(c *Client) { c.Scopes = []string{OpenID, OfflineAccess} }),
		registration("the app moves", func(c *Client) { c.RedirectURIs = []string{movedURI} }))
}

func leaps(s *situation) (bool, string) {
	s.now = s.now.Add(leap)
	return true, ""
}

func nothingIsCut(held) bool { return false }

// disturbance is a change that nobody decides; it cuts what was issued.
func disturbance(name string, possible func(*situation) bool, c func(*situation) change.Change, cuts func(held) bool) deed {
	return deed{name, func(s *situation) (bool, string) {
		if !possible(s) {
			return false, ""
		}
		s.held = slices.Clone(s.held)
		for i := range s.held {
			s.held[i].cut = s.held[i].cut || cuts(s.held[i])
		}
		disturbing := c(s)
		if disabled, ok := disturbing.(change.UserDisabled); ok {
			for b := range s.browsers {
				if s.browsers[b].person == personOf(disabled.User) {
					s.browsers[b].person = nobody
				}
			}
		}
		return true, s.commit([]change.Change{disturbing})
	}}
}

// registration changes what the app is registered for.
func registration(name string, write func(*Client)) deed {
	after := func(s *situation) Client {
		c := *s.rows.clients[ordinary]
		write(&c)
		return c
	}
	return disturbance(name, func(s *situation) bool {
		before, after := s.rows.clients[ordinary], after(s)
		return !slices.Equal(before.Scopes, after.Scopes) || !slices.Equal(before.RedirectURIs, after.RedirectURIs)
	}, func(s *situation) change.Change {
		c := after(s)
		return change.ClientChanged{Client: c.ID, ClientMetadata: c.ClientMetadata}
	}, nothingIsCut)
}

// mayUse keeps the browsers alike.
func (s *situation) mayUse(b int) bool { return b == 0 || s.browsers[0].used }

func (w *walker) open(s *situation, b, k int) (bool, string) {
	if len(s.flows) == w.flows || !s.mayUse(b) {
		return false, ""
	}
	s.now = s.now.Add(moment)
	s.browsers[b].used = true
	s.flows = append(slices.Clip(s.flows), openFlow{id: [maxFlows]string{"flw_0", "flw_1"}[len(s.flows)], start: s.now, kind: k, browser: b})
	return true, w.authorizeFlow(s, len(s.flows)-1, Act{}, 0)
}

func (w *walker) post(s *situation, f int) (bool, string) {
	if f >= len(s.flows) || !s.flows[f].sealed {
		return false, ""
	}
	return true, w.authorizeFlow(s, f, Act{}, 0)
}

// answer posts a page that names a person: a choice of the account can be made
// on each, an answer only on a consent page.
func (w *walker) answer(s *situation, f, page int, act Act) (bool, string) {
	if f >= len(s.flows) || page >= len(s.flows[f].shown) {
		return false, ""
	}
	shown := s.flows[f].shown[page]
	if act.Answered && shown.AskPage != AskConsent {
		return false, ""
	}
	act.Scope, act.Audiences, act.Session, act.User = shown.scope, shown.audiences, shown.session, people[shown.person]
	b := s.browsers[s.flows[f].browser]
	agreed := scopeSet(0)
	if act.Allowed && b.signedIn(s.now) && shown.person == b.person && shown.visit == b.visit {
		agreed = shown.set()
	}
	return true, w.authorizeFlow(s, f, act, agreed)
}

// authorizeFlow decides a flow, and checks the answer. agreed is what the person
// at the browser allowed in this very request.
func (w *walker) authorizeFlow(s *situation, i int, act Act, agreed scopeSet) (violation string) {
	flow, at := s.flows[i], s.browsers[s.flows[i].browser]
	k := kinds[flow.kind]
	f := AuthorizationFacts{Client: s.rows.clients[k.client], SessionFacts: s.rows.sessionFacts(func(row sessionRow) bool { return row.hash == at.cookie })}
	if f.User != nil {
		if row := s.rows.consents[personOf(f.User.ID)][k.client]; row.given {
			f.Consented, f.ConsentedAudiences = append([]string{}, row.scope...), row.audiences
		}
	}
	f.FlowEnded = slices.ContainsFunc(s.rows.codes, func(c codeRow) bool { return c.flow == flow.id })
	answer, changes := w.authorize(signInPolicy, Flow{flow.id, requests[flow.kind], flow.start}, act, f, FreshCode{"code", []byte(flow.id)}, s.now)
	switch {
	case answer.Fault != nil:
		w.outcomes["fault "+answer.Fault.Code]++
	case answer.Ask != nil:
		w.outcomes[fmt.Sprint("page ", answer.Ask.Page)]++
		violation = s.checkAsk(i, answer.Ask, act)
	case !slices.Contains(s.rows.clients[k.client].RedirectURIs, answer.Response.RedirectURI):
		violation = "a response goes where the client is not registered"
	case answer.Response.Refused != nil:
		w.outcomes["refused "+answer.Response.Refused.Code]++
	default:
		w.outcomes["code"]++
		return s.issued(i, act, agreed, changes)
	}
	if len(changes) > 0 && violation == "" {
		violation = "something changes though nothing is issued"
	}
	return violation
}

// checkAsk also keeps the sealed values that come with the page.
func (s *situation) checkAsk(i int, ask *Ask, act Act) (violation string) {
	s.flows = slices.Clone(s.flows)
	flow := &s.flows[i]
	k, b := kinds[flow.kind], s.browsers[flow.browser]
	flow.sealed = true
	signedIn := b.signedIn(s.now)
	switch {
	case k.asks(promptNone):
		return "a page is shown though prompt is none"
	case ask.Page == AskSignIn && signedIn && !b.since.Before(flow.start):
		return "who has just signed in is asked to again"
	case ask.Page != AskSignIn && !signedIn:
		return "a page about a person is shown to nobody"
	case ask.Page == AskAccount && (act.ChoseAccount || act.Answered) && people[b.person] == act.User && b.cookieOf(s) == act.Session:
		return "who has just chosen is asked to again"
	case ask.Page == AskSignIn:
		return ""
	case ask.Page == AskConsent && k.client == trusted && !k.asks(promptConsent):
		return "a consent page is shown for a trusted client"
	case ask.Page == AskConsent && act.Answered && (setOf(act.Scope) | setOf(act.Audiences)).has(setOf(ask.Scope)|setOf(ask.Audiences)):
		return "who has just allowed it is asked to again"
	}
	page := shownPage{ask.Page, b.cookieOf(s), b.person, b.visit, ask.Scope, ask.Audiences}
	if !slices.ContainsFunc(flow.shown, func(p shownPage) bool {
		return p.AskPage == page.AskPage && p.session == page.session && p.set() == page.set()
	}) {
		flow.shown = append(slices.Clip(flow.shown), page)
	}
	if len(flow.shown) > maxShown {
		return "there are pages that no deed posts"
	}
	return ""
}

// cookieOf is the session that a browser has a cookie for.
func (b browser) cookieOf(s *situation) string {
	return s.rows.sessions[slices.IndexFunc(s.rows.sessions, func(row sessionRow) bool { return row.hash == b.cookie })].ID
}

// issued checks a code.
func (s *situation) issued(i int, act Act, agreed scopeSet, changes []change.Change) (violation string) {
	flow := s.flows[i]
	k, b := kinds[flow.kind], &s.browsers[flow.browser]
	if !b.signedIn(s.now) {
		return "a code is issued for nobody"
	}
	remembered := &s.rows.consents[b.person][k.client]
	before := remembered.set()
	if violation := s.commit(changes); violation != "" {
		return violation
	}
	code := s.rows.codes[len(s.rows.codes)-1]
	granted, allowed := setOf(code.Scope)|setOf(code.Audiences), before|agreed
	if k.client == trusted {
		allowed |= mayHave(s.rows.clients[trusted])
	}
	switch {
	case code.User != people[b.person]:
		return "a code is issued for somebody who did not sign in here"
	case s.rows.clients[k.client].Disabled:
		return "a code is issued to a disabled client"
	case act.Answered && !act.Allowed:
		return "a code is issued though the person denied it"
	case !allowed.has(granted):
		return "a scope is granted that this person was not shown, here"
	case !mayHave(s.rows.clients[k.client]).has(granted):
		return "a scope is granted that the client may not have"
	case granted.has(setOf([]string{OfflineAccess})) && k.client != trusted && !k.asks(promptConsent) && !before.has(setOf([]string{OfflineAccess})):
		return "offline_access is granted though nobody may ask for it so"
	case k.asks(promptLogin) && b.since.Before(flow.start):
		return "a code is issued without the sign-in that prompt=login demands"
	case k.MaxAge != "" && b.since.Before(flow.start.Add(-maxAgeAsked)):
		return "a code is issued on a sign-in older than max_age"
	case k.asks(promptConsent) && agreed == 0:
		return "a code is issued without the consent that prompt=consent demands"
	case k.asks(promptSelectAccount) && !act.ChoseAccount && !act.Answered && b.since.Before(flow.start):
		return "a code is issued without the choice that prompt=select_account demands"
	case remembered.set() != before|agreed:
		return "not what the person allowed is remembered"
	case !code.AuthTime.Equal(b.since):
		return "auth_time is not when the person signed in"
	}
	if s.now.Sub(b.seen) >= sessionSeenEvery {
		b.seen = s.now
	}
	s.held = append(slices.Clip(s.held), held{
		kind: flow.kind, person: b.person, browser: flow.browser, visit: b.visit, at: s.now, allowed: allowed,
		offline: granted.has(setOf([]string{OfflineAccess})),
	})
	return ""
}

func (w *walker) signIn(s *situation, b, p int) (bool, string) {
	if !s.mayUse(b) || s.rows.users[p].Disabled || p == 1 && !s.known[0] {
		return false, ""
	}
	s.now = s.now.Add(moment)
	s.known[p] = true
	at := &s.browsers[b]
	facts := s.rows.sessionFacts(func(row sessionRow) bool { return row.hash == at.cookie })
	cookie := string(strconv.AppendInt([]byte{'a' + byte(b)}, s.now.Sub(noon).Nanoseconds(), 36))
	session, changes := w.begin(signInPolicy, facts, s.rows.users[p], []string{Password}, "", FreshSession{"ses_" + cookie, []byte(cookie)}, s.now)
	if !at.signedIn(s.now) || at.person != p {
		at.visit++
	}
	at.used, at.cookie, at.person, at.since, at.seen = true, cookie, p, s.now, s.now
	if violation := s.commit(changes); violation != "" {
		return true, violation
	}
	now := s.rows.sessionFacts(func(row sessionRow) bool { return row.hash == cookie }).Session
	if now == nil || now.ID != session.ID || !now.AuthTime.Equal(s.now) {
		return true, "a session has begun that nobody has a cookie for"
	}
	return true, ""
}

func (w *walker) signOut(s *situation, b int) (bool, string) {
	at := &s.browsers[b]
	facts := EndSessionFacts{SessionFacts: s.rows.sessionFacts(func(row sessionRow) bool { return row.hash == at.cookie })}
	answer, changes := w.end(EndSessionRequest{}, facts, true, s.now)
	if at.signedIn(s.now) != (answer.Session != nil) {
		return true, "who is signed in is not who signs out"
	}
	at.person = nobody
	return answer.Session != nil, s.commit(changes)
}

func (w *walker) redeemCode(s *situation, i, client int) (bool, string) {
	if i >= len(s.held) {
		return false, ""
	}
	s.held = slices.Clone(s.held)
	h, code := &s.held[i], s.rows.codes[i].Code
	session := s.rows.sessionFacts(func(row sessionRow) bool { return row.ID == code.Session })
	c := s.rows.clients[client]
	outcome := w.redeem(signInPolicy, TokenRequest{Client: credentialsOf(c), RedirectURI: code.RedirectURI, CodeVerifier: rfcVerifier}, CodeFacts{
		Code: &code, Session: session.Session, User: session.User, GlobalEpoch: globalEpoch, Authenticating: c, SecretKey: secretKey, Key: refreshKey,
		GrantRevoked: slices.ContainsFunc(s.rows.grants, func(g Grant) bool { return g.ID == code.Grant && !g.RevokedAt.IsZero() }),
	}, Fresh{GrantID: fmt.Sprintf("grt_%032d", i), TokenSuffix: "suffix"}, s.now)

	own := client == kinds[h.kind].client && !c.Disabled
	wanted := own && !h.redeemed && !h.cut && s.now.Sub(h.at) < CodeTTL && s.lives(*h)
	issue := outcome.Answer.Issue
	switch {
	case issue == nil && wanted:
		return true, "a good code is refused"
	case issue != nil && !wanted:
		return true, "a code is redeemed that may not be any more, or by others"
	case !own && len(outcome.Changes) > 0:
		return true, "another client's attempt changes something"
	case issue != nil && !h.covers(issue, c):
		return true, "tokens hold what nobody was asked about"
	case issue != nil:
		w.outcomes["tokens"]++
		h.redeemed = true
	case own && h.redeemed:
		w.outcomes["replay"]++
		h.replayed = true
	}
	return true, s.commit(outcome.Changes)
}

// refreshGrant presents a refresh token and an access token of the grant.
func (w *walker) refreshGrant(s *situation, i int) (bool, string) {
	if i >= len(s.held) || !s.held[i].redeemed {
		return false, ""
	}
	h := s.held[i]
	g := s.rows.grants[slices.IndexFunc(s.rows.grants, func(g Grant) bool { return g.ID == s.rows.codes[i].Grant })]
	session := s.rows.sessionFacts(func(row sessionRow) bool { return row.ID == g.Session })
	client := kinds[h.kind].client
	c, user := s.rows.clients[client], s.rows.users[h.person]
	f := RefreshFacts{
		GrantFacts:     GrantFacts{Grant: &g, Client: c, User: &user, Session: session.Session, GlobalEpoch: globalEpoch},
		Authenticating: c, SecretKey: secretKey, Key: refreshKey,
	}
	outcome := w.refresh(signInPolicy, TokenRequest{Client: credentialsOf(c), RefreshToken: refreshKey.derive(&g, g.Generation)}, f, drawn, s.now)
	wanted := !h.replayed && !h.cut && (h.offline || s.lives(h))
	issue := outcome.Answer.Issue
	switch {
	case issue == nil && wanted:
		return true, "a good refresh token is refused"
	case issue != nil && !wanted:
		return true, "something is refreshed that has ended"
	case f.TokenLives(s.now.Add(moment), s.now) != wanted:
		return true, "an access token's life is not its grant's"
	case issue == nil:
		return true, ""
	case !h.covers(issue, c) || !h.knows(UserInfo(f.GrantFacts, issue.AccessToken.Scope)):
		return true, "claims are told that nobody was asked about"
	}
	w.outcomes["refreshed"]++
	if b := &s.browsers[h.browser]; s.lives(h) && !h.offline && s.now.Sub(b.seen) >= sessionSeenEvery {
		b.seen = s.now
	}
	return true, s.commit(outcome.Changes)
}

func TestTheSignInFlowHoldsInEverySituation(t *testing.T) {
	for _, sc := range scenes {
		t.Run(fmt.Sprintf("flows %d, disturbed %t, depth %d", sc.flows, sc.disturbed, sc.depth), func(t *testing.T) {
			t.Parallel()
			w := newWalker(trueRules, sc)
			if violation, deeds := w.run(); violation != "" {
				t.Fatalf("%s, after\n  %s", violation, strings.Join(deeds, "\n  "))
			}
			t.Logf("%d situations, %d decisions: %v", len(w.seen), w.decisions(), w.outcomes)
			if len(w.seen) < 10_000 || len(w.outcomes) < 14 {
				t.Error("that is too few to have seen anything")
			}
		})
	}
}

func (w *walker) decisions() (n int) {
	for _, seen := range w.outcomes {
		n += seen
	}
	return n
}

// A walker that finds nothing proves something only if it can find.
func TestTheWalkerFindsEachBrokenSignIn(t *testing.T) {
	for name, broken := range brokenSignIns {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, sc := range append([]scene{{2, true, 4}}, scenes...) {
				w := newWalker(broken, sc)
				if violation, deeds := w.run(); violation != "" {
					t.Logf("%s, after %d situations:\n  %s", violation, len(w.seen), strings.Join(deeds, "\n  "))
					return
				}
			}
			t.Error("nothing found")
		})
	}
}
