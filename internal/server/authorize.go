package server

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/keywright/keywright/internal/account"
	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/pages"
	"github.com/keywright/keywright/internal/store"
)

// authorize is the authorization endpoint. RFC 6749 §3.1.
func (s *Server) authorize(x *exchange) {
	f, err := s.newFlow(x, x.r.URL.RawQuery)
	if err != nil {
		x.brokePage(err)
		return
	}
	s.proceed(x, f, oauth.Act{})
}

// toOwnGet is what an entrance does with a POST, which any site may have sent
// and which brings no cookies then: it decides nothing, and comes back by GET.
func (x *exchange) toOwnGet() {
	body, refusal := readBody(x.r, maxParameters)
	if refusal != nil || x.r.URL.RawQuery != "" {
		x.failurePage(http.StatusBadRequest, pages.BadForm)
		return
	}
	query, err := url.ParseQuery(string(body))
	if err != nil {
		x.failurePage(http.StatusBadRequest, pages.BadForm)
		return
	}
	x.redirect(http.StatusSeeOther, x.r.URL.Path+"?"+query.Encode())
}

// proceed decides where a flow stands, at first and after each page. It reads
// first: what only asks the person something writes nothing.
func (s *Server) proceed(x *exchange, f flow, act oauth.Act) {
	p, ok := parseParameters(f.Query)
	if !ok {
		x.failurePage(http.StatusBadRequest, pages.BadForm)
		return
	}
	if x.locales == "" {
		x.locales = p.get("ui_locales")
	}
	decided := oauth.Flow{ID: f.ID, Start: f.Start, Request: s.authorizationRequest(p)}
	answer, facts, err := s.decideAuthorization(x, decided, act)
	if err != nil {
		x.brokePage(err)
		return
	}
	x.step.inFlow(f.ID, facts.Client)
	if facts.Session != nil {
		x.step.joins("session", facts.Session.ID)
	}
	switch {
	case answer.Fault != nil && answer.Fault.Code == oauth.FlowUsed && !act.Answered:
		// Somebody pressed twice, and the first answer was lost: the request begins anew.
		x.redirect(http.StatusSeeOther, oauth.AuthorizationPath+"?"+oauth.Anew(f.Query))
	case answer.Fault != nil:
		x.fault(answer.Fault)
	case answer.Response != nil && facts.Client.RegisteredItself() && answer.Response.Unasked(decided.Request, act):
		x.refuseUnasked(facts.Client, answer.Response)
	case answer.Response != nil:
		x.respond(answer.Response)
	default:
		s.ask(x, f, decided.Request, facts, answer.Ask)
	}
}

func (s *Server) decideAuthorization(x *exchange, f oauth.Flow, act oauth.Act) (answer oauth.Authorization, facts oauth.AuthorizationFacts, err error) {
	ctx, clientID, session := x.r.Context(), f.Request.ClientID, x.sessionHash()
	read := s.DB.Read(ctx)
	now, err := read.Now()
	if err != nil {
		return answer, facts, err
	}
	if facts, err = read.AuthorizationFacts(clientID, session, f.ID); err != nil {
		return answer, facts, err
	}
	x.recognize(facts.Client)
	answer, changes := oauth.Authorize(s.Policy, f, act, facts, s.freshCode(), now)
	if len(changes) == 0 {
		return answer, facts, nil
	}
	err = store.Decide(ctx, s.DB, x.origin(facts.Session.User, clientID),
		func(tx *store.Tx) (oauth.AuthorizationFacts, error) {
			return tx.LockAuthorizationFacts(clientID, session, f.ID)
		},
		func(locked oauth.AuthorizationFacts, now time.Time) (changes []change.Change, _ error) {
			facts = locked
			answer, changes = oauth.Authorize(s.Policy, f, act, facts, s.freshCode(), now)
			return changes, nil
		})
	return answer, facts, err
}

// ask shows the page on which the person does what comes next.
func (s *Server) ask(x *exchange, f flow, req oauth.AuthorizationRequest, facts oauth.AuthorizationFacts, ask *oauth.Ask) {
	c := facts.Client
	targets := formTargets(c, req.RedirectURI)
	switch ask.Page {
	case oauth.AskSignIn:
		email, _ := account.CanonicalEmail(ask.LoginHint)
		if ask.SignUp && s.SignUp {
			x.step.note("asked to make an account", "")
			s.showSignUp(x, http.StatusOK, f, pages.SignUp{Email: email})
			return
		}
		x.step.note("asked to sign in", "")
		s.showSignIn(x, http.StatusOK, f, pages.SignIn{Email: email})
	case oauth.AskAccount:
		x.step.note("asked to choose an account", "")
		sealed, err := s.sealer.seal(sealedChoice, x.browser(), choice{Flow: f, Session: facts.Session.ID, User: facts.User.ID})
		if err != nil {
			x.brokePage(err)
			return
		}
		x.page(http.StatusOK, pages.ChooseAccount{Flow: sealed, App: c.Title(), Name: facts.User.Name, Email: facts.User.Email}, targets...)
	case oauth.AskConsent:
		x.step.note("asked to allow "+strings.Join(ask.Scope, " "), "")
		s.askConsent(x, f, req, facts, ask, targets)
	}
}

func (s *Server) askConsent(x *exchange, f flow, req oauth.AuthorizationRequest, facts oauth.AuthorizationFacts, ask *oauth.Ask, targets []string) {
	c := facts.Client
	shown := consent{Flow: f, Session: facts.Session.ID, User: facts.User.ID, Scope: ask.Scope, Audiences: ask.Audiences}
	sealed, err := s.sealer.seal(sealedConsent, x.browser(), shown)
	if err != nil {
		x.brokePage(err)
		return
	}
	host := req.RedirectURI
	if host == "" {
		host = c.RedirectURIs[0]
	}
	x.page(http.StatusOK, pages.Consent{
		Request: sealed, App: c.Title(), Host: hostOf(host), Unverified: c.RegisteredItself(), Email: facts.User.Email,
		Scopes: scopesOf(ask.Scope), Resource: strings.Join(ask.Audiences, " "), Offline: slices.Contains(ask.Scope, oauth.OfflineAccess),
		Days: int(s.Policy.RefreshAbsolute / (24 * time.Hour)),
	}, targets...)
}

// scopesOf are scopes as people read them; offline_access has a line of its own.
func scopesOf(names []string) (scopes []pages.Scope) {
	for _, name := range names {
		if name != oauth.OfflineAccess {
			scopes = append(scopes, pages.Scope{Name: name})
		}
	}
	return scopes
}

// respond hands the answer to the client, in the address or in a form. RFC 6749
// §4.1.2, OAuth 2.0 Form Post Response Mode §2.
func (x *exchange) respond(r *oauth.AuthorizationResponse) {
	if r.Refused != nil {
		x.step.note("", r.Refused.Code+": "+r.Refused.Description)
	} else {
		x.step.note("issued a code", "")
	}
	for _, p := range r.Parameters {
		if p.Name == "code" {
			x.step.joins("code", string(oauth.CodeHash(x.server.DB.Secrets().Code, p.Value)))
		}
	}
	if r.Mode == oauth.FormPostMode {
		page := pages.FormPost{Action: r.RedirectURI}
		for _, p := range r.Parameters {
			page.Fields = append(page.Fields, pages.Field(p))
		}
		x.page(http.StatusOK, page, originOf(r.RedirectURI))
		return
	}
	x.redirect(http.StatusSeeOther, oauth.WithQuery(r.RedirectURI, r.Parameters...))
}

// refuseUnasked lets the person decide whether to follow an error to a client
// that nobody vouches for: the link that led here may have been made for that.
// RFC 9700 §4.11.2.
func (x *exchange) refuseUnasked(c *oauth.Client, r *oauth.AuthorizationResponse) {
	x.step.note("", r.Refused.Code+": "+r.Refused.Description)
	page := pages.Refusal{App: c.Title(), Host: hostOf(r.RedirectURI), Method: "get", Action: r.RedirectURI}
	if r.Mode == oauth.FormPostMode {
		page.Method = "post"
	} else if own, err := url.Parse(r.RedirectURI); err == nil {
		for name, values := range own.Query() { // a form that is got replaces the query
			page.Fields = append(page.Fields, pages.Field{Name: name, Value: values[0]})
		}
	}
	for _, p := range r.Parameters {
		page.Fields = append(page.Fields, pages.Field(p))
	}
	x.page(http.StatusOK, page, originOf(r.RedirectURI))
}

// freshCode draws the random values of a decision that may issue a code.
func (s *Server) freshCode() oauth.FreshCode {
	code := "kwc_" + randomText()
	return oauth.FreshCode{Code: code, Hash: oauth.CodeHash(s.DB.Secrets().Code, code)}
}

// consent takes the answer to a consent page.
func (s *Server) consent(x *exchange) {
	f, ok := x.postedForm()
	if !ok {
		return
	}
	var shown consent
	if !s.sealer.open(sealedConsent, x.browser(), f.get("request"), &shown) {
		x.failurePage(http.StatusForbidden, pages.OtherBrowser)
		return
	}
	act := oauth.Act{
		Answered: true, Allowed: f.get("action") == "allow", Scope: shown.Scope, Audiences: shown.Audiences, Session: shown.Session, User: shown.User,
	}
	switch f.get("action") {
	case "show":
		shown.Flow = x.inLanguage(f, shown.Flow)
		act = oauth.Act{ChoseAccount: true, Session: shown.Session, User: shown.User} // the page names the account
	case "allow", "deny":
	default:
		x.failurePage(http.StatusBadRequest, pages.BadForm)
		return
	}
	s.proceed(x, shown.Flow, act)
}

// consentAlone tells whoever opens the page by itself where it comes from.
func (s *Server) consentAlone(x *exchange) { x.failurePage(http.StatusBadRequest, pages.OtherBrowser) }

// goOn is where a flow goes on after a form that held a password, so that the
// browser can forget the form: what it shows next can be loaded again.
func (s *Server) goOn(x *exchange) {
	var f flow
	if !s.sealer.open(sealedFlow, x.browser(), x.r.URL.Query().Get("flow"), &f) {
		x.failurePage(http.StatusForbidden, pages.OtherBrowser)
		return
	}
	x.locales = f.Locale
	s.proceed(x, f, oauth.Act{})
}
