package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// everyCommand visits the commands that people see.
func everyCommand(cmd *cobra.Command, visit func(*cobra.Command)) {
	visit(cmd)
	for _, sub := range cmd.Commands() {
		everyCommand(sub, visit)
	}
}

func TestEveryCommandHasAWholeHelpPage(t *testing.T) {
	everyCommand((&command{}).root(), func(cmd *cobra.Command) {
		path := strings.Fields(cmd.CommandPath())[1:]
		var out, messages bytes.Buffer
		if code := run(t.Context(), append(path, "--help"), nil, nil, &out, &messages); code != exitOK || messages.Len() > 0 {
			t.Errorf("%v --help: code %d, %s", path, code, messages.String())
		}
		page := out.String()
		lines := strings.Split(page, "\n")
		if lines[0] == "" || len(lines[0]) > 90 || lines[1] != "" {
			t.Errorf("%v does not begin with one line: %q", path, lines[0])
		}
		_, examples, _ := strings.Cut(page, "\nExamples:\n")
		examples, _, _ = strings.Cut(examples, "\n\n")
		if n := strings.Count(examples, "keywright "); n < 2 {
			t.Errorf("%v has %d examples", path, n)
		}
		for _, part := range []string{"\nUsage:\n  keywright", "\nFlags:\n", "  -h, --help ", "\nDocumentation: https://"} {
			if !strings.Contains(page, part) {
				t.Errorf("%v has no %q:\n%s", path, part, page)
			}
		}
	})
}

// Examples are tried, apart from what they would do: each is parsed.
func TestEveryExampleIsACommandLineThatIsUnderstood(t *testing.T) {
	everyCommand((&command{}).root(), func(cmd *cobra.Command) {
		for example := range strings.Lines(cmd.Example) {
			_, line, _ := strings.Cut(example, "keywright ")
			line, _, _ = strings.Cut(line, ">")
			line, _, _ = strings.Cut(line, "<")
			words := strings.Fields(strings.TrimRight(line, ")\n"))
			found, rest, err := (&command{}).root().Find(words)
			if err == nil {
				err = found.ParseFlags(rest)
			}
			if err == nil {
				err = found.ValidateArgs(found.Flags().Args())
			}
			if err != nil {
				t.Errorf("%q: %v", example, err)
			}
		}
	})
}

func TestListsAndShowsWriteJSON(t *testing.T) {
	everyCommand((&command{}).root(), func(cmd *cobra.Command) {
		if name := cmd.Name(); (name == "list" || name == "show" || name == "version") && cmd.Flags().Lookup("json") == nil {
			t.Errorf("%s has no --json", cmd.CommandPath())
		}
	})
}
