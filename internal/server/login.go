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
	"github.com/keywright/keywright/internal/password"
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
		x.problems([]account.Problem{{Field: "password", Message: "The password must have at most 1,024 bytes."}})
		return
	}
	canonical, ok := account.CanonicalEmail(trim(body["email"]))
	if !ok {
		x.json(http.StatusUnauthorized, signInAnswer{}) // nobody can have such an address
		return
	}
	s.signIn(x, canonical, body["password"])
}

// signIn reserves an attempt, hashes the password outside of any transaction,
// and decides on rows read anew.
func (s *Server) signIn(x *exchange, canonicalEmail, password string) {
	attempt, reservation, err := s.reserveAttempt(x, canonicalEmail)
	if err != nil {
		x.broke(err)
		return
	}
	if reservation.Refused {
		x.tooMany(reservation.RetryAfter)
		return
	}
	proof, userID, err := s.provePassword(x.r.Context(), canonicalEmail, password)
	if err != nil {
		// No password was tried, so the attempt does not count.
		if failed := s.returnAttempt(x, attempt); failed != nil {
			err = failed
		}
		x.broke(err)
		return
	}
	if !proof.Right {
		x.json(http.StatusUnauthorized, signInAnswer{})
		return
	}
	answer, err := s.grantDirect(x, userID, proof, attempt)
	switch {
	case err != nil:
		x.broke(err)
	case answer.Issue == nil:
		x.json(http.StatusUnauthorized, signInAnswer{})
	default:
		s.answerSignIn(x, answer.Issue)
	}
}

// provePassword does the same work for an address that nobody has.
func (s *Server) provePassword(ctx context.Context, canonicalEmail, typed string) (proof account.PasswordProof, userID string, err error) {
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

// grantDirect issues a grant to a person who proved their password, if they may
// still sign in; if not, the answer is empty.
func (s *Server) grantDirect(x *exchange, userID string, proof account.PasswordProof, attempt []string) (answer oauth.Answer, err error) {
	type facts struct {
		user   *account.User
		client oauth.ClientFacts
	}
	err = decide(x.r.Context(), s.DB, x.origin(userID, oauth.DirectClient),
		func(tx *store.Tx) (f facts, err error) {
			if f.user, err = tx.LockUser(userID); err == nil {
				f.client, err = tx.ClientFacts(oauth.DirectClient)
			}
			return f, err
		},
		func(f facts, now time.Time) ([]change.Change, error) {
			answer = oauth.Answer{}
			ok, changes := account.SignIn(f.user, proof, attempt)
			if !ok {
				return nil, nil
			}
			x.recognize(f.client.Client)
			person := oauth.User{ID: f.user.ID, Epoch: f.user.Epoch}
			outcome := oauth.GrantDirect(s.Policy, f.client, person, s.DB.Secrets().Refresh, freshGrant(), now)
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

// reserveAttempt counts an attempt against the account and against the address
// it comes from. keys name the counters.
func (s *Server) reserveAttempt(x *exchange, canonicalEmail string) (keys []string, r account.Reservation, err error) {
	if s.Limits.PerAccount == 0 {
		return nil, r, nil
	}
	type facts struct{ account, address account.Bucket }
	keys = []string{s.throttle.account(canonicalEmail), s.throttle.address(x.address())}
	err = decide(x.r.Context(), s.DB, x.origin("", oauth.DirectClient),
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

func (s *Server) returnAttempt(x *exchange, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	// The caller may be gone: give back all the same.
	return s.DB.Update(context.WithoutCancel(x.r.Context()), func(tx *store.Tx) error {
		return tx.Apply(x.origin("", oauth.DirectClient), change.AttemptsReturned{Keys: keys})
	})
}

// tooMany refuses somebody who has tried too often.
func (x *exchange) tooMany(retryAfter time.Duration) {
	seconds := int(retryAfter/time.Second) + 1
	x.w.Header().Set("Retry-After", strconv.Itoa(seconds))
	x.fail(http.StatusTooManyRequests, "too_many_attempts", "too many failed sign-ins; try again later")
}
