package selector

import (
	"slices"
	"strings"
)

// Labels are what selectors ask.
type Labels interface {
	// Get returns the value of a label, and whether it is there.
	Get(name string) (value string, there bool)
}

// Map is labels as a map.
type Map map[string]string

// Get implements [Labels].
func (m Map) Get(name string) (value string, there bool) {
	value, there = m[name]
	return value, there
}

// Selector is a selector that was read. It does not change, and is safe for concurrent
// use.
type Selector struct {
	root node
	text string
}

func newSelector(root node) *Selector { return &Selector{root: root, text: string(root.appendTo(nil))} }

// All matches everything.
func All() *Selector { return newSelector(node{op: opAll}) }

// Equal matches what has a label with a value.
func Equal(label, value string) *Selector {
	return newSelector(node{op: opEqual, label: label, values: []string{value}})
}

// In matches what has a label with one of the values.
func In(label string, values []string) *Selector {
	values = slices.Clone(values)
	slices.Sort(values)
	return newSelector(node{op: opIn, label: label, values: slices.Compact(values)})
}

// Has matches what has a label.
func Has(label string) *Selector { return newSelector(node{op: opHas, label: label}) }

// Not matches what s does not.
func Not(s *Selector) *Selector { return newSelector(node{op: opNot, parts: []node{s.root}}) }

// And matches what all match. Of a single selector it is that one.
func And(all ...*Selector) *Selector {
	if len(all) == 1 {
		return all[0]
	}
	n := node{op: opAnd}
	for _, s := range all {
		n.parts = append(n.parts, s.root)
	}
	return newSelector(n)
}

// Prefixed returns the selector that asks for labels with a prefix.
func (s *Selector) Prefixed(prefix string) *Selector {
	return s.with(func(n node) node {
		if n.label != "" {
			n.label = prefix + n.label
		}
		return n
	})
}

// With returns the selector with others in place of all() and of global(); nil leaves
// them.
func (s *Selector) With(all, global *Selector) *Selector {
	return s.with(func(n node) node {
		switch {
		case n.op == opAll && all != nil:
			return all.root
		case n.op == opGlobal && global != nil:
			return global.root
		}
		return n
	})
}

func (s *Selector) with(change func(node) node) *Selector { return newSelector(s.root.with(change)) }

// Matches reports whether the labels are selected.
func (s *Selector) Matches(l Labels) bool { return s.root.matches(l) }

// IsAll reports whether the text is all() or empty.
func (s *Selector) IsAll() bool { return s.root.op == opAll }

// IsGlobal reports whether the text is global() alone.
func (s *Selector) IsGlobal() bool { return s.root.op == opGlobal }

// HasGlobal reports whether global() is anywhere in the text.
func (s *Selector) HasGlobal() bool { return s.root.has(opGlobal) }

// String returns the canonical text: selectors with equal texts match the same labels.
func (s *Selector) String() string { return s.text }

// Required is a label with a value that everything selected has.
type Required struct{ Label, Value string }

// Requires lists such labels, in the order of the text; there may be more.
func (s *Selector) Requires() []Required { return s.root.requires(nil) }

// Choice is a label of which everything selected has one of the values.
type Choice struct {
	Label  string
	Values []string // sorted, at least two
}

// Choices lists such labels, in the order of the text; there may be more.
func (s *Selector) Choices() []Choice { return s.root.choices(nil) }

// op is what a node does.
type op uint8

const (
	opAll op = iota + 1
	opGlobal
	opHas
	opEqual
	opNotEqual
	opContains
	opStarts
	opEnds
	opIn
	opNotIn
	opNot
	opAnd
	opOr
)

// node is a condition.
type node struct {
	op     op
	label  string   // what it asks for, or ""
	values []string // sorted
	parts  []node   // of opNot, opAnd and opOr
}

func (n *node) matches(l Labels) bool {
	switch n.op {
	case opAll, opGlobal:
		return true
	case opNot:
		return !n.parts[0].matches(l)
	case opAnd:
		return !slices.ContainsFunc(n.parts, func(p node) bool { return !p.matches(l) })
	case opOr:
		return slices.ContainsFunc(n.parts, func(p node) bool { return p.matches(l) })
	}
	value, there := l.Get(n.label)
	if !there {
		return n.op == opNotEqual || n.op == opNotIn
	}
	return n.compares(value)
}

func (n *node) compares(value string) bool {
	switch n.op {
	case opHas:
		return true
	case opEqual:
		return value == n.values[0]
	case opNotEqual:
		return value != n.values[0]
	case opContains:
		return strings.Contains(value, n.values[0])
	case opStarts:
		return strings.HasPrefix(value, n.values[0])
	case opEnds:
		return strings.HasSuffix(value, n.values[0])
	}
	_, found := slices.BinarySearch(n.values, value)
	return found == (n.op == opIn)
}

func (n *node) with(change func(node) node) node {
	out := *n
	if len(n.parts) > 0 {
		out.parts = make([]node, len(n.parts))
		for i := range n.parts {
			out.parts[i] = n.parts[i].with(change)
		}
		return out
	}
	return change(out)
}

func (n *node) has(o op) bool {
	return n.op == o || slices.ContainsFunc(n.parts, func(p node) bool { return p.has(o) })
}

func (n *node) requires(out []Required) []Required {
	switch {
	case n.op == opEqual || n.op == opIn && len(n.values) == 1:
		out = append(out, Required{n.label, n.values[0]})
	case n.op == opAnd:
		for i := range n.parts {
			out = n.parts[i].requires(out)
		}
	}
	return out
}

func (n *node) choices(out []Choice) []Choice {
	switch {
	case n.op == opIn && len(n.values) > 1:
		out = append(out, Choice{n.label, n.values})
	case n.op == opAnd:
		for i := range n.parts {
			out = n.parts[i].choices(out)
		}
	}
	return out
}
