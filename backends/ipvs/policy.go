package ipvs

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/planec/planec/backends/xtables"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/resolve"
)

// Chains that are there where policies are.
const (
	// answers are the rules that atInput has without policies.
	answers = "PLC-ANSWERS"
	toNode  = "PLC-TO-NODE"
)

// deniedOwn is the set of virtual services, with pods, that would give those
// pods an endpoint that they may not reach and that is the node itself.
const deniedOwn setName = xtables.DeniedOwnSet

// policed adds the policies to the chains of the filter table: a packet is
// judged where it has its last destination. That of a virtual service IPVS sends
// through OUTPUT again, so INPUT leaves it alone.
func (t *table) policed(chains []chain) []chain {
	if t.policy.Forward == "" {
		return chains
	}
	for i := range chains {
		c := &chains[i]
		switch {
		case c.name == atForward:
			c.rules = append(c.rules, " -j "+t.policy.Forward)
		case c.name == atOutput:
			// What the node sends itself is not judged.
			c.rules = append([]string{byIPVS + " -g " + t.policy.Forward}, c.rules[1:]...)
		case c.name == atInput && t.policy.Input != "":
			chains = append(chains, chain{answers, c.rules}, chain{toNode, []string{
				t.in(deniedOwn, "dst,dst,src") + t.policy.Refuse,
				t.in(served, "dst,dst") + " -j RETURN",
				" -g " + t.policy.Input,
			}})
			chains[i].rules = []string{" -j " + answers, " -j " + toNode}
		case c.name == virtualIPs && t.policy.Input != "":
			// Ports that no Service has of an address that the node has only
			// because IPVS must see its packets: silence where policies deny.
			last := len(c.rules) - 1
			c.rules = append(c.rules[:last:last], " -j "+t.policy.Input, c.rules[last])
		}
	}
	for _, c := range t.policy.Chains {
		chains = append(chains, chain{c.Name, c.Rules})
	}
	slices.SortFunc(chains, func(a, b chain) int { return cmp.Compare(a.name, b.name) })
	return chains
}

// appendPolicySets writes the sets that policies ask.
func (t *table) appendPolicySets(b []byte) []byte {
	if t.policy.Input != "" {
		kind := setKind{name: deniedOwn, of: "hash:ip,port,ip"}
		s := set{kind: kind, add: "add " + fullName(t.family, deniedOwn) + nextSuffix + " "}
		t.addDeniedOwn(&s)
		b = s.appendTo(b, fullName(t.family, deniedOwn), t.family)
	}
	for _, x := range t.policy.Sets {
		s := set{kind: setKind{of: x.Kind}, b: x.AppendAdds(nil, x.Name+nextSuffix)}
		b = s.appendTo(b, x.Name, t.family)
	}
	return b
}

// addDeniedOwn judges here what no rule can: what IPVS gives to the node itself
// is delivered without meeting the filter table again. One denied endpoint is
// enough to refuse the virtual service to a pod.
func (t *table) addDeniedOwn(s *set) {
	t.eachDeniedOwn(func(v ownService, pod netip.Addr, _ bool) { s.addKeyAddr(v.key, pod) })
}

// ownService is a virtual service with endpoints that are the node itself.
type ownService struct {
	key
	frontend *ir.Frontend
	routes   routes
}

// noteOwn remembers such a virtual service.
func (t *table) noteOwn(f *ir.Frontend, k key, r routes) {
	if slices.ContainsFunc(r.internal.Endpoints, t.isOwn) || slices.ContainsFunc(r.external.Endpoints, t.isOwn) {
		t.ownServices = append(t.ownServices, ownService{key: k, frontend: f, routes: r})
	}
}

func (t *table) isOwn(e ir.Endpoint) bool {
	a := e.Address.Addr()
	return t.own[a] || a.IsLoopback()
}

// eachDeniedOwn calls f for each virtual service and pod that must not come
// together, and says whether the pod may reach another endpoint of it.
func (t *table) eachDeniedOwn(f func(v ownService, pod netip.Addr, others bool)) {
	if len(t.ownServices) == 0 {
		return // and the policies need not be resolved for this
	}
	tables := t.policies.Tables()
	if tables == nil {
		return
	}
	for i := range tables.Profiles {
		p := &tables.Profiles[i]
		if p.Egress == nil {
			continue
		}
		for _, pod := range p.Pods {
			for _, a := range ir.AddrsOf(t.family, pod.Addresses) {
				for _, v := range t.ownServices {
					if denied, others := t.deniesOwn(tables, p.Egress, v, a); denied {
						f(v, a, others)
					}
				}
			}
		}
	}
}

func (t *table) deniesOwn(tables *resolve.Policy, egress *resolve.Table, v ownService, pod netip.Addr) (denied, others bool) {
	pool := v.routes.external
	if t.mayBeLocal(pod) {
		pool = v.routes.internal
	}
	for _, e := range pool.Endpoints {
		switch accepted := tables.Accepts(egress, e.Address.Addr(), v.protocol, e.Address.Port()); {
		case accepted:
			others = true
		case t.isOwn(e):
			denied = true
		}
	}
	return denied, others
}

// mayBeLocal reports whether the node's detector finds the pod; where it looks at
// interfaces, it does.
func (t *table) mayBeLocal(pod netip.Addr) bool {
	if t.program.Node.Local.Mode == ir.DetectCIDR {
		return ir.ContainsAddr(t.program.Node.Local.CIDRs, pod)
	}
	return t.program.Node.Local.Detects(t.family)
}
