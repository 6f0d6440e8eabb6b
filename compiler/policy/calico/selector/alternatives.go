package selector

import "strings"

// Comparison is what a literal asks of its label.
type Comparison uint8

// The comparisons.
const (
	Exists   Comparison = iota + 1 // the label is there
	OneOf                          // it is there, with one of the values
	Contains                       // it is there, with the value in it; so StartsWith, EndsWith
	StartsWith
	EndsWith
)

// Literal is a comparison of one label, or the contrary of one.
type Literal struct {
	Label  string
	Asks   Comparison
	Values []string // sorted; of all but Exists and OneOf one
	// Not is the contrary: it holds also where the label is missing.
	Not bool
}

// Examples returns a few values for which the comparison holds.
func (l *Literal) Examples() []string {
	v := strings.Join(l.Values, "")
	switch l.Asks {
	case OneOf:
		return l.Values
	case Contains:
		return []string{v, "0" + v + "0"}
	case StartsWith:
		return []string{v, v + "0"}
	case EndsWith:
		return []string{v, "0" + v}
	}
	return nil
}

// Alternatives returns the selector as a disjunction of conjunctions; one without
// literals is everything. If there would be more than most, or more literals than
// sixteen times as many, ok is false.
func (s *Selector) Alternatives(most int) (out [][]Literal, ok bool) {
	d := disjunction{most: most}
	out = d.of(&s.root, false)
	return out, !d.over
}

// Literals returns all comparisons of the text.
func (s *Selector) Literals() []Literal { return s.root.literals(nil) }

func (n *node) literals(out []Literal) []Literal {
	if l, is := n.literal(false); is {
		return append(out, l)
	}
	for i := range n.parts {
		out = n.parts[i].literals(out)
	}
	return out
}

// literal returns a comparison, or its contrary; false if the node is none.
func (n *node) literal(not bool) (Literal, bool) {
	l := Literal{Label: n.label, Values: n.values, Not: not}
	switch n.op {
	case opHas:
		l.Asks = Exists
	case opEqual, opIn:
		l.Asks = OneOf
	case opNotEqual, opNotIn:
		l.Asks, l.Not = OneOf, !not
	case opContains:
		l.Asks = Contains
	case opStarts:
		l.Asks = StartsWith
	case opEnds:
		l.Asks = EndsWith
	default:
		return Literal{}, false
	}
	return l, true
}

// disjunction makes alternatives, up to a bound.
type disjunction struct {
	most int
	over bool
}

// literalsEach bounds the literals of all alternatives, for each of them on average.
const literalsEach = 16

func (d *disjunction) of(n *node, not bool) [][]Literal {
	if l, is := n.literal(not); is {
		return [][]Literal{{l}}
	}
	switch {
	case d.over:
		return nil
	case n.op == opNot:
		return d.of(&n.parts[0], !not)
	case n.op == opAll, n.op == opGlobal:
		if not {
			return nil
		}
		return [][]Literal{nil}
	case (n.op == opOr) != not:
		var out [][]Literal
		for i := range n.parts {
			if out = append(out, d.of(&n.parts[i], not)...); !d.fits(out) {
				return nil
			}
		}
		return out
	}
	out := [][]Literal{nil}
	for i := range n.parts {
		if out = d.both(out, d.of(&n.parts[i], not)); d.over {
			return nil
		}
	}
	return out
}

// both joins each of the one to each of the other.
func (d *disjunction) both(a, b [][]Literal) [][]Literal {
	var out [][]Literal
	for _, x := range a {
		for _, y := range b {
			if out = append(out, append(append([]Literal(nil), x...), y...)); !d.fits(out) {
				return nil
			}
		}
	}
	return out
}

func (d *disjunction) fits(list [][]Literal) bool {
	total := 0
	for _, l := range list {
		total += len(l)
	}
	d.over = d.over || len(list) > d.most || total > literalsEach*d.most
	return !d.over
}
