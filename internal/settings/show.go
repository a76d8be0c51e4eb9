package settings

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Effective is one setting as it applies.
type Effective struct {
	Key    string `json:"key"`
	Value  string `json:"value"`  // as it would be written; of a secret only whether it is set
	Origin string `json:"origin"` // as [Origin.String] gives it
}

// Show lists every setting in the order of the table.
func Show(s *Settings, origins Origins) []Effective {
	var rows []Effective
	for _, row := range all() {
		rows = append(rows, Effective{Key: row.key, Value: row.get(s), Origin: origins[row.key].String()})
	}
	return rows
}

// WriteText writes rows as aligned columns for people.
func WriteText(w io.Writer, rows []Effective) error {
	columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(columns, "SETTING\tVALUE\tFROM")
	for _, row := range rows {
		fmt.Fprintf(columns, "%s\t%s\t%s\n", row.Key, cmp.Or(row.Value, "(none)"), row.Origin)
	}
	return columns.Flush()
}

// WriteJSON writes rows as a JSON array for programs.
func WriteJSON(w io.Writer, rows []Effective) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(rows)
}

const templateHead = `# Settings of Keywright.
#
# Every value shown is the default; take away the # before a setting to change it.
# The environment wins over this file, and flags win over both.
# See what is in effect, and where it comes from: keywright config show
`

// Template is a commented configuration file. Its settings are the defaults,
// commented out, so that a later version's better defaults take effect.
func Template() string {
	var text strings.Builder
	text.WriteString(templateHead)
	for _, g := range table {
		fmt.Fprintf(&text, "\n\n# ---- %s ----\n", g.title)
		for _, s := range g.settings {
			fmt.Fprintf(&text, "\n# %s\n", s.help)
			fmt.Fprintf(&text, "# Accepted: %s.\n", s.accepts)
			fmt.Fprintf(&text, "# %s\n", s.otherSources())
			if s.fileRefusal == "" {
				fmt.Fprintf(&text, "#%s: %s\n", s.key, s.initialYAML())
			}
		}
	}
	return text.String()
}

// otherSources tells where else than in the file a setting can be given.
func (s setting) otherSources() string {
	switch {
	case s.fileRefusal != "":
		return fmt.Sprintf("Not in this file, only as %s or %s.", s.variable(), s.fileVariable())
	case s.secret:
		return fmt.Sprintf("Better as %s or %s.", s.variable(), s.fileVariable())
	}
	return fmt.Sprintf("Also --%s or %s.", s.flag(), s.variable())
}

func (s setting) initialYAML() string {
	switch {
	case s.list:
		return "[" + s.initial + "]"
	case s.initial == "":
		return `""`
	}
	return s.initial
}
