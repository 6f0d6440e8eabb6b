package iptables

import "github.com/planec/planec/backends/xtables"

// hook is a built-in chain that packets come to us from, over one jump.
type hook struct{ table, chain string }

// own is our chain in it.
func (h hook) own() string { return xtables.EntryOf(h.chain) }

// hooks are the same for every program, with rules behind them or not, so that
// a load never touches a built-in chain once the jumps are there.
func hooks() []hook {
	return []hook{
		{"mangle", "PREROUTING"},
		{"mangle", "OUTPUT"},
		{"filter", "INPUT"},
		{"filter", "FORWARD"},
		{"filter", "OUTPUT"},
		{"nat", "PREROUTING"},
		{"nat", "OUTPUT"},
		{"nat", "POSTROUTING"},
	}
}

// tables are in the order in which they are loaded: what forbids comes first.
func tables() []string { return []string{"mangle", "filter", "nat"} }

// appendJumps writes the jumps, first in their chains. The chains they go to
// are there already.
func appendJumps(b []byte) []byte {
	for _, t := range tables() {
		b = append(b, "*"+t+"\n"...)
		for _, h := range hooks() {
			if h.table == t {
				b = append(b, "-I "+h.chain+" -j "+h.own()+"\n"...)
			}
		}
		b = append(b, "COMMIT\n"...)
	}
	return b
}
