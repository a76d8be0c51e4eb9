package server

import (
	"net/http"
	"time"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/pages"
	"github.com/keywright/keywright/internal/store"
)

// Paths of the pages.
const (
	signInPath    = "/sign-in"
	signUpPath    = "/sign-up"
	consentPath   = "/consent"
	goOnPath      = "/continue"
	signOutPath   = "/sign-out"
	signedOutPath = "/signed-out"
	accountPath   = "/account"
)

// signOutRequest is a sign-out page that was shown: to which session, for what.
type signOutRequest struct {
	Query string `json:"query"` // of the end session endpoint; empty: the person came by themselves
}

// endSession is the end session endpoint. OpenID Connect RP-Initiated Logout 1.0 §2.
func (s *Server) endSession(x *exchange) { s.leave(x, x.r.URL.RawQuery, false) }

// signOutAlone asks whoever comes by themselves.
func (s *Server) signOutAlone(x *exchange) {
	s.leave(x, "", false)
}

// signOut takes the answer to the page. What it carries is sealed to the
// session, so that no other page can post it.
func (s *Server) signOut(x *exchange) {
	posted, ok := x.postedForm()
	if !ok {
		return
	}
	signedIn, err := s.signedIn(x)
	if err != nil {
		x.brokePage(err)
		return
	}
	var shown signOutRequest
	switch {
	case signedIn.Session == nil:
		x.redirect(http.StatusSeeOther, signedOutPath) // in another tab, or long ago
		return
	case !s.sealer.open(sealedSignOut, signedIn.Session.ID, posted.get("request"), &shown):
		x.failurePage(http.StatusForbidden, pages.OtherBrowser)
		return
	}
	switch posted.get("action") {
	case "sign-out":
		s.leave(x, shown.Query, true)
	case "stay":
		x.redirect(http.StatusSeeOther, accountPath)
	default:
		x.chooseLanguage(posted.get("ui_locales"))
		s.leave(x, shown.Query, false)
	}
}

// leave decides a logout request, at first and after the person confirmed it.
func (s *Server) leave(x *exchange, query string, confirmed bool) {
	p, ok := parseParameters(query)
	if !ok {
		x.failurePage(http.StatusBadRequest, pages.BadForm)
		return
	}
	if x.locales == "" {
		x.locales = p.get("ui_locales")
	}
	req := s.endSessionRequest(p)
	answer, facts, err := s.decideEndSession(x, req, confirmed)
	switch {
	case err != nil:
		x.brokePage(err)
	case answer.Fault != nil:
		x.fault(answer.Fault)
	case answer.Ask:
		s.askSignOut(x, query, facts)
	default:
		s.signedOut(x, answer, facts.Client)
	}
}

func (s *Server) decideEndSession(x *exchange, req oauth.EndSessionRequest, confirmed bool) (answer oauth.EndSessionAnswer, facts oauth.EndSessionFacts, err error) {
	ctx, hash := x.r.Context(), x.sessionHash()
	load := func(r store.Reader, session func([]byte) (oauth.SessionFacts, error)) (f oauth.EndSessionFacts, err error) {
		if f.SessionFacts, err = session(hash); err == nil {
			f.Client, err = r.Client(req.Client())
		}
		return f, err
	}
	r := s.DB.Read(ctx)
	now, err := r.Now()
	if err != nil {
		return answer, facts, err
	}
	if facts, err = load(r, r.SessionFacts); err != nil {
		return answer, facts, err
	}
	x.recognize(facts.Client)
	answer, changes := oauth.EndSession(req, facts, confirmed, now)
	if len(changes) == 0 {
		return answer, facts, nil
	}
	x.step.joins("session", facts.Session.ID)
	err = store.Decide(ctx, s.DB, x.origin(facts.Session.User, req.Client()),
		func(tx *store.Tx) (oauth.EndSessionFacts, error) { return load(tx.Reader, tx.LockSessionFacts) },
		func(locked oauth.EndSessionFacts, now time.Time) (changes []change.Change, _ error) {
			facts = locked
			answer, changes = oauth.EndSession(req, facts, confirmed, now)
			return changes, nil
		})
	return answer, facts, err
}

func (s *Server) askSignOut(x *exchange, query string, facts oauth.EndSessionFacts) {
	sealed, err := s.sealer.seal(sealedSignOut, facts.Session.ID, signOutRequest{query})
	if err != nil {
		x.brokePage(err)
		return
	}
	page := pages.SignOut{Request: sealed, Email: facts.User.Email}
	if facts.Client != nil {
		page.App = facts.Client.Title()
	}
	x.page(http.StatusOK, page)
}

// signedOut says that it is done, to the person and to the apps: those that
// listen in the browser by frames, the others behind its back. Only who proved
// that they may ask is sent on without a click.
func (s *Server) signedOut(x *exchange, answer oauth.EndSessionAnswer, c *oauth.Client) {
	x.step.note("signed out", "")
	page := pages.SignedOut{Return: answer.Return, Nothing: answer.Session == nil}
	if c != nil {
		page.App = c.Title()
	}
	if answer.Session != nil {
		x.forgetSession()
		s.sessionsEnded()
		clients, err := s.DB.Read(x.r.Context()).SessionClients(answer.Session.ID)
		if err != nil {
			x.brokePage(err)
			return
		}
		for _, client := range clients {
			if frame := oauth.FrontchannelLogout(s.Policy, client, answer.Session.ID); frame != "" {
				page.Notify = append(page.Notify, frame)
			}
		}
	}
	if answer.Proved && answer.Return != "" && len(page.Notify) == 0 {
		x.redirect(http.StatusSeeOther, answer.Return)
		return
	}
	x.page(http.StatusOK, page)
}

// signedOutAlone is where those come who have signed out elsewhere.
func (s *Server) signedOutAlone(x *exchange) {
	x.page(http.StatusOK, pages.SignedOut{})
}
