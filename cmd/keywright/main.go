// Keywright is a self-hosted sign-in server: it registers people, signs them in
// and issues the tokens that APIs verify.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// Exit codes. A supervisor should not restart after 2 or 3: nothing will have changed.
const (
	exitOK      = 0
	exitFailed  = 1
	exitUsage   = 2
	exitConfig  = 3
	exitUnclean = 4
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
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
	if errors.Is(failure, context.Canceled) {
		failure = errors.New("stopped before it was ready")
	}
	for problem := range strings.SplitSeq(failure.Error(), "\n") {
		fmt.Fprintln(err, "keywright:", problem)
	}
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
	if c, ok := errors.AsType[coded](err); ok {
		return c.code
	}
	return exitFailed
}

func (c *command) root() *cobra.Command {
	cobra.EnableCommandSorting = false // help lists commands as below
	root := group("keywright", "A self-hosted sign-in server: register, sign in, issue and verify tokens",
		"  keywright dev\n  keywright serve --listen 127.0.0.1:8080 --issuer https://id.example.com --trusted-proxies 127.0.0.1",
		c.dev(), c.initialize(), c.serve(), c.client(), c.user(), c.keys(), c.config(), c.completion(), c.version(),
	)
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.DisableDefaultCmd = true
	root.Version = readVersion().String()
	root.SetVersionTemplate("{{.Version}}\n")
	root.PersistentFlags().BoolP("help", "h", false, "Show this page")
	root.Flags().Bool("version", false, "Show the version")
	root.SetFlagErrorFunc(flagError)
	root.SetUsageFunc(usage)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { help(cmd) })
	root.SetHelpCommand(helpCommand())
	return root
}

// group is a command that only holds others.
func group(use, short, example string, members ...*cobra.Command) *cobra.Command {
	g := &cobra.Command{
		Use: use, Short: short, Example: example, Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	g.AddCommand(members...)
	return g
}
