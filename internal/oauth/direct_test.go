package oauth

import (
	"reflect"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/change"
)

func directFacts() ClientFacts {
	c := &Client{ID: DirectClient, ClientMetadata: change.ClientMetadata{Public: true, Grants: []string{RefreshTokenGrant}}, Epoch: 9}
	return ClientFacts{Client: c, GlobalEpoch: globalEpoch, SecretKey: secretKey, KeyID: refreshKey.ID}
}

func TestSigningInDirectlyIssuesAGrant(t *testing.T) {
	o := GrantDirect(policy, directFacts(), *ada(), refreshKey, drawn, noon)
	want := []change.Change{change.GrantIssued{
		Grant: drawn.GrantID, Client: DirectClient, User: "usr_ada", Scope: []string{"openid", "profile", "email"}, Random: drawn.Random, KeyID: refreshKey.ID,
		StatusIndex: drawn.StatusIndex, UserEpoch: 4, ClientEpoch: 9, GlobalEpoch: globalEpoch, AuthTime: noon, At: noon, ExpiresAt: noon.Add(policy.RefreshAbsolute),
	}}
	if !reflect.DeepEqual(o.Changes, want) {
		t.Errorf("%+v, want %+v", o.Changes, want)
	}
	if o.Answer.Issue == nil {
		t.Fatalf("%+v", o.Answer)
	}
	wantToken := AccessToken{
		Issuer: policy.Issuer, Subject: "usr_ada", ClientID: DirectClient, Audience: policy.Issuer, Scope: directScope,
		ID: drawn.GrantID + ".suffix", IssuedAt: noon, ExpiresAt: noon.Add(10 * time.Minute), AuthTime: noon,
	}
	if got := o.Answer.Issue.AccessToken; !reflect.DeepEqual(got, wantToken) {
		t.Errorf("%+v, want %+v", got, wantToken)
	}
}

func TestTheFirstRefreshTokenRefreshes(t *testing.T) {
	f := directFacts()
	o := GrantDirect(policy, f, *ada(), refreshKey, drawn, noon)
	issued := o.Changes[0].(change.GrantIssued)
	stored := &Grant{ // as the store keeps it
		ID: issued.Grant, Client: issued.Client, User: issued.User, Scope: issued.Scope, Random: issued.Random, KeyID: issued.KeyID, Generation: 1,
		CurrentSince: issued.At, CreatedAt: issued.At, ExpiresAt: issued.ExpiresAt, AuthTime: issued.AuthTime,
		UserEpoch: issued.UserEpoch, ClientEpoch: issued.ClientEpoch, GlobalEpoch: issued.GlobalEpoch,
	}
	req := TokenRequest{Client: Credentials{ID: DirectClient, Method: NoAuthentication}, RefreshToken: o.Answer.Issue.RefreshToken}
	facts := RefreshFacts{
		GrantFacts:     GrantFacts{Grant: stored, Client: f.Client, User: ada(), GlobalEpoch: globalEpoch},
		Authenticating: f.Client, SecretKey: secretKey, Key: refreshKey,
	}
	if o := Refresh(policy, req, facts, drawn, noon.Add(time.Minute)); o.Answer.Issue == nil {
		t.Errorf("%+v", o.Answer.Refused)
	}
}

func TestTheDirectClientCanBeDisabled(t *testing.T) {
	disabled, removed := directFacts(), directFacts()
	disabled.Client.Disabled, removed.Client = true, nil
	for _, f := range []ClientFacts{disabled, removed} {
		o := GrantDirect(policy, f, *ada(), refreshKey, drawn, noon)
		refusedWith(t, o.Answer.Refused, InvalidClient)
		if len(o.Changes) != 0 {
			t.Errorf("%+v", o.Changes)
		}
	}
}
