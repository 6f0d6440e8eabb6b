package nodeflags

import (
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/planec/planec/internal/base/suggest"
)

// Mistake says what is wrong with a flag of the command line, as every other message
// does: with what was probably meant where the flag does not exist, and without the
// library's words around the reason where its value is wrong. Other errors stay.
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

// Names lists the flags that are shown in a command's help, as "--name", sorted.
func Names(flags *pflag.FlagSet) []string {
	var names []string
	flags.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, "--"+f.Name)
		}
	})
	return names
}

// dashed is a flag's name as it is mostly written.
func dashed(f *pflag.Flag) string {
	if f.Name == "output" {
		return "-o"
	}
	return "--" + f.Name
}
