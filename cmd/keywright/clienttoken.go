package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/keywright/keywright/internal/operator"
)

func (c *command) clientToken() *cobra.Command {
	return group("token", "Hand out tokens by which clients register themselves",
		"  keywright client token add --uses 5 --ttl 72h\n  keywright client token list",
		c.clientTokenAdd(), c.clientTokenList(), c.clientTokenRemove(),
	)
}

func (c *command) clientTokenAdd() *cobra.Command {
	var asked operator.NewRegistrationToken
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "add",
		Short:   "Make a token, printed once; it works while client_registration is token",
		Example: "  keywright client token add\n  keywright client token add --uses 5 --ttl 72h --json",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var made operator.RegistrationToken
			if err := c.ask(cmd, http.MethodPost, "/registration-tokens", asked, &made); err != nil {
				return err
			}
			if asJSON {
				return c.writeJSON(made)
			}
			fmt.Fprintln(c.err, "The token is not shown again.")
			return c.writeTable([][]string{
				{"id", made.ID}, {"token", made.Token}, {"uses", strconv.FormatInt(made.UsesLeft, 10)}, {"expires", made.ExpiresAt.Format(time.RFC3339)},
			})
		},
	}
	cmd.Flags().Int64Var(&asked.Uses, "uses", 1, "How many clients it registers")
	cmd.Flags().DurationVar(&asked.TTL, "ttl", 24*time.Hour, "How long it works")
	operatorFlags(cmd, &asJSON)
	return cmd
}

func (c *command) clientTokenList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the tokens, without what makes them work",
		Example: "  keywright client token list\n  keywright client token list --json",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var views []operator.RegistrationToken
			if err := c.ask(cmd, http.MethodGet, "/registration-tokens", nil, &views); err != nil {
				return err
			}
			if asJSON {
				return c.writeJSON(views)
			}
			rows := [][]string{{"ID", "USES LEFT", "EXPIRES"}}
			for _, v := range views {
				rows = append(rows, []string{v.ID, strconv.FormatInt(v.UsesLeft, 10), v.ExpiresAt.Format(time.RFC3339)})
			}
			return c.writeTable(rows)
		},
	}
	operatorFlags(cmd, &asJSON)
	return cmd
}

func (c *command) clientTokenRemove() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "remove ID",
		Short:   "Remove a token; the clients that it registered stay",
		Example: "  keywright client token remove rgt_0198f2\n  keywright client token remove rgt_0198f2 --json",
		Args:    oneArgument("token id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var removed operator.RegistrationToken
			if err := c.ask(cmd, http.MethodPost, "/registration-tokens/"+url.PathEscape(args[0])+"/remove", nil, &removed); err != nil {
				return err
			}
			if asJSON {
				return c.writeJSON(removed)
			}
			return c.writeTable([][]string{{"removed", removed.ID}})
		},
	}
	operatorFlags(cmd, &asJSON)
	return cmd
}
