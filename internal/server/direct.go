package server

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/keywright/keywright/internal/account"
	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/store"
)

// The tutorial API: what the Angular clients of countless tutorials call. Its
// tokens belong to the built-in public client "direct".

// ensureDirectClient registers the built-in client in a new database.
func (s *Server) ensureDirectClient(ctx context.Context) error {
	c, err := s.DB.Read(ctx).Client(oauth.DirectClient)
	if err != nil || c != nil {
		return err
	}
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		c, err := tx.LockClient(oauth.DirectClient)
		if err != nil || c != nil {
			return err
		}
		now, err := tx.Now()
		if err != nil {
			return err
		}
		return tx.Apply(change.Origin{Actor: "system"}, change.ClientAdded{
			Client: oauth.DirectClient, Public: true, Grants: []string{oauth.RefreshTokenGrant}, At: now,
		})
	})
}

// text is a member of a JSON body that must be a string; nil: it is missing.
type text = *string

func trimmed(t text) string { return strings.Trim(*t, " \t") }

// register is POST /register.
func (s *Server) register(x *exchange) {
	var body struct {
		Email    text `json:"email"`
		Name     text `json:"name"`
		Password text `json:"password"`
	}
	if !s.tutorialAllowed(x) || !x.decodeJSON(&body) {
		return
	}
	if problems := missing(map[string]text{"email": body.Email, "name": body.Name, "password": body.Password}); problems != nil {
		x.problems(problems)
		return
	}
	r := account.Registration{Email: trimmed(body.Email), Name: *body.Name, Password: *body.Password}
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
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		existing, err := tx.LockUserByEmail(canonical)
		if err != nil {
			return err
		}
		now, err := tx.Now()
		if err != nil {
			return err
		}
		return tx.Apply(x.origin("", oauth.DirectClient), account.Register(r, canonical, hash, newID(oauth.SubjectPrefix), existing, now)...)
	})
	if err != nil {
		x.broke(err)
		return
	}
	x.json(http.StatusOK, health{"ok"})
}

// signInAnswer is the tutorial's, with what it lacks: an end and a successor.
type signInAnswer struct {
	Auth         bool    `json:"auth"`
	Token        *string `json:"token"`
	TokenType    string  `json:"token_type,omitempty"`
	ExpiresIn    int64   `json:"expires_in,omitempty"`
	RefreshToken string  `json:"refresh_token,omitempty"`
}

// login is POST /login.
func (s *Server) login(x *exchange) {
	var body struct {
		Email    text `json:"email"`
		Password text `json:"password"`
	}
	if !s.tutorialAllowed(x) || !x.decodeJSON(&body) {
		return
	}
	if problems := missing(map[string]text{"email": body.Email, "password": body.Password}); problems != nil {
		x.problems(problems)
		return
	}
	if account.TooLong(*body.Password) {
		x.problems([]account.Problem{{Field: "password", Message: "The password must have at most 1,024 bytes."}})
		return
	}
	canonical, ok := account.CanonicalEmail(trimmed(body.Email))
	if !ok {
		x.json(http.StatusUnauthorized, signInAnswer{}) // nobody can have such an address
		return
	}
	s.signIn(x, canonical, *body.Password)
}

// signIn reserves an attempt, hashes the password outside of any transaction,
// and decides on rows read anew.
func (s *Server) signIn(x *exchange, canonical, pass string) {
	ctx := x.r.Context()
	reserved, reservation, err := s.reserveAttempt(x, canonical)
	if err != nil {
		x.broke(err)
		return
	}
	if reservation.Refused {
		x.tooMany(reservation.RetryAfter)
		return
	}
	proof, userID, err := s.provePassword(ctx, canonical, pass)
	if err != nil {
		// Nothing was tried: the attempt does not count.
		x.broke(errors.Join(err, s.returnAttempt(x, reserved)))
		return
	}
	if !proof.Right {
		x.json(http.StatusUnauthorized, signInAnswer{})
		return
	}
	var outcome oauth.Outcome
	var signedIn bool
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		u, err := tx.LockUser(userID)
		if err != nil {
			return err
		}
		var changes []change.Change
		if signedIn, changes = account.SignIn(u, proof, reserved); !signedIn {
			return nil
		}
		facts, err := s.clientFacts(tx.Reader, oauth.DirectClient)
		if err != nil {
			return err
		}
		now, err := tx.Now()
		if err != nil {
			return err
		}
		person := oauth.User{ID: u.ID, Epoch: u.Epoch}
		outcome = oauth.GrantDirect(s.Policy, facts, person, s.DB.Secrets().Refresh, fresh(), now)
		return tx.Apply(x.origin(u.ID, oauth.DirectClient), append(changes, outcome.Changes...)...)
	})
	switch {
	case err != nil:
		x.broke(err)
	case !signedIn || outcome.Answer.Refused != nil:
		x.json(http.StatusUnauthorized, signInAnswer{})
	default:
		s.answerSignIn(x, outcome.Answer.Issue)
	}
}

func (s *Server) answerSignIn(x *exchange, issue *oauth.Issue) {
	a, err := s.answer(issue)
	if err != nil {
		x.broke(err)
		return
	}
	x.json(http.StatusOK, signInAnswer{true, &a.AccessToken, a.TokenType, a.ExpiresIn, a.RefreshToken})
}

func (s *Server) reserveAttempt(x *exchange, canonical string) (keys []string, r account.Reservation, err error) {
	if s.Limits.PerAccount == 0 {
		return nil, r, nil
	}
	keys = []string{s.throttle.account(canonical), s.throttle.address(x.address())}
	err = s.DB.Update(x.r.Context(), func(tx *store.Tx) error {
		byAccount, byAddress, err := tx.LockAttempts(keys[0], keys[1])
		if err != nil {
			return err
		}
		now, err := tx.Now()
		if err != nil {
			return err
		}
		r = s.Limits.Reserve(byAccount, byAddress, now)
		return tx.Apply(x.origin("", oauth.DirectClient), r.Changes...)
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

// provePassword does the same work for an address that nobody has.
func (s *Server) provePassword(ctx context.Context, canonical, pass string) (proof account.PasswordProof, userID string, err error) {
	u, err := s.DB.Read(ctx).UserByEmail(canonical)
	if err != nil {
		return proof, "", err
	}
	if u == nil {
		u = &account.User{}
	}
	proof.Version = u.CredentialVersion
	if proof.Right, err = s.Hasher.Verify(ctx, []byte(pass), u.PasswordHash); err != nil || !proof.Right {
		return proof, "", err
	}
	if s.Hasher.Outdated(u.PasswordHash) {
		proof.Rehashed, err = s.Hasher.Hash(ctx, []byte(pass))
	}
	return proof, u.ID, err
}

// profileAnswer is the person that a token speaks for.
type profileAnswer struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

// authFailure is the tutorial's 401.
type authFailure struct {
	Auth    bool   `json:"auth"`
	Message string `json:"message"`
}

// profile is GET /profile. It takes any live access token of the client direct.
func (s *Server) profile(x *exchange) {
	if !s.tutorialAllowed(x) {
		return
	}
	token, sent, refusal := bearer(x.r)
	if refusal != nil {
		x.refuse(refusal)
		return
	}
	if !sent {
		x.w.Header().Set("WWW-Authenticate", "Bearer") // RFC 6750 §3.1: no error code
		x.json(http.StatusUnauthorized, authFailure{Message: "No token provided"})
		return
	}
	facts, live, err := s.liveToken(x, token)
	switch {
	case err != nil:
		x.broke(err)
	case !live || facts.Grant.Client != oauth.DirectClient || facts.User == nil:
		x.w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token", error_description="the access token is invalid, expired or revoked"`)
		x.json(http.StatusUnauthorized, authFailure{Message: "Could not authenticate token"})
	default:
		x.json(http.StatusOK, profileAnswer{facts.User.ID, facts.User.Name, facts.User.Email})
	}
}

// liveToken returns what an access token of ours hangs on, and whether it lives.
func (s *Server) liveToken(x *exchange, token string) (facts oauth.GrantFacts, live bool, err error) {
	t, ok := s.verify(token)
	if !ok {
		return facts, false, nil
	}
	x.client = t.ClientID
	facts, err = s.DB.Read(x.r.Context()).GrantFacts(oauth.PresentedToken{Access: t}.GrantID(), t.ID)
	return facts, err == nil && facts.TokenLives(t.ExpiresAt, s.now()), err
}

// bearer returns the token of the Authorization header, the only place it may
// be (RFC 9700 §4.3.2). The scheme has no case (RFC 9110 §11.1).
func bearer(r *http.Request) (token string, sent bool, refusal *oauth.Refusal) {
	headers := r.Header["Authorization"]
	if len(headers) > 1 {
		return "", false, badRequest("there is more than one Authorization header")
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", false, nil
	}
	return strings.TrimSpace(token), true, nil
}

// tutorialAllowed refuses pages of foreign origins. It is no defence of the
// data, which no cookie unlocks, but keeps a page elsewhere from trying passwords.
func (s *Server) tutorialAllowed(x *exchange) bool {
	origin := x.r.Header.Get("Origin")
	if origin == "" || origin == s.Policy.Issuer || s.mayUseTutorial(origin) {
		return true
	}
	x.fail(http.StatusForbidden, "origin_not_allowed", "pages of this origin may not use this API; the operator lists origins in direct_origins")
	return false
}

func missing(fields map[string]text) (problems []account.Problem) {
	for _, name := range []string{"email", "name", "password"} {
		if value, wanted := fields[name]; wanted && value == nil {
			problems = append(problems, account.Problem{Field: name, Message: "This is missing."})
		}
	}
	return problems
}
