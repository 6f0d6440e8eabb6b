package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/planec/planec/internal/input/nodeflags"
)

// commandGroup is a part of the list of commands.
type commandGroup struct {
	title    string
	commands []string
}

func commandGroups() []commandGroup {
	return []commandGroup{
		{"Review manifests", []string{"diff", "test", "lint", "explain", "matrix", "trace", "report", "play"}},
		{"Compile", []string{"compile", "prove", "ir", "dns", "synth", "addresses", "announce", "config", "cni"}},
		{"This node's kernel", []string{"apply", "verify", "status", "show", "rollback", "clean", "support-bundle"}},
	}
}

// flagGroup is a part of a command's list of flags.
type flagGroup struct {
	title string
	has   func(name string) bool
}

// flagGroups are the parts that many commands share, in the order of help. What is in none
// is the command's own, and comes first.
func flagGroups() []flagGroup {
	of := func(register func(*pflag.FlagSet), more ...string) func(string) bool {
		set := pflag.NewFlagSet("", pflag.ContinueOnError)
		register(set)
		return func(name string) bool { return set.Lookup(name) != nil || slices.Contains(more, name) }
	}
	return []flagGroup{
		{"Input", of(new(exceptions).register, "filename", "recursive", "kustomize", "exclude", "synth", "synth-nodes", "lb-class", "context", "kubeconfig")},
		{"Node and its settings", of(new(nodeflags.Flags).Register, "node", "all-nodes", "cni-conf-dir")},
		{"Output", of(new(reporting).register, "output", "out-dir", "format")},
		{"Kernel and record", func(name string) bool {
			return slices.Contains([]string{"state-dir", "cgroup", "lock-timeout", "beside-agent"}, name)
		}},
	}
}

// manyFlags is from how many flags on the common ones come first.
const manyFlags = 30

// commonFlags is the part of a long list of flags that most calls need.
func commonFlags() flagGroup {
	names := []string{
		"filename", "recursive", "kustomize", "synth", "node", "all-nodes", "backend", "config", "cluster-cidr",
		"output", "out-dir", "artifact", "dry-run", "from", "to", "port", "help",
	}
	return flagGroup{"Common flags", func(name string) bool { return slices.Contains(names, name) }}
}

// usage returns the function that prints how a command is called: examples first, then
// flags by what they are about, in lines of the terminal's width.
func usage(s *Streams) func(*cobra.Command) error {
	return func(c *cobra.Command) error {
		var b strings.Builder
		fmt.Fprint(&b, "Usage:\n")
		if c.HasAvailableSubCommands() {
			fmt.Fprintf(&b, "  %s COMMAND\n", c.CommandPath())
		} else {
			fmt.Fprintf(&b, "  %s\n", c.UseLine())
		}
		if len(c.Aliases) > 0 {
			fmt.Fprintf(&b, "\nAliases:\n  %s\n", c.NameAndAliases())
		}
		if c.HasExample() {
			fmt.Fprintf(&b, "\nExamples:\n%s\n", c.Example)
		}
		if c.HasAvailableSubCommands() {
			listCommands(&b, c)
		}
		listFlags(&b, c.LocalFlags(), s.Width)
		if c.HasAvailableSubCommands() {
			fmt.Fprintf(&b, "\n\"%s COMMAND --help\" has examples and flags of a command.\n", c.CommandPath())
		}
		_, err := io.WriteString(c.OutOrStderr(), b.String())
		return err
	}
}

// listCommands lists the commands below one, in groups.
func listCommands(b *strings.Builder, c *cobra.Command) {
	listed := make(map[string]bool)
	list := func(title string, has func(name string) bool) {
		for _, sub := range c.Commands() {
			if listed[sub.Name()] || !has(sub.Name()) || !sub.IsAvailableCommand() && sub.Name() != "help" {
				continue
			}
			listed[sub.Name()] = true
			if title != "" {
				fmt.Fprintf(b, "\n%s:\n", title)
				title = ""
			}
			fmt.Fprintf(b, "  %-*s %s\n", c.Commands()[0].NamePadding(), sub.Name(), sub.Short)
		}
	}
	for _, g := range commandGroups() {
		if c.HasParent() {
			break // these are names below the root
		}
		list(g.title, func(name string) bool { return slices.Contains(g.commands, name) })
	}
	list("Other commands", func(string) bool { return true })
}

// listFlags lists flags in groups: the common ones where there are many, the command's own, and
// those that commands share. width is that of the terminal, or 0.
func listFlags(b *strings.Builder, flags *pflag.FlagSet, width int) {
	shared := flagGroups()
	own := flagGroup{"Flags", func(name string) bool {
		return !slices.ContainsFunc(shared, func(g flagGroup) bool { return g.has(name) })
	}}
	groups := append([]flagGroup{own}, shared...)
	if countFlags(flags) >= manyFlags {
		groups[0].title = "More flags"
		groups = append([]flagGroup{commonFlags()}, groups...)
	}
	sets := make([]*pflag.FlagSet, len(groups))
	flags.VisitAll(func(f *pflag.Flag) {
		at := slices.IndexFunc(groups, func(g flagGroup) bool { return g.has(f.Name) })
		if sets[at] == nil {
			sets[at] = pflag.NewFlagSet("", pflag.ContinueOnError)
		}
		sets[at].AddFlag(f)
	})
	for i, set := range sets {
		if set != nil && set.HasAvailableFlags() {
			fmt.Fprintf(b, "\n%s:\n%s", groups[i].title, set.FlagUsagesWrapped(width))
		}
	}
}

func countFlags(flags *pflag.FlagSet) (n int) {
	flags.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			n++
		}
	})
	return n
}
