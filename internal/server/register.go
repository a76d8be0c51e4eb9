package server

import (
	"net/http"
	"strings"
	"time"

	"github.com/keywright/keywright/internal/account"
	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/random"
	"github.com/keywright/keywright/internal/store"
)

// register is POST /register. Whether the address is taken shows in nothing.
func (s *Server) register(x *exchange) {
	if !s.tutorialAllowed(x) {
		return
	}
	body, ok := x.texts("email", "name", "password")
	if !ok {
		return
	}
	r := account.Registration{Email: trim(body["email"]), Name: body["name"], Password: body["password"]}
	canonical, problems := r.Check()
	if problems != nil {
		x.problems(problems)
		return
	}
	hash, err := s.Hasher.Hash(x.r.Context(), []byte(r.Password))
	if err != nil {
		x.broke(err)
		return
	}
	closed, err := s.registerDirect(x, r, canonical, hash)
	switch {
	case err != nil:
		x.broke(err)
	case closed:
		x.fail(http.StatusForbidden, "registration_closed", "nobody can register here: sign-up is closed, or the client direct is disabled")
	default:
		x.json(http.StatusOK, health{"ok"})
	}
}

// registerDirect says whether the operator has closed the tutorial API.
func (s *Server) registerDirect(x *exchange, r account.Registration, canonicalEmail, hash string) (closed bool, err error) {
	type facts struct {
		existing *account.User
		direct   *oauth.Client
	}
	err = store.Decide(x.r.Context(), s.DB, x.origin("", oauth.DirectClient),
		func(tx *store.Tx) (f facts, err error) {
			if f.existing, err = tx.LockUserByEmail(canonicalEmail); err == nil {
				f.direct, err = tx.Client(oauth.DirectClient)
			}
			return f, err
		},
		func(f facts, now time.Time) ([]change.Change, error) {
			if closed = !s.SignUp || f.direct == nil || f.direct.Disabled; closed {
				return nil, nil
			}
			return account.Register(r, canonicalEmail, hash, random.ID(oauth.SubjectPrefix), f.existing, now), nil
		})
	return closed, err
}

// trim takes off what people type around an address without seeing it.
func trim(email string) string { return strings.Trim(email, " \t") }
