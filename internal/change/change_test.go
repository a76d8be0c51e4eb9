package change

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var at = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// journaled are the facts as the journal has them, for ever. A line that no
// longer fits asks for a new version, not for another line.
var journaled = []struct {
	change Change
	name   string
	kind   Kind
	facts  string // of an Audit
}{
	{UserRegistered{"usr_1", secret, secret, secret, secret, at}, "user.registered.v1", Audit, `{"user":"usr_1"}`},
	{RegistrationRepeated{"usr_1"}, "user.registration_repeated.v1", Audit, `{"user":"usr_1"}`},
	{PasswordRehashed{"usr_1", secret, 1}, "user.password_rehashed.v1", State, ""},
	{UserDisabled{"usr_1", at}, "user.disabled.v1", Audit, `{"user":"usr_1"}`},
	{UserEnabled{"usr_1"}, "user.enabled.v1", Audit, `{"user":"usr_1"}`},
	{UserSessionsEnded{"usr_1"}, "user.sessions_ended.v1", Audit, `{"user":"usr_1"}`},
	{AttemptsReserved{[]AttemptBucket{{"account:1", 1, at}}}, "attempts.reserved.v1", State, ""},
	{AttemptsReturned{[]string{"account:1"}}, "attempts.returned.v1", State, ""},
	{SignInThrottled{"account", "account:1"}, "sign_in.throttled.v1", Audit, `{"limit":"account","bucket":"account:1"}`},
	{
		ClientAdded{
			"app", true, []byte(secret), []string{"g"}, []string{"s"}, []string{"a"}, []string{"v"}, []string{"r"}, []string{"p"}, []string{"o"}, time.Minute, at,
		}, "client.added.v1", Audit,
		`{"client":"app","public":true,"grants":["g"],"scopes":["s"],"audiences":["a"],"serves":["v"],"redirect_uris":["r"],` +
			`"post_logout_redirect_uris":["p"],"origins":["o"],"access_token_ttl":60000000000}`,
	},
	{ClientAdded{Client: "app"}, "client.added.v1", Audit, `{"client":"app","public":false}`},
	{ClientDisabled{"app", at}, "client.disabled.v1", Audit, `{"client":"app"}`},
	{ClientEnabled{"app"}, "client.enabled.v1", Audit, `{"client":"app"}`},
	{ClientSecretReplaced{"app", []byte(secret)}, "client.secret_replaced.v1", Audit, `{"client":"app"}`},
	{ClientRemoved{"app"}, "client.removed.v1", Audit, `{"client":"app"}`},
	{
		GrantIssued{"grt_1", "app", "usr_1", []string{"s"}, []string{"a"}, [16]byte{1}, 2, 3, 4, 5, 6, at, at, at}, "grant.issued.v1", Audit,
		`{"grant":"grt_1","client":"app","user":"usr_1","scope":["s"],"audiences":["a"]}`,
	},
	{GrantIssued{Grant: "grt_1", Client: "app"}, "grant.issued.v1", Audit, `{"grant":"grt_1","client":"app"}`},
	{GrantRotated{"grt_1", 2, at}, "grant.rotated.v1", State, ""},
	{GrantRecovered{"grt_1", 2, 5, at}, "grant.recovered.v1", Audit, `{"grant":"grt_1","had":2,"generation":5}`},
	{GrantRevoked{"grt_1", "replay", at}, "grant.revoked.v1", Audit, `{"grant":"grt_1","reason":"replay"}`},
	{AccessTokenRevoked{"grt_1", "grt_1.x", at}, "access_token.revoked.v1", Audit, `{"grant":"grt_1","token_id":"grt_1.x"}`},
	{
		SigningKeyAdded{"kid", "ES256", []byte(secret), at, at, at}, "signing_key.added.v1", Audit,
		`{"kid":"kid","alg":"ES256","signs_from":"2026-03-01T12:00:00Z"}`,
	},
	{SigningKeyPromoted{"kid", at}, "signing_key.promoted.v1", Audit, `{"kid":"kid","signs_from":"2026-03-01T12:00:00Z"}`},
	{SigningKeyRemoved{"kid"}, "signing_key.removed.v1", Audit, `{"kid":"kid"}`},
}

// secret stands for whatever is secret or personal.
const secret = "c2VjcmV0"

func TestTheJournalKeepsItsForm(t *testing.T) {
	for _, want := range journaled {
		name, kind := want.change.Fact()
		if name != want.name || kind != want.kind {
			t.Errorf("%T is %s of kind %d, want %s of kind %d", want.change, name, kind, want.name, want.kind)
		}
		if kind == State {
			continue
		}
		facts, err := json.Marshal(want.change)
		if err != nil || string(facts) != want.facts {
			t.Errorf("%T is journaled as %s, %v, want %s", want.change, facts, err, want.facts)
		}
	}
}

func TestTheJournalHoldsNothingSecretOrPersonal(t *testing.T) {
	for _, fact := range journaled {
		if strings.Contains(fact.facts, secret) {
			t.Errorf("%s: %s", fact.name, fact.facts)
		}
	}
	origin, err := json.Marshal(Origin{"usr_1", "app", "adr_1", "req"})
	if want := `{"actor":"usr_1","client":"app","address":"adr_1","request":"req"}`; err != nil || string(origin) != want {
		t.Errorf("%s, %v, want %s", origin, err, want)
	}
}

func TestEveryFieldOfAFactIsTried(t *testing.T) {
	for _, fact := range journaled {
		if strings.HasSuffix(fact.facts, `"public":false}`) || fact.facts == `{"grant":"grt_1","client":"app"}` {
			continue // the shortest forms of facts that stand here twice
		}
		for v, i := reflect.ValueOf(fact.change), 0; i < v.NumField(); i++ {
			if v.Field(i).IsZero() {
				t.Errorf("%T: %s is not set", fact.change, v.Type().Field(i).Name)
			}
		}
	}
}

func TestNamesOfFactsAreVersionedAndTheirOwn(t *testing.T) {
	form := regexp.MustCompile(`^[a-z_]+\.[a-z_]+\.v[1-9][0-9]*$`)
	types := map[string]reflect.Type{}
	for _, fact := range journaled {
		if !form.MatchString(fact.name) {
			t.Errorf("%s is not noun.verb.version", fact.name)
		}
		had, ok := types[fact.name]
		if ok && had != reflect.TypeOf(fact.change) {
			t.Errorf("%s names %v and %T", fact.name, had, fact.change)
		}
		types[fact.name] = reflect.TypeOf(fact.change)
	}
}

func TestEveryFactIsTried(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "change.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var tried []string
	for _, fact := range journaled {
		tried = append(tried, reflect.TypeOf(fact.change).Name())
	}
	for _, declaration := range file.Decls {
		if f, ok := declaration.(*ast.FuncDecl); ok && f.Name.Name == "Fact" && f.Recv != nil {
			if name := f.Recv.List[0].Type.(*ast.Ident).Name; !slices.Contains(tried, name) {
				t.Errorf("%s has no line in journaled", name)
			}
		}
	}
}
