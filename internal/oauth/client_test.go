package oauth

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/change"
)

// registered is a client that may be registered, with everything filled in.
func registered() Client {
	return Client{ID: "my-app_1.0~x", ClientMetadata: change.ClientMetadata{
		Name: "Käthe's Bücher 書店", Native: true, AuthMethod: "private_key_jwt", JWKSURI: "https://app.example/jwks", ResponseModes: []string{"query", "form_post"},
		Grants: []string{AuthorizationCodeGrant, ClientCredentialsGrant, RefreshTokenGrant}, Scopes: []string{"read", "urn:x:y"},
		Audiences: []string{api, "urn:example:api"}, Serves: []string{api}, RedirectURIs: []string{"https://app.example/cb", "com.example.app:/cb"},
		PostLogoutRedirectURIs: []string{"https://app.example/"}, Origins: []string{appOrigin, "http://localhost:4200"}, AccessTokenTTL: 5 * time.Minute,
		BackchannelLogoutURI: "https://app.example/backchannel", FrontchannelLogoutURI: "https://app.example:443/frontchannel?x=1",
		IDTokenAlg: "EdDSA", UserInfoAlg: "RS256", PKCEOptional: true, Trusted: true, RegisteredBy: ByOperator,
	}}
}

func problemOf(c Client) string {
	if r := ValidateRegistration(&c); r != nil {
		return r.Description
	}
	return ""
}

func TestAGoodClientMayBeRegistered(t *testing.T) {
	for name, alter := range map[string]func(*Client){
		"whole": func(*Client) {},
		"public": func(c *Client) {
			c.Public, c.PKCEOptional, c.AuthMethod, c.Grants = true, false, "none", []string{RefreshTokenGrant}
		},
		"public as commands say it": func(c *Client) { *c = Client{ID: "a"}; c.Public = true },
		"shortest tokens":           func(c *Client) { c.AccessTokenTTL = MinAccessTokenTTL },
		"longest tokens":            func(c *Client) { c.AccessTokenTTL = MaxAccessTokenTTL },
		"an id alone":               func(c *Client) { *c = Client{ID: "a"} },
		"the longest id":            func(c *Client) { c.ID = strings.Repeat("a", 128) },
		"usr":                       func(c *Client) { c.ID = "usr" },
		"directory":                 func(c *Client) { c.ID = "directory" },
		"keys of its own":           func(c *Client) { c.JWKS, c.JWKSURI = `{"keys":[]}`, "" },
		"keys and a secret":         func(c *Client) { c.AuthMethod = "client_secret_post" },
		"the longest name":          func(c *Client) { c.Name = strings.Repeat("書", 100) },
		"logout on this machine":    func(c *Client) { c.BackchannelLogoutURI = "http://localhost:4200/logout" },
		"no redirect URI": func(c *Client) {
			c.RedirectURIs, c.FrontchannelLogoutURI, c.Grants = nil, "", []string{RefreshTokenGrant}
		},
	} {
		c := registered()
		alter(&c)
		if problem := problemOf(c); problem != "" {
			t.Errorf("%s: %s", name, problem)
		}
	}
}

func TestABadRegistrationIsRefused(t *testing.T) {
	lists := map[string]func(*Client) *[]string{
		"grants":                    func(c *Client) *[]string { return &c.Grants },
		"response_modes":            func(c *Client) *[]string { return &c.ResponseModes },
		"scopes":                    func(c *Client) *[]string { return &c.Scopes },
		"audiences":                 func(c *Client) *[]string { return &c.Audiences },
		"serves":                    func(c *Client) *[]string { return &c.Serves },
		"redirect_uris":             func(c *Client) *[]string { return &c.RedirectURIs },
		"post_logout_redirect_uris": func(c *Client) *[]string { return &c.PostLogoutRedirectURIs },
		"origins":                   func(c *Client) *[]string { return &c.Origins },
	}
	refuses := func(name string, alter func(*Client)) {
		t.Helper()
		c := registered()
		alter(&c)
		problem := problemOf(c)
		if problem == "" {
			t.Errorf("%s: accepted", name)
		}
		if bad := forbidden(problem); bad != "" || len(problem) > 400 {
			t.Errorf("%s: the problem has %d bytes, or holds %s", name, len(problem), bad)
		}
	}
	for name, list := range lists {
		for _, text := range append(hostileTexts, "two words", "a\u00a0b", "*") {
			if name == "scopes" && (text == "'" || text == "*" || text == "%00%0d%0a" || text == "<script>alert(1)</script>") {
				continue // RFC 6749 §3.3 allows these
			}
			refuses(fmt.Sprintf("%s with %.40q", name, text), func(c *Client) { *list(c) = append(*list(c), text) })
		}
		refuses(name+" too long", func(c *Client) { *list(c) = make([]string, 10_000) })
		refuses(name+" with 65 members", func(c *Client) {
			for len(*list(c)) < 65 {
				*list(c) = append(*list(c), (*list(c))[0])
			}
		})
	}
	for _, id := range append(hostileTexts, "", "a b", "a/b", "a:b", "a%20b", "a@b", "usr_1", "USR_1", "Usr_", DirectClient, strings.Repeat("a", 129)) {
		refuses(fmt.Sprintf("id %.40q", id), func(c *Client) { c.ID = id })
	}
	for _, ttl := range []time.Duration{-1, 1, -time.Hour, MinAccessTokenTTL - 1, MaxAccessTokenTTL + 1} {
		refuses(ttl.String(), func(c *Client) { c.AccessTokenTTL = ttl })
	}
	for _, name := range []string{" ", "\u00a0", "a\nb", "a\tb", "a\x00", "a\x7f", "a\u0085", "a\u202egnp.exe", "\u2066a", "a\u200fb", "a\u200bb", "a\u2028b", "\xff", strings.Repeat("a", 101)} {
		refuses(fmt.Sprintf("name %.40q", name), func(c *Client) { c.Name = name })
	}
	for _, uri := range hostileRedirectURIs {
		refuses(fmt.Sprintf("redirect URI %.40q", uri), func(c *Client) { c.RedirectURIs = []string{uri} })
		refuses(fmt.Sprintf("post-logout redirect URI %.40q", uri), func(c *Client) { c.PostLogoutRedirectURIs = []string{uri} })
		if uri == "" {
			continue // none
		}
		refuses(fmt.Sprintf("jwks_uri %.40q", uri), func(c *Client) { c.JWKSURI = uri })
		refuses(fmt.Sprintf("back-channel URI %.40q", uri), func(c *Client) { c.BackchannelLogoutURI = uri })
		refuses(fmt.Sprintf("front-channel URI %.40q", uri), func(c *Client) { c.FrontchannelLogoutURI = uri })
	}
	for name, alter := range map[string]func(*Client){
		"public with client_credentials":      func(c *Client) { c.Public, c.PKCEOptional, c.AuthMethod = true, false, "none" },
		"public with a secret":                func(c *Client) { *c = Client{ID: "a"}; c.Public, c.AuthMethod = true, "client_secret_basic" },
		"public without PKCE":                 func(c *Client) { *c = Client{ID: "a"}; c.Public, c.PKCEOptional = true, true },
		"confidential by none":                func(c *Client) { c.AuthMethod = "none" },
		"client_secret_jwt":                   func(c *Client) { c.AuthMethod = "client_secret_jwt" },
		"tls_client_auth":                     func(c *Client) { c.AuthMethod = "tls_client_auth" },
		"private_key_jwt without keys":        func(c *Client) { c.JWKSURI = "" },
		"two places of keys":                  func(c *Client) { c.JWKS = `{"keys":[]}` },
		"a large key set":                     func(c *Client) { c.JWKS, c.JWKSURI = strings.Repeat(" ", 16<<10+1), "" },
		"jwks_uri by http":                    func(c *Client) { c.JWKSURI = "http://localhost/jwks" },
		"jwks_uri of an app":                  func(c *Client) { c.JWKSURI = "com.example.app:/jwks" },
		"back-channel URI of an app":          func(c *Client) { c.BackchannelLogoutURI = "com.example.app:/logout" },
		"front-channel URI on another host":   func(c *Client) { c.FrontchannelLogoutURI = "https://other.example/logout" },
		"front-channel URI on a subdomain":    func(c *Client) { c.FrontchannelLogoutURI = "https://a.app.example/logout" },
		"front-channel URI on another port":   func(c *Client) { c.FrontchannelLogoutURI = "https://app.example:8443/logout" },
		"front-channel URI by another scheme": func(c *Client) { c.FrontchannelLogoutURI = "http://app.example/logout" },
		"a code grant without redirect URI":   func(c *Client) { c.RedirectURIs, c.FrontchannelLogoutURI = nil, "" },
		"a web client with a scheme":          func(c *Client) { c.Native = false },
		"a web client back by a scheme": func(c *Client) {
			c.Native, c.RedirectURIs = false, c.RedirectURIs[:1]
			c.PostLogoutRedirectURIs = []string{"com.example.app:/bye"}
		},
		"an ID token without signature":        func(c *Client) { c.IDTokenAlg = "none" },
		"an ID token with a secret":            func(c *Client) { c.IDTokenAlg = "HS256" },
		"UserInfo without signature":           func(c *Client) { c.UserInfoAlg = "none" },
		"algorithms have a case":               func(c *Client) { c.IDTokenAlg = "es256" },
		"tokens in fragments":                  func(c *Client) { c.ResponseModes = []string{"fragment"} },
		"response modes that nobody can check": func(c *Client) { c.ResponseModes = []string{"web_message"} },
	} {
		refuses(name, alter)
	}
	for _, grant := range []string{"password", "implicit", "CLIENT_CREDENTIALS", "client_credentials ", "urn:ietf:params:oauth:grant-type:jwt-bearer"} {
		refuses(grant, func(c *Client) { c.Grants = []string{grant} })
	}
}

func TestARefusalSaysWhetherItIsAboutARedirectURI(t *testing.T) {
	c := registered()
	c.PostLogoutRedirectURIs = []string{"javascript:alert(1)"}
	refusedWith(t, ValidateRegistration(&c), InvalidRedirectURI)
	c = registered()
	c.BackchannelLogoutURI = "javascript:alert(1)"
	refusedWith(t, ValidateRegistration(&c), InvalidClientMetadata)
}

func TestAClientIsShownByItsNameOrItsID(t *testing.T) {
	c := registered()
	if got := c.Title(); got != c.Name {
		t.Error(got)
	}
	c.Name = ""
	if got := c.Title(); got != c.ID {
		t.Error(got)
	}
}

// Lists are kept separated by spaces.
func TestNoMemberOfARegisteredListHoldsASpace(t *testing.T) {
	for _, space := range []string{" ", "\t", "\n", "\u00a0", "\u2003"} {
		for name, valid := range map[string]bool{
			"scope":        validScopeToken("a" + space + "b"),
			"audience":     validateResource("https://a"+space+"b") == "",
			"redirect URI": validateWebURI("https://a.example/"+space) == "",
			"origin":       ValidateOrigin("https://a"+space+"b") == "",
		} {
			if valid {
				t.Errorf("%s with %q is accepted", name, space)
			}
		}
	}
}
