package server

import (
	"net/http"
	"time"

	"github.com/keywright/keywright/internal/account"
	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/random"
	"github.com/keywright/keywright/internal/store"
)

// signInAnswer is the tutorial's, with what it lacks: an end and a successor.
// Its zero value is every refusal.
type signInAnswer struct {
	Auth         bool    `json:"auth"`
	Token        *string `json:"token"`
	TokenType    string  `json:"token_type,omitempty"`
	ExpiresIn    int64   `json:"expires_in,omitempty"`
	RefreshToken string  `json:"refresh_token,omitempty"`
}

// login is POST /login.
func (s *Server) login(x *exchange) {
	if !s.tutorialAllowed(x) {
		return
	}
	body, ok := x.texts("email", "password")
	if !ok {
		return
	}
	if account.TooLong(body["password"]) {
		x.problems([]account.Problem{{Field: "password", Code: account.PasswordTooLong}})
		return
	}
	canonical, ok := account.CanonicalEmail(trim(body["email"]))
	if !ok {
		x.json(http.StatusUnauthorized, signInAnswer{}) // nobody can have such an address
		return
	}
	s.loginWith(x, canonical, body["password"])
}

// loginWith decides on rows that are read anew after the password was proved.
func (s *Server) loginWith(x *exchange, canonicalEmail, typed string) {
	proved, err := s.provePassword(x, canonicalEmail, typed, oauth.DirectClient)
	switch {
	case err != nil:
		x.broke(err)
		return
	case proved.retryAfter > 0:
		x.tooMany(proved.retryAfter)
		return
	case !proved.Right:
		x.json(http.StatusUnauthorized, signInAnswer{})
		return
	}
	answer, err := s.grantDirect(x, proved)
	switch {
	case err != nil:
		x.broke(err)
	case answer.Issue == nil:
		x.json(http.StatusUnauthorized, signInAnswer{})
	default:
		s.answerSignIn(x, answer.Issue)
	}
}

// grantDirect issues a grant to a person who proved their password, if they may
// still sign in; if not, the answer is empty.
func (s *Server) grantDirect(x *exchange, proved provedPassword) (answer oauth.Answer, err error) {
	type facts struct {
		user   *account.User
		client oauth.ClientFacts
	}
	err = store.Decide(x.r.Context(), s.DB, x.origin(proved.user, oauth.DirectClient),
		func(tx *store.Tx) (f facts, err error) {
			if f.user, err = tx.LockUser(proved.user); err == nil {
				f.client, err = tx.ClientFacts(oauth.DirectClient)
			}
			return f, err
		},
		func(f facts, now time.Time) ([]change.Change, error) {
			answer = oauth.Answer{}
			ok, changes := account.SignIn(f.user, proved.PasswordProof, proved.attempt)
			if !ok {
				return nil, nil
			}
			x.recognize(f.client.Client)
			person := oauth.User{ID: f.user.ID, Epoch: f.user.Epoch}
			outcome := oauth.GrantDirect(s.Policy, f.client, person, s.DB.Secrets().Refresh, random.ForGrant(), now)
			answer = outcome.Answer
			return append(changes, outcome.Changes...), nil
		})
	return answer, err
}

func (s *Server) answerSignIn(x *exchange, issue *oauth.Issue) {
	a, err := s.answer(issue)
	if err != nil {
		x.broke(err)
		return
	}
	x.json(http.StatusOK, signInAnswer{true, &a.AccessToken, a.TokenType, a.ExpiresIn, a.RefreshToken})
}

// tooMany refuses somebody who has tried too often.
func (x *exchange) tooMany(retryAfter time.Duration) {
	x.retryAfter(retryAfter)
	x.fail(http.StatusTooManyRequests, "too_many_attempts", "too many failed sign-ins; try again later")
}
