package server

import (
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/operator"
)

func TestRevocationEndpoint(t *testing.T) {
	inEachHouse(t, func(h *house) {
		_, billing := h.machine("billing")
		_, other := h.machine("other")
		issue := func(h *house, basic option) string {
			h.Helper()
			return h.ok(h.form("/token", []string{"grant_type", "client_credentials"}, basic)).member("access_token")
		}
		revoke := func(h *house, token string, options ...option) answer {
			h.Helper()
			return h.form("/revoke", []string{"token", token}, options...)
		}
		revokeDirect := func(h *house, token string) answer {
			h.Helper()
			return h.form("/revoke", []string{"token", token, "client_id", "direct"})
		}
		active := func(h *house, token string, basic option) bool {
			h.Helper()
			return strings.Contains(h.ok(h.form("/introspect", []string{"token", token}, basic)).body, `"active":true`)
		}

		h.run("an access token ends alone", func(h *house) {
			first, second := issue(h, billing), issue(h, billing)
			h.wantBody(revoke(h, first, billing), 200, `{}`)
			if active(h, first, billing) || !active(h, second, billing) {
				h.Error("not that one token alone was revoked")
			}
			h.wantBody(revoke(h, first, billing), 200, `{}`) // again
		})
		h.run("an access token of a person ends alone", func(h *house) {
			tokens := h.signIn("access@example.com")
			h.ok(revokeDirect(h, tokens.access))
			if h.lives(tokens.access) {
				h.Error("it lives")
			}
			h.rotated(tokens.refresh)
		})
		h.run("a refresh token ends its grant and all that was issued from it", func(h *house) {
			first := h.signIn("refresh@example.com")
			second := h.rotated(first.refresh)
			h.ok(revokeDirect(h, second.refresh))
			h.dead(first, second)
		})
		h.run("a refresh token of an older generation ends its grant too", func(h *house) {
			first := h.signIn("older@example.com")
			second := h.rotated(first.refresh)
			h.ok(revokeDirect(h, first.refresh))
			h.dead(second)
		})
		h.run("84 another client's token stays alive, and the answer is 200", func(h *house) {
			token := issue(h, billing)
			h.wantBody(revoke(h, token, other), 200, `{}`)
			if !active(h, token, billing) {
				h.Error("another client revoked it")
			}
			tokens := h.signIn("84@example.com")
			h.wantBody(revoke(h, tokens.refresh, other), 200, `{}`)
			h.wantBody(revoke(h, tokens.access, other), 200, `{}`)
			if !h.lives(tokens.access) {
				h.Error("another client revoked a person's token")
			}
			h.rotated(tokens.refresh)
		})
		h.run("a text that is no token is answered like one", func(h *house) {
			for _, text := range []string{"x", "null", "kwr_", "e30.e30.e30", strings.Repeat("a.", 20_000)} {
				h.wantBody(revoke(h, text, billing), 200, `{}`)
			}
		})
		h.run("a token that was changed revokes nothing", func(h *house) {
			tokens := h.signIn("forged@example.com")
			for _, forged := range changed(tokens.refresh)[:12] {
				h.ok(revokeDirect(h, forged))
			}
			flipped := []byte(tokens.refresh)
			flipped[len(flipped)-3] ^= 1
			h.ok(revokeDirect(h, string(flipped)))
			h.rotated(tokens.refresh)
		})
		h.run("an expired token is no matter", func(h *house) {
			token := issue(h, billing)
			h.clock.advance(10 * time.Minute)
			h.wantBody(revoke(h, token, billing), 200, `{}`)
		})
		h.run("whoever does not authenticate revokes nothing", func(h *house) {
			token := issue(h, billing)
			h.refused(revoke(h, token), 401, "invalid_client")
			h.refused(revoke(h, token, basicOf(operator.Client{ID: "billing", Secret: "x"})), 401, "invalid_client")
			h.refused(h.form("/revoke", []string{"token", token, "client_id", "billing"}), 401, "invalid_client")
			if !active(h, token, billing) {
				h.Error("it was revoked")
			}
		})
		h.run("requests that are not understood", func(h *house) {
			h.refused(h.form("/revoke", nil, billing), 400, "invalid_request")
			h.refused(h.form("/revoke", []string{"token", ""}, billing), 400, "invalid_request")
			h.refused(h.form("/revoke", []string{"token", "a", "token", "b"}, billing), 400, "invalid_request")
			h.refused(h.form("/revoke?token=x", []string{"token", "a"}, billing), 400, "invalid_request")
			h.refused(h.post("/revoke", `{"token":"x"}`, billing), 400, "invalid_request")
			h.refused(h.get("/revoke?token=x", billing), 405, "invalid_request")
			h.ok(h.form("/revoke", []string{"token", "x", "token_type_hint", "nonsense"}, billing)) // RFC 7009 §2.1
		})
	}, grace(0))
}

func TestRevocationThatFailsIsNever200(t *testing.T) {
	inEachHouse(t, func(h *house) {
		tokens := h.signIn("ada@example.com")
		h.closeStore()
		for _, token := range []string{tokens.refresh, tokens.access, "x"} {
			a := h.form("/revoke", []string{"token", token, "client_id", "direct"})
			h.refused(a, 503, "temporarily_unavailable")
			if a.header.Get("Retry-After") == "" {
				h.Error(a.header)
			}
		}
		h.open()
		if !h.lives(tokens.access) {
			h.Error("it was revoked after all")
		}
	})
}
