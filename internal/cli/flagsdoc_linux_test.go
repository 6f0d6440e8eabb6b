package cli_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	agentcmd "github.com/planec/planec/internal/agent/cmd"
	"github.com/planec/planec/internal/cli"
)

const flagsDocument = "docs/reference/flags.md"

// TestFlagsDocument keeps docs/reference/flags.md equal to the commands; -update writes it.
func TestFlagsDocument(t *testing.T) {
	want := flagsText(append(commandTree(cli.Command()), agentcmd.New(io.Discard)))
	if *update {
		if err := os.WriteFile(filepath.Join(topOfRepository, flagsDocument), []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if docText(t, flagsDocument) != want {
		t.Errorf("%s is stale: go test ./internal/cli -run TestFlagsDocument -update", flagsDocument)
	}
}

// commandTree returns all commands that can be given, in the order of their paths.
func commandTree(c *cobra.Command) []*cobra.Command {
	var out []*cobra.Command
	if c.Runnable() && c.HasParent() {
		out = append(out, c)
	}
	for _, sub := range c.Commands() {
		if !sub.Hidden && sub.Name() != "help" && sub.Name() != "completion" {
			out = append(out, commandTree(sub)...)
		}
	}
	return out
}

// flagsText writes the document: flags that three commands or more share come once.
func flagsText(list []*cobra.Command) string {
	uses := make(map[string][]string)
	for _, c := range list {
		eachFlag(c, func(f *pflag.Flag) { uses[flagRow(f)] = append(uses[flagRow(f)], c.CommandPath()) })
	}
	var b strings.Builder
	b.WriteString("# Commands and flags\n\nMade from the commands by a test (`go test ./internal/cli -run TestFlagsDocument -update`). `planec COMMAND --help` prints the same in\n" +
		"groups, with examples. Settings of a node can also be in a file: [nodeconfig.md](../nodeconfig.md).\n\n## Flags that commands share\n\n" + flagsHead)
	var shared []string
	for row, commands := range uses {
		if len(commands) >= 3 {
			shared = append(shared, row)
		}
	}
	slices.Sort(shared)
	b.WriteString(strings.Join(shared, ""))
	for _, c := range list {
		writeCommand(&b, c, uses)
	}
	return b.String()
}

const flagsHead = "| flag | | default | |\n|---|---|---|---|\n"

func writeCommand(b *strings.Builder, c *cobra.Command, uses map[string][]string) {
	usage := c.UseLine()
	fmt.Fprintf(b, "\n## %s\n\n%s:\n\n    %s\n", c.CommandPath(), cell(c.Short), usage)
	var own, shared []string
	eachFlag(c, func(f *pflag.Flag) {
		if row := flagRow(f); len(uses[row]) < 3 {
			own = append(own, row)
		} else {
			shared = append(shared, "`--"+f.Name+"`")
		}
	})
	if len(own) > 0 {
		b.WriteString("\n" + flagsHead + strings.Join(own, ""))
	}
	if len(shared) > 0 {
		b.WriteString("\nShared: " + strings.Join(shared, ", ") + ".\n")
	}
}

// eachFlag visits the flags of a command in the order of their names, but --help.
func eachFlag(c *cobra.Command, visit func(*pflag.Flag)) {
	all := pflag.NewFlagSet("", pflag.ContinueOnError)
	all.AddFlagSet(c.LocalFlags())
	all.AddFlagSet(c.InheritedFlags())
	all.SortFlags = true
	all.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && f.Deprecated == "" && f.Name != "help" {
			visit(f)
		}
	})
}

func flagRow(f *pflag.Flag) string {
	name := "`--" + f.Name + "`"
	if f.Shorthand != "" {
		name += ", `-" + f.Shorthand + "`"
	}
	value := f.DefValue
	if value == "[]" || value == "false" {
		value = ""
	}
	kind, usage := pflag.UnquoteUsage(f)
	return fmt.Sprintf("| %s | %s | %s | %s |\n", name, cell(kind), cell(value), cell(usage))
}

// cell makes text one line of a table.
func cell(text string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", "\\|")
}
