package compiler

import (
	"net/netip"
	"slices"

	"github.com/planec/planec/compiler/service"
	"github.com/planec/planec/ir"
)

// common finds the Services that have something in common: a match that both
// claim, a port for health checks, a ClusterIP, an endpoint's address.
type common struct {
	interests map[name]*service.Interest
	claimers  map[ir.Match][]name
	health    map[uint16][]name
	clusterIP map[netip.Addr][]name
	// at are the Services with an endpoint at an address; here counts those
	// that have it on this node.
	at   map[netip.Addr][]name
	here map[netip.Addr]int
}

func newCommon(services int) common {
	return common{
		interests: make(map[name]*service.Interest, services),
		claimers:  make(map[ir.Match][]name, services), health: make(map[uint16][]name),
		clusterIP: make(map[netip.Addr][]name, services),
		at:        make(map[netip.Addr][]name, services), here: make(map[netip.Addr]int),
	}
}

// isPod reports whether any endpoint has the address on this node.
func (c *common) isPod(a netip.Addr) bool { return c.here[a] > 0 }

func (c *common) add(n name, i *service.Interest) {
	c.interests[n] = i
	for _, m := range i.Matches {
		if !slices.Contains(c.claimers[m], n) {
			c.claimers[m] = append(c.claimers[m], n)
		}
	}
	if i.HealthPort != 0 {
		c.health[i.HealthPort] = append(c.health[i.HealthPort], n)
	}
	for _, a := range i.ClusterIPs {
		c.clusterIP[a] = append(c.clusterIP[a], n)
	}
	for a, here := range i.Addresses {
		c.at[a] = append(c.at[a], n)
		if here {
			c.here[a]++
		}
	}
}

func (c *common) remove(n name) {
	i := c.interests[n]
	if i == nil {
		return
	}
	delete(c.interests, n)
	for _, m := range i.Matches {
		leave(c.claimers, m, n)
	}
	if i.HealthPort != 0 {
		leave(c.health, i.HealthPort, n)
	}
	for _, a := range i.ClusterIPs {
		leave(c.clusterIP, a, n)
	}
	for a, here := range i.Addresses {
		leave(c.at, a, n)
		if here {
			if c.here[a]--; c.here[a] == 0 {
				delete(c.here, a)
			}
		}
	}
}

func leave[K comparable](index map[K][]name, key K, n name) {
	list := slices.DeleteFunc(index[key], func(have name) bool { return have == n })
	if len(list) == 0 {
		delete(index, key)
		return
	}
	index[key] = list
}

// rivals yields the Services that claim what the interest does.
func (c *common) rivals(i *service.Interest, yield func(name)) {
	for _, m := range i.Matches {
		for _, n := range c.claimers[m] {
			yield(n)
		}
	}
	if i.HealthPort != 0 {
		for _, n := range c.health[i.HealthPort] {
			yield(n)
		}
	}
}
