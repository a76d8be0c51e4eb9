package main

import "github.com/spf13/cobra"

func (c *command) completion() *cobra.Command {
	return &cobra.Command{
		Use:       "completion bash|zsh|fish|powershell",
		Short:     "Write a script that completes commands and flags in a shell",
		Example:   "  source <(keywright completion bash)\n  keywright completion fish > ~/.config/fish/completions/keywright.fish",
		Args:      oneArgument("shell"),
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch root := cmd.Root(); args[0] {
			case "bash":
				return root.GenBashCompletionV2(c.out, true)
			case "zsh":
				return root.GenZshCompletion(c.out)
			case "fish":
				return root.GenFishCompletion(c.out, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(c.out)
			}
			return usageError(cmd, "there are scripts for bash, zsh, fish and powershell only")
		},
	}
}
