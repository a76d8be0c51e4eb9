package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// version is set by release builds, -ldflags "-X main.version=v1.2.3"; empty: what
// Go knows.
var version string

type versionInfo struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Date    string `json:"date"` // of the commit
	Go      string `json:"go"`
}

func (v versionInfo) String() string {
	return fmt.Sprintf("keywright %s (commit %s, %s, %s)", v.Version, v.Commit, v.Date, v.Go)
}

func (c *command) version() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Show the version, commit, date and Go version",
		Example: "  keywright version\n  keywright version --json",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				return c.writeJSON(readVersion())
			}
			_, err := fmt.Fprintln(c.out, readVersion())
			return err
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

// readVersion adds what Go recorded when it built the binary.
func readVersion() versionInfo {
	v := versionInfo{Version: version, Commit: "unknown", Date: "unknown", Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if v.Version == "" {
		v.Version = strings.Trim(info.Main.Version, "()") // (devel)
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Commit = s.Value
		case "vcs.time":
			v.Date = s.Value
		}
	}
	return v
}
