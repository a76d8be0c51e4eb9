package server

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/operator"
)

const noToken = `{"auth":false,"message":"No token provided"}`
const badToken = `{"auth":false,"message":"Could not authenticate token"}`
const notSignedIn = `{"auth":false,"token":null}`

func (h *house) wantBody(a answer, status int, body string) {
	h.Helper()
	if a.status != status || a.body != body {
		h.Errorf("got %d %s, want %d %s", a.status, a.body, status, body)
	}
}

// wantField wants a 400 that says what is wrong with a field.
func (h *house) wantField(a answer, field string) {
	h.Helper()
	if a.status != http.StatusBadRequest || !strings.Contains(a.body, `"`+field+`":"`) || a.member("error") != "invalid_request" {
		h.Errorf("got %d %s, want 400 about the field %s", a.status, a.body, field)
	}
}

// shared wants an answer that a page of origin may read.
func (h *house) shared(a answer, origin string) {
	h.Helper()
	if got := a.header.Get("Access-Control-Allow-Origin"); got != origin {
		h.Errorf("%d: Access-Control-Allow-Origin is %q, want %q", a.status, got, origin)
	}
}

func TestRegisterAsTheTutorialCallsIt(t *testing.T) {
	inEachHouse(t, func(h *house) {
		h.run("ok", func(h *house) {
			a := h.post("/register", `{"email":"ada@example.com","name":"Ada","password":"analytical engine"}`)
			h.wantBody(a, 200, `{"status":"ok"}`)
		})
		h.run("an e-mail that is registered changes nothing", func(h *house) {
			a := h.post("/register", `{"email":"ADA@example.com","name":"Eve","password":"another password"}`)
			h.wantBody(a, 200, `{"status":"ok"}`)
			h.wantBody(h.login("ada@example.com", "another password"), 401, notSignedIn)
			token := h.ok(h.login("ada@example.com", rightPassword)).member("token")
			if got := h.get("/profile", bearerToken(token)).member("name"); got != "Ada" {
				h.Errorf("the name is now %q", got)
			}
		})
		for field, bodies := range map[string][]string{
			"email": {
				`{"name":"B","password":"analytical engine"}`, `{"email":null,"name":"B","password":"analytical engine"}`,
				`{"email":7,"name":"B","password":"analytical engine"}`, `{"email":"b","name":"B","password":"analytical engine"}`,
				`{"email":"a@x,b@y","name":"B","password":"analytical engine"}`, `{"email":"a@x\nBcc: b@y","name":"B","password":"analytical engine"}`,
				`{"email":"a@@x","name":"B","password":"analytical engine"}`, `{"email":"\"a b\"@x","name":"B","password":"analytical engine"}`,
				`{"email":"аda@example.com","name":"B","password":"analytical engine"}`,
			},
			"name": {
				`{"email":"b@example.com","password":"analytical engine"}`, `{"email":"b@example.com","name":"","password":"analytical engine"}`,
				`{"email":"b@example.com","name":"  ","password":"analytical engine"}`, `{"email":"b@example.com","name":["B"],"password":"analytical engine"}`,
				`{"email":"b@example.com","name":"B\u0000","password":"analytical engine"}`, `{"email":"b@example.com","name":"\u202eB","password":"analytical engine"}`,
				`{"email":"b@example.com","NAME":"B","password":"analytical engine"}`,
			},
			"password": {
				`{"email":"b@example.com","name":"B"}`, `{"email":"b@example.com","name":"B","password":"short"}`,
				`{"email":"b@example.com","name":"B","password":{}}`, `{"email":"b@example.com","name":"B","password":"password123"}`,
				`{"email":"b@example.com","name":"B","password":"` + strings.Repeat("a", 1025) + `"}`,
			},
		} {
			h.run("a wrong "+field+" is named and nothing is stored", func(h *house) {
				for _, body := range bodies {
					h.wantField(h.post("/register", body), field)
				}
			})
		}
		h.run("bodies that are no JSON object", func(h *house) {
			refusedBodies(h, "/register")
		})
		var people []operator.User
		if h.admin("GET", "/users", nil, &people); len(people) != 1 {
			h.Errorf("there are %d people, want Ada alone", len(people))
		}
	})
}

// refusedBodies are wrong for every endpoint that takes JSON.
func refusedBodies(h *house, path string) {
	h.Helper()
	for _, body := range []string{
		``, ` `, `{`, `{"email":"a@example.com"`, `[]`, `null`, `"text"`, `7`, `{} {}`, `{"a":1,}`, `{'email':1}`,
		`{"email":"a@example.com","email":"b@example.com","name":"B","password":"analytical engine"}`,
		"{\"email\":\"\xff\"}", strings.Repeat(`[`, 10_000), `{"a":` + strings.Repeat(`[`, 10_001) + strings.Repeat(`]`, 10_001) + `}`,
	} {
		status := 400
		if len(body) > maxJSONBytes {
			status = 413
		}
		h.refused(h.post(path, body), status, "invalid_request")
	}
	valid := `{"email":"b@example.com","name":"B","password":"analytical engine"}`
	for _, mediaType := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp"} {
		h.refused(h.send("POST", path, valid, header("Content-Type", mediaType)), 415, "invalid_request")
	}
	h.refused(h.post(path, `{"email":"`+strings.Repeat("a", maxJSONBytes)+`"}`), 413, "invalid_request")
	h.refused(h.post(path, strings.Repeat(" ", maxJSONBytes+1), chunked), 413, "invalid_request")
}

// chunked hides the body's length.
func chunked(r *http.Request) { r.ContentLength = -1 }

func TestLoginAsTheTutorialCallsIt(t *testing.T) {
	inEachHouse(t, func(h *house) {
		h.registered("ada@example.com")
		h.run("ok", func(h *house) {
			a := h.ok(h.post("/login", `{"email":"ada@example.com","password":"analytical engine"}`))
			if !strings.HasPrefix(a.body, `{"auth":true,"token":"ey`) || !strings.Contains(a.body, `"token_type":"Bearer","expires_in":600,"refresh_token":"kwr_`) {
				h.Error(a.body)
			}
		})
		h.run("a wrong password", func(h *house) {
			h.wantBody(h.login("ada@example.com", "wrong password"), 401, notSignedIn)
			h.wantBody(h.login("ada@example.com", rightPassword+" "), 401, notSignedIn)
			h.wantBody(h.login("ada@example.com", "Analytical engine"), 401, notSignedIn)
			h.wantBody(h.login("ada@example.com", ""), 401, notSignedIn)
		})
		h.run("an e-mail that nobody has", func(h *house) {
			h.wantBody(h.login("eve@example.com", rightPassword), 401, notSignedIn)
		})
		h.run("an e-mail that nobody can have", func(h *house) {
			for _, email := range []string{"", "ada", "ada@", "@example.com", "ada@example.com\x00", "a@b@example.com"} {
				h.wantBody(h.login(email, rightPassword), 401, notSignedIn)
			}
		})
		h.run("another case of the e-mail is the same person", func(h *house) {
			first := h.ok(h.login("ada@example.com", rightPassword)).member("token")
			for _, email := range []string{"ADA@Example.COM", " ada@example.com", "ada@example.com\t"} {
				second := h.ok(h.login(email, rightPassword)).member("token")
				if a, b := h.get("/profile", bearerToken(first)), h.get("/profile", bearerToken(second)); a.body != b.body {
					h.Errorf("%s is %s, not %s", email, b.body, a.body)
				}
			}
		})
		h.run("a password that is missing or no string", func(h *house) {
			for _, member := range []string{``, `,"password":null`, `,"password":1`, `,"password":["analytical engine"]`, `,"password":true`} {
				h.wantField(h.post("/login", `{"email":"ada@example.com"`+member+`}`), "password")
			}
			h.wantField(h.post("/login", `{"password":"analytical engine"}`), "email")
			h.wantField(h.login("ada@example.com", strings.Repeat("a", 1025)), "password")
		})
		h.run("bodies that are no JSON object", func(h *house) { refusedBodies(h, "/login") })
		h.run("a garbage or stale Authorization header is ignored", func(h *house) {
			stale := h.ok(h.login("ada@example.com", rightPassword)).member("token")
			h.clock.advance(time.Hour)
			for _, value := range []string{"Bearer null", "bearer undefined", "Bearer " + stale, "Basic !!", "x"} {
				h.ok(h.login("ada@example.com", rightPassword, header("Authorization", value)))
				h.ok(h.post("/register", jsonOf("email", "b@example.com", "name", "B", "password", rightPassword), header("Authorization", value)))
			}
		})
	})
}

func TestTooManyAttemptsAreRefusedWithRetryAfter(t *testing.T) {
	inEachHouse(t, func(h *house) {
		h.registered("ada@example.com")
		for range 3 {
			h.wantBody(h.login("ada@example.com", "wrong password"), 401, notSignedIn)
		}
		a := h.login("ada@example.com", rightPassword, header("Origin", appOrigin))
		h.refused(a, 429, "too_many_attempts")
		h.shared(a, appOrigin)
		if got := a.header.Get("Retry-After"); got != "901" {
			h.Errorf("Retry-After is %q, want a second more than 15 minutes", got)
		}
		h.clock.advance(15 * time.Minute)
		h.ok(h.login("ada@example.com", rightPassword))
	}, func(c *Config) { c.Limits.PerAccount = 3 })
}

func TestProfileAsTheTutorialCallsIt(t *testing.T) {
	inEachHouse(t, func(h *house) {
		token := h.signIn("Ada@example.com").access
		h.run("ok", func(h *house) {
			a := h.ok(h.get("/profile", bearerToken(token)))
			if !strings.HasPrefix(a.body, `{"id":"usr_`) || !strings.HasSuffix(a.body, `","name":"Ada","email":"Ada@example.com"}`) {
				h.Error(a.body)
			}
		})
		h.run("no token, or another scheme", func(h *house) {
			for _, options := range [][]option{{}, {header("Authorization", "")}, {header("Authorization", "Basic YTpi")}, {header("Authorization", token)}} {
				a := h.get("/profile", options...)
				h.wantBody(a, 401, noToken)
				if got := a.header.Get("WWW-Authenticate"); got != "Bearer" {
					h.Errorf("WWW-Authenticate: %s", got)
				}
			}
		})
		h.run("the scheme in any case", func(h *house) {
			for _, scheme := range []string{"bearer", "BEARER", "bEaReR"} {
				h.ok(h.get("/profile", header("Authorization", scheme+" "+token)))
			}
		})
		h.run("a token that is none", func(h *house) {
			for _, value := range []string{"null", "undefined", "x", "", "e30.e30.e30", token + "x", token[:len(token)-1]} {
				a := h.get("/profile", bearerToken(value))
				h.wantBody(a, 401, badToken)
				if got := a.header.Get("WWW-Authenticate"); !strings.HasPrefix(got, `Bearer error="invalid_token"`) {
					h.Errorf("WWW-Authenticate: %s", got)
				}
			}
		})
		h.run("a token in query or body is refused", func(h *house) {
			if a := h.get("/profile?access_token=" + token); a.status != 400 || strings.Contains(a.body, token) {
				h.Error(a.status, a.body)
			}
			if a := h.get("/profile?access_token="+token, bearerToken(token)); a.status != 400 {
				h.Error("two transports at once:", a.status)
			}
			body := "access_token=" + token
			h.wantBody(h.send("GET", "/profile", body, header("Content-Type", "application/x-www-form-urlencoded")), 401, noToken)
			if a := h.send("POST", "/profile", body, header("Content-Type", "application/x-www-form-urlencoded")); a.status != 405 {
				h.Error(a.status)
			}
		})
		h.run("two tokens are refused", func(h *house) {
			if a := h.get("/profile", bearerToken(token), bearerToken(token)); a.status != 400 {
				h.Error(a.status, a.body)
			}
		})
		h.run("an expired token", func(h *house) {
			h.clock.advance(10*time.Minute - time.Microsecond)
			h.ok(h.get("/profile", bearerToken(token)))
			h.clock.advance(time.Microsecond)
			h.wantBody(h.get("/profile", bearerToken(token)), 401, badToken)
		})
	})
}

func TestProfileTakesAnyAudienceButNoOtherClient(t *testing.T) {
	inEachHouse(t, func(h *house) {
		_, basic := h.machine("billing")
		token := h.ok(h.form("/token", []string{"grant_type", "client_credentials"}, basic)).member("access_token")
		h.wantBody(h.get("/profile", bearerToken(token)), 401, badToken)
	})
}

func TestPreflightsAreAnsweredAtAnyPath(t *testing.T) {
	h := newHouse(t)
	asking := []option{header("Origin", appOrigin), header("Access-Control-Request-Method", "POST"), header("Access-Control-Request-Headers", "authorization,content-type")}
	for _, path := range []string{"/register", "/login", "/profile", "/token", "/revoke", "/no/such/path"} {
		a := h.send("OPTIONS", path, "", asking...)
		if a.status != 204 || a.body != "" {
			h.Errorf("%s: %d %s", path, a.status, a.body)
		}
		h.shared(a, appOrigin)
		if got := a.header.Get("Access-Control-Allow-Headers"); got != "authorization, content-type" {
			h.Errorf("%s: headers %q", path, got)
		}
		if got := a.header.Get("Access-Control-Allow-Methods"); got != "GET, POST" {
			h.Errorf("%s: methods %q", path, got)
		}
		if a.header.Get("Vary") != "Origin" || a.header.Get("Access-Control-Max-Age") == "" || a.header.Get("Access-Control-Allow-Credentials") != "" {
			h.Errorf("%s: %v", path, a.header)
		}
	}
}

func TestErrorsCanBeReadByThePage(t *testing.T) {
	h := newHouse(t)
	page := header("Origin", appOrigin)
	check := func(a answer, status int) {
		if a.status != status {
			t.Errorf("got %d %s, want %d", a.status, a.body, status)
		}
		h.shared(a, appOrigin)
	}
	check(h.post("/login", `{`, page), 400)
	check(h.login("eve@example.com", rightPassword, page), 401)
	check(h.get("/no/such/path", page), 404)
	check(h.get("/login", page), 405)
	check(h.post("/login", strings.Repeat(" ", maxJSONBytes+1), page), 413)
	check(h.send("POST", "/login", "x", page), 415)
	h.closeStore()
	check(h.login("ada@example.com", rightPassword, page), 500)
}

func TestInterceptorMayAddItsTokenToEveryRequest(t *testing.T) {
	inEachHouse(t, func(h *house) {
		refresh := h.signIn("ada@example.com").refresh
		bogus := header("Authorization", "bearer null")
		a := h.ok(h.form("/token", []string{"grant_type", "refresh_token", "refresh_token", refresh, "client_id", "direct"}, bogus))
		h.ok(h.form("/revoke", []string{"token", a.member("refresh_token"), "client_id", "direct"}, bogus))
		h.ok(h.get("/jwks", bogus))
		h.ok(h.get("/.well-known/openid-configuration", bogus))
		if a := h.get("/no/such/path", bogus); a.status != 404 {
			h.Error(a.status)
		}
	})
}

func TestRegistrationEndsWithTheClientDirect(t *testing.T) {
	inEachHouse(t, func(h *house) {
		h.admin("POST", "/clients/direct/disable", nil, &operator.Client{})
		h.refused(h.post("/register", jsonOf("email", "ada@example.com", "name", "Ada", "password", rightPassword)), 403, "registration_closed")
		if n := h.rows("users"); n != 0 {
			h.Errorf("%d people are registered", n)
		}
		h.admin("POST", "/clients/direct/enable", nil, &operator.Client{})
		h.ok(h.post("/register", jsonOf("email", "ada@example.com", "name", "Ada", "password", rightPassword)))
	})
}
