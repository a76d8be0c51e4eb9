package server

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/keywright/keywright/internal/account"
	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/pages"
	"github.com/keywright/keywright/internal/password"
	"github.com/keywright/keywright/internal/random"
	"github.com/keywright/keywright/internal/store"
)

// signInAlone is the page for those who come by themselves. It begins a flow of
// its own, which leads to their account.
func (s *Server) signInAlone(x *exchange) {
	signedIn, err := s.signedIn(x)
	switch {
	case err != nil:
		x.brokePage(err)
		return
	case signedIn.Session != nil:
		x.redirect(http.StatusSeeOther, accountPath)
		return
	}
	f, err := s.newFlow(x, "")
	if err != nil {
		x.brokePage(err)
		return
	}
	s.showSignIn(x, http.StatusOK, f, pages.SignIn{})
}

// signedIn returns the living session of this browser, with its person.
func (s *Server) signedIn(x *exchange) (oauth.SessionFacts, error) {
	r := s.DB.Read(x.r.Context())
	facts, err := r.SessionFacts(x.sessionHash())
	if err != nil {
		return facts, err
	}
	now, err := r.Now()
	facts.Session = facts.SignedIn(now)
	return facts, err
}

// postedFlow opens the sealed flow of a page's form. It answers what it refuses.
func (s *Server) postedFlow(x *exchange, posted form) (f flow, ok bool) {
	if !s.sealer.open(sealedFlow, x.browser(), posted.get("flow"), &f) {
		x.failurePage(http.StatusForbidden, pages.OtherBrowser)
		return f, false
	}
	if f.expired(s.now()) {
		x.failurePage(http.StatusForbidden, pages.FlowExpired)
		return f, false
	}
	return x.inLanguage(posted, f), true
}

// inLanguage remembers the language that the person switched to, for the rest
// of the flow and for the next one.
func (x *exchange) inLanguage(posted form, f flow) flow {
	if chosen := posted.get("ui_locales"); chosen != "" {
		x.chooseLanguage(chosen)
		f.Locale = x.locales
	}
	x.locales = f.Locale
	return f
}

// showSignIn completes a sign-in page with what its flow says.
func (s *Server) showSignIn(x *exchange, status int, f flow, p pages.SignIn) {
	sealed, app, targets, err := s.carry(x, f)
	if err != nil {
		x.brokePage(err)
		return
	}
	p.Flow, p.App, p.NoSignUp = sealed, app, !s.SignUp
	x.page(status, p, targets...)
}

// carry returns what a form needs to carry a flow on: the flow itself, sealed, the
// app that it leads to, and where the form may lead. The page is in the flow's language.
func (s *Server) carry(x *exchange, f flow) (sealed, app string, targets []string, err error) {
	c, params, err := s.clientOf(x.r.Context(), f)
	if err != nil {
		return "", "", nil, err
	}
	if c != nil {
		app = c.Title()
	}
	if x.locales == "" {
		x.locales = params.get("ui_locales")
	}
	sealed, err = s.sealer.seal(sealedFlow, x.browser(), f)
	return sealed, app, formTargets(c, params.get("redirect_uri")), err
}

// signIn takes what the sign-in page and the page that offers an account post.
func (s *Server) signIn(x *exchange) {
	posted, ok := x.postedForm()
	if !ok {
		return
	}
	switch posted.get("action") {
	case "continue", "choose", "other":
		s.choose(x, posted)
		return
	}
	f, ok := s.postedFlow(x, posted)
	switch {
	case !ok:
	case posted.get("action") == "show":
		s.showSignIn(x, http.StatusOK, f, pages.SignIn{Email: f.loginHint()})
	default:
		s.takeCredentials(x, f, trim(posted.get("email")), posted.get("password"))
	}
}

// choose takes the answer to the page that offers an account, to the person to
// whom it was offered.
func (s *Server) choose(x *exchange, posted form) {
	var offered choice
	if !s.sealer.open(sealedChoice, x.browser(), posted.get("flow"), &offered) {
		x.failurePage(http.StatusForbidden, pages.OtherBrowser)
		return
	}
	f := x.inLanguage(posted, offered.Flow)
	switch posted.get("action") {
	case "continue":
		s.proceed(x, f, oauth.Act{ChoseAccount: true, Session: offered.Session, User: offered.User})
	case "choose":
		s.proceed(x, f, oauth.Act{})
	default:
		s.showSignIn(x, http.StatusOK, f, pages.SignIn{})
	}
}

// takeCredentials signs a person in and goes on with their flow. A wrong
// password, an unknown address and a disabled person look alike.
func (s *Server) takeCredentials(x *exchange, f flow, email, typed string) {
	page := pages.SignIn{Email: email}
	canonical, ok := account.CanonicalEmail(email)
	switch {
	case email == "":
		page.Problems = append(page.Problems, pages.Problem{Field: "email", Message: pages.FieldMissing})
	case !ok:
		page.Problems = append(page.Problems, pages.Problem{Field: "email", Message: pages.EmailInvalid})
	}
	if typed == "" {
		page.Problems = append(page.Problems, pages.Problem{Field: "password", Message: pages.FieldMissing})
	}
	if page.Problems != nil {
		s.showSignIn(x, http.StatusUnprocessableEntity, f, page)
		return
	}
	proved, err := s.provePassword(x, canonical, typed, "")
	switch {
	case errors.Is(err, password.ErrBusy):
		page.Alert = pages.Busy
		x.w.Header().Set("Retry-After", "5")
		s.showSignIn(x, http.StatusServiceUnavailable, f, page)
	case err != nil:
		x.brokePage(err)
	case proved.retryAfter > 0:
		page.Alert = pages.TooManyAttempts
		x.retryAfter(proved.retryAfter)
		s.showSignIn(x, http.StatusTooManyRequests, f, page)
	default:
		s.beginSession(x, f, page, proved)
	}
}

// beginSession signs in whoever proved their password, if they may.
func (s *Server) beginSession(x *exchange, f flow, page pages.SignIn, proved provedPassword) {
	signedIn, err := s.startSession(x, proved)
	switch {
	case err != nil:
		x.brokePage(err)
	case !signedIn:
		page.Alert = pages.WrongCredentials
		x.step.note("", "wrong e-mail address or password")
		s.showSignIn(x, http.StatusUnprocessableEntity, f, page)
	case f.Query == "":
		x.redirect(http.StatusSeeOther, accountPath)
	default:
		s.leaveForm(x, f)
	}
}

// leaveForm goes on with a flow by GET: the sealed flow is no secret. One that is
// too long for an address goes on where it is.
func (s *Server) leaveForm(x *exchange, f flow) {
	sealed, err := s.sealer.seal(sealedFlow, x.browser(), f)
	switch {
	case err != nil:
		x.brokePage(err)
	case len(sealed) > maxAddress:
		s.proceed(x, f, oauth.Act{})
	default:
		x.step.inFlow(f.ID, nil)
		x.step.note("signed in", "")
		x.redirect(http.StatusSeeOther, goOnPath+"?flow="+sealed)
	}
}

// maxAddress is what every browser and proxy takes.
const maxAddress = 6 << 10

func (s *Server) startSession(x *exchange, proved provedPassword) (signedIn bool, err error) {
	if !proved.Right {
		return false, nil
	}
	type facts struct {
		user    *account.User
		session oauth.SessionFacts
	}
	secret, current := randomText(), x.sessionHash()
	fresh := oauth.FreshSession{ID: random.ID("ses_"), SecretHash: oauth.SessionHash(s.DB.Secrets().Session, secret)}
	err = store.Decide(x.r.Context(), s.DB, x.origin(proved.user, ""),
		func(tx *store.Tx) (f facts, err error) {
			if f.user, err = tx.LockUser(proved.user); err == nil {
				f.session, err = tx.LockSessionFacts(current)
			}
			return f, err
		},
		func(f facts, now time.Time) ([]change.Change, error) {
			ok, changes := account.SignIn(f.user, proved.PasswordProof, proved.attempt)
			if signedIn = ok; !ok {
				return nil, nil
			}
			person := oauth.User{ID: f.user.ID, Epoch: f.user.Epoch}
			_, begun := oauth.BeginSession(s.Policy, f.session, person, []string{oauth.Password}, browserName(x.r.UserAgent()), fresh, now)
			return append(changes, begun...), nil
		})
	if err == nil && signedIn {
		x.keepSession(secret)
		s.sessionsEnded() // another person's, perhaps
	}
	return signedIn, err
}

// provedPassword is what trying a password showed.
type provedPassword struct {
	account.PasswordProof
	user       string        // whose it is, when it is right
	attempt    []string      // counters that a success gives back
	retryAfter time.Duration // above 0: too many have failed, and nothing was tried
}

// provePassword reserves an attempt and hashes the password outside of any
// transaction. It does the same work for an address that nobody has.
func (s *Server) provePassword(x *exchange, canonicalEmail, typed, client string) (p provedPassword, err error) {
	attempt, reservation, err := s.reserveAttempt(x, canonicalEmail, client)
	if err != nil || reservation.Refused {
		p.retryAfter = reservation.RetryAfter
		return p, err
	}
	p.attempt = attempt
	if account.TooLong(typed) {
		return p, nil // no account has it
	}
	p.PasswordProof, p.user, err = s.verifyPassword(x.r.Context(), canonicalEmail, typed)
	if err != nil {
		// No password was tried, so the attempt does not count.
		if failed := s.returnAttempt(x, attempt, client); failed != nil {
			err = failed
		}
	}
	return p, err
}

func (s *Server) verifyPassword(ctx context.Context, canonicalEmail, typed string) (proof account.PasswordProof, userID string, err error) {
	u, err := s.DB.Read(ctx).UserByEmail(canonicalEmail)
	if err != nil {
		return proof, "", err
	}
	if u == nil {
		u = &account.User{}
	}
	right, err := s.Hasher.Verify(ctx, []byte(typed), u.PasswordHash)
	if err != nil || !right || u.Disabled {
		return proof, "", err
	}
	proof = account.PasswordProof{Right: true, Version: u.CredentialVersion}
	if s.Hasher.Outdated(u.PasswordHash) {
		// When too many wait, the next sign-in will do.
		if proof.Rehashed, err = s.Hasher.Hash(ctx, []byte(typed)); errors.Is(err, password.ErrBusy) {
			err = nil
		}
	}
	return proof, u.ID, err
}

// reserveAttempt counts an attempt against the account and against the address
// it comes from. keys name the counters.
func (s *Server) reserveAttempt(x *exchange, canonicalEmail, client string) (keys []string, r account.Reservation, err error) {
	if s.Limits.PerAccount == 0 {
		return nil, r, nil
	}
	type facts struct{ account, address account.Bucket }
	keys = []string{s.throttle.account(canonicalEmail), s.throttle.address(x.address())}
	err = store.Decide(x.r.Context(), s.DB, x.origin("", client),
		func(tx *store.Tx) (f facts, err error) {
			f.account, f.address, err = tx.LockAttempts(keys[0], keys[1])
			return f, err
		},
		func(f facts, now time.Time) ([]change.Change, error) {
			r = s.Limits.Reserve(f.account, f.address, now)
			return r.Changes, nil
		})
	return keys, r, err
}

func (s *Server) returnAttempt(x *exchange, keys []string, client string) error {
	if len(keys) == 0 {
		return nil
	}
	// The caller may be gone: give back all the same.
	return s.DB.Update(context.WithoutCancel(x.r.Context()), func(tx *store.Tx) error {
		return tx.Apply(x.origin("", client), change.AttemptsReturned{Keys: keys})
	})
}

// retryAfter says when to try again, in whole seconds.
func (x *exchange) retryAfter(after time.Duration) {
	x.w.Header().Set("Retry-After", strconv.Itoa(int(after/time.Second)+1))
}
