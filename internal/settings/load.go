package settings

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/pflag"
)

const (
	variablePrefix = "KEYWRIGHT_"
	configVariable = variablePrefix + "CONFIG"
	testPrefix     = variablePrefix + "TEST_" // for the tests of other packages
	configFlag     = "config"

	// GroupAnnotation is the annotation of a flag that holds its group's title,
	// under which a help text lists it.
	GroupAnnotation = "keywright/group"
)

// given is one setting's text in one of the sources.
type given struct {
	setting setting
	text    string
	origin  Origin
}

// Flags registers --config and a flag for each setting that is no secret.
func Flags(flags *pflag.FlagSet) {
	flags.String(configFlag, "", "Read settings from this `file` (YAML)")
	for _, g := range table {
		for _, s := range g.settings {
			if s.secret {
				continue
			}
			flags.Var(&flagText{text: s.initial, kind: s.kind, list: s.list}, s.flag(), strings.TrimSuffix(s.help, "."))
			flags.Lookup(s.flag()).Annotations = map[string][]string{GroupAnnotation: {g.title}}
		}
	}
}

// flagText keeps a flag as it was given: Load reads it, together with the other
// sources, to find all errors at once.
type flagText struct {
	text, kind  string
	list, given bool
}

func (f *flagText) String() string { return f.text }
func (f *flagText) Type() string   { return f.kind }

// Set takes the text of a flag; a list may be given in several flags.
func (f *flagText) Set(text string) error {
	if f.list && f.given {
		text = f.text + "," + text
	}
	f.text, f.given = text, true
	return nil
}

// Load gives the settings in effect and where each comes from, or every error
// there is, each an [*Error] within what [errors.Join] makes. A value is
// checked also where a stronger source overrides it.
//
// flags may be nil, or hold only some of the flags that [Flags] registers.
// environ is as [os.Environ] gives it; an empty variable counts as not set.
func Load(flags *pflag.FlagSet, environ []string) (*Settings, Origins, error) {
	variables := environment(environ)
	settings, origins := &Settings{}, Origins{}
	var errs []error
	take := func(values []given, problems []error) {
		errs = append(errs, problems...)
		for _, g := range values {
			delete(origins, g.setting.key) // unknown, if the value is refused
			if err := g.apply(settings); err != nil {
				errs = append(errs, err)
				continue
			}
			origins[g.setting.key] = g.origin
		}
	}
	take(defaults(), nil)
	take(fromFile(configFile(flags, variables)))
	take(fromEnvironment(variables))
	take(fromFlags(flags), nil)
	errs = append(errs, disagreements(settings, origins)...)
	if len(errs) > 0 {
		return nil, nil, errors.Join(errs...)
	}
	return settings, origins, nil
}

func (g given) apply(s *Settings) error {
	var problem string
	switch {
	case len(g.text) > maxValue:
		problem = "is too long"
	case strings.ContainsFunc(g.text, unicode.IsControl):
		problem = "contains a control character or a line break"
	default:
		err := g.setting.set(s, g.text)
		if err == nil {
			return nil
		}
		problem = err.Error()
	}
	e := &Error{Key: g.setting.key, Value: g.text, Origin: g.origin, Problem: problem, Accepts: g.setting.accepts}
	if g.setting.secret {
		e.Value, e.Problem = "", "has a value (not shown) that "+problem
	}
	return e
}

// disagreements are the errors that only two settings together make. A setting
// that has no origin was refused already: nothing is said about it here.
func disagreements(s *Settings, origins Origins) []error {
	var found []error
	both := func(a, b string) bool { return origins[a].known() && origins[b].known() }

	if both("tls_cert", "tls_key") && (s.TLSCert == "") != (s.TLSKey == "") {
		given, missing := "tls_cert", "tls_key"
		if s.TLSCert == "" {
			given, missing = missing, given
		}
		found = append(found, &Error{
			Key: given, Value: cmp.Or(s.TLSCert, s.TLSKey), Origin: origins[given],
			Problem: "needs " + missing + " as well",
			Accepts: "tls_cert and tls_key together, or neither",
		})
	}
	for _, pair := range []struct {
		idle, absolute string
		times          [2]time.Duration
	}{
		{"refresh_idle", "refresh_absolute", [2]time.Duration{s.RefreshIdle, s.RefreshAbsolute}},
		{"session_idle", "session_absolute", [2]time.Duration{s.SessionIdle, s.SessionAbsolute}},
	} {
		if idle, absolute := pair.times[0], pair.times[1]; both(pair.idle, pair.absolute) && absolute < idle {
			found = append(found, &Error{
				Key: pair.absolute, Value: formatDuration(absolute), Origin: origins[pair.absolute],
				Problem: fmt.Sprintf("is shorter than %s, which is %s (%s)", pair.idle, formatDuration(idle), origins[pair.idle]),
				Accepts: "a duration that is at least " + pair.idle,
			})
		}
	}
	return found
}

func defaults() []given {
	var values []given
	for _, s := range all() {
		values = append(values, given{s, s.initial, Origin{source: "default"}})
	}
	return values
}

// configFile gives the path of the configuration file, and who named it.
func configFile(flags *pflag.FlagSet, variables map[string]string) (string, Origin) {
	if flags != nil && flags.Changed(configFlag) {
		return flags.Lookup(configFlag).Value.String(), flagOrigin(configFlag)
	}
	return variables[configVariable], variableOrigin(configVariable)
}

func fromFlags(flags *pflag.FlagSet) []given {
	if flags == nil {
		return nil
	}
	var values []given
	for _, s := range all() {
		if flags.Changed(s.flag()) {
			values = append(values, given{s, flags.Lookup(s.flag()).Value.String(), flagOrigin(s.flag())})
		}
	}
	return values
}

// environment gives our variables that are not empty. Of two with one name the
// last counts, as in [os/exec.Cmd].
func environment(environ []string) map[string]string {
	variables := map[string]string{}
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, variablePrefix) {
			variables[name] = value
		}
	}
	maps.DeleteFunc(variables, func(_, value string) bool { return value == "" })
	return variables
}

func fromEnvironment(variables map[string]string) ([]given, []error) {
	var values []given
	var errs []error
	known := []string{configVariable}
	for _, s := range all() {
		known = append(known, s.variable())
		if text, ok := variables[s.variable()]; ok {
			values = append(values, given{s, text, variableOrigin(s.variable())})
		}
		if !s.secret {
			continue
		}
		known = append(known, s.fileVariable())
		g, err := fromSecretFile(s, variables)
		if err != nil {
			errs = append(errs, err)
		} else if g.text != "" {
			values = append(values, g)
		}
	}
	return values, append(errs, unknownVariables(variables, known)...)
}

// fromSecretFile reads a secret from the file that its …_FILE variable names.
func fromSecretFile(s setting, variables map[string]string) (given, error) {
	name := s.fileVariable()
	path, ok := variables[name]
	if !ok {
		return given{}, nil
	}
	refuse := func(problem, accepts string) error {
		return &Error{Key: s.key, Origin: variableOrigin(name), Problem: problem, Accepts: accepts}
	}
	if _, twice := variables[s.variable()]; twice {
		return given{}, refuse("is set, and "+s.variable()+" too", "one of the two")
	}
	data, err := readFile(path, maxValue)
	if err != nil {
		return given{}, refuse("names a file that cannot be read: "+err.Error(), "the path of a file with the secret")
	}
	text := strings.TrimSpace(string(data))
	if text == "" {
		return given{}, refuse("names a file that is empty", s.accepts)
	}
	return given{s, text, variableOrigin(name)}, nil
}

// serviceLink matches what Kubernetes sets in every pod for a Service whose
// name begins with keywright.
var serviceLink = regexp.MustCompile(`^KEYWRIGHT_([A-Z0-9_]+_)?(` +
	`SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)=|` +
	`PORT(_[0-9]+_(TCP|UDP|SCTP))?=(tcp|udp|sctp)://|` +
	`PORT_[0-9]+_(TCP|UDP|SCTP)_(PROTO|PORT|ADDR)=)`)

func unknownVariables(variables map[string]string, known []string) []error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		if slices.Contains(known, name) || strings.HasPrefix(name, testPrefix) ||
			serviceLink.MatchString(name+"="+variables[name]) {
			continue
		}
		errs = append(errs, &Error{
			Origin:  variableOrigin(name),
			Problem: "is not a setting" + didYouMean(name, known),
		})
	}
	return errs
}

func flagOrigin(name string) Origin     { return Origin{source: "flag --" + name, named: true} }
func variableOrigin(name string) Origin { return Origin{source: "environment " + name, named: true} }
