package store_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/store"
)

// What people do in a browser, as the server does it.

const redirectURI = "https://app.example.com/cb"

// signing is what is registered about a client that signs people in.
var signing = change.ClientMetadata{
	Public: true, Grants: []string{oauth.AuthorizationCodeGrant, oauth.RefreshTokenGrant},
	Scopes: []string{oauth.OpenID, oauth.OfflineAccess}, RedirectURIs: []string{redirectURI},
}

// webClient returns the client that it adds, which signs people in.
func webClient(t testing.TB, db *store.DB) string {
	t.Helper()
	id := newID("web-")
	apply(t, db, change.ClientAdded{Client: id, ClientMetadata: signing, At: db.Now()})
	return id
}

func cookieHash(db *store.DB, cookie string) []byte {
	return oauth.SessionHash(db.Secrets().Session, cookie)
}

// signedIn signs a person in in a browser with a cookie, or "", and returns its
// new one.
func signedIn(t testing.TB, db *store.DB, user, old string) (cookie string) {
	t.Helper()
	cookie = rand.Text()
	fresh := oauth.FreshSession{ID: newID("ses_"), SecretHash: cookieHash(db, cookie)}
	decide(t, db, func(tx *store.Tx, now time.Time) ([]change.Change, error) {
		u, err := tx.LockUser(user)
		if err != nil {
			return nil, err
		}
		f, err := tx.LockSessionFacts(cookieHash(db, old))
		if err != nil {
			return nil, err
		}
		_, changes := oauth.BeginSession(policy, f, oauth.User{ID: u.ID, Epoch: u.Epoch}, []string{oauth.Password}, "a browser", fresh, now)
		return changes, nil
	})
	return cookie
}

// session returns the living session of a cookie, or nil.
func session(t testing.TB, db *store.DB, cookie string) *oauth.Session {
	t.Helper()
	f, err := db.Read(context.Background()).SessionFacts(cookieHash(db, cookie))
	if err != nil {
		t.Error(err)
	}
	return f.SignedIn(db.Now())
}

func signOut(t testing.TB, db *store.DB, cookie string) {
	t.Helper()
	decide(t, db, func(tx *store.Tx, now time.Time) ([]change.Change, error) {
		f, err := tx.LockSessionFacts(cookieHash(db, cookie))
		if err != nil || f.SignedIn(now) == nil {
			return nil, err
		}
		return []change.Change{change.SessionEnded{Session: f.Session.ID, User: f.User.ID, At: now}}, nil
	})
}

// verifier is what an app keeps while its person decides. RFC 7636 §4.1.
const verifier = "a-code-verifier-has-43-characters-or-more-of-few-kinds"

func authorizationRequest(client, scope string) oauth.AuthorizationRequest {
	challenge := sha256.Sum256([]byte(verifier))
	return oauth.AuthorizationRequest{
		ClientID: client, RedirectURI: redirectURI, ResponseType: "code", Scope: scope, Prompt: "consent",
		CodeChallenge: base64.RawURLEncoding.EncodeToString(challenge[:]), CodeChallengeMethod: oauth.S256,
	}
}

// authorize lets a client have what it asks for, as the person of a cookie
// allows it on the consent page of a flow. The code is empty if it is refused.
func authorize(t testing.TB, db *store.DB, client, cookie, flow, scope string) (code string) {
	t.Helper()
	var answer oauth.Authorization
	fresh := oauth.FreshCode{Code: rand.Text()}
	fresh.Hash = oauth.CodeHash(db.Secrets().Code, fresh.Code)
	decide(t, db, func(tx *store.Tx, now time.Time) (changes []change.Change, err error) {
		f, err := tx.LockAuthorizationFacts(client, cookieHash(db, cookie), flow)
		if err != nil {
			return nil, err
		}
		act := oauth.Act{Answered: true, Allowed: true, Scope: []string{oauth.OpenID, oauth.OfflineAccess}}
		if f.Session != nil {
			act.Session, act.User = f.Session.ID, f.Session.User
		}
		answer, changes = oauth.Authorize(policy, oauth.Flow{ID: flow, Request: authorizationRequest(client, scope), Start: now}, act, f, fresh, now)
		return changes, nil
	})
	if answer.Response == nil || answer.Response.Refused != nil {
		return ""
	}
	return fresh.Code
}

// redeem does what the token endpoint does with a code, and returns nil when it
// is refused.
func redeem(t testing.TB, db *store.DB, client, code string) *oauth.Issue {
	t.Helper()
	var outcome oauth.Outcome
	decide(t, db, func(tx *store.Tx, now time.Time) (_ []change.Change, err error) {
		outcome, err = decideRedeem(tx, db, client, code, now)
		return outcome.Changes, err
	})
	return outcome.Answer.Issue
}

func decideRedeem(tx *store.Tx, db *store.DB, client, code string, now time.Time) (oauth.Outcome, error) {
	f, err := tx.LockCodeFacts(client, oauth.CodeHash(db.Secrets().Code, code))
	req := oauth.TokenRequest{
		Client:    oauth.Credentials{ID: client, Method: oauth.NoAuthentication},
		GrantType: oauth.AuthorizationCodeGrant, Code: code, RedirectURI: redirectURI, CodeVerifier: verifier,
	}
	return oauth.RedeemCode(policy, req, f, fresh(), now), err
}

// holds returns what a client gets by a code for the person of a cookie.
func holds(t testing.TB, db *store.DB, client, cookie, scope string) *oauth.Issue {
	t.Helper()
	issue := redeem(t, db, client, authorize(t, db, client, cookie, newID("flw_"), scope))
	if issue == nil {
		t.Fatal("the code is refused")
	}
	return issue
}

// withdraw takes back what a person allowed a client.
func withdraw(t testing.TB, db *store.DB, user, client string) {
	t.Helper()
	decide(t, db, func(tx *store.Tx, now time.Time) ([]change.Change, error) {
		_, err := tx.LockUser(user)
		return []change.Change{change.ConsentWithdrawn{User: user, Client: client, At: now}}, err
	})
}
