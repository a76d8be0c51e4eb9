package settings

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

const maxClientsFile = 512 << 10 // bytes

// DeclaredClient is one client of a clients file.
type DeclaredClient struct {
	// Members are what the file says, by the names of [ClientMembers]: a text is a
	// string, a list a []string, a switch a bool, a key set what package json makes
	// of it. A secret stands under client_secret, wherever it came from.
	Members map[string]any
	Origin  Origin // where the client begins
}

// ClientMembers are what a clients file can say about a client.
var ClientMembers = []string{
	"client_id", "client_name", "public", "native", "trusted", "token_endpoint_auth_method", secretFile, secretEnv, "jwks", "jwks_uri",
	"grants", "response_modes", "scopes", "audiences", "serves", "redirect_uris", "post_logout_redirect_uris", "origins",
	"backchannel_logout_uri", "frontchannel_logout_uri", "id_token_signed_response_alg", "userinfo_signed_response_alg", "require_pkce",
	"access_token_ttl",
}

// Where a clients file says that a secret is: never in the file itself, which
// people keep with their code.
const (
	secretFile = "secret_file"
	secretEnv  = "secret_env"
)

var (
	switches = []string{"public", "native", "trusted", "require_pkce"}
	lists    = []string{
		"grants", "response_modes", "scopes", "audiences", "serves", "redirect_uris", "post_logout_redirect_uris", "origins",
	}
)

// ReadClients reads a clients file, and the secrets that it names. environ is as
// [os.Environ] gives it. It returns every error there is, as [Load] does.
func ReadClients(name string, environ []string) ([]DeclaredClient, error) {
	data, err := readFile(name, maxClientsFile)
	if err != nil {
		return nil, &Error{Origin: Origin{source: name}, Problem: "cannot be read: " + err.Error(), Accepts: "the path of a YAML file"}
	}
	root, err := document(name, data)
	if err != nil {
		return nil, err
	}
	file := clientsFile{name: name, environ: environ}
	clients := file.clients(root)
	return clients, errors.Join(file.errs...)
}

// clientsFile collects what is wrong while it is read.
type clientsFile struct {
	name    string
	environ []string
	errs    []error
}

func (f *clientsFile) refuse(node *yaml.Node, key, problem, accepts string) {
	f.errs = append(f.errs, &Error{Key: key, Origin: at(f.name, node), Problem: problem, Accepts: accepts})
}

func (f *clientsFile) clients(root *yaml.Node) (clients []DeclaredClient) {
	if root == nil {
		root = &yaml.Node{Kind: yaml.MappingNode, Line: 1, Column: 1}
	}
	const shape = `clients: and below it "- client_id: shop" and so on; clients: [] for none`
	if root.Kind != yaml.MappingNode {
		f.refuse(root, "", "does not declare clients", shape)
		return nil
	}
	list := f.members(root, []string{"clients"})["clients"]
	if list.value == nil {
		f.refuse(root, "", "does not declare clients", shape)
		return nil
	}
	if list.value.Kind != yaml.SequenceNode {
		f.refuse(list.value, "clients", "is not a list", shape)
		return nil
	}
	for _, node := range list.value.Content {
		if node.Kind != yaml.MappingNode {
			f.refuse(node, "clients", "has an entry that is no client", shape)
			continue
		}
		clients = append(clients, DeclaredClient{f.client(node), at(f.name, node)})
	}
	return clients
}

// member is a key of a mapping and its value.
type member struct{ key, value *yaml.Node }

// members takes a mapping apart. It reports keys that are not known or stand twice.
func (f *clientsFile) members(mapping *yaml.Node, known []string) map[string]member {
	members := map[string]member{}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		m := member{mapping.Content[i], mapping.Content[i+1]}
		name := m.key.Value
		switch first, twice := members[name]; {
		case m.key.Kind != yaml.ScalarNode || !slices.Contains(known, name):
			f.refuse(m.key, printableKey(m.key), "is not known here"+nearestMember(name, known), "")
		case twice:
			f.refuse(m.key, name, fmt.Sprintf("is set twice, first in line %d", first.key.Line), "")
		default:
			members[name] = m
		}
	}
	return members
}

// nearestMember also finds client_id for id.
func nearestMember(name string, known []string) string {
	i := slices.IndexFunc(known, func(k string) bool { return strings.HasSuffix(k, "_"+name) })
	if i >= 0 && name != "" {
		return "; did you mean " + known[i] + "?"
	}
	if strings.Contains(name, "secret") {
		return "; a secret is never in this file: did you mean secret_file or secret_env?"
	}
	return didYouMean(name, known)
}

func (f *clientsFile) client(node *yaml.Node) map[string]any {
	values := map[string]any{}
	members := f.members(node, ClientMembers)
	for name, m := range members {
		value, problem, accepts := memberValue(name, m.value)
		if problem != "" {
			f.refuse(m.key, name, problem, accepts)
			continue
		}
		values[name] = value
	}
	if _, named := members["client_id"]; !named {
		f.refuse(node, "", "has no client_id", "client_id: shop")
	}
	f.takeSecret(members, values)
	return values
}

// memberValue reads one member, or says what is wrong with it.
func memberValue(name string, node *yaml.Node) (value any, problem, accepts string) {
	switch {
	case slices.Contains(switches, name):
		if node.Kind != yaml.ScalarNode || node.ShortTag() != "!!bool" {
			return nil, "is neither true nor false", "true or false"
		}
		return strings.EqualFold(node.Value, "true"), "", ""
	case slices.Contains(lists, name):
		value, problem = texts(node)
		return value, problem, "a list such as [a, b]"
	case name == "jwks":
		if node.Kind != yaml.MappingNode {
			return nil, "is not a JWK Set", `{"keys": [...]}`
		}
		value, problem = plain(node)
		return value, problem, "values without aliases and tags"
	case name == "access_token_ttl":
		text, problem := scalar(node)
		ttl, err := parseDuration(text)
		if problem == "" && err != nil {
			problem = err.Error()
		}
		return ttl.String(), problem, "a duration such as 5m"
	}
	value, problem = scalar(node)
	return value, problem, "a text"
}

// texts gives the texts of a list.
func texts(node *yaml.Node) (items []string, problem string) {
	if node.Kind != yaml.SequenceNode {
		return nil, "is not a list"
	}
	items = []string{}
	for _, entry := range node.Content {
		text, problem := scalar(entry)
		if problem != "" {
			return nil, "has an entry that " + problem
		}
		items = append(items, text)
	}
	return items, ""
}

// plain gives a node as package json would, with every scalar a text: a JWK has
// no others. RFC 7517 §4.
func plain(node *yaml.Node) (value any, problem string) {
	switch node.Kind {
	case yaml.MappingNode:
		object := map[string]any{}
		for i := 0; i+1 < len(node.Content); i += 2 {
			name := node.Content[i].Value
			if _, twice := object[name]; twice {
				return nil, "has a member that is set twice"
			}
			if object[name], problem = plain(node.Content[i+1]); problem != "" {
				return nil, problem
			}
		}
		return object, ""
	case yaml.SequenceNode:
		array := make([]any, len(node.Content))
		for i, entry := range node.Content {
			if array[i], problem = plain(entry); problem != "" {
				return nil, problem
			}
		}
		return array, ""
	}
	text, problem := scalar(node)
	if problem != "" {
		return nil, "has a member that " + problem
	}
	return text, ""
}

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,99}$`)

// takeSecret puts the secret that a client names in the place of its name.
func (f *clientsFile) takeSecret(members map[string]member, values map[string]any) {
	path, inFile := values[secretFile].(string)
	variable, inEnv := values[secretEnv].(string)
	delete(values, secretFile)
	delete(values, secretEnv)
	var secret, problem string
	switch {
	case inFile && inEnv:
		f.refuse(members[secretEnv].key, secretEnv, "is set, and secret_file too", "one of the two")
		return
	case inFile:
		if secret, problem = secretIn(path); problem != "" {
			f.refuse(members[secretFile].key, secretFile, problem, "the path of a file with the secret")
		}
	case inEnv:
		if secret, problem = f.secretOf(variable); problem != "" {
			f.refuse(members[secretEnv].key, secretEnv, problem, "the name of an environment variable with the secret, such as SHOP_SECRET")
		}
	}
	if secret != "" {
		values["client_secret"] = secret
	}
}

// secretIn reads a secret from a file, without the line break at its end.
func secretIn(path string) (secret, problem string) {
	data, err := readFile(path, maxValue)
	if err != nil {
		return "", "names a file that cannot be read: " + err.Error()
	}
	if secret = strings.TrimSpace(string(data)); secret == "" {
		return "", "names a file that is empty"
	}
	return secret, ""
}

// secretOf never shows what it was given, which may be the secret itself.
func (f *clientsFile) secretOf(variable string) (secret, problem string) {
	switch {
	case !variableName.MatchString(variable):
		return "", "is not the name of an environment variable"
	case strings.HasPrefix(variable, variablePrefix):
		return "", "begins with " + variablePrefix + ", as only settings do"
	}
	for _, pair := range f.environ {
		if name, value, _ := strings.Cut(pair, "="); name == variable {
			secret = value // of two the last counts, as in [os/exec.Cmd]
		}
	}
	if secret == "" {
		return "", "names an environment variable that is not set"
	}
	return secret, ""
}
