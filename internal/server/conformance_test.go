package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/operator"
)

// The modules of the OpenID Foundation's conformance suite (gitlab.com/openid/conformance-suite),
// by their names, as far as they can be told without a person at the browser. spec/oidf.md
// has a row for each.

// A trial is one run of a module: a client as the plans want it, without PKCE,
// and somebody at a browser in which nobody is signed in yet.
type trial struct {
	*house
	*browser
	client operator.Client
	mode   string // response_mode of the plan; empty: the default
	email  string
}

// trials runs each module once, in a response mode.
func (h *house) trials(mode string, modules map[string]func(*trial)) {
	plain := func(c *operator.Client) { c.RequirePKCE, c.IDTokenAlg = new(false), "RS256" }
	for name, module := range modules {
		h.run(strings.TrimSuffix(name+" "+mode, " "), func(h *house) {
			email := fmt.Sprintf("ada%d@example.com", h.rows("users"))
			h.visitor(email).changeProfile("name", "Ada Lovelace", "phone", "+44 20 7946 0000", "address", "12 St James's Square")
			module(&trial{h, h.browser(), h.webApp(name+mode, confidential, plain), mode, email})
		})
	}
}

// request goes to the authorization endpoint of a client.
func (r *trial) request(c operator.Client, parameters ...string) string {
	return authorizePath(c.ID, append([]string{"response_mode", r.mode, "code_challenge", "", "code_challenge_method", ""}, parameters...)...)
}

// authorize lets the person do what they are asked to, and returns what came
// back to the client in the plan's mode.
func (r *trial) authorize(parameters ...string) url.Values {
	return r.answerTo(r.request(r.client, parameters...))
}

func (r *trial) answerTo(request string) url.Values {
	r.Helper()
	r.browser.get(request)
	if strings.Contains(r.at.body, `id="sign-in"`) {
		r.signInAs(r.email)
	}
	if strings.Contains(r.at.body, `id="allow"`) {
		r.press("allow")
	}
	if r.mode != "form_post" {
		return r.answered(redirectURI)
	}
	f := r.shows(200, "continue").form("continue")
	if f.action != redirectURI || f.fields.Get("iss") != r.Policy.Issuer {
		r.Errorf("%+v", f)
	}
	return f.fields
}

// redeemed exchanges the code of an answer, with client_secret_basic and no verifier.
func (r *trial) redeemed(c operator.Client, code string) answer {
	r.Helper()
	a := r.house.form("/token", []string{"grant_type", "authorization_code", "code", code, "redirect_uri", redirectURI}, basicOf(c))
	if a.header.Get("Cache-Control") != "no-store" {
		r.Error(a.header)
	}
	return a
}

// tokens asks for a code and redeems it.
func (r *trial) tokens(parameters ...string) answer {
	r.Helper()
	a := r.ok(r.redeemed(r.client, r.authorize(parameters...).Get("code")))
	header, claims := r.idToken(a)
	if header.Algorithm != "RS256" || header.KeyID == "" || claims["iss"] != r.Policy.Issuer || claims["aud"] != r.client.ID {
		r.Error(header, claims)
	}
	return a
}

// succeeds wants parameters to be no reason to fail.
func succeeds(parameters ...string) func(*trial) {
	return func(r *trial) { r.tokens(parameters...) }
}

// hasUserInfo wants exactly these claims for a scope.
func hasUserInfo(scope string, claims ...string) func(*trial) {
	return func(r *trial) {
		r.wantClaims(r.userInfo(r.house.get("/userinfo", bearerToken(r.tokens("scope", scope).member("access_token")))), claims...)
	}
}

func (r *trial) userInfo(a answer) (claims map[string]any) {
	r.Helper()
	if json.Unmarshal([]byte(r.ok(a).body), &claims); claims["sub"] == "" {
		r.Error(a)
	}
	return claims
}

// signsInAgain wants the person to be asked for their password a second time.
func signsInAgain(parameters ...string) func(*trial) {
	return func(r *trial) {
		_, first := r.idToken(r.tokens())
		r.clock.advance(2 * time.Second)
		r.browser.get(r.request(r.client, parameters...)).shows(200, "sign-in")
		_, second := r.idToken(r.tokens(parameters...))
		if second["auth_time"] != first["auth_time"].(float64)+2 || second["sub"] != first["sub"] {
			r.Error(first, second)
		}
	}
}

// staysSignedIn wants the person not to be asked again.
func staysSignedIn(parameters ...string) func(*trial) {
	return func(r *trial) {
		a := r.tokens()
		_, first := r.idToken(a)
		r.clock.advance(2 * time.Second)
		parameters := slices.Clone(parameters)
		if i := slices.Index(parameters, "id_token_hint"); i >= 0 {
			parameters[i+1] = a.member("id_token")
		}
		_, second := r.idToken(r.tokens(parameters...))
		if second["auth_time"] != first["auth_time"] || second["sub"] != first["sub"] {
			r.Error(first, second)
		}
	}
}

// isRefused wants an error, and the state with it.
func isRefused(code string, parameters ...string) func(*trial) {
	return func(r *trial) {
		if got := r.authorize(parameters...); got.Get("error") != code || got.Get("state") != "a state" || got.Has("code") {
			r.Error(got)
		}
	}
}

var everyScope = []string{
	"address", "email", "email_verified", "name", "phone_number", "phone_number_verified", "sub", "updated_at",
}

// basicModules are those of the Basic OP plan, and of the Form Post OP plan.
var basicModules = map[string]func(*trial){
	"oidcc-server":                func(r *trial) { r.userInfo(r.house.get("/userinfo", bearerToken(r.tokens().member("access_token")))) },
	"oidcc-response-type-missing": isRefused("invalid_request", "response_type", ""),
	"oidcc-idtoken-signature":     succeeds(),
	"oidcc-idtoken-unsigned":      notOffered("id_token_signing_alg_values_supported", "none"),
	"oidcc-userinfo-get":          hasUserInfo("openid", "sub"),
	"oidcc-userinfo-post-header": func(r *trial) {
		r.userInfo(r.house.send("POST", "/userinfo", "", bearerToken(r.tokens().member("access_token"))))
	},
	"oidcc-userinfo-post-body": func(r *trial) {
		r.userInfo(r.house.form("/userinfo", []string{"access_token", r.tokens().member("access_token")}))
	},
	"oidcc-ensure-request-without-nonce-succeeds-for-code-flow": func(r *trial) {
		if _, claims := r.idToken(r.tokens("nonce", "")); claims["nonce"] != nil {
			r.Error(claims)
		}
	},
	"oidcc-scope-profile":                                  hasUserInfo("openid profile", "name", "sub", "updated_at"),
	"oidcc-scope-email":                                    hasUserInfo("openid email", "email", "email_verified", "sub"),
	"oidcc-scope-address":                                  hasUserInfo("openid address", "address", "sub"),
	"oidcc-scope-phone":                                    hasUserInfo("openid phone", "phone_number", "phone_number_verified", "sub"),
	"oidcc-scope-all":                                      hasUserInfo("openid profile email address phone", everyScope...),
	"oidcc-ensure-other-scope-order-succeeds":              hasUserInfo("email openid", "email", "email_verified", "sub"),
	"oidcc-display-page":                                   succeeds("display", "page"),
	"oidcc-display-popup":                                  succeeds("display", "popup"),
	"oidcc-prompt-login":                                   signsInAgain("prompt", "login"),
	"oidcc-prompt-none-not-logged-in":                      isRefused("login_required", "prompt", "none"),
	"oidcc-prompt-none-logged-in":                          staysSignedIn("prompt", "none"),
	"oidcc-max-age-1":                                      signsInAgain("max_age", "1"),
	"oidcc-max-age-10000":                                  staysSignedIn("max_age", "10000"),
	"oidcc-ensure-request-with-unknown-parameter-succeeds": succeeds("extra", "foobar"),
	"oidcc-id-token-hint":                                  staysSignedIn("prompt", "none", "id_token_hint", "of the first time"),
	"oidcc-login-hint":                                     succeeds("login_hint", "buffy@id.example.com"),
	"oidcc-ui-locales":                                     succeeds("ui_locales", "se"),
	"oidcc-claims-locales":                                 succeeds("claims_locales", "se"),
	"oidcc-ensure-request-with-acr-values-succeeds": func(r *trial) {
		if _, claims := r.idToken(r.tokens("acr_values", "urn:keywright:acr:password")); claims["acr"] != "urn:keywright:acr:password" {
			r.Error(claims)
		}
	},
	"oidcc-codereuse":           codeAgainAfter(0),
	"oidcc-codereuse-30seconds": codeAgainAfter(30 * time.Second),
	"oidcc-ensure-registered-redirect-uri": func(r *trial) {
		r.browser.get(r.request(r.client, "redirect_uri", redirectURI+"/unregistered")).fails(400, "redirect_mismatch")
	},
	"oidcc-ensure-post-request-succeeds": func(r *trial) {
		_, query, _ := strings.Cut(r.request(r.client), "?")
		r.browser.send("POST", "/authorize", query, fromElsewhere).shows(200, "sign-in")
		r.tokens()
	},
	"oidcc-server-client-secret-post": func(r *trial) {
		code := r.authorize().Get("code")
		r.ok(r.house.form("/token", []string{
			"grant_type", "authorization_code", "code", code, "redirect_uri", redirectURI, "client_id", r.client.ID, "client_secret", r.client.Secret,
		}))
	},
	"oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported":    isRefused("request_uri_not_supported", "request_uri", "https://app.example.com/request.jwt"),
	"oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported": isRefused("request_not_supported", "request", "eyJhbGciOiJub25lIn0.e30."),
	"oidcc-claims-essential": func(r *trial) {
		a := r.tokens("scope", "openid", "claims", `{"userinfo":{"name":{"essential":true}}}`)
		info := r.userInfo(r.house.get("/userinfo", bearerToken(a.member("access_token"))))
		if _, claims := r.idToken(a); info["name"] != "Ada Lovelace" || claims["name"] != nil {
			r.Error(info, claims)
		}
	},
	"oidcc-ensure-request-object-with-redirect-uri": notOffered("request_object_signing_alg_values_supported", "none"),
	"oidcc-refresh-token":                           refreshTokenIsBoundToItsClient,
	"oidcc-ensure-request-with-valid-pkce-succeeds": func(r *trial) {
		code := r.authorize("code_challenge", challengeOf(verifier), "code_challenge_method", "S256").Get("code")
		r.ok(r.house.form("/token", []string{
			"grant_type", "authorization_code", "code", code, "redirect_uri", redirectURI, "code_verifier", verifier,
		}, basicOf(r.client)))
	},
}

// notOffered is how a server says that a module does not concern it.
func notOffered(member, value string) func(*trial) {
	return func(r *trial) {
		if offered, _ := r.discovered()[member].([]any); slices.Contains(offered, any(value)) {
			r.Error(offered)
		}
	}
}

func (h *house) discovered() (m map[string]any) {
	h.Helper()
	a := h.ok(h.get("/.well-known/openid-configuration"))
	if err := json.Unmarshal([]byte(a.body), &m); err != nil || a.header.Get("Content-Type") != "application/json" {
		h.Fatal(err, a.header)
	}
	return m
}

func codeAgainAfter(pause time.Duration) func(*trial) {
	return func(r *trial) {
		code := r.authorize().Get("code")
		first := r.ok(r.redeemed(r.client, code))
		r.clock.advance(pause)
		r.refused(r.redeemed(r.client, code), http.StatusBadRequest, "invalid_grant")
		if r.holds(first) {
			r.Error("what the code was redeemed for lives on")
		}
	}
}

func refreshTokenIsBoundToItsClient(r *trial) {
	a := r.tokens()
	other := r.webApp(r.client.ID+"-2", confidential)
	asking := []string{"grant_type", "refresh_token", "refresh_token", a.member("refresh_token"), "scope", "openid profile email"}
	r.clock.advance(time.Second)
	refreshed := r.ok(r.house.form("/token", asking, basicOf(r.client)))
	_, first := r.idToken(a)
	_, second := r.idToken(refreshed)
	for _, same := range []string{"iss", "sub", "aud", "auth_time", "azp"} {
		if second[same] != first[same] {
			r.Error(same, first, second)
		}
	}
	if second["iat"] == first["iat"] || refreshed.member("access_token") == a.member("access_token") || !r.holds(refreshed) {
		r.Error(first, second)
	}
	asking[3] = refreshed.member("refresh_token")
	r.refused(r.house.form("/token", asking, basicOf(other)), http.StatusBadRequest, "invalid_grant")
	r.ok(r.house.form("/token", asking, basicOf(r.client)))
}

func TestBasicOPModules(t *testing.T) {
	inEachHouse(t, func(h *house) { h.trials("", basicModules) })
}

func TestFormPostOPModules(t *testing.T) {
	inEachHouse(t, func(h *house) { h.trials("form_post", basicModules) })
}

// logoutModules are those of the RP-Initiated Logout OP plan.
var logoutModules = map[string]func(*trial){
	"oidcc-rp-initiated-logout":                                         leavesTo(postLogoutURI+"?state=s", "id_token_hint", "own", "post_logout_redirect_uri", postLogoutURI, "state", "s"),
	"oidcc-rp-initiated-logout-no-state":                                leavesTo(postLogoutURI, "id_token_hint", "own", "post_logout_redirect_uri", postLogoutURI),
	"oidcc-rp-initiated-logout-no-post-logout-redirect-uri":             leavesTo("", "id_token_hint", "own", "state", "s"),
	"oidcc-rp-initiated-logout-no-params":                               asksFirst(),
	"oidcc-rp-initiated-logout-only-state":                              asksFirst("state", "s"),
	"oidcc-rp-initiated-logout-no-id-token-hint":                        leadsNowhere("post_logout_redirect_uri", postLogoutURI, "state", "s"),
	"oidcc-rp-initiated-logout-bad-post-logout-redirect-uri":            leadsNowhere("id_token_hint", "own", "post_logout_redirect_uri", "https://app.example.com/unregistered"),
	"oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri": leadsNowhere("id_token_hint", "own", "post_logout_redirect_uri", postLogoutURI+"?foo=bar"),
	"oidcc-rp-initiated-logout-modified-id-token-hint":                  leadsNowhere("id_token_hint", "unsigned", "post_logout_redirect_uri", postLogoutURI),
	"oidcc-rp-initiated-logout-bad-id-token-hint":                       leadsNowhere("id_token_hint", "bad", "post_logout_redirect_uri", postLogoutURI),
}

// leave signs the person in and goes to the end session endpoint.
func (r *trial) leave(parameters []string) {
	r.Helper()
	parameters = slices.Clone(parameters)
	token := r.tokens().member("id_token")
	if i := slices.Index(parameters, "id_token_hint"); i >= 0 {
		f := newForger(r.house, token)
		parameters[i+1] = map[string]string{
			"own": token, "unsigned": f.input(map[string]any{"alg": "none"}) + ".", "bad": f.selfSigned(nil),
		}[parameters[i+1]]
	}
	r.browser.get(leaving(parameters...))
}

// isOut wants nobody to be signed in.
func (r *trial) isOut() {
	r.Helper()
	isRefused("login_required", "prompt", "none")(r)
}

func leavesTo(address string, parameters ...string) func(*trial) {
	return func(r *trial) {
		if r.leave(parameters); r.left != address {
			r.Errorf("%d, left to %q, want %q", r.at.status, r.left, address)
		}
		r.isOut()
	}
}

func asksFirst(parameters ...string) func(*trial) {
	return func(r *trial) {
		r.leave(parameters)
		r.shows(200, "sign-out").press("sign-out").says("You are signed out")
		r.isOut()
	}
}

func leadsNowhere(parameters ...string) func(*trial) {
	return func(r *trial) {
		if r.leave(parameters); r.left != "" || r.at.status != http.StatusBadRequest {
			r.Error(r.at.status, r.left)
		}
	}
}

func TestRPInitiatedLogoutOPModules(t *testing.T) {
	inEachHouse(t, func(h *house) { h.trials("", logoutModules) })
}

// TestDiscoveryModules holds the metadata to what the Config OP plan and the
// three of logout read of it.
func TestDiscoveryModules(t *testing.T) {
	h := newHouse(t)
	m := h.discovered()
	for member, needed := range map[string][]string{
		"scopes_supported": {"openid"}, "response_types_supported": {"code"}, "grant_types_supported": {"authorization_code", "refresh_token"},
		"subject_types_supported": {"public"}, "id_token_signing_alg_values_supported": {"RS256"}, "code_challenge_methods_supported": {"S256"},
		"token_endpoint_auth_methods_supported": {"client_secret_basic", "client_secret_post"}, "claims_supported": {"sub", "name", "email"},
		"ui_locales_supported": {"en", "de"}, "response_modes_supported": {"query", "form_post"},
	} {
		offered, _ := m[member].([]any)
		for _, value := range needed {
			if !slices.Contains(offered, any(value)) {
				h.Errorf("%s is %v, without %s", member, offered, value)
			}
		}
	}
	for _, member := range []string{"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "end_session_endpoint", "revocation_endpoint"} {
		if at, _ := m[member].(string); !strings.HasPrefix(at, h.Policy.Issuer+"/") {
			h.Errorf("%s is %q", member, at)
		}
	}
	for member, want := range map[string]any{
		"issuer": h.Policy.Issuer, "claims_parameter_supported": true, "request_parameter_supported": false, "request_uri_parameter_supported": false,
		"backchannel_logout_supported": true, "backchannel_logout_session_supported": true,
		"frontchannel_logout_supported": true, "frontchannel_logout_session_supported": true,
	} {
		if m[member] != want {
			h.Errorf("%s is %v, want %v", member, m[member], want)
		}
	}
	if keys := h.ok(h.get("/jwks")).body; strings.Contains(keys, `"d"`) || strings.Contains(keys, `"k"`) || !strings.Contains(keys, `"kid"`) {
		h.Error(keys)
	}
}
