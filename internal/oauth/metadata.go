package oauth

import (
	"maps"
	"slices"
)

// Metadata describes the server to its clients. RFC 8414 §2, OpenID Connect
// Discovery 1.0 §3. It names only what the server does.
type Metadata struct {
	Issuer                                     string   `json:"issuer"`
	AuthorizationEndpoint                      string   `json:"authorization_endpoint"`
	TokenEndpoint                              string   `json:"token_endpoint"`
	UserInfoEndpoint                           string   `json:"userinfo_endpoint"`
	JWKSURI                                    string   `json:"jwks_uri"`
	RegistrationEndpoint                       string   `json:"registration_endpoint,omitempty"`
	EndSessionEndpoint                         string   `json:"end_session_endpoint"`
	RevocationEndpoint                         string   `json:"revocation_endpoint"`
	IntrospectionEndpoint                      string   `json:"introspection_endpoint"`
	ScopesSupported                            []string `json:"scopes_supported"`
	ClaimsSupported                            []string `json:"claims_supported"`
	ResponseTypesSupported                     []string `json:"response_types_supported"`
	ResponseModesSupported                     []string `json:"response_modes_supported"`
	GrantTypesSupported                        []string `json:"grant_types_supported"`
	SubjectTypesSupported                      []string `json:"subject_types_supported"`
	IDTokenSigningAlgValuesSupported           []string `json:"id_token_signing_alg_values_supported"`
	UserInfoSigningAlgValuesSupported          []string `json:"userinfo_signing_alg_values_supported"`
	TokenEndpointAuthMethodsSupported          []string `json:"token_endpoint_auth_methods_supported"`
	TokenEndpointAuthSigningAlgValuesSupported []string `json:"token_endpoint_auth_signing_alg_values_supported"`
	RevocationEndpointAuthMethodsSupported     []string `json:"revocation_endpoint_auth_methods_supported"`
	RevocationEndpointAuthSigningAlgs          []string `json:"revocation_endpoint_auth_signing_alg_values_supported"`
	IntrospectionEndpointAuthMethodsSupported  []string `json:"introspection_endpoint_auth_methods_supported"`
	IntrospectionEndpointAuthSigningAlgs       []string `json:"introspection_endpoint_auth_signing_alg_values_supported"`
	CodeChallengeMethodsSupported              []string `json:"code_challenge_methods_supported"`
	PromptValuesSupported                      []string `json:"prompt_values_supported"`
	ACRValuesSupported                         []string `json:"acr_values_supported"`
	DisplayValuesSupported                     []string `json:"display_values_supported"`
	ClaimTypesSupported                        []string `json:"claim_types_supported"`
	UILocalesSupported                         []string `json:"ui_locales_supported"`
	AuthorizationResponseIssParameterSupported bool     `json:"authorization_response_iss_parameter_supported"` // RFC 9207 §3
	ClaimsParameterSupported                   bool     `json:"claims_parameter_supported"`
	RequestParameterSupported                  bool     `json:"request_parameter_supported"`
	RequestURIParameterSupported               bool     `json:"request_uri_parameter_supported"` // left out, it would mean true
	BackchannelLogoutSupported                 bool     `json:"backchannel_logout_supported"`
	BackchannelLogoutSessionSupported          bool     `json:"backchannel_logout_session_supported"`
	FrontchannelLogoutSupported                bool     `json:"frontchannel_logout_supported"`
	FrontchannelLogoutSessionSupported         bool     `json:"frontchannel_logout_session_supported"`
}

// Paths of the endpoints, below the issuer.
const (
	AuthorizationPath = "/authorize"
	TokenPath         = "/token"
	UserInfoPath      = "/userinfo"
	RevocationPath    = "/revoke"
	IntrospectionPath = "/introspect"
	EndSessionPath    = "/end_session"
	JWKSPath          = "/jwks"
	RegistrationPath  = "/clients"
)

// NewMetadata describes the server at issuer. registration says whether clients
// may register themselves, signUp whether people may; locales are the languages
// of the pages.
func NewMetadata(issuer string, registration, signUp bool, locales []string) Metadata {
	confidential := []string{string(ClientSecretBasic), string(ClientSecretPost), string(PrivateKeyJWT)}
	all := append(slices.Clip(confidential), string(NoAuthentication))
	m := Metadata{
		Issuer:                                     issuer,
		AuthorizationEndpoint:                      issuer + AuthorizationPath,
		TokenEndpoint:                              issuer + TokenPath,
		UserInfoEndpoint:                           issuer + UserInfoPath,
		JWKSURI:                                    issuer + JWKSPath,
		EndSessionEndpoint:                         issuer + EndSessionPath,
		RevocationEndpoint:                         issuer + RevocationPath,
		IntrospectionEndpoint:                      issuer + IntrospectionPath,
		ScopesSupported:                            StandardScopes,
		ClaimsSupported:                            claimsSupported(),
		ResponseTypesSupported:                     []string{"code"},
		ResponseModesSupported:                     responseModes,
		GrantTypesSupported:                        grantTypes,
		SubjectTypesSupported:                      []string{"public"},
		IDTokenSigningAlgValuesSupported:           signingAlgs,
		UserInfoSigningAlgValuesSupported:          signingAlgs,
		TokenEndpointAuthMethodsSupported:          all,
		TokenEndpointAuthSigningAlgValuesSupported: signingAlgs,
		RevocationEndpointAuthMethodsSupported:     all,
		RevocationEndpointAuthSigningAlgs:          signingAlgs,
		IntrospectionEndpointAuthMethodsSupported:  confidential,
		IntrospectionEndpointAuthSigningAlgs:       signingAlgs,
		CodeChallengeMethodsSupported:              []string{S256},
		PromptValuesSupported:                      knownPrompts,
		ACRValuesSupported:                         []string{acrPassword},
		DisplayValuesSupported:                     []string{"page"},
		ClaimTypesSupported:                        []string{"normal"},
		UILocalesSupported:                         locales,
		AuthorizationResponseIssParameterSupported: true,
		ClaimsParameterSupported:                   true,
		BackchannelLogoutSupported:                 true,
		BackchannelLogoutSessionSupported:          true,
		FrontchannelLogoutSupported:                true,
		FrontchannelLogoutSessionSupported:         true,
	}
	if registration {
		m.RegistrationEndpoint = issuer + RegistrationPath
	}
	if !signUp {
		m.PromptValuesSupported = slices.DeleteFunc(slices.Clone(knownPrompts), func(p string) bool { return p == promptCreate })
	}
	return m
}

func claimsSupported() []string {
	names := slices.Sorted(maps.Keys(claimScopes))
	return append([]string{"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash"}, names...)
}
