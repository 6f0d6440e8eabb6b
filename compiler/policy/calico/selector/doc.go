// Package selector is Calico's selector language: what a text may say, and which labels
// it matches.
//
//	a == 'b'   a != 'b'   a in {'b', "c"}   a not in {'b'}   has(a)
//	a contains 'b'   a starts with 'b'   a ends with 'b'
//	all()   global()   ! x   x && y   x || y   (x)
//
// "!", "&&" and "||" bind in this order. What compares a label that is missing does not
// match, except for "!=" and "not in", which match it. Spaces and tabs separate words,
// and nothing else does: a line break is an error. Strings have no escapes.
//
// Source: libcalico-go/lib/selector of github.com/projectcalico/calico at 87c15906f20c.
package selector
