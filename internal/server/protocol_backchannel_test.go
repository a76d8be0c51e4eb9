package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/operator"
	"github.com/keywright/keywright/internal/store"
)

// calling lets a server reach the tests' own sites.
func calling(c *Config) { c.Outbound.Dev = true }

// A listener is an app that is told when sessions end.
type listener struct {
	operator.Client
	site *httptest.Server
	told chan struct{} // one for each logout token

	mu     sync.Mutex // guards what follows
	status int        // its answer
	heard  []string   // logout tokens
}

// listener registers a client that listens.
func (h *house) listener(id string, changes ...func(*operator.Client)) *listener {
	h.Helper()
	l := &listener{status: http.StatusOK, told: make(chan struct{}, 1000)}
	l.site = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, err := url.ParseQuery(string(body))
		if err != nil || r.Method != "POST" || r.URL.Path != "/logout" || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || len(form) != 1 {
			h.Error(r.Method, r.URL, r.Header, string(body))
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.heard = append(l.heard, form.Get("logout_token"))
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(l.status)
		l.told <- struct{}{}
	}))
	h.Cleanup(l.site.Close)
	changes = append(changes, func(c *operator.Client) { c.BackchannelLogoutURI = l.site.URL + "/logout" })
	l.Client = h.webApp(id, changes...)
	return l
}

func (l *listener) answers(status int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status = status
}

// tokens returns what was heard since it was asked last.
func (l *listener) tokens() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	heard := l.heard
	l.heard = nil
	return heard
}

// tell does what the server does when sessions have ended, and once a second.
func (h *house) tell() {
	h.Helper()
	if err := h.tellAll(context.Background()); err != nil {
		h.Error(err)
	}
}

// hears wants a listener to be told of these sessions, once each.
func (h *house) hears(l *listener, sessions ...string) {
	h.Helper()
	h.tell()
	h.tell() // which has nothing to do
	var got []string
	for _, token := range l.tokens() {
		header, c := h.signed(token)
		if typ(header) != "logout+jwt" || c["aud"] != l.ID {
			h.Error(header, c)
		}
		got = append(got, c["sid"].(string))
	}
	slices.Sort(got)
	slices.Sort(sessions)
	if !slices.Equal(got, sessions) {
		h.Errorf("%s heard of %v, want %v", l.ID, got, sessions)
	}
}

// sid names the session in which an answer was issued.
func (h *house) sid(a answer) string {
	h.Helper()
	_, c := h.idToken(a)
	return c["sid"].(string)
}

func TestLogoutToken(t *testing.T) {
	inEachHouse(t, func(h *house) {
		for _, alg := range []string{"ES256", "RS256", "EdDSA"} {
			h.run("82 "+alg, func(h *house) {
				l := h.listener("app-"+alg, func(c *operator.Client) { c.IDTokenAlg = alg })
				b := h.visitor(alg + "@example.com")
				_, id := h.idToken(b.tokens(l.Client))
				b.get("/sign-out").press("sign-out")
				h.tell()
				heard := l.tokens()
				if len(heard) != 1 {
					h.Fatal(heard)
				}
				header, c := h.signed(heard[0])
				h.wantClaims(c, "aud", "events", "exp", "iat", "iss", "jti", "sid", "sub") // above all no nonce
				now := float64(h.clock.now().Unix())
				if c["iss"] != h.Policy.Issuer || c["aud"] != l.ID || c["sub"] != id["sub"] || c["sid"] != id["sid"] || c["iat"] != now || c["exp"] != now+120 {
					h.Error(c)
				}
				if events := string(mustJSON(c["events"])); events != `{"http://schemas.openid.net/event/backchannel-logout":{}}` {
					h.Error(events)
				}
				if typ(header) != "logout+jwt" || header.Algorithm != alg {
					h.Errorf("%+v", header)
				}
				if h.get("/userinfo", bearerToken(heard[0])).status != 401 || h.idTokenHint(heard[0]) != nil {
					h.Error("it passes for another token")
				}
				if n := h.rows("logouts"); n != 0 {
					h.Errorf("%d logouts are owed", n)
				}
			})
		}
	}, calling)
}

func TestWhateverEndsASessionIsTold(t *testing.T) {
	inEachHouse(t, func(h *house) {
		l, silent := h.listener("app"), h.webApp("silent")
		never := h.listener("never") // has nothing of anybody
		for _, row := range []struct {
			name string
			both bool // the session in the other browser ends too
			end  func(h *house, b *browser, email string)
		}{
			{"the person signs out", false, func(_ *house, b *browser, _ string) { b.get("/sign-out").press("sign-out") }},
			{"an app signs the person out", false, func(h *house, b *browser, _ string) {
				b.get(leaving("id_token_hint", b.tokens(l.Client).member("id_token")))
			}},
			{"another person signs in", false, func(h *house, b *browser, email string) {
				h.registered("other-" + email)
				b.get(authorizePath("app", "prompt", "login")).signInAs("other-" + email)
			}},
			{"the person is disabled", true, func(h *house, _ *browser, email string) {
				h.admin("POST", "/users/"+email+"/disable", nil, &operator.User{})
			}},
			{"the operator ends their sessions", true, func(h *house, _ *browser, email string) {
				h.admin("POST", "/users/"+email+"/end-sessions", nil, &operator.User{})
			}},
			{"the person changes the password", true, func(_ *house, b *browser, _ string) {
				b.get("/account").press("save-password", "current", rightPassword, "password", "difference engine").says("Your password is changed.")
			}},
		} {
			h.run(row.name, func(h *house) {
				email := strings.ReplaceAll(row.name, " ", "-") + "@example.com"
				b := h.visitor(email)
				ended := []string{h.sid(b.tokens(l.Client))}
				b.tokens(l.Client)
				b.tokens(silent)
				if elsewhere := h.sid(h.visitorAgain(email).tokens(l.Client)); row.both {
					ended = append(ended, elsewhere)
				}
				h.hears(l)
				row.end(h, b, email)
				h.hears(l, ended...)
				if heard := never.tokens(); heard != nil {
					h.Error(heard)
				}
			})
		}
		h.run("the person ends other sessions at the account page", func(h *house) {
			b := h.visitor("account@example.com")
			b.tokens(l.Client)
			one, two, three := h.visitorAgain("account@example.com"), h.visitorAgain("account@example.com"), h.visitorAgain("account@example.com")
			first, second, third := h.sid(one.tokens(l.Client)), h.sid(two.tokens(l.Client)), h.sid(three.tokens(l.Client))
			token := b.get("/account").form("save-profile").fields.Get("token")
			b.send("POST", "/account/sessions", url.Values{"token": {token}, "session": {first}}.Encode()).says("Signed out there.")
			h.hears(l, first)
			if one.isSignedIn() || !two.isSignedIn() || !b.isSignedIn() {
				h.Error("the wrong session ended")
			}
			b.send("POST", "/account/sessions", url.Values{"token": {token}, "session": {"others"}}.Encode()).says("Signed out there.")
			h.hears(l, second, third)
			if two.isSignedIn() || three.isSignedIn() || !b.isSignedIn() {
				h.Error("the wrong session ended")
			}
			stranger := h.visitor("stranger@example.com")
			stranger.tokens(l.Client)
			b.send("POST", "/account/sessions", url.Values{"token": {token}, "session": {h.sid(stranger.tokens(l.Client))}}.Encode())
			h.hears(l)
			if !stranger.isSignedIn() {
				h.Error("somebody else's session ended")
			}
		})
		h.run("what ends no session is not told", func(h *house) {
			b := h.visitor("nothing@example.com")
			a := b.tokens(l.Client)
			h.ok(h.form("/revoke", []string{"token", a.member("refresh_token"), "client_id", "app"}))
			b.get(authorizePath("app", "prompt", "login")).signInAs("nothing@example.com")
			b.removeApp("app")
			h.hears(l)
		})
	}, calling)
}

func TestClientThatDoesNotListenIsToldAgain(t *testing.T) {
	inEachHouse(t, func(h *house) {
		l := h.listener("app")
		signOut := func(h *house, email string) (sid string) {
			h.Helper()
			b := h.visitor(email)
			sid = h.sid(b.tokens(l.Client))
			b.get("/sign-out").press("sign-out")
			return sid
		}
		pauses := []time.Duration{
			2 * time.Second, 10 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour,
		}
		h.run("with back-off, and is given up", func(h *house) {
			for _, bad := range []int{500, 302, 404} {
				l.answers(bad)
				sid := signOut(h, "up@example.com")
				h.hears(l, sid)
				seen := map[any]bool{}
				for _, pause := range pauses {
					h.clock.advance(pause - time.Microsecond)
					h.hears(l)
					h.clock.advance(time.Microsecond)
					h.tell()
					heard := l.tokens()
					if len(heard) != 1 {
						h.Fatalf("after %s: %v", pause, heard)
					}
					_, c := h.signed(heard[0]) // each try has a token of its own
					if seen[c["jti"]] || c["iat"] != float64(h.clock.now().Unix()) || c["sid"] != sid {
						h.Error(c)
					}
					seen[c["jti"]] = true
				}
				h.clock.advance(30 * 24 * time.Hour)
				h.hears(l)
				if n := h.rows("logouts"); n != 0 {
					h.Errorf("%d logouts are owed", n)
				}
			}
			if !strings.Contains(h.lines.String(), "back-channel logout") {
				h.Error("the operator does not hear of it")
			}
		})
		h.run("until it answers", func(h *house) {
			for _, good := range []int{200, 204} {
				l.answers(503)
				sid := signOut(h, "good@example.com")
				h.hears(l, sid)
				l.answers(good)
				h.clock.advance(2 * time.Second)
				h.hears(l, sid)
				h.clock.advance(24 * time.Hour)
				h.hears(l)
			}
		})
		h.run("unless it is disabled meanwhile", func(h *house) {
			l.answers(500)
			h.hears(l, signOut(h, "off@example.com"))
			h.admin("POST", "/clients/app/disable", nil, nil)
			h.clock.advance(2 * time.Second)
			h.hears(l)
			h.admin("POST", "/clients/app/enable", nil, nil)
			h.clock.advance(24 * time.Hour)
			h.hears(l)
		})
		h.run("by another node, where one died over it", func(h *house) {
			l.answers(200)
			sid := signOut(h, "died@example.com")
			ctx := context.Background()
			if err := errors.Join(h.numberJournal(ctx), h.readEnded(ctx)); err != nil {
				h.Fatal(err)
			}
			err := h.DB.Update(ctx, func(tx *store.Tx) error {
				now := h.clock.now()
				due, err := tx.DueLogouts(now, 10)
				if err != nil || len(due) != 1 {
					return errors.Join(err, errors.New("it is not due"))
				}
				claimed, err := tx.ClaimLogout(due[0], now, now.Add(logoutClaim))
				if !claimed {
					err = errors.Join(err, errors.New("it was not claimed"))
				}
				return err
			})
			if err != nil {
				h.Fatal(err)
			}
			h.hears(l)
			h.clock.advance(logoutClaim)
			h.hears(l, sid)
		})
	}, calling)
}

func TestEachLogoutIsToldByOneNode(t *testing.T) {
	inEachHouse(t, func(h *house) {
		l := h.listener("app")
		b := h.visitor("ada@example.com")
		want := []string{h.sid(b.tokens(l.Client))}
		for range 19 {
			want = append(want, h.sid(h.visitorAgain("ada@example.com").tokens(l.Client)))
		}
		nodes := []*house{h, h}
		if h.store.DatabaseURL != "" {
			other := build(h.TB, h.store, calling, func(c *Config) { c.Policy.Issuer = h.Policy.Issuer })
			other.clock.micros.Store(h.clock.micros.Load())
			nodes = append(nodes, other, other)
		}
		h.admin("POST", "/users/ada@example.com/disable", nil, &operator.User{})
		parallel(len(nodes)*2, func(i int) { nodes[i%len(nodes)].tell() })
		h.hears(l, want...)
	}, calling)
}

func TestLogoutIsToldAfterARestart(t *testing.T) {
	inEachHouse(t, func(h *house) {
		l := h.listener("app")
		b := h.visitor("ada@example.com")
		sid := h.sid(b.tokens(l.Client))
		b.get("/sign-out").press("sign-out")
		h.closeStore()
		h.open(calling)
		h.hears(l, sid)
	}, calling)
}

// TestLogoutIsToldWithinAMoment lets the server run as it does.
func TestLogoutIsToldWithinAMoment(t *testing.T) {
	inEachHouse(t, func(h *house) {
		l := h.listener("app")
		ctx, stop := context.WithCancel(context.Background())
		var running sync.WaitGroup
		running.Go(func() { h.Run(ctx) })
		defer running.Wait()
		defer stop()
		b := h.visitor("ada@example.com")
		b.tokens(l.Client)
		b.get("/sign-out").press("sign-out")
		select {
		case <-l.told:
		case <-time.After(10 * time.Second):
			h.Error("the app did not hear of it")
		}
	}, calling)
}

func TestLogoutIsToldToNobodyInside(t *testing.T) {
	for name, rules := range map[string]func(*Config){
		"as it is":                   func(*Config) {},
		"another network is allowed": func(c *Config) { c.Outbound.Allow = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} },
		"allowed, but without TLS":   func(c *Config) { c.Outbound.Allow = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} },
	} {
		h := newHouse(t, rules)
		l := h.listener("app")
		b := h.visitor("ada@example.com")
		b.tokens(l.Client)
		b.get("/sign-out").press("sign-out")
		h.hears(l)
		if n := h.rows("logouts"); n != 1 {
			t.Errorf("%s: %d logouts are owed", name, n)
		}
		if !strings.Contains(h.lines.String(), "refused") {
			t.Errorf("%s: the operator does not read why", name)
		}
	}
}
