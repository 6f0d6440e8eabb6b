package compare

import (
	"net/netip"

	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/ir"
)

// maxEntries is the number of nodes on which an outside client's path
// through a frontend is evaluated.
const maxEntries = 16

// clients returns the outside entities that reach an endpoint through any of the
// frontends, on any node, in the new state; complete reports that all of them do.
func (c *serviceComparison) clients(list []*front) (out []*entity, complete bool) {
	complete = true
	for _, e := range c.all {
		if e.role != outsideRole || !c.relevant(e, list) {
			continue
		}
		if c.anyReaches(e, list) {
			out = append(out, e)
		} else {
			complete = false
		}
	}
	return out, complete
}

// relevant reports whether any frontend has the family of the entity's network.
func (c *serviceComparison) relevant(e *entity, list []*front) bool {
	for _, f := range list {
		if f.match.Family == e.after.Primary {
			return true
		}
	}
	return false
}

func (c *serviceComparison) anyReaches(e *entity, list []*front) bool {
	src := e.after.Addresses[e.after.Primary]
	for _, f := range list {
		if f.match.Family != e.after.Primary {
			continue
		}
		for _, entry := range c.entries(f) {
			dst := f.match.Address
			if !dst.IsValid() {
				dst = c.nodeAddress(entry, f.match.Family)
			}
			o, err := c.after.state.Network.Trace(netpath.Connection{Src: src, Dst: dst, Protocol: f.match.Protocol, Port: f.match.Port, Node: entry})
			if err == nil && len(o.Endpoints) > 0 {
				return true
			}
		}
	}
	return false
}

// entries returns nodes where a client may enter, those with an endpoint
// first.
func (c *serviceComparison) entries(f *front) []string {
	var with, without []string
	local := make(map[string]bool)
	for _, a := range f.endpoints() {
		local[c.after.state.Network.Owner(a.Addr()).Node] = true
	}
	for _, name := range c.after.state.Cluster.Nodes() {
		switch {
		case local[name]:
			with = append(with, name)
		default:
			without = append(without, name)
		}
	}
	all := append(with, without...)
	return all[:min(len(all), maxEntries)]
}

// nodeAddress returns an address of a node that serves nodePorts.
func (c *serviceComparison) nodeAddress(name string, f ir.Family) netip.Addr {
	for _, a := range c.after.state.Network.Program(name).Node.NodePorts.Addresses {
		if ir.FamilyOf(a) == f {
			return a
		}
	}
	if own := ir.AddrsOf(f, c.after.state.Network.Program(name).Node.Addresses); len(own) > 0 {
		return own[0]
	}
	return netip.Addr{}
}
