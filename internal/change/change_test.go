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
	{ProfileChanged{"usr_1", secret, secret, secret, at}, "user.profile_changed.v1", Audit, `{"user":"usr_1"}`},
	{PasswordChanged{"usr_1", secret, at}, "user.password_changed.v1", Audit, `{"user":"usr_1"}`},
	{
		SessionStarted{"ses_1", "usr_1", []byte(secret), []string{"pwd"}, secret, 1, 2, at, at, at}, "session.started.v1", Audit,
		`{"session":"ses_1","user":"usr_1","methods":["pwd"]}`,
	},
	{SessionRenewed{"ses_1", []byte(secret), []string{"pwd"}, 1, at, at, at}, "session.renewed.v1", Audit, `{"session":"ses_1","methods":["pwd"]}`},
	{SessionSeen{"ses_1", at, at}, "session.seen.v1", State, ""},
	{SessionEnded{"ses_1", "usr_1", at}, "session.ended.v1", Audit, `{"session":"ses_1","user":"usr_1"}`},
	{ClientAdded{"app", []byte(secret), []byte(secret), metadata, at}, "client.added.v2", Audit, `{"client":"app",` + metadataFacts},
	{ClientAdded{Client: "app"}, "client.added.v2", Audit, `{"client":"app","public":false}`},
	{ClientChanged{"app", []byte(secret), metadata}, "client.changed.v1", Audit, `{"client":"app",` + metadataFacts},
	{RegistrationTokenAdded{"rgt_1", []byte(secret), 3, at, at}, "registration_token.added.v1", Audit, `{"registration_token":"rgt_1","uses":3,"expires_at":"2026-03-01T12:00:00Z"}`},
	{RegistrationTokenUsed{"rgt_1"}, "registration_token.used.v1", State, ""},
	{RegistrationTokenRemoved{"rgt_1"}, "registration_token.removed.v1", Audit, `{"registration_token":"rgt_1"}`},
	{ClientAssertionUsed{"app", "hash", at}, "client_assertion.used.v1", State, ""},
	{ClientDisabled{"app", at}, "client.disabled.v1", Audit, `{"client":"app"}`},
	{ClientEnabled{"app"}, "client.enabled.v1", Audit, `{"client":"app"}`},
	{ClientSecretReplaced{"app", []byte(secret)}, "client.secret_replaced.v1", Audit, `{"client":"app"}`},
	{ClientRemoved{"app"}, "client.removed.v1", Audit, `{"client":"app"}`},
	{
		CodeIssued{
			[]byte(secret), "flw_1", "app", "usr_1", "ses_1", secret, true, secret, secret, []string{"s"}, []string{"a"}, secret, []string{"pwd"},
			at, 1, 2, 3, at, at,
		}, "code.issued.v1", Audit,
		`{"flow":"flw_1","client":"app","user":"usr_1","session":"ses_1","scope":["s"],"audiences":["a"]}`,
	},
	{CodeRedeemed{[]byte(secret), "grt_1", at}, "code.redeemed.v1", State, ""},
	{ConsentGiven{"usr_1", "app", []string{"s"}, []string{"a"}, at}, "consent.given.v1", Audit, `{"user":"usr_1","client":"app","scope":["s"],"audiences":["a"]}`},
	{ConsentsForgotten{"app"}, "consents.forgotten.v1", Audit, `{"client":"app"}`},
	{ConsentWithdrawn{"usr_1", "app", at}, "consent.withdrawn.v1", Audit, `{"user":"usr_1","client":"app"}`},
	{
		GrantIssued{"grt_1", "app", "usr_1", "ses_1", []string{"pwd"}, secret, []string{"s"}, []string{"a"}, [16]byte{1}, 2, 3, 4, 5, 6, at, at, at},
		"grant.issued.v2", Audit, `{"grant":"grt_1","client":"app","user":"usr_1","session":"ses_1","scope":["s"],"audiences":["a"]}`,
	},
	{GrantIssued{Grant: "grt_1", Client: "app"}, "grant.issued.v2", Audit, `{"grant":"grt_1","client":"app"}`},
	{GrantRotated{"grt_1", 2, at}, "grant.rotated.v1", State, ""},
	{GrantRecovered{"grt_1", 2, 5, at}, "grant.recovered.v1", Audit, `{"grant":"grt_1","had":2,"generation":5}`},
	{GrantRevoked{"grt_1", "replay", at}, "grant.revoked.v1", Audit, `{"grant":"grt_1","reason":"replay"}`},
	{AccessTokenRevoked{"grt_1", "grt_1.x", at}, "access_token.revoked.v1", Audit, `{"grant":"grt_1","token_id":"grt_1.x"}`},
	{
		SigningKeyAdded{"kid", "ES256", []byte(secret), at, at, at}, "signing_key.added.v1", Audit,
		`{"kid":"kid","alg":"ES256","signs_from":"2026-03-01T12:00:00Z"}`,
	},
	{SigningKeyPromoted{"kid", at}, "signing_key.promoted.v1", Audit, `{"kid":"kid","signs_from":"2026-03-01T12:00:00Z"}`},
	{LogoutOwed{"lgo_1", "app", "usr_1", "ses_1", at}, "logout.owed.v1", State, ""},
	{LogoutTold{"lgo_1"}, "logout.told.v1", State, ""},
	{LogoutDelayed{"lgo_1", "app", 1, at}, "logout.delayed.v1", State, ""},
	{JournalRead{"logout", 1}, "journal.read.v1", State, ""},
	{SigningKeyRemoved{"kid"}, "signing_key.removed.v1", Audit, `{"kid":"kid"}`},
}

var metadata = ClientMetadata{
	true, "n", true, "m", "k", "ku", []string{"g"}, []string{"q"}, []string{"s"}, []string{"a"}, []string{"v"}, []string{"r"}, []string{"p"}, "b", "f",
	[]string{"o"}, time.Minute, "ES256", "RS256", true, true, "x",
}

const metadataFacts = `"public":true,"name":"n","native":true,"auth_method":"m","jwks":"k","jwks_uri":"ku","grants":["g"],"response_modes":["q"],` +
	`"scopes":["s"],"audiences":["a"],"serves":["v"],"redirect_uris":["r"],"post_logout_redirect_uris":["p"],"backchannel_logout_uri":"b",` +
	`"frontchannel_logout_uri":"f","origins":["o"],"access_token_ttl":60000000000,"id_token_alg":"ES256","userinfo_alg":"RS256",` +
	`"pkce_optional":true,"trusted":true,"registered_by":"x"}`

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
