package server

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/store"
)

// assertionType is RFC 7523 §2.2's.
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// badAssertion is one text for whatever is wrong with an assertion.
var badAssertion = &oauth.Refusal{Code: oauth.InvalidClient, Description: "the client assertion is invalid, expired or used, or does not name this client and this issuer alone"}

// proveByAssertion verifies a client's assertion by its own keys, and spends it.
// That is a transaction of its own: an assertion is spent whatever becomes of
// the request. Nothing is written for one whose signature is wrong.
func (s *Server) proveByAssertion(x *exchange, clientID, assertion string) (*oauth.Refusal, error) {
	ctx := x.r.Context()
	c, err := s.DB.Read(ctx).Client(clientID)
	if err != nil {
		return nil, err
	}
	if c == nil || c.Disabled || c.AuthMethod != string(oauth.PrivateKeyJWT) {
		return badAssertion, nil
	}
	claims, err := s.clientKeys.verify(ctx, c, assertion, "", "JWT", "client-authentication+jwt")
	if err != nil {
		return badAssertion, nil
	}
	a := oauth.ClientAssertion{
		Issuer: claims.Issuer, Subject: claims.Subject, Audience: singleAudience(claims.Payload),
		ID: claims.ID, IssuedAt: claims.IssuedAt, NotBefore: claims.NotBefore, ExpiresAt: claims.ExpiresAt,
	}
	sum := sha256.Sum256([]byte(a.ID))
	id, accepted := base64.RawURLEncoding.EncodeToString(sum[:]), false
	err = store.Decide(ctx, s.DB, x.origin(clientID, clientID),
		func(tx *store.Tx) (used bool, err error) { return tx.AssertionUsed(clientID, id) },
		func(used bool, now time.Time) ([]change.Change, error) {
			if accepted = !used && a.Accept(c, s.Policy.Issuer, now); !accepted {
				return nil, nil
			}
			return []change.Change{change.ClientAssertionUsed{Client: clientID, ID: id, ExpiresAt: a.ExpiresAt}}, nil
		})
	if err != nil || accepted {
		return nil, err
	}
	return badAssertion, nil
}

// singleAudience returns aud where it is one string: a list, even of one, is
// what assertions for several servers have.
func singleAudience(payload string) string {
	var c struct {
		Audience any `json:"aud"`
	}
	if json.Unmarshal([]byte(payload), &c) != nil {
		return ""
	}
	audience, _ := c.Audience.(string)
	return audience
}

// unverifiedSubject says whose assertion it claims to be: by whose keys to verify it.
func unverifiedSubject(assertion string) string {
	parts := strings.Split(assertion, ".")
	if len(assertion) > maxFormBytes || len(parts) != 3 {
		return ""
	}
	var c struct {
		Subject string `json:"sub"`
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &c) != nil {
		return ""
	}
	return c.Subject
}
