package server

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/operator"
)

// Numbers in test names are those of the project's list of protocol checks.

func TestTokenEndpoint(t *testing.T) {
	inEachHouse(t, func(h *house) {
		billing, basic := h.machine("billing")
		grant := []string{"grant_type", "client_credentials"}
		with := func(more ...string) []string { return append(append([]string{}, grant...), more...) }

		h.run("a client gets a token of its own", func(h *house) {
			a := h.ok(h.form("/token", grant, basic))
			if a.member("token_type") != "Bearer" || a.member("scope") != "read write" || !strings.Contains(a.body, `"expires_in":600`) || a.member("refresh_token") != "" {
				h.Error(a.body)
			}
			if a.header.Get("Cache-Control") != "no-store" {
				h.Error(a.header)
			}
			t, ok := h.verify(a.member("access_token"))
			if !ok || t.Subject != "billing" || t.ClientID != "billing" || t.Audience != "https://api.example.com" || t.Issuer != h.Policy.Issuer {
				h.Errorf("%+v", t)
			}
		})
		h.run("scope and resource choose among what is registered", func(h *house) {
			a := h.ok(h.form("/token", with("scope", "read", "resource", "https://other.example.com"), basic))
			if t, _ := h.verify(a.member("access_token")); a.member("scope") != "read" || t.Audience != "https://other.example.com" {
				h.Error(a.body)
			}
			h.refused(h.form("/token", with("scope", "read admin"), basic), 400, "invalid_scope")
			h.refused(h.form("/token", with("scope", "re\"ad"), basic), 400, "invalid_scope")
			h.refused(h.form("/token", with("scope", strings.Repeat("a ", 4000)), basic), 400, "invalid_scope")
			h.refused(h.form("/token", with("resource", "https://foreign.example.com"), basic), 400, "invalid_target")
			h.refused(h.form("/token", with("resource", "https://api.example.com", "resource", "https://other.example.com"), basic), 400, "invalid_target")
		})
		h.run("the lifetime is the client's", func(h *house) {
			short := h.addClient(operator.Client{ID: "short", Grants: []string{"client_credentials"}, AccessTokenTTL: "30s"})
			if a := h.ok(h.form("/token", grant, basicOf(short))); !strings.Contains(a.body, `"expires_in":30`) {
				h.Error(a.body)
			}
		})
		h.run("38 another client_id than the authenticated one", func(h *house) {
			h.refused(h.form("/token", with("client_id", "direct"), basic), 400, "invalid_request")
			h.ok(h.form("/token", with("client_id", "billing"), basic))
		})
		h.run("44 GET is refused", func(h *house) {
			a := h.get("/token?grant_type=client_credentials", basic)
			h.refused(a, 405, "invalid_request")
			if a.header.Get("Allow") != "POST" {
				h.Error(a.header)
			}
		})
		h.run("45 a JSON body is refused", func(h *house) {
			h.refused(h.post("/token", `{"grant_type":"client_credentials"}`, basic), 400, "invalid_request")
			h.refused(h.send("POST", "/token", encode(grant), basic), 400, "invalid_request")
		})
		h.run("46 two ways to authenticate are refused", func(h *house) {
			h.refused(h.form("/token", with("client_id", "billing", "client_secret", billing.Secret), basic), 400, "invalid_request")
			h.refused(h.form("/token", grant, basic, bearerToken("x")), 400, "invalid_request")
		})
		h.run("47 a secret in the query is refused", func(h *house) {
			query := "?client_id=billing&client_secret=" + billing.Secret
			a := h.form("/token"+query, grant)
			h.refused(a, 400, "invalid_request")
			h.refused(h.form("/token?x", grant, basic), 400, "invalid_request")
		})
		h.run("48 a wrong secret", func(h *house) {
			wrong := billing
			for _, wrong.Secret = range []string{"x", "", billing.Secret[1:], billing.Secret + "x", strings.ToUpper(billing.Secret)} {
				a := h.form("/token", grant, basicOf(wrong))
				h.refused(a, 401, "invalid_client")
				if !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Basic ") {
					h.Error(a.header)
				}
				h.refused(h.form("/token", with("client_id", "billing", "client_secret", wrong.Secret)), 401, "invalid_client")
			}
			h.ok(h.form("/token", with("client_id", "billing", "client_secret", billing.Secret)))
		})
		h.run("48 a client that nobody registered looks like a wrong secret", func(h *house) {
			known := h.form("/token", with("client_id", "billing", "client_secret", "x"))
			for _, id := range []string{"nobody", strings.Repeat("i", 60_000), "'--", "usr_1", "é"} {
				h.wantBody(h.form("/token", with("client_id", id, "client_secret", "x")), 401, known.body)
				h.refused(h.form("/token", grant, basicOf(operator.Client{ID: id, Secret: "x"})), 401, "invalid_client")
			}
			for _, noText := range []string{"\x00", "\xff", "billing\x00"} { // which PostgreSQL would fail on
				h.refused(h.form("/token", with("client_id", noText, "client_secret", "x")), 400, "invalid_request")
				h.refused(h.form("/token", grant, basicOf(operator.Client{ID: url.QueryEscape(noText), Secret: "x"})), 401, "invalid_client")
			}
		})
		h.run("48 a header that is no Basic", func(h *house) {
			for _, value := range []string{"Basic", "Basic ", "Basic !", "Basic YQ", "Basic YQ==", "Basic JXg6JXg=", "basic JTAwOg=="} {
				h.refused(h.form("/token", grant, header("Authorization", value)), 401, "invalid_client")
			}
		})
		h.run("49 a public client that sends a secret", func(h *house) {
			h.refused(h.form("/token", []string{"grant_type", "refresh_token", "refresh_token", "x", "client_id", "direct", "client_secret", "x"}), 401, "invalid_client")
			h.refused(h.form("/token", []string{"grant_type", "refresh_token", "refresh_token", "x"}, basicOf(operator.Client{ID: "direct", Secret: ""})), 401, "invalid_client")
		})
		h.run("49 a confidential client that sends none", func(h *house) {
			h.refused(h.form("/token", with("client_id", "billing")), 401, "invalid_client")
		})
		h.run("50 a grant that the client may not use", func(h *house) {
			h.refused(h.form("/token", with("client_id", "direct")), 400, "unauthorized_client")
			none := h.addClient(operator.Client{ID: "none"})
			h.refused(h.form("/token", grant, basicOf(none)), 400, "unauthorized_client")
			h.refused(h.form("/token", []string{"grant_type", "refresh_token", "refresh_token", "x"}, basic), 400, "unauthorized_client")
		})
		h.run("51 the password grant does not exist", func(h *house) {
			h.registered("ada@example.com")
			h.refused(h.form("/token", []string{"grant_type", "password", "username", "ada@example.com", "password", rightPassword, "client_id", "direct"}), 400, "unsupported_grant_type")
			for _, unknown := range []string{"implicit", "AUTHORIZATION_CODE", "CLIENT_CREDENTIALS", "client_credentials "} {
				h.refused(h.form("/token", []string{"grant_type", unknown}, basic), 400, "unsupported_grant_type")
			}
		})
		h.run("a request that lacks what it needs", func(h *house) {
			h.refused(h.form("/token", nil, basic), 400, "invalid_request")
			h.refused(h.form("/token", []string{"grant_type", ""}, basic), 400, "invalid_request")
			h.refused(h.form("/token", []string{"grant_type", "refresh_token", "client_id", "direct"}), 400, "invalid_request")
			h.refused(h.form("/token", grant), 401, "invalid_client")
		})
		h.run("a parameter that stands twice", func(h *house) {
			h.refused(h.form("/token", with("scope", "read", "scope", "read"), basic), 400, "invalid_request")
			h.refused(h.form("/token", with("unknown", "1", "unknown", "1"), basic), 400, "invalid_request")
			h.ok(h.form("/token", with("unknown", "1", "scope", ""), basic)) // unknown ones are ignored, empty ones absent
		})
		h.run("methods that nobody uses", func(h *house) {
			for _, method := range []string{"PUT", "DELETE", "PATCH", "HEAD", "TRACE", "PROPFIND"} {
				if a := h.send(method, "/token", "", basic); a.status != 405 || a.header.Get("Allow") != "POST" {
					h.Error(method, a.status, a.header)
				}
			}
		})
	})
}

func TestClientsFirstRequestsInParallelShareOneGrant(t *testing.T) {
	inEachHouse(t, func(h *house) {
		_, basic := h.machine("billing")
		grants := map[string]bool{}
		var mu sync.Mutex
		parallel(200, func(int) {
			a := h.ok(h.form("/token", []string{"grant_type", "client_credentials"}, basic))
			t, ok := h.verify(a.member("access_token"))
			if !ok {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			grant, _, _ := strings.Cut(t.ID, ".")
			grants[grant] = true
		})
		if len(grants) != 1 {
			h.Errorf("%d grants", len(grants))
		}
	})
}

// parallel calls do in n goroutines that start together.
func parallel(n int, do func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() { <-start; do(i) })
	}
	close(start)
	wg.Wait()
}

func TestClientThatIsDisabledIsRefusedAtOnce(t *testing.T) {
	inEachHouse(t, func(h *house) {
		_, basic := h.machine("billing")
		_, api := h.machine("api")
		request := []string{"grant_type", "client_credentials"}
		old := h.ok(h.form("/token", request, basic)).member("access_token")
		active := func() bool {
			return strings.Contains(h.ok(h.form("/introspect", []string{"token", old}, basic)).body, `"active":true`)
		}
		if !active() {
			h.Error("a new token is not active")
		}
		h.admin("POST", "/clients/billing/disable", nil, nil)
		h.refused(h.form("/token", request, basic), 401, "invalid_client")
		h.refused(h.form("/introspect", []string{"token", old}, basic), 401, "invalid_client")
		h.refused(h.form("/revoke", []string{"token", old}, basic), 401, "invalid_client")
		h.wantBody(h.form("/introspect", []string{"token", old}, api), 200, `{"active":false}`)
		h.admin("POST", "/clients/billing/enable", nil, nil)
		h.ok(h.form("/token", request, basic))
		if active() {
			h.Error("a token from before lives again")
		}
	})
}

func TestClientWithANewSecretLosesTheOldOne(t *testing.T) {
	inEachHouse(t, func(h *house) {
		old, _ := h.machine("billing")
		var renewed operator.Client
		h.admin("POST", "/clients/billing/secret", nil, &renewed)
		h.refused(h.form("/token", []string{"grant_type", "client_credentials"}, basicOf(old)), 401, "invalid_client")
		h.ok(h.form("/token", []string{"grant_type", "client_credentials"}, basicOf(renewed)))
	})
}

func TestPageOfAnotherOriginCannotUseAClient(t *testing.T) {
	h := newHouse(t)
	h.addClient(operator.Client{ID: "spa", Public: true, Grants: []string{"refresh_token"}, Origins: []string{"https://app.example.com"}})
	request := []string{"grant_type", "refresh_token", "refresh_token", "x", "client_id", "spa"}
	own := h.form("/token", request, header("Origin", "https://app.example.com"))
	h.refused(own, 400, "invalid_grant")
	h.shared(own, "https://app.example.com")
	other := h.form("/token", request, header("Origin", appOrigin))
	h.refused(other, 400, "invalid_request")
	h.shared(other, appOrigin) // it may read that it may not
	foreign := h.form("/token", request, header("Origin", "https://evil.example"))
	h.refused(foreign, 400, "invalid_request")
	h.shared(foreign, "")
	h.refused(h.form("/token", request, header("Origin", "null")), 400, "invalid_request")
	h.refused(h.form("/token", request, header("Origin", h.Policy.Issuer)), 400, "invalid_grant")
}

func TestTokenIsJudgedByTheServersClock(t *testing.T) {
	inEachHouse(t, func(h *house) {
		_, basic := h.machine("billing")
		a := h.form("/token", []string{"grant_type", "client_credentials"}, basic)
		token, _ := h.verify(a.member("access_token"))
		if want := h.clock.now().Add(10 * time.Minute); !token.ExpiresAt.Equal(want) || !token.IssuedAt.Equal(h.clock.now()) {
			h.Errorf("%+v", token)
		}
	})
}

func TestHeadAnswersLikeGetWithoutABody(t *testing.T) {
	h := newHouse(t)
	for _, path := range []string{"/jwks", "/.well-known/openid-configuration", "/livez"} {
		get, head := h.get(path), h.send("HEAD", path, "")
		if head.status != http.StatusOK || head.body != "" || head.header.Get("Content-Length") != get.header.Get("Content-Length") {
			t.Error(path, head, get.header)
		}
	}
}
