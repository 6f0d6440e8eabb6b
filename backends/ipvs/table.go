package ipvs

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/xtpolicy"
	"github.com/planec/planec/ir"
)

// table collects all objects of one family from a program.
type table struct {
	family   ir.Family
	program  *ir.Program
	pools    map[string]*ir.Pool
	opts     backends.Options
	masqMark uint32
	marks    marks
	// policy has the rules of the policies; it is empty if no pod of the family has policies.
	policy   *xtpolicy.Rules
	policies *xtpolicy.Policies
	// ownServices are the virtual services with an endpoint on the node itself.
	ownServices []ownService

	sets     sets
	services []virtual
	// vips are the addresses of the dummy device, without duplicates, in the order
	// of the frontends; nodePorts are the node's own addresses that serve
	// nodePorts.
	vips      []netip.Addr
	isVIP     map[netip.Addr]bool
	own       map[netip.Addr]bool
	nodePorts []netip.Addr
	hairpins  map[hairpin]bool
	marked    map[uint32]bool
	// checked is whether the table is for Check alone, which needs no sets or services.
	checked bool
}

func newTable(f ir.Family, p *ir.Program, policies *xtpolicy.Policies, opts backends.Options) (*table, error) {
	return makeTable(f, p, policies, opts, false)
}

// makeTable makes the table to be written, or the one to be checked.
func makeTable(f ir.Family, p *ir.Program, policies *xtpolicy.Policies, opts backends.Options, checked bool) (*table, error) {
	t := &table{
		family: f, program: p, opts: opts, policies: policies, checked: checked,
		masqMark:  1 << opts.MasqueradeBit,
		pools:     backends.Pools(p),
		isVIP:     make(map[netip.Addr]bool),
		own:       ownAddresses(&p.Node),
		nodePorts: nodePortAddresses(f, &p.Node),
		hairpins:  make(map[hairpin]bool),
		marked:    make(map[uint32]bool),
	}
	t.sets = newSets(f, !opts.NoComments)
	var err error
	if t.marks, err = t.assignMarks(); err != nil {
		return nil, err
	}
	return t, t.collect()
}

// collect fills the table from the program in one pass.
func (t *table) collect() error {
	byAddress := t.addressFrontends()
	for i := range t.program.Frontends {
		f := &t.program.Frontends[i]
		if f.Match.Family != t.family {
			continue
		}
		r, err := t.routesOf(f)
		if err != nil {
			return err
		}
		if t.elsewhere(f) {
			continue
		}
		if f.Kind != ir.NodePort {
			t.addVIP(f.Match.Address)
			t.frontend(f, r, f.Match.Address)
			continue
		}
		for _, a := range t.nodePorts {
			m := f.Match
			m.Address = a
			// If a packet matches both an address frontend and a nodePort, the
			// address frontend has priority (ir.Match).
			if !byAddress[m] {
				t.frontend(f, r, a)
			}
		}
	}
	if !t.checked {
		t.clusterWide()
	}
	return nil
}

// addressFrontends returns the matches of frontends on the node's own addresses;
// only these can conflict with a nodePort.
func (t *table) addressFrontends() map[ir.Match]bool {
	out := make(map[ir.Match]bool)
	for i := range t.program.Frontends {
		if m := t.program.Frontends[i].Match; m.Family == t.family && slices.Contains(t.nodePorts, m.Address) {
			out[m] = true
		}
	}
	return out
}

// elsewhere reports whether IPVS cannot serve a frontend: it would have to bind an
// address that belongs to another node or an endpoint, and make its owner unreachable.
func (t *table) elsewhere(f *ir.Frontend) bool { return f.Elsewhere && !t.own[f.Match.Address] }

// addVIP binds an address unless the node has it already.
func (t *table) addVIP(a netip.Addr) {
	if t.own[a] || a.IsLoopback() || t.isVIP[a] {
		return
	}
	t.isVIP[a] = true
	t.vips = append(t.vips, a)
	t.sets.of(vips).addAddr(a)
}

// clusterWide collects what does not depend on a frontend.
func (t *table) clusterWide() {
	for _, a := range ir.AddrsOf(t.family, t.program.ClusterIPs) {
		t.sets.of(clusterIPs).addAddr(a)
	}
	for _, p := range ir.PrefixesOf(t.family, t.program.Node.ServiceCIDRs) {
		t.sets.of(serviceCIDRs).addPrefix(p)
	}
	for _, h := range t.program.HealthChecks {
		if h.Family != t.family {
			continue
		}
		for _, a := range ir.AddrsOf(t.family, t.program.Node.Addresses) {
			t.sets.of(health).addKey(key{netip.AddrPortFrom(a, h.Port), ir.TCP}, ir.ServicePort{Namespace: h.Namespace, Name: h.Name})
		}
	}
	for _, p := range ir.PrefixesOf(t.family, t.program.Masquerade.Exclude) {
		t.sets.of(egressExclusions).addPrefix(p)
	}
}

// nodePortAddresses returns the node's addresses that serve nodePorts. IPVS has no
// wildcard, so prefixes select among the known addresses.
func nodePortAddresses(f ir.Family, n *ir.Node) []netip.Addr {
	var out []netip.Addr
	seen := make(map[netip.Addr]bool)
	add := func(a netip.Addr) {
		if !a.IsLoopback() && !seen[a] {
			seen[a] = true
			out = append(out, a)
		}
	}
	for _, a := range ir.AddrsOf(f, n.NodePorts.Addresses) {
		add(a)
	}
	for _, a := range ir.AddrsOf(f, n.Addresses) {
		if ir.ContainsAddr(n.NodePorts.Prefixes, a) {
			add(a)
		}
	}
	return out
}

// routes are the two routes of a frontend with their pools.
type routes struct {
	internal, external *ir.Pool
}

func (t *table) routesOf(f *ir.Frontend) (routes, error) {
	r := routes{internal: t.pools[f.Internal.Pool], external: t.pools[f.External.Pool]}
	if r.internal == nil || r.external == nil {
		return r, fmt.Errorf("frontend %q: pool %q or %q does not exist", f.ID, f.Internal.Pool, f.External.Pool)
	}
	return r, nil
}
