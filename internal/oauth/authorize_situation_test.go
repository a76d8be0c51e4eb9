package oauth

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/keywright/keywright/internal/change"
)

// kind is what a client may ask for.
type kind struct {
	client int
	name   string
	AuthorizationRequest
}

func (k kind) asks(prompt string) bool { return slices.Contains(strings.Fields(k.Prompt), prompt) }

var kinds = []kind{
	{ordinary, "app", AuthorizationRequest{Scope: emailToo}},
	{ordinary, "app, none", AuthorizationRequest{Scope: OpenID, Prompt: promptNone}},
	{ordinary, "app, login", AuthorizationRequest{Scope: OpenID, Prompt: promptLogin}},
	{ordinary, "app, consent and offline", AuthorizationRequest{Scope: offlineToo, Prompt: promptConsent}},
	{ordinary, "app, select_account and one API", AuthorizationRequest{Scope: OpenID, Prompt: promptSelectAccount, Resources: []string{api}}},
	{ordinary, "app, max_age and offline", AuthorizationRequest{Scope: offlineToo, MaxAge: "600"}},
	{ordinary, "app, claims by name", AuthorizationRequest{Scope: OpenID, Claims: `{"userinfo":{"email":null},"id_token":{"email":null}}`}},
	{ordinary, "app, to an address of others", AuthorizationRequest{Scope: OpenID, RedirectURI: elsewhereURI}},
	{trusted, "portal and offline", AuthorizationRequest{Scope: offlineToo}},
	{trusted, "portal, none", AuthorizationRequest{Scope: OpenID, Prompt: promptNone}},
	{trusted, "portal, login and consent", AuthorizationRequest{Scope: OpenID, Prompt: "login consent"}},
}

const maxAgeAsked = 600 * time.Second

// The two clients.
const (
	ordinary = iota // whose consent is asked for, and remembered
	trusted         // by the operator
)

var signInClients = [2]*Client{portalApp(), portal()}

func portalApp() *Client {
	c := app()
	c.Grants, c.Scopes = []string{AuthorizationCodeGrant, RefreshTokenGrant}, []string{OpenID, OfflineAccess}
	c.RedirectURIs = []string{"https://app.example/callback"}
	return c
}

func portal() *Client {
	c := worker()
	c.Grants, c.Scopes = []string{AuthorizationCodeGrant, RefreshTokenGrant}, []string{OpenID, Email, OfflineAccess}
	c.RedirectURIs, c.Trusted = []string{"https://portal.example/callback"}, true
	return c
}

var people = [2]string{"usr_first", "usr_second"}

// requests are those of the kinds, complete.
var requests = func() (all []AuthorizationRequest) {
	for _, k := range kinds {
		req, c := k.AuthorizationRequest, signInClients[k.client]
		req.ClientID, req.ResponseType, req.State, req.CodeChallenge, req.CodeChallengeMethod = c.ID, "code", "state", rfcChallenge, S256
		if req.RedirectURI == "" {
			req.RedirectURI = c.RedirectURIs[0]
		}
		all = append(all, req)
	}
	return all
}()

// rows are what the store holds. Slices are shared between situations: whoever
// writes copies.
type rows struct {
	users    [2]User
	clients  [2]*Client
	consents [2][2]consentRow // of a person, to a client
	sessions []sessionRow
	codes    []codeRow
	grants   []Grant
}

type consentRow struct {
	given            bool
	scope, audiences []string
}

func (c consentRow) set() scopeSet { return setOf(c.scope) | setOf(c.audiences) }

type sessionRow struct {
	Session
	hash string
}

type codeRow struct {
	Code
	flow string
}

var errFlowUsed = errors.New("a second code is issued from one flow")

// apply does what store.Tx.Apply does.
func (r *rows) apply(changes []change.Change) error {
	for _, c := range changes {
		switch c := c.(type) {
		case change.SessionStarted:
			r.sessions = append(slices.Clip(r.sessions), sessionRow{Session{
				ID: c.Session, User: c.User, Methods: c.Methods, AuthTime: c.At, CreatedAt: c.At, SeenAt: c.At,
				ExpiresAt: c.ExpiresAt, EndsAt: c.EndsAt, UserEpoch: c.UserEpoch, GlobalEpoch: c.GlobalEpoch,
			}, string(c.SecretHash)})
		case change.SessionRenewed:
			s := r.writeSession(c.Session)
			s.hash, s.Methods, s.AuthTime, s.SeenAt, s.ExpiresAt, s.EndsAt, s.UserEpoch = string(c.SecretHash), c.Methods, c.At, c.At, c.ExpiresAt, c.EndsAt, c.UserEpoch
		case change.SessionSeen:
			s := r.writeSession(c.Session)
			s.SeenAt, s.ExpiresAt = c.At, c.ExpiresAt
		case change.SessionEnded:
			r.writeSession(c.Session).EndedAt = c.At
		case change.CodeIssued:
			if slices.ContainsFunc(r.codes, func(row codeRow) bool { return row.flow == c.Flow }) {
				return errFlowUsed // UNIQUE (flow_id)
			}
			r.codes = append(slices.Clip(r.codes), codeRow{codeOf(c), c.Flow})
		case change.CodeRedeemed:
			r.codes = slices.Clone(r.codes)
			r.codes[slices.IndexFunc(r.codes, func(row codeRow) bool { return string(row.Hash) == string(c.Hash) })].Grant = c.Grant
		case change.GrantIssued:
			r.grants = append(slices.Clip(r.grants), Grant{
				ID: c.Grant, Client: c.Client, User: c.User, Session: c.Session, Methods: c.Methods, Claims: c.Claims, Scope: c.Scope, Audiences: c.Audiences,
				Random: c.Random, KeyID: c.KeyID, Generation: 1, CurrentSince: c.At, CreatedAt: c.At, ExpiresAt: c.ExpiresAt, AuthTime: c.AuthTime,
				UserEpoch: c.UserEpoch, ClientEpoch: c.ClientEpoch, GlobalEpoch: c.GlobalEpoch,
			})
		case change.GrantRevoked:
			r.grants = slices.Clone(r.grants)
			r.grants[slices.IndexFunc(r.grants, func(g Grant) bool { return g.ID == c.Grant })].RevokedAt = c.At
		case change.ConsentGiven:
			r.consents[personOf(c.User)][r.clientOf(c.Client)] = consentRow{true, c.Scope, c.Audiences}
		case change.ConsentWithdrawn:
			r.withdraw(c)
		case change.UserDisabled:
			u := &r.users[personOf(c.User)]
			u.Disabled, u.Epoch = true, u.Epoch+1
		case change.UserEnabled:
			r.users[personOf(c.User)].Disabled = false
		case change.ClientDisabled:
			r.writeClient(c.Client, func(client *Client) { client.Disabled, client.Epoch = true, client.Epoch+1 })
		case change.ClientEnabled:
			r.writeClient(c.Client, func(client *Client) { client.Disabled = false })
		case change.ClientChanged:
			r.writeClient(c.Client, func(client *Client) { client.ClientMetadata = c.ClientMetadata })
		default:
			return fmt.Errorf("a sign-in changes %T", c)
		}
	}
	return nil
}

func codeOf(c change.CodeIssued) Code {
	return Code{
		Hash: c.Hash, Client: c.Client, User: c.User, Session: c.Session, RedirectURI: c.RedirectURI, RedirectURISent: c.RedirectURISent,
		CodeChallenge: c.CodeChallenge, Nonce: c.Nonce, Scope: c.Scope, Audiences: c.Audiences, Claims: c.Claims, Methods: c.Methods,
		AuthTime: c.AuthTime, UserEpoch: c.UserEpoch, ClientEpoch: c.ClientEpoch, GlobalEpoch: c.GlobalEpoch, ExpiresAt: c.ExpiresAt,
	}
}

func (r *rows) withdraw(c change.ConsentWithdrawn) {
	r.consents[personOf(c.User)][r.clientOf(c.Client)] = consentRow{}
	r.codes, r.grants = slices.Clone(r.codes), slices.Clone(r.grants)
	for i := range r.codes {
		if r.codes[i].User == c.User && r.codes[i].Client == c.Client {
			r.codes[i].RevokedAt = c.At
		}
	}
	for i := range r.grants {
		if r.grants[i].User == c.User && r.grants[i].Client == c.Client {
			r.grants[i].RevokedAt = c.At
		}
	}
}

func personOf(user string) int { return slices.Index(people[:], user) }

func (r *rows) clientOf(id string) int {
	return slices.IndexFunc(r.clients[:], func(c *Client) bool { return c.ID == id })
}

func (r *rows) writeSession(id string) *sessionRow {
	r.sessions = slices.Clone(r.sessions)
	return &r.sessions[slices.IndexFunc(r.sessions, func(s sessionRow) bool { return s.ID == id })]
}

func (r *rows) writeClient(id string, write func(*Client)) {
	changed := *r.clients[r.clientOf(id)]
	write(&changed)
	r.clients[r.clientOf(id)] = &changed
}

// sessionFacts are those of a session that is found by its cookie or by its id.
func (r *rows) sessionFacts(is func(sessionRow) bool) (f SessionFacts) {
	f.GlobalEpoch = globalEpoch
	if i := slices.IndexFunc(r.sessions, is); i >= 0 {
		session := r.sessions[i].Session
		user := r.users[personOf(session.User)]
		f.Session, f.User = &session, &user
	}
	return f
}

// situation is a state: the rows, and what an onlooker knows.
type situation struct {
	now      time.Time
	rows     rows
	browsers [2]browser
	flows    []openFlow
	held     []held // one for each code in rows, and what was bought with it
	known    [2]bool
}

// browser is what an onlooker sees of one.
type browser struct {
	used   bool
	cookie string
	person int // who typed their password last, and has not left since; nobody: -1
	visit  int // counts those who came
	since  time.Time
	seen   time.Time
}

const nobody = -1

func (b browser) signedIn(now time.Time) bool {
	return b.person != nobody && now.Before(b.seen.Add(signInPolicy.SessionIdle)) && now.Before(b.since.Add(signInPolicy.SessionAbsolute))
}

// openFlow is a flow, and the sealed values of it that its browser has.
type openFlow struct {
	id      string
	start   time.Time
	kind    int
	browser int
	sealed  bool // on some page
	shown   []shownPage
}

// shownPage is one that names a person, sealed.
type shownPage struct {
	AskPage
	session          string
	person           int
	visit            int
	scope, audiences []string
}

func (p shownPage) set() scopeSet { return setOf(p.scope) | setOf(p.audiences) }

// held is what an onlooker knows of a code.
type held struct {
	kind, person, browser, visit int
	at                           time.Time
	allowed                      scopeSet // by this person, for this client
	offline                      bool
	cut                          bool // disabled or withdrawn since
	redeemed, replayed           bool
}

// scopeSet is a set of the few scopes and APIs that there are here.
type scopeSet uint8

var everyScope = []string{OpenID, Email, OfflineAccess, api, otherAPI}

func setOf(names []string) (set scopeSet) {
	for _, name := range names {
		set |= 1 << slices.Index(everyScope, name)
	}
	return set
}

func mayHave(c *Client) scopeSet { return setOf(c.Scopes) | setOf(c.Audiences) }

func (s scopeSet) has(other scopeSet) bool { return s&other == other }

func (s *situation) commit(changes []change.Change) (violation string) {
	if err := s.rows.apply(changes); err != nil {
		return err.Error()
	}
	return ""
}

// lives says whether the session in which a code was issued goes on.
func (s *situation) lives(h held) bool {
	b := s.browsers[h.browser]
	return b.visit == h.visit && b.signedIn(s.now)
}

// covers says whether the person allowed, and the client may have, what tokens hold.
func (h held) covers(issue *Issue, c *Client) bool {
	token := issue.AccessToken
	holds := setOf(token.Scope) | setOf([]string{token.Audience})
	return h.allowed.has(holds) && mayHave(c).has(holds) && issue.IDToken != nil && h.knows(issue.IDToken.Claims)
}

// knows says whether the person has allowed that the client learns these claims.
func (h held) knows(claims map[string]any) bool {
	for name := range maps.Keys(claims) {
		if name != "sub" && (claimScopes[name] != Email || !h.allowed.has(setOf([]string{Email}))) {
			return false
		}
	}
	return true
}

// key tells situations apart as far as anything yet to come depends on them.
func (s *situation) key() [16]byte {
	k := make([]byte, 0, 256)
	flag := func(flags ...bool) {
		bits := byte(0)
		for i, set := range flags {
			if set {
				bits |= 1 << i
			}
		}
		k = append(k, bits)
	}
	age := func(t time.Time) byte { return byte(min(s.now.Sub(t)/leap, manyLeaps)) }
	for b, at := range s.browsers {
		facts := s.rows.sessionFacts(func(row sessionRow) bool { return row.hash == at.cookie })
		flag(at.used, at.signedIn(s.now), facts.SignedIn(s.now) != nil, s.known[b], s.rows.users[b].Disabled, s.rows.clients[b].Disabled)
		if facts.Session != nil { // why it may have ended
			flag(facts.Session.EndedAt.IsZero(), facts.Session.UserEpoch == facts.User.Epoch)
		}
		if at.signedIn(s.now) || facts.SignedIn(s.now) != nil {
			k = append(k, byte(at.person+1), age(at.since), age(at.seen), age(facts.Session.SeenAt))
		}
	}
	app := s.rows.clients[ordinary]
	k = append(k, byte(setOf(app.Scopes)))
	flag(app.RedirectURIs[0] == movedURI)
	for _, of := range s.rows.consents {
		for _, row := range of {
			flag(row.given)
			k = append(k, byte(row.set()))
		}
	}
	k = append(k, s.flowKeys()...)
	sum := sha256.Sum256(k)
	return [16]byte(sum[:])
}

// flowKeys are those of the flows and of what came of them, in any order.
func (s *situation) flowKeys() (k []byte) {
	keys := make([]string, len(s.flows))
	for i, flow := range s.flows {
		if c := slices.IndexFunc(s.rows.codes, func(c codeRow) bool { return c.flow == flow.id }); c >= 0 {
			keys[i] = s.codeKey(c)
		} else {
			keys[i] = s.flowKey(flow)
		}
	}
	slices.Sort(keys)
	return []byte(strings.Join(keys, "|"))
}

// flowKey is that of a flow without a code. One that no page carries can have none.
func (s *situation) flowKey(flow openFlow) string {
	age := s.now.Sub(flow.start)
	switch {
	case !flow.sealed:
		return ""
	case age >= FlowTTL:
		return "expired"
	}
	b, k := s.browsers[flow.browser], kinds[flow.kind]
	signedIn := b.signedIn(s.now)
	key := []byte{'f', byte(flow.kind), byte(flow.browser), byte(age / leap)}
	if signedIn && (k.asks(promptLogin) || k.asks(promptSelectAccount)) {
		key = append(key, toByte(b.since.Before(flow.start)))
	}
	if signedIn && k.MaxAge != "" {
		key = append(key, toByte(b.since.Before(flow.start.Add(-maxAgeAsked))))
	}
	for _, page := range flow.shown {
		key = append(key, byte(page.AskPage), byte(page.person), toByte(signedIn && page.visit == b.visit), byte(page.set()))
	}
	return string(key)
}

// codeKey is that of a code and of what it bought.
func (s *situation) codeKey(i int) string {
	h, code := s.held[i], s.rows.codes[i]
	lives, expired := s.lives(h), s.now.Sub(h.at) >= CodeTTL
	over := []byte{'o', byte(kinds[h.kind].client), toByte(h.redeemed), toByte(h.cut), toByte(h.replayed), toByte(lives), toByte(h.offline)}
	if h.cut || h.replayed || !h.redeemed && (expired || !lives) || h.redeemed && !lives && !h.offline {
		return string(over)
	}
	return string(append(over, byte(h.person), byte(h.browser), byte(h.allowed), byte(setOf(code.Scope)|setOf(code.Audiences)), toByte(code.Claims != "")))
}

func toByte(b bool) byte {
	if b {
		return 1
	}
	return 0
}
