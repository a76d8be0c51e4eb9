package settings

import (
	"errors"
	"strings"
	"testing"
)

func TestEachYAMLFormGivesTheSameText(t *testing.T) {
	for content, want := range map[string]string{
		"trusted_proxies: 10.0.0.0/8,::1":               "10.0.0.0/8,::1",
		"trusted_proxies: [10.0.0.0/8, \"::1\"]":        "10.0.0.0/8,::1",
		"trusted_proxies:\n  - 10.0.0.0/8\n  - '::1'\n": "10.0.0.0/8,::1",
		"trusted_proxies: []":                           "",
		"hash_threads: 4":                               "4",
		"hash_threads: \"4\"":                           "4",
		"refresh_grace: 0":                              "0",
		"issuer: ''":                                    "",
		"---\ndata: yes # a folder named yes\n...\n":    "yes",
		"data: 2026-01-02":                              "2026-01-02",
		"{data: x}":                                     "x",
	} {
		values, errs := decode("keywright.yaml", []byte(content))
		if len(errs) > 0 || len(values) != 1 || values[0].text != want {
			t.Errorf("%q gives %v, %v; want %q", content, values, errs, want)
		}
	}
}

func TestAFileWithoutSettingsIsAccepted(t *testing.T) {
	for _, content := range []string{"", "\n", "# nothing\n", "---\n", "{}", "null"} {
		if values, errs := decode("keywright.yaml", []byte(content)); len(values)+len(errs) > 0 {
			t.Errorf("%q gives %v, %v", content, values, errs)
		}
	}
}

func TestAWrongFileIsRefusedWithThePlace(t *testing.T) {
	for _, c := range []struct{ content, want string }{
		{"data: x\n\n listn: y", "keywright.yaml:3: is not YAML: "},
		{"data: x\nlistn: y", "keywright.yaml:2:1: listn is not a setting; did you mean listen?"},
		{"access-token-ttl: 1m", "keywright.yaml:1:1: access-token-ttl is not a setting; did you mean access_token_ttl?"},
		{"Data: x", "keywright.yaml:1:1: Data is not a setting; did you mean data?"},
		{"data: x\nissuer: ''\ndata: x", "keywright.yaml:3:1: data is set twice, first in line 1"},
		{"{data: x, hash_threads: many}", `keywright.yaml:1:11: hash_threads "many" is not a whole number (accepted: a whole number from 0 to 1024)`},
		{"listen: [a:1]", "keywright.yaml:1:1: listen is a list or a mapping (accepted: host:port"},
		{"argon2: {m: 1}", "keywright.yaml:1:1: argon2 is a list or a mapping"},
		{"listen:", `keywright.yaml:1:1: listen has no value; write "" for an empty one`},
		{"listen: ~", "keywright.yaml:1:1: listen has no value"},
		{"listen: !!binary YQ==", "keywright.yaml:1:1: listen has a YAML tag"},
		{"data: &a x\nlisten: *a", "keywright.yaml:2:1: listen is an alias"},
		{"listen: *a", "keywright.yaml: is not YAML: a value that begins with * must stand in quotes"},
		{"trusted_proxies: [[a]]", "keywright.yaml:1:1: trusted_proxies has an entry that is a list or a mapping"},
		{"trusted_proxies: [~]", "keywright.yaml:1:1: trusted_proxies has an entry that has no value"},
		{"<<: {data: x}", "keywright.yaml:1:1: this key is not a setting"},
		{"[data]: x", "keywright.yaml:1:1: this key is not a setting"},
		{"&a data: x\n*a : y", "keywright.yaml:2:1: a is not a setting"},
		{"1: x", "keywright.yaml:1:1: 1 is not a setting"},
		{"- data", "keywright.yaml:1:1: is not a list of settings"},
		{"data", "keywright.yaml:1:1: is not a list of settings"},
		{"data: x\n---\ndata: y", "keywright.yaml:2:1: a second YAML document begins here"},
		{"data: x\n---\n", "keywright.yaml:2:1: a second YAML document begins here"},
		{"data: [", "keywright.yaml:1: is not YAML: "},
		{"data: \x00", "keywright.yaml: is not YAML: "},
		{"master_key: x", "keywright.yaml:1:1: master_key must not lie beside the other settings: whoever copies them would have it (accepted: environment KEYWRIGHT_MASTER_KEY or KEYWRIGHT_MASTER_KEY_FILE)"},
	} {
		values, errs := decode("keywright.yaml", []byte(c.content))
		var s Settings
		err := errors.Join(append(errs, applyEach(&s, values))...)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%q: error\n%v\nwant\n%s", c.content, err, c.want)
		}
	}
}

func TestALargeFileIsRefused(t *testing.T) {
	_, _, err := Load(nil, []string{"KEYWRIGHT_CONFIG=" + file(t, "keywright.yaml", strings.Repeat("#\n", maxFile))})
	if err == nil || !strings.Contains(err.Error(), "larger than 64 KiB") {
		t.Errorf("error %v", err)
	}
}

func TestAFolderInPlaceOfTheFileIsRefused(t *testing.T) {
	_, _, err := Load(nil, []string{"KEYWRIGHT_CONFIG=" + t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("error %v", err)
	}
}

func FuzzAFileGivesEachSettingOnceOrAnError(f *testing.F) {
	f.Add([]byte(Template()))
	f.Add([]byte(uncommented(Template())))
	for _, content := range []string{
		"a: &a [*a]", "? *a : b", "<<: *x", "[a]: b", "a: |\n b\n", "%YAML 1.1\n---\n", "!!set {a}", "\xff\xfe", "{a: {b: [", "listen: !!null x",
	} {
		f.Add([]byte(content))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > maxFile {
			return
		}
		values, errs := decode("keywright.yaml", data)
		seen := map[string]bool{}
		for _, g := range values {
			if seen[g.setting.key] || g.setting.fileRefusal != "" || g.origin.line == 0 {
				t.Errorf("%s from %s", g.setting.key, g.origin.place())
			}
			seen[g.setting.key] = true
			g.apply(&Settings{})
		}
		for _, err := range errs {
			if strings.ContainsAny(err.Error(), "\n\x00\x1b") {
				t.Errorf("an error with control characters: %q", err)
			}
		}
	})
}
