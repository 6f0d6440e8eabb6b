package compare

import (
	"bytes"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/review/diffreport"
)

// RuleSet is what a backend emits for one node, or emitted earlier.
type RuleSet struct {
	Backend, Node string            // the backend, and the name of the node
	Artifact      backends.Artifact // the files
}

// Rules collects the differences of rules. Nodes whose files differ in the same
// way are reported together.
type Rules struct {
	// Hunks keeps the text of the differences, not only their number.
	Hunks bool

	index map[string]int
	list  []diffreport.Rules
}

// Add compares the rules of one node; either may be empty. Nodes are named
// in the order of the calls.
func (r *Rules) Add(before, after RuleSet) {
	if r.index == nil {
		r.index = make(map[string]int)
	}
	set := after
	if set.Node == "" {
		set = before
	}
	for _, name := range fileNames(before.Artifact, after.Artifact) {
		a, b := before.Artifact.File(name), after.Artifact.File(name)
		if bytes.Equal(a, b) || bytes.IndexByte(a, 0) >= 0 || bytes.IndexByte(b, 0) >= 0 {
			continue // images are compared by their text, which is another file
		}
		x := difference(a, b)
		x.Backend, x.File, x.Nodes = set.Backend, name, []string{set.Node}
		key := set.Backend + "\x00" + name + "\x00" + strings.Join(x.Hunks, "\x00")
		if at, have := r.index[key]; have {
			r.list[at].Nodes = append(r.list[at].Nodes, set.Node)
			continue
		}
		r.index[key] = len(r.list)
		r.list = append(r.list, x)
	}
}

// List returns the collected differences.
func (r *Rules) List() []diffreport.Rules {
	out := make([]diffreport.Rules, len(r.list))
	for i := range r.list {
		out[i] = r.list[i]
		if !r.Hunks {
			out[i].Hunks = nil
		}
	}
	return out
}

func fileNames(a, b backends.Artifact) []string {
	var out []string
	for _, f := range a.Files {
		out = append(out, f.Name)
	}
	for _, f := range b.Files {
		if a.File(f.Name) == nil {
			out = append(out, f.Name)
		}
	}
	return out
}

// difference is a unified diff without header and line numbers, so that equal
// changes have equal text.
func difference(a, b []byte) diffreport.Rules {
	var out diffreport.Rules
	var hunk strings.Builder
	flush := func() {
		if hunk.Len() > 0 {
			out.Hunks = append(out.Hunks, hunk.String())
			hunk.Reset()
		}
	}
	lines := strings.Split(string(diff.Diff("old", a, "new", b)), "\n")
	for _, l := range lines[min(3, len(lines)):] {
		switch {
		case strings.HasPrefix(l, "@@"):
			flush()
			continue
		case strings.HasPrefix(l, "+"):
			out.Added++
		case strings.HasPrefix(l, "-"):
			out.Removed++
		case l == "":
			continue
		}
		hunk.WriteString(l + "\n")
	}
	flush()
	return out
}
