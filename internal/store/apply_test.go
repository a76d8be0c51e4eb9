package store_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/store"
	"github.com/keywright/keywright/internal/store/storetest"
)

// facts are all changes by the names that the journal knows them by for ever.
var facts = map[string]change.Change{
	"user.registered.v1":            change.UserRegistered{},
	"user.registration_repeated.v1": change.RegistrationRepeated{},
	"user.password_rehashed.v1":     change.PasswordRehashed{},
	"user.disabled.v1":              change.UserDisabled{},
	"user.enabled.v1":               change.UserEnabled{},
	"user.sessions_ended.v1":        change.UserSessionsEnded{},
	"user.profile_changed.v1":       change.ProfileChanged{},
	"user.password_changed.v1":      change.PasswordChanged{},
	"session.started.v1":            change.SessionStarted{},
	"session.renewed.v1":            change.SessionRenewed{},
	"session.seen.v1":               change.SessionSeen{},
	"session.ended.v1":              change.SessionEnded{},
	"attempts.reserved.v1":          change.AttemptsReserved{},
	"attempts.returned.v1":          change.AttemptsReturned{},
	"sign_in.throttled.v1":          change.SignInThrottled{},
	"client.added.v2":               change.ClientAdded{},
	"client.changed.v1":             change.ClientChanged{},
	"client.disabled.v1":            change.ClientDisabled{},
	"client.enabled.v1":             change.ClientEnabled{},
	"client.secret_replaced.v1":     change.ClientSecretReplaced{},
	"client.removed.v1":             change.ClientRemoved{},
	"registration_token.added.v1":   change.RegistrationTokenAdded{},
	"registration_token.used.v1":    change.RegistrationTokenUsed{},
	"registration_token.removed.v1": change.RegistrationTokenRemoved{},
	"client_assertion.used.v1":      change.ClientAssertionUsed{},
	"code.issued.v1":                change.CodeIssued{},
	"code.redeemed.v1":              change.CodeRedeemed{},
	"consent.given.v1":              change.ConsentGiven{},
	"consent.withdrawn.v1":          change.ConsentWithdrawn{},
	"consents.forgotten.v1":         change.ConsentsForgotten{},
	"grant.issued.v2":               change.GrantIssued{},
	"grant.rotated.v1":              change.GrantRotated{},
	"grant.recovered.v1":            change.GrantRecovered{},
	"grant.revoked.v1":              change.GrantRevoked{},
	"access_token.revoked.v1":       change.AccessTokenRevoked{},
	"logout.owed.v1":                change.LogoutOwed{},
	"logout.told.v1":                change.LogoutTold{},
	"logout.delayed.v1":             change.LogoutDelayed{},
	"journal.read.v1":               change.JournalRead{},
	"signing_key.added.v1":          change.SigningKeyAdded{},
	"signing_key.promoted.v1":       change.SigningKeyPromoted{},
	"signing_key.removed.v1":        change.SigningKeyRemoved{},
}

// opaque are the fields that a journal row may show: ids that name nobody to
// who has no database, and what somebody configured. A client's metadata is
// all of the second kind.
var opaque = []string{
	"User", "Session", "Client", "Flow", "Grant", "KeyID", "Token", "TokenID", "Key", "Limit", "Reason", "Algorithm",
	"Had", "Generation", "SignsFrom", "Scope", "Audiences", "Uses", "RegistrationTokenAdded.ExpiresAt",
	"SessionStarted.Methods", "SessionRenewed.Methods", "ClientMetadata",
}

func isOpaque(v reflect.Type, field string) bool {
	return slices.Contains(opaque, field) || slices.Contains(opaque, v.Name()+"."+field)
}

// typesThatAreChanges reads the types of package change that have a method Fact.
func typesThatAreChanges(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../change/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range parsed.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Name.Name == "Fact" && f.Recv != nil {
				names = append(names, f.Recv.List[0].Type.(*ast.Ident).Name)
			}
		}
	}
	slices.Sort(names)
	return names
}

func TestEachChangeIsInTheTableOfFacts(t *testing.T) {
	var names []string
	for name, c := range facts {
		names = append(names, reflect.TypeOf(c).Name())
		if is, _ := c.Fact(); is != name {
			t.Errorf("%T is %s now; the journal knows it as %s", c, is, name)
		}
	}
	slices.Sort(names)
	if all := typesThatAreChanges(t); !slices.Equal(all, names) {
		t.Errorf("package change has\n%v\nthe table has\n%v", all, names)
	}
}

func TestEachChangeHasAStatement(t *testing.T) {
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
		for name, c := range facts {
			before := count(t, db, `SELECT COUNT(*) FROM journal`)
			apply(t, db, filled(c))
			_, kind := c.Fact()
			if wrote := count(t, db, `SELECT COUNT(*) FROM journal`) - before; wrote != int64(kind) {
				t.Errorf("%s added %d rows to the journal", name, wrote)
			}
		}
	})
}

// unknown is a change that the store has never heard of.
type unknown struct{}

func (unknown) Fact() (string, change.Kind) { return "unknown.v1", change.Audit }

func TestUnknownChangeIsAnErrorAndChangesNothing(t *testing.T) {
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
		err := db.Update(context.Background(), func(tx *store.Tx) error {
			return tx.Apply(change.Origin{}, change.RegistrationRepeated{User: "usr_1"}, unknown{})
		})
		if err == nil || !strings.Contains(err.Error(), "unknown.v1") {
			t.Errorf("answered %v", err)
		}
		if n := count(t, db, `SELECT COUNT(*) FROM journal`); n != 0 {
			t.Errorf("%d journal rows", n)
		}
	})
}

func TestJournalHoldsOnlyOpaqueIDs(t *testing.T) {
	db := open(t, storetest.SQLite(t))
	for name, c := range facts {
		if _, kind := c.Fact(); kind != change.Audit {
			continue
		}
		t.Run(name, func(t *testing.T) {
			c := filled(c)
			apply(t, db, c)
			var written string
			err := db.Read(context.Background()).QueryRow(`SELECT facts FROM journal ORDER BY id DESC LIMIT 1`).Scan(&written)
			if err != nil {
				t.Fatal(err)
			}
			v := reflect.ValueOf(c)
			for i := range v.NumField() {
				field := v.Type().Field(i).Name
				for _, form := range forms(t, v.Field(i)) {
					if strings.Contains(written, form) && !isOpaque(v.Type(), field) {
						t.Errorf("%s shows in %s", field, written)
					}
				}
			}
		})
	}
}

func TestJournalSaysWhoAskedAndFromWhere(t *testing.T) {
	storetest.Each(t, newClock().now, func(t *testing.T, db *store.DB) {
		origin := change.Origin{Actor: "usr_1", Client: "spa", Address: "a1b2", Request: "r1"}
		err := db.Update(context.Background(), func(tx *store.Tx) error {
			return tx.Apply(origin, change.UserDisabled{User: "usr_1", At: db.Now()})
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.NumberJournal(context.Background(), "here"); err != nil {
			t.Fatal(err)
		}
		entries, err := db.Read(context.Background()).Journal(0, 10)
		if err != nil {
			t.Fatal(err)
		}
		want := []store.Entry{{Number: 1, At: db.Now(), Name: "user.disabled.v1",
			Origin: `{"actor":"usr_1","client":"spa","address":"a1b2","request":"r1"}`, Facts: `{"user":"usr_1"}`}}
		if !reflect.DeepEqual(entries, want) {
			t.Errorf("got %+v", entries)
		}
	})
}

// filled returns a copy of c whose every field holds a value of its own.
func filled(c change.Change) change.Change {
	v := reflect.New(reflect.TypeOf(c)).Elem()
	fillAll(v)
	return v.Interface().(change.Change)
}

func fillAll(v reflect.Value) {
	for i := range v.NumField() {
		fill(v.Field(i), v.Type().Name()+v.Type().Field(i).Name, i)
	}
}

func fill(v reflect.Value, canary string, seed int) {
	switch value := v.Addr().Interface().(type) {
	case *string:
		*value = "canary-" + canary
	case *[]string:
		*value = []string{"canary-" + canary}
	case *[]byte:
		*value = []byte("canary-" + canary)
	case *[16]byte:
		for i := range value {
			value[i] = byte(200 + i)
		}
	case *time.Time:
		*value = time.UnixMicro(1_900_000_000_123_456 + int64(seed)*7_654_321).UTC()
	case *time.Duration:
		*value = 4321 * time.Second
	case *int64:
		*value = 987_654_000 + int64(seed)
	case *byte:
		*value = 1
	case *bool:
		*value = true
	case *change.ClientMetadata:
		fillAll(v)
	case *[]change.AttemptBucket:
		*value = []change.AttemptBucket{{Key: "canary-" + canary, Failures: 3, ExpiresAt: time.UnixMicro(1)}}
	default:
		panic(fmt.Sprintf("%s: no canary for %T", canary, value))
	}
}

// forms returns the texts by which a field's value could stand in JSON.
func forms(t *testing.T, v reflect.Value) []string {
	t.Helper()
	if v.Kind() == reflect.Uint8 || v.Kind() == reflect.Bool {
		return nil // too short to be recognised
	}
	marshalled, err := json.Marshal(v.Interface())
	if err != nil {
		t.Fatal(err)
	}
	all := []string{strings.Trim(string(marshalled), `[]"`)}
	switch value := v.Interface().(type) {
	case []byte:
		all = append(all, string(value), hex.EncodeToString(value), base64.RawURLEncoding.EncodeToString(value))
	case [16]byte:
		all = append(all, string(value[:]), hex.EncodeToString(value[:]), base64.StdEncoding.EncodeToString(value[:]))
	case time.Time:
		all = append(all, fmt.Sprint(value.UnixMicro()), fmt.Sprint(value.Unix()))
	}
	return all
}

func TestJournalTestRecognisesWhatMustNotShow(t *testing.T) {
	for _, value := range []any{"Ada", []byte("hash"), [16]byte{1, 2, 3, 4, 5}, time.UnixMicro(5_000_000)} {
		written, err := json.Marshal(map[string]any{"x": value})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(forms(t, reflect.ValueOf(value)), func(form string) bool { return strings.Contains(string(written), form) }) {
			t.Errorf("%T is not found in %s", value, written)
		}
	}
}
