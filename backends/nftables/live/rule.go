package live

import (
	"bytes"
	"iter"
	"slices"
	"strings"

	"github.com/planec/planec/internal/base/nlattr"
)

// Rule is a rule in the form of nf_tables.
type Rule struct {
	// Handle is the kernel's number; 0 for rules that come from text.
	Handle uint64
	// Exprs is the list of expressions, each with its attributes.
	Exprs []byte
	// UserData is nft's encoding of the comment.
	UserData []byte
	// Sets are the rule's anonymous sets, in the order in which Exprs looks them
	// up under the name anonymousName.
	Sets []*Set
	// to is the chain that the rule jumps or goes to.
	to string
}

// Attributes that are searched in rules.
const (
	immediateData = 2
	lookupSet     = 1
	lookupSetID   = 4
)

// anonymousName names a rule's anonymous set until the kernel chooses a name.
const anonymousName = "__set%d"

// same reports whether the kernel's rule equals the wanted one.
func (r *Rule) same(have *Rule) bool {
	if !bytes.Equal(r.UserData, have.UserData) || !slices.EqualFunc(r.Sets, have.Sets, sameAnonymous) {
		return false
	}
	return bytes.Equal(r.Exprs, have.Exprs) || covers(have.Exprs, r.Exprs)
}

// sameAnonymous compares anonymous sets including their elements.
func sameAnonymous(a, b *Set) bool {
	if !a.sameSpec(b) || a.Elems.n != b.Elems.n {
		return false
	}
	for _, r := range b.Elems.all() {
		if other, ok := a.Elems.get(r.key); !ok || !other.same(r) {
			return false
		}
	}
	return true
}

// covers reports whether have contains everything in want: other kernels may
// dump attributes that this one does not know.
func covers(have, want []byte) bool {
	next, stop := iter.Pull2(nlattr.All(have))
	defer stop()
	for _, w := range nlattr.All(want) {
		_, h, ok := next()
		if !ok || !bytes.Equal(nlattr.Get(h, exprName), nlattr.Get(w, exprName)) {
			return false
		}
		data := nlattr.Get(h, exprData)
		for kind, value := range nlattr.All(nlattr.Get(w, exprData)) {
			if !bytes.Equal(nlattr.Get(data, kind), value) {
				return false
			}
		}
	}
	_, _, more := next()
	return !more
}

// jumpTarget finds the chain in the expressions of a rule.
func jumpTarget(exprs []byte) string {
	for _, e := range nlattr.All(exprs) {
		if nlattr.String(nlattr.Get(e, exprName)) == "immediate" {
			if chain := nlattr.Get(nlattr.Get(nlattr.Get(nlattr.Get(e, exprData), immediateData), dataVerdict), verdictChain); chain != nil {
				return nlattr.String(chain)
			}
		}
	}
	return ""
}

// renameSets replaces the names of anonymous sets in lookups by the name used in
// text, and calls found with each old name. It keeps lookups in other sets.
func renameSets(exprs []byte, found func(name string)) []byte {
	if !bytes.Contains(exprs, []byte("__set")) && !bytes.Contains(exprs, []byte("__map")) {
		return exprs
	}
	return rewriteLookups(exprs, func(w *writer, name string) {
		found(name)
		w.str(lookupSet, anonymousName)
	})
}

// rewriteLookups rewrites the expressions; set writes the name of each anonymous
// set.
func rewriteLookups(exprs []byte, set func(w *writer, name string)) []byte {
	var w writer
	for _, e := range nlattr.All(exprs) {
		name := nlattr.String(nlattr.Get(nlattr.Get(e, exprData), lookupSet))
		own := strings.HasPrefix(name, "__set") || strings.HasPrefix(name, "__map")
		if !own || nlattr.String(nlattr.Get(e, exprName)) != "lookup" {
			w.bytes(listElem, e)
			continue
		}
		at := w.nest(listElem)
		w.str(exprName, "lookup")
		data := w.nest(exprData)
		for kind, value := range nlattr.All(nlattr.Get(e, exprData)) {
			if kind == lookupSet {
				set(&w, name)
			} else {
				w.bytes(kind, value)
			}
		}
		w.done(data)
		w.done(at)
	}
	return w.b
}
