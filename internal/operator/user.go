package operator

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/keywright/keywright/internal/account"
	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/random"
	"github.com/keywright/keywright/internal/store"
)

// User is a person as commands show them.
type User struct {
	ID        string    `json:"id"`
	Email     string    `json:"email"`
	Name      string    `json:"name"`
	Disabled  bool      `json:"disabled"`
	CreatedAt time.Time `json:"created_at"`
}

// NewUser is a person to be added.
type NewUser struct {
	Email    string `json:"email"`
	Name     string `json:"name"`
	Password string `json:"password"`
}

func viewUser(u *account.User) User {
	return User{u.ID, u.Email, u.Name, u.Disabled, u.CreatedAt}
}

func (o operator) addUser(r *http.Request) (any, error) {
	var n NewUser
	if err := decode(r, &n); err != nil {
		return nil, err
	}
	registration := account.Registration{Email: n.Email, Name: n.Name, Password: n.Password}
	canonical, problems := registration.Check()
	if problems != nil {
		return nil, refusal{problems[0].Field + ": " + problems[0].Message()}
	}
	hash, err := o.Hasher.Hash(r.Context(), []byte(n.Password))
	if err != nil {
		return nil, err
	}
	id := random.ID(oauth.SubjectPrefix)
	err = store.Decide(r.Context(), o.DB, byOperator,
		func(tx *store.Tx) (*account.User, error) { return tx.LockUserByEmail(canonical) },
		func(existing *account.User, now time.Time) ([]change.Change, error) {
			if existing != nil {
				return nil, refusal{"there is a person with this e-mail address already"}
			}
			return account.Register(registration, canonical, hash, id, nil, now), nil
		})
	if err != nil {
		return nil, err
	}
	return o.showUser(r.Context(), id)
}

// showUser returns a person that there was a moment ago.
func (o operator) showUser(ctx context.Context, id string) (any, error) {
	u, err := o.DB.Read(ctx).UserByID(id)
	if err == nil && u == nil {
		err = refusal{"there is no person " + id}
	}
	if err != nil {
		return nil, err
	}
	return viewUser(u), nil
}

const usersPage = 1000

// listUsers returns a page; the next one begins after its last id.
func (o operator) listUsers(r *http.Request) (any, error) {
	users, err := o.DB.Read(r.Context()).Users(r.URL.Query().Get("after"), usersPage)
	views := make([]User, len(users))
	for i, u := range users {
		views[i] = viewUser(u)
	}
	return views, err
}

// changeUser applies a change to an existing person, who is named by their
// address or, as the log and tokens do, by their id.
func (o operator) changeUser(r *http.Request, rule func(id string, now time.Time) change.Change) (any, error) {
	named := r.PathValue("user")
	canonical, isEmail := account.CanonicalEmail(named)
	if !isEmail && !strings.HasPrefix(named, oauth.SubjectPrefix) {
		return nil, refusal{"this is neither an e-mail address nor a person's id: " + named}
	}
	var id string
	err := store.Decide(r.Context(), o.DB, byOperator,
		func(tx *store.Tx) (*account.User, error) {
			if isEmail {
				return tx.LockUserByEmail(canonical)
			}
			return tx.LockUser(named)
		},
		func(u *account.User, now time.Time) ([]change.Change, error) {
			if u == nil {
				return nil, refusal{"there is no person " + named}
			}
			id = u.ID
			return []change.Change{rule(u.ID, now)}, nil
		})
	if err != nil {
		return nil, err
	}
	return o.showUser(r.Context(), id)
}

func (o operator) disableUser(r *http.Request) (any, error) {
	return o.changeUser(r, func(id string, now time.Time) change.Change { return change.UserDisabled{User: id, At: now} })
}

func (o operator) enableUser(r *http.Request) (any, error) {
	return o.changeUser(r, func(id string, _ time.Time) change.Change { return change.UserEnabled{User: id} })
}

func (o operator) endSessions(r *http.Request) (any, error) {
	return o.changeUser(r, func(id string, _ time.Time) change.Change { return change.UserSessionsEnded{User: id} })
}
