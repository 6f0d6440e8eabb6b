package service

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// settle decides which Service owns an address, protocol and port with
// several claimers. A ClusterIP, which the API server allocated, takes precedence
// over what authors of Services or of their status write: nodePorts,
// load-balancer addresses and external IPs. It covers the whole address, on all
// ports: otherwise others could answer where the Service itself does not. At
// equal rank the oldest Service wins, then the first by name. ServiceImports come
// after all Services. It brings the Services into that order of age.
func (c *claims) settle(list []*service) {
	if len(list) == 1 && list[0].simple() {
		c.alone(list[0])
		return
	}
	byAge(list)
	imports := 0
	for _, s := range list {
		if s.imported {
			imports++
			continue
		}
		if s.reserved {
			continue
		}
		for _, a := range s.clusterIPs {
			if c.allocated[a] == nil {
				c.allocated[a] = s
			}
		}
		s.allocated = c.memory.matches.take(len(s.ports) * len(s.clusterIPs))
		for i := range s.ports {
			c.claimClusterIPs(s, &s.ports[i])
		}
	}
	for _, s := range list {
		if s.imported {
			continue
		}
		for i := range s.ports {
			c.claimOthers(s, &s.ports[i])
		}
		c.claimHealth(s)
	}
	if imports > 0 {
		c.claimImports(list)
	}
}

// simple reports whether a Service claims nothing but ClusterIPs, as most do. Its ports are different ones, so
// it does not compete with itself.
func (s *service) simple() bool {
	return !s.imported && !s.reserved && len(s.vips) == 0 && s.healthPort == 0 &&
		!s.hasNodePort()
}

func (s *service) hasNodePort() bool {
	for i := range s.ports {
		if s.ports[i].nodePort != 0 {
			return true
		}
	}
	return false
}

// alone is settle for one simple Service.
func (c *claims) alone(s *service) {
	s.allocated = c.memory.matches.take(len(s.ports) * len(s.clusterIPs))
	for i := range s.ports {
		p := &s.ports[i]
		p.owned = c.memory.claims.take(len(s.clusterIPs))
		for _, addr := range s.clusterIPs {
			m := matchOf(p, addr)
			s.allocated = append(s.allocated, m)
			p.owned = append(p.owned, claim{kind: ir.ClusterIP, match: m})
		}
	}
}

// byAge sorts Services by age, oldest first, then by name. It collects the keys
// first, because objects are scattered in memory.
func byAge(list []*service) {
	if len(list) < 2 {
		return
	}
	type aged struct {
		created metav1.Time
		*service
	}
	keyed := make([]aged, 0, len(list))
	for _, s := range list {
		keyed = append(keyed, aged{s.object.CreationTimestamp, s})
	}
	slices.SortFunc(keyed, func(a, b aged) int {
		return cmp.Or(objects.CompareTimes(a.created, b.created), a.name.Compare(b.name))
	})
	for i := range keyed {
		list[i] = keyed[i].service
	}
}

// newClaims returns the claims of an analysis, of which there are none so far.
func newClaims(a *analysis) *claims {
	c := &claims{memory: &a.memory, diags: &a.diags}
	c.forget()
	return c
}

// forget makes new tables.
func (c *claims) forget() {
	c.frontends = make(map[ir.Match]*service)
	c.allocated = make(map[netip.Addr]*service)
	c.taken = make(map[netip.Addr]*service)
	c.health = make(map[uint16]*service)
}

// reset takes back all claims.
func (c *claims) reset() {
	// A table that was large stays so when it is cleared, and that takes time for its size.
	const large = 64
	if len(c.frontends)+len(c.allocated)+len(c.taken) > large {
		c.forget()
		return
	}
	clear(c.frontends)
	clear(c.allocated)
	clear(c.taken)
	clear(c.health)
}

type claims struct {
	frontends map[ir.Match]*service
	// allocated maps each ClusterIP to its Service.
	allocated map[netip.Addr]*service
	// taken maps each address that imports may not have, or that one has, to its owner.
	taken  map[netip.Addr]*service
	health map[uint16]*service
	memory *memory
	diags  *diag.List
}

// claimClusterIPs claims the ClusterIPs of one port.
func (c *claims) claimClusterIPs(s *service, p *port) {
	// Most ports have no other frontends.
	p.owned = c.memory.claims.take(len(s.clusterIPs))
	for _, addr := range s.clusterIPs {
		m := matchOf(p, addr)
		s.allocated = append(s.allocated, m)
		c.claim(s, p, ir.ClusterIP, m)
	}
}

// claimOthers claims everything else for one port, in the order of frontend
// kinds, so that of two equal claims of one Service the first stays.
func (c *claims) claimOthers(s *service, p *port) {
	for _, kind := range []ir.FrontendKind{ir.LoadBalancer, ir.ExternalIP} {
		for _, v := range s.vips {
			if v.kind == kind {
				c.want(s, p, kind, matchOf(p, v.addr))
			}
		}
	}
	if p.nodePort == 0 {
		return
	}
	for _, f := range ir.Families() {
		if s.serves(f) {
			c.want(s, p, ir.NodePort, ir.Match{Family: f, Protocol: p.id.Protocol, Port: p.nodePort})
		}
	}
}

func matchOf(p *port, addr netip.Addr) ir.Match {
	return ir.Match{Family: ir.FamilyOf(addr), Address: addr, Protocol: p.id.Protocol, Port: p.number}
}

// want claims a match over which another Service's ClusterIP takes precedence.
func (c *claims) want(s *service, p *port, kind ir.FrontendKind, m ir.Match) {
	s.wants = append(s.wants, m)
	owner := c.allocated[m.Address]
	if owner == nil || owner == s || c.frontends[m] != nil {
		c.claim(s, p, kind, m)
		return
	}
	c.diags.Add(diag.ClaimedFrontend, *p.origin, fmt.Sprintf("%v %v: %v is the ClusterIP of %s, on every port", kind, m, m.Address, owner.origin.Object()))
}

func (c *claims) claim(s *service, p *port, kind ir.FrontendKind, m ir.Match) {
	switch owner := c.frontends[m]; owner {
	case nil:
		c.frontends[m] = s
		p.owned = append(p.owned, claim{kind: kind, match: m})
	case s:
	default:
		c.diags.Add(diag.ClaimedFrontend, *p.origin, fmt.Sprintf("%v %v belongs to %s, which comes first", kind, m, owner.origin.Object()))
	}
}

func (c *claims) claimHealth(s *service) {
	if s.wantsHealth = s.healthPort; s.healthPort == 0 {
		return
	}
	if owner := c.health[s.healthPort]; owner != nil {
		c.diags.Add(diag.BadHealthPort, s.origin.At("spec.healthCheckNodePort"), fmt.Sprintf("port %d belongs to %s, which comes first", s.healthPort, owner.origin.Object()))
		s.healthPort = 0
		return
	}
	c.health[s.healthPort] = s
}
