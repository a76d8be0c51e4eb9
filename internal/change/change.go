// Package change holds the facts that can happen in Keywright.
//
// Deciders (packages oauth and account) return changes, and store.Tx.Apply is
// the only code that turns them into rows. The package imports nothing.
package change

import "time"

// Change is one fact. Its name is fixed: a fact whose meaning or fields change
// gets a new version, since the journal keeps the old ones for ever.
type Change interface {
	Fact() (name string, kind Kind)
}

// Kind says what a change writes.
type Kind int

const (
	// State changes a row and nothing else.
	State Kind = iota
	// Audit changes a row and adds one to the journal. The journal row is the
	// change as JSON, so whatever is secret or personal carries `json:"-"`.
	Audit
)

// Origin says who made a request and from where. It stands in each journal row
// that the request writes, so all its members are opaque ids.
type Origin struct {
	Actor   string `json:"actor,omitempty"`   // a user's or client's id, "operator" or "system"
	Client  string `json:"client,omitempty"`  // through which client
	Address string `json:"address,omitempty"` // keyed hash of the network address
	Request string `json:"request,omitempty"` // the id that the log line carries
}

// People.

// UserRegistered adds a person.
type UserRegistered struct {
	User           string    `json:"user"`
	Email          string    `json:"-"`
	CanonicalEmail string    `json:"-"`
	Name           string    `json:"-"`
	PasswordHash   string    `json:"-"`
	At             time.Time `json:"-"`
}

// RegistrationRepeated says that somebody tried to register an address that
// has its person already. Nothing but the journal changes.
type RegistrationRepeated struct {
	User string `json:"user"`
}

// PasswordRehashed stores the same password under today's parameters, unless
// the credential has changed since Version.
type PasswordRehashed struct {
	User         string
	PasswordHash string
	Version      int64
}

// UserDisabled refuses a person and ends what they hold.
type UserDisabled struct {
	User string    `json:"user"`
	At   time.Time `json:"-"`
}

// UserEnabled admits a person again. What was ended stays ended.
type UserEnabled struct {
	User string `json:"user"`
}

// UserSessionsEnded ends every session and grant of a person.
type UserSessionsEnded struct {
	User string `json:"user"`
}

// ProfileChanged replaces what a person says about themselves.
type ProfileChanged struct {
	User    string    `json:"user"`
	Name    string    `json:"-"`
	Phone   string    `json:"-"`
	Address string    `json:"-"`
	At      time.Time `json:"-"`
}

// PasswordChanged replaces a password and ends every session and grant of the person.
type PasswordChanged struct {
	User         string    `json:"user"`
	PasswordHash string    `json:"-"`
	At           time.Time `json:"-"`
}

// Sessions.

// SessionStarted signs a person in in one browser.
type SessionStarted struct {
	Session     string    `json:"session"`
	User        string    `json:"user"`
	SecretHash  []byte    `json:"-"` // of what the cookie holds
	Methods     []string  `json:"methods"`
	Browser     string    `json:"-"`
	UserEpoch   int64     `json:"-"`
	GlobalEpoch int64     `json:"-"`
	At          time.Time `json:"-"`
	ExpiresAt   time.Time `json:"-"` // unless it is used before
	EndsAt      time.Time `json:"-"` // however it is used
}

// SessionRenewed says that the person proved again who they are. The cookie
// changes, and the session's relying parties stay.
type SessionRenewed struct {
	Session    string    `json:"session"`
	SecretHash []byte    `json:"-"`
	Methods    []string  `json:"methods"`
	UserEpoch  int64     `json:"-"`
	At         time.Time `json:"-"`
	ExpiresAt  time.Time `json:"-"`
	EndsAt     time.Time `json:"-"`
}

// SessionSeen keeps a session from falling idle.
type SessionSeen struct {
	Session   string
	At        time.Time
	ExpiresAt time.Time
}

// SessionEnded signs a person out in one browser.
type SessionEnded struct {
	Session string    `json:"session"`
	User    string    `json:"user"`
	At      time.Time `json:"-"`
}

// AttemptsReserved counts a sign-in attempt before its password is hashed.
type AttemptsReserved struct {
	Buckets []AttemptBucket
}

// AttemptBucket is one counter's new value.
type AttemptBucket struct {
	Key       string
	Failures  int64
	ExpiresAt time.Time
}

// AttemptsReturned gives a reservation back, because the sign-in succeeded.
type AttemptsReturned struct {
	Keys []string
}

// SignInThrottled says that a limit was reached: Limit is "account",
// "address" or "sign-up". The person is not named, since there may be none.
type SignInThrottled struct {
	Limit string `json:"limit"`
	Key   string `json:"bucket"`
}

// Clients.

// ClientMetadata is what was registered about a client beside its id and its
// secret. RFC 7591 §2, OpenID Connect Dynamic Client Registration 1.0 §2.
type ClientMetadata struct {
	Public                 bool          `json:"public"`
	Name                   string        `json:"name,omitempty"`
	Native                 bool          `json:"native,omitempty"`
	AuthMethod             string        `json:"auth_method,omitempty"`
	JWKS                   string        `json:"jwks,omitempty"`
	JWKSURI                string        `json:"jwks_uri,omitempty"`
	Grants                 []string      `json:"grants,omitempty"`
	ResponseModes          []string      `json:"response_modes,omitempty"`
	Scopes                 []string      `json:"scopes,omitempty"`
	Audiences              []string      `json:"audiences,omitempty"`
	Serves                 []string      `json:"serves,omitempty"`
	RedirectURIs           []string      `json:"redirect_uris,omitempty"`
	PostLogoutRedirectURIs []string      `json:"post_logout_redirect_uris,omitempty"`
	BackchannelLogoutURI   string        `json:"backchannel_logout_uri,omitempty"`
	FrontchannelLogoutURI  string        `json:"frontchannel_logout_uri,omitempty"`
	Origins                []string      `json:"origins,omitempty"`
	AccessTokenTTL         time.Duration `json:"access_token_ttl,omitempty"`
	IDTokenAlg             string        `json:"id_token_alg,omitempty"`
	UserInfoAlg            string        `json:"userinfo_alg,omitempty"`
	PKCEOptional           bool          `json:"pkce_optional,omitempty"`
	Trusted                bool          `json:"trusted,omitempty"`
	RegisteredBy           string        `json:"registered_by,omitempty"`
}

// ClientAdded registers a client.
type ClientAdded struct {
	Client            string `json:"client"`
	SecretHash        []byte `json:"-"`
	RegistrationToken []byte `json:"-"` // the hash of the token that may change it; RFC 7592 §3
	ClientMetadata
	At time.Time `json:"-"`
}

// ClientChanged replaces what is registered about a client. Whoever makes it has
// decided what became of its secret: nil leaves it.
type ClientChanged struct {
	Client     string `json:"client"`
	SecretHash []byte `json:"-"`
	ClientMetadata
}

// RegistrationTokenAdded lets its bearer register clients, Uses times. RFC 7591 §3.
type RegistrationTokenAdded struct {
	Token     string    `json:"registration_token"`
	Hash      []byte    `json:"-"`
	Uses      int64     `json:"uses"`
	ExpiresAt time.Time `json:"expires_at"`
	At        time.Time `json:"-"`
}

// RegistrationTokenUsed counts a use.
type RegistrationTokenUsed struct {
	Token string
}

// RegistrationTokenRemoved ends one.
type RegistrationTokenRemoved struct {
	Token string `json:"registration_token"`
}

// ClientAssertionUsed makes a client assertion's id unusable. RFC 7523 §3.
type ClientAssertionUsed struct {
	Client    string
	ID        string // the jti, hashed
	ExpiresAt time.Time
}

// ClientDisabled refuses a client and ends its grants.
type ClientDisabled struct {
	Client string    `json:"client"`
	At     time.Time `json:"-"`
}

// ClientEnabled admits a client again. Its old grants stay ended.
type ClientEnabled struct {
	Client string `json:"client"`
}

// ClientSecretReplaced replaces a client's secret; the old one is refused at once.
type ClientSecretReplaced struct {
	Client     string `json:"client"`
	SecretHash []byte `json:"-"`
}

// ClientRemoved deletes a client and every grant of it.
type ClientRemoved struct {
	Client string `json:"client"`
}

// Grants and tokens.

// CodeIssued lets a client redeem a person's decision, once. RFC 6749 §4.1.2.
type CodeIssued struct {
	Hash            []byte    `json:"-"`
	Flow            string    `json:"flow"` // which can end in one code only
	Client          string    `json:"client"`
	User            string    `json:"user"`
	Session         string    `json:"session"`
	RedirectURI     string    `json:"-"`
	RedirectURISent bool      `json:"-"`
	CodeChallenge   string    `json:"-"`
	Nonce           string    `json:"-"`
	Scope           []string  `json:"scope,omitempty"`
	Audiences       []string  `json:"audiences,omitempty"`
	Claims          string    `json:"-"` // that were asked for by name; OpenID Connect Core §5.5
	Methods         []string  `json:"-"`
	AuthTime        time.Time `json:"-"`
	UserEpoch       int64     `json:"-"`
	ClientEpoch     int64     `json:"-"`
	GlobalEpoch     int64     `json:"-"`
	At              time.Time `json:"-"`
	ExpiresAt       time.Time `json:"-"`
}

// CodeRedeemed turns a code into a grant.
type CodeRedeemed struct {
	Hash  []byte
	Grant string
	At    time.Time
}

// ConsentGiven remembers what a person allows a client. OpenID Connect Core §3.1.2.4.
type ConsentGiven struct {
	User   string   `json:"user"`
	Client string   `json:"client"`
	Scope  []string `json:"scope"`
	// Audiences are the APIs that the tokens are for.
	Audiences []string  `json:"audiences,omitempty"`
	At        time.Time `json:"-"`
}

// ConsentWithdrawn forgets it, and ends every code and grant of the client for
// the person.
type ConsentWithdrawn struct {
	User   string    `json:"user"`
	Client string    `json:"client"`
	At     time.Time `json:"-"`
}

// ConsentsForgotten says that a client is no longer what people have allowed.
type ConsentsForgotten struct {
	Client string `json:"client"`
}

// GrantIssued is the birth of what a client holds: everything issued hangs on it.
type GrantIssued struct {
	Grant       string    `json:"grant"`
	Client      string    `json:"client"`
	User        string    `json:"user,omitempty"`    // empty: the client itself
	Session     string    `json:"session,omitempty"` // in which it was issued; empty: none
	Methods     []string  `json:"-"`                 // how the person signed in
	Claims      string    `json:"-"`                 // that were asked for by name; OpenID Connect Core §5.5
	Scope       []string  `json:"scope,omitempty"`
	Audiences   []string  `json:"audiences,omitempty"`
	Random      [16]byte  `json:"-"`
	KeyID       byte      `json:"-"`
	StatusIndex int64     `json:"-"`
	UserEpoch   int64     `json:"-"`
	ClientEpoch int64     `json:"-"`
	GlobalEpoch int64     `json:"-"`
	AuthTime    time.Time `json:"-"` // zero: the client itself
	At          time.Time `json:"-"`
	ExpiresAt   time.Time `json:"-"` // zero: never
}

// GrantRotated makes Generation the current one.
type GrantRotated struct {
	Grant      string
	Generation int64
	At         time.Time
}

// GrantRecovered says that a token of a generation above the row's was
// presented: the database lost commits. The row moves past it.
type GrantRecovered struct {
	Grant      string    `json:"grant"`
	Had        int64     `json:"had"`
	Generation int64     `json:"generation"`
	At         time.Time `json:"-"`
}

// GrantRevoked ends a grant and everything issued from it.
type GrantRevoked struct {
	Grant  string    `json:"grant"`
	Reason string    `json:"reason"` // "revocation" or "replay"
	At     time.Time `json:"-"`
}

// AccessTokenRevoked ends one access token before it expires.
type AccessTokenRevoked struct {
	Grant     string    `json:"grant"`
	TokenID   string    `json:"token_id"`
	ExpiresAt time.Time `json:"-"`
}

// Keys.

// SigningKeyAdded publishes a key that may sign from ReadyAt and will from SignsFrom.
type SigningKeyAdded struct {
	KeyID       string    `json:"kid"`
	Algorithm   string    `json:"alg"`
	PrivateKey  []byte    `json:"-"` // PKCS #8; the store seals it
	PublishedAt time.Time `json:"-"`
	ReadyAt     time.Time `json:"-"`
	SignsFrom   time.Time `json:"signs_from"`
}

// SigningKeyPromoted moves the moment from which a key signs: ahead, when the
// operator rotates, or to now, when its algorithm is taken up again.
type SigningKeyPromoted struct {
	KeyID     string    `json:"kid"`
	SignsFrom time.Time `json:"signs_from"`
}

// Logout.

// LogoutOwed says that clients must hear of ended sessions: all of a person's,
// or Session alone. OpenID Connect Back-Channel Logout 1.0 §2.
type LogoutOwed struct {
	ID      string
	Client  string
	User    string
	Session string
	At      time.Time
}

// LogoutTold says that the client knows, or that nobody will try any more.
type LogoutTold struct {
	ID string
}

// LogoutDelayed says when to try again; until then nothing else is tried with
// the client either.
type LogoutDelayed struct {
	ID     string
	Client string
	Tries  int64
	Next   time.Time
}

// JournalRead moves the cursor of a subscriber.
type JournalRead struct {
	Subscriber string
	Number     int64
}

// SigningKeyRemoved withdraws a key whose last token has expired.
type SigningKeyRemoved struct {
	KeyID string `json:"kid"`
}

func (UserRegistered) Fact() (string, Kind)           { return "user.registered.v1", Audit }
func (RegistrationRepeated) Fact() (string, Kind)     { return "user.registration_repeated.v1", Audit }
func (PasswordRehashed) Fact() (string, Kind)         { return "user.password_rehashed.v1", State }
func (UserDisabled) Fact() (string, Kind)             { return "user.disabled.v1", Audit }
func (UserEnabled) Fact() (string, Kind)              { return "user.enabled.v1", Audit }
func (UserSessionsEnded) Fact() (string, Kind)        { return "user.sessions_ended.v1", Audit }
func (ProfileChanged) Fact() (string, Kind)           { return "user.profile_changed.v1", Audit }
func (PasswordChanged) Fact() (string, Kind)          { return "user.password_changed.v1", Audit }
func (SessionStarted) Fact() (string, Kind)           { return "session.started.v1", Audit }
func (SessionRenewed) Fact() (string, Kind)           { return "session.renewed.v1", Audit }
func (SessionSeen) Fact() (string, Kind)              { return "session.seen.v1", State }
func (SessionEnded) Fact() (string, Kind)             { return "session.ended.v1", Audit }
func (CodeIssued) Fact() (string, Kind)               { return "code.issued.v1", Audit }
func (CodeRedeemed) Fact() (string, Kind)             { return "code.redeemed.v1", State }
func (ConsentGiven) Fact() (string, Kind)             { return "consent.given.v1", Audit }
func (ConsentsForgotten) Fact() (string, Kind)        { return "consents.forgotten.v1", Audit }
func (ConsentWithdrawn) Fact() (string, Kind)         { return "consent.withdrawn.v1", Audit }
func (LogoutOwed) Fact() (string, Kind)               { return "logout.owed.v1", State }
func (LogoutTold) Fact() (string, Kind)               { return "logout.told.v1", State }
func (LogoutDelayed) Fact() (string, Kind)            { return "logout.delayed.v1", State }
func (JournalRead) Fact() (string, Kind)              { return "journal.read.v1", State }
func (AttemptsReserved) Fact() (string, Kind)         { return "attempts.reserved.v1", State }
func (AttemptsReturned) Fact() (string, Kind)         { return "attempts.returned.v1", State }
func (SignInThrottled) Fact() (string, Kind)          { return "sign_in.throttled.v1", Audit }
func (ClientAdded) Fact() (string, Kind)              { return "client.added.v2", Audit }
func (ClientChanged) Fact() (string, Kind)            { return "client.changed.v1", Audit }
func (RegistrationTokenAdded) Fact() (string, Kind)   { return "registration_token.added.v1", Audit }
func (RegistrationTokenUsed) Fact() (string, Kind)    { return "registration_token.used.v1", State }
func (RegistrationTokenRemoved) Fact() (string, Kind) { return "registration_token.removed.v1", Audit }
func (ClientAssertionUsed) Fact() (string, Kind)      { return "client_assertion.used.v1", State }
func (ClientDisabled) Fact() (string, Kind)           { return "client.disabled.v1", Audit }
func (ClientEnabled) Fact() (string, Kind)            { return "client.enabled.v1", Audit }
func (ClientSecretReplaced) Fact() (string, Kind)     { return "client.secret_replaced.v1", Audit }
func (ClientRemoved) Fact() (string, Kind)            { return "client.removed.v1", Audit }
func (GrantIssued) Fact() (string, Kind)              { return "grant.issued.v2", Audit }
func (GrantRotated) Fact() (string, Kind)             { return "grant.rotated.v1", State }
func (GrantRecovered) Fact() (string, Kind)           { return "grant.recovered.v1", Audit }
func (GrantRevoked) Fact() (string, Kind)             { return "grant.revoked.v1", Audit }
func (AccessTokenRevoked) Fact() (string, Kind)       { return "access_token.revoked.v1", Audit }
func (SigningKeyAdded) Fact() (string, Kind)          { return "signing_key.added.v1", Audit }
func (SigningKeyPromoted) Fact() (string, Kind)       { return "signing_key.promoted.v1", Audit }
func (SigningKeyRemoved) Fact() (string, Kind)        { return "signing_key.removed.v1", Audit }
