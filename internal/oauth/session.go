package oauth

import (
	"crypto/hmac"
	"crypto/sha256"
	"time"

	"github.com/keywright/keywright/internal/change"
)

// Session is a person signed in in one browser. It serves every client, which
// know it as sid. OpenID Connect Back-Channel Logout 1.0 §2.1.
type Session struct {
	ID          string
	User        string
	Methods     []string // how the person signed in; RFC 8176 §2
	Browser     string   // a few words for the person
	AuthTime    time.Time
	CreatedAt   time.Time
	SeenAt      time.Time
	ExpiresAt   time.Time // unless it is used before
	EndsAt      time.Time // however it is used
	EndedAt     time.Time // zero: not ended
	UserEpoch   int64     // the epochs of its birth, or of the last proof
	GlobalEpoch int64
}

// Password is the one way to sign in so far. RFC 8176 §2.
const Password = "pwd"

// sessionSeenEvery is how exactly it is known when a session was used last.
const sessionSeenEvery = time.Minute

// SessionHash is what the store keeps of a session's cookie.
func SessionHash(key []byte, secret string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(secret))
	return mac.Sum(nil)
}

// SessionFacts are a session and what it depends on, read in one transaction.
type SessionFacts struct {
	Session     *Session // nil: none
	User        *User    // of the session; nil: removed
	GlobalEpoch int64
}

// SignedIn returns the living session, or nil.
func (f SessionFacts) SignedIn(now time.Time) *Session {
	s, u := f.Session, f.User
	switch {
	case s == nil || !s.EndedAt.IsZero() || s.GlobalEpoch != f.GlobalEpoch:
		return nil
	case u == nil || u.ID != s.User || u.Disabled || u.Epoch != s.UserEpoch:
		return nil
	case !now.Before(s.ExpiresAt) || !now.Before(s.EndsAt):
		return nil
	}
	return s
}

// FreshSession holds the random values of a sign-in.
type FreshSession struct {
	ID         string
	SecretHash []byte // of the cookie's new value
}

// BeginSession signs u in, who has just proved who they are, in a browser that
// may hold a session already: the same person's gets a new cookie and keeps its
// clients, another person's is ended. It returns the session as it is now.
func BeginSession(p Policy, f SessionFacts, u User, methods []string, browser string, fresh FreshSession, now time.Time) (*Session, []change.Change) {
	old := f.SignedIn(now)
	expires, ends := now.Add(p.SessionIdle), now.Add(p.SessionAbsolute)
	if old != nil && old.User == u.ID {
		s := *old
		s.Methods, s.AuthTime, s.SeenAt, s.ExpiresAt, s.EndsAt, s.UserEpoch = methods, now, now, expires, ends, u.Epoch
		return &s, []change.Change{change.SessionRenewed{
			Session: s.ID, SecretHash: fresh.SecretHash, Methods: methods, UserEpoch: u.Epoch, At: now, ExpiresAt: expires, EndsAt: ends,
		}}
	}
	var changes []change.Change
	if old != nil {
		changes = append(changes, change.SessionEnded{Session: old.ID, User: old.User, At: now})
	}
	s := &Session{
		ID: fresh.ID, User: u.ID, Methods: methods, Browser: browser, AuthTime: now, CreatedAt: now, SeenAt: now,
		ExpiresAt: expires, EndsAt: ends, UserEpoch: u.Epoch, GlobalEpoch: f.GlobalEpoch,
	}
	return s, append(changes, change.SessionStarted{
		Session: s.ID, User: u.ID, SecretHash: fresh.SecretHash, Methods: methods, Browser: browser,
		UserEpoch: u.Epoch, GlobalEpoch: f.GlobalEpoch, At: now, ExpiresAt: expires, EndsAt: ends,
	})
}

// Used keeps s from falling idle, with a write a minute at most.
func (s *Session) Used(p Policy, now time.Time) []change.Change {
	if now.Sub(s.SeenAt) < sessionSeenEvery {
		return nil
	}
	return []change.Change{change.SessionSeen{Session: s.ID, At: now, ExpiresAt: now.Add(p.SessionIdle)}}
}

// acrPassword says that a password was proved, and no more. acr reaches no
// higher until there are other factors.
const acrPassword = "urn:keywright:acr:password"

func acrOf([]string) string { return acrPassword }
