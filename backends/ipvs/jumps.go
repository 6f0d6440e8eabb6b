package ipvs

import "github.com/planec/planec/backends/xtables"

// hook is a built-in chain that packets come to us from, over one jump.
type hook struct{ table, chain, match string }

// hooks are the same for every program, so that a load of rules never touches a
// built-in chain once the jumps are there. What IPVS has to do with a packet is
// decided when its connection is new.
var hooks = []hook{
	{"mangle", "INPUT", newOnly},
	{"mangle", "OUTPUT", newOnly},
	{"nat", "PREROUTING", ""},
	{"nat", "OUTPUT", ""},
	{"nat", "POSTROUTING", ""},
	{"filter", "INPUT", newOnly},
	{"filter", "FORWARD", ""},
	{"filter", "OUTPUT", newOnly},
}

// appendJumps writes the jumps, first in their chains. The chains they go to
// are there already.
func appendJumps(b []byte) []byte {
	for i, h := range hooks {
		if i == 0 || hooks[i-1].table != h.table {
			b = append(b, "*"+h.table+"\n"...)
		}
		b = append(b, "-I "+h.chain+h.match+" -j "+xtables.EntryOf(h.chain)+"\n"...)
		if i == len(hooks)-1 || hooks[i+1].table != h.table {
			b = append(b, "COMMIT\n"...)
		}
	}
	return b
}
