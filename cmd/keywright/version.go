package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by release builds: -ldflags "-X main.version=v1.2.3".
var version = "devel"

type versionInfo struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Date    string `json:"date"`
	Go      string `json:"go"`
}

func (c *command) version() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Show the version, commit, date and Go version",
		Example: "  keywright version\n  keywright version --json",
		Args:    usageArgs(cobra.NoArgs),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "Write JSON.")
	cmd.RunE = func(*cobra.Command, []string) error {
		v := readVersion()
		if asJSON {
			return json.NewEncoder(c.out).Encode(v)
		}
		_, err := fmt.Fprintf(c.out, "keywright %s (commit %s, %s, %s)\n", v.Version, v.Commit, v.Date, v.Go)
		return err
	}
	return cmd
}

func readVersion() versionInfo {
	v := versionInfo{Version: version, Commit: "unknown", Date: "unknown", Go: runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				v.Commit = s.Value
			case "vcs.time":
				v.Date = s.Value
			}
		}
	}
	return v
}
