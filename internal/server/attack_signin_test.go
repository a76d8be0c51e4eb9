package server

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/keywright/keywright/internal/operator"
	"github.com/keywright/keywright/internal/store"
	"github.com/keywright/keywright/internal/store/storetest"
)

func perAccount(n int64) func(*Config) { return func(c *Config) { c.Limits.PerAccount = n } }
func perAddress(n int64) func(*Config) { return func(c *Config) { c.Limits.PerAddress = n } }

func trusting(prefixes ...string) func(*Config) {
	return func(c *Config) {
		for _, p := range prefixes {
			c.TrustedProxies = append(c.TrustedProxies, netip.MustParsePrefix(p))
		}
	}
}

// unlike returns how two answers differ, but for the date.
func unlike(a, b answer) string {
	a.header, b.header = a.header.Clone(), b.header.Clone()
	a.header.Del("Date")
	b.header.Del("Date")
	if x, y := fmt.Sprint(a), fmt.Sprint(b); x != y {
		return x + " / " + y
	}
	return ""
}

// What differs from page to page without saying anything.
var (
	sealedText    = regexp.MustCompile(`value="[A-Za-z0-9_-]{100,}"`)
	requestIDText = regexp.MustCompile(`<code>[0-9a-f]{16}</code>`)
)

// TestPagesSayNotWhoIsRegistered is class 9 on the pages: the same status,
// headers, cookies, bytes, hashes and, where the database shows them, statements.
func TestPagesSayNotWhoIsRegistered(t *testing.T) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		var wire *pgTap
		if o.DatabaseURL != "" {
			wire = tap(t, &o)
		}
		h := build(t, o)
		h.registered("known1@example.com")
		h.registered("known2@example.com")
		h.admin("POST", "/users/known2@example.com/disable", nil, &operator.User{})
		type seen struct {
			answer
			hashes     uint64
			statements []string
		}
		// told posts a page's form for an address, and takes out what was typed.
		told := func(page, button, email, password string) (s seen) {
			b := h.browser()
			f := b.get(page).form(button)
			for name, value := range map[string]string{"email": email, "name": "Eve", "password": password} {
				f.fields.Set(name, value)
			}
			hashes := h.Hasher.Hashes()
			if wire != nil {
				wire.forget()
			}
			s.answer = h.send("POST", f.action, f.fields.Encode(), b.sendCookies, asBrowser(h, "POST"))
			s.hashes = h.Hasher.Hashes() - hashes
			if wire != nil {
				s.statements = slices.Clone(wire.statements())
			}
			s.body = strings.ReplaceAll(sealedText.ReplaceAllString(s.body, "sealed"), email, "the address")
			return s
		}
		alike := func(name string, want, got seen) {
			t.Helper()
			if difference := unlike(want.answer, got.answer); difference != "" || got.hashes != 1 || want.hashes != 1 || !slices.Equal(want.statements, got.statements) {
				t.Errorf("%s: %d and %d hashes, %q, %q, %s", name, want.hashes, got.hashes, want.statements, got.statements, difference)
			}
		}
		want := told("/sign-in", "sign-in", "known1@example.com", "wrong password")
		alike("nobody signs in", want, told("/sign-in", "sign-in", "nobody@example.com", "wrong password"))
		alike("a disabled person signs in", want, told("/sign-in", "sign-in", "known2@example.com", rightPassword))
		alike("a disabled person errs", want, told("/sign-in", "sign-in", "known2@example.com", "wrong password"))

		row := func(statement string) bool { // that is inserted, or written unchanged
			return strings.Contains(statement, "INTO users") || strings.HasPrefix(statement, "UPDATE users")
		}
		fresh := told("/sign-up", "sign-up", "fresh1@example.com", rightPassword)
		fresh.statements = slices.DeleteFunc(fresh.statements, row)
		for _, email := range []string{"known1@example.com", "known2@example.com", "fresh1@example.com"} {
			got := told("/sign-up", "sign-up", email, rightPassword)
			got.statements = slices.DeleteFunc(got.statements, row)
			alike(email+" signs up", fresh, got)
		}
	})
}

// TestNobodyLearnsWhoIsRegistered is class 9: the same status, headers, bytes,
// hashes and statements.
func TestNobodyLearnsWhoIsRegistered(t *testing.T) {
	inEachHouse(t, func(h *house) {
		h.registered("ada@example.com")
		h.registered("disabled@example.com")
		h.admin("POST", "/users/disabled@example.com/disable", nil, &operator.User{})
		hashes := func(do func() answer) (answer, uint64) {
			before := h.Hasher.Hashes()
			a := do()
			return a, h.Hasher.Hashes() - before
		}
		h.run("at sign-in", func(h *house) {
			want, cost := hashes(func() answer { return h.login("ada@example.com", "wrong password") })
			for name, do := range map[string]func() answer{
				"nobody":                           func() answer { return h.login("nobody@example.com", "wrong password") },
				"nobody, again":                    func() answer { return h.login("nobody@example.com", "wrong password") },
				"disabled":                         func() answer { return h.login("disabled@example.com", "wrong password") },
				"disabled with the right password": func() answer { return h.login("disabled@example.com", rightPassword) },
			} {
				got, n := hashes(do)
				if difference := unlike(want, got); difference != "" || n != cost || n != 1 {
					h.Errorf("%s: %d hashes, want %d; %s", name, n, cost, difference)
				}
			}
		})
		h.run("at registration", func(h *house) {
			body := func(email string) string {
				return jsonOf("email", email, "name", "Eve", "password", "another password")
			}
			want, cost := hashes(func() answer { return h.post("/register", body("new@example.com")) })
			journal := h.rows("journal")
			for _, email := range []string{"ada@example.com", "ADA@EXAMPLE.COM", "disabled@example.com", "new@example.com"} {
				got, n := hashes(func() answer { return h.post("/register", body(email)) })
				if difference := unlike(want, got); difference != "" || n != cost || n != 1 {
					h.Errorf("%s: %d hashes, want %d; %s", email, n, cost, difference)
				}
				if journal++; h.rows("journal") != journal {
					h.Errorf("%s: another number of journal rows", email)
				}
			}
		})
	})
}

func TestKnownAndUnknownAccountsAreThrottledAlike(t *testing.T) {
	inEachHouse(t, func(h *house) {
		h.registered("ada@example.com")
		for range 5 {
			if difference := unlike(h.login("ada@example.com", "wrong password"), h.login("nobody@example.com", "wrong password")); difference != "" {
				h.Error(difference)
			}
		}
		h.refused(h.login("nobody@example.com", "wrong password"), 429, "too_many_attempts")
	}, perAccount(3))
}

// TestParallelGuessesCannotOutrunTheCounter is class 14.
func TestParallelGuessesCannotOutrunTheCounter(t *testing.T) {
	inEachHouse(t, func(h *house) {
		h.registered("ada@example.com")
		before := h.Hasher.Hashes()
		var wrong, refused atomic.Int64
		parallel(1000, func(i int) {
			switch a := h.login("ada@example.com", fmt.Sprint("wrong password ", i)); a.status {
			case http.StatusUnauthorized:
				wrong.Add(1)
			case http.StatusTooManyRequests:
				refused.Add(1)
			default:
				h.Errorf("%d %s", a.status, a.body)
			}
		})
		if hashes := h.Hasher.Hashes() - before; hashes != 10 || wrong.Load() != 10 || refused.Load() != 990 {
			h.Errorf("%d hashes, %d wrong, %d refused; want 10, 10, 990", hashes, wrong.Load(), refused.Load())
		}
	}, perAccount(10))
}

func TestOneAccountHasOneCounterWhateverItIsCalled(t *testing.T) {
	inEachHouse(t, func(h *house) {
		h.registered("ada@example.com")
		for _, email := range []string{"ada@example.com", "ADA@example.com", "ada@EXAMPLE.com", " ada@example.com", "ada@example.com \t"} {
			h.wantBody(h.login(email, "wrong password"), 401, notSignedIn)
		}
		for _, email := range []string{"ada@example.com", "Ada@Example.Com", "ada@example.com "} {
			h.refused(h.login(email, rightPassword), 429, "too_many_attempts")
		}
		before := h.Hasher.Hashes()
		for _, email := range []string{"ada@example.com\u00a0", "ａda@example.com", "ada@example。com", "ADA\u212a@example.com"} { // unicode forms are nobody's
			h.wantBody(h.login(email, rightPassword), 401, notSignedIn)
		}
		if h.Hasher.Hashes() != before {
			h.Error("a hash was computed for an address that nobody can have")
		}
	}, perAccount(5))
}

func TestOnlyFailuresCountAndTheCounterSurvivesARestart(t *testing.T) {
	inEachHouse(t, func(h *house) {
		h.registered("ada@example.com")
		for range 20 {
			h.ok(h.login("ada@example.com", rightPassword))
		}
		for range 2 {
			h.wantBody(h.login("ada@example.com", "wrong password"), 401, notSignedIn)
		}
		h.ok(h.login("ada@example.com", rightPassword)) // gives back its own attempt, no other
		h.closeStore()
		h.open(perAccount(3))
		h.wantBody(h.login("ada@example.com", "wrong password"), 401, notSignedIn)
		h.refused(h.login("ada@example.com", rightPassword), 429, "too_many_attempts")
		if h.rows("attempts") != 2 {
			h.Error("more counters than the account's and the address's")
		}
	}, perAccount(3))
}

// from lets a request come from an address, as the one trusted proxy says.
func from(address string) option { return header("X-Forwarded-For", address) }

func TestAddressesAreCountedByNetwork(t *testing.T) {
	inEachHouse(t, func(h *house) {
		guess := func(address string) int {
			return h.login(fmt.Sprintf("nobody%d@example.com", h.rows("attempts")), "wrong password", from(address)).status
		}
		for name, hosts := range map[string][]string{
			"a /64":                []string{"2001:db8:1:2::1", "2001:db8:1:2:ffff::1", "2001:0DB8:1:2:0:0:0:9", "2001:db8:1:2::1%eth0"},
			"IPv4 and its mapping": {"192.0.2.1", "::ffff:192.0.2.1", "::FFFF:c000:201", "192.0.2.1"},
		} {
			for i, host := range hosts {
				want := 401
				if i == 3 {
					want = 429
				}
				if got := guess(host); got != want {
					h.Errorf("%s: guess %d from %s is answered %d, want %d", name, i, host, got, want)
				}
			}
		}
		if got := guess("2001:db8:1:3::1"); got != 401 {
			h.Errorf("the next /64 is answered %d", got)
		}
	}, perAddress(3), trusting("127.0.0.0/8"))
}

// TestWhoIsBelievedAboutTheAddress is class 15.
func TestWhoIsBelievedAboutTheAddress(t *testing.T) {
	many := strings.Repeat("1.1.1.1, ", 500) + "9.9.9.9"
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, test := range []struct {
		peer    string
		headers []string
		trusted []netip.Prefix
		want    string
	}{
		{"192.0.2.7:1", nil, nil, "192.0.2.7"},
		{"192.0.2.7:1", []string{"a"}, nil, "192.0.2.7"},
		{"192.0.2.7:1", []string{"1.1.1.1"}, nil, "192.0.2.7"},
		{"192.0.2.7:1", []string{many}, nil, "192.0.2.7"},
		{"192.0.2.7:1", []string{"fe80::1%eth0"}, nil, "192.0.2.7"},
		{"192.0.2.7:1", []string{"1.1.1.1"}, proxies, "192.0.2.7"}, // not from a proxy
		{"[::ffff:192.0.2.7]:1", nil, nil, "192.0.2.7"},
		{"[fe80::7%eth0]:1", nil, nil, "fe80::7"},
		{"10.0.0.1:1", nil, proxies, "10.0.0.1"},
		{"10.0.0.1:1", []string{"1.1.1.1"}, proxies, "1.1.1.1"},
		{"[::ffff:10.0.0.1]:1", []string{"1.1.1.1"}, proxies, "1.1.1.1"},
		{"10.0.0.1:1", []string{"6.6.6.6, 1.1.1.1"}, proxies, "1.1.1.1"},
		{"10.0.0.1:1", []string{"6.6.6.6, 1.1.1.1, 10.0.0.2, fd00::9"}, proxies, "1.1.1.1"},
		{"10.0.0.1:1", []string{"6.6.6.6", "1.1.1.1"}, proxies, "1.1.1.1"},
		{"10.0.0.1:1", []string{many}, proxies, "9.9.9.9"},
		{"10.0.0.1:1", []string{"::ffff:1.1.1.1"}, proxies, "1.1.1.1"},
		{"10.0.0.1:1", []string{"10.0.0.3, 10.0.0.2"}, proxies, "10.0.0.3"},
		// What cannot be read is held against whoever sent it on.
		{"10.0.0.1:1", []string{"1.1.1.1, unknown"}, proxies, "10.0.0.1"},
		{"10.0.0.1:1", []string{"1.1.1.1, unknown, 10.0.0.2"}, proxies, "10.0.0.2"},
		{"10.0.0.1:1", []string{"1.1.1.1:443"}, proxies, "1.1.1.1"}, // some proxies add the port
		{"10.0.0.1:1", []string{"[2001:db8::1]:443, [fd00::9]"}, proxies, "2001:db8::1"},
		{"10.0.0.1:1", []string{"[1.1.1.1"}, proxies, "1.1.1.1"},
		{"10.0.0.1:1", []string{"1.1.1.1,"}, proxies, "10.0.0.1"},
		{"10.0.0.1:1", []string{"' OR 1=1--"}, proxies, "10.0.0.1"},
		{"@", []string{"1.1.1.1"}, proxies, "invalid IP"}, // a Unix socket
	} {
		r := httptest.NewRequest("POST", "/login", nil)
		r.RemoteAddr, r.Header["X-Forwarded-For"] = test.peer, test.headers
		if got := clientAddress(r, test.trusted).String(); got != test.want {
			t.Errorf("%s, %.60q: %s, want %s", test.peer, test.headers, got, test.want)
		}
	}
}

func TestOtherHeadersAboutTheAddressAreIgnored(t *testing.T) {
	h := newHouse(t, perAddress(3), trusting("127.0.0.0/8"))
	for i, name := range []string{"X_Forwarded_For", "Forwarded", "X-Real-Ip", "True-Client-Ip"} {
		want := 401
		if i == 3 {
			want = 429
		}
		a := h.login(fmt.Sprint("nobody", i, "@example.com"), "wrong password", header(name, fmt.Sprint("192.0.2.", i)))
		if a.status != want {
			t.Errorf("%s: %d, want %d", name, a.status, want)
		}
	}
}

func TestNoProxyIsTrustedUnlessItIsListed(t *testing.T) {
	h := newHouse(t, perAddress(3))
	for i, sent := range []string{"a", "192.0.2.1", strings.Repeat("192.0.2.1,", 500), "fe80::1%eth0"} {
		want := 401
		if i == 3 {
			want = 429
		}
		if a := h.login(fmt.Sprint("nobody", i, "@example.com"), "wrong password", from(sent)); a.status != want {
			t.Errorf("%.40s: %d, want %d", sent, a.status, want)
		}
	}
}

// TestPersonDisabledWhileSigningIn is class 25: between the hash and the commit.
func TestPersonDisabledWhileSigningIn(t *testing.T) {
	inEachHouse(t, func(h *house) {
		for email, step := range map[string]func(){
			"a@example.com": func() { h.admin("POST", "/users/a@example.com/disable", nil, &operator.User{}) },
			"b@example.com": func() { h.admin("POST", "/clients/direct/disable", nil, &operator.Client{}) },
		} {
			h.registered(email)
			proof, id, err := h.verifyPassword(context.Background(), email, rightPassword)
			if err != nil || !proof.Right {
				h.Fatal(proof, err)
			}
			step()
			x := newExchange(h.Server, httptest.NewRecorder(), httptest.NewRequest("POST", "/login", nil))
			answer, err := h.grantDirect(x, provedPassword{PasswordProof: proof, user: id})
			if err != nil || answer.Issue != nil {
				h.Errorf("%s: signed in all the same: %v, %v", email, answer, err)
			}
			h.admin("POST", "/clients/direct/enable", nil, &operator.Client{}) // nobody registers without it
		}
		if h.rows("grants") != 0 {
			h.Error("a grant was issued")
		}
	})
}

func TestPasswordIsRehashedUnderTodaysParameters(t *testing.T) {
	inEachHouse(t, func(h *house) {
		h.registered("ada@example.com")
		stored := func() string {
			u, err := h.DB.Read(context.Background()).UserByEmail("ada@example.com")
			if err != nil {
				h.Fatal(err)
			}
			return u.PasswordHash
		}
		before := stored()
		h.ok(h.login("ada@example.com", rightPassword))
		if stored() != before {
			h.Error("a hash of today was replaced")
		}
		h.closeStore()
		h.params.Time = 2
		h.open()
		h.wantBody(h.login("ada@example.com", "wrong password"), 401, notSignedIn)
		if stored() != before {
			h.Error("a wrong password replaced the hash")
		}
		h.ok(h.login("ada@example.com", rightPassword))
		if after := stored(); !strings.Contains(after, "t=2") {
			h.Error(after)
		}
		h.ok(h.login("ada@example.com", rightPassword))
	})
}

// TestSignInWaitsItsTurnOrIsRefused also says that a refusal for want of time
// counts no attempt.
func TestSignInWaitsItsTurnOrIsRefused(t *testing.T) {
	h := newHouse(t, perAccount(1))
	h.registered("ada@example.com")
	h.Hasher.Close() // nobody computes any more
	for range 3 {
		a := h.login("ada@example.com", rightPassword)
		h.refused(a, 503, "temporarily_unavailable")
		if a.header.Get("Retry-After") == "" {
			t.Error(a.header)
		}
	}
	h.refused(h.post("/register", jsonOf("email", "b@example.com", "name", "B", "password", rightPassword)), 503, "temporarily_unavailable")
}

func TestRegistrationInParallelMakesOnePerson(t *testing.T) {
	inEachHouse(t, func(h *house) {
		parallel(50, func(i int) {
			email := []string{"ada@example.com", "ADA@example.com"}[i%2]
			h.wantBody(h.post("/register", jsonOf("email", email, "name", "Ada", "password", rightPassword)), 200, `{"status":"ok"}`)
		})
		if n := h.rows("users"); n != 1 {
			h.Errorf("%d people", n)
		}
	})
}

// TestStatementsSayNothingEither is class 9 as PostgreSQL sees it: what the
// server asks for is the same, whoever exists.
func TestStatementsSayNothingEither(t *testing.T) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		if o.DatabaseURL == "" {
			return // the statements are the same text on both
		}
		wire := tap(t, &o)
		h := build(t, o)
		h.registered("ada@example.com")
		h.registered("disabled@example.com")
		h.admin("POST", "/users/disabled@example.com/disable", nil, &operator.User{})
		asked := func(do func() answer) []string {
			wire.forget()
			do()
			return wire.statements()
		}
		login := func(email, password string) []string {
			return asked(func() answer { return h.login(email, password) })
		}
		want := login("ada@example.com", "wrong password")
		if len(want) < 5 {
			t.Fatalf("the tap heard %q", want)
		}
		for name, got := range map[string][]string{
			"nobody":                           login("nobody@example.com", "wrong password"),
			"disabled":                         login("disabled@example.com", "wrong password"),
			"disabled with the right password": login("disabled@example.com", rightPassword),
		} {
			if !slices.Equal(got, want) {
				t.Errorf("sign-in, %s: %q, want %q", name, got, want)
			}
		}
		register := func(email string) []string {
			return asked(func() answer {
				return h.post("/register", jsonOf("email", email, "name", "Eve", "password", rightPassword))
			})
		}
		// A new address inserts its row, a taken one writes it unchanged.
		row := func(statement string) bool {
			return strings.Contains(statement, "INTO users") || strings.HasPrefix(statement, "UPDATE users")
		}
		fresh, taken := register("new@example.com"), register("new@example.com")
		if len(fresh) < 4 || !slices.Equal(slices.DeleteFunc(fresh, row), slices.DeleteFunc(taken, row)) {
			t.Errorf("registration: new %q, taken %q", fresh, taken)
		}
	})
}
