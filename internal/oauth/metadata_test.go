package oauth

import (
	"encoding/json"
	"slices"
	"testing"
)

// RFC 8414 §2 asks for the signing algorithms of each endpoint that takes
// private_key_jwt; OpenID Connect Discovery §3 for RS256 among those of ID tokens.
const wantMetadata = `{
  "issuer": "https://id.example",
  "authorization_endpoint": "https://id.example/authorize",
  "token_endpoint": "https://id.example/token",
  "userinfo_endpoint": "https://id.example/userinfo",
  "jwks_uri": "https://id.example/jwks",
  "end_session_endpoint": "https://id.example/end_session",
  "revocation_endpoint": "https://id.example/revoke",
  "introspection_endpoint": "https://id.example/introspect",
  "scopes_supported": [
    "openid",
    "profile",
    "email",
    "address",
    "phone",
    "offline_access"
  ],
  "claims_supported": [
    "sub",
    "iss",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "sid",
    "at_hash",
    "address",
    "email",
    "email_verified",
    "name",
    "phone_number",
    "phone_number_verified",
    "updated_at"
  ],
  "response_types_supported": [
    "code"
  ],
  "response_modes_supported": [
    "query",
    "form_post"
  ],
  "grant_types_supported": [
    "authorization_code",
    "client_credentials",
    "refresh_token"
  ],
  "subject_types_supported": [
    "public"
  ],
  "id_token_signing_alg_values_supported": [
    "RS256",
    "ES256",
    "EdDSA"
  ],
  "userinfo_signing_alg_values_supported": [
    "RS256",
    "ES256",
    "EdDSA"
  ],
  "token_endpoint_auth_methods_supported": [
    "client_secret_basic",
    "client_secret_post",
    "private_key_jwt",
    "none"
  ],
  "token_endpoint_auth_signing_alg_values_supported": [
    "RS256",
    "ES256",
    "EdDSA"
  ],
  "revocation_endpoint_auth_methods_supported": [
    "client_secret_basic",
    "client_secret_post",
    "private_key_jwt",
    "none"
  ],
  "revocation_endpoint_auth_signing_alg_values_supported": [
    "RS256",
    "ES256",
    "EdDSA"
  ],
  "introspection_endpoint_auth_methods_supported": [
    "client_secret_basic",
    "client_secret_post",
    "private_key_jwt"
  ],
  "introspection_endpoint_auth_signing_alg_values_supported": [
    "RS256",
    "ES256",
    "EdDSA"
  ],
  "code_challenge_methods_supported": [
    "S256"
  ],
  "prompt_values_supported": [
    "none",
    "login",
    "consent",
    "select_account",
    "create"
  ],
  "acr_values_supported": [
    "urn:keywright:acr:password"
  ],
  "display_values_supported": [
    "page"
  ],
  "claim_types_supported": [
    "normal"
  ],
  "ui_locales_supported": [
    "en"
  ],
  "authorization_response_iss_parameter_supported": true,
  "claims_parameter_supported": true,
  "request_parameter_supported": false,
  "request_uri_parameter_supported": false,
  "backchannel_logout_supported": true,
  "backchannel_logout_session_supported": true,
  "frontchannel_logout_supported": true,
  "frontchannel_logout_session_supported": true
}`

func TestMetadataIsWhatClientsExpect(t *testing.T) {
	got, err := json.MarshalIndent(NewMetadata("https://id.example", false, true, []string{"en"}), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != wantMetadata {
		t.Errorf("%s", got)
	}
}

func TestMetadataNamesWhatTheDecidersAccept(t *testing.T) {
	m := NewMetadata(policy.Issuer, false, true, []string{"en"})
	for _, grant := range m.GrantTypesSupported {
		c := registered()
		c.Grants = []string{grant}
		if r := ValidateRegistration(&c); r != nil {
			t.Errorf("%s: %s", grant, r.Description)
		}
	}
	robot := worker() // proves itself by its keys
	robot.AuthMethod, robot.SecretHash = string(PrivateKeyJWT), nil
	for c, proofs := range map[*Client][]AuthMethod{
		app(): {NoAuthentication}, worker(): {ClientSecretBasic, ClientSecretPost}, robot: {PrivateKeyJWT},
	} {
		for _, method := range m.TokenEndpointAuthMethodsSupported {
			creds := Credentials{ID: c.ID, Secret: rightSecret, Method: AuthMethod(method), Proved: method == string(PrivateKeyJWT)}
			if creds.Proved || method == string(NoAuthentication) {
				creds.Secret = ""
			}
			accepted := authenticate(creds, c, secretKey) == nil
			if accepted != slices.Contains(proofs, AuthMethod(method)) {
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
