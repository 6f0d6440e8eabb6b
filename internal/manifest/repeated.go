package manifest

import (
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
		w.node(resolveAlias(t.node), 0)
	} else {
		w.value(t.json, t.line)
	}
	if w.first == nil || len(w.first.steps) < 2 || w.first.steps[0].name != "spec" || misspeltKind(t) {
		return false
	}
	t.repeated = w.first
	if t.node != nil {
		w.first.line += t.base
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

// repeatedWalk finds the first field that stands twice.
type repeatedWalk struct {
	at    []pathStep
	first *strange
}

func (w *repeatedWalk) into(s pathStep, do func()) {
	w.at = append(w.at, s)
	do()
	w.at = w.at[:len(w.at)-1]
}

// found takes a field for repeated if nothing was found before.
func (w *repeatedWalk) found(line int) {
	if w.first == nil {
		w.first = &strange{steps: append([]pathStep(nil), w.at...), line: line, repeated: true}
	}
}

// node looks into a mapping or a sequence; aliases are looked at where they are written.
func (w *repeatedWalk) node(n *yaml.Node, depth int) {
	if depth > maxDepth || w.first != nil {
		return
	}
	seen := names{}
	for i, c := range n.Content {
		switch n.Kind {
		case yaml.SequenceNode:
			w.into(pathStep{index: i, isIndex: true}, func() { w.node(c, depth+1) })
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
					w.found(c.Line)
				}
				w.node(n.Content[i+1], depth+1)
			})
		}
	}
}

// value looks into a JSON value.
func (w *repeatedWalk) value(text []byte, line int) {
	switch {
	case len(text) == 0 || w.first != nil:
	case text[0] == '{':
		seen := names{}
		_ = eachField(text, line, func(name string, line int, value []byte) {
			w.into(pathStep{name: name}, func() {
				if !seen.add(name) {
					w.found(line)
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
