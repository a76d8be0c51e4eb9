package main

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/keywright/keywright/internal/settings"
)

// load returns the settings in effect for a command. Not every flag is a setting:
// a client's own --access-token-ttl is none.
func (c *command) load(cmd *cobra.Command) (*settings.Settings, settings.Origins, error) {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name == "config" || f.Annotations[settings.GroupAnnotation] != nil {
			flags.AddFlag(f)
		}
	})
	s, origins, err := settings.Load(flags, c.environ)
	if err != nil {
		return nil, nil, coded{err, exitConfig}
	}
	return s, origins, nil
}

// operatorFlags registers what every command beside the server takes. The other
// settings come from the file and the environment, as the server's do.
func operatorFlags(cmd *cobra.Command, asJSON *bool) {
	jsonFlag(cmd, asJSON)
	all := pflag.NewFlagSet("", pflag.ContinueOnError)
	settings.Flags(all)
	for _, name := range []string{"config", "data"} {
		cmd.Flags().AddFlag(all.Lookup(name))
	}
}

func (c *command) config() *cobra.Command {
	return group("config", "Show, check or write the configuration",
		"  keywright config show\n  keywright config template > keywright.yaml",
		c.configShow(), c.configValidate(), c.configTemplate(),
	)
}

func (c *command) configShow() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "show",
		Short:   "Show each setting in effect and where it comes from",
		Example: "  keywright config show\n  keywright config show --config keywright.yaml --json",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, origins, err := c.load(cmd)
			if err != nil {
				return err
			}
			rows := settings.Show(s, origins)
			if asJSON {
				return settings.WriteJSON(c.out, rows)
			}
			return settings.WriteText(c.out, rows)
		},
	}
	jsonFlag(cmd, &asJSON)
	settings.Flags(cmd.Flags())
	return cmd
}

func (c *command) configValidate() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "validate",
		Short:   "Check the configuration that `serve` would start with",
		Example: "  keywright config validate --config keywright.yaml\n  KEYWRIGHT_LISTEN=:443 keywright config validate",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, _, err := c.load(cmd)
			if err != nil {
				return err
			}
			if err := checkProduction(s); err != nil {
				return err
			}
			if _, err := brand(s); err != nil {
				return err
			}
			if s.Clients != "" {
				if _, err := settings.ReadClients(s.Clients, c.environ); err != nil {
					return coded{err, exitConfig}
				}
			}
			fmt.Fprintln(c.err, "the configuration is good")
			return nil
		},
	}
	settings.Flags(cmd.Flags())
	return cmd
}

func (c *command) configTemplate() *cobra.Command {
	return &cobra.Command{
		Use:     "template",
		Short:   "Write a commented configuration file",
		Example: "  keywright config template\n  keywright config template > keywright.yaml",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprint(c.out, settings.Template())
			return err
		},
	}
}
