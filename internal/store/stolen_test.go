package store_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keywright/keywright/internal/account"
	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/password"
	"github.com/keywright/keywright/internal/store"
	"github.com/keywright/keywright/internal/store/storetest"
)

// What a stolen database gives: nothing that can be presented.
func TestStolenDatabaseGivesNothing(t *testing.T) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		db := open(t, o)
		stolen := map[string][]byte{"the master key": o.MasterKey[:]}
		liveWithSecrets(t, db, stolen)
		checkNothingIsIn(t, "the open database", dump(t, db, o), stolen)
		if o.Folder == "" {
			return
		}
		db.Close()
		file, err := os.ReadFile(filepath.Join(o.Folder, "keywright.db"))
		if err != nil {
			t.Fatal(err)
		}
		checkNothingIsIn(t, "the closed file", file, stolen)
	})
}

// known stands in the database in the open; the search must find it.
const known = "ada.canary@example.com"

// liveWithSecrets does what makes secrets, and returns them in stolen.
func liveWithSecrets(t *testing.T, db *store.DB, stolen map[string][]byte) {
	t.Helper()
	hasher, err := password.New(rand.Reader, password.Options{Params: password.Params{MemoryKiB: 8, Time: 1, Threads: 1}, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer hasher.Close()
	r := account.Registration{Email: known, Name: "Ada", Password: "a canary's password"}
	hash, err := hasher.Hash(context.Background(), []byte(r.Password))
	if err != nil {
		t.Fatal(err)
	}
	user := newID("usr_")
	apply(t, db, account.Register(r, known, hash, user, nil, db.Now())...)
	stolen["the password"] = []byte(r.Password)

	clientSecret := "kws_" + rand.Text()
	machine := change.ClientAdded{
		Client: "batch", SecretHash: oauth.SecretHash(db.Secrets().ClientSecret, clientSecret), Grants: []string{oauth.ClientCredentialsGrant}, At: db.Now(),
	}
	apply(t, db, machine)
	apply(t, db, change.ClientSecretReplaced{Client: "batch", SecretHash: machine.SecretHash})
	stolen["the client secret"] = []byte(clientSecret)

	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	scalar, err := private.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	apply(t, db, change.SigningKeyAdded{KeyID: "k1", Algorithm: "ES256", PrivateKey: der, PublishedAt: db.Now(), ReadyAt: db.Now(), SignsFrom: db.Now()})
	stolen["the signing key"], stolen["the signing key's scalar"] = der, scalar

	client := publicClient(t, db)
	first := granted(t, db, user, client).RefreshToken
	second := refresh(t, db, policy, client, first)
	if second == nil || refresh(t, db, policy, client, first) != nil {
		t.Fatal("rotation does not work")
	}
	for name, token := range map[string]string{"the first refresh token": first, "the second refresh token": second.RefreshToken} {
		raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(token, "kwr_"))
		if err != nil {
			t.Fatal(err)
		}
		stolen[name], stolen[name+"'s HMAC"] = []byte(token), raw[len(raw)-32:]
	}

	secrets := db.Secrets()
	stolen["the refresh key"], stolen["the client secrets' key"] = secrets.Refresh.Key, secrets.ClientSecret
	stolen["the throttle's key"], stolen["the addresses' key"] = secrets.Throttle, secrets.Address
	number(t, db, "here")
}

// dump returns all that a thief of the database has.
func dump(t *testing.T, db *store.DB, o store.Options) []byte {
	t.Helper()
	var all []byte
	if o.Folder == "" {
		for _, table := range texts(t, db, `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()`) {
			all = append(all, strings.Join(texts(t, db, fmt.Sprintf(`SELECT row::text FROM %s AS row`, table)), "\n")...)
		}
		return all
	}
	files, err := os.ReadDir(o.Folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		content, err := os.ReadFile(filepath.Join(o.Folder, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, content...)
	}
	return all
}

func checkNothingIsIn(t *testing.T, what string, database []byte, stolen map[string][]byte) {
	t.Helper()
	if !bytes.Contains(database, []byte(known)) {
		t.Fatalf("%s was not read", what)
	}
	for name, secret := range stolen {
		if len(secret) < 16 {
			t.Errorf("%s is too short to be searched for", name)
		}
		for _, form := range [][]byte{
			secret, []byte(hex.EncodeToString(secret)), []byte(base64.RawURLEncoding.EncodeToString(secret)), []byte(base64.RawStdEncoding.EncodeToString(secret)),
		} {
			if bytes.Contains(database, form) {
				t.Errorf("%s holds %s", what, name)
			}
		}
	}
}
