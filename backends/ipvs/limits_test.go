package ipvs_test

import (
	"net/netip"
	"strings"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// boundAddresses are those whose other ports Check says are rejected.
func boundAddresses(p *ir.Program, list diag.List) map[netip.Addr]bool {
	bound := make(map[netip.Addr]bool)
	for i := range p.Frontends {
		f := &p.Frontends[i]
		for _, d := range list {
			if d.Code == diag.Approximated && d.Origin == f.Origin && strings.HasPrefix(d.Message, f.Match.Address.String()+" is bound to ") {
				bound[f.Match.Address] = true
			}
		}
	}
	return bound
}
