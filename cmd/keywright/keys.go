package main

import (
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/keywright/keywright/internal/operator"
)

func (c *command) keys() *cobra.Command {
	return group("keys", "List and rotate the signing keys",
		"  keywright keys list\n  keywright keys rotate",
		c.keysList(), c.keysRotate(),
	)
}

func (c *command) keysList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the published signing keys",
		Example: "  keywright keys list\n  keywright keys list --json",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var views []operator.Key
			if err := c.ask(cmd, http.MethodGet, "/keys", nil, &views); err != nil {
				return err
			}
			if asJSON {
				return c.writeJSON(views)
			}
			return c.showKeys(views)
		},
	}
	operatorFlags(cmd, &asJSON)
	return cmd
}

func (c *command) keysRotate() *cobra.Command {
	var rotation operator.Rotation
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "rotate",
		Short:   "Let the next signing key of each algorithm take over as soon as every verifier can know it",
		Example: "  keywright keys rotate\n  keywright keys rotate --leaked",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var views []operator.Key
			if err := c.ask(cmd, http.MethodPost, "/keys/rotate", rotation, &views); err != nil {
				return err
			}
			if asJSON {
				return c.writeJSON(views)
			}
			return c.showKeys(views)
		},
	}
	cmd.Flags().BoolVar(&rotation.Leaked, "leaked", false, "A key has leaked: replace and withdraw all at once, with every token that they signed")
	operatorFlags(cmd, &asJSON)
	return cmd
}

func (c *command) showKeys(views []operator.Key) error {
	rows := [][]string{{"KID", "ALG", "STATE", "SIGNS FROM"}}
	for _, v := range views {
		state := "published"
		if v.Signing {
			state = "signing"
		}
		rows = append(rows, []string{v.ID, v.Algorithm, state, v.SignsFrom.Format(time.RFC3339)})
	}
	return c.writeTable(rows)
}
