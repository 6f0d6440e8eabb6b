package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/internal/base/suggest"
	"github.com/planec/planec/internal/input/nodeflags"
)

// choice is a flag with a few valid values. Others are rejected while the command line
// is parsed, before anything else happens.
type choice struct {
	value *string
	words []string
}

// String implements [pflag.Value].
func (c *choice) String() string { return *c.value }

// Set implements [pflag.Value].
func (c *choice) Set(s string) error {
	if err := chosen(s, c.words); err != nil {
		return err
	}
	*c.value = s
	return nil
}

// Type implements [pflag.Value].
func (c *choice) Type() string { return "string" }

// choices is a choice with several values, as a repeated flag or separated by commas.
type choices struct {
	value *[]string
	words []string
	// given reports that the default was replaced.
	given bool
}

// String implements [pflag.Value]. Without values it is "", so that help shows no default.
func (c *choices) String() string {
	if len(*c.value) == 0 {
		return ""
	}
	return "[" + strings.Join(*c.value, ",") + "]"
}

// Set implements [pflag.Value].
func (c *choices) Set(s string) error {
	if !c.given {
		c.given, *c.value = true, nil
	}
	for word := range strings.SplitSeq(s, ",") {
		if err := chosen(word, c.words); err != nil {
			return err
		}
		*c.value = append(*c.value, word)
	}
	return nil
}

// Type implements [pflag.Value].
func (c *choices) Type() string { return "strings" }

// chosen returns the error for a word that is not valid.
func chosen(word string, words []string) error {
	if slices.Contains(words, word) {
		return nil
	}
	return fmt.Errorf("want one of %s%s", strings.Join(words, ", "), suggest.DidYouMean(word, words))
}

// backendFlag registers --backend for one backend.
func backendFlag(flags *pflag.FlagSet, value *string, usage string) {
	flags.Var(&choice{value, registry.Names()}, "backend", usage)
}

// backendsFlag registers --backend for several backends; more are words for groups of them.
func backendsFlag(flags *pflag.FlagSet, value *[]string, usage string, more ...string) {
	words := append(registry.Names(), append([]string{"all"}, more...)...)
	flags.Var(&choices{value: value, words: words}, "backend", usage)
}

// formatFlag registers -o for an output format; the first one is the default.
func formatFlag(flags *pflag.FlagSet, value *string, forms ...string) {
	*value = forms[0]
	flags.VarP(&choice{value, forms}, "output", "o", "form: "+oneOf(forms))
}

// oneOf formats "a, b or c".
func oneOf(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// flagError describes a wrong flag in the style of all other messages.
// A flag behind the name of a command that there is not is no flag of the commands above it.
func flagError(cmd *cobra.Command, err error) error {
	if before := cmd.Flags().Args(); cmd.HasSubCommands() && len(before) > 0 {
		return noSuchCommand(cmd, before)
	}
	return nodeflags.Mistake(cmd.Flags(), err)
}

// noArguments is for commands that have flags alone.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.Flags().ShorthandLookup("f") != nil {
		return fmt.Errorf("%q is no flag of %s: for a file or a directory give -f %s", args[0], cmd.CommandPath(), args[0])
	}
	return fmt.Errorf("%q is no flag of %s, which takes flags alone", args[0], cmd.CommandPath())
}

// noSuchCommand rejects an unknown command.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return fmt.Errorf("unknown command %q%s", args[0], suggest.DidYouMean(args[0], names))
}
