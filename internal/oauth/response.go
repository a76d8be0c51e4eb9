package oauth

import (
	"slices"
	"strings"
)

// AuthorizationResponse goes back to the client. RFC 6749 §4.1.2.
type AuthorizationResponse struct {
	RedirectURI string
	Mode        string // query or form_post
	Parameters  []Parameter
	Refused     *Refusal // it says no
}

// Unasked says of a response that it refuses before the person has done
// anything, where the client did not ask for just that by prompt=none.
func (r *AuthorizationResponse) Unasked(req AuthorizationRequest, act Act) bool {
	return r.Refused != nil && !act.Answered && req.Prompt != promptNone
}

// Parameter is a name and a value.
type Parameter struct{ Name, Value string }

// Response modes. OAuth 2.0 Multiple Response Types §2.1, Form Post Response Mode.
const (
	QueryMode    = "query"
	FormPostMode = "form_post"
)

var responseModes = []string{QueryMode, FormPostMode}

// Verified is a request whose client and redirect URI are right: only it can
// build a response.
type Verified struct {
	issuer      string
	client      *Client
	redirectURI string
	mode        string
	state       string
}

func (v Verified) respond(refused *Refusal, parameters ...Parameter) *AuthorizationResponse {
	if v.state != "" && len(v.state) <= maxEchoed { // a longer one makes the address too long: see lengths
		parameters = append(parameters, Parameter{"state", v.state})
	}
	parameters = append(parameters, Parameter{"iss", v.issuer}) // RFC 9207 §2
	return &AuthorizationResponse{v.redirectURI, v.mode, parameters, refused}
}

func (v Verified) refuse(r *Refusal) *AuthorizationResponse {
	return v.respond(r, Parameter{"error", r.Code}, Parameter{"error_description", r.Description})
}

// responseMode also decides how everything after it is answered.
func (a *authorization) responseMode() (*Refusal, *Ask) {
	mode, allowed := a.req.ResponseMode, a.client.ResponseModes
	if len(allowed) == 0 {
		allowed = responseModes
	}
	if !slices.Contains(allowed, QueryMode) {
		a.mode = allowed[0]
	}
	switch {
	case mode == "":
	case !slices.Contains(responseModes, mode):
		return refuse(InvalidRequest, "response_mode must be query or form_post"), nil
	case !slices.Contains(allowed, mode):
		return refuse(InvalidRequest, "this client is not registered for response_mode "+quote(mode)), nil
	default:
		a.mode = mode
	}
	if a.mode == FormPostMode && isApp(a.redirectURI) {
		a.mode = QueryMode
		return refuse(InvalidRequest, "response_mode form_post needs a redirect URI on the web"), nil
	}
	return nil, nil
}

// isApp says of a redirect URI that is registered that it leads to an app on the
// person's device, not to the web. RFC 8252 §7.1.
func isApp(uri string) bool {
	return !strings.HasPrefix(uri, "https://") && !strings.HasPrefix(uri, "http://")
}
