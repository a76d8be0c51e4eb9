// Keywright is a self-hosted sign-in server: it registers people, signs them in
// and issues the tokens that APIs verify.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/keywright/keywright/internal/settings"
)

// Exit codes. A supervisor should not restart after 2 or 3: nothing will have changed.
const (
	exitOK      = 0
	exitFailed  = 1
	exitUsage   = 2
	exitConfig  = 3
	exitUnclean = 4
)

const docsURL = "https://github.com/keywright/keywright#readme"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// command is what every subcommand works with.
type command struct {
	environ []string
	in      io.Reader
	out     io.Writer // data
	err     io.Writer // messages
}

// run runs one command line and returns its exit code.
func run(ctx context.Context, args, environ []string, in io.Reader, out, err io.Writer) int {
	c := &command{environ, in, out, err}
	root := c.root()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(err)
	failure := root.ExecuteContext(ctx)
	if failure == nil {
		return exitOK
	}
	fmt.Fprintln(err, "keywright:", failure)
	return exitCode(failure)
}

// coded is an error with the exit code that it asks for.
type coded struct {
	error
	code int
}

func (c coded) Unwrap() error { return c.error }

func badConfig(format string, args ...any) error {
	return coded{fmt.Errorf(format, args...), exitConfig}
}

func exitCode(err error) int {
	var c coded
	if errors.As(err, &c) {
		return c.code
	}
	return exitFailed
}

func (c *command) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "keywright",
		Short:         "A self-hosted sign-in server: register, sign in, issue and verify tokens",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          usageArgs(cobra.NoArgs),
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(flagError)
	root.SetUsageFunc(usage)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { help(cmd) })
	root.AddCommand(c.dev(), c.initialize(), c.serve(), c.client(), c.user(), c.keys(), c.config(), c.version())
	return root
}

// group is a command that only holds others.
func group(use, short string, members ...*cobra.Command) *cobra.Command {
	g := &cobra.Command{Use: use, Short: short, Args: usageArgs(cobra.NoArgs), RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	g.AddCommand(members...)
	return g
}

// usageArgs makes a wrong number of arguments a usage error, and suggests a
// command where one was misspelt.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			if cmd.HasSubCommands() && len(args) > 0 {
				return coded{unknownCommand(cmd, args[0]), exitUsage}
			}
			return coded{fmt.Errorf("%w; see %s --help", err, cmd.CommandPath()), exitUsage}
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
		return fmt.Errorf("%s has no command %q; did you mean %s?", cmd.CommandPath(), name, near)
	}
	return fmt.Errorf("%s has no command %q; see %s --help", cmd.CommandPath(), name, cmd.CommandPath())
}

func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if near, ok := settings.Suggest(unknown.GetSpecifiedName(), names); ok {
			err = fmt.Errorf("%w; did you mean --%s?", err, near)
		}
	}
	return coded{fmt.Errorf("%w; see %s --help", err, cmd.CommandPath()), exitUsage}
}
