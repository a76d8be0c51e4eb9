package oauth

import (
	"time"

	"github.com/keywright/keywright/internal/change"
)

// Outcome is what a decider returns: the answer, and every change that must be
// committed before it is given, including those that a refusal makes.
type Outcome struct {
	Answer  Answer
	Changes []change.Change
}

// Answer is exactly one of its members.
type Answer struct {
	Refused *Refusal
	Issue   *Issue
}

// Issue is what to sign and hand out once the changes are committed.
type Issue struct {
	AccessToken  AccessToken
	RefreshToken string   // empty: none
	IDToken      *IDToken // nil: none
}

// Refusal is a protocol answer, not a failure: it commits its changes.
type Refusal struct {
	Code        string // registered in RFC 6749 §5.2 or its extensions
	Description string // one ASCII sentence for the developer
}

// Refusal codes. RFC 6749 §4.1.2.1 and §5.2, RFC 8707 §2, OpenID Connect Core §3.1.2.6.
const (
	InvalidRequest                  = "invalid_request"
	InvalidClient                   = "invalid_client"
	InvalidGrant                    = "invalid_grant"
	UnauthorizedClient              = "unauthorized_client"
	UnsupportedGrantType            = "unsupported_grant_type"
	UnsupportedResponseType         = "unsupported_response_type"
	InvalidScope                    = "invalid_scope"
	InvalidTarget                   = "invalid_target"
	AccessDenied                    = "access_denied"
	LoginRequired                   = "login_required"
	AccountSelectionRequired        = "account_selection_required"
	ConsentRequired                 = "consent_required"
	RequestNotSupported             = "request_not_supported"
	RequestURINotSupported          = "request_uri_not_supported"
	UnmetAuthenticationRequirements = "unmet_authentication_requirements" // its own specification
)

// Codes of faults that no standard names: they never leave our own pages.
const (
	FlowUsed        = "flow_used"
	FlowExpired     = "flow_expired"
	ConsentOfOthers = "consent_of_others"
)

func refuse(code, description string) *Refusal { return &Refusal{code, description} }

func refused(r *Refusal, changes ...change.Change) Outcome {
	return Outcome{Answer{Refused: r}, changes}
}

// Grant types beside that of codes. RFC 6749 §4.4, §6.
const (
	ClientCredentialsGrant = "client_credentials"
	RefreshTokenGrant      = "refresh_token"
)

// TokenRequest is a request to the token endpoint, decoded. An empty member was
// absent. RFC 6749 §3.2.
type TokenRequest struct {
	Client       Credentials
	GrantType    string
	Code         string
	RedirectURI  string
	CodeVerifier string
	RefreshToken string
	Scope        string
	Resources    []string
}

// Policy is what the operator chose.
type Policy struct {
	Issuer          string
	AccessTokenTTL  time.Duration
	RefreshGrace    time.Duration // how long a spent refresh token is taken for a retry
	RefreshIdle     time.Duration // a grant not refreshed for so long has ended
	RefreshAbsolute time.Duration // a grant so old has ended
	SessionIdle     time.Duration // a session not used for so long has ended
	SessionAbsolute time.Duration // a session so old, since the last sign-in, has ended
}

// Fresh holds the random values that a decision may need, drawn by its caller.
type Fresh struct {
	GrantID     string
	Random      [16]byte
	StatusIndex int64
	TokenSuffix string // makes the access token's id unique within its grant
}
