package server

import (
	"net/http"
	"strings"
	"time"

	"github.com/keywright/keywright/internal/account"
	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
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
	ctx := x.r.Context()
	hash, err := s.Hasher.Hash(ctx, []byte(r.Password))
	if err != nil {
		x.broke(err)
		return
	}
	err = decide(ctx, s.DB, x.origin("", oauth.DirectClient),
		func(tx *store.Tx) (*account.User, error) { return tx.LockUserByEmail(canonical) },
		func(existing *account.User, now time.Time) ([]change.Change, error) {
			return account.Register(r, canonical, hash, newID(oauth.SubjectPrefix), existing, now), nil
		})
	if err != nil {
		x.broke(err)
		return
	}
	x.json(http.StatusOK, health{"ok"})
}

// trim takes off what people type around an address without seeing it.
func trim(email string) string { return strings.Trim(email, " \t") }
