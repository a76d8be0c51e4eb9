package oauth

import (
	"reflect"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/change"
)

func sessionOf(u *User) SessionFacts {
	return SessionFacts{Session: adaSignedIn(), User: u, GlobalEpoch: globalEpoch}
}

func TestASessionEndsInManyWays(t *testing.T) {
	for name, test := range map[string]struct {
		alter func(*SessionFacts)
		lives bool
	}{
		"it lives":                           {func(*SessionFacts) {}, true},
		"it is used in its last microsecond": {func(f *SessionFacts) { f.Session.ExpiresAt = noon.Add(microsecond) }, true},
		"it is idle":                         {func(f *SessionFacts) { f.Session.ExpiresAt = noon }, false},
		"its last microsecond":               {func(f *SessionFacts) { f.Session.EndsAt = noon.Add(microsecond) }, true},
		"it is over, however used":           {func(f *SessionFacts) { f.Session.EndsAt = noon }, false},
		"signed out":                         {func(f *SessionFacts) { f.Session.EndedAt = noon.Add(-time.Hour) }, false},
		"signed out by a clock ahead":        {func(f *SessionFacts) { f.Session.EndedAt = noon.Add(time.Hour) }, false},
		"none":                               {func(f *SessionFacts) { f.Session = nil }, false},
		"the person is gone":                 {func(f *SessionFacts) { f.User = nil }, false},
		"another person's":                   {func(f *SessionFacts) { f.User.ID = "usr_bob" }, false},
		"the person is disabled":             {func(f *SessionFacts) { f.User.Disabled = true }, false},
		"all the person's sessions ended":    {func(f *SessionFacts) { f.User.Epoch++ }, false},
		"the person is of a backup":          {func(f *SessionFacts) { f.User.Epoch-- }, false},
		"all sessions ended":                 {func(f *SessionFacts) { f.GlobalEpoch++ }, false},
	} {
		f := sessionOf(ada())
		test.alter(&f)
		if s := f.SignedIn(noon); (s != nil) != test.lives || s != nil && s != f.Session {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

var freshSession = FreshSession{ID: "ses_new", SecretHash: []byte("hash of the cookie")}

func TestSigningInBeginsASession(t *testing.T) {
	for name, f := range map[string]SessionFacts{
		"a browser without one":     {GlobalEpoch: globalEpoch},
		"one that was signed out":   func() SessionFacts { f := sessionOf(ada()); f.Session.EndedAt = noon; return f }(),
		"one that is idle":          func() SessionFacts { f := sessionOf(ada()); f.Session.ExpiresAt = noon; return f }(),
		"one of an earlier epoch":   func() SessionFacts { f := sessionOf(ada()); f.Session.UserEpoch--; return f }(),
		"one of somebody since out": func() SessionFacts { f := sessionOf(&User{ID: "usr_bob"}); f.Session.EndedAt = noon; return f }(),
	} {
		s, changes := BeginSession(signInPolicy, f, *ada(), []string{Password}, "Firefox", freshSession, noon)
		want := []change.Change{change.SessionStarted{
			Session: "ses_new", User: "usr_ada", SecretHash: freshSession.SecretHash, Methods: []string{Password}, Browser: "Firefox",
			UserEpoch: ada().Epoch, GlobalEpoch: globalEpoch, At: noon, ExpiresAt: noon.Add(signInPolicy.SessionIdle), EndsAt: noon.Add(signInPolicy.SessionAbsolute),
		}}
		if !reflect.DeepEqual(changes, want) {
			t.Errorf("%s: %+v, want %+v", name, changes, want)
		}
		began := &Session{
			ID: "ses_new", User: "usr_ada", Methods: []string{Password}, Browser: "Firefox", AuthTime: noon, CreatedAt: noon, SeenAt: noon,
			ExpiresAt: noon.Add(signInPolicy.SessionIdle), EndsAt: noon.Add(signInPolicy.SessionAbsolute), UserEpoch: ada().Epoch, GlobalEpoch: globalEpoch,
		}
		if !reflect.DeepEqual(s, began) {
			t.Errorf("%s: %+v, want %+v", name, s, began)
		}
	}
}

func TestSigningInAgainKeepsTheSessionAndChangesItsCookie(t *testing.T) {
	f := sessionOf(ada())
	s, changes := BeginSession(signInPolicy, f, *ada(), []string{Password}, "Firefox", freshSession, noon)
	want := []change.Change{change.SessionRenewed{
		Session: "ses_ada", SecretHash: freshSession.SecretHash, Methods: []string{Password}, UserEpoch: ada().Epoch, At: noon,
		ExpiresAt: noon.Add(signInPolicy.SessionIdle), EndsAt: noon.Add(signInPolicy.SessionAbsolute),
	}}
	if !reflect.DeepEqual(changes, want) {
		t.Errorf("%+v, want %+v", changes, want)
	}
	if s.ID != "ses_ada" || !s.AuthTime.Equal(noon) || !s.CreatedAt.Equal(noon.Add(-time.Hour)) || s == f.Session || !f.Session.AuthTime.Equal(noon.Add(-time.Hour)) {
		t.Errorf("%+v", s)
	}
}

func TestSigningInAsAnotherPersonEndsTheFirstOnesSession(t *testing.T) {
	bob := User{ID: "usr_bob", Epoch: 9}
	s, changes := BeginSession(signInPolicy, sessionOf(ada()), bob, []string{Password}, "Firefox", freshSession, noon)
	if len(changes) != 2 || changes[0] != (change.SessionEnded{Session: "ses_ada", User: "usr_ada", At: noon}) {
		t.Fatalf("%+v", changes)
	}
	started := changes[1].(change.SessionStarted)
	if started.Session != "ses_new" || started.User != "usr_bob" || started.UserEpoch != 9 || s.ID != "ses_new" || s.User != "usr_bob" {
		t.Errorf("%+v, %+v", started, s)
	}
}

func TestCookiesAreHashedUnderTheServersKey(t *testing.T) {
	hash := string(SessionHash(secretKey, "secret"))
	if len(hash) != 32 || hash == string(SessionHash([]byte("another key"), "secret")) || hash == string(SessionHash(secretKey, "other")) {
		t.Errorf("%x", hash)
	}
}
