package server

import (
	"errors"
	"net/http"
	"time"

	"github.com/keywright/keywright/internal/account"
	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/pages"
	"github.com/keywright/keywright/internal/password"
	"github.com/keywright/keywright/internal/random"
	"github.com/keywright/keywright/internal/store"
)

// signUpAlone is the page for those who come by themselves.
func (s *Server) signUpAlone(x *exchange) {
	f, err := s.newFlow(x, "")
	if err != nil {
		x.brokePage(err)
		return
	}
	s.showSignUp(x, http.StatusOK, f, pages.SignUp{})
}

func (s *Server) showSignUp(x *exchange, status int, f flow, p pages.SignUp) {
	if !s.SignUp {
		x.failurePage(http.StatusForbidden, pages.SignUpClosed)
		return
	}
	sealed, app, targets, err := s.carry(x, f)
	if err != nil {
		x.brokePage(err)
		return
	}
	p.Flow, p.App = sealed, app
	x.page(status, p, targets...)
}

// signUp takes what the page posts. A new address and one that has its person
// already get the same answer, and the same work is done: both go on to sign in.
func (s *Server) signUp(x *exchange) {
	posted, ok := x.postedForm()
	if !ok {
		return
	}
	f, ok := s.postedFlow(x, posted)
	if !ok {
		return
	}
	page := pages.SignUp{Email: trim(posted.get("email")), Name: posted.get("name")}
	if posted.get("action") == "show" || !s.SignUp {
		s.showSignUp(x, http.StatusOK, f, pages.SignUp{Email: f.loginHint()})
		return
	}
	r := account.Registration{Email: page.Email, Name: page.Name, Password: posted.get("password")}
	canonical, problems := r.Check()
	if problems != nil {
		page.Problems = problemsOf(problems)
		s.showSignUp(x, http.StatusUnprocessableEntity, f, page)
		return
	}
	retryAfter, err := s.registerByPage(x, r, canonical)
	switch {
	case errors.Is(err, password.ErrBusy):
		page.Alert = pages.Busy
		x.w.Header().Set("Retry-After", "5")
		s.showSignUp(x, http.StatusServiceUnavailable, f, page)
	case err != nil:
		x.brokePage(err)
	case retryAfter > 0:
		page.Alert = pages.TooManyAttempts
		x.retryAfter(retryAfter)
		s.showSignUp(x, http.StatusTooManyRequests, f, page)
	default:
		s.showSignIn(x, http.StatusOK, f, pages.SignIn{Email: r.Email, Notice: pages.AccountReady})
	}
}

// registerByPage counts the sign-up before its password is hashed.
func (s *Server) registerByPage(x *exchange, r account.Registration, canonicalEmail string) (retryAfter time.Duration, err error) {
	if s.Limits.PerAddress > 0 {
		var reserved account.Reservation
		key := s.throttle.signUp(x.address())
		err := store.Decide(x.r.Context(), s.DB, x.origin("", ""),
			func(tx *store.Tx) (account.Bucket, error) { return tx.LockAttempt(key) },
			func(b account.Bucket, now time.Time) ([]change.Change, error) {
				reserved = s.Limits.ReserveSignUp(b, now)
				return reserved.Changes, nil
			})
		if err != nil || reserved.Refused {
			return reserved.RetryAfter, err
		}
	}
	hash, err := s.Hasher.Hash(x.r.Context(), []byte(r.Password))
	if err != nil {
		return 0, err
	}
	return 0, s.registerPerson(x, r, canonicalEmail, hash)
}

func (s *Server) registerPerson(x *exchange, r account.Registration, canonicalEmail, hash string) error {
	return store.Decide(x.r.Context(), s.DB, x.origin("", ""),
		func(tx *store.Tx) (*account.User, error) { return tx.LockUserByEmail(canonicalEmail) },
		func(existing *account.User, now time.Time) ([]change.Change, error) {
			return account.Register(r, canonicalEmail, hash, random.ID(oauth.SubjectPrefix), existing, now), nil
		})
}
