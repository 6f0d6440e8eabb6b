package selector

import (
	"errors"
	"fmt"
	"slices"
)

// Bounds of one text. Calico's definitions allow 1024 characters, except for the
// selector of a rule's service accounts.
const (
	longestText = 1 << 14
	deepest     = 512 // parentheses in parentheses
)

// Parse reads a selector. The empty text matches everything, like all().
func Parse(text string) (*Selector, error) {
	if len(text) > longestText {
		return nil, fmt.Errorf("a selector of %d bytes, %d at most", len(text), longestText)
	}
	all, err := tokens(text)
	if err != nil {
		return nil, err
	}
	if all[0].kind == tokEnd {
		return All(), nil
	}
	p := parser{rest: all}
	root, err := p.or()
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != tokEnd {
		return nil, fmt.Errorf("%q after the end of the selector", t.text)
	}
	return newSelector(root), nil
}

type parser struct {
	rest  []token
	depth int
}

func (p *parser) peek() token { return p.rest[0] }

// take returns the next token; the end stays.
func (p *parser) take() token {
	t := p.rest[0]
	if t.kind != tokEnd {
		p.rest = p.rest[1:]
	}
	return t
}

func (p *parser) or() (node, error) { return p.joined(opOr, tokOr, p.and) }

func (p *parser) and() (node, error) { return p.joined(opAnd, tokAnd, p.term) }

// joined reads terms with one operator between them.
func (p *parser) joined(o op, between kind, term func() (node, error)) (node, error) {
	first, err := term()
	if err != nil {
		return node{}, err
	}
	all := []node{first}
	for p.peek().kind == between {
		p.take()
		n, err := term()
		if err != nil {
			return node{}, err
		}
		all = append(all, n)
	}
	if len(all) == 1 {
		return first, nil
	}
	return node{op: o, parts: all}, nil
}

// term reads a comparison, a function or what is in parentheses, and what negates it.
func (p *parser) term() (node, error) {
	negated := false
	for p.peek().kind == tokNot {
		p.take()
		negated = !negated
	}
	n, err := p.positive()
	if err == nil && negated {
		n = node{op: opNot, parts: []node{n}}
	}
	return n, err
}

func (p *parser) positive() (node, error) {
	switch t := p.take(); t.kind {
	case tokHas:
		return node{op: opHas, label: t.text}, nil
	case tokAll:
		return node{op: opAll}, nil
	case tokGlobal:
		return node{op: opGlobal}, nil
	case tokLabel:
		return p.comparison(t.text)
	case tokOpen:
		if p.depth++; p.depth > deepest {
			return node{}, fmt.Errorf("more than %d parentheses in each other", deepest)
		}
		n, err := p.or()
		if err != nil {
			return node{}, err
		}
		if p.take().kind != tokClose {
			return node{}, errors.New("a ( without its )")
		}
		p.depth--
		return n, nil
	case tokEnd:
		return node{}, errors.New("the end where a condition should be")
	default:
		return node{}, fmt.Errorf("%q where a condition should be", t.text)
	}
}

var comparisons = map[string]op{
	"==": opEqual, "!=": opNotEqual, "contains": opContains, "starts with": opStarts, "ends with": opEnds, "in": opIn, "not in": opNotIn,
}

func (p *parser) comparison(label string) (node, error) {
	t := p.take()
	o, known := comparisons[t.text]
	if t.kind != tokOperator || !known {
		return node{}, fmt.Errorf("no operator after the label %q", label)
	}
	n := node{op: o, label: label}
	if o == opIn || o == opNotIn {
		return p.set(n)
	}
	v := p.take()
	if v.kind != tokString {
		return node{}, fmt.Errorf("no string after %s", t.text)
	}
	n.values = []string{v.text}
	return n, nil
}

// set reads a set of strings, which may be empty and may end with a comma.
func (p *parser) set(n node) (node, error) {
	if p.take().kind != tokOpenSet {
		return node{}, errors.New("no { after in")
	}
	for p.peek().kind == tokString {
		n.values = append(n.values, p.take().text)
		if p.peek().kind != tokComma {
			break
		}
		p.take()
	}
	if p.take().kind != tokCloseSet {
		return node{}, errors.New("a { without its }")
	}
	slices.Sort(n.values)
	n.values = slices.Compact(n.values)
	return n, nil
}
