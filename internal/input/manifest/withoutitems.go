package manifest

import (
	"maps"
	"slices"

	"github.com/planec/planec/internal/base/suggest"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// noListText is for a list whose items cannot be determined.
const noListText = "items is no list, so nothing of it is read"

// withoutItems reports a list without items, and a misspelt field of items:
// otherwise all of its objects would silently be missing.
func (t *text) withoutItems(out *outcome, meta typeMeta) {
	names := t.names()
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if name == "items" || suggest.Nearest(name, []string{"items"}) == "" {
			continue
		}
		at := t.listAt(meta, names[name])
		f := strange{steps: []pathStep{{name: name}}, known: []string{"items"}}
		at.Path = f.path()
		out.report(diag.UnknownField, at, f.text("Nothing of the list is read"))
	}
}

// listAt is the origin of a list, which has no name.
func (t *text) listAt(meta typeMeta, line int) ir.Origin {
	at := t.origin(line)
	at.Kind = meta.kind
	return at
}
