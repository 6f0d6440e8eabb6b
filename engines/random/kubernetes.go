package random

// networkPolicy makes a NetworkPolicy. Its networks are outside of the cluster: to
// Kubernetes they match pods and nodes too, to Cilium not. It has rules of its policyTypes
// only: to Cilium others hold as well.
func (g *generator) networkPolicy(name string) object {
	types := pick(g, []any{"Ingress"}, []any{"Egress"}, []any{"Ingress", "Egress"})
	spec := object{"podSelector": g.plainSelector(), "policyTypes": types}
	if types[0] == "Ingress" && g.oneIn(2) {
		spec["ingress"] = some(g, func() object { return g.networkRule("from") })
	}
	if types[len(types)-1] == "Egress" && g.oneIn(2) {
		spec["egress"] = some(g, func() object { return g.networkRule("to") })
	}
	return object{"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": object{"namespace": pick(g, namespaces...), "name": name}, "spec": spec}
}

func (g *generator) networkRule(peers string) object {
	out := object{}
	if !g.oneIn(4) {
		out[peers] = some(g, g.networkPeer)
	}
	if g.oneIn(2) {
		out["ports"] = some(g, func() object {
			return object{"port": pick[any](g, 80, 8080, 53, "http"), "protocol": pick(g, "TCP", "UDP", "SCTP")}
		})
	}
	return out
}

func (g *generator) networkPeer() object {
	switch g.IntN(4) {
	case 0:
		return object{"podSelector": g.plainSelector()}
	case 1:
		return object{"namespaceSelector": g.namespaceSelector()}
	case 2:
		return object{"namespaceSelector": g.namespaceSelector(), "podSelector": g.plainSelector()}
	}
	return object{"ipBlock": object{"cidr": pick(g, "198.51.100.0/24", "203.0.113.0/24", "2001:db8:1::/48")}}
}

func (g *generator) plainSelector() object {
	if g.oneIn(4) {
		return object{}
	}
	return object{"matchLabels": object{"app": pick(g, "web", "api", "db")}}
}

func (g *generator) namespaceSelector() object {
	if g.oneIn(4) {
		return object{}
	}
	return object{"matchLabels": object{"env": pick(g, "prod", "test")}}
}

// clusterNetworkPolicy makes a ClusterNetworkPolicy. What tier Baseline accepts, a
// NetworkPolicy that isolates does not shut out to Cilium: there are no such rules.
func (g *generator) clusterNetworkPolicy(name string) object {
	tier, actions := pick(g, "Admin", "Baseline"), []string{"Accept", "Deny", "Pass"}
	if tier == "Baseline" {
		actions = []string{"Deny"}
	}
	subject := object{"namespaces": g.namespaceSelector()}
	if g.oneIn(2) {
		subject = object{"pods": object{"namespaceSelector": g.namespaceSelector(), "podSelector": g.plainSelector()}}
	}
	rule := func(peers string) object {
		out := object{"action": pick(g, actions...), peers: some(g, g.clusterPeer)}
		if g.oneIn(2) {
			out["protocols"] = some(g, func() object {
				return object{pick(g, "tcp", "udp"): object{"destinationPort": pick(g, object{"number": pick(g, 80, 8080, 53)}, object{"range": object{"start": 50, "end": 90}})}}
			})
		}
		return out
	}
	return object{
		"apiVersion": "policy.networking.k8s.io/v1alpha2", "kind": "ClusterNetworkPolicy", "metadata": object{"name": name},
		"spec": object{
			"tier": tier, "priority": g.IntN(1000), "subject": subject,
			"ingress": some(g, func() object { return rule("from") }), "egress": some(g, func() object { return rule("to") }),
		},
	}
}

func (g *generator) clusterPeer() object {
	if g.oneIn(2) {
		return object{"namespaces": g.namespaceSelector()}
	}
	return object{"pods": object{"namespaceSelector": g.namespaceSelector(), "podSelector": g.plainSelector()}}
}
