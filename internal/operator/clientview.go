package operator

import (
	"encoding/json"
	"time"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/jose"
	"github.com/keywright/keywright/internal/oauth"
)

// Client is a client as commands and files write it. What has a name in RFC
// 7591 §2 or OpenID Connect Dynamic Client Registration 1.0 §2 has that name,
// but for the lists that are a text there.
type Client struct {
	ID                     string          `json:"client_id"`
	Secret                 string          `json:"client_secret,omitempty"` // shown once, when it is made
	Name                   string          `json:"client_name,omitempty"`
	Public                 bool            `json:"public"`
	Native                 bool            `json:"native"`
	AuthMethod             string          `json:"token_endpoint_auth_method,omitempty"`
	JWKS                   json.RawMessage `json:"jwks,omitempty"`
	JWKSURI                string          `json:"jwks_uri,omitempty"`
	Grants                 []string        `json:"grants"`
	ResponseModes          []string        `json:"response_modes"`
	Scopes                 []string        `json:"scopes"`
	Audiences              []string        `json:"audiences"`
	Serves                 []string        `json:"serves"`
	RedirectURIs           []string        `json:"redirect_uris"`
	PostLogoutRedirectURIs []string        `json:"post_logout_redirect_uris"`
	BackchannelLogoutURI   string          `json:"backchannel_logout_uri,omitempty"`
	FrontchannelLogoutURI  string          `json:"frontchannel_logout_uri,omitempty"`
	Origins                []string        `json:"origins"`
	AccessTokenTTL         string          `json:"access_token_ttl,omitempty"`
	IDTokenAlg             string          `json:"id_token_signed_response_alg,omitempty"`
	UserInfoAlg            string          `json:"userinfo_signed_response_alg,omitempty"`
	RequirePKCE            *bool           `json:"require_pkce,omitempty"` // nil: true
	Trusted                bool            `json:"trusted"`
	RegisteredBy           string          `json:"registered_by,omitempty"`
	Disabled               bool            `json:"disabled"`
	CreatedAt              time.Time       `json:"created_at"`
}

func viewClient(c *oauth.Client) Client {
	v := Client{
		ID: c.ID, Name: c.Name, Public: c.Public, Native: c.Native, AuthMethod: c.AuthMethod, JWKS: json.RawMessage(c.JWKS), JWKSURI: c.JWKSURI,
		Grants: list(c.Grants), ResponseModes: list(c.ResponseModes), Scopes: list(c.Scopes), Audiences: list(c.Audiences), Serves: list(c.Serves),
		RedirectURIs: list(c.RedirectURIs), PostLogoutRedirectURIs: list(c.PostLogoutRedirectURIs), Origins: list(c.Origins),
		BackchannelLogoutURI: c.BackchannelLogoutURI, FrontchannelLogoutURI: c.FrontchannelLogoutURI, IDTokenAlg: c.IDTokenAlg, UserInfoAlg: c.UserInfoAlg,
		RequirePKCE: new(!c.PKCEOptional), Trusted: c.Trusted, RegisteredBy: c.RegisteredBy, Disabled: c.Disabled, CreatedAt: c.CreatedAt,
	}
	if c.AccessTokenTTL != 0 {
		v.AccessTokenTTL = c.AccessTokenTTL.String()
	}
	return v
}

// list is never null in JSON.
func list(items []string) []string {
	if items == nil {
		return []string{}
	}
	return items
}

// client returns what an operator wants to register; by says in which way. What
// is wrong with it is a refusal.
func (v Client) client(by string) (*oauth.Client, error) {
	m := change.ClientMetadata{
		Name: v.Name, Public: v.Public, Native: v.Native, AuthMethod: v.AuthMethod, JWKSURI: v.JWKSURI, Grants: v.Grants, ResponseModes: v.ResponseModes,
		Scopes: v.Scopes, Audiences: v.Audiences, Serves: v.Serves, RedirectURIs: v.RedirectURIs, PostLogoutRedirectURIs: v.PostLogoutRedirectURIs,
		BackchannelLogoutURI: v.BackchannelLogoutURI, FrontchannelLogoutURI: v.FrontchannelLogoutURI, Origins: v.Origins,
		IDTokenAlg: v.IDTokenAlg, UserInfoAlg: v.UserInfoAlg, PKCEOptional: v.RequirePKCE != nil && !*v.RequirePKCE, Trusted: v.Trusted, RegisteredBy: by,
	}
	var err error
	if m.JWKS, err = jose.CanonicalPublicSet(v.JWKS); err != nil {
		return nil, refusal{err.Error()}
	}
	if v.AccessTokenTTL != "" {
		if m.AccessTokenTTL, err = time.ParseDuration(v.AccessTokenTTL); err != nil {
			return nil, refusal{"the access token's lifetime is not a duration, such as 5m"}
		}
	}
	c := &oauth.Client{ID: v.ID, ClientMetadata: oauth.OperatorDefaults(m)}
	if r := oauth.ValidateRegistration(c); r != nil {
		return nil, refusal{r.Description}
	}
	return c, nil
}
