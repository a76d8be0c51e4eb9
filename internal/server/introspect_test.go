package server

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/operator"
)

const inactive = `{"active":false}`

func TestIntrospectionEndpoint(t *testing.T) {
	inEachHouse(t, func(h *house) {
		_, billing := h.machine("billing")
		_, other := h.machine("other")
		api := basicOf(h.addClient(operator.Client{ID: "api", Serves: []string{"https://api.example.com"}}))
		ask := func(h *house, token string, options ...option) answer {
			h.Helper()
			return h.form("/introspect", []string{"token", token}, options...)
		}
		issue := func(h *house, parameters ...string) string {
			h.Helper()
			return h.ok(h.form("/token", append(parameters, "grant_type", "client_credentials"), billing)).member("access_token")
		}

		h.run("its own client sees an access token", func(h *house) {
			a := h.ok(ask(h, issue(h, "scope", "read"), billing))
			var got map[string]any
			if err := json.Unmarshal([]byte(a.body), &got); err != nil {
				h.Fatal(err)
			}
			if want := []string{"active", "aud", "client_id", "exp", "iat", "iss", "jti", "scope", "sub", "token_type"}; !slices.Equal(slices.Sorted(maps.Keys(got)), want) {
				h.Error(a.body)
			}
			if got["active"] != true || got["client_id"] != "billing" || got["scope"] != "read" || got["exp"] != float64(h.clock.now().Add(10*time.Minute).Unix()) {
				h.Error(a.body)
			}
			if a.header.Get("Cache-Control") != "no-store" {
				h.Error(a.header)
			}
		})
		h.run("a client that serves the audience sees it, no other", func(h *house) {
			token := issue(h)
			if a := h.ok(ask(h, token, api)); !strings.Contains(a.body, `"active":true`) {
				h.Error(a.body)
			}
			h.wantBody(ask(h, token, other), 200, inactive)
			h.wantBody(ask(h, issue(h, "resource", "https://other.example.com"), api), 200, inactive)
		})
		h.run("84 whoever does not authenticate sees nothing", func(h *house) {
			token := issue(h)
			h.refused(ask(h, token), 401, "invalid_client")
			h.refused(ask(h, token, basicOf(operator.Client{ID: "billing", Secret: "x"})), 401, "invalid_client")
			h.refused(ask(h, token, bearerToken(token)), 401, "invalid_client")
			h.refused(h.form("/introspect", []string{"token", token, "client_id", "billing"}), 401, "invalid_client")
			public := h.signIn("84@example.com")
			h.refused(h.form("/introspect", []string{"token", public.access, "client_id", "direct"}), 401, "invalid_client")
		})
		h.run("84 what is expired, revoked, foreign or no token is inactive and no more", func(h *house) {
			expired := issue(h)
			h.clock.advance(10 * time.Minute)
			h.wantBody(ask(h, expired, billing), 200, inactive)
			revoked := issue(h)
			h.ok(h.form("/revoke", []string{"token", revoked}, billing))
			h.wantBody(ask(h, revoked, billing), 200, inactive)
			person := h.signIn("84b@example.com")
			for _, token := range []string{person.access, person.refresh, "x", "kwr_x", "null"} {
				h.wantBody(ask(h, token, billing), 200, inactive)
			}
		})
		h.run("requests that are not understood", func(h *house) {
			h.refused(h.form("/introspect", nil, billing), 400, "invalid_request")
			h.refused(h.form("/introspect?token=x", []string{"token", "x"}, billing), 400, "invalid_request")
			h.refused(h.post("/introspect", `{"token":"x"}`, billing), 400, "invalid_request")
			h.refused(h.get("/introspect", billing), 405, "invalid_request")
		})
		h.run("no page may read it", func(h *house) {
			h.shared(ask(h, "x", billing, header("Origin", appOrigin)), "")
			h.shared(h.send("OPTIONS", "/introspect", "", header("Origin", appOrigin)), "")
		})
	})
}
