package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/operator"
)

// registering lets clients register themselves.
func registering(c *Config) { c.ClientRegistration = true }

// initialToken lets its bearer register clients.
func (h *house) initialToken(uses int64) option {
	h.Helper()
	var made operator.RegistrationToken
	h.admin("POST", "/registration-tokens", operator.NewRegistrationToken{Uses: uses, TTL: time.Hour}, &made)
	return bearerToken(made.Token)
}

// enrolled is a client that has registered itself.
type enrolled struct {
	oauth.Registration
	path string
}

func (c enrolled) token() option { return bearerToken(c.RegistrationAccessToken) }

func (h *house) enrol(metadata string) (c enrolled) {
	h.Helper()
	a := h.post("/clients", metadata, h.initialToken(1))
	if a.status != http.StatusCreated {
		h.Fatalf("%d %s", a.status, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), &c.Registration); err != nil {
		h.Fatal(err)
	}
	c.path = strings.TrimPrefix(c.RegistrationClientURI, h.Policy.Issuer)
	return c
}

func (h *house) put(path, body string, options ...option) answer {
	h.Helper()
	return h.send("PUT", path, body, append([]option{header("Content-Type", "application/json")}, options...)...)
}

const shop = `{"redirect_uris":["https://shop.example.com/cb"],"client_name":"The shop"}`

// again is what a client sends to change itself: its id, and new metadata.
func (c enrolled) again(metadata string) string {
	return `{"client_id":"` + c.ClientID + `",` + strings.TrimPrefix(metadata, "{")
}

func TestClientRegistersReadsChangesAndRemovesItself(t *testing.T) {
	inEachHouse(t, func(h *house) {
		c := h.enrol(`{"redirect_uris":["https://shop.example.com/cb"],"client_name":"The shop","client_uri":"https://shop.example.com","contacts":["a@example.com"],
			"Redirect_URIs":["https://evil.example/cb"],"REDIRECT_URIS":["https://evil.example/cb"],"jwks":null}`)
		if !strings.HasPrefix(c.ClientID, "cl_") || !strings.HasPrefix(c.ClientSecret, "kws_") || !strings.HasPrefix(c.RegistrationAccessToken, "kwm_") ||
			*c.ClientSecretExpiresAt != 0 || *c.ClientIDIssuedAt != h.clock.now().Unix() || c.RegistrationClientURI != h.Policy.Issuer+"/clients?client_id="+c.ClientID {
			h.Errorf("%+v", c)
		}
		var stored operator.Client
		h.admin("GET", "/clients/"+c.ClientID, nil, &stored)
		want := operator.Client{
			ID: c.ClientID, Name: "The shop", AuthMethod: "client_secret_basic", Grants: []string{"authorization_code"}, ResponseModes: []string{},
			Scopes: []string{"openid", "profile", "email", "address", "phone", "offline_access"}, Audiences: []string{}, Serves: []string{},
			RedirectURIs: []string{"https://shop.example.com/cb"}, PostLogoutRedirectURIs: []string{}, Origins: []string{}, RequirePKCE: new(true),
			RegisteredBy: stored.RegisteredBy, CreatedAt: h.clock.now(),
		}
		if string(mustJSON(stored)) != string(mustJSON(want)) || !strings.HasPrefix(stored.RegisteredBy, "registration:rgt_") {
			h.Errorf("%s, want %s", mustJSON(stored), mustJSON(want))
		}
		secret := func(secret string) answer {
			return h.form("/introspect", []string{"token", "x"}, basicOf(operator.Client{ID: c.ClientID, Secret: secret}))
		}
		h.run("it proves itself with its secret", func(h *house) {
			h.ok(secret(c.ClientSecret))
			h.refused(secret(c.RegistrationAccessToken), 401, "invalid_client")
		})
		h.run("it reads everything but its secret", func(h *house) {
			a := h.ok(h.get(c.path, c.token()))
			told := c.Registration
			told.ClientSecret, told.ClientSecretExpiresAt = "", nil
			if a.body != string(mustJSON(told)) || strings.Contains(a.body, "secret\"") {
				h.Errorf("%s, want %s", a.body, mustJSON(told))
			}
		})
		h.run("no page may read it", func(h *house) {
			page := header("Origin", appOrigin)
			h.shared(h.get(c.path, c.token(), page), "")
			h.shared(h.send("OPTIONS", "/clients", "", page, header("Access-Control-Request-Method", "POST")), "")
		})
		h.run("it replaces what is registered, and keeps its secret", func(h *house) {
			h.clock.advance(time.Minute)
			a := h.ok(h.put(c.path, c.again(`{"redirect_uris":["https://shop.example.com/new"],"grant_types":["authorization_code","refresh_token"],"client_secret":"`+c.ClientSecret+`",
				"scope":"openid email","token_endpoint_auth_method":"client_secret_post","id_token_signed_response_alg":"EdDSA"}`), c.token()))
			for _, part := range []string{`"redirect_uris":["https://shop.example.com/new"]`, `"scope":"openid email"`, `"id_token_signed_response_alg":"EdDSA"`, `"registration_access_token":"` + c.RegistrationAccessToken} {
				if !strings.Contains(a.body, part) {
					h.Errorf("%s lacks %s", a.body, part)
				}
			}
			if strings.Contains(a.body, "client_secret\"") || strings.Contains(a.body, "The shop") {
				h.Error(a.body)
			}
			var now operator.Client
			h.admin("GET", "/clients/"+c.ClientID, nil, &now)
			if now.RegisteredBy != stored.RegisteredBy || !now.CreatedAt.Equal(stored.CreatedAt) || now.Name != "" || now.RedirectURIs[0] != "https://shop.example.com/new" {
				h.Errorf("%+v", now)
			}
			h.refused(secret(c.ClientSecret), 401, "invalid_client") // by header no longer
			h.ok(h.form("/introspect", []string{"token", "x", "client_id", c.ClientID, "client_secret", c.ClientSecret}))
		})
		h.run("it removes itself", func(h *house) {
			if a := h.send("DELETE", c.path, "", c.token()); a.status != 204 || a.body != "" || a.header.Get("Cache-Control") != "no-store" {
				h.Error(a)
			}
			for _, method := range []string{"GET", "DELETE"} {
				h.refused(h.send(method, c.path, "", c.token()), 401, "invalid_token")
			}
			h.refused(h.put(c.path, c.again(shop), c.token()), 401, "invalid_token")
			h.mended(h.admin("GET", "/clients/"+c.ClientID, nil, nil), "no client")
		})
		h.run("the log names the client and holds no secret", func(h *house) {
			log := h.lines.String()
			if !strings.Contains(log, c.ClientID) || strings.Contains(log, c.ClientSecret) || strings.Contains(log, c.RegistrationAccessToken) || strings.Contains(log, "kwi_") {
				h.Error(log)
			}
		})
	}, registering)
}

func TestClientsRegisterThemselvesOnlyWhereTheOperatorLetsThem(t *testing.T) {
	h := newHouse(t)
	token := h.initialToken(1)
	for _, method := range []string{"POST", "GET", "PUT", "DELETE"} {
		h.refused(h.send(method, "/clients?client_id=direct", shop, header("Content-Type", "application/json"), token), 404, "not_found")
	}
	if strings.Contains(h.get("/.well-known/openid-configuration").body, "registration_endpoint") {
		t.Error("the metadata names the endpoint")
	}
	h = newHouse(t, registering)
	if !strings.Contains(h.get("/.well-known/openid-configuration").body, `"registration_endpoint":"`+h.Policy.Issuer+`/clients"`) {
		t.Error("the metadata does not name the endpoint")
	}
}

func TestInitialTokenRegistersAsOftenAsItMay(t *testing.T) {
	inEachHouse(t, func(h *house) {
		before, token := h.rows("clients"), h.initialToken(3)
		var made, refused atomic.Int64
		parallel(10, func(int) {
			switch a := h.post("/clients", shop, token); a.status {
			case 201:
				made.Add(1)
			case 401:
				refused.Add(1)
			default:
				h.Errorf("%d %s", a.status, a.body)
			}
		})
		if made.Load() != 3 || refused.Load() != 7 || h.rows("clients") != before+3 {
			h.Errorf("%d registered, %d refused, %d clients more", made.Load(), refused.Load(), h.rows("clients")-before)
		}
		h.run("not when it has expired", func(h *house) {
			token := h.initialToken(1)
			h.clock.advance(time.Hour)
			h.refused(h.post("/clients", shop, token), 401, "invalid_token")
		})
		h.run("not when it was removed, and the clients stay", func(h *house) {
			token := h.initialToken(2)
			if a := h.post("/clients", shop, token); a.status != 201 {
				h.Error(a)
			}
			var tokens []operator.RegistrationToken
			h.admin("GET", "/registration-tokens", nil, &tokens)
			last := tokens[len(tokens)-1]
			if last.Token != "" || last.UsesLeft != 1 {
				h.Errorf("%+v", last)
			}
			clients := h.rows("clients")
			h.admin("POST", "/registration-tokens/"+last.ID+"/remove", nil, &operator.RegistrationToken{})
			h.refused(h.post("/clients", shop, token), 401, "invalid_token")
			if h.rows("clients") != clients {
				h.Error("clients are gone")
			}
			h.mended(h.admin("POST", "/registration-tokens/"+last.ID+"/remove", nil, nil), "no registration token")
		})
		h.run("a refused request takes no use", func(h *house) {
			token := h.initialToken(1)
			h.refused(h.post("/clients", `{"redirect_uris":["javascript:alert(1)"]}`, token), 400, "invalid_redirect_uri")
			if a := h.post("/clients", shop, token); a.status != 201 {
				h.Error(a)
			}
		})
		for _, asked := range []operator.NewRegistrationToken{{}, {Uses: -1, TTL: time.Hour}, {Uses: 1}, {Uses: 1_000_001, TTL: time.Hour}, {Uses: 1, TTL: 366 * 24 * time.Hour}, {Uses: 1, TTL: -time.Hour}} {
			h.mended(h.admin("POST", "/registration-tokens", asked, nil), "a token")
		}
	}, registering)
}

func TestRegistrationNeedsTheRightToken(t *testing.T) {
	inEachHouse(t, func(h *house) {
		c, other := h.enrol(shop), h.enrol(shop)
		initial := h.initialToken(100)
		person := bearerToken(h.signIn("ada@example.com").access)
		before := h.rows("clients")
		for name, token := range map[string]option{
			"none":                       func(*http.Request) {},
			"an empty one":               bearerToken(""),
			"a made-up one":              bearerToken("kwm_" + strings.Repeat("A", 43)),
			"a person's":                 person,
			"the client's secret":        bearerToken(c.ClientSecret),
			"the client by header":       basicOf(operator.Client{ID: c.ClientID, Secret: c.ClientSecret}),
			"another client's":           other.token(),
			"the client's own, extended": bearerToken(c.RegistrationAccessToken + "A"),
			"the client's own, shorter":  bearerToken(c.RegistrationAccessToken[:40]),
		} {
			for request, a := range map[string]answer{
				"register": h.post("/clients", shop, token),
				"read":     h.get(c.path, token),
				"change":   h.put(c.path, c.again(shop), token),
				"remove":   h.send("DELETE", c.path, "", token),
			} {
				h.refused(a, 401, "invalid_token")
				if !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer") || a.header.Get("Cache-Control") != "no-store" {
					h.Errorf("%s with %s: %v", request, name, a.header)
				}
			}
		}
		h.refused(h.get(c.path, initial), 401, "invalid_token")
		h.refused(h.post("/clients", shop, c.token()), 401, "invalid_token")
		h.refused(h.get("/clients?client_id=direct", c.token()), 401, "invalid_token")
		h.refused(h.get("/clients?client_id=nobody", c.token()), 401, "invalid_token")
		h.refused(h.get(c.path+"&access_token="+c.RegistrationAccessToken), 400, "invalid_request")
		h.refused(h.get("/clients", c.token()), 400, "invalid_request")
		h.refused(h.get(c.path+"&client_id="+other.ClientID, c.token()), 400, "invalid_request")
		h.refused(h.put(c.path, other.again(shop), c.token()), 400, "invalid_client_metadata")
		if h.rows("clients") != before {
			h.Error("a refused request changed clients")
		}
		h.ok(h.get(c.path, c.token()))
		h.ok(h.get(other.path, other.token()))
	}, registering)
}

func TestDisabledClientCannotChangeItself(t *testing.T) {
	inEachHouse(t, func(h *house) {
		c := h.enrol(shop)
		h.admin("POST", "/clients/"+c.ClientID+"/disable", nil, &operator.Client{})
		h.refused(h.get(c.path, c.token()), 401, "invalid_token")
		h.refused(h.put(c.path, c.again(shop), c.token()), 401, "invalid_token")
		h.refused(h.send("DELETE", c.path, "", c.token()), 401, "invalid_token")
		var view operator.Client
		if h.admin("GET", "/clients/"+c.ClientID, nil, &view); !view.Disabled {
			h.Errorf("%+v", view)
		}
	}, registering)
}

// TestClientCannotGiveItselfMore is class 24: on create and on update.
func TestClientCannotGiveItselfMore(t *testing.T) {
	inEachHouse(t, func(h *house) {
		c, initial := h.enrol(shop), h.initialToken(1000)
		with := func(members string) string {
			return `{"redirect_uris":["https://shop.example.com/cb"],` + members + "}"
		}
		refused := func(metadata string) {
			h.Helper()
			h.refused(h.post("/clients", metadata, initial), 400, "invalid_client_metadata")
			h.refused(h.put(c.path, c.again(metadata), c.token()), 400, "invalid_client_metadata")
		}
		for _, members := range []string{
			`"grant_types":["client_credentials"]`, `"grant_types":["authorization_code","client_credentials"]`, `"grant_types":["implicit"]`, `"grant_types":["password"]`,
			`"grant_types":["urn:ietf:params:oauth:grant-type:token-exchange"]`, `"scope":"openid admin"`, `"scope":"read"`, `"scope":"openid \u0000"`, `"scope":["openid"]`,
			`"response_types":["token"]`, `"response_types":["code","id_token"]`, `"response_types":["code id_token"]`, `"response_types":["none"]`, `"response_modes":["fragment"]`,
			`"subject_type":"pairwise"`, `"sector_identifier_uri":"https://shop.example.com/sector"`, `"application_type":"service"`, `"application_type":"NATIVE"`,
			`"token_endpoint_auth_method":"client_secret_jwt"`, `"token_endpoint_auth_method":"tls_client_auth"`, `"token_endpoint_auth_method":"private_key_jwt"`,
			`"token_endpoint_auth_method":"private_key_jwt","jwks_uri":"http://shop.example.com/jwks"`, `"token_endpoint_auth_method":"private_key_jwt","jwks":{"keys":[]}`,
			`"jwks":{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}]}`,
			`"jwks":{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}`, `"jwks":` + aPublicKey + `,"jwks_uri":"https://shop.example.com/jwks"`, `"jwks":"text"`, `"jwks":[]`, `"jwks":{"keys":5}`,
			`"id_token_signed_response_alg":"none"`, `"id_token_signed_response_alg":"HS256"`, `"userinfo_signed_response_alg":"none"`, `"userinfo_signed_response_alg":"RS512"`,
			`"id_token_encrypted_response_alg":"RSA-OAEP"`, `"userinfo_encrypted_response_alg":"RSA-OAEP"`, `"request_object_signing_alg":"RS256"`, `"request_uris":["https://shop.example.com/r"]`,
			`"require_signed_request_object":true`, `"require_pushed_authorization_requests":true`, `"dpop_bound_access_tokens":true`, `"tls_client_certificate_bound_access_tokens":true`,
			`"introspection_signed_response_alg":"RS256"`, `"authorization_signed_response_alg":"RS256"`, `"client_name":"\u202egnp.exe"`, `"client_name":5`, `"client_name":"` + strings.Repeat("a", 101) + `"`,
			`"post_logout_redirect_uris":[` + strings.Repeat(`"https://shop.example.com/",`, 64) + `"https://shop.example.com/"]`,
		} {
			refused(with(members))
		}
		for _, whole := range []string{`{"client_name":"x"}`, `{"redirect_uris":"https://shop.example.com/cb"}`, `{"redirect_uris":[5]}`, `{"redirect_uris":[]}`, `{"redirect_uris":null}`} {
			refused(whole)
		}
		for _, members := range []string{
			`"client_secret":"of its own choice, and rather long too"`, `"registration_access_token":"x"`, `"registration_client_uri":"https://evil.example"`, `"client_id_issued_at":1`, `"client_secret_expires_at":0`,
		} {
			h.refused(h.put(c.path, c.again(with(members)), c.token()), 400, "invalid_client_metadata")
		}
		h.refused(h.put(c.path, shop, c.token()), 400, "invalid_client_metadata") // which client?
		ignored := `"trusted":true,"roles":["admin"],"audiences":["https://api.example.com"],"serves":["https://api.example.com"],"origins":["https://evil.example"],"public":true,
			"disabled":false,"registered_by":"command","pkce_optional":true,"require_pkce":false,"scopes":["admin"],"grants":["client_credentials"],"access_token_ttl":"24h","native":true,
			"id_token_encrypted_response_alg":null,"request_uris":[],"dpop_bound_access_tokens":false,"default_max_age":5,"logo_uri":"javascript:alert(1)","client_name#de":"Laden"`
		for _, id := range []string{h.enrol(with(ignored)).ClientID, c.ClientID} {
			h.ok(h.put(c.path, c.again(with(ignored)), c.token()))
			var v operator.Client
			h.admin("GET", "/clients/"+id, nil, &v)
			if v.Trusted || v.Public || v.Native || !*v.RequirePKCE || len(v.Audiences)+len(v.Serves)+len(v.Origins) > 0 || len(v.Scopes) != 6 || v.AccessTokenTTL != "" ||
				!slices.Equal(v.Grants, []string{"authorization_code"}) || !strings.HasPrefix(v.RegisteredBy, "registration:") {
				h.Errorf("%+v", v)
			}
		}
	}, registering)
}

func TestRegistrationTakesABoundedObjectOnce(t *testing.T) {
	h := newHouse(t, registering)
	c, initial := h.enrol(shop), h.initialToken(1)
	rows := h.rows("clients")
	for body, code := range map[string]string{
		"": "invalid_client_metadata", "[]": "invalid_client_metadata", "null": "invalid_client_metadata", `"x"`: "invalid_client_metadata", "{": "invalid_client_metadata", shop + "x": "invalid_client_metadata",
		"{\"client_name\":\"\xff\"}": "invalid_client_metadata",
		`{"redirect_uris":["https://shop.example.com/cb"],"redirect_uris":["https://evil.example/cb"]}`: "invalid_client_metadata",
		`{"client_name":"` + strings.Repeat("a", 16<<10) + `"}`:                                         "invalid_request",
		`{"x":` + strings.Repeat("[", 8000) + strings.Repeat("]", 8000) + `}`:                           "invalid_client_metadata",
	} {
		for _, a := range []answer{h.post("/clients", body, initial), h.put(c.path, body, c.token())} {
			if a.status != 400 && a.status != 413 || a.member("error") != code {
				t.Errorf("%.60q: %d %s", body, a.status, a.body)
			}
		}
	}
	for _, mediaType := range []string{"", "text/plain", "application/x-www-form-urlencoded"} {
		h.refused(h.send("POST", "/clients", shop, header("Content-Type", mediaType), initial), 415, "invalid_client_metadata")
	}
	if h.rows("clients") != rows {
		t.Error("a refused request changed clients")
	}
}

func TestSecretFollowsHowTheClientProvesItself(t *testing.T) {
	inEachHouse(t, func(h *house) {
		c := h.enrol(`{"redirect_uris":["com.example.app:/cb","http://127.0.0.1/cb"],"application_type":"native","token_endpoint_auth_method":"none"}`)
		if c.ClientSecret != "" || c.ClientSecretExpiresAt != nil || c.ApplicationType != "native" {
			h.Errorf("%+v", c)
		}
		become := func(method string) answer {
			return h.ok(h.put(c.path, c.again(`{"redirect_uris":["https://shop.example.com/cb"],"token_endpoint_auth_method":"`+method+`","jwks":`+aPublicKey+`}`), c.token()))
		}
		proves := func(secret string) int {
			return h.form("/introspect", []string{"token", "x"}, basicOf(operator.Client{ID: c.ClientID, Secret: secret})).status
		}
		first := become("client_secret_basic").member("client_secret")
		if first == "" || proves(first) != 200 {
			h.Errorf("the first secret %q: %d", first, proves(first))
		}
		if again := become("client_secret_basic").member("client_secret"); again != "" || proves(first) != 200 {
			h.Error("the secret was replaced")
		}
		for _, method := range []string{"private_key_jwt", "none"} {
			if secret := become(method).member("client_secret"); secret != "" || proves(first) != 401 || proves("") != 401 {
				h.Errorf("%s: secret %q, the old one answers %d, none %d", method, secret, proves(first), proves(""))
			}
		}
		if second := become("client_secret_basic").member("client_secret"); second == "" || second == first || proves(second) != 200 || proves(first) != 401 {
			h.Errorf("the second secret %q", second)
		}
	}, registering)
}

// hostileURIs are class 3 at registration: no client may have any of them as an
// address of any kind.
var hostileURIs = []string{
	"javascript:alert(1)", "JaVaScRiPt:alert(1)", "javascript://shop.example.com/%0aalert(1)", " javascript:alert(1)", "java\tscript:alert(1)", "java\nscript:alert(1)", "\x01javascript:alert(1)",
	"data:text/html,<script>alert(1)</script>", "DATA:text/html;base64,PHNjcmlwdD4=", "vbscript:msgbox(1)", "VBScript:msgbox(1)", "file:///etc/passwd", "blob:https://shop.example.com/uuid", "about:blank",
	"mailto:a@shop.example.com", "ftp://shop.example.com/cb", "ws://shop.example.com/cb", "view-source:https://shop.example.com", "filesystem:https://shop.example.com/x", "intent://x/#Intent;end",
	"urn:ietf:wg:oauth:2.0:oob", "myapp:/cb", "gopher://shop.example.com/", "/cb", "cb", "//shop.example.com/cb", "https:/shop.example.com/cb", "https:shop.example.com/cb", "https:///shop.example.com/cb", "https://",
	"http://shop.example.com/cb", "HTTP://shop.example.com/cb", "http://localhost.evil.example/cb", "http://localhost@evil.example/cb", "http://127.0.0.1.evil.example/cb", "http://127.1/cb", "http://0x7f000001/cb",
	"http://2130706433/cb", "http://0.0.0.0/cb", "http://[::ffff:127.0.0.1]/cb", "http://169.254.169.254/latest", "http://192.168.0.1/cb",
	"https://shop.example.com@evil.example/cb", "https://evil@shop.example.com/cb", "https://shop.example.com:443@evil.example/cb", "https://a@b@evil.example/cb", `https://evil.example\@shop.example.com/cb`,
	`https:\\shop.example.com/cb`, "HTTPS://SHOP.EXAMPLE.COM/cb", "https://shop.example.com./cb", "https://shop%2eexample.com/cb", "https://shop.example.com%00.evil.example/cb", "https://bücher.example/cb",
	"https://shоp.example.com/cb", "https://ｓhop.example.com/cb", "https://shop.example.com:0/cb", "https://shop.example.com:65536/cb", "https://shop.example.com:/cb",
	"https://*.example.com/cb", "https://shop.example.com/*", "https://*/cb", "https://shop.example.com/cb#", "https://shop.example.com/cb#f", "https://shop.example.com/cb?x#f",
	"https://shop.example.com/cb\r\nSet-Cookie: a=b", "https://shop.example.com/cb\x00", "https://shop.example.com/ cb", `https://shop.example.com/"><script>`,
	"https://shop.example.com/cb/../x", "https://shop.example.com/cb/..;/x", "https://shop.example.com/cb%2f..", "https://shop.example.com/cb/%2e%2e/x", `https://shop.example.com/cb\..\x`,
	"https://shop.example.com/" + strings.Repeat("a", 2030),
}

// TestHostileURIsAreRefusedInEveryWayOfRegistering is class 3: by command, by
// file, by registration and by its update.
func TestHostileURIsAreRefusedInEveryWayOfRegistering(t *testing.T) {
	if len(hostileURIs) < 60 {
		t.Errorf("only %d", len(hostileURIs))
	}
	inEachHouse(t, func(h *house) {
		c, initial := h.enrol(shop), h.initialToken(1_000_000)
		before := [2]int{h.rows("clients"), h.rows("journal")}
		for _, uri := range hostileURIs {
			for member, code := range map[string]string{
				"redirect_uris": "invalid_redirect_uri", "post_logout_redirect_uris": "invalid_redirect_uri", "backchannel_logout_uri": "invalid_client_metadata",
				"frontchannel_logout_uri": "invalid_client_metadata", "jwks_uri": "invalid_client_metadata",
			} {
				metadata := map[string]any{"redirect_uris": []string{"https://shop.example.com/cb"}, member: any(uri)}
				if strings.HasSuffix(member, "uris") {
					metadata[member] = []string{uri}
				}
				h.refused(h.post("/clients", string(mustJSON(metadata)), initial), 400, code)
				metadata["client_id"] = c.ClientID
				h.refused(h.put(c.path, string(mustJSON(metadata)), c.token()), 400, code)
				metadata["client_id"] = "declared"
				if a := h.admin("POST", "/clients", metadata, nil); a.status != 400 {
					h.Errorf("command, %s %.60q: %d %s", member, uri, a.status, a.body)
				}
				var plan operator.ClientPlan
				if h.admin("POST", "/client-apply", map[string]any{"clients": []any{metadata}, "make_secrets": true}, &plan); len(plan.Problems) != 1 || len(plan.Steps) != 0 {
					h.Errorf("file, %s %.60q: %+v", member, uri, plan)
				}
			}
		}
		if after := [2]int{h.rows("clients"), h.rows("journal")}; after != before {
			h.Errorf("a refused registration wrote rows: %v, %v", before, after)
		}
		if a := h.get(c.path, c.token()); !strings.Contains(a.body, `"redirect_uris":["https://shop.example.com/cb"]`) {
			h.Error(a.body)
		}
	}, registering)
}

func TestSchemesOfAppsAreForNativeClients(t *testing.T) {
	h := newHouse(t, registering)
	app := func(kind string) string {
		return fmt.Sprintf(`{"redirect_uris":["com.example.app:/cb"],"application_type":%q,"token_endpoint_auth_method":"none"}`, kind)
	}
	h.enrol(app("native"))
	h.refused(h.post("/clients", app("web"), h.initialToken(1)), 400, "invalid_redirect_uri")
}

// TestErrorOfAClientThatRegisteredItselfIsFollowedByThePersonAlone is RFC 9700 §4.11.2.
func TestErrorOfAClientThatRegisteredItselfIsFollowedByThePersonAlone(t *testing.T) {
	inEachHouse(t, func(h *house) {
		const there = "https://shop.example.com/cb?shop=1"
		c := h.enrol(`{"redirect_uris":["` + there + `"],"client_name":"The shop"}`)
		b := h.browser()
		wrong := []string{"redirect_uri", there, "scope", "admin"}
		f := b.get(authorizePath(c.ClientID, wrong...)).shows(200, "continue").form("continue")
		if b.left != "" || !strings.Contains(b.at.body, "shop.example.com") {
			h.Errorf("left to %q: %s", b.left, b.at.body)
		}
		want := url.Values{"shop": {"1"}, "error": {"invalid_scope"}, "state": {"a state"}, "iss": {h.Policy.Issuer}, "error_description": f.fields["error_description"]}
		if f.action != there || f.fields.Encode() != want.Encode() {
			h.Errorf("%+v", f)
		}
		f = b.get(authorizePath(c.ClientID, append(wrong, "response_mode", "form_post")...)).shows(200, "continue").form("continue")
		if f.action != there || f.fields.Get("error") != "invalid_scope" || strings.Contains(b.at.body, "<script") {
			h.Errorf("%+v: %s", f, b.at.body)
		}
		b.get(authorizePath(c.ClientID, "redirect_uri", there, "prompt", "none"))
		if !strings.Contains(b.left, "error=login_required") {
			h.Errorf("prompt=none: %q, %s", b.left, b.at.body)
		}
		h.webApp("vouched")
		if code := b.get(authorizePath("vouched", "scope", "admin")).answered(redirectURI).Get("error"); code != "invalid_scope" {
			h.Error(code)
		}
	}, registering)
}
