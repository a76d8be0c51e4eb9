package oauth

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/keywright/keywright/internal/change"
)

// AuthorizationRequest is a request to the authorization endpoint, decoded. An
// empty member was absent. RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1.
type AuthorizationRequest struct {
	ClientID            string
	RedirectURI         string
	ResponseType        string
	ResponseMode        string
	Scope               string
	State               string
	Nonce               string
	CodeChallenge       string
	CodeChallengeMethod string
	Prompt              string
	MaxAge              string
	LoginHint           string
	ACRValues           string
	Claims              string
	IDTokenHint         string
	Hint                *IDTokenHint // of IDTokenHint; nil: it is none of ours
	Resources           []string
	Request             string
	RequestURI          string
	Repeated            []string // parameters that stand more than once
}

// Flow is a request on its way through the pages: sealed, it travels with the
// person. It holds no progress.
type Flow struct {
	ID      string
	Request AuthorizationRequest
	Start   time.Time
}

// FlowTTL is how long a person may take.
const FlowTTL = 30 * time.Minute

// Act is what the person did in this very request. Its zero value: nothing.
type Act struct {
	ChoseAccount bool     // to go on as the person who is signed in
	Answered     bool     // the consent page
	Allowed      bool     // and not denied
	Scope        []string // what the consent page showed
	Audiences    []string
	Session      string // to whom the page was shown
	User         string
}

// by says whether the person who acted is the one who is signed in now.
func (act Act) by(s *Session) bool { return s != nil && s.ID == act.Session && s.User == act.User }

// AuthorizationFacts are what an authorization request is decided on, read in
// one transaction after the person's row was locked.
type AuthorizationFacts struct {
	Client *Client // nil: unknown
	SessionFacts
	Consented          []string // the scope that the person allowed the client before; nil: nothing ever
	ConsentedAudiences []string // and the APIs
	FlowEnded          bool     // a code was issued from the flow
}

// Authorization is the answer to an authorization request: exactly one member.
type Authorization struct {
	Fault    *Fault
	Ask      *Ask
	Response *AuthorizationResponse
}

// Fault is a refusal that only a page can show, since nothing may be sent to an
// app that is not known, or back to an address that is not its own.
type Fault struct {
	Refusal
	Parameter  string   // which one is wrong, for the developer
	Sent       string   // what it was
	Registered []string // what it could have been
}

// Ask is what the person must do next. Page says which; the rest is for that page.
type Ask struct {
	Page      AskPage
	SignUp    bool // for an account first
	LoginHint string
	Scope     []string // what to allow
	Audiences []string // the APIs that tokens are for; none: this server alone
}

// AskPage is a page.
type AskPage int

// The pages of an authorization.
const (
	AskSignIn AskPage = iota + 1
	AskAccount
	AskConsent
)

// FreshCode holds the random values of a decision that may issue a code.
type FreshCode struct {
	Code string
	Hash []byte
}

// pageRules come first: whatever they find, only a page can say it. RFC 6749
// §4.1.2.1, RFC 9700 §4.11.2.
var pageRules = []struct {
	rule  string
	check func(AuthorizationRequest, *Client) *Fault
}{
	{"client_id stands once and names a client: RFC 6749 §3.1, §4.1.1", knownClient},
	{"the client is not disabled", enabledClient},
	{"redirect_uri stands once and is the client's: RFC 6749 §3.1.2.3, RFC 9700 §2.1", registeredRedirectURI},
}

// authorizationRules follow, in this order; the first that refuses or asks answers.
var authorizationRules = []struct {
	rule  string
	check func(*authorization) (*Refusal, *Ask)
}{
	{"response_mode is known, and the client's: Multiple Response Types §2.1", (*authorization).responseMode},
	{"request objects are not taken: OpenID Connect Core §6", (*authorization).noRequestObject},
	{"no parameter stands twice: RFC 6749 §3.1", (*authorization).onceEach},
	{"response_type is code: RFC 6749 §3.1.1, RFC 9700 §2.1.2", (*authorization).responseType},
	{"the client may use codes: RFC 6749 §4.1.2.1", (*authorization).mayUseCodes},
	{"the code will be bound: RFC 7636 §4.4.1, RFC 9700 §2.1.1", (*authorization).codeChallenge},
	{"prompt is well-formed: OpenID Connect Core §3.1.2.1", (*authorization).prompts},
	{"max_age is a number of seconds: OpenID Connect Core §3.1.2.1", (*authorization).maxAge},
	{"claims is well-formed: OpenID Connect Core §5.5", (*authorization).claims},
	{"id_token_hint is ours: OpenID Connect Core §3.1.2.1", (*authorization).hint},
	{"nothing to echo is too long", (*authorization).lengths},
	{"resource is the client's: RFC 8707 §2", (*authorization).resource},
	{"scope is the client's: RFC 6749 §3.3", (*authorization).scope},
	{"the person is signed in, recently enough: OpenID Connect Core §3.1.2.3", (*authorization).signedIn},
	{"it is the person who was asked for: OpenID Connect Core §3.1.2.2", (*authorization).rightPerson},
	{"the person chose the account: OpenID Connect Core §3.1.2.1, select_account", (*authorization).choseAccount},
	{"they signed in strongly enough: OpenID Connect Core §5.5.1.1", (*authorization).strongEnough},
	{"they did not deny: RFC 6749 §4.1.2.1", (*authorization).notDenied},
	{"they allowed it: OpenID Connect Core §3.1.2.4", (*authorization).consented},
}

// Authorize decides an authorization request, at first and after each page.
func Authorize(p Policy, flow Flow, act Act, f AuthorizationFacts, fresh FreshCode, now time.Time) (Authorization, []change.Change) {
	req := flow.Request
	for _, row := range pageRules {
		if fault := row.check(req, f.Client); fault != nil {
			return Authorization{Fault: fault}, nil
		}
	}
	a := &authorization{
		Verified: Verified{p.Issuer, f.Client, req.redirectURI(f.Client), QueryMode, req.State},
		policy:   p, flow: flow, req: req, act: act, facts: f, session: f.SignedIn(now), now: now,
	}
	if fault := a.stillOpen(); fault != nil {
		return Authorization{Fault: fault}, nil
	}
	for _, row := range authorizationRules {
		refusal, ask := row.check(a)
		if ask != nil && a.prompt[promptNone] {
			refusal = refusals[ask.Page] // OpenID Connect Core §3.1.2.6
		}
		switch {
		case refusal != nil:
			return Authorization{Response: a.refuse(refusal)}, nil
		case ask != nil:
			return Authorization{Ask: ask}, nil
		}
	}
	return a.issue(fresh)
}

func fault(code, description, parameter, sent string, registered []string) *Fault {
	return &Fault{Refusal{code, description}, parameter, sent, registered}
}

func knownClient(req AuthorizationRequest, c *Client) *Fault {
	switch {
	case slices.Contains(req.Repeated, "client_id"):
		return fault(InvalidRequest, "client_id stands more than once", "client_id", req.ClientID, nil)
	case req.ClientID == "":
		return fault(InvalidRequest, "client_id is missing", "client_id", "", nil)
	case c == nil:
		return fault(InvalidClient, "no client is registered under this client_id", "client_id", req.ClientID, nil)
	}
	return nil
}

func enabledClient(req AuthorizationRequest, c *Client) *Fault {
	if c.Disabled {
		return fault(UnauthorizedClient, "the client is disabled", "client_id", req.ClientID, nil)
	}
	return nil
}

func registeredRedirectURI(req AuthorizationRequest, c *Client) *Fault {
	registered := c.RedirectURIs
	switch {
	case slices.Contains(req.Repeated, "redirect_uri"):
		return fault(InvalidRequest, "redirect_uri stands more than once", "redirect_uri", req.RedirectURI, registered)
	case req.RedirectURI == "" && len(registered) != 1:
		// OpenID Connect Core §3.1.2.1 requires it; OAuth 2.1 lets a client with one registered URI leave it out.
		return fault(InvalidRequest, "redirect_uri is missing, and the client has not registered exactly one", "redirect_uri", "", registered)
	case req.RedirectURI == "" && slices.Contains(strings.Fields(req.Scope), OpenID):
		return fault(InvalidRequest, "redirect_uri is missing, and scope openid requires it", "redirect_uri", "", registered)
	case req.RedirectURI != "" && !c.HasRedirectURI(req.RedirectURI):
		return fault(InvalidRequest, "redirect_uri is not registered for this client", "redirect_uri", req.RedirectURI, registered)
	}
	return nil
}

// redirectURI is where to answer, once registeredRedirectURI has passed.
func (req AuthorizationRequest) redirectURI(c *Client) string {
	if req.RedirectURI == "" {
		return c.RedirectURIs[0]
	}
	return req.RedirectURI
}

// authorization is a verified request and what its rules have made of it.
type authorization struct {
	Verified
	policy  Policy
	flow    Flow
	req     AuthorizationRequest
	act     Act
	facts   AuthorizationFacts
	session *Session // that lives; nil: nobody is signed in
	now     time.Time

	prompt    map[string]bool
	oldest    time.Time // what auth_time may be at the earliest; zero: anything
	wanted    claimsRequest
	audiences []string
	granted   []string // scope
}

// stillOpen ends a flow that took too long or has had its code, and a consent
// that was shown to somebody else.
func (a *authorization) stillOpen() *Fault {
	switch age := a.now.Sub(a.flow.Start); {
	case a.facts.FlowEnded:
		return fault(FlowUsed, "this authorization request has had its code", "", "", nil)
	case age >= FlowTTL:
		return fault(FlowExpired, "this authorization request began more than 30 minutes ago", "", "", nil)
	case a.act.Answered && !a.act.by(a.session):
		return fault(ConsentOfOthers, "the consent page was shown to another session", "", "", nil)
	}
	return nil
}

func (a *authorization) issue(fresh FreshCode) (Authorization, []change.Change) {
	s, c := a.session, a.client
	var changes []change.Change
	if before := a.facts; a.act.Answered && !before.cover(a.act.Scope, a.act.Audiences) {
		changes = append(changes, change.ConsentGiven{
			User: s.User, Client: c.ID, Scope: union(before.Consented, a.act.Scope), Audiences: union(before.ConsentedAudiences, a.act.Audiences), At: a.now,
		})
	}
	changes = append(changes, change.CodeIssued{
		Hash: fresh.Hash, Flow: a.flow.ID, Client: c.ID, User: s.User, Session: s.ID,
		RedirectURI: a.redirectURI, RedirectURISent: a.req.RedirectURI != "", CodeChallenge: a.req.CodeChallenge, Nonce: a.req.Nonce,
		Scope: a.granted, Audiences: a.audiences, Claims: a.wanted.within(c.Scopes), Methods: s.Methods, AuthTime: s.AuthTime,
		UserEpoch: a.facts.User.Epoch, ClientEpoch: c.Epoch, GlobalEpoch: a.facts.GlobalEpoch, At: a.now, ExpiresAt: a.now.Add(CodeTTL),
	})
	changes = append(changes, s.Used(a.policy, a.now)...)
	return Authorization{Response: a.respond(nil, Parameter{"code", fresh.Code})}, changes
}

func (a *authorization) noRequestObject() (*Refusal, *Ask) {
	switch {
	case a.req.Request != "":
		return refuse(RequestNotSupported, "request objects are not supported: send the parameters themselves"), nil
	case a.req.RequestURI != "":
		return refuse(RequestURINotSupported, "request_uri is not supported: send the parameters themselves"), nil
	}
	return nil, nil
}

func (a *authorization) onceEach() (*Refusal, *Ask) {
	if len(a.req.Repeated) > 0 {
		return refuse(InvalidRequest, "the parameter "+quote(a.req.Repeated[0])+" stands more than once"), nil
	}
	return nil, nil
}

func (a *authorization) responseType() (*Refusal, *Ask) {
	switch a.req.ResponseType {
	case "code":
		return nil, nil
	case "":
		return refuse(InvalidRequest, "response_type is missing"), nil
	}
	return refuse(UnsupportedResponseType, "response_type must be code: tokens never come through the browser's address"), nil
}

func (a *authorization) mayUseCodes() (*Refusal, *Ask) {
	return a.client.authorized(AuthorizationCodeGrant), nil
}

func (a *authorization) codeChallenge() (*Refusal, *Ask) {
	return checkChallenge(a.client, a.req.CodeChallenge, a.req.CodeChallengeMethod), nil
}

// Values of prompt. OpenID Connect Core §3.1.2.1; create: Initiating User
// Registration via OpenID Connect 1.0 §4.
const (
	promptNone          = "none"
	promptLogin         = "login"
	promptConsent       = "consent"
	promptSelectAccount = "select_account"
	promptCreate        = "create"
)

var knownPrompts = []string{promptNone, promptLogin, promptConsent, promptSelectAccount, promptCreate}

func (a *authorization) prompts() (*Refusal, *Ask) {
	prompt := map[string]bool{}
	for _, value := range strings.Fields(a.req.Prompt) {
		if !slices.Contains(knownPrompts, value) {
			return refuse(InvalidRequest, "prompt must be none, or of login, consent, select_account and create"), nil
		}
		prompt[value] = true
	}
	if prompt[promptNone] && len(prompt) > 1 {
		return refuse(InvalidRequest, "prompt none goes with no other value"), nil
	}
	a.prompt = prompt
	if prompt[promptLogin] || prompt[promptCreate] {
		a.oldest = a.flow.Start
	}
	return nil, nil
}

// Anew is the query of a request that was answered, for another answer. Whoever
// was to make an account has one by now.
func Anew(query string) string {
	values, err := url.ParseQuery(query)
	if prompt := values.Get("prompt"); err == nil && strings.Contains(prompt, promptCreate) {
		values.Set("prompt", strings.TrimSpace(strings.ReplaceAll(prompt, promptCreate, "")))
		return values.Encode()
	}
	return query
}

// maxAge is measured against the flow's start: a person who takes a minute to
// read the consent page need not sign in again.
func (a *authorization) maxAge() (*Refusal, *Ask) {
	if a.req.MaxAge == "" {
		return nil, nil
	}
	seconds, err := strconv.ParseUint(a.req.MaxAge, 10, 31)
	if err != nil {
		return refuse(InvalidRequest, "max_age must be a number of seconds"), nil
	}
	oldest := a.flow.Start.Add(-time.Duration(seconds) * time.Second)
	if a.oldest.Before(oldest) {
		a.oldest = oldest
	}
	return nil, nil
}

func (a *authorization) claims() (refusal *Refusal, _ *Ask) {
	a.wanted, refusal = parseClaims(a.req.Claims)
	return refusal, nil
}

func (a *authorization) hint() (*Refusal, *Ask) {
	if a.req.IDTokenHint != "" && (a.req.Hint == nil || !a.req.Hint.isFor(a.client.ID)) {
		return refuse(InvalidRequest, "id_token_hint is no ID token that this server issued to this client"), nil
	}
	return nil, nil
}

// maxEchoed is what state and nonce may have: they are stored, sealed or sent back whole.
const maxEchoed = 4096

func (a *authorization) lengths() (*Refusal, *Ask) {
	if len(a.req.Nonce) > maxEchoed {
		return refuse(InvalidRequest, "nonce is longer than 4,096 bytes"), nil
	}
	if len(a.req.State) > maxEchoed {
		return refuse(InvalidRequest, "state is longer than 4,096 bytes"), nil
	}
	return nil, nil
}

func (a *authorization) resource() (*Refusal, *Ask) {
	for _, resource := range a.req.Resources {
		if _, refusal := audienceWithin([]string{resource}, a.client.Audiences, a.issuer); refusal != nil {
			return refusal, nil
		}
	}
	a.audiences = a.client.Audiences
	if len(a.req.Resources) > 0 {
		a.audiences = a.req.Resources
	}
	return nil, nil
}

// scope drops what is unknown or not the client's. OpenID Connect Core §3.1.2.1.
// offline_access without prompt=consent is granted where it was allowed before,
// else left out (§11).
func (a *authorization) scope() (*Refusal, *Ask) {
	c := a.client
	asked := slices.Clone(c.Scopes)
	if a.req.Scope != "" {
		var refusal *Refusal
		if asked, refusal = parseScope(a.req.Scope); refusal != nil {
			return refusal, nil
		}
	}
	offline := c.authorized(RefreshTokenGrant) == nil && a.req.Scope != "" &&
		(c.Trusted || a.prompt[promptConsent] || slices.Contains(a.facts.Consented, OfflineAccess))
	known := slices.DeleteFunc(asked, func(token string) bool { return !slices.Contains(c.Scopes, token) })
	if len(known) == 0 && a.req.Scope != "" {
		return refuse(InvalidScope, "scope names nothing that this client may have"), nil
	}
	a.granted = slices.DeleteFunc(known, func(token string) bool { return token == OfflineAccess && !offline })
	return nil, nil
}

func (a *authorization) signedIn() (*Refusal, *Ask) {
	if a.session == nil || a.session.AuthTime.Before(a.oldest) {
		return nil, a.askSignIn()
	}
	return nil, nil
}

func (a *authorization) askSignIn() *Ask {
	return &Ask{Page: AskSignIn, SignUp: a.prompt[promptCreate], LoginHint: a.req.LoginHint}
}

// rightPerson never answers with somebody else than the client named, in the
// hint or by claims (OpenID Connect Core §5.5.1).
func (a *authorization) rightPerson() (*Refusal, *Ask) {
	user := a.session.User
	sub := a.wanted.IDToken["sub"].accepted()
	switch {
	case len(sub) > 0 && a.prompt[promptNone] && a.facts.Consented == nil && !a.client.Trusted:
		return refusals[AskConsent], nil // who it is, is not for a client to try out that nobody has allowed
	case (a.req.Hint == nil || a.req.Hint.Subject == user) && (len(sub) == 0 || slices.Contains(sub, user)):
		return nil, nil
	case a.signedInHere():
		return refuse(LoginRequired, "another person signed in than the one that the request names"), nil
	}
	return nil, a.askSignIn()
}

// signedInHere says whether the person signed in during this flow.
func (a *authorization) signedInHere() bool { return !a.session.AuthTime.Before(a.flow.Start) }

// choseAccount takes a consent for a choice: its page named the person. What was
// offered to one person is no choice of another who has signed in since.
func (a *authorization) choseAccount() (*Refusal, *Ask) {
	chose := a.signedInHere()
	if a.act.ChoseAccount {
		chose = a.act.by(a.session)
	}
	if !a.prompt[promptSelectAccount] || a.act.Answered || chose {
		return nil, nil
	}
	return nil, &Ask{Page: AskAccount}
}

func (a *authorization) strongEnough() (*Refusal, *Ask) {
	acr := a.wanted.IDToken["acr"]
	if accepted := acr.accepted(); acr.Essential && len(accepted) > 0 && !slices.Contains(accepted, acrOf(a.session.Methods)) {
		return refuse(UnmetAuthenticationRequirements, "this server cannot reach the acr that claims demands"), nil
	}
	return nil, nil
}

func (a *authorization) notDenied() (*Refusal, *Ask) {
	if a.act.Answered && !a.act.Allowed {
		return refuse(AccessDenied, "the person did not allow it"), nil
	}
	return nil, nil
}

// consented lets only what a page has shown, an earlier consent covers or the
// operator trusts pass without asking. A client's first time always shows a page,
// and so does each time of a native app: any program of the device can pass for
// it (RFC 8252 §8.6).
func (a *authorization) consented() (*Refusal, *Ask) {
	needed := union(a.granted, a.scopesByClaims())
	switch {
	case a.act.Answered && containsAll(a.act.Scope, needed) && containsAll(a.act.Audiences, a.audiences):
		return nil, nil
	case a.act.Answered || a.prompt[promptConsent]: // the page showed less than what is needed by now, or has not been shown
	case a.client.Public && a.client.Native:
	case a.client.Trusted, a.facts.cover(needed, a.audiences):
		return nil, nil
	}
	return nil, &Ask{Page: AskConsent, Scope: needed, Audiences: a.audiences}
}

// cover says whether the person has allowed the client all of this before.
func (f AuthorizationFacts) cover(scope, audiences []string) bool {
	return f.Consented != nil && containsAll(f.Consented, scope) && containsAll(f.ConsentedAudiences, audiences)
}

// scopesByClaims are the scopes of claims that are asked for by name, of those
// that the client may have.
func (a *authorization) scopesByClaims() []string {
	return slices.DeleteFunc(a.wanted.scopes(), func(scope string) bool { return !slices.Contains(a.client.Scopes, scope) })
}

// refusals are what prompt=none gets instead of a page. OpenID Connect Core §3.1.2.6.
var refusals = map[AskPage]*Refusal{
	AskSignIn:  refuse(LoginRequired, "prompt is none, and the person must sign in"),
	AskAccount: refuse(AccountSelectionRequired, "prompt is none, and the person must choose an account"),
	AskConsent: refuse(ConsentRequired, "prompt is none, and the person must allow what is asked for"),
}

func containsAll(set, subset []string) bool {
	return !slices.ContainsFunc(subset, func(s string) bool { return !slices.Contains(set, s) })
}

func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}
