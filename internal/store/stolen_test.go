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
	"time"

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
		Client: "batch", SecretHash: oauth.SecretHash(db.Secrets().ClientSecret, clientSecret), At: db.Now(),
		ClientMetadata: change.ClientMetadata{Grants: []string{oauth.ClientCredentialsGrant}},
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

	liveInABrowser(t, db, user, stolen)
	register(t, db, stolen)

	secrets := db.Secrets()
	stolen["the refresh key"], stolen["the client secrets' key"] = secrets.Refresh.Key, secrets.ClientSecret
	stolen["the cookies' key"], stolen["the codes' key"], stolen["the pages' key"] = secrets.Session, secrets.Code, secrets.Flow
	stolen["the throttle's key"], stolen["the addresses' key"] = secrets.Throttle, secrets.Address
	number(t, db, "here")
}

func TestNoSecretServesTwoPurposes(t *testing.T) {
	s := open(t, storetest.SQLite(t)).Secrets()
	purposes := map[string]string{}
	for purpose, key := range map[string][]byte{
		"refresh tokens": s.Refresh.Key, "client secrets": s.ClientSecret, "throttle": s.Throttle, "addresses": s.Address,
		"sessions": s.Session, "codes": s.Code, "flows": s.Flow,
	} {
		if other, used := purposes[string(key)]; used || len(key) != 32 {
			t.Errorf("the key of %s has %d bytes, and is also that of %q", purpose, len(key), other)
		}
		purposes[string(key)] = purpose
	}
}

// liveInABrowser signs a person in and lets an app have something.
func liveInABrowser(t *testing.T, db *store.DB, user string, stolen map[string][]byte) {
	t.Helper()
	client := webClient(t, db)
	first := signedIn(t, db, user, "")
	second := signedIn(t, db, user, first)
	spent, unspent := authorize(t, db, client, second, "flw_1", "openid"), authorize(t, db, client, second, "flw_2", "openid")
	issue := redeem(t, db, client, spent)
	if session(t, db, second) == nil || unspent == "" || issue == nil {
		t.Fatal("signing in does not work")
	}
	stolen["the first cookie"], stolen["the second cookie"] = []byte(first), []byte(second)
	stolen["the spent code"], stolen["the unspent code"] = []byte(spent), []byte(unspent)
	stolen["the code verifier"], stolen["the app's refresh token"] = []byte(verifier), []byte(issue.RefreshToken)
	stolen["the app's access token's id"] = []byte(issue.AccessToken.ID)
}

// register adds a client that registers itself.
func register(t *testing.T, db *store.DB, stolen map[string][]byte) {
	t.Helper()
	key, initial, access := db.Secrets().ClientSecret, rand.Text(), rand.Text()
	apply(t, db, change.RegistrationTokenAdded{
		Token: "rgt_1", Hash: oauth.InitialTokenHash(key, initial), Uses: 2, At: db.Now(), ExpiresAt: db.Now().Add(time.Hour),
	})
	decide(t, db, func(tx *store.Tx, now time.Time) ([]change.Change, error) {
		token, err := tx.LockRegistrationToken(oauth.InitialTokenHash(key, initial))
		fresh := oauth.FreshClient{ID: "cl_1", SecretHash: oauth.SecretHash(key, rand.Text()), TokenHash: oauth.RegistrationTokenHash(key, access)}
		_, changes, refusal := oauth.Register(oauth.Registration{RedirectURIs: []string{redirectURI}}, token, fresh, now)
		if refusal != nil {
			t.Error(refusal)
		}
		return changes, err
	})
	stolen["the initial access token"], stolen["the registration access token"] = []byte(initial), []byte(access)
}

// What stands in the database in place of a secret opens nothing.
func TestStolenHashCannotBePresented(t *testing.T) {
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
		liveWithSecrets(t, db, map[string][]byte{})
		secrets := db.Secrets()
		opens := func(presented string) (opened bool) {
			decide(t, db, func(tx *store.Tx, _ time.Time) ([]change.Change, error) {
				s, err := tx.SessionFacts(oauth.SessionHash(secrets.Session, presented))
				if err != nil {
					return nil, err
				}
				code, err := tx.LockCodeFacts("cl_1", oauth.CodeHash(secrets.Code, presented))
				if err != nil {
					return nil, err
				}
				token, err := tx.LockRegistrationToken(oauth.InitialTokenHash(secrets.ClientSecret, presented))
				if err != nil {
					return nil, err
				}
				c, err := tx.Client("cl_1")
				opened = s.Session != nil || code.Code != nil || token != nil ||
					oauth.MayConfigure(c, oauth.RegistrationTokenHash(secrets.ClientSecret, presented)) == nil ||
					bytes.Equal(c.SecretHash, oauth.SecretHash(secrets.ClientSecret, presented))
				return nil, err
			})
			return opened
		}
		hashes := blobs(t, db, `SELECT secret_hash FROM sessions UNION ALL SELECT hash FROM codes UNION ALL SELECT hash FROM registration_tokens
			UNION ALL SELECT registration_token FROM clients UNION ALL SELECT secret_hash FROM clients`)
		if len(hashes) < 6 {
			t.Fatalf("only %d hashes were found", len(hashes))
		}
		for _, hash := range hashes {
			for _, form := range []string{string(hash), hex.EncodeToString(hash), base64.RawURLEncoding.EncodeToString(hash)} {
				if opens(form) {
					t.Errorf("%q opens something", form)
				}
			}
		}
	})
}

func blobs(t *testing.T, db *store.DB, query string) (all [][]byte) {
	t.Helper()
	rows, err := db.Read(context.Background()).Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var blob []byte
		if err := rows.Scan(&blob); err != nil {
			t.Fatal(err)
		}
		all = append(all, blob)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
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
