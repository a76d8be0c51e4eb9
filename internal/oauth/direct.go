package oauth

import (
	"time"

	"github.com/keywright/keywright/internal/change"
)

// directScope is what the tutorial API's tokens are good for.
var directScope = []string{OpenID, Profile, Email}

// GrantDirect issues the first tokens of a person who has just signed in
// through the tutorial API. The caller has decided that they may.
func GrantDirect(p Policy, f ClientFacts, u User, key RefreshKey, fresh Fresh, now time.Time) Outcome {
	c := f.Client
	if c == nil || c.Disabled {
		return refused(refuse(InvalidClient, "the client direct is disabled"))
	}
	audience, r := audienceWithin(nil, c.Audiences, p.Issuer)
	if r != nil {
		return refused(r)
	}
	issued := change.GrantIssued{
		Grant: fresh.GrantID, Client: c.ID, User: u.ID, Scope: directScope, Audiences: c.Audiences,
		Random: fresh.Random, KeyID: key.ID, StatusIndex: fresh.StatusIndex,
		UserEpoch: u.Epoch, ClientEpoch: c.Epoch, GlobalEpoch: f.GlobalEpoch,
		AuthTime: now, At: now, ExpiresAt: now.Add(p.RefreshAbsolute),
	}
	grant := &Grant{
		ID: issued.Grant, Client: c.ID, User: u.ID, Random: issued.Random, KeyID: issued.KeyID,
		AuthTime: issued.AuthTime, ExpiresAt: issued.ExpiresAt,
	}
	return Outcome{
		Answer{Issue: &Issue{
			AccessToken:  issueAccessToken(p, c, grant, directScope, audience, fresh.TokenSuffix, now),
			RefreshToken: key.derive(grant, firstGeneration),
		}},
		[]change.Change{issued},
	}
}
