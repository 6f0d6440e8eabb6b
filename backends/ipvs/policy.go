package ipvs

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/planec/planec/backends/xtables"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/resolve"
)

// Chains that exist only with policies.
const (
	// answers has the rules that are in atInput without policies.
	answers = "PLC-ANSWERS"
	toNode  = "PLC-TO-NODE"
)

// deniedOwn is the set that pairs pods with the virtual services that have an
// endpoint on the node itself which the pods must not reach.
const deniedOwn setName = xtables.DeniedOwnSet

// policed adds the policies to the chains of the filter table. A packet is judged
// where its destination is final: IPVS sends packets through OUTPUT again, so
// INPUT skips packets to virtual services.
func (t *table) policed(chains []chain) []chain {
	if t.policy.Forward+t.policy.Input+t.policy.Output == "" {
		return chains
	}
	for i := range chains {
		c := &chains[i]
		switch {
		case c.name == atForward && t.policy.Forward != "":
			c.rules = append(c.rules, " -j "+t.policy.Forward)
		case c.name == atOutput:
			c.rules = append(t.balanced(), c.rules[1:]...)
			if t.policy.Output != "" {
				// As for other ports of such an address below.
				last := len(c.rules) - 1
				c.rules = append(c.rules[:last:last], " -j "+t.policy.Output, c.rules[last])
			}
		case c.name == atInput && t.policy.Input != "":
			chains = append(chains, chain{answers, c.rules}, chain{toNode, []string{
				t.in(deniedOwn, "dst,dst,src") + t.policy.Refuse,
				t.in(served, "dst,dst") + " -j RETURN",
				" -g " + t.policy.Input,
			}})
			chains[i].rules = []string{" -j " + answers, " -j " + toNode}
		case c.name == virtualIPs && t.policy.Input != "":
			// Other ports of an address that is bound only for IPVS: the refusal of
			// policies precedes the reject.
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

// balanced judges packets that IPVS sends through OUTPUT again, with their endpoints:
// those of the node itself only where a rule is for them.
func (t *table) balanced() []string {
	var rules []string
	if t.policy.Output != "" {
		rules = append(rules, byIPVS+" -m addrtype --src-type LOCAL -g "+t.policy.Output)
	}
	if t.policy.Forward != "" {
		return append(rules, byIPVS+" -g "+t.policy.Forward)
	}
	return append(rules, byIPVS+" -j RETURN")
}

// appendPolicySets writes the sets that policy rules match.
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

// addDeniedOwn evaluates policies at compile time, because no rule can: packets
// that IPVS delivers to the node itself do not pass the filter table again. One
// denied endpoint suffices to refuse the virtual service to a pod.
func (t *table) addDeniedOwn(s *set) {
	t.eachDeniedOwn(func(v ownService, pod netip.Addr, _ bool) { s.addKeyAddr(v.key, pod) })
}

// ownService is a virtual service that has an endpoint on the node itself.
type ownService struct {
	key
	frontend *ir.Frontend
	routes   routes
}

// noteOwn records such a virtual service.
func (t *table) noteOwn(f *ir.Frontend, k key, r routes) {
	if slices.ContainsFunc(r.internal.Endpoints, t.isOwn) || slices.ContainsFunc(r.external.Endpoints, t.isOwn) {
		t.ownServices = append(t.ownServices, ownService{key: k, frontend: f, routes: r})
	}
}

func (t *table) isOwn(e ir.Endpoint) bool {
	a := e.Address.Addr()
	return t.own[a] || a.IsLoopback()
}

// eachDeniedOwn calls f for each pair of virtual service and pod that is denied.
// others is whether the pod may reach another endpoint of the virtual service.
func (t *table) eachDeniedOwn(f func(v ownService, pod netip.Addr, others bool)) {
	if len(t.ownServices) == 0 {
		return // avoid resolving the policies
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
		switch accepted := tables.Accepts(egress, e.Address.Addr(), v.protocol, e.Address.Port(), 0); {
		case accepted:
			others = true
		case t.isOwn(e):
			denied = true
		}
	}
	return denied, others
}

// mayBeLocal reports whether the detector finds the pod. A detector by interface
// finds every pod.
func (t *table) mayBeLocal(pod netip.Addr) bool {
	if t.program.Node.Local.Mode == ir.DetectCIDR {
		return ir.ContainsAddr(t.program.Node.Local.CIDRs, pod)
	}
	return t.program.Node.Local.Detects(t.family)
}
