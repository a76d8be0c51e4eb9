package server

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/keywright/keywright/internal/account"
	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/pages"
	"github.com/keywright/keywright/internal/password"
	"github.com/keywright/keywright/internal/random"
	"github.com/keywright/keywright/internal/store"
)

// toAccount is where people land who name no page. W3C Change Password URL §2.
func (x *exchange) toAccount() { x.redirect(http.StatusSeeOther, accountPath) }

// account is a person's own page.
func (s *Server) account(x *exchange) {
	facts, err := s.signedIn(x)
	switch {
	case err != nil:
		x.brokePage(err)
	case facts.Session == nil:
		x.redirect(http.StatusSeeOther, signInPath)
	default:
		s.use(x, facts)
		s.showAccount(x, http.StatusOK, facts, pages.Account{})
	}
}

// use keeps the session from falling idle. That it could not be written is no
// reason not to show the page.
func (s *Server) use(x *exchange, facts oauth.SessionFacts) {
	if len(facts.Session.Used(s.Policy, s.now())) == 0 {
		return
	}
	_, err := s.asPerson(x, facts, func(_ *account.User, current oauth.SessionFacts, now time.Time) []change.Change {
		return current.Session.Used(s.Policy, now)
	})
	if err != nil {
		x.blame(err)
	}
}

// showAccount completes the page with what the rows say now.
func (s *Server) showAccount(x *exchange, status int, facts oauth.SessionFacts, p pages.Account) {
	r := s.DB.Read(x.r.Context())
	u := facts.User
	apps, err := s.appsOf(r, u.ID)
	if err != nil {
		x.brokePage(err)
		return
	}
	sessions, err := r.Sessions(u.ID)
	if err != nil {
		x.brokePage(err)
		return
	}
	if p.Token, err = s.sealer.seal(sealedAccount, facts.Session.ID, u.ID); err != nil {
		x.brokePage(err)
		return
	}
	if p.Problems.Of("name") == nil && p.Problems.Of("phone") == nil && p.Problems.Of("address") == nil {
		p.Name, p.Phone, p.Address = u.Name, u.Phone, u.Address
	}
	p.Email, p.Verified = u.Email, u.EmailVerified
	for _, c := range apps {
		p.Apps = append(p.Apps, pages.App{ID: c.Client.ID, Name: c.Client.Title(), Scopes: scopesOf(c.Scope), Since: c.GivenAt})
	}
	for _, session := range sessions {
		if (oauth.SessionFacts{Session: session, User: u, GlobalEpoch: facts.GlobalEpoch}).SignedIn(s.now()) == nil {
			continue
		}
		p.Sessions = append(p.Sessions, pages.Session{
			ID: session.ID, Browser: session.Browser, Since: session.AuthTime, LastSeen: session.SeenAt, Current: session.ID == facts.Session.ID,
		})
	}
	x.page(status, p)
}

// appsOf are those that a person has allowed something, and those of the
// operator's own that hold something.
func (s *Server) appsOf(r store.Reader, user string) ([]oauth.Consent, error) {
	apps, err := r.Consents(user)
	if err != nil {
		return nil, err
	}
	holdings, err := r.Holdings(user)
	for _, h := range holdings {
		if !slices.ContainsFunc(apps, func(c oauth.Consent) bool { return c.Client.ID == h.Client.ID }) {
			apps = append(apps, h)
		}
	}
	return apps, err
}

// postedAccount opens a form of the account page, which is bound to the session.
// It answers what it refuses.
func (s *Server) postedAccount(x *exchange) (facts oauth.SessionFacts, posted form, ok bool) {
	if posted, ok = x.postedForm(); !ok {
		return facts, posted, false
	}
	facts, err := s.signedIn(x)
	var user string
	switch {
	case err != nil:
		x.brokePage(err)
	case facts.Session == nil:
		x.failurePage(http.StatusForbidden, pages.SessionEnded)
	case !s.sealer.open(sealedAccount, facts.Session.ID, posted.get("token"), &user) || user != facts.User.ID:
		x.failurePage(http.StatusForbidden, pages.OtherBrowser)
	default:
		return facts, posted, true
	}
	return facts, posted, false
}

// done shows the page again, as it is after a change.
func (s *Server) done(x *exchange, notice pages.Text) {
	facts, err := s.signedIn(x)
	switch {
	case err != nil:
		x.brokePage(err)
	case facts.Session == nil:
		x.redirect(http.StatusSeeOther, signInPath)
	default:
		s.showAccount(x, http.StatusOK, facts, pages.Account{Notice: notice})
	}
}

// asPerson decides a change that a person makes to what is theirs. The session
// that it was made in must still live when it is made.
// done is false when it has ended.
func (s *Server) asPerson(x *exchange, facts oauth.SessionFacts, rule func(*account.User, oauth.SessionFacts, time.Time) []change.Change) (done bool, err error) {
	type locked struct {
		user    *account.User
		session oauth.SessionFacts
	}
	err = store.Decide(x.r.Context(), s.DB, x.origin(facts.User.ID, ""),
		func(tx *store.Tx) (l locked, err error) {
			if l.user, err = tx.LockUser(facts.User.ID); err == nil {
				l.session, err = tx.LockSessionFacts(x.sessionHash())
			}
			return l, err
		},
		func(l locked, now time.Time) ([]change.Change, error) {
			if done = l.user != nil && l.session.SignedIn(now) != nil; !done {
				return nil, nil
			}
			return rule(l.user, l.session, now), nil
		})
	return done, err
}

// changed answers a change of the account page.
func (s *Server) changed(x *exchange, done bool, err error, notice pages.Text) {
	switch {
	case err != nil:
		x.brokePage(err)
	case !done:
		x.failurePage(http.StatusForbidden, pages.SessionEnded)
	default:
		s.done(x, notice)
	}
}

// accountProfile takes the form with what people say about themselves.
func (s *Server) accountProfile(x *exchange) {
	facts, posted, ok := s.postedAccount(x)
	if !ok {
		return
	}
	profile := account.Profile{Name: posted.get("name"), Phone: posted.get("phone"), Address: posted.get("address")}
	if problems := profile.Check(); problems != nil {
		s.showAccount(x, http.StatusUnprocessableEntity, facts, pages.Account{
			Name: profile.Name, Phone: profile.Phone, Address: profile.Address, Problems: problemsOf(problems),
		})
		return
	}
	done, err := s.asPerson(x, facts, func(u *account.User, _ oauth.SessionFacts, now time.Time) []change.Change {
		return account.ChangeProfile(u, profile, now)
	})
	s.changed(x, done, err, pages.ProfileSaved)
}

// accountPassword changes the password. Whatever the person holds ends but this
// browser's session, which begins anew.
func (s *Server) accountPassword(x *exchange) {
	facts, posted, ok := s.postedAccount(x)
	if !ok {
		return
	}
	canonical, _ := account.CanonicalEmail(facts.User.Email)
	next := posted.get("password")
	if code := account.CheckPassword(next, canonical); code != "" {
		s.refusePassword(x, facts, http.StatusUnprocessableEntity, "", account.Problem{Field: "password", Code: code})
		return
	}
	proved, err := s.provePassword(x, canonical, posted.get("current"), "")
	var hash string
	if err == nil && proved.Right {
		hash, err = s.Hasher.Hash(x.r.Context(), []byte(next))
	}
	switch {
	case errors.Is(err, password.ErrBusy):
		x.w.Header().Set("Retry-After", "5")
		s.refusePassword(x, facts, http.StatusServiceUnavailable, pages.Busy)
	case err != nil:
		x.brokePage(err)
	case proved.retryAfter > 0:
		x.retryAfter(proved.retryAfter)
		s.refusePassword(x, facts, http.StatusTooManyRequests, pages.TooManyAttempts)
	case !proved.Right:
		s.refusePassword(x, facts, http.StatusUnprocessableEntity, "", account.Problem{Field: "current", Code: account.PasswordWrong})
	default:
		s.changePassword(x, facts, proved, hash)
	}
}

func (s *Server) refusePassword(x *exchange, facts oauth.SessionFacts, status int, alert pages.Text, problems ...account.Problem) {
	s.showAccount(x, status, facts, pages.Account{Alert: alert, Problems: problemsOf(problems)})
}

func (s *Server) changePassword(x *exchange, facts oauth.SessionFacts, proved provedPassword, hash string) {
	secret, changed := randomText(), false
	fresh := oauth.FreshSession{ID: random.ID("ses_"), SecretHash: oauth.SessionHash(s.DB.Secrets().Session, secret)}
	done, err := s.asPerson(x, facts, func(u *account.User, current oauth.SessionFacts, now time.Time) []change.Change {
		ok, changes := account.ChangePassword(u, proved.PasswordProof, hash, proved.attempt, now)
		if changed = ok; !ok {
			return nil
		}
		changes = append(changes, change.SessionEnded{Session: current.Session.ID, User: u.ID, At: now})
		person := oauth.User{ID: u.ID, Epoch: u.Epoch + 1} // as it is after the change
		_, begun := oauth.BeginSession(s.Policy, oauth.SessionFacts{GlobalEpoch: current.GlobalEpoch}, person, []string{oauth.Password},
			current.Session.Browser, fresh, now)
		return append(changes, begun...)
	})
	switch {
	case err != nil:
		x.brokePage(err)
	case !done || !changed:
		s.refusePassword(x, facts, http.StatusUnprocessableEntity, "", account.Problem{Field: "current", Code: account.PasswordWrong})
	default:
		x.keepSession(secret)
		s.sessionsEnded()
		s.done(x, pages.PasswordChanged)
	}
}

// accountApps takes back what an app was allowed.
func (s *Server) accountApps(x *exchange) {
	facts, posted, ok := s.postedAccount(x)
	if !ok {
		return
	}
	apps, err := s.appsOf(s.DB.Read(x.r.Context()), facts.User.ID)
	if err != nil {
		x.brokePage(err)
		return
	}
	at := slices.IndexFunc(apps, func(c oauth.Consent) bool { return c.Client.ID == posted.get("client") })
	if at < 0 {
		s.done(x, pages.AccessRemoved) // in another tab, or never given
		return
	}
	done, err := s.asPerson(x, facts, func(u *account.User, _ oauth.SessionFacts, now time.Time) []change.Change {
		return []change.Change{change.ConsentWithdrawn{User: u.ID, Client: apps[at].Client.ID, At: now}}
	})
	s.changed(x, done, err, pages.AccessRemoved)
}

// accountSessions ends one other session of the person, or all.
func (s *Server) accountSessions(x *exchange) {
	facts, posted, ok := s.postedAccount(x)
	if !ok {
		return
	}
	for {
		sessions, err := s.DB.Read(x.r.Context()).Sessions(facts.User.ID)
		if err != nil {
			x.brokePage(err)
			return
		}
		chosen := slices.DeleteFunc(sessions, func(o *oauth.Session) bool {
			return o.ID == facts.Session.ID || posted.get("session") != "others" && o.ID != posted.get("session")
		})
		done, err := s.endSessions(x, facts, chosen)
		if len(chosen) == 0 || !done || err != nil {
			s.sessionsEnded()
			s.changed(x, done, err, pages.SessionsEnded)
			return
		}
	}
}

func (s *Server) endSessions(x *exchange, facts oauth.SessionFacts, sessions []*oauth.Session) (done bool, err error) {
	return s.asPerson(x, facts, func(u *account.User, _ oauth.SessionFacts, now time.Time) (changes []change.Change) {
		for _, o := range sessions {
			changes = append(changes, change.SessionEnded{Session: o.ID, User: u.ID, At: now})
		}
		return changes
	})
}
