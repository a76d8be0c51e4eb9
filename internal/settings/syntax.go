package settings

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	day      = 24 * time.Hour
	tenYears = 3650 * day

	maxList = 100 // entries of a list
)

// syntax is how values of type T are written.
type syntax[T any] struct {
	kind    string // what a flag's help calls the value
	accepts string // completes "accepted: "
	list    bool   // the file may hold a YAML list
	secret  bool   // no flag; never shown, not even in an error

	// parse gives the value, or an error that completes `"…" `, such as "has no
	// port". The error for a secret must not quote any part of it.
	parse func(string) (T, error)
	print func(T) string // nil: as fmt prints T
}

// binding is a syntax tied to the field of Settings that it fills.
type binding struct {
	kind, accepts string
	list, secret  bool
	set           func(*Settings, string) error
	get           func(*Settings) string
}

func bind[T any](x syntax[T], field func(*Settings) *T) binding {
	if x.print == nil {
		x.print = func(value T) string { return fmt.Sprint(value) }
	}
	return binding{
		kind: x.kind, accepts: x.accepts, list: x.list, secret: x.secret,
		set: func(s *Settings, text string) error {
			value, err := x.parse(text)
			if err == nil {
				*field(s) = value
			}
			return err
		},
		get: func(s *Settings) string { return x.print(*field(s)) },
	}
}

var (
	hostPort = syntax[string]{
		kind: "address", accepts: "host:port, such as 127.0.0.1:10101, or :10101 for every address of this machine",
		parse: parseHostPort,
	}
	issuerURL = syntax[string]{
		kind: "url", accepts: "an https URL such as https://id.example.com; http only on localhost",
		parse: parseIssuer,
	}
	origin = syntax[string]{
		kind: "origins", accepts: "origins such as https://app.example.com; http only on localhost",
		parse: parseOrigin,
	}
	network = syntax[netip.Prefix]{
		kind: "networks", accepts: "addresses and networks such as 10.0.0.0/8 or ::1",
		parse: parseNetwork,
	}
	filePath = syntax[string]{
		kind: "file", accepts: "a path",
		parse: func(text string) (string, error) { return text, nil },
	}
	folder = syntax[string]{
		kind: "folder", accepts: "a path",
		parse: parseFolder,
	}
	postgresURL = syntax[Secret]{
		kind: "url", accepts: "a URL such as postgres://user:password@host:5432/database, or nothing for SQLite",
		secret: true, parse: parsePostgresURL,
	}
	key32 = syntax[Secret]{
		kind: "key", accepts: "32 random bytes in hex or base64url; `openssl rand -hex 32` makes them",
		secret: true, parse: parseKey32,
	}
	argon2Cost = syntax[Argon2]{
		kind: "cost", accepts: "m=19456,t=2,p=1: m up to 4194304 and at least 8 for each thread, t up to 1000, p up to 255",
		parse: parseArgon2,
	}
	throttleLimits = syntax[Throttle]{
		kind: "limits", accepts: "off, or account=10,address=100,window=15m: counts up to 1000000, a window from 1s to 1d",
		parse: parseThrottle,
	}
	siteName = syntax[string]{
		kind: "name", accepts: "a name of at most 60 characters",
		parse: parseSiteName,
	}
	colour = syntax[string]{
		kind: "colour", accepts: "six hex digits such as 2b5bd7, or #2b5bd7 in quotes",
		parse: parseColour,
	}
	link = syntax[Link]{
		kind: "links", accepts: "a name and an https URL such as Privacy=https://example.com/privacy",
		parse: parseLink,
	}
	level = syntax[slog.Level]{
		kind: "level", accepts: "debug, info, warn or error",
		parse: parseLevel,
		print: func(l slog.Level) string { return strings.ToLower(l.String()) },
	}
)

// duration is a time from least to most.
func duration(least, most time.Duration) syntax[time.Duration] {
	return syntax[time.Duration]{
		kind:    "duration",
		accepts: fmt.Sprintf("a duration from %s to %s, written like 10s, 1h30m or 14d", formatDuration(least), formatDuration(most)),
		parse: func(text string) (time.Duration, error) {
			d, err := parseDuration(text)
			return d, cmp.Or(err, within(d, least, most, formatDuration))
		},
		print: formatDuration,
	}
}

// count is a whole number from least to most.
func count(least, most int) syntax[int] {
	return syntax[int]{
		kind:    "number",
		accepts: fmt.Sprintf("a whole number from %d to %d", least, most),
		parse: func(text string) (int, error) {
			n, err := strconv.Atoi(text)
			if err != nil {
				return 0, errors.New("is not a whole number")
			}
			return n, within(n, least, most, strconv.Itoa)
		},
	}
}

func oneOf(words ...string) syntax[string] {
	last := len(words) - 1
	return syntax[string]{
		kind:    "word",
		accepts: strings.Join(words[:last], ", ") + " or " + words[last],
		parse: func(text string) (string, error) {
			if slices.Contains(words, text) {
				return text, nil
			}
			if near, ok := Suggest(text, words); ok {
				return "", fmt.Errorf("is not known; did you mean %s?", near)
			}
			return "", errors.New("is not known")
		},
	}
}

// listOf is values separated by commas.
func listOf[T any](entry syntax[T]) syntax[[]T] {
	return syntax[[]T]{
		kind: entry.kind, accepts: entry.accepts + "; several with commas between them", list: true,
		parse: func(text string) ([]T, error) {
			if strings.TrimSpace(text) == "" {
				return nil, nil
			}
			var values []T
			for entryText := range strings.SplitSeq(text, ",") {
				entryText = strings.TrimSpace(entryText)
				value, err := entry.parse(entryText)
				if err != nil {
					return nil, fmt.Errorf("has an entry, %s, that %w", quote(entryText), err)
				}
				values = append(values, value)
			}
			if len(values) > maxList {
				return nil, fmt.Errorf("has more than %d entries", maxList)
			}
			return values, nil
		},
		print: func(values []T) string {
			texts := make([]string, len(values))
			for i, value := range values {
				texts[i] = fmt.Sprint(value)
			}
			return strings.Join(texts, ",")
		},
	}
}

func within[T cmp.Ordered](value, least, most T, print func(T) string) error {
	switch {
	case value < least:
		return errors.New("is less than " + print(least))
	case value > most:
		return errors.New("is more than " + print(most))
	}
	return nil
}

// parseDuration reads Go's durations, and days before them: 14d, 1d12h.
func parseDuration(text string) (time.Duration, error) {
	notDuration := errors.New("is not a duration")
	days, rest, hasDays := strings.Cut(text, "d")
	if !hasDays {
		days, rest = "0", text
	}
	n, err := strconv.ParseUint(days, 10, 15) // 32767 days: far from overflow
	if err != nil {
		return 0, notDuration
	}
	whole := time.Duration(n) * day
	if rest == "" && hasDays {
		return whole, nil
	}
	part, err := time.ParseDuration(rest)
	if err != nil || hasDays && (part < 0 || part >= day) {
		return 0, notDuration
	}
	return whole + part, nil
}

// formatDuration writes what parseDuration reads, without zero parts: 10m, not 10m0s.
func formatDuration(d time.Duration) string {
	if d >= day && d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func parseFolder(text string) (string, error) {
	if text == "" {
		return "", errors.New("is empty")
	}
	return text, nil
}

func parsePostgresURL(text string) (Secret, error) {
	if text == "" {
		return "", nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return "", errors.New("is not a postgres:// URL; characters such as @ / : # in a password are written %40 %2F %3A %23")
	}
	return Secret(text), nil
}

func parseKey32(text string) (Secret, error) {
	if text == "" {
		return "", nil
	}
	key, err := hex.DecodeString(text)
	if err != nil {
		key, err = base64.RawURLEncoding.Strict().DecodeString(strings.TrimRight(text, "="))
	}
	if err != nil || len(key) != 32 {
		return "", errors.New("is not 32 bytes in hex or base64url")
	}
	return Secret(key), nil
}

func parseArgon2(text string) (Argon2, error) {
	values, err := namedValues(text, "m", "t", "p")
	if err != nil {
		return Argon2{}, err
	}
	p, errP := count(1, 255).parse(values[2])
	t, errT := count(1, 1000).parse(values[1])
	m, errM := count(8*p, 4<<20).parse(values[0]) // RFC 9106 §3.1
	return Argon2{MemoryKiB: uint32(m), Time: uint32(t), Threads: uint8(p)},
		cmp.Or(forName("p", errP), forName("t", errT), forName("m", errM))
}

func parseThrottle(text string) (Throttle, error) {
	if text == "off" {
		return Throttle{}, nil
	}
	values, err := namedValues(text, "account", "address", "window")
	if err != nil {
		return Throttle{}, err
	}
	account, errA := count(1, 1_000_000).parse(values[0])
	address, errB := count(1, 1_000_000).parse(values[1])
	window, errW := duration(time.Second, day).parse(values[2])
	return Throttle{Account: account, Address: address, Window: window},
		cmp.Or(forName("account", errA), forName("address", errB), forName("window", errW))
}

// namedValues splits "m=1,t=2,p=3" into its values: exactly these names in this order.
func namedValues(text string, names ...string) ([]string, error) {
	wrong := fmt.Errorf("is not of the form %s=…", strings.Join(names, "=…,"))
	parts := strings.Split(text, ",")
	if len(parts) != len(names) {
		return nil, wrong
	}
	values := make([]string, len(names))
	for i, part := range parts {
		name, value, _ := strings.Cut(part, "=")
		if strings.TrimSpace(name) != names[i] {
			return nil, wrong
		}
		values[i] = strings.TrimSpace(value)
	}
	return values, nil
}

func forName(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("has a value for %s that %w", name, err)
}

func parseSiteName(text string) (string, error) {
	switch {
	case strings.TrimSpace(text) == "":
		return "", errors.New("is empty")
	case utf8.RuneCountInString(text) > 60:
		return "", errors.New("is too long")
	}
	return text, nil
}

// parseColour gives a colour as style sheets write it. The # may be left out,
// since it begins a comment in YAML.
func parseColour(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	digits := strings.ToLower(strings.TrimPrefix(text, "#"))
	if _, err := hex.DecodeString(digits); err != nil || len(digits) != 6 {
		return "", errors.New("is not a colour")
	}
	return "#" + digits, nil
}

func parseLink(text string) (Link, error) {
	name, address, _ := strings.Cut(text, "=")
	name, address = strings.TrimSpace(name), strings.TrimSpace(address)
	u, err := url.Parse(address)
	switch {
	case name == "" || len(name) > 60:
		return Link{}, errors.New("has no name of at most 60 bytes before the =")
	case err != nil || u.Scheme != "https" || u.Host == "":
		return Link{}, errors.New("has no https URL after the =")
	}
	return Link{name, address}, nil
}

func parseLevel(text string) (slog.Level, error) {
	if _, err := oneOf("debug", "info", "warn", "error").parse(text); err != nil {
		return 0, err
	}
	var l slog.Level
	err := l.UnmarshalText([]byte(text))
	return l, err
}
