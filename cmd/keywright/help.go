package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/keywright/keywright/internal/settings"
)

const (
	docsURL   = "https://github.com/keywright/keywright#readme"
	helpWidth = 100 // columns
)

// common is what holds for every command.
const common = `Settings:
  Flags win over KEYWRIGHT_… variables, these over the file --config, and this over the defaults;
  "keywright config show" tells which. A secret is a variable, or KEYWRIGHT_…_FILE names its file.

Exit codes:
  0 ok, 1 failed, 2 wrong usage, 3 wrong configuration, 4 unclean stop
`

// helpCommand is `keywright help client add`, which is `keywright client add --help`.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]...",
		Short:   "Show the page of a command",
		Example: "  keywright help serve\n  keywright help client add",
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			if err != nil {
				return err
			}
			if len(rest) > 0 {
				return unknownCommand(found, rest[0])
			}
			return found.Help()
		},
	}
}

// help is the whole page of a command.
func help(cmd *cobra.Command) {
	fmt.Fprintf(cmd.OutOrStdout(), "%s\n\n", cmd.Short)
	writeUsage(cmd.OutOrStdout(), cmd)
}

func usage(cmd *cobra.Command) error {
	writeUsage(cmd.ErrOrStderr(), cmd)
	return nil
}

func writeUsage(w io.Writer, cmd *cobra.Command) {
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(w, "Usage:\n  %s COMMAND\n\nCommands:\n", cmd.CommandPath())
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() {
				fmt.Fprintf(w, "  %-14s %s\n", sub.Name(), sub.Short)
			}
		}
	} else {
		fmt.Fprintf(w, "Usage:\n  %s\n", cmd.UseLine())
	}
	fmt.Fprintf(w, "\nExamples:\n%s\n", cmd.Example)
	writeFlags(w, cmd)
	if !cmd.HasParent() {
		fmt.Fprint(w, "\n", common)
	}
	fmt.Fprintf(w, "\nDocumentation: %s\n", docsURL)
}

// writeFlags lists the flags by their groups, first those that have none.
func writeFlags(w io.Writer, cmd *cobra.Command) {
	cmd.InitDefaultHelpFlag() // joins the root's flags to the command's
	groups := []*pflag.FlagSet{pflag.NewFlagSet("Flags", pflag.ContinueOnError)}
	cmd.Flags().SortFlags = false
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		title := groups[0].Name()
		if annotated := f.Annotations[settings.GroupAnnotation]; len(annotated) > 0 {
			title = annotated[0]
		}
		i := slices.IndexFunc(groups, func(g *pflag.FlagSet) bool { return g.Name() == title })
		if i < 0 {
			i = len(groups)
			groups = append(groups, pflag.NewFlagSet(title, pflag.ContinueOnError))
		}
		groups[i].SortFlags = false
		groups[i].AddFlag(f)
	})
	for _, g := range groups {
		fmt.Fprintf(w, "\n%s:\n%s", g.Name(), g.FlagUsagesWrapped(helpWidth))
	}
}
