package compiler

import (
	"net/netip"
	"slices"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/service"
	"github.com/planec/planec/ir"
)

// common finds Services that share something: an address, a node port, a port for health
// checks. It has as many entries as the cluster has endpoints, so it refers to Services by
// number.
type common struct {
	store *store
	// claimers are the Services that claim a match otherwise than by a ClusterIP.
	claimers index[ir.Match]
	health   index[uint16]
	// clusterIP are the Services with a ClusterIP, which claim matches by it.
	clusterIP addresses
	// listed are the Services that list an address without an allocation.
	listed addresses
	// at are the Services with an endpoint at an address; here counts those with
	// such an endpoint on this node.
	at   addresses
	here map[netip.Addr]int
}

// newCommon has room for the Services of the store.
func newCommon(s *store) common {
	return common{
		store: s, claimers: newIndex[ir.Match](0), health: newIndex[uint16](0),
		clusterIP: newAddresses(len(s.owners)), listed: newAddresses(0),
		at: newAddresses(s.endpoints), here: make(map[netip.Addr]int),
	}
}

// settle must follow the Services that are there at first, before anything is asked but isPod.
func (c *common) settle() {
	c.clusterIP.settle()
	c.listed.settle()
	c.at.settle()
}

// isPod reports whether an endpoint on this node has the address.
func (c *common) isPod(a netip.Addr) bool { return c.here[a] > 0 }

// hasEndpoint reports whether an endpoint has the address.
func (c *common) hasEndpoint(a netip.Addr) bool { return c.at.has(a) }

// add adds the interest of a Service that has none so far.
func (c *common) add(n objects.Name, i *service.Interest) { c.set(c.store.number(n), i, true) }

// remove reverts add.
func (c *common) remove(n objects.Name, i *service.Interest) { c.set(c.store.number(n), i, false) }

// set adds the interest of a Service, or removes it.
func (c *common) set(k uint32, i *service.Interest, present bool) {
	for _, m := range i.Wanted {
		c.claimers.set(m, k, present)
	}
	if i.HealthPort != 0 {
		c.health.set(i.HealthPort, k, present)
	}
	for _, a := range i.ClusterIPs {
		c.clusterIP.set(a, k, present)
	}
	for _, a := range i.Listed {
		c.listed.set(a, k, present)
	}
	for _, p := range i.Endpoints {
		c.at.set(p.Address, k, present)
		switch {
		case !p.Here:
		case present:
			c.here[p.Address]++
		default:
			if c.here[p.Address]--; c.here[p.Address] == 0 {
				delete(c.here, p.Address)
			}
		}
	}
}

// rivals yields the Services that may own a claim of the interest. Only a
// ClusterIP competes with a ClusterIP, so a Service that lists the ClusterIPs
// of others is not their rival.
func (c *common) rivals(i *service.Interest, yield func(objects.Name)) {
	for _, a := range i.ClusterIPs {
		c.owners(a, yield)
	}
	for _, m := range i.Wanted {
		c.named(c.claimers.get(m), yield)
	}
	for _, a := range i.Listed {
		c.owners(a, yield)
		if i.Imported {
			c.listing(a, yield)
		}
	}
	if i.HealthPort != 0 {
		c.named(c.health.get(i.HealthPort), yield)
	}
}

// moved yields the Services that may gain or lose a claim when the interest
// of one Service changes; either may be nil.
func (c *common) moved(was, is *service.Interest, yield func(objects.Name)) {
	switch {
	case was != nil && is != nil && !was.Created.Equal(&is.Created):
		// An age change moves its place among all claimers.
		c.moved(was, nil, yield)
		c.moved(nil, is, yield)
		return
	case was == nil:
		was = &service.Interest{}
	}
	if is == nil {
		is = &service.Interest{}
	}
	for _, m := range inOne(was.Allocated, is.Allocated) {
		c.owners(m.Address, yield)
		c.named(c.claimers.get(m), yield)
	}
	for _, m := range inOne(was.Wanted, is.Wanted) {
		c.named(c.claimers.get(m), yield)
	}
	for _, list := range [][]netip.Addr{was.ClusterIPs, is.ClusterIPs} {
		if !slices.Equal(was.ClusterIPs, is.ClusterIPs) {
			for _, a := range list {
				c.named(c.listed.get(a), yield)
			}
		}
	}
	for _, list := range [][]netip.Addr{was.Listed, is.Listed} {
		if !slices.Equal(was.Listed, is.Listed) {
			for _, a := range list {
				c.owners(a, yield) // an import has no address that a Service lists
			}
		}
	}
	if was.HealthPort != is.HealthPort {
		c.named(c.health.get(was.HealthPort), yield)
		c.named(c.health.get(is.HealthPort), yield)
	}
}

// inOne returns the matches that are in exactly one of the lists.
func inOne(a, b []ir.Match) []ir.Match {
	if slices.Equal(a, b) {
		return nil
	}
	both := make(map[ir.Match]int, len(a)+len(b))
	for _, m := range a {
		both[m] |= 1
	}
	for _, m := range b {
		both[m] |= 2
	}
	var out []ir.Match
	for m, in := range both {
		if in != 3 {
			out = append(out, m)
		}
	}
	return out
}

// contested yields the Services with a claim that others share, or might: those with one
// ClusterIP, with one match or health port, and those that list the ClusterIP of another one.
func (c *common) contested(yield func(objects.Name)) {
	for _, list := range c.clusterIP.all(2) {
		c.named(list, yield)
	}
	for _, list := range c.claimers.more {
		c.named(list, yield)
	}
	for _, list := range c.health.more {
		c.named(list, yield)
	}
	for a, list := range c.listed.all(1) {
		// An import lists its own address.
		if owners := c.clusterIP.get(a); len(owners) > 0 && !slices.Equal(owners, list) {
			c.named(list, yield)
			c.named(owners, yield)
		}
	}
}

// neighbours yields the Services with an endpoint at an address, and owners
// those with it as a ClusterIP.
func (c *common) neighbours(a netip.Addr, yield func(objects.Name)) {
	c.named(c.at.get(a), yield)
}

// listing yields the Services that list an address.
func (c *common) listing(a netip.Addr, yield func(objects.Name)) {
	c.named(c.listed.get(a), yield)
}

func (c *common) owners(a netip.Addr, yield func(objects.Name)) {
	c.named(c.clusterIP.get(a), yield)
}

func (c *common) named(list []uint32, yield func(objects.Name)) {
	for _, k := range list {
		yield(c.store.names[k])
	}
}
