package oauth

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/keywright/keywright/internal/change"
)

// Refusals of a registration. RFC 7591 §3.2.2, RFC 6750 §3.1.
const (
	InvalidRedirectURI    = "invalid_redirect_uri"
	InvalidClientMetadata = "invalid_client_metadata"
	InvalidToken          = "invalid_token"
)

// RegistrationToken lets its bearer register clients: an initial access token
// of RFC 7591 §3.
type RegistrationToken struct {
	ID        string
	UsesLeft  int64
	CreatedAt time.Time
	ExpiresAt time.Time
}

// admits says whether one more client may be registered.
func (t *RegistrationToken) admits(now time.Time) bool {
	return t != nil && t.UsesLeft > 0 && now.Before(t.ExpiresAt)
}

// InitialTokenHash is what the store keeps of an initial access token.
func InitialTokenHash(key []byte, token string) []byte {
	return SecretHash(key, "initial access token:"+token)
}

// RegistrationTokenHash is what the store keeps of a registration access token.
func RegistrationTokenHash(key []byte, token string) []byte {
	return SecretHash(key, "registration access token:"+token)
}

// Where a client came from, as ClientMetadata.RegisteredBy has it.
const (
	ByOperator     = "command"
	ByFile         = "file"
	byRegistration = "registration:" // and the initial access token's id
)

// RegisteredItself says whether nobody but itself vouches for the client.
func (c *Client) RegisteredItself() bool {
	return strings.HasPrefix(c.RegisteredBy, byRegistration)
}

// operatorScopes are what a client that signs people in asks for, if its
// operator names no scopes.
var operatorScopes = []string{OpenID, Profile, Email, OfflineAccess}

// OperatorDefaults fills in what an operator has left out about a client.
// Dynamic registration has defaults of its own.
func OperatorDefaults(m change.ClientMetadata) change.ClientMetadata {
	if m.Public || m.AuthMethod == string(NoAuthentication) {
		m.Public, m.AuthMethod = true, cmp.Or(m.AuthMethod, string(NoAuthentication))
	}
	if len(m.RedirectURIs) > 0 && len(m.Grants) == 0 {
		m.Grants = []string{AuthorizationCodeGrant, RefreshTokenGrant}
	}
	if slices.Contains(m.Grants, AuthorizationCodeGrant) {
		m.IDTokenAlg = cmp.Or(m.IDTokenAlg, "ES256")
		if len(m.Scopes) == 0 {
			m.Scopes = operatorScopes
		}
	}
	if m.Public && !m.Native && len(m.Origins) == 0 {
		m.Origins = originsOf(m.RedirectURIs)
	}
	return m
}

// originsOf are where pages in a browser live that people are sent back to.
func originsOf(uris []string) (origins []string) {
	for _, uri := range uris {
		u, err := url.Parse(uri)
		if err != nil || ValidateOrigin(u.Scheme+"://"+u.Host) != "" {
			continue
		}
		if origin := u.Scheme + "://" + u.Host; !slices.Contains(origins, origin) {
			origins = append(origins, origin)
		}
	}
	return origins
}

// Registration is what a client says about itself, and what it is told: RFC 7591
// §2 and §3.2.1, RFC 7592 §3, OpenID Connect Dynamic Client Registration 1.0 §2.
type Registration struct {
	ClientID                string `json:"client_id,omitempty"`
	ClientSecret            string `json:"client_secret,omitempty"`
	ClientIDIssuedAt        *int64 `json:"client_id_issued_at,omitempty"`      // in seconds since 1970
	ClientSecretExpiresAt   *int64 `json:"client_secret_expires_at,omitempty"` // 0: never
	RegistrationAccessToken string `json:"registration_access_token,omitempty"`
	RegistrationClientURI   string `json:"registration_client_uri,omitempty"`

	ClientName                string          `json:"client_name,omitempty"`
	ApplicationType           string          `json:"application_type,omitempty"`
	RedirectURIs              []string        `json:"redirect_uris,omitempty"`
	PostLogoutRedirectURIs    []string        `json:"post_logout_redirect_uris,omitempty"`
	BackchannelLogoutURI      string          `json:"backchannel_logout_uri,omitempty"`
	FrontchannelLogoutURI     string          `json:"frontchannel_logout_uri,omitempty"`
	TokenEndpointAuthMethod   string          `json:"token_endpoint_auth_method,omitempty"`
	GrantTypes                []string        `json:"grant_types,omitempty"`
	ResponseTypes             []string        `json:"response_types,omitempty"`
	ResponseModes             []string        `json:"response_modes,omitempty"`
	Scope                     string          `json:"scope,omitempty"`
	JWKS                      json.RawMessage `json:"jwks,omitempty"`
	JWKSURI                   string          `json:"jwks_uri,omitempty"`
	IDTokenSignedResponseAlg  string          `json:"id_token_signed_response_alg,omitempty"`
	UserInfoSignedResponseAlg string          `json:"userinfo_signed_response_alg,omitempty"`
	SubjectType               string          `json:"subject_type,omitempty"`
}

// unsupported are members by which a client asks for a protection that it would
// not get: to ignore them, as others, would leave it with less than it thinks.
var unsupported = []string{
	"sector_identifier_uri", "request_uris", "request_object_signing_alg", "request_object_encryption_alg", "request_object_encryption_enc",
	"require_signed_request_object", "require_pushed_authorization_requests", "id_token_encrypted_response_alg", "id_token_encrypted_response_enc",
	"userinfo_encrypted_response_alg", "userinfo_encrypted_response_enc", "authorization_signed_response_alg", "authorization_encrypted_response_alg",
	"authorization_encrypted_response_enc", "introspection_signed_response_alg", "introspection_encrypted_response_alg",
	"introspection_encrypted_response_enc", "tls_client_certificate_bound_access_tokens", "dpop_bound_access_tokens",
}

// ParseRegistration reads the members of a client's JSON. Unknown ones are
// ignored, as RFC 7591 §2 asks.
func ParseRegistration(members map[string]json.RawMessage) (r Registration, refusal *Refusal) {
	for _, name := range unsupported {
		if raw, sent := members[name]; sent && !isNothing(raw) {
			return r, refuse(InvalidClientMetadata, name+" is not supported: leave it out")
		}
	}
	known := map[string]json.RawMessage{}
	for name, raw := range members {
		if isMemberName(name) { // package json would take REDIRECT_URIS for redirect_uris
			known[name] = raw
		}
	}
	document, err := json.Marshal(known)
	if err != nil {
		return r, refuse(InvalidClientMetadata, "the metadata is not understood")
	}
	err = json.Unmarshal(document, &r)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return r, refuse(InvalidClientMetadata, wrong.Field+" must not be a JSON "+wrong.Value)
	}
	if err != nil {
		return r, refuse(InvalidClientMetadata, "the metadata is not understood")
	}
	if string(r.JWKS) == "null" {
		r.JWKS = nil
	}
	return r, nil
}

func isNothing(raw json.RawMessage) bool {
	return slices.Contains([]string{"", "null", "false", `""`, "[]"}, string(bytes.TrimSpace(raw)))
}

func isMemberName(name string) bool {
	return !strings.ContainsFunc(name, func(r rune) bool { return !('a' <= r && r <= 'z' || r == '_') })
}

// metadata returns what is kept of a client that registers itself. What an
// operator alone may grant is not among it: to be trusted, audiences, scopes
// and claims of APIs, a grant of its own, pages that read answers.
func (r Registration) metadata() (change.ClientMetadata, *Refusal) {
	m := change.ClientMetadata{
		Name: r.ClientName, Native: r.ApplicationType == "native", AuthMethod: cmp.Or(r.TokenEndpointAuthMethod, string(ClientSecretBasic)),
		JWKS: string(r.JWKS), JWKSURI: r.JWKSURI, Grants: r.GrantTypes, ResponseModes: r.ResponseModes, Scopes: StandardScopes,
		RedirectURIs: r.RedirectURIs, PostLogoutRedirectURIs: r.PostLogoutRedirectURIs, BackchannelLogoutURI: r.BackchannelLogoutURI,
		FrontchannelLogoutURI: r.FrontchannelLogoutURI, IDTokenAlg: r.IDTokenSignedResponseAlg, UserInfoAlg: r.UserInfoSignedResponseAlg,
	}
	m.Public = m.AuthMethod == string(NoAuthentication)
	if len(m.Grants) == 0 {
		m.Grants = []string{AuthorizationCodeGrant}
	}
	switch {
	case r.ApplicationType != "" && !slices.Contains([]string{"web", "native"}, r.ApplicationType):
		return m, refuse(InvalidClientMetadata, "application_type must be web or native")
	case len(r.ResponseTypes) > 0 && !slices.Equal(r.ResponseTypes, []string{"code"}):
		return m, refuse(InvalidClientMetadata, "response_types must be code alone")
	case r.SubjectType != "" && r.SubjectType != "public":
		return m, refuse(InvalidClientMetadata, "subject_type must be public")
	case slices.Contains(m.Grants, ClientCredentialsGrant):
		return m, refuse(InvalidClientMetadata, "the grant client_credentials is the operator's to give")
	case r.Scope == "":
		return m, nil
	}
	scopes, refusal := parseScope(r.Scope)
	if refusal != nil {
		return m, refuse(InvalidClientMetadata, refusal.Description)
	}
	for _, scope := range scopes {
		if !slices.Contains(StandardScopes, scope) {
			return m, refuse(InvalidClientMetadata, "the scope "+quote(scope)+" is the operator's to give; known are "+strings.Join(StandardScopes, " "))
		}
	}
	m.Scopes = scopes
	return m, nil
}

// FreshClient holds the values of a decision that may make a client, drawn by
// its caller.
type FreshClient struct {
	ID         string
	SecretHash []byte
	TokenHash  []byte // of the registration access token
}

// Register decides a request to the registration endpoint; by is the initial
// access token that it carries, or nil. RFC 7591 §3.
func Register(r Registration, by *RegistrationToken, fresh FreshClient, now time.Time) (*Client, []change.Change, *Refusal) {
	if !by.admits(now) {
		return nil, nil, refuse(InvalidToken, "the initial access token is unknown, expired or used up")
	}
	m, refusal := r.metadata()
	if refusal != nil {
		return nil, nil, refusal
	}
	m.RegisteredBy = byRegistration + by.ID
	c := &Client{ID: fresh.ID, RegistrationToken: fresh.TokenHash, ClientMetadata: m, CreatedAt: now}
	if c.NeedsSecret() {
		c.SecretHash = fresh.SecretHash
	}
	if refusal := ValidateRegistration(c); refusal != nil {
		return nil, nil, refusal
	}
	added := change.ClientAdded{Client: c.ID, SecretHash: c.SecretHash, RegistrationToken: c.RegistrationToken, ClientMetadata: m, At: now}
	return c, []change.Change{change.RegistrationTokenUsed{Token: by.ID}, added}, nil
}

// MayConfigure refuses a request to the configuration endpoint of c that
// carries the wrong token. A disabled client cannot change anything, itself
// least of all. RFC 7592 §2.
func MayConfigure(c *Client, tokenHash []byte) *Refusal {
	if c == nil || c.Disabled || len(c.RegistrationToken) == 0 || !hmac.Equal(c.RegistrationToken, tokenHash) {
		return refuse(InvalidToken, "the registration access token is wrong, or there is no such client any more")
	}
	return nil
}

// Reregister decides a request that replaces what is registered about c, which
// MayConfigure has let in. It returns the client as it will be. RFC 7592 §2.2.
func Reregister(r Registration, c *Client, secretKey []byte, fresh FreshClient) (*Client, []change.Change, *Refusal) {
	switch {
	case r.ClientID != c.ID:
		return nil, nil, refuse(InvalidClientMetadata, "client_id must be the client's own")
	case r.ClientSecret != "" && !hmac.Equal(SecretHash(secretKey, r.ClientSecret), c.SecretHash):
		return nil, nil, refuse(InvalidClientMetadata, "client_secret cannot be chosen: leave it out, or send the present one")
	case r.RegistrationAccessToken != "" || r.RegistrationClientURI != "" || r.ClientIDIssuedAt != nil || r.ClientSecretExpiresAt != nil:
		return nil, nil, refuse(InvalidClientMetadata, "leave out registration_access_token, registration_client_uri, client_id_issued_at and client_secret_expires_at")
	}
	m, refusal := r.metadata()
	if refusal != nil {
		return nil, nil, refusal
	}
	m.RegisteredBy = c.RegisteredBy
	next := *c
	next.ClientMetadata = m
	if refusal := ValidateRegistration(&next); refusal != nil {
		return nil, nil, refusal
	}
	changed := change.ClientChanged{Client: c.ID, SecretHash: next.changeSecret(fresh.SecretHash), ClientMetadata: m}
	changes := []change.Change{changed}
	if !slices.Equal(m.RedirectURIs, c.RedirectURIs) {
		// People knew the client by where it brought them back to.
		changes = append(changes, change.ConsentsForgotten{Client: c.ID})
	}
	return &next, changes, nil
}

// changeSecret takes up or gives up a secret where the way that the client
// proves itself has changed, and returns what to store: nil leaves what is there.
func (c *Client) changeSecret(fresh []byte) []byte {
	switch had := len(c.SecretHash) > 0; {
	case c.NeedsSecret() && !had:
		c.SecretHash = fresh
	case !c.NeedsSecret() && had:
		c.SecretHash = []byte{}
	default:
		return nil
	}
	return c.SecretHash
}

// Registered is what the client is told about itself. RFC 7591 §3.2.1, RFC 7592 §3.
func (c *Client) Registered(issuer string) Registration {
	issuedAt := c.CreatedAt.Unix()
	r := Registration{
		ClientID: c.ID, ClientIDIssuedAt: &issuedAt, RegistrationClientURI: issuer + RegistrationPath + "?client_id=" + url.QueryEscape(c.ID),
		ClientName: c.Name, ApplicationType: "web", RedirectURIs: c.RedirectURIs, PostLogoutRedirectURIs: c.PostLogoutRedirectURIs,
		BackchannelLogoutURI: c.BackchannelLogoutURI, FrontchannelLogoutURI: c.FrontchannelLogoutURI, TokenEndpointAuthMethod: c.AuthMethod,
		GrantTypes: c.Grants, ResponseTypes: []string{"code"}, ResponseModes: c.ResponseModes, Scope: strings.Join(c.Scopes, " "),
		JWKS: json.RawMessage(c.JWKS), JWKSURI: c.JWKSURI, IDTokenSignedResponseAlg: cmp.Or(c.IDTokenAlg, defaultIDTokenAlg),
		UserInfoSignedResponseAlg: c.UserInfoAlg, SubjectType: "public",
	}
	if c.Native {
		r.ApplicationType = "native"
	}
	return r
}
