package manifest

import (
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/planec/planec/internal/base/suggest"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// Objects are decoded like by `kubectl --validate=strict`: an unknown field is an
// error. The scan that every object goes through (jsonProblem) detects that there is
// one; the code here determines its name and place, for the few objects that have some.

// maxStrange is the maximum number of unknown fields that are named per object.
const maxStrange = 20

// strange is a field that the API lacks.
type strange struct {
	// steps lead to the field; the last one is its name.
	steps []pathStep
	line  int
	// known are the API's names at this place, sorted.
	known []string
	// alone reports that the surrounding object has no known field.
	alone bool
	// repeated marks a repeated, known field.
	repeated bool
}

// name returns the name of the field.
func (f *strange) name() string { return f.steps[len(f.steps)-1].name }

// path returns the path of the field, with bounded names.
func (f *strange) path() string {
	const longest = 100
	p := jsonPath{}
	for _, s := range f.steps {
		name := s.name
		if len(name) > longest {
			name = strings.ToValidUTF8(name[:longest], "") + "..."
		}
		p.steps = append(p.steps, step{isList: s.isIndex, index: s.index, name: name})
	}
	return p.String()
}

// text says that the field is unknown, what was probably meant, and the
// consequence for the object, which is a sentence or "".
func (f *strange) text(consequence string) string {
	const few = 6
	said, stop := "unknown field", ". "
	switch meant := suggest.DidYouMean(f.name(), f.known); {
	case f.repeated:
		said = twiceText(f.name())
	case meant != "":
		said, stop = said+meant, " "
	case len(f.known) > 0 && len(f.known) <= few:
		said += "; the API has " + strings.Join(f.known, ", ") + " here"
	}
	if consequence == "" {
		return said
	}
	return said + stop + consequence
}

// meant returns the name that was probably meant, or "".
func (f *strange) meant() string { return suggest.Nearest(f.name(), f.known) }

// isPatch reports whether the field is a directive of a strategic merge patch
// (k8s.io/apimachinery, pkg/util/strategicpatch): a text with one is not an object.
func (f *strange) isPatch() bool {
	name := f.name()
	return name == "$patch" || name == "$retainKeys" || strings.HasPrefix(name, "$setElementOrder/") || strings.HasPrefix(name, "$deleteFromPrimitiveList/")
}

// strangeFields lists the unknown fields, in the order of the text.
func (t *text) strangeFields() []strange {
	w := strangeWalk{}
	if t.unknown {
		w.value(t.json, t.line, t.schema)
	}
	if t.node != nil {
		for i := range w.found {
			w.found[i].line = t.base + nodeLine(t.node, w.found[i].steps)
		}
	}
	return append(w.found, t.repeated...)
}

// strangeWalk collects unknown fields of a valid text.
type strangeWalk struct {
	at    []pathStep
	found []strange
}

func (w *strangeWalk) value(text []byte, line int, of *schema) {
	switch {
	case of == nil || len(text) == 0:
	case text[0] == '{':
		before, known := len(w.found), false
		_ = eachField(text, line, func(name string, line int, value []byte) { known = w.field(name, line, value, of) || known })
		for i := before; i < len(w.found); i++ {
			f := &w.found[i]
			f.alone = f.alone || !known && len(f.steps) == len(w.at)+1
		}
	case text[0] == '[':
		i := 0
		_ = eachItem(text, line, func(line int, value []byte) {
			w.at = append(w.at, pathStep{index: i, isIndex: true})
			w.value(value, line, of.item())
			w.at = w.at[:len(w.at)-1]
			i++
		})
	}
}

// field checks a field, and reports whether the API has it.
func (w *strangeWalk) field(name string, line int, value []byte, in *schema) bool {
	w.at = append(w.at, pathStep{name: name})
	of, known := in.field([]byte(name))
	if known {
		w.value(value, line, of)
	} else if len(w.found) < maxStrange {
		w.found = append(w.found, strange{steps: slices.Clone(w.at), line: line, known: slices.Sorted(maps.Keys(in.fields))})
	}
	w.at = w.at[:len(w.at)-1]
	return known
}

// nodeLine returns the line of the key at the steps, or of the last key before it
// that is written there and not merged in.
func nodeLine(n *yaml.Node, steps []pathStep) int {
	line := n.Line
	n = resolveAlias(n)
	for _, s := range steps {
		key, value := (*yaml.Node)(nil), (*yaml.Node)(nil)
		switch {
		case n == nil:
		case s.isIndex && n.Kind == yaml.SequenceNode && s.index < len(n.Content):
			key, value = n.Content[s.index], n.Content[s.index]
		case !s.isIndex && n.Kind == yaml.MappingNode:
			key, value = namedField(n, s.name)
		}
		if key == nil {
			return line
		}
		line, n = key.Line, resolveAlias(value)
	}
	return line
}

// namedField returns the key and the value of a field by its JSON name.
func namedField(n *yaml.Node, name string) (key, value *yaml.Node) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if have, err := fieldName(resolveAlias(n.Content[i])); err == nil && have == name {
			return n.Content[i], n.Content[i+1]
		}
	}
	return nil, nil
}

// isPatch reports whether an object with these unknown fields is a patch, with a finding.
func isPatch(out *outcome, at ir.Origin, fields []strange) bool {
	i := slices.IndexFunc(fields, func(f strange) bool { return f.isPatch() })
	if i < 0 {
		return false
	}
	at.Line, at.Path = fields[i].line, fields[i].path()
	out.report(diag.PatchFile, at, "a directive of a patch: this is no object, and is not read")
	return true
}

// reportStrange reports unknown fields with the consequence for the object.
func reportStrange(out *outcome, code diag.Code, at ir.Origin, fields []strange, consequence string) {
	for i := range fields {
		at.Line, at.Path = fields[i].line, fields[i].path()
		if fields[i].repeated {
			out.report(diag.BadObject, at, fields[i].text(consequence))
		} else {
			out.report(code, at, fields[i].text(consequence))
		}
	}
}
