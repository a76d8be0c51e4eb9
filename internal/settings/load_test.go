package settings

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// parsedFlags is what the command line args gives.
func parsedFlags(t *testing.T, args ...string) *pflag.FlagSet {
	t.Helper()
	flags := pflag.NewFlagSet("keywright", pflag.ContinueOnError)
	Flags(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return flags
}

// file writes content to a new file and gives its path.
func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheStrongerSourceWins(t *testing.T) {
	config := file(t, "keywright.yaml", "listen: :1\n")
	fromFile, fromEnvironment, fromFlag := "--config="+config, "KEYWRIGHT_LISTEN=:2", "--listen=:3"
	for _, c := range []struct {
		name         string
		flags        []string
		environ      []string
		want, origin string
	}{
		{"nothing given", nil, nil, "127.0.0.1:10101", "default"},
		{"file over default", []string{fromFile}, nil, ":1", config + ":1"},
		{"environment over default", nil, []string{fromEnvironment}, ":2", "environment KEYWRIGHT_LISTEN"},
		{"flag over default", []string{fromFlag}, nil, ":3", "flag --listen"},
		{"environment over file", []string{fromFile}, []string{fromEnvironment}, ":2", "environment KEYWRIGHT_LISTEN"},
		{"flag over file", []string{fromFile, fromFlag}, nil, ":3", "flag --listen"},
		{"flag over environment", []string{fromFlag}, []string{fromEnvironment}, ":3", "flag --listen"},
		{"flag over all", []string{fromFile, fromFlag}, []string{fromEnvironment}, ":3", "flag --listen"},
		{"file named by the environment", nil, []string{"KEYWRIGHT_CONFIG=" + config}, ":1", config + ":1"},
		{"file named by the flag over one named by the environment", []string{fromFile}, []string{"KEYWRIGHT_CONFIG=/nowhere"}, ":1", config + ":1"},
		{"no file, against the environment", []string{"--config="}, []string{"KEYWRIGHT_CONFIG=" + config}, "127.0.0.1:10101", "default"},
		{"an empty variable is not set", []string{fromFile}, []string{"KEYWRIGHT_LISTEN="}, ":1", config + ":1"},
		{"the last of two variables", nil, []string{"KEYWRIGHT_LISTEN=:9", fromEnvironment}, ":2", "environment KEYWRIGHT_LISTEN"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, origins, err := Load(parsedFlags(t, c.flags...), c.environ)
			if err != nil {
				t.Fatal(err)
			}
			if got := origins["listen"].String(); s.Listen != c.want || got != c.origin {
				t.Errorf("listen is %s from %s, want %s from %s", s.Listen, got, c.want, c.origin)
			}
		})
	}
}

// another holds a value other than the default for every setting.
var another = map[string]string{
	"listen":           ":1",
	"issuer":           "https://id.example.com",
	"tls_cert":         "cert.pem",
	"tls_key":          "key.pem",
	"trusted_proxies":  "10.0.0.0/8",
	"direct_origins":   "https://app.example.com",
	"data":             "/var/lib/keywright",
	"database_url":     "postgres://localhost/keywright",
	"master_key":       strings.Repeat("ab", 32),
	"access_token_ttl": "5m",
	"refresh_grace":    "5s",
	"refresh_idle":     "7d",
	"refresh_absolute": "60d",
	"signing_alg":      "RS256",
	"key_lifetime":     "60d",

	"session_idle":     "1d",
	"session_absolute": "60d",
	"sign_up":          "closed",

	"clients":             "clients.yaml",
	"client_registration": "token",
	"outbound_allow":      "10.0.0.0/8",

	"brand_name":            "Acme",
	"brand_logo":            "logo.svg",
	"brand_logo_dark":       "dark.svg",
	"brand_primary":         "8a1c4a",
	"brand_primary_dark":    "ff9ac1",
	"brand_background":      "ffffff",
	"brand_background_dark": "000000",
	"brand_radius":          "0",
	"brand_links":           "Privacy=https://example.com/privacy",

	"argon2":       "m=65536,t=3,p=4",
	"throttle":     "account=5,address=50,window=5m",
	"hash_threads": "2",
	"hash_queue":   "8",
	"log_level":    "debug",
	"log_format":   "json",
}

func TestEverySettingComesFromEverySourceThatItAllowsAndChangesNoOther(t *testing.T) {
	standard, origins, err := Load(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defaults := Show(standard, origins)
	for _, row := range all() {
		value := another[row.key]
		sources := map[string]func(*Settings) error{
			"environment": func(s *Settings) error { return applyAll(s, fromEnvironment, row.variable(), value) },
		}
		if row.fileRefusal == "" {
			sources["file"] = func(s *Settings) error {
				values, errs := decode("keywright.yaml", []byte(row.key+": "+value))
				return errors.Join(append(errs, applyEach(s, values))...)
			}
		}
		if row.secret {
			sources["secret file"] = func(s *Settings) error {
				return applyAll(s, fromEnvironment, row.fileVariable(), file(t, "secret", value+"\n"))
			}
		} else {
			sources["flag"] = func(s *Settings) error {
				return applyEach(s, fromFlags(parsedFlags(t, "--"+row.flag()+"="+value)))
			}
		}
		for source, load := range sources {
			s := *standard
			if err := load(&s); err != nil {
				t.Errorf("%s from %s: %v", row.key, source, err)
				continue
			}
			for i, shown := range Show(&s, origins) {
				if changed := shown.Value != defaults[i].Value; changed != (shown.Key == row.key) {
					t.Errorf("%s from %s: %s is now %s", row.key, source, shown.Key, shown.Value)
				}
			}
		}
	}
}

func applyAll(s *Settings, source func(map[string]string) ([]given, []error), name, value string) error {
	values, errs := source(map[string]string{name: value})
	return errors.Join(append(errs, applyEach(s, values))...)
}

func applyEach(s *Settings, values []given) error {
	var errs []error
	for _, g := range values {
		errs = append(errs, g.apply(s))
	}
	return errors.Join(errs...)
}

func TestSecretsHaveNoFlag(t *testing.T) {
	flags := parsedFlags(t)
	for _, row := range all() {
		if flag := flags.Lookup(row.flag()); (flag == nil) != row.secret {
			t.Errorf("%s: secret %t, flag %v", row.key, row.secret, flag)
		}
	}
}

func TestEveryFlagTellsItsDefaultAndGroup(t *testing.T) {
	flag := parsedFlags(t, "--refresh-idle=1d").Lookup("refresh-idle")
	if flag.DefValue != "14d" || flag.Value.Type() != "duration" || flag.Annotations[GroupAnnotation][0] != "Tokens" {
		t.Errorf("flag %+v", flag)
	}
}

func TestAListMayBeGivenInSeveralFlags(t *testing.T) {
	s, _, err := Load(parsedFlags(t, "--direct-origins=https://a.example,https://b.example", "--direct-origins=https://c.example"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(s.DirectOrigins, " "); got != "https://a.example https://b.example https://c.example" {
		t.Errorf("direct_origins is %s", got)
	}
}

func TestFlagsThatACommandDoesNotHaveAreNotMissed(t *testing.T) {
	flags := pflag.NewFlagSet("version", pflag.ContinueOnError)
	if _, _, err := Load(flags, nil); err != nil {
		t.Error(err)
	}
}

func TestEachErrorSaysWhereWhatAndWhatIsAccepted(t *testing.T) {
	for _, c := range []struct {
		flags   []string
		environ []string
		want    string
	}{
		{
			[]string{"--access-token-ttl=2s"}, nil,
			`flag --access-token-ttl: "2s" is less than 5s (accepted: a duration from 5s to 1d, written like 10s, 1h30m or 14d)`,
		},
		{
			nil, []string{"KEYWRIGHT_HASH_QUEUE=many"},
			`environment KEYWRIGHT_HASH_QUEUE: "many" is not a whole number (accepted: a whole number from 1 to 100000)`,
		},
		{
			nil, []string{"KEYWRIGHT_LISTN=:1"},
			`environment KEYWRIGHT_LISTN: is not a setting; did you mean KEYWRIGHT_LISTEN?`,
		},
		{
			nil, []string{"KEYWRIGHT_MASTER_KEY_FLIE=/x"},
			`environment KEYWRIGHT_MASTER_KEY_FLIE: is not a setting; did you mean KEYWRIGHT_MASTER_KEY_FILE?`,
		},
		{
			nil, []string{"KEYWRIGHT_CONFIG=/nowhere.yaml"},
			`environment KEYWRIGHT_CONFIG: "/nowhere.yaml" cannot be read: no such file or directory (accepted: the path of a YAML file)`,
		},
		{
			[]string{"--tls-key=key.pem"}, nil,
			`flag --tls-key: "key.pem" needs tls_cert as well (accepted: tls_cert and tls_key together, or neither)`,
		},
		{
			[]string{"--refresh-idle=100d"}, nil,
			`default: refresh_absolute "90d" is shorter than refresh_idle, which is 100d (flag --refresh-idle) (accepted: a duration that is at least refresh_idle)`,
		},
		{
			[]string{"--session-idle=31d"}, nil,
			`default: session_absolute "30d" is shorter than session_idle, which is 31d (flag --session-idle) (accepted: a duration that is at least session_idle)`,
		},
		{
			[]string{"--brand-primary=blue"}, nil,
			`flag --brand-primary: "blue" is not a colour (accepted: six hex digits such as 2b5bd7, or #2b5bd7 in quotes)`,
		},
		{
			nil, []string{"KEYWRIGHT_MASTER_KEY=x", "KEYWRIGHT_MASTER_KEY_FILE=/x"},
			`environment KEYWRIGHT_MASTER_KEY_FILE: is set, and KEYWRIGHT_MASTER_KEY too (accepted: one of the two)`,
		},
		{
			nil, []string{"KEYWRIGHT_ISSUER=https://a\nb"},
			`environment KEYWRIGHT_ISSUER: "https://a\nb" contains a control character or a line break (accepted: an https URL such as https://id.example.com; http only on localhost)`,
		},
		{
			[]string{"--issuer=https://me:password@id.example.com"}, nil,
			`flag --issuer: "https://…@id.example.com" has a user name or password in it (accepted: an https URL such as https://id.example.com; http only on localhost)`,
		},
	} {
		_, _, err := Load(parsedFlags(t, c.flags...), c.environ)
		if err == nil {
			t.Errorf("no error; want %s", c.want)
		} else if first, _, _ := strings.Cut(err.Error(), "\n"); first != c.want {
			t.Errorf("error\n%s\nwant\n%s", first, c.want)
		}
	}
}

func TestAllErrorsAreFoundAtOnce(t *testing.T) {
	config := file(t, "keywright.yaml", "listen: nowhere\nlisten: :1\nlog_levl: info\nsigning_alg: none\n")
	s, origins, err := Load(
		parsedFlags(t, "--config="+config, "--tls-cert=cert.pem", "--argon2=m=1"),
		[]string{"KEYWRIGHT_SIGNING_ALG=ES256", "KEYWRIGHT_UNKNOWN=1"},
	)
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || s != nil || origins != nil {
		t.Fatalf("Load gave %v, %v, %v", s, origins, err)
	}
	var keys []string
	for _, err := range joined.Unwrap() {
		problem, ok := errors.AsType[*Error](err)
		if !ok {
			t.Fatalf("%v is not an *Error", err)
		}
		keys = append(keys, problem.Key)
	}
	// The sixth is the unknown variable. A file's wrong signing_alg is told though the environment overrides it.
	if got, want := strings.Join(keys, " "), "listen log_levl listen signing_alg  argon2 tls_cert"; got != want {
		t.Errorf("errors for %q, want %q in\n%v", got, want, err)
	}
}

func TestARefusedValueMakesNoFurtherError(t *testing.T) {
	_, _, err := Load(parsedFlags(t, "--refresh-idle=100d", "--refresh-absolute=wrong"), nil)
	if err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("want one error, got %v", err)
	}
}

func TestVariablesOfTestsAndOfKubernetesAreNotSettings(t *testing.T) {
	_, _, err := Load(nil, []string{
		"KEYWRIGHT_TEST_POSTGRES=postgres://localhost/test",
		"KEYWRIGHT_SERVICE_HOST=10.0.0.11",
		"KEYWRIGHT_SERVICE_PORT=80",
		"KEYWRIGHT_SERVICE_PORT_HTTP=80",
		"KEYWRIGHT_PORT=tcp://10.0.0.11:80",
		"KEYWRIGHT_PORT_80_TCP=tcp://10.0.0.11:80",
		"KEYWRIGHT_PORT_80_TCP_PROTO=tcp",
		"KEYWRIGHT_PORT_80_TCP_PORT=80",
		"KEYWRIGHT_PORT_80_TCP_ADDR=10.0.0.11",
		"KEYWRIGHT_ADMIN_SERVICE_HOST=10.0.0.12",
		"KEYWRIGHT_ADMIN_PORT=tcp://10.0.0.12:80",
		"KEYWRIGHTER=1",
		"HOME=/root",
	})
	if err != nil {
		t.Error(err)
	}
	for _, variable := range []string{"KEYWRIGHT_PORT=8080", "KEYWRIGHT_LISTEN_SERVICE=x", "KEYWRIGHT_=1"} {
		if _, _, err := Load(nil, []string{variable}); err == nil {
			t.Errorf("%s was accepted", variable)
		}
	}
}

func TestSecretsNeverAppearInErrors(t *testing.T) {
	const tooLarge = 9 << 10
	inFile := func(content string) []string {
		return []string{"KEYWRIGHT_CONFIG=" + file(t, "keywright.yaml", content)}
	}
	for name, environ := range map[string][]string{
		"a wrong key":                     {"KEYWRIGHT_MASTER_KEY=" + canary},
		"a wrong URL":                     {"KEYWRIGHT_DATABASE_URL=mysql://user:" + canary + "@h/d"},
		"a URL that cannot be parsed":     {"KEYWRIGHT_DATABASE_URL=postgres://user:" + canary + "%@h/d"},
		"a control character":             {"KEYWRIGHT_DATABASE_URL=postgres://user:" + canary + "\n@h/d"},
		"a long value":                    {"KEYWRIGHT_MASTER_KEY=" + strings.Repeat(canary, tooLarge)},
		"a misspelt variable":             {"KEYWRIGHT_DATABASE_ULR=" + canary},
		"the secret in place of its file": {"KEYWRIGHT_MASTER_KEY_FILE=" + canary},
		"a wrong key in a file":           {"KEYWRIGHT_MASTER_KEY_FILE=" + file(t, "key", canary)},
		"a large file":                    {"KEYWRIGHT_MASTER_KEY_FILE=" + file(t, "key", strings.Repeat(canary, tooLarge))},
		"two sources":                     {"KEYWRIGHT_MASTER_KEY=" + canary, "KEYWRIGHT_MASTER_KEY_FILE=/" + canary},
		"another setting":                 {"KEYWRIGHT_DIRECT_ORIGINS=postgres://user:" + canary + "@h/d"},
		"a file: wrong URL":               inFile("database_url: mysql://user:" + canary + "@h/d"),
		"a file: misspelt key":            inFile("database_ulr: " + canary),
		"a file: wrong place":             inFile("master_key: " + canary),
		"a file: alias":                   inFile("database_url: *" + canary),
		"a file: known alias":             inFile("data: &" + canary + " x\ndatabase_url: *" + canary),
		"a file: tag":                     inFile("database_url: !" + canary + " x"),
		"a file: list":                    inFile("database_url: [" + canary + "]"),
		"a file: mapping":                 inFile("database_url: {" + canary + ": x}"),
		"a file: wrong indentation":       inFile("database_url:\npostgres://user:" + canary + "@h/d"),
		"a file: not a mapping":           inFile("postgres://user:" + canary + "@h/d"),
		"a file: secret as a key":         inFile("\"postgres://user:" + canary + "@h/d\": x"),
		"a file: quotes left open":        inFile("database_url: \"" + canary),
		"a file: wrong escape":            inFile(`database_url: "` + canary + `\y"`),
		"a file: given twice":             inFile("database_url: " + canary + "1\ndatabase_url: " + canary + "2"),
		"a file: directive":               inFile("%TAG !" + canary + "! x\n---\ndatabase_url: !y!z x"),
	} {
		_, _, err := Load(nil, environ)
		if err == nil {
			t.Errorf("%s: no error", name)
		} else if strings.Contains(err.Error(), canary) {
			t.Errorf("%s: the secret shows in: %v", name, err)
		}
	}
}

func TestASecretFileIsReadWithoutItsLineBreak(t *testing.T) {
	const url = "postgres://user:password@localhost/keywright"
	s, origins, err := Load(nil, []string{"KEYWRIGHT_DATABASE_URL_FILE=" + file(t, "url", url+"\r\n")})
	if err != nil {
		t.Fatal(err)
	}
	if got := origins["database_url"].String(); string(s.DatabaseURL) != url || got != "environment KEYWRIGHT_DATABASE_URL_FILE" {
		t.Errorf("database_url is %q from %s", string(s.DatabaseURL), got)
	}
}

func TestAnEmptySecretFileIsRefused(t *testing.T) {
	_, _, err := Load(nil, []string{"KEYWRIGHT_DATABASE_URL_FILE=" + file(t, "url", "\n")})
	if err == nil || !strings.Contains(err.Error(), "empty") {
		t.Errorf("error %v", err)
	}
}
