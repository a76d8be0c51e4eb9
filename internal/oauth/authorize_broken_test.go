package oauth

import (
	"slices"
	"strings"
	"time"

	"github.com/keywright/keywright/internal/change"
)

// falseFacts is Authorize on other facts than the true ones.
func falseFacts(alter func(*Flow, *Act, *AuthorizationFacts, time.Time)) signInRules {
	r := trueRules
	r.authorize = func(p Policy, flow Flow, act Act, f AuthorizationFacts, fresh FreshCode, now time.Time) (Authorization, []change.Change) {
		alter(&flow, &act, &f, now)
		return Authorize(p, flow, act, f, fresh, now)
	}
	return r
}

// falseRequest is Authorize on a request without one of its wishes.
func falseRequest(alter func(*AuthorizationRequest)) signInRules {
	return falseFacts(func(flow *Flow, _ *Act, _ *AuthorizationFacts, _ time.Time) { alter(&flow.Request) })
}

// falseCode is RedeemCode on other facts than the true ones.
func falseCode(alter func(*CodeFacts, time.Time)) signInRules {
	r := trueRules
	r.redeem = func(p Policy, req TokenRequest, f CodeFacts, fresh Fresh, now time.Time) Outcome {
		alter(&f, now)
		return RedeemCode(p, req, f, fresh, now)
	}
	return r
}

// falseGrant is Refresh on other facts than the true ones.
func falseGrant(alter func(*RefreshFacts, time.Time)) signInRules {
	r := trueRules
	r.refresh = func(p Policy, req TokenRequest, f RefreshFacts, fresh Fresh, now time.Time) Outcome {
		grant := *f.Grant
		f.Grant = &grant
		alter(&f, now)
		return Refresh(p, req, f, fresh, now)
	}
	return r
}

func without(prompt string) func(*AuthorizationRequest) {
	return func(req *AuthorizationRequest) {
		req.Prompt = strings.Join(slices.DeleteFunc(strings.Fields(req.Prompt), func(p string) bool { return p == prompt }), " ")
	}
}

// brokenSignIns are what somebody might write instead of the rules.
var brokenSignIns = map[string]signInRules{
	"a flow ends as often as it is posted": falseFacts(func(_ *Flow, _ *Act, f *AuthorizationFacts, _ time.Time) { f.FlowEnded = false }),
	"a consent page is good for whoever posts it": falseFacts(func(_ *Flow, act *Act, f *AuthorizationFacts, _ time.Time) {
		if f.Session != nil {
			act.Session, act.User = f.Session.ID, f.User.ID
		}
	}),
	"a consent page is sealed to the person alone": falseFacts(func(_ *Flow, act *Act, f *AuthorizationFacts, _ time.Time) {
		if f.Session != nil {
			act.Session = f.Session.ID
		}
	}),
	"a consent page allows whatever is needed by now": falseFacts(func(_ *Flow, act *Act, _ *AuthorizationFacts, _ time.Time) {
		act.Scope, act.Audiences = everyScope, everyScope
	}),
	"to deny is to allow": falseFacts(func(_ *Flow, act *Act, _ *AuthorizationFacts, _ time.Time) { act.Allowed = true }),
	"to answer is to need no page": falseFacts(func(_ *Flow, act *Act, f *AuthorizationFacts, _ time.Time) {
		if act.Answered {
			f.Consented, f.ConsentedAudiences = everyScope, everyScope
		}
	}),
	"what was allowed one client is allowed all": falseFacts(func(_ *Flow, _ *Act, f *AuthorizationFacts, _ time.Time) {
		f.Consented, f.ConsentedAudiences = everyScope, everyScope
	}),
	"consent is to scopes alone": falseFacts(func(_ *Flow, act *Act, f *AuthorizationFacts, _ time.Time) {
		act.Audiences, f.ConsentedAudiences = everyScope, everyScope
	}),
	"every client is trusted": falseFacts(func(_ *Flow, _ *Act, f *AuthorizationFacts, _ time.Time) {
		c := *f.Client
		c.Trusted = true
		f.Client = &c
	}),
	"no client is trusted": falseFacts(func(_ *Flow, _ *Act, f *AuthorizationFacts, _ time.Time) {
		c := *f.Client
		c.Trusted = false
		f.Client = &c
	}),
	"a disabled client goes on": falseFacts(func(_ *Flow, _ *Act, f *AuthorizationFacts, _ time.Time) {
		c := *f.Client
		c.Disabled = false
		f.Client = &c
	}),
	"any redirect URI will do": falseFacts(func(flow *Flow, _ *Act, f *AuthorizationFacts, _ time.Time) {
		c := *f.Client
		c.RedirectURIs = []string{flow.Request.RedirectURI}
		f.Client = &c
	}),
	"prompt=none is not looked at":           falseRequest(without(promptNone)),
	"prompt=login is not looked at":          falseRequest(without(promptLogin)),
	"prompt=consent is not looked at":        falseRequest(without(promptConsent)),
	"prompt=select_account is not looked at": falseRequest(without(promptSelectAccount)),
	"max_age is not looked at":               falseRequest(func(req *AuthorizationRequest) { req.MaxAge = "" }),
	"prompt=login is measured against now": falseFacts(func(flow *Flow, _ *Act, _ *AuthorizationFacts, now time.Time) {
		flow.Start = now
		flow.Request.MaxAge = ""
	}),
	"a session that was signed out lives on": falseFacts(func(_ *Flow, _ *Act, f *AuthorizationFacts, _ time.Time) {
		if f.Session != nil {
			f.Session.EndedAt = time.Time{}
		}
	}),
	"an idle session lives on": falseFacts(func(_ *Flow, _ *Act, f *AuthorizationFacts, _ time.Time) {
		if f.Session != nil {
			f.Session.ExpiresAt = f.Session.EndsAt
		}
	}),
	"a session outlives that its person is disabled": falseFacts(func(_ *Flow, _ *Act, f *AuthorizationFacts, _ time.Time) {
		if f.Session != nil {
			f.Session.UserEpoch = f.User.Epoch
		}
	}),
	"a session becomes another person's": func() signInRules {
		r := trueRules
		r.begin = func(p Policy, f SessionFacts, u User, methods []string, browser string, fresh FreshSession, now time.Time) (*Session, []change.Change) {
			if f.SignedIn(now) != nil {
				u.ID = f.Session.User
			}
			return BeginSession(p, f, u, methods, browser, fresh, now)
		}
		return r
	}(),
	"another person's session goes on beside the new one": func() signInRules {
		r := trueRules
		r.begin = func(p Policy, _ SessionFacts, u User, methods []string, browser string, fresh FreshSession, now time.Time) (*Session, []change.Change) {
			return BeginSession(p, SessionFacts{GlobalEpoch: globalEpoch}, u, methods, browser, fresh, now)
		}
		return r
	}(),
	"claims by name are stored as they were sent": func() signInRules {
		r := trueRules
		r.authorize = func(p Policy, flow Flow, act Act, f AuthorizationFacts, fresh FreshCode, now time.Time) (Authorization, []change.Change) {
			a, changes := Authorize(p, flow, act, f, fresh, now)
			for i, c := range changes {
				if code, ok := c.(change.CodeIssued); ok {
					code.Claims = flow.Request.Claims
					changes[i] = code
				}
			}
			return a, changes
		}
		return r
	}(),
	"a code is redeemed as often as it is presented": falseCode(func(f *CodeFacts, _ time.Time) { f.Code.Grant = "" }),
	"a replayed code is refused and nothing more": func() signInRules {
		r := trueRules
		r.redeem = func(p Policy, req TokenRequest, f CodeFacts, fresh Fresh, now time.Time) Outcome {
			o := RedeemCode(p, req, f, fresh, now)
			if o.Answer.Refused != nil {
				o.Changes = nil
			}
			return o
		}
		return r
	}(),
	"a code is whosever client presents it":                   falseCode(func(f *CodeFacts, _ time.Time) { f.Code.Client = f.Authenticating.ID }),
	"a code does not expire":                                  falseCode(func(f *CodeFacts, now time.Time) { f.Code.ExpiresAt = now.Add(moment) }),
	"a code outlives consent":                                 falseCode(func(f *CodeFacts, _ time.Time) { f.Code.RevokedAt = time.Time{} }),
	"a code outlives that its client is disabled and enabled": falseCode(func(f *CodeFacts, _ time.Time) { f.Code.ClientEpoch = f.Authenticating.Epoch }),
	"a code outlives its session": falseCode(func(f *CodeFacts, now time.Time) {
		f.Session.EndedAt, f.Session.ExpiresAt, f.Session.EndsAt = time.Time{}, now.Add(moment), now.Add(moment)
	}),
	"a code outlives that its person is disabled": falseCode(func(f *CodeFacts, _ time.Time) {
		f.User.Disabled, f.Code.UserEpoch, f.Session.UserEpoch = false, f.User.Epoch, f.User.Epoch
	}),
	"what was issued outlives its session": falseGrant(func(f *RefreshFacts, _ time.Time) { f.Grant.Session = "" }),
	"offline_access ends with the session": falseGrant(func(f *RefreshFacts, _ time.Time) { f.Grant.Scope = []string{OpenID} }),
	"offline_access outlives consent":      falseGrant(func(f *RefreshFacts, _ time.Time) { f.Grant.RevokedAt = time.Time{} }),
	"offline_access outlives that its person is disabled": falseGrant(func(f *RefreshFacts, _ time.Time) {
		f.User.Disabled, f.Grant.UserEpoch = false, f.User.Epoch
	}),
	"signing out ends nothing": func() signInRules {
		r := trueRules
		r.end = func(req EndSessionRequest, f EndSessionFacts, confirmed bool, now time.Time) (EndSessionAnswer, []change.Change) {
			answer, _ := EndSession(req, f, confirmed, now)
			return answer, nil
		}
		return r
	}(),
}
