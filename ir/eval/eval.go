package eval

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/space"
)

// Evaluator evaluates one program. It is safe for concurrent use.
type Evaluator struct {
	program   *ir.Program
	frontends space.Table // by family, destination, protocol and port
	nodePorts space.Table // by family, protocol and port
	pools     map[string]*ir.Pool
	own       map[netip.Addr]bool
	ipv4      scope
	ipv6      scope
	// sources are the source ranges of frontends that have some.
	sources  map[*ir.Frontend]*space.Set
	policies *policies
}

// New indexes a program that [ir.Verify] accepts. The program must not change
// afterwards.
func New(p *ir.Program) *Evaluator {
	e := &Evaluator{
		program:  p,
		pools:    make(map[string]*ir.Pool, len(p.Pools)),
		own:      make(map[netip.Addr]bool, len(p.Node.Addresses)),
		ipv4:     scopeOf(p, ir.IPv4),
		ipv6:     scopeOf(p, ir.IPv6),
		sources:  make(map[*ir.Frontend]*space.Set),
		policies: indexPolicies(&p.Policy),
	}
	for i := range p.Frontends {
		e.addFrontend(i)
	}
	for i := range p.Pools {
		e.pools[p.Pools[i].ID] = &p.Pools[i]
	}
	for _, a := range p.Node.Addresses {
		e.own[a] = true
	}
	return e
}

func (e *Evaluator) addFrontend(i int) {
	f := &e.program.Frontends[i]
	m := f.Match
	family, protocol, port := one(space.N(uint64(m.Family))), one(space.N(uint64(m.Protocol))), one(space.N(uint64(m.Port)))
	if m.Address.IsValid() {
		e.frontends.Add([]space.Interval{family, one(space.Addr(m.Address)), protocol, port}, 0, i)
	} else {
		e.nodePorts.Add([]space.Interval{family, protocol, port}, 0, i)
	}
	if len(f.SourceRanges) > 0 {
		s := prefixSet(f.SourceRanges, m.Family)
		e.sources[f] = &s
	}
}

func one(n space.Number) space.Interval { return space.Interval{First: n, Last: n} }

// Eval returns what happens to the packet, and why.
func (e *Evaluator) Eval(p Packet) Result {
	t := trace{Evaluator: e, packets: space.New(p.Box()), shown: p, explain: true}
	return t.eval()
}

// EvalAll returns what happens to every packet of what is left of the box. The result
// has no steps.
func (e *Evaluator) EvalAll(p *space.Packets) Result {
	t := trace{Evaluator: e, packets: p}
	return t.eval()
}

func (t *trace) eval() Result {
	t.scope = &t.ipv4
	if t.packets.IPv6() {
		t.scope = &t.ipv6
	}
	if !t.packets.Is(space.State, space.N(uint64(FirstPacket))) {
		return t.known()
	}
	frontend := t.findFrontend()
	if frontend == nil {
		return t.unclaimed()
	}
	t.result.Frontend = frontend
	if !t.admitted(frontend) {
		return t.end(Drop)
	}
	route := t.chooseRoute(frontend)
	pool := t.pools[route.Pool]
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
	packets *space.Packets
	scope   *scope // of the packets' family
	// shown is the packet of texts, where explain is set. Nothing is decided by it.
	shown   Packet
	explain bool
	result  Result
}

func (t *trace) step(stage string, origin ir.Origin, format string, args ...any) {
	if t.explain {
		t.result.Steps = append(t.result.Steps, Step{Stage: stage, Text: fmt.Sprintf(format, args...), Origin: origin})
	}
}

func (t *trace) end(v Verdict) Result {
	t.result.Verdict = v
	return t.result
}

// from reports whether the packets enter there.
func (t *trace) from(e Entry) bool { return t.packets.Is(space.Entry, space.N(uint64(e))) }

// findFrontend looks for the destination address first and then for a
// nodePort, in kube-proxy's order (the nodePort jump is the last rule of its
// services chain).
func (t *trace) findFrontend() *ir.Frontend {
	family, protocol, port := space.Known(space.N(uint64(t.scope.family))), space.Protocol.Value(), space.Port.Value()
	if i, ok := t.frontends.Find(t.packets, family, space.Destination.Value(), protocol, port); ok {
		f := &t.program.Frontends[i]
		if t.explain {
			t.step("frontend", f.Origin.Get(), "%v is %s %s of %v", f.Match, f.Kind, f.Match.Address, f.Service)
		}
		return f
	}
	if !t.packets.In(space.Destination, &t.scope.nodePorts) {
		return nil
	}
	i, ok := t.nodePorts.Find(t.packets, family, protocol, port)
	if !ok {
		return nil
	}
	f := &t.program.Frontends[i]
	if t.explain {
		t.step("frontend", f.Origin.Get(), "%v is one of the node's nodePort addresses, port %d is %v", t.shown.Dst, t.shown.Port, f.Service)
	}
	return f
}

// admitted applies the source ranges. They precede everything else, also the
// refusal of a frontend without endpoints.
func (t *trace) admitted(f *ir.Frontend) bool {
	ranges := t.sources[f]
	if ranges == nil {
		return true
	}
	if t.packets.In(space.Source, ranges) {
		t.step("source-ranges", f.Origin.At("spec.loadBalancerSourceRanges"), "%v is in %v", t.shown.Src, t.list(f.SourceRanges))
		return true
	}
	t.step("source-ranges", f.Origin.At("spec.loadBalancerSourceRanges"), "%v is not in %v: dropped", t.shown.Src, t.list(f.SourceRanges))
	return false
}

func (t *trace) chooseRoute(f *ir.Frontend) ir.Route {
	if f.Internal == f.External {
		t.step("route", f.Origin.Get(), "the same for every source: pool %s", f.Internal.Pool)
		return f.Internal
	}
	switch {
	case t.localPod():
		t.step("route", f.Origin.Get(), "internal, because %v is a pod of this node: pool %s", t.shown.Src, f.Internal.Pool)
		return f.Internal
	case t.fromOwnAddress():
		t.step("route", f.Origin.Get(), "internal, because %v is the node itself: pool %s", t.shown.Src, f.Internal.Pool)
		return f.Internal
	}
	t.step("route", f.Origin.Get(), "external, because %v comes from outside: pool %s", t.shown.Src, f.External.Pool)
	return f.External
}

// localPod is the local detector: it decides by what the node can see of a
// packet, which may differ from where the packet really came from.
func (t *trace) localPod() bool {
	switch t.program.Node.Local.Mode {
	case ir.DetectCIDR:
		return t.packets.In(space.Source, &t.scope.local)
	case ir.DetectInterface, ir.DetectInterfacePrefix:
		return t.packets.In(space.Interface, &t.scope.local)
	}
	return false
}

func (t *trace) fromOwnAddress() bool {
	return t.from(FromNode) || t.packets.In(space.Source, &t.scope.own)
}

func (t *trace) noEndpoints(pool *ir.Pool, route ir.Route) Result {
	t.step("pool", pool.Origin.Get(), "pool %s has no endpoint: %v", pool.ID, route.OnEmpty)
	if route.OnEmpty == ir.Drop {
		return t.end(Drop)
	}
	return t.end(Reject)
}

func (t *trace) balance(f *ir.Frontend, pool *ir.Pool, route ir.Route) {
	if len(pool.Endpoints) == 1 {
		t.step("pool", pool.Origin.Get(), "the only endpoint of pool %s", pool.ID)
	} else {
		t.step("pool", pool.Origin.Get(), "one of %d endpoints of pool %s", len(pool.Endpoints), pool.ID)
	}
	if f.Affinity != 0 {
		t.result.Affinity = f.Affinity
		t.step("affinity", f.Origin.At("spec.sessionAffinity"), "the same one for %v until %d s without a new connection", t.shown.Src, f.Affinity)
	}
	byRoute := t.routeMasquerades(route)
	t.result.Endpoints = make([]Choice, 0, len(pool.Endpoints))
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
	c := Choice{Address: ep.Address, Weight: ep.Weight, Origin: ep.Origin()}
	addr := space.Known(space.Addr(ep.Address.Addr()))
	if !t.leaves(addr) {
		return c
	}
	c.Hairpin = ep.Local && t.packets.Is(space.Source, addr.Number)
	c.Masquerade = byRoute || c.Hairpin || t.egressMasquerades(addr)
	return c
}

// leaves reports whether the packets are forwarded or sent, rather than delivered to
// the node.
func (t *trace) leaves(dst space.Value) bool {
	return !t.packets.Within(dst, &t.scope.own) || t.from(FromNode)
}

func (t *trace) explainMasquerade(r ir.Route) {
	t.result.Masquerade = everyMasquerades(t.result.Endpoints)
	if !t.explain {
		return
	}
	f := t.result.Frontend
	switch {
	case t.result.Masquerade && t.routeMasquerades(r):
		t.step("masquerade", f.Origin.Get(), "the source becomes the node's address (rule: %v)", r.Masquerade)
	case t.result.Masquerade:
		t.step("masquerade", f.Origin.Get(), "the source becomes the node's address")
	default:
		t.step("masquerade", f.Origin.Get(), "the source stays %v (rule: %v)", t.shown.Src, r.Masquerade)
	}
	for _, c := range t.result.Endpoints {
		if c.Hairpin {
			t.step("hairpin", c.Origin, "if %v is given itself, the source becomes the node's address", c.Address)
		}
	}
}

func everyMasquerades(list []Choice) bool {
	for i := range list {
		if !list[i].Masquerade {
			return false
		}
	}
	return true
}

// unclaimed handles packets without a frontend. ClusterIPs and service ranges
// matter for packets that the node forwards or sends, not for packets that are
// delivered to the node.
func (t *trace) unclaimed() Result {
	dst := space.Destination.Value()
	leaves := t.leaves(dst)
	if leaves {
		if t.packets.In(space.Destination, &t.scope.services) {
			t.step("cluster-ip", ir.Origin{}, "%v is a ClusterIP, but %d/%v is none of its ports", t.shown.Dst, t.shown.Port, t.shown.Protocol)
			return t.end(Reject)
		}
		if t.packets.In(space.Destination, &t.scope.serviceCIDRs) {
			t.step("service-cidr", ir.Origin{}, "%v is in a service range, but no Service has it", t.shown.Dst)
			return t.end(Drop)
		}
	}
	t.step("pass", ir.Origin{}, "no frontend of this node")
	if !t.police(dst, space.Port.Value()) {
		return t.end(t.refusal())
	}
	if leaves && t.egressMasquerades(dst) {
		t.result.Masquerade = true
		m := t.program.Masquerade
		t.step("masquerade", m.Origin, "%v is not in %v: the source becomes the node's address", t.shown.Dst, t.list(m.Exclude))
	}
	return t.end(Pass)
}

// egressMasquerades is the node's own egress rule. Like ip-masq-agent, it
// ignores the sender.
func (t *trace) egressMasquerades(dst space.Value) bool {
	return t.scope.masquerades && !t.packets.Within(dst, &t.scope.own) && !t.packets.Within(dst, &t.scope.excluded)
}

// list formats the first few prefixes for people, where a text is wanted.
func (t *trace) list(prefixes []netip.Prefix) string {
	if !t.explain {
		return ""
	}
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
