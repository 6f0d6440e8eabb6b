package compiler

import (
	"net/netip"
	"slices"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/service"
	"github.com/planec/planec/ir"
)

// common finds Services that share something: a claimed match, a port for health
// checks, a ClusterIP, an endpoint's address. It has as many entries as the
// cluster has endpoints, so it refers to Services by number.
type common struct {
	numbers map[objects.Name]uint32
	names   []objects.Name
	// free are released numbers.
	free []uint32

	// allocated are the Services that claim a match by a ClusterIP, claimers
	// those that claim it otherwise.
	allocated index[ir.Match]
	claimers  index[ir.Match]
	health    index[uint16]
	clusterIP index[address]
	// listed are the Services that list an address without an allocation.
	listed index[address]
	// at are the Services with an endpoint at an address; here counts those with
	// such an endpoint on this node.
	at   index[address]
	here map[netip.Addr]int
}

// address is an address in the smallest form. Mapped addresses are not
// separate, because the compiler unmaps its input.
type address [16]byte

// newCommon has room for a number of Services and of their endpoints.
func newCommon(services, endpoints int) common {
	return common{
		numbers:   make(map[objects.Name]uint32, services),
		allocated: newIndex[ir.Match](services), claimers: newIndex[ir.Match](0), health: newIndex[uint16](0),
		clusterIP: newIndex[address](services), listed: newIndex[address](0),
		at: newIndex[address](endpoints), here: make(map[netip.Addr]int),
	}
}

// isPod reports whether an endpoint on this node has the address.
func (c *common) isPod(a netip.Addr) bool { return c.here[a] > 0 }

// hasEndpoint reports whether an endpoint has the address.
func (c *common) hasEndpoint(a netip.Addr) bool { return len(c.at.get(a.As16())) > 0 }

func (c *common) number(n objects.Name) uint32 {
	if k, known := c.numbers[n]; known {
		return k
	}
	k := uint32(len(c.names))
	if last := len(c.free) - 1; last >= 0 {
		k, c.free = c.free[last], c.free[:last]
		c.names[k] = n
	} else {
		c.names = append(c.names, n)
	}
	c.numbers[n] = k
	return k
}

// add adds the interest of a Service that has none so far.
func (c *common) add(n objects.Name, i *service.Interest) { c.set(c.number(n), i, true) }

// remove reverts add.
func (c *common) remove(n objects.Name, i *service.Interest) {
	k := c.number(n)
	c.set(k, i, false)
	delete(c.numbers, n)
	c.free = append(c.free, k)
}

// set adds the interest of a Service, or removes it.
func (c *common) set(k uint32, i *service.Interest, present bool) {
	for _, m := range i.Allocated {
		c.allocated.set(m, k, present)
	}
	for _, m := range i.Wanted {
		c.claimers.set(m, k, present)
	}
	if i.HealthPort != 0 {
		c.health.set(i.HealthPort, k, present)
	}
	for _, a := range i.ClusterIPs {
		c.clusterIP.set(a.As16(), k, present)
	}
	for _, a := range i.Listed {
		c.listed.set(a.As16(), k, present)
	}
	for _, p := range i.Endpoints {
		c.at.set(p.Address.As16(), k, present)
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
	for _, m := range i.Allocated {
		c.named(c.allocated.get(m), yield)
	}
	for _, m := range i.Wanted {
		c.named(c.allocated.get(m), yield)
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
		c.named(c.allocated.get(m), yield)
		c.named(c.claimers.get(m), yield)
	}
	for _, m := range inOne(was.Wanted, is.Wanted) {
		c.named(c.claimers.get(m), yield)
	}
	for _, list := range [][]netip.Addr{was.ClusterIPs, is.ClusterIPs} {
		if !slices.Equal(was.ClusterIPs, is.ClusterIPs) {
			for _, a := range list {
				c.named(c.listed.get(a.As16()), yield)
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

// contested yields the Services with a claim that others share.
func (c *common) contested(yield func(objects.Name)) {
	for _, list := range c.allocated.more {
		c.named(list, yield)
	}
	for _, list := range c.claimers.more {
		c.named(list, yield)
	}
	for _, list := range c.health.more {
		c.named(list, yield)
	}
	for m, k := range c.claimers.one {
		if k == several {
			continue
		}
		if list := c.allocated.get(m); len(list) > 0 {
			yield(c.names[k])
			c.named(list, yield)
		}
	}
	for a, k := range c.listed.one {
		if k == several {
			continue
		}
		// An import lists its own address.
		if list := c.clusterIP.get(a); len(list) > 1 || len(list) == 1 && list[0] != k {
			yield(c.names[k])
			c.named(list, yield)
		}
	}
	for a, list := range c.listed.more {
		if owners := c.clusterIP.get(a); len(owners) > 0 {
			c.named(list, yield)
			c.named(owners, yield)
		}
	}
	for m := range c.claimers.more {
		c.named(c.allocated.get(m), yield)
	}
}

// neighbours yields the Services with an endpoint at an address, and owners
// those with it as a ClusterIP.
func (c *common) neighbours(a netip.Addr, yield func(objects.Name)) {
	c.named(c.at.get(a.As16()), yield)
}

// listing yields the Services that list an address.
func (c *common) listing(a netip.Addr, yield func(objects.Name)) {
	c.named(c.listed.get(a.As16()), yield)
}

func (c *common) owners(a netip.Addr, yield func(objects.Name)) {
	c.named(c.clusterIP.get(a.As16()), yield)
}

func (c *common) named(list []uint32, yield func(objects.Name)) {
	for _, k := range list {
		yield(c.names[k])
	}
}

// index finds Services by a value that nearly always belongs to a single one.
type index[K comparable] struct {
	// one has the Service of a value, or several.
	one map[K]uint32
	// more holds all Services of a value with several.
	more map[K][]uint32
}

const several = ^uint32(0)

func newIndex[K comparable](size int) index[K] {
	return index[K]{one: make(map[K]uint32, size), more: make(map[K][]uint32)}
}

func (x *index[K]) get(key K) []uint32 {
	k, ok := x.one[key]
	switch {
	case !ok:
		return nil
	case k == several:
		return x.more[key]
	}
	return []uint32{k}
}

// set adds a Service to the value, or removes it.
func (x *index[K]) set(key K, k uint32, present bool) {
	if !present {
		x.remove(key, k)
		return
	}
	// A Service adds all its values at once, so this would be its last one.
	switch have, ok := x.one[key]; {
	case !ok:
		x.one[key] = k
	case have == several:
		if list := x.more[key]; list[len(list)-1] != k {
			x.more[key] = append(list, k)
		}
	case have != k:
		x.one[key], x.more[key] = several, []uint32{have, k}
	}
}

func (x *index[K]) remove(key K, k uint32) {
	left := slices.DeleteFunc(x.get(key), func(have uint32) bool { return have == k })
	delete(x.one, key)
	delete(x.more, key)
	switch len(left) {
	case 0:
	case 1:
		x.one[key] = left[0]
	default:
		x.one[key], x.more[key] = several, left
	}
}
