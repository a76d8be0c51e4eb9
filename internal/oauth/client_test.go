package oauth

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// registered is a client that may be registered, with every list filled.
func registered() Client {
	return Client{
		ID: "my-app_1.0~x", Grants: []string{ClientCredentialsGrant, RefreshTokenGrant}, Scopes: []string{"read", "urn:x:y"},
		Audiences: []string{api, "urn:example:api"}, Serves: []string{api}, RedirectURIs: []string{"https://app.example/cb", "com.example.app:/cb"},
		PostLogoutRedirectURIs: []string{"https://app.example/"}, Origins: []string{appOrigin, "http://localhost:4200"}, AccessTokenTTL: 5 * time.Minute,
	}
}

func TestAGoodClientMayBeRegistered(t *testing.T) {
	public := registered()
	public.Public, public.Grants = true, []string{RefreshTokenGrant}
	shortest, longest := registered(), registered()
	shortest.AccessTokenTTL, longest.AccessTokenTTL = MinAccessTokenTTL, MaxAccessTokenTTL
	for _, c := range []Client{registered(), public, shortest, longest, {ID: "a"}, {ID: strings.Repeat("a", 128)}, {ID: "usr"}, {ID: "directory"}} {
		if problem := ValidateRegistration(c); problem != "" {
			t.Errorf("%s: %s", c.ID, problem)
		}
	}
}

func TestABadRegistrationIsRefused(t *testing.T) {
	lists := map[string]func(*Client) *[]string{
		"grants":                    func(c *Client) *[]string { return &c.Grants },
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
		problem := ValidateRegistration(c)
		if problem == "" {
			t.Errorf("%s: accepted", name)
		}
		if len(problem) > 400 {
			t.Errorf("%s: the problem has %d bytes", name, len(problem))
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
	for _, id := range append(hostileTexts, "a b", "a/b", "a:b", "a%20b", "a@b", "usr_1", "USR_1", "Usr_", DirectClient, strings.Repeat("a", 129)) {
		refuses(fmt.Sprintf("id %.40q", id), func(c *Client) { c.ID = id })
	}
	for _, ttl := range []time.Duration{-1, 1, -time.Hour, MinAccessTokenTTL - 1, MaxAccessTokenTTL + 1} {
		refuses(ttl.String(), func(c *Client) { c.AccessTokenTTL = ttl })
	}
	for _, grant := range []string{"password", "implicit", "authorization_code", "CLIENT_CREDENTIALS", "client_credentials "} {
		refuses(grant, func(c *Client) { c.Grants = []string{grant} })
	}
	refuses("public with client_credentials", func(c *Client) { c.Public = true })
	for _, uri := range hostileRedirectURIs {
		refuses(fmt.Sprintf("redirect URI %.40q", uri), func(c *Client) { c.RedirectURIs = []string{uri} })
		refuses(fmt.Sprintf("post-logout redirect URI %.40q", uri), func(c *Client) { c.PostLogoutRedirectURIs = []string{uri} })
	}
}

// Lists are kept separated by spaces.
func TestNoMemberOfARegisteredListHoldsASpace(t *testing.T) {
	for _, space := range []string{" ", "\t", "\n", "\u00a0", "\u2003"} {
		for name, valid := range map[string]bool{
			"scope":        validScopeToken("a" + space + "b"),
			"audience":     validateResource("https://a"+space+"b") == "",
			"redirect URI": ValidateRedirectURI("https://a.example/"+space) == "",
			"origin":       ValidateOrigin("https://a"+space+"b") == "",
		} {
			if valid {
				t.Errorf("%s with %q is accepted", name, space)
			}
		}
	}
}
