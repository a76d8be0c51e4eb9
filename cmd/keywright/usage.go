package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/keywright/keywright/internal/settings"
)

func usageError(cmd *cobra.Command, format string, args ...any) error {
	return coded{fmt.Errorf(format+"; see %s --help", append(args, cmd.CommandPath())...), exitUsage}
}

// noArguments does not repeat an argument, which may be a misplaced secret,
// but where a command was expected it suggests one.
func noArguments(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case cmd.HasSubCommands():
		return unknownCommand(cmd, args[0])
	}
	var advice string
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if f.Value.Type() == "ports" && strings.Trim(args[0], "0123456789,") == "" {
			advice = fmt.Sprintf(", and the value of --%s after a =", f.Name)
		}
	})
	return usageError(cmd, "this command takes flags only%s", advice)
}

func oneArgument(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 || args[0] == "" {
			return usageError(cmd, "this command needs one %s", name)
		}
		return nil
	}
}

func unknownCommand(cmd *cobra.Command, name string) error {
	var names []string
	for _, sub := range cmd.Commands() {
		names = append(names, sub.Name())
	}
	if near, ok := settings.Suggest(name, names); ok {
		return usageError(cmd, "unknown command %q (did you mean %s?)", name, near)
	}
	return usageError(cmd, "unknown command %q", name)
}

// flagError suggests a flag where one was misspelt, and the variable of a
// setting that is no flag here: a secret, or another command's.
func flagError(cmd *cobra.Command, err error) error {
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return usageError(cmd, "%w", err)
	}
	name := unknown.GetSpecifiedName()
	if unknown.GetSpecifiedShortnames() != "" {
		return usageError(cmd, "unknown flag -%s", name) // pflag repeats all of -phunter2
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if near, ok := settings.Suggest(name, names); ok {
		return usageError(cmd, "unknown flag --%s (did you mean --%s?)", name, near)
	}
	if variable, ok := settingVariable(name); ok {
		return usageError(cmd, "unknown flag --%s (set %s instead)", name, variable)
	}
	return usageError(cmd, "unknown flag --%s", name)
}

// settingVariable returns the environment variable of the setting after which a
// flag would be called.
func settingVariable(flag string) (variable string, ok bool) {
	key := strings.ReplaceAll(flag, "-", "_")
	for _, row := range settings.Show(&settings.Settings{}, nil) {
		if row.Key == key {
			return "KEYWRIGHT_" + strings.ToUpper(key), true
		}
	}
	return "", false
}
