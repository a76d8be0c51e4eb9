package oauth

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/change"
)

func membersOf(t testing.TB, text string) map[string]json.RawMessage {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &members); err != nil {
		t.Fatal(err)
	}
	return members
}

func parsed(t *testing.T, text string) Registration {
	t.Helper()
	r, refusal := ParseRegistration(membersOf(t, text))
	if refusal != nil {
		t.Fatal(refusal)
	}
	return r
}

var (
	initialToken = &RegistrationToken{ID: "rgt_1", UsesLeft: 1, ExpiresAt: noon.Add(time.Hour)}
	drawnClient  = FreshClient{ID: "cl_1", SecretHash: []byte("secret"), TokenHash: []byte("token")}
)

const shop = `{"redirect_uris":["https://shop.example/cb"]}`

func TestRegistrationUsesItsTokenAndAddsTheClient(t *testing.T) {
	c, changes, refusal := Register(parsed(t, shop), initialToken, drawnClient, noon)
	if refusal != nil {
		t.Fatal(refusal)
	}
	m := change.ClientMetadata{
		AuthMethod: "client_secret_basic", Grants: []string{AuthorizationCodeGrant}, Scopes: StandardScopes,
		RedirectURIs: []string{"https://shop.example/cb"}, RegisteredBy: "registration:rgt_1",
	}
	want := []change.Change{
		change.RegistrationTokenUsed{Token: "rgt_1"},
		change.ClientAdded{Client: "cl_1", SecretHash: drawnClient.SecretHash, RegistrationToken: drawnClient.TokenHash, ClientMetadata: m, At: noon},
	}
	if !reflect.DeepEqual(changes, want) || !c.RegisteredItself() {
		t.Errorf("%+v", changes)
	}
}

func TestRegistrationNeedsALivingToken(t *testing.T) {
	for name, token := range map[string]*RegistrationToken{
		"none": nil, "used up": {ID: "rgt_1", ExpiresAt: noon.Add(time.Hour)}, "overdrawn": {ID: "rgt_1", UsesLeft: -1, ExpiresAt: noon.Add(time.Hour)},
		"expired": {ID: "rgt_1", UsesLeft: 1, ExpiresAt: noon}, "without an end": {ID: "rgt_1", UsesLeft: 1},
	} {
		_, changes, refusal := Register(parsed(t, shop), token, drawnClient, noon)
		if refusedWith(t, refusal, InvalidToken); changes != nil {
			t.Errorf("%s: %v", name, changes)
		}
	}
}

func TestOnlyItsOwnTokenConfiguresAClient(t *testing.T) {
	c := &Client{ID: "cl_1", RegistrationToken: []byte("hash")}
	if r := MayConfigure(c, []byte("hash")); r != nil {
		t.Error(r)
	}
	disabled := *c
	disabled.Disabled = true
	for _, other := range []struct {
		c    *Client
		hash string
	}{{nil, "hash"}, {c, "other"}, {c, ""}, {&disabled, "hash"}, {&Client{ID: "by-hand"}, ""}, {&Client{ID: "by-hand", RegistrationToken: []byte{}}, ""}} {
		refusedWith(t, MayConfigure(other.c, []byte(other.hash)), InvalidToken)
	}
}

func TestHashesOfTokensAreKeptApart(t *testing.T) {
	hashes := [][]byte{SecretHash(secretKey, "x"), InitialTokenHash(secretKey, "x"), RegistrationTokenHash(secretKey, "x")}
	if slices.EqualFunc(hashes[:2], hashes[1:], slices.Equal) || slices.Equal(hashes[0], hashes[2]) {
		t.Error("one token has the hash of another kind")
	}
}

func TestOperatorsDefaultsSuitWhatTheClientDoes(t *testing.T) {
	web := OperatorDefaults(change.ClientMetadata{RedirectURIs: []string{"https://shop.example/cb"}})
	if !slices.Equal(web.Grants, []string{AuthorizationCodeGrant, RefreshTokenGrant}) || !slices.Equal(web.Scopes, operatorScopes) || web.IDTokenAlg != "ES256" || web.Public {
		t.Errorf("%+v", web)
	}
	chosen := change.ClientMetadata{
		RedirectURIs: []string{"https://shop.example/cb"}, Grants: []string{AuthorizationCodeGrant}, Scopes: []string{"openid"}, IDTokenAlg: "RS256", AuthMethod: "client_secret_post",
	}
	if got := OperatorDefaults(chosen); !reflect.DeepEqual(got, chosen) {
		t.Errorf("%+v", got)
	}
	for _, public := range []change.ClientMetadata{{Public: true}, {AuthMethod: "none"}} {
		if got := OperatorDefaults(public); !got.Public || got.AuthMethod != "none" {
			t.Errorf("%+v", got)
		}
	}
	if got := OperatorDefaults(change.ClientMetadata{}); !reflect.DeepEqual(got, change.ClientMetadata{}) {
		t.Errorf("%+v", got)
	}
}

// FuzzRegistration: whatever a client says about itself, what is kept is valid,
// and no more than a client may have by itself.
func FuzzRegistration(f *testing.F) {
	f.Add(shop)
	f.Add(`{"redirect_uris":["com.example.app:/cb"],"application_type":"native","token_endpoint_auth_method":"none","scope":"openid","grant_types":["refresh_token"]}`)
	f.Add(`{"redirect_uris":["https://a.example/cb"],"jwks":{"keys":[]},"response_modes":["query"],"client_name":"x","backchannel_logout_uri":"https://a.example/b","trusted":true}`)
	f.Fuzz(func(t *testing.T, text string) {
		var members map[string]json.RawMessage
		if json.Unmarshal([]byte(text), &members) != nil {
			return
		}
		r, refusal := ParseRegistration(members)
		if refusal != nil {
			return
		}
		c, _, refusal := Register(r, initialToken, drawnClient, noon)
		if refusal != nil {
			if bad := forbidden(refusal.Description); bad != "" {
				t.Errorf("the description holds %s", bad)
			}
			return
		}
		if c.Trusted || c.PKCEOptional || len(c.Audiences)+len(c.Serves)+len(c.Origins) > 0 || c.AccessTokenTTL != 0 || slices.Contains(c.Grants, ClientCredentialsGrant) || !c.RegisteredItself() {
			t.Errorf("%+v", c)
		}
		for _, scope := range c.Scopes {
			if !slices.Contains(StandardScopes, scope) {
				t.Errorf("scope %q", scope)
			}
		}
		if ValidateRegistration(c) != nil || strings.ContainsAny(strings.Join(c.RedirectURIs, ""), "*#\\ ") {
			t.Errorf("%+v", c)
		}
	})
}
