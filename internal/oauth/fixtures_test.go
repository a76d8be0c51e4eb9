package oauth

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/change"
)

// What the tests of this package are about: a server, two clients and a person.

var (
	noon       = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	secretKey  = []byte("the key under which client secrets are hashed")
	refreshKey = RefreshKey{ID: 3, Key: []byte("the key from which refresh tokens are derived")}
	policy     = Policy{
		Issuer: "https://id.example", AccessTokenTTL: 10 * time.Minute,
		RefreshGrace: 10 * time.Second, RefreshIdle: 14 * 24 * time.Hour, RefreshAbsolute: 90 * 24 * time.Hour,
	}
	drawn = Fresh{GrantID: "grt_ffeeddccbbaa99887766554433221100", Random: [16]byte{7: 7}, StatusIndex: 77, TokenSuffix: "suffix"}
)

const (
	rightSecret = "kws_right"
	appOrigin   = "https://app.example"
	api         = "https://api.example"
	otherAPI    = "https://other.example"
)

// app is a public client: a page in a browser.
func app() *Client {
	return &Client{
		ID: "app", Epoch: 5, ClientMetadata: change.ClientMetadata{
			Public: true, Grants: []string{RefreshTokenGrant}, Scopes: []string{"openid", "read", "write", "admin"},
			Audiences: []string{api, otherAPI}, Origins: []string{appOrigin},
		},
	}
}

func appCredentials() Credentials {
	return Credentials{ID: "app", Method: NoAuthentication, Origin: appOrigin}
}

// worker is a confidential client: a program on a server.
func worker() *Client {
	return &Client{
		ID: "worker", SecretHash: SecretHash(secretKey, rightSecret), Epoch: 6, ClientMetadata: change.ClientMetadata{
			Grants: []string{ClientCredentialsGrant, RefreshTokenGrant}, Scopes: []string{"read", "write", "admin"}, Audiences: []string{api, otherAPI},
		},
	}
}

func workerCredentials() Credentials {
	return Credentials{ID: "worker", Secret: rightSecret, Method: ClientSecretBasic}
}

func ada() *User { return &User{ID: "usr_ada", Epoch: 4} }

const globalEpoch = 8

// grantTo is what ada has granted to c: generation 5, a minute ago.
func grantTo(c *Client) *Grant {
	return &Grant{
		ID: "grt_00112233445566778899aabbccddeeff", Client: c.ID, User: ada().ID, Scope: []string{"read", "write"}, Audiences: []string{api, otherAPI},
		Random: [16]byte{1, 2, 3}, KeyID: refreshKey.ID, Generation: 5, CurrentSince: noon.Add(-time.Minute), CreatedAt: noon.Add(-time.Hour),
		ExpiresAt: noon.Add(time.Hour), AuthTime: noon.Add(-time.Hour), UserEpoch: ada().Epoch, ClientEpoch: c.Epoch, GlobalEpoch: globalEpoch,
	}
}

// factsOf are what a request of c about its own grant is decided on.
func factsOf(c *Client) RefreshFacts {
	return RefreshFacts{
		GrantFacts:     GrantFacts{Grant: grantTo(c), Client: c, User: ada(), GlobalEpoch: globalEpoch},
		Authenticating: c, SecretKey: secretKey, Key: refreshKey,
	}
}

// refusedWith checks the code of a refusal, and that its text may stand in an
// answer.
func refusedWith(t *testing.T, r *Refusal, code string) {
	t.Helper()
	if r == nil {
		t.Fatalf("not refused, want %s", code)
	}
	if r.Code != code {
		t.Errorf("refused with %s (%s), want %s", r.Code, r.Description, code)
	}
	if bad := forbidden(r.Description); bad != "" || r.Description == "" {
		t.Errorf("the description %q is empty or holds %s", r.Description, bad)
	}
}

// forbidden returns the first character that RFC 6749 §5.2 forbids in an
// error_description, or "".
func forbidden(description string) string {
	for _, c := range []byte(description) {
		if c != 0x20 && c != 0x21 && (c < 0x23 || c > 0x5b) && (c < 0x5d || c > 0x7e) {
			return fmt.Sprintf("%q", c)
		}
	}
	return ""
}

func equalStrings(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s is %q, want %q", what, got, want)
	}
}
