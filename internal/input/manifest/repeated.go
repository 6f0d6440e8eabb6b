package manifest

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// A field that stands twice makes an object unusable: readers differ about which of the
// two counts. A policy must not open anything by it either, so that one whose rules have
// such a field is closed, as one with an unknown field is (closed.go).

// repeatedInPolicy reads a policy that has a field twice, and reports whether it could:
// not where it is not certain which object it is.
func (d *decoder) repeatedInPolicy(out *outcome, t *text, meta typeMeta) bool {
	if !planecReads(meta) || !isPolicy(meta.kind) {
		return false
	}
	w := repeatedWalk{}
	if t.node != nil {
		w.node(resolveAlias(t.node))
	} else {
		w.value(t.json, t.line)
	}
	inSpec := func(f *strange) bool { return len(f.steps) > 1 && f.steps[0].name == "spec" }
	if len(w.found) == 0 || len(w.found) > maxStrange || !all(w.found, inSpec) || misspeltKind(t) {
		return false
	}
	t.repeated = w.found
	if t.node != nil {
		for i := range t.repeated {
			t.repeated[i].line += t.base
		}
		e := expansion{lastCounts: true}
		if e.value(t.node) != nil {
			return false
		}
		t.json = e.out
	}
	t.schema = d.schemaOf(meta)
	_, t.unknown = jsonProblem(t.json, t.schema)
	d.object(out, t, meta)
	return true
}

// misspeltKind reports whether the object has a field that may be its kind to others.
func misspeltKind(t *text) bool {
	for name := range t.names() {
		if misspelt(name) != "" {
			return true
		}
	}
	return false
}

// repeatedWalk collects fields that stand twice, a few more than [maxStrange] at most and
// no deeper than a policy is.
type repeatedWalk struct {
	at    []pathStep
	found []strange
}

// deepestPolicy is more than spec.ingress[0].from[0].podSelector.matchExpressions[0].values[0].
const deepestPolicy = 16

// ended reports whether there is nothing more to look for.
func (w *repeatedWalk) ended() bool { return len(w.at) > deepestPolicy || len(w.found) > maxStrange }

func (w *repeatedWalk) into(s pathStep, do func()) {
	w.at = append(w.at, s)
	do()
	w.at = w.at[:len(w.at)-1]
}

// add takes the field that it is at for repeated.
func (w *repeatedWalk) add(line int) {
	w.found = append(w.found, strange{steps: slices.Clone(w.at), line: line, repeated: true})
}

// node looks into a mapping or a sequence; aliases are looked at where they are written.
func (w *repeatedWalk) node(n *yaml.Node) {
	if w.ended() {
		return
	}
	seen := names{}
	for i, c := range n.Content {
		switch n.Kind {
		case yaml.SequenceNode:
			w.into(pathStep{index: i, isIndex: true}, func() { w.node(c) })
		case yaml.MappingNode:
			if i%2 == 1 {
				continue
			}
			name, err := fieldName(resolveAlias(c))
			if err != nil {
				continue
			}
			w.into(pathStep{name: name}, func() {
				if !isMergeKey(resolveAlias(c)) && !seen.add(name) {
					w.add(c.Line)
				}
				w.node(n.Content[i+1])
			})
		}
	}
}

// value looks into a JSON value.
func (w *repeatedWalk) value(text []byte, line int) {
	switch {
	case len(text) == 0 || w.ended():
	case text[0] == '{':
		seen := names{}
		_ = eachField(text, line, func(name string, line int, value []byte) {
			w.into(pathStep{name: name}, func() {
				if !seen.add(name) {
					w.add(line)
				}
				w.value(value, line)
			})
		})
	case text[0] == '[':
		i := 0
		_ = eachItem(text, line, func(line int, value []byte) {
			w.into(pathStep{index: i, isIndex: true}, func() { w.value(value, line) })
			i++
		})
	}
}
