package report

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// reading writes a program as people read it: Services with their addresses and
// endpoints, then pods with what they may send and receive.
type reading struct {
	x     *index
	names map[netip.Addr]string // the pods' and nodes' names
	pools map[string]*ir.Pool
	sets  map[string]*ir.AddressSet
	out   []line
}

// meaning returns the readable form of a program.
func (x *index) meaning(p *ir.Program, set *objects.Set) []line {
	r := &reading{x: x, names: namesOf(p, set), pools: make(map[string]*ir.Pool, len(p.Pools)), sets: make(map[string]*ir.AddressSet)}
	for i := range p.Policy.AddressSets {
		r.sets[p.Policy.AddressSets[i].ID] = &p.Policy.AddressSets[i]
	}
	for i := range p.Pools {
		r.pools[p.Pools[i].ID] = &p.Pools[i]
	}
	r.node(p)
	r.services(p)
	r.policies(&p.Policy)
	return r.out
}

// say adds a line with the objects behind it, and those of its own words.
func (r *reading) say(depth int, text string, ids []int) {
	r.out = append(r.out, line{Text: strings.Repeat("  ", depth) + diag.Printable(text), Objects: r.x.use(unique(slices.Clone(ids)))})
}

// head begins a part.
func (r *reading) head(text string, ids []int) {
	if len(r.out) > 0 {
		r.out = append(r.out, line{})
	}
	r.say(0, text, ids)
	r.out[len(r.out)-1].Heading = true
}

// of are the numbers of origins' objects.
func (r *reading) of(origins ...ir.Origin) (ids []int) {
	for _, o := range origins {
		if id, known := r.x.byName[objects.IdentityAt(o)]; known {
			ids = append(ids, id)
		}
	}
	return ids
}

// namesOf are the names of addresses: those of pods, and of peers of policies.
func namesOf(p *ir.Program, set *objects.Set) map[netip.Addr]string {
	names := make(map[netip.Addr]string)
	for _, peer := range p.Policy.Peers {
		names[peer.Address] = peer.String()
	}
	for _, s := range set.Pods {
		for _, ip := range s.Object.Status.PodIPs {
			if a, err := netip.ParseAddr(ip.IP); err == nil && !s.Object.Spec.HostNetwork {
				names[a.Unmap()] = objects.NameOf(s.Object).String()
			}
		}
	}
	return names
}

func (r *reading) node(p *ir.Program) {
	n := &p.Node
	r.head("Node "+n.Name, r.of(ir.Origin{Kind: "Node", Name: n.Name}))
	list := func(what string, values []string) {
		if len(values) > 0 {
			r.say(1, fmt.Sprintf("%-15s %s", what, strings.Join(values, ", ")), nil)
		}
	}
	list("addresses", texts(n.Addresses))
	list("nodePorts on", append(texts(n.NodePorts.Addresses), texts(n.NodePorts.Prefixes)...))
	switch n.Local.Mode {
	case ir.DetectCIDR:
		list("its pods are", texts(n.Local.CIDRs))
	case ir.DetectInterface:
		list("its pods are", []string{"behind " + n.Local.Interface})
	case ir.DetectInterfacePrefix:
		list("its pods are", []string{"behind " + n.Local.Interface + "*"})
	}
	list("service ranges", texts(n.ServiceCIDRs))
	if m := &p.Masquerade; len(m.Families) > 0 {
		text := "what leaves the cluster gets this node's address"
		if len(m.Exclude) > 0 {
			text += ", but not to " + strings.Join(texts(m.Exclude), ", ")
		}
		r.say(1, text, r.of(m.Origin))
	}
	if n.DropInvalid {
		r.say(1, "packets that connection tracking calls invalid are dropped", nil)
	}
	for _, h := range p.HealthChecks {
		r.say(1, fmt.Sprintf("health check of %s/%s on port %d (%v): %s here", h.Namespace, h.Name, h.Port, h.Family, several(h.LocalEndpoints, "endpoint")), r.of(h.Origin))
	}
}

func texts[T fmt.Stringer](values []T) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = v.String()
	}
	return out
}
