package settings

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestAClientsFileIsReadWithItsSecrets(t *testing.T) {
	secret := file(t, "secret", "the secret of the shop\n")
	clients, err := ReadClients(file(t, "clients.yaml", `
clients:
  - client_id: shop
    client_name: "The shop"
    public: false
    require_pkce: false
    redirect_uris: [https://shop.example.com/cb, "https://shop.example.com/b"]
    access_token_ttl: 1d
    secret_file: `+secret+`
  - client_id: 42
    secret_env: OTHER_SECRET
    trusted: true
    scopes:
      - openid
      - 1e3
    jwks: {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "1234"}]}
`), []string{"OTHER_SECRET=first", "OTHER_SECRET=the other"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range clients {
		text, err := json.Marshal(c.Members)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(text))
	}
	want := []string{
		`{"access_token_ttl":"24h0m0s","client_id":"shop","client_name":"The shop","client_secret":"the secret of the shop","public":false,` +
			`"redirect_uris":["https://shop.example.com/cb","https://shop.example.com/b"],"require_pkce":false}`,
		`{"client_id":"42","client_secret":"the other","jwks":{"keys":[{"crv":"Ed25519","kty":"OKP","x":"1234"}]},"scopes":["openid","1e3"],"trusted":true}`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if place := clients[1].Origin.place(); !strings.HasSuffix(place, "clients.yaml:10:5") {
		t.Error(place)
	}
}

func TestAClientsFileMayDeclareNone(t *testing.T) {
	clients, err := ReadClients(file(t, "clients.yaml", "clients: []\n"), nil)
	if err != nil || len(clients) != 0 {
		t.Errorf("%v, %v", clients, err)
	}
}

func TestAWrongClientsFileIsRefusedWithThePlace(t *testing.T) {
	for content, want := range map[string]string{
		"":                                                             "clients.yaml:1:1: does not declare clients",
		"# nothing\n":                                                  "clients.yaml:1:1: does not declare clients",
		"clients:\n":                                                   "clients is not a list",
		"clients: {a: b}":                                              "clients is not a list",
		"- client_id: a":                                               "clients.yaml:1:1: does not declare clients",
		"client: []":                                                   "clients.yaml:1:1: client is not known here; did you mean clients?",
		"clients: []\nclients: []":                                     "clients.yaml:2:1: clients is set twice, first in line 1",
		"clients: [a]":                                                 "clients.yaml:1:11: clients has an entry that is no client",
		"clients: [{}]":                                                "clients.yaml:1:11: has no client_id",
		"clients: [{id: a}]":                                           "clients.yaml:1:12: id is not known here; did you mean client_id?",
		"clients: [{name: a}]":                                         "clients.yaml:1:12: name is not known here; did you mean client_name?",
		"clients: [{clientid: a}]":                                     "clients.yaml:1:12: clientid is not known here; did you mean client_id?",
		"clients: [{redirect_uri: a}]":                                 "clients.yaml:1:12: redirect_uri is not known here; did you mean redirect_uris?",
		"clients: [{disabled: true}]":                                  "clients.yaml:1:12: disabled is not known here",
		"clients: [{registered_by: a}]":                                "clients.yaml:1:12: registered_by is not known here",
		"clients: [{client_secret: a}]":                                "a secret is never in this file: did you mean secret_file or secret_env?",
		"clients: [{public: maybe}]":                                   "clients.yaml:1:12: public is neither true nor false (accepted: true or false)",
		"clients: [{trusted: 1}]":                                      "trusted is neither true nor false",
		"clients: [{trusted: [true]}]":                                 "trusted is neither true nor false",
		"clients: [{scopes: openid}]":                                  "clients.yaml:1:12: scopes is not a list (accepted: a list such as [a, b])",
		"clients: [{scopes: [[a]]}]":                                   "scopes has an entry that is a list or a mapping",
		"clients: [{client_name: [a]}]":                                "client_name is a list or a mapping",
		"clients: [{client_name: }]":                                   "client_name has no value",
		"clients: [{jwks: text}]":                                      "jwks is not a JWK Set",
		"clients: [{jwks: {a: 1, a: 2}}]":                              "jwks has a member that is set twice",
		"clients: [{access_token_ttl: soon}]":                          "access_token_ttl is not a duration",
		"clients: [{secret_env: NOWHERE}]":                             "secret_env names an environment variable that is not set",
		"clients: [{secret_env: KEYWRIGHT_MASTER_KEY}]":                "secret_env begins with KEYWRIGHT_, as only settings do",
		"clients: [{secret_env: 'a b'}]":                               "secret_env is not the name of an environment variable",
		"clients: [{secret_file: /nowhere/secret}]":                    "secret_file names a file that cannot be read: no such file or directory",
		"clients: [{secret_file: /dev/null}]":                          "secret_file names a file that is empty",
		"clients: [{secret_file: a, secret_env: B}]":                   "secret_env is set, and secret_file too",
		"clients: [{client_id: &a x}, {client_id: *a}]":                "client_id is an alias",
		"clients: [{client_id: a}]\n---\nclients: []":                  "a second YAML document begins here",
		"clients: [{client_id: a":                                      "is not YAML",
		"clients:\n  - client_id: a\n    client_id: b\n":               "clients.yaml:3:5: client_id is set twice, first in line 2",
		"clients: [{client_id: " + strings.Repeat("a", 600<<10) + "}]": "larger than 512 KiB",
	} {
		clients, err := ReadClients(file(t, "clients.yaml", content), nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q gives %v, %v, want %s", content, clients, err, want)
		}
	}
	if _, err := ReadClients("/nowhere/clients.yaml", nil); err == nil || !strings.Contains(err.Error(), "/nowhere/clients.yaml: cannot be read: no such file") {
		t.Error(err)
	}
}

func TestEveryErrorOfAClientsFileIsFoundAtOnce(t *testing.T) {
	_, err := ReadClients(file(t, "clients.yaml", "clients:\n  - id: a\n  - client_id: b\n    public: 1\n  - client_id: c\n    secret_env: C\nother: 1\n"), nil)
	if err == nil || len(strings.Split(err.Error(), "\n")) != 5 {
		t.Error(err)
	}
}

func TestASecretInAClientsFileIsNotShown(t *testing.T) {
	for _, content := range []string{
		"clients: [{client_secret: " + canary + "}]",
		"clients: [{secret_env: '" + canary + "'}]",
		"clients: [{secret_file: " + canary + "}]",
		"clients: [{client_id: a, " + canary + ": '" + strings.Repeat("x", 50) + "'}]",
		"clients: " + canary,
	} {
		_, err := ReadClients(file(t, "clients.yaml", content), nil)
		if err == nil || strings.Contains(err.Error(), canary) && !strings.Contains(content, canary+":") {
			t.Errorf("%s: %v", content, err)
		}
	}
}

func FuzzReadClients(f *testing.F) {
	f.Add("clients: [{client_id: a, jwks: {keys: []}, scopes: [a], public: true}]")
	f.Add("clients:\n- client_id: &a x\n  jwks: *a\n")
	f.Fuzz(func(t *testing.T, content string) {
		clients, err := ReadClients(file(t, "clients.yaml", content), nil)
		if err != nil {
			return
		}
		for _, c := range clients {
			if _, err := json.Marshal(c.Members); err != nil {
				t.Error(err)
			}
		}
	})
}
