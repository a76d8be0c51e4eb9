package operator

import (
	"crypto/hmac"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/random"
	"github.com/keywright/keywright/internal/store"
)

// DeclaredClients is what a file says: all clients that it is to have registered.
type DeclaredClients struct {
	Clients []Client `json:"clients"`
	// MakeSecrets lets clients that need a secret and name none have a new one.
	MakeSecrets bool `json:"make_secrets"`
}

// ClientPlan is what makes the registered clients those that a file declares, or
// why that cannot be.
type ClientPlan struct {
	Steps    []ClientStep    `json:"steps"`
	Problems []ClientProblem `json:"problems,omitempty"`
}

// ClientStep adds, changes or removes one client.
type ClientStep struct {
	Action string        `json:"action"` // add, change or remove
	ID     string        `json:"client_id"`
	Secret string        `json:"client_secret,omitempty"` // that was made; shown once
	Fields []ClientField `json:"fields,omitempty"`
}

// ClientField is one difference. A secret is only said to be new.
type ClientField struct {
	Name   string `json:"name"`
	Before any    `json:"before"`
	After  any    `json:"after"`
}

// ClientProblem says what is wrong with one of the declared clients.
type ClientProblem struct {
	Index   int    `json:"index"` // in DeclaredClients
	ID      string `json:"client_id"`
	Problem string `json:"problem"`
}

// planClients says what applyClients would do.
func (o operator) planClients(r *http.Request) (any, error) {
	declared, problems, err := o.declaredClients(r)
	if err != nil || problems != nil {
		return ClientPlan{Steps: []ClientStep{}, Problems: problems}, err
	}
	registered, err := o.DB.Read(r.Context()).Clients()
	if err != nil {
		return nil, err
	}
	return newPlan(declared, registered, o.DB.Now()).view(false), nil
}

// applyClients makes the registered clients those that a file declares:
// all of them or, if there is a problem with one, none.
func (o operator) applyClients(r *http.Request) (any, error) {
	ctx := r.Context()
	declared, problems, err := o.declaredClients(r)
	if err != nil || problems != nil {
		return ClientPlan{Steps: []ClientStep{}, Problems: problems}, err
	}
	var p *clientPlan
	err = store.Decide(ctx, o.DB, byOperator,
		func(tx *store.Tx) ([]*oauth.Client, error) { return lockClients(tx, declared) },
		func(registered []*oauth.Client, now time.Time) ([]change.Change, error) {
			p = newPlan(declared, registered, now)
			if p.problems != nil {
				return nil, nil
			}
			return p.changes, nil
		})
	if err != nil {
		return nil, err
	}
	return p.view(true), o.Reload(ctx)
}

// lockClients locks every client that applying may touch, in the order of their ids.
func lockClients(tx *store.Tx, declared []declaredClient) (locked []*oauth.Client, err error) {
	all, err := tx.Clients()
	if err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	for _, c := range all {
		ids[c.ID] = c.RegisteredBy == oauth.ByFile
	}
	for _, d := range declared {
		ids[d.ID] = true
	}
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		if !ids[id] {
			continue
		}
		c, err := tx.LockClient(id)
		if err != nil {
			return nil, err
		}
		if c != nil {
			locked = append(locked, c)
		}
	}
	return locked, nil
}

// declaredClient is a client of the file. Its SecretHash is that of the secret
// that the file names, if it does.
type declaredClient struct {
	*oauth.Client
	index  int
	secret string // to show if the client takes it up; empty: the file names it, or none is needed
	fresh  []byte // hash of a secret to make; nil: none may be made
}

// declaredClients reads and checks what a file says.
func (o operator) declaredClients(r *http.Request) (declared []declaredClient, problems []ClientProblem, err error) {
	var file DeclaredClients
	if err := decode(r, &file); err != nil {
		return nil, nil, err
	}
	seen := map[string]bool{}
	for i, v := range file.Clients {
		d, problem := o.declaredClient(v, file.MakeSecrets)
		if problem == "" && seen[v.ID] {
			problem = "stands twice in the file"
		}
		seen[v.ID] = true
		if problem != "" {
			problems = append(problems, ClientProblem{i, v.ID, problem})
			continue
		}
		d.index = i
		declared = append(declared, d)
	}
	slices.SortFunc(declared, func(a, b declaredClient) int { return strings.Compare(a.ID, b.ID) })
	return declared, problems, nil
}

func (o operator) declaredClient(v Client, makeSecret bool) (d declaredClient, problem string) {
	c, err := v.client(oauth.ByFile)
	if err != nil {
		return d, err.Error()
	}
	d.Client = c
	key := o.DB.Secrets().ClientSecret
	switch {
	case v.Secret != "" && !c.NeedsSecret():
		return d, "has no secret, since it is public or proves itself with its keys"
	case v.Secret != "":
		c.SecretHash = oauth.SecretHash(key, v.Secret)
		return d, secretProblem(v.Secret)
	case c.NeedsSecret() && makeSecret:
		d.secret = random.Secret(random.ClientSecret)
		d.fresh = oauth.SecretHash(key, d.secret)
	}
	return d, ""
}

// Limits of a secret that somebody chose. Secrets are not stretched, so they
// must be beyond guessing.
const minSecret, maxSecret = 32, 512

func secretProblem(secret string) string {
	if len(secret) < minSecret || len(secret) > maxSecret {
		return "has a secret of less than 32 or more than 512 characters: `openssl rand -base64 32` makes one"
	}
	for _, c := range []byte(secret) {
		if c <= 0x20 || c >= 0x7f { // RFC 6749 §A.2, without the space
			return "has a secret that holds a space, a line break or a character beyond ASCII"
		}
	}
	return ""
}

// clientPlan is a ClientPlan with the changes that it stands for.
type clientPlan struct {
	now      time.Time
	steps    []ClientStep
	changes  []change.Change
	problems []ClientProblem
}

func newPlan(declared []declaredClient, registered []*oauth.Client, now time.Time) *clientPlan {
	p := &clientPlan{now: now}
	byID := map[string]*oauth.Client{}
	for _, c := range registered {
		byID[c.ID] = c
	}
	stays := map[string]bool{}
	for _, d := range declared {
		stays[d.ID] = true
		switch c := byID[d.ID]; {
		case c == nil:
			p.add(d)
		case c.RegisteredBy != oauth.ByFile:
			p.refuse(d, fmt.Sprintf("is registered already, by %s: remove that one with `keywright client remove %s`, or choose another id",
				c.RegisteredBy, d.ID))
		default:
			p.change(d, c)
		}
	}
	for _, c := range registered {
		if c.RegisteredBy == oauth.ByFile && !stays[c.ID] {
			p.steps = append(p.steps, ClientStep{Action: "remove", ID: c.ID})
			p.changes = append(p.changes, change.ClientRemoved{Client: c.ID})
		}
	}
	return p
}

func (p *clientPlan) refuse(d declaredClient, problem string) {
	p.problems = append(p.problems, ClientProblem{d.index, d.ID, problem})
}

func (p *clientPlan) add(d declaredClient) {
	step := ClientStep{Action: "add", ID: d.ID, Fields: differences(Client{}, viewClient(d.Client))}
	hash, ok := p.takeSecret(d, nil, &step)
	if !ok {
		return
	}
	p.steps = append(p.steps, step)
	p.changes = append(p.changes, change.ClientAdded{Client: d.ID, SecretHash: hash, ClientMetadata: d.ClientMetadata, At: p.now})
}

func (p *clientPlan) change(d declaredClient, c *oauth.Client) {
	step := ClientStep{Action: "change", ID: d.ID, Fields: differences(viewClient(c), viewClient(d.Client))}
	hash, ok := p.takeSecret(d, c.SecretHash, &step)
	if !ok || len(step.Fields) == 0 {
		return
	}
	p.steps = append(p.steps, step)
	p.changes = append(p.changes, change.ClientChanged{Client: d.ID, SecretHash: hash, ClientMetadata: d.ClientMetadata})
}

// takeSecret returns the hash to store, nil to leave the one that there is, and
// notes in the step what becomes of the secret.
func (p *clientPlan) takeSecret(d declaredClient, had []byte, step *ClientStep) (hash []byte, ok bool) {
	note := func(before, after any) {
		step.Fields = append(step.Fields, ClientField{"client_secret", before, after})
	}
	switch {
	case !d.NeedsSecret() && len(had) > 0:
		note("(set)", nil)
		return []byte{}, true
	case !d.NeedsSecret(), d.SecretHash != nil && hmac.Equal(d.SecretHash, had), d.SecretHash == nil && len(had) > 0:
		return nil, true
	case d.SecretHash != nil:
		hash = d.SecretHash
	case d.fresh != nil:
		hash, step.Secret = d.fresh, d.secret
	default:
		p.refuse(d, "needs a secret: name it with secret_file or secret_env, or run `keywright client apply`, which makes one and shows it")
		return nil, false
	}
	if len(had) > 0 {
		note("(set)", "(new)")
	} else {
		note(nil, "(new)")
	}
	return hash, true
}

// view shows the plan, with the secrets that were made if it was carried out.
func (p *clientPlan) view(done bool) ClientPlan {
	if p.problems != nil {
		return ClientPlan{Steps: []ClientStep{}, Problems: p.problems}
	}
	steps := append([]ClientStep{}, p.steps...)
	for i := range steps {
		if !done {
			steps[i].Secret = ""
		}
	}
	return ClientPlan{Steps: steps}
}

// undeclared are the members of a client's view that no file sets.
var undeclared = []string{"client_id", "client_secret", "registered_by", "disabled", "created_at"}

// differences compares two views member by member.
func differences(before, after Client) (fields []ClientField) {
	was, is := membersOf(before), membersOf(after)
	names := maps.Clone(was)
	maps.Copy(names, is)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if !slices.Contains(undeclared, name) && !reflect.DeepEqual(was[name], is[name]) {
			fields = append(fields, ClientField{name, was[name], is[name]})
		}
	}
	return fields
}

// membersOf returns the members of a view's JSON that say something.
func membersOf(v Client) map[string]any {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // every view was made by viewClient
	}
	var members map[string]any
	if err := json.Unmarshal(text, &members); err != nil {
		panic(err)
	}
	maps.DeleteFunc(members, func(name string, value any) bool {
		if items, isList := value.([]any); isList {
			return len(items) == 0
		}
		return value == nil || value == (name == "require_pkce")
	})
	return members
}
