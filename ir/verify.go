package ir

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
)

// Verify returns every broken invariant of the program, joined, or nil. It
// defines a well-formed program: backends may rely on it, and tests call it
// after every pass.
func Verify(p *Program) error {
	v := verifier{pools: make(map[string]*Pool, len(p.Pools)), local: make(map[netip.Addr]bool)}
	v.node(&p.Node)
	v.poolsOf(p)
	v.frontendsOf(p)
	v.addrs("clusterIPs", p.ClusterIPs)
	v.masquerade(&p.Masquerade)
	v.healthChecks(p.HealthChecks)
	v.policy(&p.Policy)
	return errors.Join(v.errs...)
}

type verifier struct {
	pools map[string]*Pool
	// local holds what endpoints say about whether their address is local.
	local map[netip.Addr]bool
	errs  []error
}

func (v *verifier) failf(format string, args ...any) {
	v.errs = append(v.errs, fmt.Errorf(format, args...))
}

func (v *verifier) node(n *Node) {
	if n.Name == "" {
		v.failf("node: no name")
	}
	v.addrs("node addresses", n.Addresses)
	v.addrs("node nodePort addresses", n.NodePorts.Addresses)
	for _, a := range n.NodePorts.Addresses {
		if a.IsLoopback() {
			v.failf("node nodePort addresses: %v is a loopback address", a)
		}
	}
	v.prefixes("node nodePort prefixes", n.NodePorts.Prefixes)
	v.prefixes("node serviceCIDRs", n.ServiceCIDRs)
	v.prefixes("local detector", n.Local.CIDRs)
	if _, err := n.Local.Mode.MarshalText(); err != nil {
		v.failf("local detector: %w", err)
	}
	if (n.Local.Mode == DetectCIDR) != (len(n.Local.CIDRs) > 0) {
		v.failf("local detector: mode %v with %d CIDRs", n.Local.Mode, len(n.Local.CIDRs))
	}
	byName := n.Local.Mode == DetectInterface || n.Local.Mode == DetectInterfacePrefix
	if byName != (n.Local.Interface != "") {
		v.failf("local detector: mode %v with interface %q", n.Local.Mode, n.Local.Interface)
	}
	if byName && !validInterface(n.Local.Interface) {
		v.failf("local detector: %q cannot be an interface name", n.Local.Interface)
	}
}

// validInterface accepts what the kernel accepts as a device name
// (dev_valid_name in net/core/dev.c: at most 15 bytes, no slash, colon or
// space), without the characters that have a meaning in rule languages.
func validInterface(s string) bool {
	if s == "" || len(s) > 15 || s == "." || s == ".." {
		return false
	}
	for _, r := range s {
		ok := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.' || r == '@'
		if !ok {
			return false
		}
	}
	return true
}

// ValidInterface reports whether s can be an interface's name, or its start.
func ValidInterface(s string) bool { return validInterface(s) }

func (v *verifier) poolsOf(p *Program) {
	for i := range p.Pools {
		pool := &p.Pools[i]
		if pool.ID == "" {
			v.failf("pool %d: no id", i)
		}
		if i > 0 && p.Pools[i-1].ID >= pool.ID {
			v.failf("pool %q: not after %q", pool.ID, p.Pools[i-1].ID)
		}
		v.pools[pool.ID] = pool
		v.endpoints(pool)
	}
}

func (v *verifier) endpoints(pool *Pool) {
	for i, e := range pool.Endpoints {
		switch {
		case !e.Address.IsValid() || e.Address.Port() == 0:
			v.failf("pool %q: endpoint %v is no address and port", pool.ID, e.Address)
		case e.Address.Addr().Is4In6() || e.Address.Addr().Zone() != "":
			v.failf("pool %q: endpoint %v is not canonical", pool.ID, e.Address)
		case FamilyOf(e.Address.Addr()) != FamilyOf(pool.Endpoints[0].Address.Addr()):
			v.failf("pool %q: endpoint %v is of another family", pool.ID, e.Address)
		case i > 0 && compareEndpoint(pool.Endpoints[i-1], e) >= 0:
			v.failf("pool %q: endpoint %v: not after %v", pool.ID, e.Address, pool.Endpoints[i-1].Address)
		}
		if said, known := v.local[e.Address.Addr()]; known && said != e.Local {
			v.failf("pool %q: endpoint %v is local in one pool and not in another", pool.ID, e.Address)
		}
		v.local[e.Address.Addr()] = e.Local
		if e.Weight == 0 {
			v.failf("pool %q: endpoint %v has no weight", pool.ID, e.Address)
		}
	}
}

func (v *verifier) frontendsOf(p *Program) {
	matches := make(map[Match]string, len(p.Frontends))
	for i := range p.Frontends {
		f := &p.Frontends[i]
		if i > 0 && p.Frontends[i-1].ID >= f.ID {
			v.failf("frontend %q: not after %q", f.ID, p.Frontends[i-1].ID)
		}
		if other, dup := matches[f.Match]; dup {
			v.failf("frontend %q: %v belongs to %q already", f.ID, f.Match, other)
		}
		matches[f.Match] = f.ID
		v.frontend(f)
	}
}

func (v *verifier) frontend(f *Frontend) {
	if f.ID == "" || f.Service.Name == "" || f.Service.Namespace == "" {
		v.failf("frontend %q: no id or service", f.ID)
	}
	if _, err := f.Kind.MarshalText(); err != nil {
		v.failf("frontend %q: %w", f.ID, err)
	}
	v.match(f)
	v.prefixes("frontend "+f.ID+" sourceRanges", f.SourceRanges)
	if len(PrefixesOf(f.Match.Family, f.SourceRanges)) != len(f.SourceRanges) {
		v.failf("frontend %q: source ranges of another family", f.ID)
	}
	v.route(f, "internal", f.Internal)
	v.route(f, "external", f.External)
	if f.Elsewhere && (f.Kind == ClusterIP || f.Kind == NodePort) {
		v.failf("frontend %q: a %v that is elsewhere", f.ID, f.Kind)
	}
	v.lasting(f)
}

// lasting checks that no route of the frontend has the endpoints.
func (v *verifier) lasting(f *Frontend) {
	if len(f.Lasting) > 0 && f.Match.Protocol == TCP {
		v.failf("frontend %q: lasting endpoints of TCP", f.ID)
	}
	for i, e := range f.Lasting {
		switch {
		case !e.IsValid() || e.Port() == 0 || e.Addr().Is4In6() || e.Addr().Zone() != "" || FamilyOf(e.Addr()) != f.Match.Family:
			v.failf("frontend %q: lasting endpoint %v is no canonical address of its family", f.ID, e)
		case i > 0 && f.Lasting[i-1].Compare(e) >= 0:
			v.failf("frontend %q: lasting endpoint %v: not after %v", f.ID, e, f.Lasting[i-1])
		}
		for _, id := range []string{f.Internal.Pool, f.External.Pool} {
			if v.pools[id].has(e) {
				v.failf("frontend %q: lasting endpoint %v is in pool %q", f.ID, e, id)
			}
		}
	}
}

func (v *verifier) match(f *Frontend) {
	m := f.Match
	if !m.Protocol.HasPorts() || m.Port == 0 {
		v.failf("frontend %q: match %v has no protocol or port", f.ID, m)
	}
	if m.Protocol != f.Service.Protocol {
		v.failf("frontend %q: match %v is not %v", f.ID, m, f.Service.Protocol)
	}
	if m.Family != IPv4 && m.Family != IPv6 {
		v.failf("frontend %q: match %v has no family", f.ID, m)
	}
	if m.Address.IsValid() == (f.Kind == NodePort) {
		v.failf("frontend %q: a %v with match %v", f.ID, f.Kind, m)
	}
	if m.Address.IsValid() && (FamilyOf(m.Address) != m.Family || m.Address.Is4In6() || m.Address.Zone() != "") {
		v.failf("frontend %q: match %v is not canonical", f.ID, m)
	}
}

func (v *verifier) route(f *Frontend, name string, r Route) {
	pool, ok := v.pools[r.Pool]
	if !ok {
		v.failf("frontend %q: %s pool %q does not exist", f.ID, name, r.Pool)
	} else if len(pool.Endpoints) > 0 && FamilyOf(pool.Endpoints[0].Address.Addr()) != f.Match.Family {
		v.failf("frontend %q: %s pool %q is of another family", f.ID, name, r.Pool)
	}
	if _, err := r.Masquerade.MarshalText(); err != nil {
		v.failf("frontend %q: %s: %w", f.ID, name, err)
	}
	if _, err := r.OnEmpty.MarshalText(); err != nil {
		v.failf("frontend %q: %s: %w", f.ID, name, err)
	}
}

func (v *verifier) masquerade(m *Masquerade) {
	for i, f := range m.Families {
		if (f != IPv4 && f != IPv6) || (i > 0 && m.Families[i-1] >= f) {
			v.failf("masquerade: families %v", m.Families)
		}
	}
	v.prefixes("masquerade exclude", m.Exclude)
}

func (v *verifier) healthChecks(checks []HealthCheck) {
	type listener struct {
		family Family
		port   uint16
	}
	taken := make(map[listener]bool, len(checks))
	for _, h := range checks {
		l := listener{h.Family, h.Port}
		if h.Port == 0 || taken[l] || h.LocalEndpoints < 0 || h.Name == "" || h.Namespace == "" {
			v.failf("health check %s/%s: port %d is missing or taken", h.Namespace, h.Name, h.Port)
		}
		if _, err := h.Family.MarshalText(); err != nil {
			v.failf("health check %s/%s: %w", h.Namespace, h.Name, err)
		}
		taken[l] = true
	}
}

// addrs checks that addresses are canonical, sorted and unique.
func (v *verifier) addrs(what string, addrs []netip.Addr) {
	for i, a := range addrs {
		if !a.IsValid() || a.Is4In6() || a.Zone() != "" {
			v.failf("%s: %v is not canonical", what, a)
		}
		if i > 0 && addrs[i-1].Compare(a) >= 0 {
			v.failf("%s: %v is not after %v", what, a, addrs[i-1])
		}
	}
}

// prefixes checks that prefixes are masked, sorted and disjoint.
func (v *verifier) prefixes(what string, prefixes []netip.Prefix) {
	for _, p := range prefixes {
		if !p.IsValid() || p.Addr().Is4In6() {
			v.failf("%s: %v is not canonical", what, p)
			return
		}
	}
	if !slices.Equal(DisjointPrefixes(prefixes), prefixes) {
		v.failf("%s: %v are not masked, sorted and disjoint", what, prefixes)
	}
}
