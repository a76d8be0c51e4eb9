package resource

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/keywright/keywright/internal/jose"
)

// Token is a verified access token. Nothing can change it: requests that
// present the same token share one.
type Token struct {
	claims *jose.Claims
}

// Issuer returns iss. Together with Subject it identifies the caller.
func (t *Token) Issuer() string { return t.claims.Issuer }

// Subject returns sub: a person's id or, for a token that a client got for
// itself, the client's.
func (t *Token) Subject() string { return t.claims.Subject }

// ClientID returns client_id: through which application the call is made.
func (t *Token) ClientID() string { return t.claims.ClientID }

// Audience returns aud, which names this API and possibly others.
func (t *Token) Audience() []string { return slices.Clone(t.claims.Audience) }

// Scope returns the names in scope, in the token's order.
func (t *Token) Scope() []string { return strings.Fields(t.claims.Scope) }

// HasScope says whether a name is in scope.
func (t *Token) HasScope(name string) bool {
	for granted := range strings.FieldsSeq(t.claims.Scope) {
		if granted == name {
			return true
		}
	}
	return false
}

// ID returns jti, which is empty if the issuer sets none.
func (t *Token) ID() string { return t.claims.ID }

// IssuedAt returns iat.
func (t *Token) IssuedAt() time.Time { return t.claims.IssuedAt }

// ExpiresAt returns exp.
func (t *Token) ExpiresAt() time.Time { return t.claims.ExpiresAt }

// AuthTime returns auth_time, when the person signed in; it is the zero time if
// the token does not say.
func (t *Token) AuthTime() time.Time { return t.claims.AuthTime }

// Claims decodes all claims into v, as [json.Unmarshal] does.
func (t *Token) Claims(v any) error { return json.Unmarshal([]byte(t.claims.Payload), v) }
