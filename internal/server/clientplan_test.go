package server

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/keywright/keywright/internal/operator"
)

// declare asks for what a clients file says, and returns the plan with the
// status of the answer.
func (h *house) declare(path string, makeSecrets bool, clients ...string) (p operator.ClientPlan) {
	h.Helper()
	h.admin("POST", path, json.RawMessage(fmt.Sprintf(`{"clients":[%s],"make_secrets":%t}`, strings.Join(clients, ","), makeSecrets)), &p)
	return p
}

// summary is a plan in one line: action, client and changed fields.
func summary(p operator.ClientPlan) string {
	var steps []string
	for _, s := range p.Steps {
		step := s.Action + " " + s.ID
		for _, f := range s.Fields {
			step += fmt.Sprintf(" %s:%v>%v", f.Name, f.Before, f.After)
		}
		steps = append(steps, step)
	}
	for _, problem := range p.Problems {
		steps = append(steps, fmt.Sprintf("%d %s %s", problem.Index, problem.ID, problem.Problem))
	}
	return strings.Join(steps, "; ")
}

func (h *house) planned(p operator.ClientPlan, want string) {
	h.Helper()
	if got := summary(p); got != want {
		h.Errorf("got %s\nwant %s", got, want)
	}
}

const (
	spaInFile = `{"client_id":"spa","public":true,"redirect_uris":["http://localhost:4200"],"origins":["http://localhost:4200"]}`
	webInFile = `{"client_id":"web","client_name":"Web","redirect_uris":["https://web.example.com/cb"]}`
	spaAdded  = "add spa grants:<nil>>[authorization_code refresh_token] id_token_signed_response_alg:<nil>>ES256 origins:<nil>>[http://localhost:4200] public:<nil>>true " +
		"redirect_uris:<nil>>[http://localhost:4200] scopes:<nil>>[openid profile email offline_access] token_endpoint_auth_method:<nil>>none"
)

func TestFileMakesTheClientsThatItDeclares(t *testing.T) {
	inEachHouse(t, func(h *house) {
		h.addClient(operator.Client{ID: "by-hand"})
		h.run("a plan changes nothing", func(h *house) {
			before := [2]int{h.rows("clients"), h.rows("journal")}
			h.planned(h.declare("/client-plan", true, spaInFile), spaAdded)
			if after := [2]int{h.rows("clients"), h.rows("journal")}; after != before {
				h.Error(before, after)
			}
		})
		var secret string
		h.run("applying does what was planned, and its origins count at once", func(h *house) {
			plan := h.declare("/client-plan", true, webInFile, spaInFile)
			p := h.declare("/client-apply", true, webInFile, spaInFile)
			h.planned(p, summary(plan))
			secret = p.Steps[1].Secret
			if plan.Steps[1].Secret != "" || !strings.HasPrefix(secret, "kws_") || p.Steps[0].Secret != "" {
				h.Errorf("%+v, %+v", plan, p)
			}
			h.shared(h.send("OPTIONS", "/token", "", header("Origin", "http://localhost:4200")), "http://localhost:4200")
			h.ok(h.form("/introspect", []string{"token", "x"}, basicOf(operator.Client{ID: "web", Secret: secret})))
		})
		h.run("applying again does nothing", func(h *house) {
			before := h.rows("journal")
			for _, path := range []string{"/client-plan", "/client-apply"} {
				h.planned(h.declare(path, true, spaInFile, webInFile), "")
				h.planned(h.declare(path, false, spaInFile, webInFile), "")
			}
			if h.rows("journal") != before {
				h.Error("the journal has grown")
			}
			h.ok(h.form("/introspect", []string{"token", "x"}, basicOf(operator.Client{ID: "web", Secret: secret})))
		})
		h.run("what is no longer declared is removed, by nobody else's hand registered", func(h *house) {
			h.declare("/client-apply", true, webInFile, spaInFile)
			changed := strings.Replace(webInFile, "Web", "The web", 1)
			h.planned(h.declare("/client-apply", true, changed), "change web client_name:Web>The web; remove spa")
			h.admin("GET", "/clients/by-hand", nil, &operator.Client{})
			h.mended(h.admin("GET", "/clients/spa", nil, nil), "no client")
		})
		h.run("a disabled client stays disabled", func(h *house) {
			h.admin("POST", "/clients/web/disable", nil, &operator.Client{})
			h.declare("/client-apply", true, strings.Replace(webInFile, "Web", "W", 1))
			var c operator.Client
			if h.admin("GET", "/clients/web", nil, &c); !c.Disabled || c.Name != "W" || c.RegisteredBy != "file" {
				h.Errorf("%+v", c)
			}
		})
		h.run("no client at all", func(h *house) {
			h.planned(h.declare("/client-apply", true), "remove web")
			if n := h.rows("clients"); n != 2 {
				h.Error(n)
			}
		})
	})
}

func TestFileThatIsWrongAnywhereChangesNothing(t *testing.T) {
	inEachHouse(t, func(h *house) {
		h.addClient(operator.Client{ID: "by-hand"})
		c := h.enrol(shop)
		before := [2]int{h.rows("clients"), h.rows("journal")}
		for _, path := range []string{"/client-plan", "/client-apply"} {
			for bad, want := range map[string]string{
				`{"client_id":"by-hand"}`:               "1 by-hand is registered already, by command: remove that one with `keywright client remove by-hand`, or choose another id",
				`{"client_id":"` + c.ClientID + `"}`:    "1 " + c.ClientID + " is registered already, by registration:",
				`{"client_id":"direct"}`:                "1 direct 'direct' is the built-in client",
				spaInFile:                               "1 spa stands twice in the file",
				`{"client_id":"x","scopes":["a b"]}`:    "1 x the scope 'a b' must",
				`{"client_id":"x","client_secret":"s"}`: "1 x has a secret of less than 32",
				`{"client_id":"x","client_secret":"` + strings.Repeat(" ", 40) + `"}`:               "1 x has a secret that holds a space",
				`{"client_id":"x","public":true,"client_secret":"` + strings.Repeat("s", 40) + `"}`: "1 x has no secret",
			} {
				p := h.declare(path, true, spaInFile, bad)
				if got := summary(p); !strings.HasPrefix(got, want) || len(p.Problems) != 1 {
					h.Errorf("%s: got %s, want %s", path, got, want)
				}
			}
			h.planned(h.declare(path, false, webInFile), "0 web needs a secret: name it with secret_file or secret_env, or run `keywright client apply`, which makes one and shows it")
			h.mended(h.admin("POST", path, json.RawMessage(`{"clients":[{"client_id":"x","roles":[]}]}`), nil), "roles")
		}
		if after := [2]int{h.rows("clients"), h.rows("journal")}; after != before {
			h.Errorf("%v, %v", before, after)
		}
	}, registering)
}

func TestSecretOfAFileIsTakenUp(t *testing.T) {
	inEachHouse(t, func(h *house) {
		first, second := strings.Repeat("a", 32), strings.Repeat("b", 43)
		web := func(members string) string { return strings.TrimSuffix(webInFile, "}") + "," + members + "}" }
		proves := func(secret string) int {
			return h.form("/introspect", []string{"token", "x"}, basicOf(operator.Client{ID: "web", Secret: secret})).status
		}
		for _, step := range []struct{ declared, want, works, fails string }{
			{web(`"client_secret":"` + first + `"`), "client_secret:<nil>>(new)", first, second},
			{web(`"client_secret":"` + first + `"`), "", first, second},
			{webInFile, "", first, second}, // no longer named, still the client's
			{web(`"client_secret":"` + second + `"`), "change web client_secret:(set)>(new)", second, first},
			{web(`"public":true`), "change web origins:<nil>>[https://web.example.com] public:<nil>>true token_endpoint_auth_method:<nil>>none client_secret:(set)><nil>", "", second},
			{web(`"client_secret":"` + first + `"`), "change web origins:[https://web.example.com]><nil> public:true><nil> token_endpoint_auth_method:none><nil> client_secret:<nil>>(new)", first, second},
			{web(`"token_endpoint_auth_method":"private_key_jwt","jwks_uri":"https://web.example.com/jwks"`), "client_secret:(set)><nil>", "", first},
		} {
			plan := h.declare("/client-plan", true, step.declared)
			p := h.declare("/client-apply", true, step.declared)
			if got := summary(p); !strings.HasSuffix(got, step.want) || got != summary(plan) || step.want == "" && got != "" || strings.Contains(got, first) {
				h.Errorf("got %s, planned %s, want %s", got, summary(plan), step.want)
			}
			if step.works != "" && proves(step.works) != 200 || proves(step.fails) != 401 {
				h.Errorf("%s: the right secret answers %d, a wrong one %d", step.declared, proves(step.works), proves(step.fails))
			}
		}
	})
}
