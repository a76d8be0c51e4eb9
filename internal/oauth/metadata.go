package oauth

import "slices"

// Metadata describes the server to its clients. RFC 8414 §2, OpenID Connect
// Discovery 1.0 §3. It names only what the server does.
type Metadata struct {
	Issuer                                    string   `json:"issuer"`
	TokenEndpoint                             string   `json:"token_endpoint"`
	JWKSURI                                   string   `json:"jwks_uri"`
	RevocationEndpoint                        string   `json:"revocation_endpoint"`
	IntrospectionEndpoint                     string   `json:"introspection_endpoint"`
	ResponseTypesSupported                    []string `json:"response_types_supported"` // required, RFC 8414 §2
	GrantTypesSupported                       []string `json:"grant_types_supported"`
	ScopesSupported                           []string `json:"scopes_supported"`
	TokenEndpointAuthMethodsSupported         []string `json:"token_endpoint_auth_methods_supported"`
	RevocationEndpointAuthMethodsSupported    []string `json:"revocation_endpoint_auth_methods_supported"`
	IntrospectionEndpointAuthMethodsSupported []string `json:"introspection_endpoint_auth_methods_supported"`
}

// Paths of the endpoints, below the issuer.
const (
	TokenPath         = "/token"
	RevocationPath    = "/revoke"
	IntrospectionPath = "/introspect"
	JWKSPath          = "/jwks"
)

// NewMetadata describes the server at issuer.
func NewMetadata(issuer string) Metadata {
	secret := []string{string(ClientSecretBasic), string(ClientSecretPost)}
	secretOrNone := append(slices.Clip(secret), string(NoAuthentication))
	return Metadata{
		Issuer:                                    issuer,
		TokenEndpoint:                             issuer + TokenPath,
		JWKSURI:                                   issuer + JWKSPath,
		RevocationEndpoint:                        issuer + RevocationPath,
		IntrospectionEndpoint:                     issuer + IntrospectionPath,
		ResponseTypesSupported:                    []string{},
		GrantTypesSupported:                       grantTypes,
		ScopesSupported:                           directScope,
		TokenEndpointAuthMethodsSupported:         secretOrNone,
		RevocationEndpointAuthMethodsSupported:    secretOrNone,
		IntrospectionEndpointAuthMethodsSupported: secret,
	}
}
