package cli

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/pflag"

	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// care says which input a command accepts: rules, verdicts and comparisons from
// partly unread input look right but are not.
type care int

const (
	// careful commands need documents and policies that can all be read, and at least one
	// object that planec uses.
	careful care = iota
	// empty commands also accept input without objects, because they show that.
	empty
	// strictly commands change or judge a kernel: every object of the input must
	// be readable, because what an unreadable one serves would be removed.
	strictly
	// lenient commands report unreadable input as their result.
	lenient
)

// exceptions are the flags that relax this.
type exceptions struct{ keepGoing, allowEmpty bool }

func (e *exceptions) register(flags *pflag.FlagSet) {
	flags.BoolVar(&e.keepGoing, "keep-going", false, "go on without the files, documents and objects that cannot be read")
	flags.BoolVar(&e.allowEmpty, "allow-empty", false, "take input without any object that planec uses")
}

// unreadDocument are the codes of documents that could not be read at all, and
// unreadObject those of single objects.
var (
	unreadDocument = []diag.Code{diag.BadDocument, diag.BadUTF8}
	unreadObject   = []diag.Code{diag.BadObject, diag.UnnamedObject, diag.UnknownPolicyField}
)

// refused returns the error for input that a command does not accept, or nil.
func (e *exceptions) refused(c care, read diag.List) error {
	if c == lenient {
		return nil
	}
	documents, objects := countCodes(read, unreadDocument), 0
	switch c {
	case strictly:
		objects = countCodes(read, unreadObject)
	case careful: // without a policy all looks open
		objects = countCodes(policiesIn(read), unreadObject[:2])
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

// policiesIn are those about policies.
func policiesIn(list diag.List) (out diag.List) {
	for _, d := range list {
		if manifest.IsPolicy(d.Origin.Kind) {
			out = append(out, d)
		}
	}
	return out
}

func countCodes(list diag.List, codes []diag.Code) (n int) {
	for _, d := range list {
		if slices.Contains(codes, d.Code) {
			n++
		}
	}
	return n
}

// nothingServed returns the error for a program that leaves a node without any
// Service or policy: usual causes are a broken pipe or a wrong directory.
func (e *exceptions) nothingServed(p *ir.Program) error {
	if e.allowEmpty || len(p.Frontends) > 0 || len(p.ClusterIPs) > 0 || len(p.Policy.Profiles) > 0 {
		return nil
	}
	return errNothingServed
}

var errNothingServed = inputError(errors.New("these are rules for no Service and no policy, which would remove all that this node serves: nothing was changed (--allow-empty applies them)"))
