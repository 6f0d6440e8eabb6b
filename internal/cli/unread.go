package cli

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/pflag"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// care says what input a command takes: rules, verdicts and comparisons of input that
// was not read as a whole look right, and are not.
type care int

const (
	// careful commands work on documents that can all be read, and on at least one
	// object that planec uses.
	careful care = iota
	// empty commands take input without objects too: they show that it has none.
	empty
	// strictly commands change or judge a kernel: no object of the input may be
	// unreadable either, because what it served would be removed.
	strictly
	// lenient commands report what cannot be read as their result.
	lenient
)

// exceptions are the flags that say otherwise.
type exceptions struct{ keepGoing, allowEmpty bool }

func (e *exceptions) register(flags *pflag.FlagSet) {
	flags.BoolVar(&e.keepGoing, "keep-going", false, "go on without the files, documents and objects that cannot be read")
	flags.BoolVar(&e.allowEmpty, "allow-empty", false, "take input without any object that planec uses")
}

// unreadDocument are the codes of what nothing of could be read, and unreadObject
// those of an object that could not.
var (
	unreadDocument = []diag.Code{diag.BadDocument, diag.BadUTF8}
	unreadObject   = []diag.Code{diag.BadObject, diag.UnnamedObject, diag.UnknownPolicyField}
)

// refused is the error of input that a command does not take, or nil.
func (e *exceptions) refused(c care, read diag.List) error {
	if c == lenient {
		return nil
	}
	documents, objects := countCodes(read, unreadDocument), 0
	if c == strictly {
		objects = countCodes(read, unreadObject)
	}
	var what string
	switch {
	case e.keepGoing:
	case documents > 0 && objects > 0:
		what = count(documents, "document") + " and " + count(objects, "object")
	case documents > 0:
		what = count(documents, "document")
	case objects > 0:
		what = count(objects, "object")
	}
	if what != "" {
		return inputError(fmt.Errorf("%s of the input cannot be read, so nothing was done (--keep-going leaves out what cannot be read)", what))
	}
	if c != empty && !e.allowEmpty && countCodes(read, []diag.Code{diag.EmptyInput}) > 0 {
		return inputError(errors.New("the input has no object that planec uses, so nothing was done (--allow-empty takes it)"))
	}
	return nil
}

func countCodes(list diag.List, codes []diag.Code) (n int) {
	for _, d := range list {
		if slices.Contains(codes, d.Code) {
			n++
		}
	}
	return n
}

// nothingServed is the error of a program that would leave a node without any Service
// or policy: the usual cause is a pipe that broke, or another directory.
func (e *exceptions) nothingServed(p *ir.Program) error {
	if e.allowEmpty || len(p.Frontends) > 0 || len(p.ClusterIPs) > 0 || len(p.Policy.Profiles) > 0 {
		return nil
	}
	return errNothingServed
}

var errNothingServed = inputError(errors.New("these are rules for no Service and no policy, which would remove all that this node serves: nothing was changed (--allow-empty applies them)"))
