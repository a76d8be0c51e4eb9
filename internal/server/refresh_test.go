package server

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/operator"
)

func grace(d time.Duration) func(*Config) {
	return func(c *Config) { c.Policy.RefreshGrace = d }
}

// rotated refreshes, and wants the tokens of the next generation.
func (h *house) rotated(token string) signedIn {
	h.Helper()
	a := h.ok(h.refresh(token))
	next := signedIn{a.member("access_token"), a.member("refresh_token")}
	if next.refresh == token || !strings.HasPrefix(next.refresh, "kwr_") {
		h.Errorf("%q is no successor", next.refresh)
	}
	return next
}

// dead wants a refresh token, and all that its family issued, to be dead.
func (h *house) dead(family ...signedIn) {
	h.Helper()
	for i, tokens := range family {
		h.refused(h.refresh(tokens.refresh), 400, "invalid_grant")
		if h.lives(tokens.access) {
			h.Errorf("access token %d lives", i)
		}
	}
}

func TestStrictRotation(t *testing.T) {
	inEachHouse(t, func(h *house) {
		h.run("61 rotated token reuse ends the family, the newest included", func(h *house) {
			first := h.signIn("61@example.com")
			second := h.rotated(first.refresh)
			third := h.rotated(second.refresh)
			if !h.lives(first.access) || !h.lives(third.access) {
				h.Error("rotation ended an access token")
			}
			h.refused(h.refresh(first.refresh), 400, "invalid_grant")
			h.dead(third, second, first)
		})
		h.run("61 another grant of the same person lives on", func(h *house) {
			first := h.signIn("61b@example.com")
			other := h.signIn("61b@example.com")
			h.rotated(first.refresh)
			h.refused(h.refresh(first.refresh), 400, "invalid_grant")
			h.rotated(other.refresh)
		})
		h.run("63 parallel refreshes of one token leave at most one branch", func(h *house) {
			first := h.signIn("63@example.com")
			var mu sync.Mutex
			successors := map[string]int{}
			parallel(200, func(int) {
				a := h.refresh(first.refresh)
				mu.Lock()
				defer mu.Unlock()
				if a.status == 200 {
					successors[a.member("refresh_token")]++
				} else {
					h.refused(a, 400, "invalid_grant")
				}
			})
			if len(successors) != 1 {
				h.Errorf("%d successors", len(successors))
			}
			for token, times := range successors {
				if times != 1 {
					h.Errorf("the successor was handed out %d times", times)
				}
				h.refused(h.refresh(token), 400, "invalid_grant") // the others were replays
			}
		})
		h.run("64 another client", func(h *house) {
			first := h.signIn("64@example.com")
			h.addClient(operator.Client{ID: "spa", Public: true, Grants: []string{"refresh_token"}})
			h.refused(h.refresh(first.refresh, "client_id", "spa"), 400, "invalid_grant")
			h.rotated(first.refresh) // it did not hurt the owner
		})
		h.run("65 scope widened, or narrowed for one access token", func(h *house) {
			first := h.signIn("65@example.com")
			h.refused(h.refresh(first.refresh, "scope", "openid admin"), 400, "invalid_scope")
			narrow := h.ok(h.refresh(first.refresh, "scope", "openid"))
			if t, _ := h.verify(narrow.member("access_token")); narrow.member("scope") != "openid" || strings.Join(t.Scope, " ") != "openid" {
				h.Error(narrow.body)
			}
			if wide := h.ok(h.refresh(narrow.member("refresh_token"))); wide.member("scope") != "openid profile email" {
				h.Error(wide.body)
			}
		})
		h.run("66 the person is disabled", func(h *house) {
			first := h.signIn("66@example.com")
			h.admin("POST", "/users/66@example.com/disable", nil, &operator.User{})
			h.dead(first)
			h.wantBody(h.login("66@example.com", rightPassword), 401, notSignedIn)
			h.admin("POST", "/users/66@example.com/enable", nil, &operator.User{})
			h.dead(first) // what was ended stays ended
			h.ok(h.login("66@example.com", rightPassword))
		})
		h.run("66 the person's sessions are ended", func(h *house) {
			first := h.signIn("66b@example.com")
			h.admin("POST", "/users/66b@example.com/end-sessions", nil, &operator.User{})
			h.dead(first)
			h.rotated(h.signIn("66b@example.com").refresh)
		})
		h.run("66 the client is disabled", func(h *house) {
			first := h.signIn("66c@example.com")
			h.admin("POST", "/clients/direct/disable", nil, &operator.Client{})
			h.refused(h.refresh(first.refresh), 401, "invalid_client")
			h.wantBody(h.login("66c@example.com", rightPassword), 401, notSignedIn)
			h.admin("POST", "/clients/direct/enable", nil, &operator.Client{})
			h.dead(first)
		})
		h.run("68 rotations within one second leave every older token dead", func(h *house) {
			family := []signedIn{h.signIn("68@example.com")}
			for range 100 {
				family = append(family, h.rotated(family[len(family)-1].refresh))
			}
			h.refused(h.refresh(family[0].refresh), 400, "invalid_grant")
			h.dead(family...)
			for i := 0; i < 40; i += 13 { // each of them kills by itself
				family = []signedIn{h.signIn("68@example.com")}
				for range i + 2 {
					family = append(family, h.rotated(family[len(family)-1].refresh))
				}
				h.refused(h.refresh(family[i].refresh), 400, "invalid_grant")
				h.dead(family[len(family)-1])
			}
		})
		h.run("69 rotation does not extend the absolute lifetime", func(h *house) {
			tokens := h.signIn("69@example.com")
			began := h.clock.now()
			for h.clock.now().Sub(began) < 160*24*time.Hour {
				h.clock.advance(20 * 24 * time.Hour)
				tokens = h.rotated(tokens.refresh)
			}
			h.clock.advance(20*24*time.Hour - time.Microsecond)
			tokens = h.rotated(tokens.refresh)
			h.clock.advance(time.Microsecond)
			h.dead(tokens)
		})
		h.run("69 a grant that is not used ends", func(h *house) {
			tokens := h.signIn("69b@example.com")
			h.clock.advance(30*24*time.Hour - time.Microsecond)
			tokens = h.rotated(tokens.refresh)
			h.clock.advance(30 * 24 * time.Hour)
			h.dead(tokens)
		})
		h.run("a token that was changed is none", func(h *house) {
			first := h.signIn("forged@example.com").refresh
			for _, forged := range changed(first) {
				h.refused(h.refresh(forged), 400, "invalid_grant")
			}
			h.rotated(first) // and nothing happened to the right one
		})
		h.run("resource cannot leave the grant", func(h *house) {
			first := h.signIn("resource@example.com")
			h.refused(h.refresh(first.refresh, "resource", "https://api.example.com"), 400, "invalid_target")
			h.ok(h.refresh(first.refresh, "resource", h.Policy.Issuer))
		})
	}, grace(0))
}

// changed returns texts that are almost token.
func changed(token string) []string {
	all := []string{token + "=", token + "A", token + "\n", " " + token, token + " ", strings.ToUpper(token), strings.ToLower(token), token + token}
	for i := 1; i < len(token); i++ {
		all = append(all, token[:i])
	}
	for i := range token {
		flipped := []byte(token)
		flipped[i] ^= 1
		if flipped[i] == '+' || flipped[i] == '/' {
			continue
		}
		all = append(all, string(flipped))
	}
	return all
}

func TestRotationWithGrace(t *testing.T) {
	inEachHouse(t, func(h *house) {
		h.run("62 a retry within the grace gets the same child", func(h *house) {
			first := h.signIn("62@example.com")
			h.clock.advance(time.Minute)
			second := h.rotated(first.refresh)
			h.clock.advance(10 * time.Second)
			again := h.rotated(first.refresh)
			if again.refresh != second.refresh || again.access == second.access {
				h.Error("the retry got another child")
			}
			h.clock.advance(time.Microsecond)
			h.refused(h.refresh(first.refresh), 400, "invalid_grant") // the grace is over: a replay
			h.dead(first, second, again)
		})
		h.run("62 two tabs within the grace get one token", func(h *house) {
			first := h.signIn("62b@example.com")
			a := h.ok(h.refresh(first.refresh))
			if a.member("refresh_token") != first.refresh {
				h.Error("a token that is as new as the grace was rotated")
			}
			h.clock.advance(10*time.Second + time.Microsecond)
			h.rotated(first.refresh)
		})
		h.run("62 a token two generations old ends the family even within the grace", func(h *house) {
			first := h.signIn("62c@example.com")
			h.clock.advance(11 * time.Second)
			second := h.rotated(first.refresh)
			h.clock.advance(11 * time.Second)
			third := h.rotated(second.refresh)
			h.refused(h.refresh(first.refresh), 400, "invalid_grant")
			h.dead(first, second, third)
		})
		h.run("63 parallel refreshes get one and the same child", func(h *house) {
			first := h.signIn("63@example.com")
			h.clock.advance(time.Minute)
			var mu sync.Mutex
			children := map[string]bool{}
			parallel(200, func(int) {
				a := h.ok(h.refresh(first.refresh))
				mu.Lock()
				defer mu.Unlock()
				children[a.member("refresh_token")] = true
			})
			if len(children) != 1 || children[first.refresh] {
				h.Errorf("%d children", len(children))
			}
		})
		h.run("63 refreshes racing a revocation leave nothing alive", func(h *house) {
			for range 5 {
				first := h.signIn("63b@example.com")
				h.clock.advance(time.Minute)
				var mu sync.Mutex
				family := []signedIn{first}
				parallel(20, func(i int) {
					if i == 10 {
						h.ok(h.form("/revoke", []string{"token", first.refresh, "client_id", "direct"}))
						return
					}
					if a := h.refresh(first.refresh); a.status == 200 {
						mu.Lock()
						defer mu.Unlock()
						family = append(family, signedIn{a.member("access_token"), a.member("refresh_token")})
					}
				})
				h.dead(family...)
			}
		})
	}, grace(10*time.Second))
}

func TestRotationSurvivesARestart(t *testing.T) {
	inEachHouse(t, func(h *house) {
		first := h.signIn("67@example.com")
		second := h.rotated(first.refresh)
		restart := func() {
			h.closeStore()
			h.open(grace(0))
		}
		restart()
		if !h.lives(second.access) {
			h.Error("an access token died by the restart")
		}
		third := h.rotated(second.refresh)
		restart()
		h.refused(h.refresh(first.refresh), 400, "invalid_grant") // 67 the old token is still dead
		h.dead(first, second, third)
		restart()
		h.dead(first, second, third)
	}, grace(0))
}

func TestDatabaseThatLostCommitsRecovers(t *testing.T) {
	inEachHouse(t, func(h *house) {
		first := h.signIn("ada@example.com")
		second := h.rotated(first.refresh)
		grantID, _, _ := strings.Cut(mustVerify(h, first.access).ID, ".")
		h.rewind(grantID)
		third := h.rotated(second.refresh)
		if third.refresh == second.refresh {
			h.Error("the token was not moved past")
		}
		h.rotated(third.refresh)
	}, grace(0))
}
