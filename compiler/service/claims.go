package service

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// settleClaims decides which Service owns an address, protocol and port with
// several claimers. A ClusterIP, which the API server allocated, takes precedence
// over what authors of Services or of their status write: nodePorts,
// load-balancer addresses and external IPs. It covers the whole address, on all
// ports: otherwise others could answer where the Service itself does not. At
// equal rank the oldest Service wins, then the first by name. ServiceImports come
// after all Services. The result lists the services in that order of age.
func settleClaims(services map[objects.Name]*service, diags *diag.List) []*service {
	ordered := byAge(services)
	c := claims{
		frontends: make(map[ir.Match]*service, len(ordered)),
		allocated: make(map[netip.Addr]*service, len(ordered)),
		taken:     make(map[netip.Addr]*service),
		health:    make(map[uint16]*service),
		diags:     diags,
	}
	imports := 0
	for _, s := range ordered {
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
		for i := range s.ports {
			c.claimClusterIPs(s, &s.ports[i])
		}
	}
	for _, s := range ordered {
		if s.imported {
			continue
		}
		for i := range s.ports {
			c.claimOthers(s, &s.ports[i])
		}
		c.claimHealth(s)
	}
	if imports > 0 {
		c.claimImports(ordered)
	}
	return ordered
}

// byAge sorts Services by age, oldest first, then by name. It collects the keys
// first, because objects are scattered in memory.
func byAge(services map[objects.Name]*service) []*service {
	type aged struct {
		created metav1.Time
		*service
	}
	list := make([]aged, 0, len(services))
	for _, s := range services {
		list = append(list, aged{s.object.CreationTimestamp, s})
	}
	slices.SortFunc(list, func(a, b aged) int {
		return cmp.Or(objects.CompareTimes(a.created, b.created), a.name.Compare(b.name))
	})
	ordered := make([]*service, len(list))
	for i := range list {
		ordered[i] = list[i].service
	}
	return ordered
}

type claims struct {
	frontends map[ir.Match]*service
	// allocated maps each ClusterIP to its Service.
	allocated map[netip.Addr]*service
	// taken maps each address that imports may not have, or that one has, to its owner.
	taken  map[netip.Addr]*service
	health map[uint16]*service
	diags  *diag.List
}

// claimClusterIPs claims the ClusterIPs of one port.
func (c *claims) claimClusterIPs(s *service, p *port) {
	for _, addr := range s.clusterIPs {
		m := matchOf(p, addr)
		s.allocated = append(s.allocated, m)
		c.claim(s, p, ir.ClusterIP, m, addr.String())
	}
}

// claimOthers claims everything else for one port, in the order of frontend
// kinds, so that of two equal claims of one Service the first stays.
func (c *claims) claimOthers(s *service, p *port) {
	for _, kind := range []ir.FrontendKind{ir.LoadBalancer, ir.ExternalIP} {
		for _, v := range s.vips {
			if v.kind == kind {
				c.want(s, p, kind, matchOf(p, v.addr), v.addr.String())
			}
		}
	}
	if p.nodePort == 0 {
		return
	}
	for _, f := range s.families() {
		m := ir.Match{Family: f, Protocol: p.id.Protocol, Port: p.nodePort}
		c.want(s, p, ir.NodePort, m, f.String())
	}
}

func matchOf(p *port, addr netip.Addr) ir.Match {
	return ir.Match{Family: ir.FamilyOf(addr), Address: addr, Protocol: p.id.Protocol, Port: p.number}
}

// want claims a match over which another Service's ClusterIP takes precedence.
func (c *claims) want(s *service, p *port, kind ir.FrontendKind, m ir.Match, where string) {
	s.wants = append(s.wants, m)
	owner := c.allocated[m.Address]
	if owner == nil || owner == s || c.frontends[m] != nil {
		c.claim(s, p, kind, m, where)
		return
	}
	c.diags.Add(diag.ClaimedFrontend, p.origin, fmt.Sprintf("%v %v: %v is the ClusterIP of %s, on every port", kind, m, m.Address, owner.origin.Object()))
}

func (c *claims) claim(s *service, p *port, kind ir.FrontendKind, m ir.Match, where string) {
	switch owner := c.frontends[m]; owner {
	case nil:
		c.frontends[m] = s
		p.owned = append(p.owned, claim{id: portID(p.id) + "/" + kind.String() + "/" + where, kind: kind, match: m})
	case s:
	default:
		c.diags.Add(diag.ClaimedFrontend, p.origin, fmt.Sprintf("%v %v belongs to %s, which comes first", kind, m, owner.origin.Object()))
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

// portID is the part of an ID for a Service port.
func portID(p ir.ServicePort) string {
	name := p.Port
	if name == "" {
		name = "-"
	}
	return strings.Join([]string{p.Namespace, p.Name, name, p.Protocol.String()}, "/")
}
