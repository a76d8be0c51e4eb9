package oauth

import (
	"encoding/json"
	"slices"
	"testing"
)

// RFC 8414 §2: response_types_supported is required, even where there are none.
const wantMetadata = `{
  "issuer": "https://id.example",
  "token_endpoint": "https://id.example/token",
  "jwks_uri": "https://id.example/jwks",
  "revocation_endpoint": "https://id.example/revoke",
  "introspection_endpoint": "https://id.example/introspect",
  "response_types_supported": [],
  "grant_types_supported": [
    "client_credentials",
    "refresh_token"
  ],
  "scopes_supported": [
    "openid",
    "profile",
    "email"
  ],
  "token_endpoint_auth_methods_supported": [
    "client_secret_basic",
    "client_secret_post",
    "none"
  ],
  "revocation_endpoint_auth_methods_supported": [
    "client_secret_basic",
    "client_secret_post",
    "none"
  ],
  "introspection_endpoint_auth_methods_supported": [
    "client_secret_basic",
    "client_secret_post"
  ]
}`

func TestMetadataIsWhatClientsExpect(t *testing.T) {
	got, err := json.MarshalIndent(NewMetadata("https://id.example"), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != wantMetadata {
		t.Errorf("%s", got)
	}
}

func TestMetadataNamesWhatTheDecidersAccept(t *testing.T) {
	m := NewMetadata(policy.Issuer)
	for _, grant := range m.GrantTypesSupported {
		if problem := ValidateRegistration(Client{ID: "a", Grants: []string{grant}}); problem != "" {
			t.Errorf("%s: %s", grant, problem)
		}
	}
	for _, c := range []*Client{app(), worker()} {
		for _, method := range m.TokenEndpointAuthMethodsSupported {
			creds := Credentials{ID: c.ID, Secret: rightSecret, Method: AuthMethod(method)}
			if method == string(NoAuthentication) {
				creds.Secret = ""
			}
			accepted := authenticate(creds, c, secretKey) == nil
			if accepted != (c.Public == (method == string(NoAuthentication))) {
				t.Errorf("%s by %s: %t", c.ID, method, accepted)
			}
			_, refusal := Introspect(policy, creds, PresentedToken{}, factsOf(c), noon)
			if named := slices.Contains(m.IntrospectionEndpointAuthMethodsSupported, method); accepted && named != (refusal == nil) {
				t.Errorf("introspection by %s: named %t, accepted %t", method, named, refusal == nil)
			}
			if refusal, _ := Revoke(creds, PresentedToken{}, factsOf(c), noon); accepted != (refusal == nil) {
				t.Errorf("revocation by %s: %v", method, refusal)
			}
		}
	}
}
