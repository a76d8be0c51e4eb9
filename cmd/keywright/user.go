package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/keywright/keywright/internal/account"
	"github.com/keywright/keywright/internal/operator"
)

func (c *command) user() *cobra.Command {
	return group("user", "Add and manage people",
		"  keywright user add --email ada@example.com --name Ada --password-stdin < password.txt\n  keywright user list",
		c.userAdd(), c.userList(),
		c.userAction("disable", "Refuse a person and end what they hold"),
		c.userAction("enable", "Admit a disabled person again"),
		c.userAction("end-sessions", "End every session and grant of a person"),
	)
}

func (c *command) userAdd() *cobra.Command {
	var add operator.NewUser
	var fromStdin, asJSON bool
	cmd := &cobra.Command{
		Use:   "add --email EMAIL --name NAME --password-stdin",
		Short: "Add a person",
		Example: "  keywright user add --email ada@example.com --name Ada --password-stdin < password.txt\n" +
			"  pass show ada | keywright user add --email ada@example.com --name Ada --password-stdin --json",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if add.Email == "" || add.Name == "" || !fromStdin {
				return usageError(cmd, "--email, --name and --password-stdin are needed (a password in a flag would show in process lists)")
			}
			if add.Password, err = c.password(); err != nil {
				return err
			}
			var added operator.User
			if err := c.ask(cmd, http.MethodPost, "/users", add, &added); err != nil {
				return err
			}
			return c.showUser(added, asJSON)
		},
	}
	cmd.Flags().StringVar(&add.Email, "email", "", "The e-mail `address` to sign in with")
	cmd.Flags().StringVar(&add.Name, "name", "", "The `name` to show")
	cmd.Flags().BoolVar(&fromStdin, "password-stdin", false, "Read the password from standard input, to its end, less one final line break")
	operatorFlags(cmd, &asJSON)
	return cmd
}

// password reads standard input; where that is a terminal, a line that it does
// not show.
func (c *command) password() (string, error) {
	read := readPassword
	if file, ok := c.in.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		fmt.Fprint(c.err, "Password: ")
		defer fmt.Fprintln(c.err)
		read = func(io.Reader) ([]byte, error) { return term.ReadPassword(int(file.Fd())) }
	}
	password, err := read(c.in)
	if err == nil && !utf8.Valid(password) {
		err = errors.New("the password is not text in UTF-8: nobody could type it")
	}
	return string(password), err
}

// readPassword reads to the end, less one final line break: \n, or \r\n as
// Windows writes it.
func readPassword(in io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(in, account.MaxPasswordLength+3)) // too long even without the line break
	if line, ok := bytes.CutSuffix(text, []byte("\n")); ok {
		return bytes.TrimSuffix(line, []byte("\r")), err
	}
	return text, err
}

func (c *command) userAction(name, short string) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     name + " EMAIL|ID",
		Short:   short,
		Example: fmt.Sprintf("  keywright user %s ada@example.com\n  keywright user %s ada@example.com --json", name, name),
		Args:    oneArgument("e-mail address"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var view operator.User
			if err := c.ask(cmd, http.MethodPost, "/users/"+url.PathEscape(args[0])+"/"+name, nil, &view); err != nil {
				return err
			}
			return c.showUser(view, asJSON)
		},
	}
	operatorFlags(cmd, &asJSON)
	return cmd
}

func (c *command) userList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the people",
		Example: "  keywright user list\n  keywright user list --json",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			views, err := c.allUsers(cmd)
			if err != nil {
				return err
			}
			if asJSON {
				return c.writeJSON(views)
			}
			return c.showUsers(views...)
		},
	}
	operatorFlags(cmd, &asJSON)
	return cmd
}

// allUsers reads page after page.
func (c *command) allUsers(cmd *cobra.Command) ([]operator.User, error) {
	via, err := c.caller(cmd)
	if err != nil {
		return nil, err
	}
	defer via.close()
	all := []operator.User{}
	for after := ""; ; after = all[len(all)-1].ID {
		var page []operator.User
		if err := via.call(cmd.Context(), http.MethodGet, "/users?after="+url.QueryEscape(after), nil, &page); err != nil {
			return nil, err
		}
		if len(page) == 0 {
			return all, nil
		}
		all = append(all, page...)
	}
}

func (c *command) showUser(v operator.User, asJSON bool) error {
	if asJSON {
		return c.writeJSON(v)
	}
	return c.showUsers(v)
}

func (c *command) showUsers(views ...operator.User) error {
	rows := [][]string{{"ID", "EMAIL", "NAME", "STATE"}}
	for _, v := range views {
		rows = append(rows, []string{v.ID, v.Email, v.Name, state(v.Disabled)})
	}
	return c.writeTable(rows)
}
