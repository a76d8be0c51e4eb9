package settings

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// uncommented makes the settings of a template take effect.
func uncommented(template string) string {
	return regexp.MustCompile(`(?m)^#([a-z])`).ReplaceAllString(template, "$1")
}

func TestTheTemplateIsTheDefaults(t *testing.T) {
	standard, origins, err := Load(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Show(standard, origins)

	commented := file(t, "keywright.yaml", Template())
	s, origins, err := Load(nil, []string{"KEYWRIGHT_CONFIG=" + commented})
	if err != nil {
		t.Fatal(err)
	}
	if got := Show(s, origins); !slices.Equal(got, want) {
		t.Errorf("the template gives %v, want %v", got, want)
	}

	active := file(t, "keywright.yaml", uncommented(Template()))
	s, origins, err = Load(nil, []string{"KEYWRIGHT_CONFIG=" + active})
	if err != nil {
		t.Fatal(err)
	}
	for i, got := range Show(s, origins) {
		fromFile := strings.HasPrefix(got.Origin, active+":")
		if row, _ := find(got.Key); got.Value != want[i].Value || fromFile != (row.fileRefusal == "") {
			t.Errorf("the template, uncommented, gives %v, want %v", got, want[i])
		}
	}
}

func TestTheTemplateExplainsEverySetting(t *testing.T) {
	template := Template()
	for _, row := range all() {
		for _, part := range []string{row.help, row.accepts, row.variable()} {
			if part == "" || !strings.Contains(template, part) {
				t.Errorf("%s: %q is not in the template", row.key, part)
			}
		}
	}
}

func TestEveryHelpTextIsOneSentence(t *testing.T) {
	for _, row := range all() {
		if !regexp.MustCompile(`^[A-Z][^\n.]*( [^\n]*)?\.$`).MatchString(row.help) || len(row.help) > 110 {
			t.Errorf("%s: %q", row.key, row.help)
		}
	}
}

// shown is a configuration from all sources.
func shown(t *testing.T) []Effective {
	t.Helper()
	t.Chdir(t.TempDir())
	const config = "keywright.yaml"
	content := "issuer: https://id.example.com\n\nrefresh_idle: 336h\n"
	if err := os.WriteFile(config, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	s, origins, err := Load(
		parsedFlags(t, "--config="+config, "--listen=:443", "--trusted-proxies=10.0.0.0/8,::1"),
		[]string{"KEYWRIGHT_DATABASE_URL=postgres://user:" + canary + "@localhost/keywright", "KEYWRIGHT_LOG_LEVEL=debug"},
	)
	if err != nil {
		t.Fatal(err)
	}
	return Show(s, origins)
}

func TestTheTextShowsEachValueAndWhereItComesFrom(t *testing.T) {
	var text bytes.Buffer
	if err := WriteText(&text, shown(t)); err != nil {
		t.Fatal(err)
	}
	want := `
SETTING                VALUE                              FROM
listen                 :443                               flag --listen
issuer                 https://id.example.com             keywright.yaml:1
tls_cert               (none)                             default
tls_key                (none)                             default
trusted_proxies        10.0.0.0/8,::1/128                 flag --trusted-proxies
direct_origins         (none)                             default
data                   ./.keywright                       default
database_url           (set)                              environment KEYWRIGHT_DATABASE_URL
master_key             (not set)                          default
access_token_ttl       10m                                default
refresh_grace          10s                                default
refresh_idle           14d                                keywright.yaml:3
refresh_absolute       90d                                default
signing_alg            ES256                              default
key_lifetime           30d                                default
session_idle           7d                                 default
session_absolute       30d                                default
sign_up                open                               default
clients                (none)                             default
client_registration    off                                default
outbound_allow         (none)                             default
brand_name             Keywright                          default
brand_logo             (none)                             default
brand_logo_dark        (none)                             default
brand_primary          (none)                             default
brand_primary_dark     (none)                             default
brand_background       (none)                             default
brand_background_dark  (none)                             default
brand_radius           12                                 default
brand_links            (none)                             default
argon2                 m=19456,t=2,p=1                    default
throttle               account=10,address=100,window=15m  default
hash_threads           0                                  default
hash_queue             128                                default
log_level              debug                              environment KEYWRIGHT_LOG_LEVEL
log_format             auto                               default
`
	if got := "\n" + text.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestTheJSONShowsTheSame(t *testing.T) {
	rows := shown(t)
	var text bytes.Buffer
	if err := WriteJSON(&text, rows); err != nil {
		t.Fatal(err)
	}
	var again []Effective
	if err := json.Unmarshal(text.Bytes(), &again); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(again, rows) || strings.Contains(text.String(), canary) {
		t.Errorf("got %s", text.String())
	}
}
