package server

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/keywright/keywright/internal/account"
	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/store"
)

// Admin is what the commands of the operator ask for, as JSON over HTTP on a
// Unix socket that only the operator can open. It never stands on a network
// listener: whoever reaches it is the operator.
//
// Every answer is 200 with the asked-for value, or {"error": "…"}, a sentence.
func (s *Server) Admin() http.Handler {
	mux := http.NewServeMux()
	for pattern, do := range map[string]func(*http.Request) (any, error){
		"POST /clients":                    s.adminAddClient,
		"GET /clients":                     s.adminListClients,
		"GET /clients/{id}":                s.adminShowClient,
		"POST /clients/{id}/disable":       s.adminDisableClient,
		"POST /clients/{id}/enable":        s.adminEnableClient,
		"POST /clients/{id}/secret":        s.adminReplaceSecret,
		"POST /clients/{id}/remove":        s.adminRemoveClient,
		"POST /users":                      s.adminAddUser,
		"GET /users":                       s.adminListUsers,
		"POST /users/{email}/disable":      s.adminDisableUser,
		"POST /users/{email}/enable":       s.adminEnableUser,
		"POST /users/{email}/end-sessions": s.adminEndSessions,
		"GET /keys":                        s.adminListKeys,
		"POST /keys/rotate":                s.adminRotateKeys,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			answerAdmin(w, r, do)
		})
	}
	return mux
}

// refusal is an error that the operator can mend.
type refusal struct{ message string }

func (r refusal) Error() string { return r.message }

func answerAdmin(w http.ResponseWriter, r *http.Request, do func(*http.Request) (any, error)) {
	w.Header()["Content-Type"] = jsonType
	value, err := do(r)
	var mend refusal
	switch {
	case errors.As(err, &mend):
		w.WriteHeader(http.StatusBadRequest)
		value = errorBody{Error: mend.message}
	case err != nil:
		w.WriteHeader(http.StatusInternalServerError)
		value = errorBody{Error: err.Error()}
	}
	json.NewEncoder(w).Encode(value)
}

func decodeAdmin(r *http.Request, v any) error {
	d := json.NewDecoder(io.LimitReader(r.Body, 1<<20))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return refusal{"the request is not understood: " + err.Error()}
	}
	return nil
}

var operator = change.Origin{Actor: "operator"}

// ClientView is a client as commands show it. The secret is set once, when it is made.
type ClientView struct {
	ID                     string    `json:"client_id"`
	Secret                 string    `json:"client_secret,omitempty"`
	Public                 bool      `json:"public"`
	Grants                 []string  `json:"grants"`
	Scopes                 []string  `json:"scopes"`
	Audiences              []string  `json:"audiences"`
	Serves                 []string  `json:"serves"`
	RedirectURIs           []string  `json:"redirect_uris"`
	PostLogoutRedirectURIs []string  `json:"post_logout_redirect_uris"`
	Origins                []string  `json:"origins"`
	AccessTokenTTL         string    `json:"access_token_ttl,omitempty"`
	Disabled               bool      `json:"disabled"`
	CreatedAt              time.Time `json:"created_at"`
}

func viewClient(c *oauth.Client) ClientView {
	v := ClientView{
		ID: c.ID, Public: c.Public, Grants: list(c.Grants), Scopes: list(c.Scopes), Audiences: list(c.Audiences), Serves: list(c.Serves),
		RedirectURIs: list(c.RedirectURIs), PostLogoutRedirectURIs: list(c.PostLogoutRedirectURIs), Origins: list(c.Origins),
		Disabled: c.Disabled, CreatedAt: c.CreatedAt,
	}
	if c.AccessTokenTTL != 0 {
		v.AccessTokenTTL = c.AccessTokenTTL.String()
	}
	return v
}

// list is never null in JSON.
func list(items []string) []string {
	if items == nil {
		return []string{}
	}
	return items
}

func (s *Server) adminAddClient(r *http.Request) (any, error) {
	var v ClientView
	if err := decodeAdmin(r, &v); err != nil {
		return nil, err
	}
	c := oauth.Client{
		ID: v.ID, Public: v.Public, Grants: v.Grants, Scopes: v.Scopes, Audiences: v.Audiences, Serves: v.Serves,
		RedirectURIs: v.RedirectURIs, PostLogoutRedirectURIs: v.PostLogoutRedirectURIs, Origins: v.Origins,
	}
	if v.AccessTokenTTL != "" {
		ttl, err := time.ParseDuration(v.AccessTokenTTL)
		if err != nil {
			return nil, refusal{"the access token's lifetime is not a duration, such as 5m"}
		}
		c.AccessTokenTTL = ttl
	}
	if problem := oauth.ValidateRegistration(c); problem != "" {
		return nil, refusal{problem}
	}
	secret := ""
	if !c.Public {
		secret = newSecret()
		c.SecretHash = oauth.SecretHash(s.DB.Secrets().ClientSecret, secret)
	}
	added, err := s.addClient(r.Context(), c)
	if err != nil {
		return nil, err
	}
	view := viewClient(added)
	view.Secret = secret
	return view, s.reload(r.Context()) // its origins count at once
}

func (s *Server) addClient(ctx context.Context, c oauth.Client) (added *oauth.Client, err error) {
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		existing, err := tx.LockClient(c.ID)
		if err != nil {
			return err
		}
		if existing != nil {
			return refusal{"there is a client with the id " + c.ID + " already"}
		}
		now, err := tx.Now()
		if err != nil {
			return err
		}
		err = tx.Apply(operator, change.ClientAdded{
			Client: c.ID, Public: c.Public, SecretHash: c.SecretHash, Grants: c.Grants, Scopes: c.Scopes, Audiences: c.Audiences,
			Serves: c.Serves, RedirectURIs: c.RedirectURIs, PostLogoutRedirectURIs: c.PostLogoutRedirectURIs, Origins: c.Origins,
			AccessTokenTTL: c.AccessTokenTTL, At: now,
		})
		if err != nil {
			return err
		}
		added, err = tx.Client(c.ID)
		return err
	})
	return added, err
}

func (s *Server) adminListClients(r *http.Request) (any, error) {
	clients, err := s.DB.Read(r.Context()).Clients()
	views := make([]ClientView, len(clients))
	for i, c := range clients {
		views[i] = viewClient(c)
	}
	return views, err
}

func (s *Server) adminShowClient(r *http.Request) (any, error) {
	c, err := s.DB.Read(r.Context()).Client(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	if c == nil {
		return nil, noSuchClient(r)
	}
	return viewClient(c), nil
}

func noSuchClient(r *http.Request) error {
	return refusal{"there is no client with the id " + r.PathValue("id")}
}

// changeClient applies one change to an existing client and shows the result.
func (s *Server) changeClient(r *http.Request, decide func(c *oauth.Client, now time.Time) (change.Change, error)) (view ClientView, err error) {
	id := r.PathValue("id")
	err = s.DB.Update(r.Context(), func(tx *store.Tx) error {
		c, err := tx.LockClient(id)
		if err != nil {
			return err
		}
		if c == nil {
			return noSuchClient(r)
		}
		now, err := tx.Now()
		if err != nil {
			return err
		}
		made, err := decide(c, now)
		if err != nil {
			return err
		}
		if err := tx.Apply(operator, made); err != nil {
			return err
		}
		view = viewClient(c)
		if c, err = tx.Client(id); err == nil && c != nil {
			view = viewClient(c)
		}
		return err
	})
	if err != nil {
		return view, err
	}
	return view, s.reload(r.Context())
}

func (s *Server) adminDisableClient(r *http.Request) (any, error) {
	return s.changeClient(r, func(c *oauth.Client, now time.Time) (change.Change, error) {
		return change.ClientDisabled{Client: c.ID, At: now}, nil
	})
}

func (s *Server) adminEnableClient(r *http.Request) (any, error) {
	return s.changeClient(r, func(c *oauth.Client, _ time.Time) (change.Change, error) {
		return change.ClientEnabled{Client: c.ID}, nil
	})
}

func (s *Server) adminReplaceSecret(r *http.Request) (any, error) {
	secret := newSecret()
	view, err := s.changeClient(r, func(c *oauth.Client, _ time.Time) (change.Change, error) {
		if c.Public {
			return nil, refusal{"a public client has no secret"}
		}
		return change.ClientSecretReplaced{Client: c.ID, SecretHash: oauth.SecretHash(s.DB.Secrets().ClientSecret, secret)}, nil
	})
	view.Secret = secret
	return view, err
}

func (s *Server) adminRemoveClient(r *http.Request) (any, error) {
	return s.changeClient(r, func(c *oauth.Client, _ time.Time) (change.Change, error) {
		if c.ID == oauth.DirectClient {
			return nil, refusal{"the built-in client cannot be removed, only disabled"}
		}
		return change.ClientRemoved{Client: c.ID}, nil
	})
}

// UserView is a person as commands show them.
type UserView struct {
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

func viewUser(u *account.User) UserView {
	return UserView{u.ID, u.Email, u.Name, u.Disabled, u.CreatedAt}
}

func (s *Server) adminAddUser(r *http.Request) (any, error) {
	var n NewUser
	if err := decodeAdmin(r, &n); err != nil {
		return nil, err
	}
	registration := account.Registration{Email: n.Email, Name: n.Name, Password: n.Password}
	canonical, problems := registration.Check()
	if problems != nil {
		return nil, refusal{problems[0].Field + ": " + problems[0].Message}
	}
	hash, err := s.Hasher.Hash(r.Context(), []byte(n.Password))
	if err != nil {
		return nil, err
	}
	var added *account.User
	err = s.DB.Update(r.Context(), func(tx *store.Tx) error {
		existing, err := tx.LockUserByEmail(canonical)
		if err != nil {
			return err
		}
		if existing != nil {
			return refusal{"there is a person with this e-mail address already"}
		}
		now, err := tx.Now()
		if err != nil {
			return err
		}
		if err := tx.Apply(operator, account.Register(registration, canonical, hash, newID(oauth.SubjectPrefix), nil, now)...); err != nil {
			return err
		}
		added, err = tx.UserByEmail(canonical)
		return err
	})
	if err != nil {
		return nil, err
	}
	return viewUser(added), nil
}

const usersPage = 1000

// adminListUsers returns a page; the next one begins after its last id.
func (s *Server) adminListUsers(r *http.Request) (any, error) {
	users, err := s.DB.Read(r.Context()).Users(r.URL.Query().Get("after"), usersPage)
	views := make([]UserView, len(users))
	for i, u := range users {
		views[i] = viewUser(u)
	}
	return views, err
}

func (s *Server) changeUser(r *http.Request, decide func(id string, now time.Time) change.Change) (any, error) {
	canonical, ok := account.CanonicalEmail(r.PathValue("email"))
	if !ok {
		return nil, refusal{"this is not an e-mail address: " + r.PathValue("email")}
	}
	var changed *account.User
	err := s.DB.Update(r.Context(), func(tx *store.Tx) error {
		u, err := tx.LockUserByEmail(canonical)
		if err != nil {
			return err
		}
		if u == nil {
			return refusal{"there is no person with the e-mail address " + canonical}
		}
		now, err := tx.Now()
		if err != nil {
			return err
		}
		if err := tx.Apply(operator, decide(u.ID, now)); err != nil {
			return err
		}
		changed, err = tx.UserByID(u.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return viewUser(changed), nil
}

func (s *Server) adminDisableUser(r *http.Request) (any, error) {
	return s.changeUser(r, func(id string, now time.Time) change.Change { return change.UserDisabled{User: id, At: now} })
}

func (s *Server) adminEnableUser(r *http.Request) (any, error) {
	return s.changeUser(r, func(id string, _ time.Time) change.Change { return change.UserEnabled{User: id} })
}

func (s *Server) adminEndSessions(r *http.Request) (any, error) {
	return s.changeUser(r, func(id string, _ time.Time) change.Change { return change.UserSessionsEnded{User: id} })
}

// KeyView is a signing key as commands show it.
type KeyView struct {
	ID          string    `json:"kid"`
	Algorithm   string    `json:"alg"`
	Signing     bool      `json:"signing"`
	PublishedAt time.Time `json:"published_at"`
	SignsFrom   time.Time `json:"signs_from"`
}

func (s *Server) adminListKeys(r *http.Request) (any, error) {
	rows, err := s.DB.Read(r.Context()).SigningKeys()
	if err != nil {
		return nil, err
	}
	current, _ := oauth.Signer(lives(rows), string(s.SigningAlg), s.now())
	views := make([]KeyView, len(rows))
	for i, k := range lives(rows) {
		views[i] = KeyView{k.ID, k.Algorithm, k.ID == current.ID, k.PublishedAt, k.SignsFrom}
	}
	return views, nil
}

// Rotation asks for the next signing key.
type Rotation struct {
	Now bool `json:"now"` // even if verifiers may not know the key yet: the old one has leaked
}

func (s *Server) adminRotateKeys(r *http.Request) (any, error) {
	var rotation Rotation
	if err := decodeAdmin(r, &rotation); err != nil {
		return nil, err
	}
	next, err := s.keys.rotate(r.Context(), operator, rotation.Now)
	if err != nil {
		return nil, err
	}
	if err := s.reload(r.Context()); err != nil {
		return nil, err
	}
	return KeyView{next.ID, next.Algorithm, !next.SignsFrom.After(s.now()), next.PublishedAt, next.SignsFrom}, nil
}
