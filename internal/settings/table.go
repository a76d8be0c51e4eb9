package settings

import (
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// group is settings that help texts and the template show together.
type group struct {
	title    string
	settings []setting
}

// setting is one row of the table.
type setting struct {
	key     string // its name in the file; the flag and the variable follow from it
	initial string // the default, as it would be written
	help    string // one sentence

	// fileRefusal says why the configuration file cannot hold it; empty: it can.
	fileRefusal string

	binding
}

func (s setting) flag() string         { return strings.ReplaceAll(s.key, "_", "-") }
func (s setting) variable() string     { return variablePrefix + strings.ToUpper(s.key) }
func (s setting) fileVariable() string { return s.variable() + "_FILE" } // of a secret

// table is every setting there is.
var table = []group{
	{"Network", []setting{
		{
			key: "listen", initial: "127.0.0.1:10101",
			help:    "Address to listen on.",
			binding: bind(hostPort, func(s *Settings) *string { return &s.Listen }),
		},
		{
			key:     "issuer",
			help:    "URL at which browsers and apps reach Keywright; the iss of every token.",
			binding: bind(issuerURL, func(s *Settings) *string { return &s.Issuer }),
		},
		{
			key:     "tls_cert",
			help:    "File with the TLS certificate chain (PEM); empty leaves TLS to a proxy.",
			binding: bind(filePath, func(s *Settings) *string { return &s.TLSCert }),
		},
		{
			key:     "tls_key",
			help:    "File with the private key of tls_cert (PEM).",
			binding: bind(filePath, func(s *Settings) *string { return &s.TLSKey }),
		},
		{
			key:     "trusted_proxies",
			help:    "Proxies that may say which address a request comes from.",
			binding: bind(listOf(network), func(s *Settings) *[]netip.Prefix { return &s.TrustedProxies }),
		},
		{
			key:     "direct_origins",
			help:    "Origins of the apps that may show their own sign-in form.",
			binding: bind(listOf(origin), func(s *Settings) *[]string { return &s.DirectOrigins }),
		},
	}},
	{"Storage", []setting{
		{
			key: "data", initial: "./.keywright",
			help:    "Folder for the SQLite database and the master key.",
			binding: bind(folder, func(s *Settings) *string { return &s.Data }),
		},
		{
			key:     "database_url",
			help:    "PostgreSQL database; empty is SQLite in the data folder.",
			binding: bind(postgresURL, func(s *Settings) *Secret { return &s.DatabaseURL }),
		},
		{
			key:         "master_key",
			help:        "Key that seals the secrets in the database; empty is the file master.key in the data folder.",
			fileRefusal: "must not lie beside the other settings: whoever copies them would have it",
			binding:     bind(key32, func(s *Settings) *Secret { return &s.MasterKey }),
		},
	}},
	{"Tokens", []setting{
		{
			key: "access_token_ttl", initial: "10m",
			help:    "Lifetime of an access token.",
			binding: bind(duration(5*time.Second, day), func(s *Settings) *time.Duration { return &s.AccessTokenTTL }),
		},
		{
			key: "refresh_grace", initial: "10s",
			help:    "How long the refresh token before the current one still works; 0 is strict rotation.",
			binding: bind(duration(0, time.Minute), func(s *Settings) *time.Duration { return &s.RefreshGrace }),
		},
		{
			key: "refresh_idle", initial: "14d",
			help:    "Longest pause between two refreshes.",
			binding: bind(duration(time.Minute, tenYears), func(s *Settings) *time.Duration { return &s.RefreshIdle }),
		},
		{
			key: "refresh_absolute", initial: "90d",
			help:    "Longest time that refreshing can go on; at least refresh_idle.",
			binding: bind(duration(time.Minute, tenYears), func(s *Settings) *time.Duration { return &s.RefreshAbsolute }),
		},
		{
			key: "signing_alg", initial: "ES256",
			help:    "Algorithm that signs access tokens.",
			binding: bind(oneOf("ES256", "EdDSA", "RS256"), func(s *Settings) *string { return &s.SigningAlg }),
		},
		{
			key: "key_lifetime", initial: "30d",
			help:    "How long a key signs before the next one takes over.",
			binding: bind(duration(time.Hour, tenYears), func(s *Settings) *time.Duration { return &s.KeyLifetime }),
		},
	}},
	{"Sign-in", []setting{
		{
			key: "session_idle", initial: "7d",
			help:    "How long somebody stays signed in without coming back.",
			binding: bind(duration(time.Minute, tenYears), func(s *Settings) *time.Duration { return &s.SessionIdle }),
		},
		{
			key: "session_absolute", initial: "30d",
			help:    "How long somebody stays signed in at all; at least session_idle.",
			binding: bind(duration(time.Minute, tenYears), func(s *Settings) *time.Duration { return &s.SessionAbsolute }),
		},
		{
			key: "sign_up", initial: "open",
			help:    "Whether people may register themselves.",
			binding: bind(oneOf("open", "closed"), func(s *Settings) *string { return &s.SignUp }),
		},
	}},
	{"Clients", []setting{
		{
			key:     "clients",
			help:    "File with clients (YAML); what it says is applied at start.",
			binding: bind(filePath, func(s *Settings) *string { return &s.Clients }),
		},
		{
			key: "client_registration", initial: "off",
			help:    "Whether clients may register themselves, with a token that an operator has made.",
			binding: bind(oneOf("off", "token"), func(s *Settings) *string { return &s.ClientRegistration }),
		},
		{
			key:     "outbound_allow",
			help:    "Networks that are not public and in which clients may have their jwks_uri or logout URI.",
			binding: bind(listOf(network), func(s *Settings) *[]netip.Prefix { return &s.OutboundAllow }),
		},
	}},
	{"Brand", []setting{
		{
			key: "brand_name", initial: "Keywright",
			help:    "Name of the site on its pages.",
			binding: bind(siteName, func(s *Settings) *string { return &s.Brand.Name }),
		},
		{
			key:     "brand_logo",
			help:    "File with the logo (SVG, PNG, JPEG or WebP); empty is the name in letters.",
			binding: bind(filePath, func(s *Settings) *string { return &s.Brand.Logo }),
		},
		{
			key:     "brand_logo_dark",
			help:    "File with the logo in dark mode; empty is brand_logo.",
			binding: bind(filePath, func(s *Settings) *string { return &s.Brand.LogoDark }),
		},
		{
			key:     "brand_primary",
			help:    "Colour of buttons and links; empty is Keywright's own.",
			binding: bind(colour, func(s *Settings) *string { return &s.Brand.Primary }),
		},
		{
			key:     "brand_primary_dark",
			help:    "Colour of buttons and links in dark mode; empty is Keywright's own.",
			binding: bind(colour, func(s *Settings) *string { return &s.Brand.PrimaryDark }),
		},
		{
			key:     "brand_background",
			help:    "Colour behind the card; empty is Keywright's own.",
			binding: bind(colour, func(s *Settings) *string { return &s.Brand.Background }),
		},
		{
			key:     "brand_background_dark",
			help:    "Colour behind the card in dark mode; empty is Keywright's own.",
			binding: bind(colour, func(s *Settings) *string { return &s.Brand.BackgroundDark }),
		},
		{
			key: "brand_radius", initial: "12",
			help:    "Radius of corners in pixels.",
			binding: bind(count(0, 48), func(s *Settings) *int { return &s.Brand.Radius }),
		},
		{
			key:     "brand_links",
			help:    "Links below every page, such as to the privacy notice.",
			binding: bind(listOf(link), func(s *Settings) *[]Link { return &s.Brand.Links }),
		},
	}},
	{"Passwords", []setting{
		{
			key: "argon2", initial: "m=19456,t=2,p=1",
			help:    "Cost of a password hash (Argon2id): memory in KiB, passes, threads.",
			binding: bind(argon2Cost, func(s *Settings) *Argon2 { return &s.Argon2 }),
		},
		{
			key: "throttle", initial: "account=10,address=100,window=15m",
			help:    "Failed sign-ins allowed for one account and from one address within a time; off only in development.",
			binding: bind(throttleLimits, func(s *Settings) *Throttle { return &s.Throttle }),
		},
		{
			key: "hash_threads", initial: "0",
			help:    "Threads that hash passwords; 0 is one for each core.",
			binding: bind(count(0, 1024), func(s *Settings) *int { return &s.HashThreads }),
		},
		{
			key: "hash_queue", initial: "128",
			help:    "Sign-ins that may wait for a hashing thread; more are answered with 503.",
			binding: bind(count(1, 100_000), func(s *Settings) *int { return &s.HashQueue }),
		},
	}},
	{"Log", []setting{
		{
			key: "log_level", initial: "info",
			help:    "Least severe message that is logged.",
			binding: bind(level, func(s *Settings) *slog.Level { return &s.LogLevel }),
		},
		{
			key: "log_format", initial: "auto",
			help:    "Form of the log; auto is text on a terminal, else json.",
			binding: bind(oneOf("auto", "text", "json"), func(s *Settings) *string { return &s.LogFormat }),
		},
	}},
}

// all is the rows of the table without their groups.
func all() []setting {
	var rows []setting
	for _, g := range table {
		rows = append(rows, g.settings...)
	}
	return rows
}

// find gives the setting with this key in the file.
func find(key string) (setting, bool) {
	rows := all()
	i := slices.IndexFunc(rows, func(s setting) bool { return s.key == key })
	if i < 0 {
		return setting{}, false
	}
	return rows[i], true
}
