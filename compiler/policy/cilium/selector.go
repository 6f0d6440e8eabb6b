package cilium

import (
	"cmp"
	"slices"
	"strings"

	"github.com/planec/planec/compiler/objects/ciliumv2"
)

// The operators of requirements; equality is In with one value.
const (
	opIn           = "In"
	opNotIn        = "NotIn"
	opExists       = "Exists"
	opDoesNotExist = "DoesNotExist"
)

// requirement is one requirement of a selector.
type requirement struct {
	source, key string
	operator    string
	values      []string // sorted
}

// selector is a selector of labels: all requirements must hold, so that an empty one
// selects everybody.
type selector []requirement

// newSelector reads a selector that validation has accepted.
func newSelector(from *ciliumv2.Selector) selector { return newSelectorOf(from, sourceAny) }

// newSelectorOf is [newSelector] where keys without a source have another one than any.
func newSelectorOf(from *ciliumv2.Selector, source string) selector {
	var out selector
	add := func(key, operator string, values []string) {
		r := requirement{operator: operator, values: slices.Compact(slices.Sorted(slices.Values(values)))}
		if r.source, r.key = parseKey(key); r.source == sourceAny && !strings.HasPrefix(key, sourceAny+":") {
			r.source = source
		}
		out = append(out, r)
	}
	for key, value := range from.MatchLabels {
		add(key, opIn, []string{value})
	}
	for _, e := range from.MatchExpressions {
		add(e.Key, e.Operator, e.Values)
	}
	return out.sorted()
}

// equal is a selector of one label.
func equal(source, key, value string) selector {
	return selector{{source, key, opIn, []string{value}}}
}

// reserved is a selector of a reserved label.
func reserved(name string) selector { return equal(sourceReserved, name, "") }

func (s selector) sorted() selector {
	slices.SortFunc(s, func(a, b requirement) int {
		return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.key, b.key), cmp.Compare(a.operator, b.operator), slices.Compare(a.values, b.values))
	})
	return s
}

// with returns a selector that requires more.
func (s selector) with(more ...requirement) selector {
	return append(slices.Clone(s), more...).sorted()
}

// names reports whether the selector names a label, of Kubernetes or of any source.
func (s selector) names(key string) bool {
	return slices.ContainsFunc(s, func(r requirement) bool {
		return r.key == key && (r.source == sourceK8s || r.source == sourceAny)
	})
}

// namesPrefix is [selector.names] for keys with a prefix.
func (s selector) namesPrefix(prefix string) bool {
	return slices.ContainsFunc(s, func(r requirement) bool {
		return strings.HasPrefix(r.key, prefix) && (r.source == sourceK8s || r.source == sourceAny)
	})
}

// hasReserved reports whether the selector names a reserved label.
func (s selector) hasReserved() bool {
	return slices.ContainsFunc(s, func(r requirement) bool { return r.source == sourceReserved })
}

func (s selector) matches(l labelled) bool {
	for i := range s {
		if !s[i].matches(l) {
			return false
		}
	}
	return true
}

func (r *requirement) matches(l labelled) bool {
	value, there := l.lookup(r.source, r.key)
	switch r.operator {
	case opIn:
		return there && slices.Contains(r.values, value)
	case opNotIn:
		return !there || !slices.Contains(r.values, value)
	case opExists:
		return there
	case opDoesNotExist:
		return !there
	}
	return false
}

// demands reports whether the label must be there.
func (r *requirement) demands() bool { return r.operator == opIn || r.operator == opExists }

// String is canonical: "any:app=web k8s:tier NotIn(a,b)".
func (s selector) String() string {
	if len(s) == 0 {
		return "everybody"
	}
	var b strings.Builder
	for i, r := range s {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(r.source + ":" + r.key)
		switch {
		case r.operator == opIn && len(r.values) == 1:
			b.WriteString("=" + r.values[0])
		case len(r.values) > 0:
			b.WriteString(" " + r.operator + "(" + strings.Join(r.values, ",") + ")")
		default:
			b.WriteString(" " + r.operator)
		}
	}
	return b.String()
}
