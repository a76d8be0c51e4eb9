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

// SignInThrottled says that a limit was reached: Limit is "account" or
// "address". The person is not named, since there may be none.
type SignInThrottled struct {
	Limit string `json:"limit"`
	Key   string `json:"bucket"`
}

// Clients.

// ClientAdded registers a client.
type ClientAdded struct {
	Client                 string        `json:"client"`
	Public                 bool          `json:"public"`
	SecretHash             []byte        `json:"-"`
	Grants                 []string      `json:"grants,omitempty"`
	Scopes                 []string      `json:"scopes,omitempty"`
	Audiences              []string      `json:"audiences,omitempty"`
	Serves                 []string      `json:"serves,omitempty"`
	RedirectURIs           []string      `json:"redirect_uris,omitempty"`
	PostLogoutRedirectURIs []string      `json:"post_logout_redirect_uris,omitempty"`
	Origins                []string      `json:"origins,omitempty"`
	AccessTokenTTL         time.Duration `json:"access_token_ttl,omitempty"`
	At                     time.Time     `json:"-"`
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

// GrantIssued is the birth of what a client holds: everything issued hangs on it.
type GrantIssued struct {
	Grant       string    `json:"grant"`
	Client      string    `json:"client"`
	User        string    `json:"user,omitempty"` // empty: the client itself
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

// SigningKeyRemoved withdraws a key whose last token has expired.
type SigningKeyRemoved struct {
	KeyID string `json:"kid"`
}

func (UserRegistered) Fact() (string, Kind)       { return "user.registered.v1", Audit }
func (RegistrationRepeated) Fact() (string, Kind) { return "user.registration_repeated.v1", Audit }
func (PasswordRehashed) Fact() (string, Kind)     { return "user.password_rehashed.v1", State }
func (UserDisabled) Fact() (string, Kind)         { return "user.disabled.v1", Audit }
func (UserEnabled) Fact() (string, Kind)          { return "user.enabled.v1", Audit }
func (UserSessionsEnded) Fact() (string, Kind)    { return "user.sessions_ended.v1", Audit }
func (AttemptsReserved) Fact() (string, Kind)     { return "attempts.reserved.v1", State }
func (AttemptsReturned) Fact() (string, Kind)     { return "attempts.returned.v1", State }
func (SignInThrottled) Fact() (string, Kind)      { return "sign_in.throttled.v1", Audit }
func (ClientAdded) Fact() (string, Kind)          { return "client.added.v1", Audit }
func (ClientDisabled) Fact() (string, Kind)       { return "client.disabled.v1", Audit }
func (ClientEnabled) Fact() (string, Kind)        { return "client.enabled.v1", Audit }
func (ClientSecretReplaced) Fact() (string, Kind) { return "client.secret_replaced.v1", Audit }
func (ClientRemoved) Fact() (string, Kind)        { return "client.removed.v1", Audit }
func (GrantIssued) Fact() (string, Kind)          { return "grant.issued.v1", Audit }
func (GrantRotated) Fact() (string, Kind)         { return "grant.rotated.v1", State }
func (GrantRecovered) Fact() (string, Kind)       { return "grant.recovered.v1", Audit }
func (GrantRevoked) Fact() (string, Kind)         { return "grant.revoked.v1", Audit }
func (AccessTokenRevoked) Fact() (string, Kind)   { return "access_token.revoked.v1", Audit }
func (SigningKeyAdded) Fact() (string, Kind)      { return "signing_key.added.v1", Audit }
func (SigningKeyPromoted) Fact() (string, Kind)   { return "signing_key.promoted.v1", Audit }
func (SigningKeyRemoved) Fact() (string, Kind)    { return "signing_key.removed.v1", Audit }
