package manifest

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// A repeated field makes an object unusable, because readers differ about which value
// counts. This must not make a policy open anything, so a policy with a repeated field
// in its rules is closed, like one with an unknown field (closed.go).

// repeatedInPolicy reads a policy with a repeated field, and reports whether it could:
// it cannot if the identity of the object is uncertain.
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

// misspeltKind reports whether another reader may take a field for the object's kind.
func misspeltKind(t *text) bool {
	for name := range t.names() {
		if misspelt(name) != "" {
			return true
		}
	}
	return false
}

// repeatedWalk collects repeated fields, slightly more than [maxStrange] at most and no
// deeper than policies are.
type repeatedWalk struct {
	at    []pathStep
	found []strange
}

// deepestPolicy is more than spec.ingress[0].from[0].podSelector.matchExpressions[0].values[0].
const deepestPolicy = 16

// ended reports whether the search is over.
func (w *repeatedWalk) ended() bool { return len(w.at) > deepestPolicy || len(w.found) > maxStrange }

func (w *repeatedWalk) into(s pathStep, do func()) {
	w.at = append(w.at, s)
	do()
	w.at = w.at[:len(w.at)-1]
}

// add adds the current field as a repeated one.
func (w *repeatedWalk) add(line int) {
	w.found = append(w.found, strange{steps: slices.Clone(w.at), line: line, repeated: true})
}

// node searches a mapping or a sequence; aliases are searched where they are written.
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

// value searches a JSON value.
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
