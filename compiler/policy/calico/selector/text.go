package selector

import "strings"

var names = map[op]string{
	opEqual: " == ", opNotEqual: " != ", opContains: " contains ", opStarts: " starts with ", opEnds: " ends with ",
	opIn: " in ", opNotIn: " not in ", opAnd: " && ", opOr: " || ",
}

// appendTo appends a text that [Parse] reads as an equal node.
func (n *node) appendTo(b []byte) []byte {
	switch n.op {
	case opAll:
		return append(b, "all()"...)
	case opGlobal:
		return append(b, "global()"...)
	case opHas:
		return append(append(append(b, "has("...), n.label...), ')')
	case opNot:
		return n.parts[0].appendTo(append(b, '!'))
	case opAnd, opOr:
		b = append(b, '(')
		for i := range n.parts {
			if i > 0 {
				b = append(b, names[n.op]...)
			}
			b = n.parts[i].appendTo(b)
		}
		return append(b, ')')
	}
	b = append(append(b, n.label...), names[n.op]...)
	if n.op != opIn && n.op != opNotIn {
		return appendQuoted(b, n.values[0])
	}
	b = append(b, '{')
	for i, v := range n.values {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = appendQuoted(b, v)
	}
	return append(b, '}')
}

// appendQuoted quotes a string, which never has both kinds of quotes.
func appendQuoted(b []byte, s string) []byte {
	quote := byte('"')
	if strings.IndexByte(s, quote) >= 0 {
		quote = '\''
	}
	return append(append(append(b, quote), s...), quote)
}
