package nodeflags

import (
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/planec/planec/internal/base/suggest"
)

// Mistake describes an error in a flag in the style of all other messages: with a
// suggestion for an unknown flag, and without the library's text around the reason
// for a wrong value. Other errors stay unchanged.
func Mistake(flags *pflag.FlagSet, err error) error {
	var unknown *pflag.NotExistError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("%w%s", err, suggest.DidYouMean("--"+unknown.GetSpecifiedName(), Names(flags)))
	case errors.As(err, &invalid):
		return fmt.Errorf("%s %q: %w", dashed(invalid.GetFlag()), invalid.GetValue(), invalid.Unwrap())
	}
	return err
}

// Names lists the flags in a command's help, as "--name", sorted.
func Names(flags *pflag.FlagSet) []string {
	var names []string
	flags.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, "--"+f.Name)
		}
	})
	return names
}

// dashed returns a flag's name as it is usually written.
func dashed(f *pflag.Flag) string {
	if f.Name == "output" {
		return "-o"
	}
	return "--" + f.Name
}
