package ipam

import (
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// allocator is one run.
type allocator struct {
	Settings
	// pools are in the order in which Services are given addresses of them.
	pools    []*pool
	index    *index
	ordered  []*request // of all Services of type LoadBalancer and those that were, the older first
	requests []*request // those of Served Services
	taken    holders
	diags    diag.List
}

// Allocate gives Services of type LoadBalancer their addresses. Of objects with the same name the
// set must have one: see [objects.Set.Deduplicate]. The set is not changed.
func Allocate(set *objects.Set, s Settings) Result {
	a := &allocator{Settings: s, taken: holders{by: make(map[netip.Addr]*holder), shared: make(map[string][]netip.Addr)}}
	pools := readPools(set, &a.diags)
	a.pools, a.index = preferred(pools), newIndex(pools)
	a.read(set.Services)
	for _, r := range a.ordered {
		if r.out.Outcome == Served {
			a.keep(r)
		} else {
			a.reserve(r)
		}
	}
	for _, n := range set.Nodes {
		a.avoid(n.Object)
	}
	for _, r := range a.requests {
		a.satisfy(r)
	}
	for _, r := range a.requests {
		a.fill(r)
	}
	return a.result()
}

// read sorts Services by whose they are.
func (a *allocator) read(services []objects.Sourced[*corev1.Service]) {
	ordered := slices.Clone(services)
	slices.SortFunc(ordered, objects.CompareFirst)
	for _, s := range ordered {
		r := newRequest(s, &a.Settings)
		balanced := s.Object.Spec.Type == corev1.ServiceTypeLoadBalancer
		switch {
		case !balanced && !r.owned:
			continue
		case !balanced:
			r.out.Outcome = Released
		case !a.Serves(s.Object) && r.owned:
			r.out.Outcome = Released
		case !a.Serves(s.Object):
			r.out.Outcome, r.out.Class = OtherClass, classOf(s.Object)
		case a.isForeign(r):
			r.out.Outcome = Foreign
		default:
			r.out.Outcome = Served
			r.readAsked()
			a.requests = append(a.requests, r)
		}
		a.ordered = append(a.ordered, r)
	}
}

func classOf(o *corev1.Service) string {
	if o.Spec.LoadBalancerClass == nil {
		return ""
	}
	return *o.Spec.LoadBalancerClass
}

// isForeign reports whether another controller has written the status, and says so.
func (a *allocator) isForeign(r *request) bool {
	if r.names {
		r.problem(diag.ForeignAddress, "status.loadBalancer.ingress", "the status has a domain name, which another controller has written: it is left alone")
		return true
	}
	for _, addr := range r.status {
		if len(a.index.of(addr)) == 0 && !slices.Contains(r.written, addr) {
			r.problem(diag.ForeignAddress, "status.loadBalancer.ingress", fmt.Sprintf("the status has %s, which no pool has: another controller has written it, and it is left alone", addr))
			return true
		}
	}
	return false
}

// reserve keeps the addresses of a Service that is not served from younger ones. An older one
// that has such an address already is using it, and goes on: both have it until the other
// controller takes it away.
func (a *allocator) reserve(r *request) {
	if r.out.Outcome == Released {
		for _, addr := range r.status {
			r.out.Lost = append(r.out.Lost, Loss{addr, "the Service is not served any more"})
		}
		return
	}
	for _, addr := range r.status {
		x := Address{Addr: addr, Cause: Others}
		if places := a.index.of(addr); len(places) > 0 {
			x.Pool = places[0].pool.name
			switch h := a.taken.by[addr]; {
			case h == nil:
				a.taken.by[addr] = &holder{first: r.name, pool: places[0].pool, foreign: true}
			case !h.foreign:
				r.problem(diag.ForeignAddress, "status.loadBalancer.ingress", fmt.Sprintf("another controller gave it %s, which the older Service %s has of %s", addr, h.first, h.pool.name))
			}
		}
		r.out.Addresses = append(r.out.Addresses, x)
	}
}

// avoid keeps the addresses of a Node from Services that do not have them already: a Service with
// one would take the node's own connections.
func (a *allocator) avoid(n *corev1.Node) {
	for i := range n.Status.Addresses {
		addr, err := parseAddr(n.Status.Addresses[i].Address)
		if err != nil || a.taken.by[addr] != nil {
			continue // a host name, for one
		}
		if places := a.index.of(addr); len(places) > 0 {
			a.taken.by[addr] = &holder{node: n.Name, pool: places[0].pool, foreign: true}
		}
	}
}

// keep lets a Service keep what it has.
func (a *allocator) keep(r *request) {
	for _, addr := range r.status {
		p, why := a.stays(r, addr)
		if why != "" {
			r.out.Lost = append(r.out.Lost, Loss{addr, why})
			continue
		}
		a.take(r, addr, p, Kept)
	}
}

// stays returns the pool of an address that a Service may keep, or why it may not.
func (a *allocator) stays(r *request, addr netip.Addr) (*pool, string) {
	switch {
	case !slices.Contains(r.families, ir.FamilyOf(addr)):
		return nil, "the Service has no addresses of " + ir.FamilyOf(addr).String() + " any more"
	case len(r.asked) > 0 && !r.unreadable && !slices.Contains(r.asked, addr):
		return nil, "the Service asks for another address"
	}
	places := a.index.of(addr)
	if len(places) == 0 {
		return nil, "no pool has it any more"
	}
	i := slices.IndexFunc(places, func(p place) bool { return a.named(r, p.pool) && p.pool.selects(r) })
	switch h := a.taken.by[addr]; {
	case i < 0 && r.pool != "":
		return nil, fmt.Sprintf("the Service asks for the pool %q", bounded(r.pool))
	case i < 0:
		return nil, places[0].pool.name.String() + " does not select the Service any more"
	case h != nil:
		if why := h.refuses(r); why != "" {
			return nil, fmt.Sprintf("%s has it: %s", h, why)
		}
	}
	return places[i].pool, ""
}

// named reports whether a pool is the one that the Service asks for, if it asks for one.
func (a *allocator) named(r *request, p *pool) bool {
	return r.pool == "" || p.together && p.name.Name.Name == r.pool
}

// take gives an address to a Service.
func (a *allocator) take(r *request, addr netip.Addr, p *pool, why Cause) {
	h := a.taken.by[addr]
	if h == nil {
		h = &holder{first: r.name, pool: p}
		a.taken.by[addr] = h
	}
	for _, key := range r.share.keys() {
		if !slices.ContainsFunc(h.groups, func(g sharing) bool { return slices.Contains(g.keys(), key) }) {
			a.taken.shared[key] = append(a.taken.shared[key], addr)
		}
	}
	h.join(r)
	r.out.Addresses = append(r.out.Addresses, Address{addr, p.name, why})
}

// satisfy gives a Service the addresses that it asks for; none while one of them is no address, as
// the finding says.
func (a *allocator) satisfy(r *request) {
	if r.object.DeletionTimestamp != nil || r.unreadable {
		return
	}
	for _, addr := range r.asked {
		if r.has(addr) {
			continue
		}
		p, code, why := a.grants(r, addr)
		if why != "" {
			r.problem(code, "", fmt.Sprintf("%s cannot be had: %s", addr, why))
			continue
		}
		a.take(r, addr, p, Requested)
	}
}

func (r *request) has(addr netip.Addr) bool {
	return slices.ContainsFunc(r.out.Addresses, func(x Address) bool { return x.Addr == addr })
}

// grants returns the pool of an address that a Service asks for and does not have, or why it
// does not get it.
func (a *allocator) grants(r *request, addr netip.Addr) (*pool, diag.Code, string) {
	if f := ir.FamilyOf(addr); !slices.Contains(r.families, f) {
		return nil, diag.RefusedAddress, "the Service has no addresses of " + f.String()
	}
	places := a.index.of(addr)
	if len(places) == 0 {
		return nil, diag.RefusedAddress, "no pool has it"
	}
	why := ""
	for _, p := range places {
		switch {
		case !a.named(r, p.pool):
			why = fmt.Sprintf("it is of %s, and the Service asks for the pool %q", p.pool.name, bounded(r.pool))
		case !p.pool.selects(r):
			why = p.pool.name.String() + " does not select the Service"
		case p.pool.disabled:
			why = p.pool.name.String() + " is disabled"
		case p.pool.conflict != "":
			why = p.pool.name.String() + " overlaps another pool"
		case p.reserved(addr):
			why = "it is the first or the last of its network, which " + p.pool.name.String() + " does not give"
		default:
			return a.free(r, addr, p.pool)
		}
	}
	return nil, diag.RefusedAddress, why
}

// free returns the pool if an address is free for the Service, or can be shared.
func (a *allocator) free(r *request, addr netip.Addr, p *pool) (*pool, diag.Code, string) {
	h := a.taken.by[addr]
	if h == nil {
		return p, "", ""
	}
	why := h.refuses(r)
	switch {
	case why == "":
		return p, "", ""
	case r.share.any():
		return nil, diag.RefusedSharing, fmt.Sprintf("%s has it, and they cannot share it: %s", h, why)
	}
	return nil, diag.RefusedAddress, fmt.Sprintf("%s has it", h)
}
