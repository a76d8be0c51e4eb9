package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/keywright/keywright/internal/settings"
)

// initialize is `keywright init`. It is the only production command that makes keys.
func (c *command) initialize() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "init",
		Short:   "Make the data folder, the master key and the database",
		Example: "  keywright init\n  keywright init --data /var/lib/keywright",
		Args:    usageArgs(cobra.NoArgs),
	}
	settings.Flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		s, _, err := c.load(cmd)
		if err != nil {
			return err
		}
		if err := makeDataFolder(s.Data); err != nil {
			return err
		}
		if err := makeMasterKey(s); err != nil {
			return err
		}
		db, err := openStore(cmd.Context(), s, true)
		if err != nil {
			return c.explainFolderInUse(s, err)
		}
		defer db.Close()
		fmt.Fprintf(c.err, "%s is ready. Keep a copy of its master key elsewhere: without it the database cannot be opened.\n", s.Data)
		return nil
	}
	return cmd
}
