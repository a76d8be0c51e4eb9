package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/keywright/keywright/internal/keyring"
	"github.com/keywright/keywright/internal/operator"
)

// mended wants a refusal that is a sentence which the operator can act on.
func (h *house) mended(a answer, about string) {
	h.Helper()
	if sentence := a.member("error"); a.status != 400 || !strings.Contains(sentence, about) {
		h.Errorf("got %d %s, want a sentence about %q", a.status, a.body, about)
	}
}

func TestOperatorManagesClients(t *testing.T) {
	inEachHouse(t, func(h *house) {
		whole := operator.Client{
			ID: "billing", Grants: []string{"client_credentials", "refresh_token"}, Scopes: []string{"read"}, Audiences: []string{"https://api.example.com"},
			Serves: []string{"urn:example:billing"}, RedirectURIs: []string{"https://app.example.com/cb"}, PostLogoutRedirectURIs: []string{"https://app.example.com/"},
			Origins: []string{"https://app.example.com"}, AccessTokenTTL: "5m0s",
		}
		added := h.addClient(whole)
		h.run("a new client has what it was given, and a secret once", func(h *house) {
			if !regexp.MustCompile(`^kws_[\w-]{43}$`).MatchString(added.Secret) {
				h.Error(added.Secret)
			}
			if !added.CreatedAt.Equal(h.clock.now()) {
				h.Error(added.CreatedAt)
			}
			var shown operator.Client
			h.admin("GET", "/clients/billing", nil, &shown)
			if shown.Secret != "" {
				h.Error("the secret is shown again")
			}
			shown.Secret = added.Secret
			if string(mustJSON(shown)) != string(mustJSON(added)) {
				h.Errorf("%s, want %s", mustJSON(shown), mustJSON(added))
			}
		})
		h.run("a public client has no secret", func(h *house) {
			if c := h.addClient(operator.Client{ID: "spa", Public: true, Origins: []string{"https://spa.example.com"}}); c.Secret != "" || !c.Public {
				h.Errorf("%+v", c)
			}
			h.mended(h.admin("POST", "/clients/spa/secret", nil, nil), "no secret")
			h.shared(h.refresh("x", "client_id", "spa"), "")
		})
		h.run("origins count at once, and no longer when the client is disabled", func(h *house) {
			page := header("Origin", "https://spa.example.com")
			h.shared(h.send("OPTIONS", "/token", "", page), "https://spa.example.com")
			h.admin("POST", "/clients/spa/disable", nil, &operator.Client{})
			h.shared(h.send("OPTIONS", "/token", "", page), "")
			h.admin("POST", "/clients/spa/enable", nil, &operator.Client{})
			h.shared(h.send("OPTIONS", "/token", "", page), "https://spa.example.com")
			h.admin("POST", "/clients/spa/remove", nil, &operator.Client{})
			h.shared(h.send("OPTIONS", "/token", "", page), "")
		})
		h.run("the list has every client, with lists that are never null", func(h *house) {
			a := h.admin("GET", "/clients", nil, nil)
			var all []operator.Client
			if err := json.Unmarshal([]byte(a.body), &all); err != nil {
				h.Fatal(err)
			}
			if len(all) != 2 || all[0].ID != "billing" || all[1].ID != "direct" || strings.Contains(a.body, "null") || strings.Contains(a.body, "secret") {
				h.Error(a.body)
			}
		})
		h.run("disabled and enabled again", func(h *house) {
			var c operator.Client
			if h.admin("POST", "/clients/billing/disable", nil, &c); !c.Disabled {
				h.Error("it is not disabled")
			}
			if h.admin("POST", "/clients/billing/enable", nil, &c); c.Disabled {
				h.Error("it is disabled")
			}
		})
		h.run("removed, and gone", func(h *house) {
			old := h.ok(h.form("/token", []string{"grant_type", "client_credentials"}, basicOf(added))).member("access_token")
			var c operator.Client
			if h.admin("POST", "/clients/billing/remove", nil, &c); c.ID != "billing" {
				h.Errorf("%+v", c)
			}
			h.refused(h.form("/token", []string{"grant_type", "client_credentials"}, basicOf(added)), 401, "invalid_client")
			for _, request := range [][2]string{{"GET", ""}, {"POST", "/disable"}, {"POST", "/enable"}, {"POST", "/secret"}, {"POST", "/remove"}} {
				h.mended(h.admin(request[0], "/clients/billing"+request[1], nil, nil), "no client with the id billing")
			}
			namesake := h.addClient(whole)
			h.wantBody(h.form("/introspect", []string{"token", old}, basicOf(namesake)), 200, inactive)
		})
		h.run("what an operator leaves out about a client that signs people in", func(h *house) {
			c := h.addClient(operator.Client{ID: "shop", RedirectURIs: []string{"https://shop.example.com/cb"}})
			if got := strings.Join(append(c.Grants, c.Scopes...), " "); got != "authorization_code refresh_token openid profile email offline_access" || c.IDTokenAlg != "ES256" || !*c.RequirePKCE || c.RegisteredBy != "command" {
				h.Errorf("%+v", c)
			}
		})
		h.run("a client that proves itself with its keys has no secret", func(h *house) {
			c := h.addClient(operator.Client{ID: "keyed", AuthMethod: "private_key_jwt", JWKS: json.RawMessage(aPublicKey), Grants: []string{"client_credentials"}})
			if c.Secret != "" || string(c.JWKS) != aPublicKey {
				h.Errorf("%+v", c)
			}
			h.mended(h.admin("POST", "/clients/keyed/secret", nil, nil), "no secret")
		})
		h.run("the built-in client stays", func(h *house) {
			h.mended(h.admin("POST", "/clients/direct/remove", nil, nil), "built-in")
		})
		h.run("mistakes are refused with a sentence", func(h *house) {
			for about, c := range map[string]operator.Client{
				"already":              {ID: "billing"},
				"1 to 128 characters":  {},
				"like a person's":      {ID: "USR_1"},
				"built-in client":      {ID: "direct"},
				"public client cannot": {ID: "x", Public: true, Grants: []string{"client_credentials"}},
				"unknown grant":        {ID: "x", Grants: []string{"password"}},
				"the redirect URI":     {ID: "x", RedirectURIs: []string{"JaVaScRiPt:alert(1)"}},
				"the origin":           {ID: "x", Origins: []string{"https://app.example.com/"}},
				"not a duration":       {ID: "x", AccessTokenTTL: "soon"},
				"between 5s and 24h":   {ID: "x", AccessTokenTTL: "48h"},
				"the scope":            {ID: "x", Scopes: []string{"a b"}},
				"must be an absolute":  {ID: "x", Audiences: []string{"api"}},
				"more than 64 members": {ID: "x", Scopes: strings.Split(strings.Repeat("a,", 64)+"a", ",")},
				"https://host/...":     {ID: "x", PostLogoutRedirectURIs: []string{"data:text/html,x"}},
				"as only a native app": {ID: "x", RedirectURIs: []string{"com.example.app:/cb"}},
				"authentication metho": {ID: "x", AuthMethod: "client_secret_jwt"},
				"needs the client's":   {ID: "x", AuthMethod: "private_key_jwt"},
				"private or symmetric": {ID: "x", JWKS: json.RawMessage(`{"keys":[{"kty":"oct","k":"AAAA"}]}`)},
				"must be a JWK Set":    {ID: "x", JWKS: json.RawMessage(`[]`)},
				"no key that can":      {ID: "x", JWKS: json.RawMessage(`{"keys":[{"kty":"EC","crv":"P-521","x":"AA","y":"AA"}]}`)},
				"must use PKCE":        {ID: "x", Public: true, RequirePKCE: new(false)},
				"signing algorithm":    {ID: "x", IDTokenAlg: "HS256"},
				"needs a redirect URI": {ID: "x", Grants: []string{"authorization_code"}},
				"the name must be":     {ID: "x", Name: "a\u202eb"},
				"host and port of a r": {ID: "x", RedirectURIs: []string{"https://app.example.com/cb"}, FrontchannelLogoutURI: "https://evil.example/"},
			} {
				h.mended(h.admin("POST", "/clients", c, nil), about)
			}
			h.mended(h.admin("POST", "/clients", map[string]any{"client_id": "x", "roles": []string{"admin"}}, nil), "roles")
			h.mended(h.admin("POST", "/clients", []int{}, nil), "not understood")
			h.mended(h.admin("GET", "/clients/x", nil, nil), "no client with the id x")
		})
	})
}

// aPublicKey is a JWK Set as Keywright writes it.
const aPublicKey = `{"keys":[{"kty":"OKP","use":"sig","alg":"EdDSA","kid":"k","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`

func TestOperatorManagesPeople(t *testing.T) {
	inEachHouse(t, func(h *house) {
		var ada operator.User
		h.admin("POST", "/users", operator.NewUser{Email: "Ada@example.com", Name: "Ada", Password: rightPassword}, &ada)
		if !strings.HasPrefix(ada.ID, "usr_") || ada.Email != "Ada@example.com" || ada.Name != "Ada" || ada.Disabled || !ada.CreatedAt.Equal(h.clock.now()) {
			h.Errorf("%+v", ada)
		}
		h.ok(h.login("ada@example.com", rightPassword))
		h.run("mistakes are refused with a sentence", func(h *house) {
			h.mended(h.admin("POST", "/users", operator.NewUser{Email: "ADA@example.com", Name: "Eve", Password: "another password"}, nil), "already")
			h.mended(h.admin("POST", "/users", operator.NewUser{Email: "x", Name: "Eve", Password: "another password"}, nil), "email: ")
			h.mended(h.admin("POST", "/users", operator.NewUser{Email: "x@example.com", Name: "", Password: "another password"}, nil), "name: ")
			h.mended(h.admin("POST", "/users", operator.NewUser{Email: "x@example.com", Name: "Eve", Password: "short"}, nil), "password: ")
			h.mended(h.admin("POST", "/users", map[string]any{"email": "x@example.com", "email_verified": true}, nil), "email_verified")
			for _, action := range []string{"disable", "enable", "end-sessions"} {
				h.mended(h.admin("POST", "/users/nobody@example.com/"+action, nil, nil), "there is no person nobody@example.com")
				h.mended(h.admin("POST", "/users/usr_nobody/"+action, nil, nil), "there is no person usr_nobody")
				h.mended(h.admin("POST", "/users/nobody/"+action, nil, nil), "neither an e-mail address")
			}
		})
		h.run("named by id", func(h *house) {
			var u operator.User
			if h.admin("POST", "/users/"+ada.ID+"/end-sessions", nil, &u); u.ID != ada.ID {
				h.Errorf("%+v", u)
			}
		})
		h.run("disabled and enabled again, under any case", func(h *house) {
			var u operator.User
			if h.admin("POST", "/users/ADA@Example.com/disable", nil, &u); !u.Disabled || u.ID != ada.ID {
				h.Errorf("%+v", u)
			}
			if h.admin("POST", "/users/ada@example.com/enable", nil, &u); u.Disabled {
				h.Errorf("%+v", u)
			}
		})
		h.run("the list goes on after an id", func(h *house) {
			h.registered("b@example.com")
			var all, rest []operator.User
			h.admin("GET", "/users", nil, &all)
			h.admin("GET", "/users?after="+all[0].ID, nil, &rest)
			if len(all) != 2 || len(rest) != 1 || rest[0] != all[1] {
				h.Error(all, rest)
			}
			if a := h.admin("GET", "/users?after="+all[1].ID, nil, nil); strings.TrimSpace(a.body) != "[]" {
				h.Error(a.body)
			}
		})
	})
}

func TestOperatorSeesTheKeys(t *testing.T) {
	inEachHouse(t, func(h *house) {
		var keys []operator.Key
		h.admin("GET", "/keys", nil, &keys)
		states := map[string]int{}
		for _, k := range keys {
			states[fmt.Sprint(k.Algorithm, " ", k.Signing)]++
		}
		for _, algorithm := range keyring.Algorithms {
			if states[string(algorithm)+" true"] != 1 || states[string(algorithm)+" false"] != 1 || len(keys) != 6 {
				h.Errorf("%+v", keys)
			}
		}
		a := h.admin("GET", "/keys", nil, nil)
		if strings.Contains(a.body, `"d"`) || strings.Contains(a.body, "private") {
			h.Error(a.body)
		}
		h.mended(h.admin("POST", "/keys/rotate", "now", nil), "not understood")
	})
}

func TestOperatorIsToldWhatBroke(t *testing.T) {
	h := newHouse(t)
	h.closeStore()
	for _, request := range [][2]string{{"GET", "/clients"}, {"GET", "/clients/x"}, {"POST", "/clients/x/disable"}, {"GET", "/users"}, {"GET", "/keys"}, {"POST", "/keys/rotate"}} {
		if a := h.admin(request[0], request[1], struct{}{}, nil); a.status != http.StatusInternalServerError || a.member("error") == "" {
			t.Errorf("%v: %d %s", request, a.status, a.body)
		}
	}
}

func TestOperatorsActionsAreNotOnTheNetwork(t *testing.T) {
	h := newHouse(t)
	for _, path := range []string{"/clients", "/clients/direct/disable", "/users", "/users/ada@example.com/disable", "/keys", "/keys/rotate"} {
		for _, method := range []string{"GET", "POST"} {
			h.refused(h.send(method, path, `{}`), 404, "not_found")
		}
	}
}
