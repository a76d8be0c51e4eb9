// Package settings owns what an operator can set: the list of settings, their
// defaults, how each is written, and where a value comes from.
//
// A flag wins over the environment, which wins over the configuration file,
// which wins over the default. Secrets have no flag: a process list shows flags.
package settings

import (
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"time"
)

// Settings are the values in effect. The table in table.go says what each
// means, how it is written and what it is by default.
type Settings struct {
	Listen         string
	Issuer         string // empty: not set
	TLSCert        string // a path; empty together with TLSKey: plain HTTP
	TLSKey         string
	TrustedProxies []netip.Prefix
	DirectOrigins  []string // as a browser sends them in the Origin header

	Data        string
	DatabaseURL Secret // empty: SQLite in the folder Data
	MasterKey   Secret // the 32 bytes themselves; empty: the file master.key in the folder Data

	AccessTokenTTL  time.Duration
	RefreshGrace    time.Duration // 0: strict rotation
	RefreshIdle     time.Duration
	RefreshAbsolute time.Duration // at least RefreshIdle
	SigningAlg      string        // ES256, EdDSA or RS256
	KeyLifetime     time.Duration

	SessionIdle     time.Duration
	SessionAbsolute time.Duration // at least SessionIdle
	SignUp          string        // open or closed

	Clients            string // the path of a clients file; empty: none
	ClientRegistration string // off or token
	OutboundAllow      []netip.Prefix

	Brand Brand

	Argon2      Argon2
	Throttle    Throttle
	HashThreads int // 0: one for each core
	HashQueue   int

	LogLevel  slog.Level
	LogFormat string // auto, text or json
}

// Brand is how the pages look. An empty member is Keywright's own.
type Brand struct {
	Name           string
	Logo           string // the path of an image
	LogoDark       string // in dark mode
	Primary        string // #rrggbb
	PrimaryDark    string
	Background     string
	BackgroundDark string
	Radius         int // of corners, in pixels
	Links          []Link
}

// Link stands below every page.
type Link struct{ Name, URL string }

func (l Link) String() string { return l.Name + "=" + l.URL }

// Secret is a value that prints as "(set)" or "(not set)", whatever prints it:
// fmt, slog or encoding/json. Convert it to a string to use it.
type Secret string

func (s Secret) String() string {
	if s == "" {
		return "(not set)"
	}
	return "(set)"
}

// Format implements [fmt.Formatter], so that no verb shows the secret.
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, s.String()) }

// MarshalText implements [encoding.TextMarshaler].
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Argon2 is the cost of one password hash, as in RFC 9106 §3.1.
type Argon2 struct {
	MemoryKiB uint32 // m
	Time      uint32 // t: passes over the memory
	Threads   uint8  // p
}

// String gives the form that PHC strings use: m=19456,t=2,p=1.
func (a Argon2) String() string {
	return fmt.Sprintf("m=%d,t=%d,p=%d", a.MemoryKiB, a.Time, a.Threads)
}

// Weak reports whether a is cheaper to guess than every choice in OWASP's
// Password Storage Cheat Sheet. It suits tests, not production.
func (a Argon2) Weak() bool {
	for _, least := range []Argon2{
		{47104, 1, 1},
		{19456, 2, 1},
		{12288, 3, 1},
		{9216, 4, 1},
		{7168, 5, 1},
	} {
		if a.MemoryKiB >= least.MemoryKiB && a.Time >= least.Time && a.Threads >= least.Threads {
			return false
		}
	}
	return true
}

// Throttle limits failed sign-ins. The zero Throttle is off.
type Throttle struct {
	Account int           // failures for one account within Window
	Address int           // failures from one address within Window
	Window  time.Duration // the time over which failures count
}

// Off reports whether nothing is limited. It suits development, not production.
func (t Throttle) Off() bool { return t == Throttle{} }

func (t Throttle) String() string {
	if t.Off() {
		return "off"
	}
	return fmt.Sprintf("account=%d,address=%d,window=%s", t.Account, t.Address, formatDuration(t.Window))
}
