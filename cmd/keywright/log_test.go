package main

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
)

// exchange sends one request and returns the members of the answer that are texts.
func exchange(t *testing.T, method, address, contentType, body string, headers ...string) map[string]string {
	t.Helper()
	req, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	json.Unmarshal(answer, &members)
	texts := map[string]string{}
	for name, value := range members {
		if text, ok := value.(string); ok {
			texts[name] = text
		}
	}
	return texts
}

func TestLogHoldsNoSecret(t *testing.T) {
	t.Parallel()
	address, issuer := freeAddress(t)
	folder := t.TempDir() + "/data"
	p := startReady(t, http.DefaultClient, issuer, "dev", "--data", folder, "--listen", address, "--log-level", "debug")
	const form, object = "application/x-www-form-urlencoded", "application/json"
	post := func(path, contentType, body string, headers ...string) map[string]string {
		return exchange(t, "POST", issuer+path, contentType, body, headers...)
	}

	var client struct {
		Secret string `json:"client_secret"`
	}
	added := keywright(t, "client", "add", "--id", "billing", "--grant", "client_credentials", "--data", folder, "--json")
	if err := json.Unmarshal([]byte(added), &client); err != nil {
		t.Fatal(err)
	}
	secrets := []string{"open-sesame-1", "wrong-sesame-2", "wrong-sesame-3", "garbage-token-4", client.Secret}

	post("/register", object, `{"name":"Ada","email":"ada@example.com","password":"open-sesame-1"}`)
	post("/register", object, `{"name":"Ada","email":"nobody","password":"wrong-sesame-2"`)
	post("/login", object, `{"email":"ada@example.com","password":"wrong-sesame-2"}`)
	signedIn := post("/login", object, `{"email":"ada@example.com","password":"open-sesame-1"}`)
	if signedIn["token"] == "" || client.Secret == "" {
		t.Fatalf("signing in gives %v", signedIn)
	}
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("billing:"+client.Secret))
	issued := post("/token", form, "grant_type=client_credentials", "Authorization", basic)
	if issued["access_token"] == "" {
		t.Fatalf("the client gets %v", issued)
	}
	refreshed := post("/token", form, url.Values{"grant_type": {"refresh_token"}, "client_id": {"direct"}, "refresh_token": {signedIn["refresh_token"]}}.Encode())
	for _, answer := range []map[string]string{signedIn, issued, refreshed} {
		for _, name := range []string{"token", "access_token", "refresh_token"} {
			if answer[name] != "" {
				secrets = append(secrets, answer[name])
			}
		}
	}
	post("/token", form, "grant_type=client_credentials&client_id=billing&client_secret=wrong-sesame-3")
	post("/token?client_secret="+client.Secret, form, "grant_type=client_credentials&client_id=billing")
	post("/revoke", form, url.Values{"client_id": {"direct"}, "token": {signedIn["token"]}}.Encode())
	post("/introspect", form, url.Values{"token": {signedIn["token"]}}.Encode(), "Authorization", basic)
	exchange(t, "GET", issuer+"/profile", "", "", "Authorization", "Bearer garbage-token-4")
	exchange(t, "GET", issuer+"/profile?access_token="+signedIn["token"], "", "")
	exchange(t, "GET", issuer+"/"+signedIn["token"], "", "")
	exchange(t, "GET", issuer+"/profile", "", "", "Authorization", "Bearer "+signedIn["token"], "Referer", issuer+"/?code="+client.Secret)

	p.signal(os.Interrupt)
	p.exit(exitOK)
	key, err := os.ReadFile(folder + "/master.key")
	if err != nil {
		t.Fatal(err)
	}
	secrets = append(secrets, strings.TrimSpace(string(key)), strings.TrimPrefix(basic, "Basic "))
	log := p.output.String()
	for _, secret := range secrets {
		if strings.Contains(log, secret) {
			t.Errorf("%q is in the log:\n%s", secret, log)
		}
	}
	if !strings.Contains(log, `"route":"/token"`) {
		t.Errorf("requests are not logged:\n%s", log)
	}
}
