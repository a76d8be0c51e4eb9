package oauth

import (
	"encoding/json"
	"slices"
	"strings"
)

// Scopes of OpenID Connect Core §5.4 and §11.
const (
	OpenID        = "openid"
	Profile       = "profile"
	Email         = "email"
	Address       = "address"
	Phone         = "phone"
	OfflineAccess = "offline_access"
)

// StandardScopes are those that every client may be registered for.
var StandardScopes = []string{OpenID, Profile, Email, Address, Phone, OfflineAccess}

// claimScopes says which scope a claim belongs to. OpenID Connect Core §5.4.
var claimScopes = map[string]string{
	"name": Profile, "updated_at": Profile,
	"email": Email, "email_verified": Email,
	"address":      Address,
	"phone_number": Phone, "phone_number_verified": Phone,
}

// claimsOf returns what is known about a person, by the claims' names. What
// they have not given is absent. OpenID Connect Core §5.1.
func claimsOf(u *User) map[string]any {
	claims := map[string]any{"name": u.Name, "email": u.Email, "email_verified": u.EmailVerified}
	if !u.UpdatedAt.IsZero() {
		claims["updated_at"] = u.UpdatedAt.Unix()
	}
	if u.Address != "" {
		claims["address"] = map[string]string{"formatted": u.Address}
	}
	if u.Phone != "" {
		claims["phone_number"], claims["phone_number_verified"] = u.Phone, false
	}
	return claims
}

// pick returns of a person's claims those of the scopes and those asked for by
// name, as far as the client may have them.
func pick(u *User, scope []string, asked map[string]claimRequest, allowed []string) map[string]any {
	picked := map[string]any{}
	for name, value := range claimsOf(u) {
		_, byName := asked[name]
		if slices.Contains(scope, claimScopes[name]) || byName && slices.Contains(allowed, claimScopes[name]) {
			picked[name] = value
		}
	}
	return picked
}

// claimsRequest is the parameter claims. OpenID Connect Core §5.5.
type claimsRequest struct {
	UserInfo map[string]claimRequest `json:"userinfo"`
	IDToken  map[string]claimRequest `json:"id_token"`
}

// claimRequest asks for one claim; null in JSON is its zero value.
type claimRequest struct {
	Essential bool     `json:"essential"`
	Value     string   `json:"value"`
	Values    []string `json:"values"`
}

// UnmarshalJSON takes any type of value: those that are no strings ask for
// nothing that this server has.
func (c *claimRequest) UnmarshalJSON(text []byte) error {
	var loose struct {
		Essential bool  `json:"essential"`
		Value     any   `json:"value"`
		Values    []any `json:"values"`
	}
	if err := json.Unmarshal(text, &loose); err != nil {
		return err
	}
	c.Essential = loose.Essential
	c.Value, _ = loose.Value.(string)
	for _, v := range loose.Values {
		if s, ok := v.(string); ok {
			c.Values = append(c.Values, s)
		}
	}
	return nil
}

// accepted are the values of which the claim must have one; none: any will do.
func (c claimRequest) accepted() []string {
	if c.Value == "" {
		return c.Values
	}
	return append(slices.Clone(c.Values), c.Value)
}

const maxClaimsLength = 4096

func parseClaims(text string) (claimsRequest, *Refusal) {
	var c claimsRequest
	if text == "" {
		return c, nil
	}
	if len(text) > maxClaimsLength || json.Unmarshal([]byte(text), &c) != nil || strings.TrimSpace(text) == "null" {
		return c, refuse(InvalidRequest, "claims must be a JSON object of at most 4,096 bytes (OpenID Connect Core section 5.5)")
	}
	return c, nil
}

// scopes are those that the claims asked for by name belong to.
func (c claimsRequest) scopes() (scopes []string) {
	for _, asked := range []map[string]claimRequest{c.UserInfo, c.IDToken} {
		for name := range asked {
			if scope := claimScopes[name]; scope != "" && !slices.Contains(scopes, scope) {
				scopes = append(scopes, scope)
			}
		}
	}
	slices.Sort(scopes)
	return scopes
}

// within writes down those claims that the client may have now, by name: a scope
// that it is given later must not release what no page has shown.
func (c claimsRequest) within(scopes []string) string {
	names := func(asked map[string]claimRequest) map[string]any {
		kept := map[string]any{}
		for name := range asked {
			if slices.Contains(scopes, claimScopes[name]) {
				kept[name] = nil
			}
		}
		return kept
	}
	userInfo, idToken := names(c.UserInfo), names(c.IDToken)
	if len(userInfo)+len(idToken) == 0 {
		return ""
	}
	text, _ := json.Marshal(map[string]any{"userinfo": userInfo, "id_token": idToken})
	return string(text)
}

// UserInfo returns a person's claims for an access token, or nil when it is not
// for UserInfo. OpenID Connect Core §5.3.2.
func UserInfo(f GrantFacts, scope []string) map[string]any {
	if !slices.Contains(scope, OpenID) || f.User == nil {
		return nil
	}
	asked, _ := parseClaims(f.Grant.Claims)
	claims := pick(f.User, scope, asked.UserInfo, f.Client.Scopes)
	claims["sub"] = f.User.ID
	return claims
}
