package eval

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/planec/planec/ir"
)

// Evaluator evaluates one program. It is safe for concurrent use.
type Evaluator struct {
	program   *ir.Program
	frontends map[ir.Match]*ir.Frontend
	pools     map[string]*ir.Pool
	services  map[netip.Addr]bool
	own       map[netip.Addr]bool
	policies  policies
}

// New indexes a program that [ir.Verify] accepts. The program must not change
// afterwards.
func New(p *ir.Program) *Evaluator {
	e := &Evaluator{
		program:   p,
		frontends: make(map[ir.Match]*ir.Frontend, len(p.Frontends)),
		pools:     make(map[string]*ir.Pool, len(p.Pools)),
		services:  make(map[netip.Addr]bool, len(p.ClusterIPs)),
		own:       make(map[netip.Addr]bool, len(p.Node.Addresses)),
		policies:  indexPolicies(&p.Policy),
	}
	for i := range p.Frontends {
		e.frontends[p.Frontends[i].Match] = &p.Frontends[i]
	}
	for i := range p.Pools {
		e.pools[p.Pools[i].ID] = &p.Pools[i]
	}
	for _, a := range p.ClusterIPs {
		e.services[a] = true
	}
	for _, a := range p.Node.Addresses {
		e.own[a] = true
	}
	return e
}

// Eval returns what happens to the packet, and why.
func (e *Evaluator) Eval(p Packet) Result {
	t := trace{Evaluator: e, packet: p}
	frontend := t.findFrontend()
	if frontend == nil {
		return t.unclaimed()
	}
	t.result.Frontend = frontend
	if !t.admitted(frontend) {
		return t.end(Drop)
	}
	route := t.chooseRoute(frontend)
	pool := e.pools[route.Pool]
	if len(pool.Endpoints) == 0 {
		return t.noEndpoints(pool, route)
	}
	t.balance(frontend, pool, route)
	if !t.policeEndpoints() {
		return t.end(t.refusal())
	}
	t.explainMasquerade(route)
	return t.end(DNAT)
}

// IsNodeAddress reports whether a is known to be the node's own.
func (e *Evaluator) IsNodeAddress(a netip.Addr) bool { return e.own[a] || a.IsLoopback() }

// trace is one evaluation in progress.
type trace struct {
	*Evaluator
	packet Packet
	result Result
}

func (t *trace) step(stage string, origin ir.Origin, format string, args ...any) {
	t.result.Steps = append(t.result.Steps, Step{Stage: stage, Text: fmt.Sprintf(format, args...), Origin: origin})
}

func (t *trace) end(v Verdict) Result {
	t.result.Verdict = v
	return t.result
}

// findFrontend looks for the destination address first and then for a
// nodePort, in kube-proxy's order (the nodePort jump is the last rule of its
// services chain).
func (t *trace) findFrontend() *ir.Frontend {
	p := t.packet
	match := ir.Match{Family: ir.FamilyOf(p.Dst), Address: p.Dst, Protocol: p.Protocol, Port: p.Port}
	if f := t.frontends[match]; f != nil {
		t.step("frontend", f.Origin, "%v is %s %s of %v", match, f.Kind, f.Match.Address, f.Service)
		return f
	}
	if !t.isNodePortAddress(p.Dst) {
		return nil
	}
	match.Address = netip.Addr{}
	if f := t.frontends[match]; f != nil {
		t.step("frontend", f.Origin, "%v is one of the node's nodePort addresses, port %d is %v", p.Dst, p.Port, f.Service)
		return f
	}
	return nil
}

func (t *trace) isNodePortAddress(a netip.Addr) bool {
	if a.IsLoopback() {
		return false
	}
	scope := t.program.Node.NodePorts
	return slices.Contains(scope.Addresses, a) || t.own[a] && ir.ContainsAddr(scope.Prefixes, a)
}

// admitted applies the source ranges. They precede everything else, also the
// refusal of a frontend without endpoints.
func (t *trace) admitted(f *ir.Frontend) bool {
	if len(f.SourceRanges) == 0 {
		return true
	}
	if ir.ContainsAddr(f.SourceRanges, t.packet.Src) {
		t.step("source-ranges", f.Origin.At("spec.loadBalancerSourceRanges"), "%v is in %v", t.packet.Src, prefixList(f.SourceRanges))
		return true
	}
	t.step("source-ranges", f.Origin.At("spec.loadBalancerSourceRanges"), "%v is not in %v: dropped", t.packet.Src, prefixList(f.SourceRanges))
	return false
}

func (t *trace) chooseRoute(f *ir.Frontend) ir.Route {
	if f.Internal == f.External {
		t.step("route", f.Origin, "the same for every source: pool %s", f.Internal.Pool)
		return f.Internal
	}
	switch {
	case t.localPod():
		t.step("route", f.Origin, "internal, because %v is a pod of this node: pool %s", t.packet.Src, f.Internal.Pool)
		return f.Internal
	case t.fromOwnAddress():
		t.step("route", f.Origin, "internal, because %v is the node itself: pool %s", t.packet.Src, f.Internal.Pool)
		return f.Internal
	}
	t.step("route", f.Origin, "external, because %v comes from outside: pool %s", t.packet.Src, f.External.Pool)
	return f.External
}

// localPod is the local detector: it decides by what the node can see of a
// packet, which may differ from where the packet really came from.
func (t *trace) localPod() bool {
	d := t.program.Node.Local
	switch d.Mode {
	case ir.DetectCIDR:
		return ir.ContainsAddr(d.CIDRs, t.packet.Src)
	case ir.DetectInterface:
		return t.packet.Interface == d.Interface
	case ir.DetectInterfacePrefix:
		return t.packet.Interface != "" && strings.HasPrefix(t.packet.Interface, d.Interface)
	}
	return false
}

func (t *trace) fromOwnAddress() bool {
	return t.packet.From == FromNode || t.IsNodeAddress(t.packet.Src)
}

func (t *trace) noEndpoints(pool *ir.Pool, route ir.Route) Result {
	t.step("pool", pool.Origin, "pool %s has no endpoint: %v", pool.ID, route.OnEmpty)
	if route.OnEmpty == ir.Drop {
		return t.end(Drop)
	}
	return t.end(Reject)
}

func (t *trace) balance(f *ir.Frontend, pool *ir.Pool, route ir.Route) {
	if len(pool.Endpoints) == 1 {
		t.step("pool", pool.Origin, "the only endpoint of pool %s", pool.ID)
	} else {
		t.step("pool", pool.Origin, "one of %d endpoints of pool %s", len(pool.Endpoints), pool.ID)
	}
	if f.Affinity != 0 {
		t.result.Affinity = f.Affinity
		t.step("affinity", f.Origin.At("spec.sessionAffinity"), "the same one for %v until %d s without a new connection", t.packet.Src, f.Affinity)
	}
	byRoute := t.routeMasquerades(route)
	for _, ep := range pool.Endpoints {
		t.result.Endpoints = append(t.result.Endpoints, t.choice(ep, byRoute))
	}
}

func (t *trace) routeMasquerades(r ir.Route) bool {
	switch r.Masquerade {
	case ir.MasqueradeAlways:
		return true
	case ir.MasqueradeUnlessLocalSource:
		return !t.localPod()
	}
	return false
}

// choice decides the masquerade of one endpoint. Packets are masqueraded where
// they leave the node, so a packet to the node itself keeps its source, unless
// the node sent it (then the source is the node's already).
func (t *trace) choice(ep ir.Endpoint, byRoute bool) Choice {
	c := Choice{Address: ep.Address, Weight: ep.Weight, Origin: ep.Origin}
	addr := ep.Address.Addr()
	if !t.leaves(addr) {
		return c
	}
	c.Hairpin = ep.Local && addr == t.packet.Src
	c.Masquerade = byRoute || c.Hairpin || t.egressMasquerades(addr)
	return c
}

func (t *trace) leaves(dst netip.Addr) bool {
	return t.packet.From == FromNode || !t.IsNodeAddress(dst)
}

func (t *trace) explainMasquerade(r ir.Route) {
	t.result.Masquerade = !slices.ContainsFunc(t.result.Endpoints, func(c Choice) bool { return !c.Masquerade })
	f := t.result.Frontend
	switch {
	case t.result.Masquerade && t.routeMasquerades(r):
		t.step("masquerade", f.Origin, "the source becomes the node's address (rule: %v)", r.Masquerade)
	case t.result.Masquerade:
		t.step("masquerade", f.Origin, "the source becomes the node's address")
	default:
		t.step("masquerade", f.Origin, "the source stays %v (rule: %v)", t.packet.Src, r.Masquerade)
	}
	for _, c := range t.result.Endpoints {
		if c.Hairpin {
			t.step("hairpin", c.Origin, "if %v is given itself, the source becomes the node's address", c.Address)
		}
	}
}

// unclaimed handles a packet without a frontend. ClusterIPs and service ranges
// matter for packets that the node forwards or sends, not for packets that are
// delivered to the node.
func (t *trace) unclaimed() Result {
	p := t.packet
	if t.leaves(p.Dst) {
		if t.services[p.Dst] {
			t.step("cluster-ip", ir.Origin{}, "%v is a ClusterIP, but %d/%v is none of its ports", p.Dst, p.Port, p.Protocol)
			return t.end(Reject)
		}
		if ir.ContainsAddr(t.program.Node.ServiceCIDRs, p.Dst) {
			t.step("service-cidr", ir.Origin{}, "%v is in a service range, but no Service has it", p.Dst)
			return t.end(Drop)
		}
	}
	t.step("pass", ir.Origin{}, "no frontend of this node")
	if !t.police(p.Dst, p.Port) {
		return t.end(t.refusal())
	}
	if t.leaves(p.Dst) && t.egressMasquerades(p.Dst) {
		t.result.Masquerade = true
		t.step("masquerade", t.program.Masquerade.Origin, "%v is not in %v: the source becomes the node's address", p.Dst, prefixList(t.program.Masquerade.Exclude))
	}
	return t.end(Pass)
}

// egressMasquerades is the node's own egress rule. Like ip-masq-agent, it
// ignores the sender.
func (t *trace) egressMasquerades(dst netip.Addr) bool {
	m := t.program.Masquerade
	return m.Enabled(ir.FamilyOf(dst)) && !t.IsNodeAddress(dst) && !ir.ContainsAddr(m.Exclude, dst)
}

// prefixList formats the first few prefixes for people.
func prefixList(prefixes []netip.Prefix) string {
	const most = 4
	var b strings.Builder
	for i, p := range prefixes {
		if i == most {
			fmt.Fprintf(&b, " and %d more", len(prefixes)-most)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(p.String())
	}
	return b.String()
}
