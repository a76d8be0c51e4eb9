package oauth

import (
	"time"

	"github.com/keywright/keywright/internal/change"
)

// ClientFacts are a client and its own grant, read in one transaction.
type ClientFacts struct {
	Client      *Client // nil: unknown
	Grant       *Grant  // the living grant of the client itself, if it has one already
	GlobalEpoch int64
	SecretKey   []byte
	KeyID       byte
}

// ClientCredentials decides a request with grant_type=client_credentials.
// RFC 6749 §4.4. A client has one grant for all its own tokens; the first
// request makes it. No refresh token is issued (§4.4.3).
func ClientCredentials(p Policy, req TokenRequest, f ClientFacts, fresh Fresh, now time.Time) Outcome {
	if r := authenticate(req.Client, f.Client, f.SecretKey); r != nil {
		return refused(r)
	}
	c := f.Client
	if c.Public {
		// RFC 6749 §4.4. No registration says otherwise, but a row might.
		return refused(refuse(UnauthorizedClient, "a public client cannot use the grant client_credentials"))
	}
	if r := c.authorized(ClientCredentialsGrant); r != nil {
		return refused(r)
	}
	scope, r := scopeWithin(req.Scope, c.Scopes)
	if r != nil {
		return refused(r)
	}
	audience, r := audienceWithin(req.Resources, c.Audiences, p.Issuer)
	if r != nil {
		return refused(r)
	}
	grant, changes := f.Grant, []change.Change(nil)
	if grant == nil {
		issued := change.GrantIssued{
			Grant: fresh.GrantID, Client: c.ID, Random: fresh.Random, KeyID: f.KeyID, StatusIndex: fresh.StatusIndex,
			ClientEpoch: c.Epoch, GlobalEpoch: f.GlobalEpoch, At: now,
		}
		grant, changes = &Grant{ID: issued.Grant, Client: c.ID}, append(changes, issued)
	}
	token := issueAccessToken(p, c, grant, scope, audience, fresh.TokenSuffix, now)
	return Outcome{Answer{Issue: &Issue{AccessToken: token}}, changes}
}
