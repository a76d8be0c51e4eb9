package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/operator"
)

// injections are what somebody would like a page to run, show or load. The first
// is what it should look like.
var injections = []string{
	"plain text",
	`<script>alert(1)</script>`, `"><script>alert(1)</script>`, `'><script>alert(1)</script>`, `</script><script>alert(1)</script>`, `<img src=x onerror=alert(1)>`,
	`"><img src=x onerror=alert(1)>`, `<svg onload=alert(1)>`, `<svg/onload=alert(1)//`, `" onmouseover="alert(1)`, `' onmouseover='alert(1)`, "` onmouseover=alert(1) x=`",
	`" autofocus onfocus=alert(1) x="`, `javascript:alert(1)`, `data:text/html,<script>alert(1)</script>`, `</title><script>alert(1)</script>`, `</textarea><script>alert(1)</script>`,
	`</style><script>alert(1)</script>`, `--><script>alert(1)</script>`, `<!--`, `<![CDATA[<script>`, `<iframe src=//evil.example>`, `<form action=//evil.example><button>x`,
	`<base href=//evil.example>`, `<meta http-equiv=refresh content=0;url=//evil.example>`, `<a href="//evil.example">click</a>`, `{{.}}`, `${alert(1)}`, `%3Cscript%3Ealert(1)%3C/script%3E`,
	`&lt;script&gt;alert(1)`, `&#60;script&#62;`, `\u003cscript\u003e`, `\"><script>`, `+ADw-script+AD4-`, `'; alert(1); //`, `"/><input name="flow" value="x`, `<scr<script>ipt>alert(1)`, `</p></main><h1>`,
}

var tagText = regexp.MustCompile(`<[^>]*>`)
var quotedText = regexp.MustCompile(`"[^"]*"`)

// skeleton is a page's elements and their attributes' names, without its texts.
func skeleton(page string) string {
	return strings.Join(tagText.FindAllString(quotedText.ReplaceAllString(page, `""`), -1), "")
}

// TestWhatPeopleAndAppsWriteIsText is class 17 for each field that a page shows:
// none adds an element or attribute, or changes what the page may load. (What
// browsers make of the pages, a test with browsers says.)
func TestWhatPeopleAndAppsWriteIsText(t *testing.T) {
	for _, change := range []func(*Config){registering, func(c *Config) { asDev(c); registering(c); c.DirectOrigins = []string{appOrigin} }} {
		h := newHouse(t, change)
		h.registered("ada@example.com")
		h.webApp("app")
		itself := map[string]string{} // clients that registered themselves, by name
		named := func(text string) string {
			if itself[text] == "" {
				a := h.post("/clients", string(mustJSON(map[string]any{"redirect_uris": []string{redirectURI}, "client_name": text, "token_endpoint_auth_method": "none"})), h.initialToken(1))
				itself[text] = a.member("client_id")
			}
			return itself[text]
		}
		ada := h.browser()
		ada.codeFor("app")
		signUp := h.browser().get("/sign-up")
		fields := map[string]func(text string) *browser{
			"the client's name at sign-in": func(text string) *browser { return h.browser().get(authorizePath(named(text))) },
			"the client's name at sign-up": func(text string) *browser {
				b := h.browser().get(authorizePath(named(text)))
				return b.post("/sign-up", "flow", b.form("sign-in").fields.Get("flow"), "action", "show")
			},
			"the client's name at consent": func(text string) *browser { return ada.get(authorizePath(named(text))) },
			"the client's name at the choice of an account": func(text string) *browser {
				h.clock.advance(time.Millisecond)
				return ada.get(authorizePath(named(text), "prompt", "select_account"))
			},
			"the client's name at sign-out": func(text string) *browser { return ada.get("/end_session?client_id=" + named(text)) },
			"the person's name": func(text string) *browser {
				return ada.post("/account/profile", "token", ada.get("/account").form("save-profile").fields.Get("token"), "name", text)
			},
			"the person's address": func(text string) *browser {
				return ada.post("/account/profile", "token", ada.get("/account").form("save-profile").fields.Get("token"), "name", "Ada", "address", text)
			},
			"a form that is wrong": func(text string) *browser {
				return signUp.post("/sign-up", "flow", signUp.form("sign-up").fields.Get("flow"), "name", text, "email", text, "password", "short")
			},
			"state": func(text string) *browser {
				return ada.get(authorizePath("app", "response_mode", "form_post", "state", text))
			},
			"login_hint":          func(text string) *browser { return h.browser().get(authorizePath("app", "login_hint", text)) },
			"ui_locales":          func(text string) *browser { return h.browser().get(authorizePath("app", "ui_locales", text)) },
			"an unknown client":   func(text string) *browser { return ada.get(authorizePath(text)) },
			"an unknown redirect": func(text string) *browser { return ada.get(authorizePath("app", "redirect_uri", "https://"+text)) },
			"an unknown way back": func(text string) *browser {
				return ada.get("/end_session?client_id=app&post_logout_redirect_uri=" + url.QueryEscape(text))
			},
			"an unknown action": func(text string) *browser { return ada.post("/consent", "action", text) },
			"an unknown API": func(text string) *browser {
				return ada.get(authorizePath("app", "resource", text, "response_mode", "form_post"))
			},
			"a language of a browser": func(text string) *browser { return h.browser().get("/sign-in", header("Accept-Language", text)) },
			"a browser's name": func(text string) *browser {
				return h.browser().get("/sign-in").send("POST", "/sign-in", encode([]string{"x", text}), header("User-Agent", text+" Firefox/1"))
			},
		}
		for field, show := range fields {
			if h.Dev != nil && !strings.HasPrefix(field, "an unknown") {
				continue // dev adds details to failures alone
			}
			var want, csp string
			for i, text := range injections {
				b := show(text)
				if i == 0 {
					want, csp = skeleton(b.at.body), b.at.header.Get("Content-Security-Policy")
				}
				if got := skeleton(b.at.body); got != want && !(strings.HasPrefix(field, "an unknown redirect") && sameFailure(want, got)) {
					t.Errorf("%s: %q changes the page of %d from\n%s to\n%s", field, text, b.at.status, want, got)
				}
				if got := b.at.header.Get("Content-Security-Policy"); got != csp {
					t.Errorf("%s: %q changes %s to %s", field, text, csp, got)
				}
			}
		}
		if slices.Contains(mapsValues(itself), "") || h.Dev == nil && len(itself) != len(injections) {
			t.Errorf("clients that registered themselves: %v", itself)
		}
		if strings.Contains(ada.get("/dev/flows").at.body, "<script>alert") {
			t.Error("the flows of dev show an injection")
		}
	}
}

// sameFailure says whether two failure pages differ only in what they mark of an address.
func sameFailure(a, b string) bool {
	unmarked := strings.NewReplacer("<mark>", "", "</mark>", "", "<br>", "", "<code>", "", "</code>", "")
	return unmarked.Replace(a) == unmarked.Replace(b)
}

func mapsValues(m map[string]string) (values []string) {
	for _, v := range m {
		values = append(values, v)
	}
	return values
}

// TestClaimsAreTheServersOwn is class 26: nothing that a client asks for, or a
// person says about themselves, stands in for what the server knows.
func TestClaimsAreTheServersOwn(t *testing.T) {
	h := newHouse(t)
	h.registered("ada@example.com")
	app := h.webApp("app")
	b := h.browser()
	b.get("/sign-in").signInAs("ada@example.com").press("save-profile", "name", `Ada","sub":"usr_eve","email_verified":true,"x":"`, "address", "x").shows(200, "save-profile")
	asked := map[string]any{}
	for _, name := range []string{"iss", "aud", "exp", "iat", "auth_time", "nonce", "azp", "amr", "sid", "at_hash", "cnf", "scope", "client_id", "jti", "role", "email", "email_verified", "name"} {
		asked[name] = map[string]any{"value": "evil", "values": []any{"evil", true, 1}}
	}
	asked["exp"], asked["email_verified"] = map[string]any{"value": 9999999999}, map[string]any{"value": true, "essential": true}
	claims := string(mustJSON(map[string]any{"id_token": asked, "userinfo": asked}))
	tokens := h.ok(h.redeem(app, b.codeFor("app", "claims", claims)))
	id := newForger(t, tokens.member("id_token")).claims
	user, _ := h.DB.Read(context.Background()).UserByEmail("ada@example.com")
	now := float64(h.clock.now().Unix())
	for name, want := range map[string]any{
		"iss": h.Policy.Issuer, "aud": "app", "sub": user.ID, "nonce": "a nonce", "iat": now, "exp": now + 3600, "auth_time": now, "email_verified": false, "email": "ada@example.com", "name": user.Name,
	} {
		if got := id[name]; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	for _, name := range []string{"azp", "cnf", "scope", "client_id", "role"} {
		if id[name] != nil {
			t.Errorf("%s is %v", name, id[name])
		}
	}
	var info map[string]any
	if err := json.Unmarshal([]byte(h.get("/userinfo", bearerToken(tokens.member("access_token"))).body), &info); err != nil || info["sub"] != user.ID || info["email_verified"] != false || info["iss"] != nil || info["role"] != nil {
		t.Error(info, err)
	}
	access := mustVerify(h, tokens.member("access_token"))
	if access.Subject != user.ID || access.ClientID != "app" || access.Audience != h.Policy.Issuer {
		t.Errorf("%+v", access)
	}
	// The one who is asked for by sub gets nobody else's tokens.
	h.clock.advance(time.Millisecond)
	b.get(authorizePath("app", "claims", `{"id_token":{"sub":{"value":"usr_eve"}}}`, "prompt", "none"))
	if b.answered(redirectURI).Get("error") != "login_required" {
		t.Error(b.left)
	}
}

// innerAddresses are this machine, in other words.
func innerAddresses(port string) (urls []string) {
	for _, host := range []string{
		"127.0.0.1", "localhost", "localhost.", "LOCALHOST", "app.localhost", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0", "0.0.0.0", "[::]", "127.1", "0x7f000001", "2130706433",
		"0177.0.0.1", "127.0.0.1.", "user@127.0.0.1", "evil.example@127.0.0.1", "127.0.0.1#@evil.example",
	} {
		urls = append(urls, "https://"+host+":"+port+"/x", "http://"+host+":"+port+"/x")
	}
	return append(urls, "gopher://127.0.0.1:"+port+"/x", "file:///etc/passwd", "//127.0.0.1:"+port+"/x", "https:127.0.0.1:"+port)
}

// TestNothingInsideIsCalled is class 16 as the endpoints offer it: whatever a
// client says about itself or sends, nobody inside hears of it. What connects at
// all has tests of its own in package outbound.
func TestNothingInsideIsCalled(t *testing.T) {
	var calls atomic.Int64
	var ports []string
	for _, network := range []string{"tcp4", "tcp6"} {
		listener, err := net.Listen(network, map[string]string{"tcp4": "127.0.0.1:0", "tcp6": "[::1]:0"}[network])
		if err != nil {
			continue // no IPv6 here
		}
		defer listener.Close()
		go func() {
			for {
				c, err := listener.Accept()
				if err != nil {
					return
				}
				calls.Add(1)
				c.Close()
			}
		}()
		_, port, _ := net.SplitHostPort(listener.Addr().String())
		ports = append(ports, port)
	}
	h := newHouse(t, registering)
	h.registered("ada@example.com")
	forged := newForger(t, h.login("ada@example.com", rightPassword).member("token")).selfSigned(map[string]any{"alg": "ES256", "kid": "x", "typ": "JWT"})
	h.webApp("plain")
	b := h.browser()
	b.get("/sign-in").signInAs("ada@example.com")
	registered := 0
	for _, inside := range slices.Concat(innerAddresses(ports[0]), innerAddresses(ports[len(ports)-1])) {
		b.get(authorizePath("plain", "request_uri", inside))
		for i, members := range []map[string]any{
			{"jwks_uri": inside, "token_endpoint_auth_method": "private_key_jwt"}, {"backchannel_logout_uri": inside, "token_endpoint_auth_method": "none"},
			{"logo_uri": inside, "client_uri": inside, "policy_uri": inside, "tos_uri": inside, "initiate_login_uri": inside}, {"sector_identifier_uri": inside}, {"request_uris": []string{inside}},
		} {
			members["redirect_uris"] = []string{redirectURI}
			a := h.post("/clients", string(mustJSON(members)), h.initialToken(1))
			id := a.member("client_id")
			if a.status != 201 || id == "" {
				continue
			}
			registered++
			switch i {
			case 0:
				answer := h.form("/token", []string{"grant_type", "authorization_code", "code", "x", "client_id", id, "client_assertion_type", assertionType, "client_assertion", forged})
				h.refused(answer, 401, "invalid_client")
				if strings.Contains(answer.body, "127.0.0.1") || strings.Contains(answer.body, "refused") {
					t.Errorf("what came of a call is told: %s", answer.body)
				}
			case 1:
				h.ok(h.redeem(operator.Client{ID: id}, b.get(authorizePath(id)).press("allow").answered(redirectURI).Get("code")))
			}
		}
	}
	b.get("/sign-out").press("sign-out")
	if err := h.tellAll(context.Background()); err != nil {
		t.Fatal(err)
	}
	if h.rows("logouts") == 0 || registered < 50 {
		t.Errorf("nothing was tried: %d clients, %d logouts", registered, h.rows("logouts"))
	}
	if calls.Load() != 0 {
		t.Errorf("%d connections", calls.Load())
	}
}
