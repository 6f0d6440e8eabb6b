package cli

import (
	"slices"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/ir/diag"
)

// companion is what is written beside the rules of a node's backends.
type companion struct {
	name  string // of its directory, which is beside those of backends
	files func(node string) (backends.Artifact, diag.List)
}

// companionNames are the names of what either side of a comparison has beside rules, in the
// order of compile.
func companionNames(sides ...*diffSide) []string {
	var out []string
	add := func(name string) {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	for _, s := range sides {
		for _, r := range s.rules {
			if r.Backend == podRoutesName {
				add(r.Backend)
			}
		}
		if s.loaded == nil {
			continue
		}
		for _, c := range s.loaded.beside {
			add(c.name)
		}
	}
	return out
}
