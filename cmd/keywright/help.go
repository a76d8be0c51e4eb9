package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/keywright/keywright/internal/settings"
)

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
	if cmd.Example != "" {
		fmt.Fprintf(w, "\nExamples:\n%s\n", cmd.Example)
	}
	writeFlags(w, cmd)
	fmt.Fprintf(w, "\nDocumentation: %s\n", docsURL)
}

// writeFlags lists the command's own flags first, then the settings by their groups.
func writeFlags(w io.Writer, cmd *cobra.Command) {
	const own = "Flags"
	groups := map[string]*pflag.FlagSet{}
	titles := []string{own}
	cmd.LocalFlags().SortFlags = false
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		title := own
		if annotated := f.Annotations[settings.GroupAnnotation]; len(annotated) > 0 {
			title = annotated[0]
		}
		if groups[title] == nil {
			groups[title] = pflag.NewFlagSet(title, pflag.ContinueOnError)
			groups[title].SortFlags = false
		}
		if !slices.Contains(titles, title) {
			titles = append(titles, title)
		}
		groups[title].AddFlag(f)
	})
	for _, title := range titles {
		if groups[title] != nil {
			fmt.Fprintf(w, "\n%s:\n%s", title, groups[title].FlagUsages())
		}
	}
}
