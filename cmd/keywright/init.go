package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/keywright/keywright/internal/settings"
)

// initialize is `keywright init`, the only production command that makes a
// master key.
func (c *command) initialize() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "init",
		Short:   "Make the data folder, the master key and the database",
		Example: "  keywright init\n  keywright init --data /var/lib/keywright",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, _, err := c.load(cmd)
			if err != nil {
				return err
			}
			db, err := makeStore(cmd.Context(), s)
			if err != nil {
				return err
			}
			if err := db.Close(); err != nil {
				return err
			}
			fmt.Fprintf(c.err, "%s is ready. Keep a copy of its master key elsewhere: without it the database cannot be opened.\n", s.Data)
			return nil
		},
	}
	settings.Flags(cmd.Flags())
	return cmd
}
