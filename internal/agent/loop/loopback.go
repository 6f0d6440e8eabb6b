package loop

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/agent/localport"
	"github.com/planec/planec/ir"
)

// loopback collects the nodePorts to serve on loopback addresses: those of TCP, in
// families whose loopback range is configured explicitly. The rules do not serve
// them.
type loopback struct {
	families []ir.Family
	ports    map[checkKey]localport.Port
	// changed is whether a port may differ from the last list.
	changed bool
}

func newLoopback(families []ir.Family) loopback {
	return loopback{families: families, ports: make(map[checkKey]localport.Port), changed: len(families) > 0}
}

// loopbackFamilies returns the families that the settings enable.
func loopbackFamilies(c *objects.Config) (out []ir.Family) {
	for _, f := range ir.Families() {
		if c.NodePortAddresses.ExplicitLoopback(f) {
			out = append(out, f)
		}
	}
	return out
}

// add adds the ports of a fragment n times; a negative n removes them.
func (l *loopback) add(p *ir.Program, n int) {
	if len(l.families) == 0 {
		return
	}
	pools := make(map[string]*ir.Pool, len(p.Pools))
	for i := range p.Pools {
		pools[p.Pools[i].ID] = &p.Pools[i]
	}
	for i := range p.Frontends {
		f := &p.Frontends[i]
		if f.Kind != ir.NodePort || f.Match.Protocol != ir.TCP || !slices.Contains(l.families, f.Match.Family) {
			continue
		}
		l.changed = true
		k := checkKey{f.Match.Family, f.Match.Port}
		if n < 0 {
			delete(l.ports, k)
			continue
		}
		l.ports[k] = loopbackPort(f, pools[f.External.Pool])
	}
}

// loopbackPort converts a frontend for the forwarder. It uses the external route,
// to which externalTrafficPolicy applies: under Local, its pool has only the
// node's own endpoints. pool may be nil.
func loopbackPort(f *ir.Frontend, pool *ir.Pool) localport.Port {
	p := localport.Port{
		Family: f.Match.Family, Number: f.Match.Port, Service: f.Service,
		Affinity: time.Duration(f.Affinity) * time.Second, Origin: f.Origin.Get(),
	}
	if pool == nil {
		return p
	}
	p.Endpoints = make([]netip.AddrPort, len(pool.Endpoints))
	for i, e := range pool.Endpoints {
		p.Endpoints[i] = e.Address
	}
	return p
}

// list returns all ports, sorted.
func (l *loopback) list() []localport.Port {
	l.changed = false
	return slices.SortedFunc(maps.Values(l.ports), func(a, b localport.Port) int {
		return cmp.Or(cmp.Compare(a.Number, b.Number), cmp.Compare(a.Family, b.Family))
	})
}
