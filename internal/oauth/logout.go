package oauth

import (
	"time"

	"github.com/keywright/keywright/internal/change"
)

// EndSessionRequest is a request to the end session endpoint, decoded. OpenID
// Connect RP-Initiated Logout 1.0 §2.
type EndSessionRequest struct {
	IDTokenHint           string
	Hint                  *IDTokenHint // of IDTokenHint; nil: it is none of ours
	ClientID              string
	PostLogoutRedirectURI string
	State                 string
	Repeated              []string
}

// Client returns whose request it says it is, or "". A hint was issued to one client.
func (req EndSessionRequest) Client() string {
	if req.ClientID == "" && req.Hint != nil && len(req.Hint.Audience) == 1 {
		return req.Hint.Audience[0]
	}
	return req.ClientID
}

// EndSessionFacts are what it is decided on.
type EndSessionFacts struct {
	Client *Client // that the request names; nil: none, or unknown
	SessionFacts
}

// EndSessionAnswer is exactly one of Fault, Ask and Done.
type EndSessionAnswer struct {
	Fault *Fault
	Ask   bool // the person must say that they want to sign out
	Done  bool
	// Return is where to go then, empty for nowhere. Whoever asked without
	// proof is only offered it, as a link.
	Return  string
	Proved  bool
	Session *Session // that ended, or would; nil: nobody is signed in
}

// EndSession decides a logout request. OpenID Connect RP-Initiated Logout 1.0
// §2, §3. Nothing of a bad request leads anywhere, and nobody is signed out
// without their word or an ID token that was issued to them.
func EndSession(req EndSessionRequest, f EndSessionFacts, confirmed bool, now time.Time) (EndSessionAnswer, []change.Change) {
	if fault := checkEndSession(req, f.Client); fault != nil {
		return EndSessionAnswer{Fault: fault}, nil
	}
	session := f.SignedIn(now)
	answer := EndSessionAnswer{
		Return: returnTo(req), Session: session,
		Proved: req.Hint != nil && (session == nil || req.Hint.isOf(session)),
	}
	if session != nil && !answer.Proved && !confirmed {
		answer.Ask = true
		return answer, nil
	}
	answer.Done = true
	if session == nil {
		return answer, nil
	}
	return answer, []change.Change{change.SessionEnded{Session: session.ID, User: session.User, At: now}}
}

func checkEndSession(req EndSessionRequest, c *Client) *Fault {
	switch {
	case len(req.Repeated) > 0:
		return fault(InvalidRequest, "a parameter stands more than once", req.Repeated[0], "", nil)
	case req.IDTokenHint != "" && req.Hint == nil:
		return fault(InvalidRequest, "id_token_hint is no ID token of this server", "id_token_hint", "", nil)
	case req.Hint != nil && req.ClientID != "" && !req.Hint.isFor(req.ClientID):
		return fault(InvalidRequest, "id_token_hint was issued to another client than client_id", "client_id", req.ClientID, req.Hint.Audience)
	case req.Client() != "" && (c == nil || c.Disabled):
		return fault(InvalidClient, "no client is registered under this client_id", "client_id", req.Client(), nil)
	case req.PostLogoutRedirectURI == "":
		return nil
	case c == nil:
		return fault(InvalidRequest, "post_logout_redirect_uri needs id_token_hint or client_id beside it", "post_logout_redirect_uri", req.PostLogoutRedirectURI, nil)
	case !c.HasPostLogoutRedirectURI(req.PostLogoutRedirectURI):
		return fault(InvalidRequest, "post_logout_redirect_uri is not registered for this client", "post_logout_redirect_uri",
			req.PostLogoutRedirectURI, c.PostLogoutRedirectURIs)
	case len(req.State) > maxEchoed:
		return fault(InvalidRequest, "state is longer than 4,096 bytes", "state", "", nil)
	}
	return nil
}

// returnTo adds the state to a post-logout redirect URI that was checked.
func returnTo(req EndSessionRequest) string {
	if req.PostLogoutRedirectURI == "" || req.State == "" {
		return req.PostLogoutRedirectURI
	}
	return WithQuery(req.PostLogoutRedirectURI, Parameter{"state", req.State})
}

// LogoutToken is the content of a logout token. OpenID Connect Back-Channel
// Logout 1.0 §2.4.
type LogoutToken struct {
	Algorithm string
	Issuer    string
	Audience  string
	Subject   string
	Session   string
	ID        string
	IssuedAt  time.Time
	ExpiresAt time.Time
}

// logoutTokenTTL follows OpenID Connect Back-Channel Logout 1.0 §2.4.
const logoutTokenTTL = 2 * time.Minute

// NewLogoutToken tells c that a session has ended. It is signed as c's ID tokens are.
func NewLogoutToken(p Policy, c *Client, user, session, id string, now time.Time) LogoutToken {
	return LogoutToken{
		Algorithm: c.idTokenAlg(), Issuer: p.Issuer, Audience: c.ID, Subject: user, Session: session, ID: id,
		IssuedAt: now, ExpiresAt: now.Add(logoutTokenTTL),
	}
}

// logoutPauses lie between the tries to tell a client; after the last it is given up.
var logoutPauses = []time.Duration{
	2 * time.Second, 10 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour,
}

// Logout is a client that has not heard yet that a session ended.
type Logout struct {
	ID      string
	Client  string
	User    string
	Session string
	Tries   int64
}

// LogoutTried decides what becomes of it after a try: done, once more, or given up.
func LogoutTried(l Logout, delivered bool, now time.Time) change.Change {
	if delivered || l.Tries >= int64(len(logoutPauses)) {
		return change.LogoutTold{ID: l.ID}
	}
	return change.LogoutDelayed{ID: l.ID, Client: l.Client, Tries: l.Tries + 1, Next: now.Add(logoutPauses[l.Tries])}
}

// FrontchannelLogout returns where the browser tells c that a session has ended,
// or "". OpenID Connect Front-Channel Logout 1.0 §2.
func FrontchannelLogout(p Policy, c *Client, session string) string {
	if c == nil || c.Disabled || c.FrontchannelLogoutURI == "" {
		return ""
	}
	return WithQuery(c.FrontchannelLogoutURI, Parameter{"iss", p.Issuer}, Parameter{"sid", session})
}
