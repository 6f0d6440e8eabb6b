package iptables

import (
	"fmt"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// maxAffinity is the longest timeout of a set's entry, in seconds
// (IPSET_MAX_TIMEOUT in linux/netfilter/ipset/ip_set.h).
const maxAffinity = 2147483

// Check reports affinities that no set can hold: those frontends are left out.
func (b *Backend) Check(p *ir.Program) diag.List {
	var list diag.List
	for i := range p.Frontends {
		if f := &p.Frontends[i]; !expressible(f) {
			list.Add(diag.NotExpressible, f.Origin, fmt.Sprintf("frontend %s: affinity of %d s, ipset remembers for %d at most", f.ID, f.Affinity, maxAffinity))
		}
	}
	list.Sort()
	return list
}

func expressible(f *ir.Frontend) bool { return f.Affinity <= maxAffinity }
