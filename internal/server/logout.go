package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/random"
	"github.com/keywright/keywright/internal/store"
)

// Back-channel logout follows the journal: whatever ends sessions stands there,
// and what is owed for it is a row for each client until the client has heard.
// So none is forgotten, whichever node or command ended a session.

const (
	logoutBatch = 200
	atOnce      = 8                // clients that are told at the same time
	logoutClaim = 30 * time.Second // longer than a try takes
)

// sessionsEnded lets the clients hear at once, not at the next poll.
func (s *Server) sessionsEnded() { wake(s.ended) }

// wake lets a job begin before its time; one that is awake already does it all.
func wake(job chan struct{}) {
	select {
	case job <- struct{}{}:
	default:
	}
}

// readJournal numbers the journal, reads on what ended, and has the clients told.
func (s *Server) readJournal(ctx context.Context) error {
	if err := s.numberJournal(ctx); err != nil {
		return err
	}
	err := s.readEnded(ctx)
	wake(s.owed)
	return err
}

// readEnded turns what the journal says into logouts that are owed, and moves
// its cursor in the same transaction.
func (s *Server) readEnded(ctx context.Context) error {
	for {
		r := s.DB.Read(ctx)
		last, err := r.LastNumber()
		if err != nil {
			return err
		}
		if cursor, err := r.Cursor(store.LogoutSubscriber); err != nil || cursor >= last {
			return err
		}
		type facts struct {
			entries []store.Entry
			clients []store.SessionClient
		}
		err = store.Decide(ctx, s.DB, change.Origin{Actor: "system"},
			func(tx *store.Tx) (f facts, err error) {
				cursor, err := tx.LockCursor(store.LogoutSubscriber)
				if err != nil {
					return f, err
				}
				if f.entries, err = tx.Journal(cursor, logoutBatch); err != nil {
					return f, err
				}
				f.clients, err = clientsToTell(tx.Reader, f.entries)
				return f, err
			},
			func(f facts, now time.Time) (changes []change.Change, _ error) {
				for _, c := range f.clients {
					changes = append(changes, change.LogoutOwed{ID: random.ID("lgo_"), Client: c.Client, User: c.User, Session: c.Session, At: now})
				}
				if n := len(f.entries); n > 0 {
					changes = append(changes, change.JournalRead{Subscriber: store.LogoutSubscriber, Number: f.entries[n-1].Number})
				}
				return changes, nil
			})
		if err != nil {
			return err
		}
	}
}

// clientsToTell are the clients of all sessions that some entries end, of those
// that listen.
func clientsToTell(r store.Reader, entries []store.Entry) (all []store.SessionClient, err error) {
	for _, e := range entries {
		var ended struct {
			Session string `json:"session"`
			User    string `json:"user"`
		}
		if err := json.Unmarshal([]byte(e.Facts), &ended); err != nil {
			return nil, err
		}
		var clients []store.SessionClient
		switch e.Name {
		case nameOf(change.SessionEnded{}):
			clients, err = r.ClientsOfSession(ended.Session)
		case nameOf(change.UserDisabled{}), nameOf(change.UserSessionsEnded{}), nameOf(change.PasswordChanged{}):
			clients, err = r.ClientsOfUser(ended.User)
		}
		if err != nil {
			return nil, err
		}
		for _, c := range clients {
			client, err := r.Client(c.Client)
			if err != nil {
				return nil, err
			}
			if client != nil && !client.Disabled && client.BackchannelLogoutURI != "" {
				all = append(all, c)
			}
		}
	}
	return all, nil
}

func nameOf(c change.Change) string {
	name, _ := c.Fact()
	return name
}

// tellClients tells every client whose time has come, some at once.
func (s *Server) tellClients(ctx context.Context) error {
	for {
		r := s.DB.Read(ctx)
		now, err := r.Now()
		if err != nil {
			return err
		}
		due, err := r.DueLogouts(now, atOnce)
		if err != nil {
			return err
		}
		tried, errs := make([]bool, len(due)), make([]error, len(due))
		var tries sync.WaitGroup
		for i, l := range due {
			tries.Go(func() { tried[i], errs[i] = s.tell(ctx, l) })
		}
		tries.Wait()
		if err := errors.Join(errs...); err != nil || !slices.Contains(tried, true) {
			return err
		}
	}
}

// tell makes one try at one client, if no other node is at it.
func (s *Server) tell(ctx context.Context, l oauth.Logout) (claimed bool, err error) {
	err = s.DB.Update(ctx, func(tx *store.Tx) (err error) {
		now, err := tx.Now()
		if err == nil {
			claimed, err = tx.ClaimLogout(l, now, now.Add(logoutClaim))
		}
		return err
	})
	if err != nil || !claimed {
		return claimed, err
	}
	c, err := s.DB.Read(ctx).Client(l.Client)
	if err != nil {
		return claimed, err
	}
	delivered := c == nil || c.Disabled || c.BackchannelLogoutURI == "" || s.deliver(ctx, c, l)
	return claimed, store.Decide(ctx, s.DB, change.Origin{Actor: "system"},
		func(*store.Tx) (oauth.Logout, error) { return l, nil },
		func(l oauth.Logout, now time.Time) ([]change.Change, error) {
			return []change.Change{oauth.LogoutTried(l, delivered, now)}, nil
		})
}

// deliver posts a logout token that is signed for this try. OpenID Connect
// Back-Channel Logout 1.0 §2.5, §2.8.
func (s *Server) deliver(ctx context.Context, c *oauth.Client, l oauth.Logout) bool {
	token, err := s.signLogoutToken(oauth.NewLogoutToken(s.Policy, c, l.User, l.Session, random.ID("lgt_"), s.now()))
	if err == nil {
		var status int
		status, err = s.outbound.PostForm(ctx, c.BackchannelLogoutURI, url.Values{"logout_token": {token}})
		if err == nil && (status == 200 || status == 204) {
			return true
		}
		s.Log.WarnContext(ctx, "back-channel logout", "client_id", c.ID, "tries", l.Tries+1, "status", status, "error", err)
		return false
	}
	s.Log.ErrorContext(ctx, "back-channel logout", "client_id", c.ID, "error", err)
	return false
}
