package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/keywright/keywright/internal/operator"
	"github.com/keywright/keywright/internal/server"
	"github.com/keywright/keywright/internal/settings"
)

func (c *command) clientPlan() *cobra.Command {
	return c.clientsFromFile("plan", "/client-plan", "Show what applying a clients file would change")
}

func (c *command) clientApply() *cobra.Command {
	return c.clientsFromFile("apply", "/client-apply", "Make the clients of a file those that are registered, and print what changed")
}

func (c *command) clientsFromFile(name, path, short string) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     name + " --clients FILE",
		Short:   short,
		Example: fmt.Sprintf("  keywright client %s --clients clients.yaml\n  keywright client %s --clients clients.yaml --json", name, name),
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, _, err := c.load(cmd)
			if err != nil {
				return err
			}
			if s.Clients == "" {
				return usageError(cmd, "--clients is missing: name the file")
			}
			via, err := c.caller(cmd)
			if err != nil {
				return err
			}
			defer via.close()
			plan, err := c.declareClients(cmd.Context(), via, s.Clients, path, true)
			if err != nil {
				return err
			}
			return c.showPlan(plan, asJSON)
		},
	}
	operatorFlags(cmd, &asJSON)
	all := pflag.NewFlagSet("", pflag.ContinueOnError)
	settings.Flags(all)
	cmd.Flags().AddFlag(all.Lookup("clients"))
	return cmd
}

// declareClients sends a clients file to be planned or applied. What is wrong
// with it is said with its place in the file.
func (c *command) declareClients(ctx context.Context, via *caller, file, path string, makeSecrets bool) (operator.ClientPlan, error) {
	var plan operator.ClientPlan
	declared, err := settings.ReadClients(file, c.environ)
	if err != nil {
		return plan, coded{err, exitConfig}
	}
	members := make([]map[string]any, len(declared))
	for i, d := range declared {
		members[i] = d.Members
	}
	in := map[string]any{"clients": members, "make_secrets": makeSecrets}
	if err := via.call(ctx, http.MethodPost, path, in, &plan); err != nil {
		return plan, err
	}
	var problems []error
	for _, p := range plan.Problems {
		problems = append(problems, &settings.Error{
			Key: "client " + fmt.Sprintf("%q", p.ID), Origin: declared[p.Index].Origin, Problem: p.Problem,
		})
	}
	if problems != nil {
		return plan, coded{errors.Join(problems...), exitConfig}
	}
	return plan, nil
}

// applyAtStart applies the clients file, if there is one, before a server
// answers. Secrets that nobody would see are not made.
func (c *command) applyAtStart(ctx context.Context, srv *server.Server, file string, log *slog.Logger) error {
	if file == "" {
		return nil
	}
	via := &caller{web: &http.Client{Transport: handlerTransport{srv.Operator()}}}
	plan, err := c.declareClients(ctx, via, file, "/client-apply", false)
	for _, step := range plan.Steps {
		log.Info("clients file", "action", step.Action, "client_id", step.ID)
	}
	return err
}

func (c *command) showPlan(plan operator.ClientPlan, asJSON bool) error {
	if asJSON {
		return c.writeJSON(plan)
	}
	if len(plan.Steps) == 0 {
		fmt.Fprintln(c.err, "there is nothing to change")
	}
	for _, step := range plan.Steps {
		fmt.Fprintf(c.out, "%s %s\n", step.Action, step.ID)
		var rows [][]string
		for _, f := range step.Fields {
			change := phrase(f.After)
			if step.Action == "change" {
				change = phrase(f.Before) + " → " + change
			}
			rows = append(rows, []string{"  " + f.Name, change})
		}
		if step.Secret != "" {
			rows = append(rows, []string{"  its secret", step.Secret + " (not shown again)"})
		}
		if err := c.writeTable(rows); err != nil {
			return err
		}
	}
	return nil
}

// phrase writes one value of a client for people.
func phrase(value any) string {
	switch v := value.(type) {
	case nil:
		return "(none)"
	case string:
		return v
	case []any:
		texts := make([]string, len(v))
		for i, item := range v {
			texts[i] = fmt.Sprint(item)
		}
		return strings.Join(texts, " ")
	}
	text, err := json.Marshal(value)
	if err != nil {
		return "(unreadable)"
	}
	return string(text)
}
