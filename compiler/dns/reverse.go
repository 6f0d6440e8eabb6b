package dns

import (
	"net/netip"

	"github.com/planec/planec/ir"
)

// pointer is the record of an address's name.
type pointer struct {
	Record
	of netip.Addr
	// endpoint says that the address is an endpoint's and not a ClusterIP.
	endpoint bool
}

func (m *maker) newPointer(a netip.Addr, name string, at ir.Origin) Record {
	return Record{Name: reverseName(a), Type: PTR, TTL: m.ttl, Target: name, Origin: at}
}

// reverse returns the names of the addresses of one family. An address that is a ClusterIP
// has the name of its Service only.
func (m *maker) reverse(f ir.Family) []Record {
	var out []Record
	for _, p := range m.pointers {
		if ir.FamilyOf(p.of) == f && !(p.endpoint && m.clusterIPs[p.of]) {
			out = append(out, p.Record)
		}
	}
	return out
}
