package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	maxFile  = 64 << 10 // bytes of a configuration file
	maxValue = 8 << 10  // bytes of one value, also of a file with a secret
)

// fromFile reads the configuration file; named is who named it.
func fromFile(name string, named Origin) ([]given, []error) {
	if name == "" {
		return nil, nil
	}
	data, err := readFile(name, maxFile)
	if err != nil {
		return nil, []error{&Error{
			Value: name, Origin: named,
			Problem: "cannot be read: " + err.Error(),
			Accepts: "the path of a YAML file",
		}}
	}
	return decode(name, data)
}

// readFile reads at most limit bytes. Its errors leave the path out, since it
// may be a secret that somebody gave in place of a path.
func readFile(name string, limit int64) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, withoutPath(err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, withoutPath(err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("larger than %d KiB", limit>>10)
	}
	return data, nil
}

func withoutPath(err error) error {
	if inPath, ok := errors.AsType[*fs.PathError](err); ok {
		return inPath.Err
	}
	return err
}

// decode reads a YAML document that maps keys to values. Values are texts: it
// is the table, not YAML, that says what 10 or yes means.
func decode(name string, data []byte) ([]given, []error) {
	root, err := document(name, data)
	if err != nil {
		return nil, []error{err}
	}
	if root == nil {
		return nil, nil
	}
	if root.Kind != yaml.MappingNode {
		return nil, []error{&Error{
			Origin:  at(name, root),
			Problem: "is not a list of settings",
			Accepts: "lines such as listen: 127.0.0.1:10101",
		}}
	}
	var values []given
	var errs []error
	lines := map[string]int{}
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		if line, twice := lines[key.Value]; twice {
			errs = append(errs, &Error{
				Key: printableKey(key), Origin: at(name, key),
				Problem: fmt.Sprintf("is set twice, first in line %d", line),
			})
			continue
		}
		lines[key.Value] = key.Line
		g, err := entry(name, key, value)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		values = append(values, g)
	}
	return values, errs
}

// document gives the root of the only document in data, nil if there is none.
func document(name string, data []byte) (*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var first, second yaml.Node
	err := decoder.Decode(&first)
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err == nil {
		err = decoder.Decode(&second)
		if err == nil {
			return nil, &Error{Origin: at(name, &second), Problem: "a second YAML document begins here", Accepts: "one document"}
		}
	}
	if !errors.Is(err, io.EOF) {
		return nil, syntaxError(name, err)
	}
	root := first.Content[0]
	if root.Kind == yaml.ScalarNode && root.ShortTag() == "!!null" {
		return nil, nil
	}
	return root, nil
}

var yamlError = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)`)

// syntaxError passes on what the YAML library says, except where it quotes the file.
func syntaxError(name string, err error) error {
	parts := yamlError.FindStringSubmatch(err.Error())
	if parts == nil {
		return &Error{Origin: Origin{source: name}, Problem: "is not YAML"}
	}
	line, _ := strconv.Atoi(parts[1]) // 0, unknown, if there is none
	problem := parts[2]
	if strings.Contains(problem, "unknown anchor") {
		problem = "a value that begins with * must stand in quotes"
	}
	return &Error{Origin: Origin{source: name, line: line}, Problem: "is not YAML: " + problem}
}

// entry is one setting of the file.
func entry(name string, key, value *yaml.Node) (given, error) {
	refuse := func(problem, accepts string) error {
		return &Error{Key: printableKey(key), Origin: at(name, key), Problem: problem, Accepts: accepts}
	}
	s, ok := find(key.Value)
	if !ok || key.Kind != yaml.ScalarNode {
		return given{}, refuse("is not a setting"+didYouMean(key.Value, keys()), "")
	}
	if s.fileRefusal != "" {
		return given{}, refuse(s.fileRefusal, "environment "+s.variable()+" or "+s.fileVariable())
	}
	text, problem := scalar(value)
	if s.list && value.Kind == yaml.SequenceNode {
		text, problem = sequence(value)
	}
	if problem != "" {
		return given{}, refuse(problem, s.accepts)
	}
	return given{s, text, at(name, key)}, nil
}

// scalar gives a node's text, or what is wrong with it.
func scalar(node *yaml.Node) (text, problem string) {
	switch {
	case node.Kind == yaml.AliasNode:
		return "", "is an alias; write the value itself, in quotes if it begins with *"
	case node.Kind != yaml.ScalarNode:
		return "", "is a list or a mapping"
	}
	switch node.ShortTag() {
	case "!!str", "!!int", "!!float", "!!bool", "!!timestamp":
		return node.Value, ""
	case "!!null":
		return "", `has no value; write "" for an empty one`
	}
	return "", "has a YAML tag; quote a value that begins with !"
}

// sequence gives the texts of a list as one, with commas.
func sequence(node *yaml.Node) (text, problem string) {
	texts := make([]string, len(node.Content))
	for i, item := range node.Content {
		if texts[i], problem = scalar(item); problem != "" {
			return "", "has an entry that " + problem
		}
	}
	return strings.Join(texts, ","), ""
}

func at(file string, node *yaml.Node) Origin {
	return Origin{source: file, line: node.Line, column: node.Column}
}

var plausibleKey = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,40}$`)

// printableKey is a key as an error shows it. What does not look like a key may
// be a misplaced secret.
func printableKey(key *yaml.Node) string {
	if plausibleKey.MatchString(key.Value) {
		return key.Value
	}
	return "this key"
}

func keys() []string {
	var keys []string
	for _, s := range all() {
		keys = append(keys, s.key)
	}
	return keys
}

// didYouMean continues a sentence with the nearest candidate, if there is one.
func didYouMean(word string, candidates []string) string {
	near, ok := Suggest(word, candidates)
	if !ok {
		return ""
	}
	return "; did you mean " + near + "?"
}
