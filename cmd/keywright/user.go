package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/keywright/keywright/internal/account"
	"github.com/keywright/keywright/internal/server"
)

func (c *command) user() *cobra.Command {
	return group("user", "Add and manage people",
		c.userAdd(), c.userList(),
		c.userAction("disable", "Refuse a person and end what they hold"),
		c.userAction("enable", "Admit a disabled person again"),
		c.userAction("end-sessions", "End every session and grant of a person"),
	)
}

func (c *command) userAdd() *cobra.Command {
	var add server.NewUser
	var fromStdin, asJSON bool
	cmd := &cobra.Command{
		Use:   "add --email EMAIL --name NAME --password-stdin",
		Short: "Add a person",
		Example: "  keywright user add --email ada@example.com --name Ada --password-stdin < password.txt\n" +
			"  pass show ada | keywright user add --email ada@example.com --name Ada --password-stdin --json",
		Args: usageArgs(cobra.NoArgs),
	}
	folderFlags(cmd)
	cmd.Flags().StringVar(&add.Email, "email", "", "The e-mail address to sign in with.")
	cmd.Flags().StringVar(&add.Name, "name", "", "The name to show.")
	cmd.Flags().BoolVar(&fromStdin, "password-stdin", false, "Read the password from standard input, to its end, less one final line break.")
	cmd.Flags().BoolVar(&asJSON, "json", false, "Write JSON.")
	cmd.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		if add.Email == "" || add.Name == "" || !fromStdin {
			return coded{fmt.Errorf("--email, --name and --password-stdin are needed (a password in a flag would show in process lists); see %s --help", cmd.CommandPath()), exitUsage}
		}
		if add.Password, err = readPassword(c.in); err != nil {
			return err
		}
		var added server.UserView
		if err := c.ask(cmd, http.MethodPost, "/users", add, &added); err != nil {
			return err
		}
		return c.showUser(added, asJSON)
	}
	return cmd
}

// readPassword reads to the end, less one final line break.
func readPassword(in io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(in, account.MaxPasswordLength+3))
	if err != nil {
		return "", err
	}
	password, found := strings.CutSuffix(string(text), "\n")
	if found {
		password = strings.TrimSuffix(password, "\r")
	}
	return password, nil
}

func (c *command) userAction(name, short string) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     name + " EMAIL",
		Short:   short,
		Example: fmt.Sprintf("  keywright user %s ada@example.com\n  keywright user %s ada@example.com --json", name, name),
		Args:    usageArgs(cobra.ExactArgs(1)),
	}
	folderFlags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "Write JSON.")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var view server.UserView
		if err := c.ask(cmd, http.MethodPost, "/users/"+url.PathEscape(args[0])+"/"+name, nil, &view); err != nil {
			return err
		}
		return c.showUser(view, asJSON)
	}
	return cmd
}

func (c *command) userList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the people",
		Example: "  keywright user list\n  keywright user list --json",
		Args:    usageArgs(cobra.NoArgs),
	}
	folderFlags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "Write JSON.")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		all, err := c.allUsers(cmd)
		if err != nil {
			return err
		}
		if asJSON {
			return c.writeJSON(all)
		}
		return c.table("ID\tEMAIL\tNAME\tSTATE", func(row func(...any)) {
			for _, v := range all {
				row(v.ID, v.Email, v.Name, state(v.Disabled))
			}
		})
	}
	return cmd
}

// allUsers reads page after page.
func (c *command) allUsers(cmd *cobra.Command) ([]server.UserView, error) {
	all := []server.UserView{}
	s, _, err := c.load(cmd)
	if err != nil {
		return nil, err
	}
	o, err := c.askServer(cmd.Context(), s)
	if err != nil {
		return nil, err
	}
	defer o.close()
	for after := ""; ; after = all[len(all)-1].ID {
		var page []server.UserView
		if err := o.call(cmd.Context(), http.MethodGet, "/users?after="+url.QueryEscape(after), nil, &page); err != nil {
			return nil, err
		}
		if len(page) == 0 {
			return all, nil
		}
		all = append(all, page...)
	}
}

func (c *command) showUser(v server.UserView, asJSON bool) error {
	if asJSON {
		return c.writeJSON(v)
	}
	return c.table("ID\tEMAIL\tNAME\tSTATE", func(row func(...any)) { row(v.ID, v.Email, v.Name, state(v.Disabled)) })
}
