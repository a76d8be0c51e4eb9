package settings

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
	"time"
)

// written is a text for a setting, and how Keywright shows it again.
type written struct{ key, text, shown string }

func TestWhatIsAcceptedIsShownInOneForm(t *testing.T) {
	for _, c := range []written{
		{"listen", ":10101", ":10101"},
		{"listen", "[::1]:0", "[::1]:0"},
		{"issuer", "https://id.example.com", "https://id.example.com"},
		{"issuer", "https://id.example.com:8443/auth", "https://id.example.com:8443/auth"},
		{"issuer", "http://localhost:10101", "http://localhost:10101"},
		{"issuer", "http://127.0.0.1:10101", "http://127.0.0.1:10101"},
		{"issuer", "http://[::1]:10101", "http://[::1]:10101"},
		{"issuer", "http://id.localhost", "http://id.localhost"},
		{"issuer", "https://xn--bcher-kva.example", "https://xn--bcher-kva.example"},
		{"issuer", "", ""},
		{"trusted_proxies", "10.0.0.0/8, ::1,192.0.2.7", "10.0.0.0/8,::1/128,192.0.2.7/32"},
		{"trusted_proxies", "::ffff:192.0.2.7", "192.0.2.7/32"},
		{"trusted_proxies", "", ""},
		{"direct_origins", "https://a.example, http://localhost:4200", "https://a.example,http://localhost:4200"},
		{"database_url", "postgres://u:p@h/d", "(set)"},
		{"database_url", "postgresql:///d?host=/run/postgresql", "(set)"},
		{"database_url", "", "(not set)"},
		{"access_token_ttl", "5s", "5s"},
		{"access_token_ttl", "24h", "1d"},
		{"access_token_ttl", "1h0m0s", "1h"},
		{"access_token_ttl", "90m", "1h30m"},
		{"refresh_grace", "0", "0s"},
		{"refresh_idle", "1d12h", "36h"},
		{"refresh_absolute", "3650d", "3650d"},
		{"signing_alg", "EdDSA", "EdDSA"},
		{"argon2", "m=8, t=1, p=1", "m=8,t=1,p=1"},
		{"throttle", "off", "off"},
		{"throttle", "account=5,address=50,window=60m", "account=5,address=50,window=1h"},
		{"log_level", "debug", "debug"},
		{"session_idle", "168h", "7d"},
		{"sign_up", "closed", "closed"},
		{"client_registration", "token", "token"},
		{"outbound_allow", "10.0.0.0/8, fd00::/8", "10.0.0.0/8,fd00::/8"},
		{"brand_name", "Käthes Laden", "Käthes Laden"},
		{"brand_primary", "#8A1C4A", "#8a1c4a"},
		{"brand_primary", "8a1c4a", "#8a1c4a"},
		{"brand_primary", "", ""},
		{"brand_links", "Privacy = https://example.com/p?a=b, Terms=https://example.com/t", "Privacy=https://example.com/p?a=b,Terms=https://example.com/t"},
		{"brand_links", "", ""},
	} {
		row, _ := find(c.key)
		var s Settings
		if err := row.set(&s, c.text); err != nil {
			t.Errorf("%s %q: %v", c.key, c.text, err)
			continue
		}
		if got := row.get(&s); got != c.shown {
			t.Errorf("%s %q is shown as %q, want %q", c.key, c.text, got, c.shown)
		}
		if !row.secret {
			if err := row.set(&s, c.shown); err != nil {
				t.Errorf("%s cannot be set to %q, as it is shown: %v", c.key, c.shown, err)
			}
		}
	}
}

func TestWhatIsWrongIsRefusedWithTheReason(t *testing.T) {
	for _, c := range []struct{ key, text, reason string }{
		{"listen", "10101", "not of the form host:port"},
		{"listen", "localhost:http", "has no port"},
		{"listen", "localhost:65536", "has no port"},
		{"issuer", "id.example.com", "not an http or https URL"},
		{"issuer", "ftp://id.example.com", "not an http or https URL"},
		{"issuer", "https://", "not an http or https URL"},
		{"issuer", "http://id.example.com", "use https"},
		{"issuer", "http://localhost.example.com", "use https"},
		{"issuer", "http://127.0.0.1.example.com", "use https"},
		{"issuer", "https://id.example.com/", "ends with a slash"},
		{"issuer", "https://id.example.com?a=b", "query or fragment"},
		{"issuer", "https://id.example.com#", "query or fragment"},
		{"issuer", "https://ID.example.com", "lower-case"},
		{"issuer", "https://id.example.com.", "lower-case"},
		{"issuer", "https://bücher.example", "lower-case"},
		{"issuer", "https://[::0]", "lower-case"},
		{"issuer", "https://id.example.com:443", "leave out :443"},
		{"issuer", "https://id.example.com:", "no port"},
		{"issuer", "https://id.example.com:0", "no port from 1"},
		{"issuer", "https://id.example.com:99999", "no port from 1"},
		{"issuer", "https://id.example.com/a/../b", "segments"},
		{"issuer", "https://id.example.com/a%2Fb", "segments"},
		{"issuer", "https://user@id.example.com", "user name"},
		{"direct_origins", "https://a.example/app", "only https://a.example"},
		{"direct_origins", "https://a.example,*", `"*"`},
		{"direct_origins", "null", "not an http or https URL"},
		{"direct_origins", "https://a.example,,https://b.example", `""`},
		{"direct_origins", strings.Repeat("https://a.example,", 100) + "https://a.example", "more than 100"},
		{"trusted_proxies", "10.0.0.1/8", "did you mean 10.0.0.0/8?"},
		{"trusted_proxies", "10.0.0.0/33", "not an address or network"},
		{"trusted_proxies", "::ffff:10.0.0.0/104", "write it as IPv4"},
		{"trusted_proxies", "fe80::1%eth0", "not an address or network"},
		{"trusted_proxies", "proxy.example", "not an address or network"},
		{"data", "", "is empty"},
		{"database_url", "mysql://h/d", "not a postgres:// URL"},
		{"database_url", "postgres://u:100%@h/d", "not a postgres:// URL"},
		{"master_key", "secret", "not 32 bytes"},
		{"access_token_ttl", "4s", "less than 5s"},
		{"access_token_ttl", "25h", "more than 1d"},
		{"access_token_ttl", "10", "not a duration"},
		{"access_token_ttl", "", "not a duration"},
		{"access_token_ttl", "d", "not a duration"},
		{"access_token_ttl", "1d25h", "not a duration"},
		{"access_token_ttl", "1d-2h", "not a duration"},
		{"access_token_ttl", "-1d", "not a duration"},
		{"access_token_ttl", "-10m", "less than 5s"},
		{"access_token_ttl", "99999999999d", "not a duration"},
		{"refresh_grace", "61s", "more than 1m"},
		{"key_lifetime", "59m", "less than 1h"},
		{"signing_alg", "ES265", "did you mean ES256?"},
		{"signing_alg", "none", "not known"},
		{"signing_alg", "", "not known"},
		{"argon2", "m=19456,t=2", "not of the form m=…,t=…,p=…"},
		{"argon2", "t=2,m=19456,p=1", "not of the form"},
		{"argon2", "m=19456,t=2,p=256", "for p that is more than 255"},
		{"argon2", "m=15,t=1,p=2", "for m that is less than 16"},
		{"argon2", "m=99999999999999999999,t=2,p=1", "for m that is not a whole number"},
		{"throttle", "account=0,address=100,window=15m", "for account that is less than 1"},
		{"throttle", "account=1,address=100,window=0s", "for window that is less than 1s"},
		{"throttle", "0", "not of the form"},
		{"hash_threads", "-1", "less than 0"},
		{"hash_threads", "four", "not a whole number"},
		{"hash_queue", "0", "less than 1"},
		{"log_level", "INFO+2", "not known"},
		{"log_level", "warning", "not known"},
		{"log_format", "jsn", "did you mean json?"},
		{"session_absolute", "59s", "less than 1m"},
		{"sign_up", "close", "did you mean closed?"},
		{"client_registration", "open", "not known"},
		{"outbound_allow", "internal.example", "not an address or network"},
		{"brand_name", " ", "is empty"},
		{"brand_name", strings.Repeat("a", 61), "too long"},
		{"brand_primary", "red", "not a colour"},
		{"brand_primary", "#fff", "not a colour"},
		{"brand_primary", "#12345g", "not a colour"},
		{"brand_primary", "##12345", "not a colour"},
		{"brand_radius", "49", "more than 48"},
		{"brand_links", "https://example.com/privacy", "no https URL"},
		{"brand_links", "=https://example.com/privacy", "no name"},
		{"brand_links", "Privacy=http://example.com/privacy", "no https URL"},
		{"brand_links", "Privacy=javascript:alert(1)", "no https URL"},
	} {
		row, _ := find(c.key)
		var s Settings
		err := row.set(&s, c.text)
		if err == nil || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s %.40q: error %v, want one with %q", c.key, c.text, err, c.reason)
		}
		if got, zero := row.get(&s), row.get(new(Settings)); got != zero {
			t.Errorf("%s %.40q was refused, yet the setting is now %q", c.key, c.text, got)
		}
	}
}

func TestTheMasterKeyIsReadInHexAndBase64url(t *testing.T) {
	key := strings.Repeat("\xfb\xef\x00\x01", 8)
	padded := base64.URLEncoding.EncodeToString([]byte(key))
	for _, text := range []string{
		hex.EncodeToString([]byte(key)), strings.ToUpper(hex.EncodeToString([]byte(key))),
		padded, strings.TrimRight(padded, "="),
	} {
		s, _, err := Load(nil, []string{"KEYWRIGHT_MASTER_KEY=" + text})
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if string(s.MasterKey) != key {
			t.Errorf("%s is read as %x", text, string(s.MasterKey))
		}
	}
}

func FuzzADurationIsReadAsItIsShown(f *testing.F) {
	for _, text := range []string{"14d", "1d12h", "1h30m", "0", "1.5h", "10µs", "-3m", "106751d"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := parseDuration(text)
		if err != nil {
			return
		}
		shown := formatDuration(d)
		again, err := parseDuration(shown)
		if err != nil || again != d {
			t.Errorf("%q is %v, shown as %q, which is %v (%v)", text, d, shown, again, err)
		}
	})
}

func TestDurationsDoNotOverflow(t *testing.T) {
	if d, err := parseDuration("32767d23h"); err != nil || d != 32767*day+23*time.Hour {
		t.Errorf("got %v, %v", d, err)
	}
}
