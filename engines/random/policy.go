package random

import "fmt"

// policy makes a policy of any kind.
func (g *generator) policy(i int) object {
	name := fmt.Sprintf("p-%d", i)
	switch g.IntN(10) {
	case 0:
		return g.networkPolicy(name)
	case 1:
		return g.clusterNetworkPolicy(name)
	case 2, 3, 4:
		return object{"apiVersion": "cilium.io/v2", "kind": "CiliumClusterwideNetworkPolicy", "metadata": object{"name": name}, "spec": g.rule(true)}
	}
	out := object{"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": object{"namespace": pick(g, namespaces...), "name": name}}
	if g.oneIn(5) {
		out["specs"] = some(g, func() object { return g.rule(false) })
		return out
	}
	out["spec"] = g.rule(false)
	return out
}

// rule makes a spec of Cilium's.
func (g *generator) rule(clusterwide bool) object {
	out := object{"endpointSelector": g.selector(clusterwide)}
	sections := []string{"ingress", "egress", "ingressDeny", "egressDeny"}
	for range 1 + g.IntN(3) {
		section := pick(g, sections...)
		ingress, deny := section[0] == 'i', len(section) > 7
		out[section] = some(g, func() object { return g.section(clusterwide, ingress, deny) })
	}
	if g.oneIn(5) {
		out["enableDefaultDeny"] = object{pick(g, "ingress", "egress"): g.oneIn(3)}
	}
	return out
}

// section makes a rule of a section: peers of one kind, and ports or types of ICMP.
func (g *generator) section(clusterwide, ingress, deny bool) object {
	out := object{}
	to := "to"
	if ingress {
		to = "from"
	}
	switch kind := g.IntN(12); {
	case kind < 4:
		out[to+"Endpoints"] = some(g, func() object { return g.selector(clusterwide) })
	case kind < 6:
		out[to+"Entities"] = some(g, func() string {
			return pick(g, "all", "world", "cluster", "host", "remote-node", "kube-apiserver", "none")
		})
	case kind < 7:
		out[to+"CIDR"] = some(g, g.network)
	case kind < 9:
		out[to+"CIDRSet"] = some(g, g.cidrSet)
	case kind < 10 && !ingress && !deny:
		out["toServices"] = []any{g.service()}
	case kind < 11:
		if g.oneIn(4) {
			return out // neither peers nor ports
		}
		g.portsOrICMP(out, deny) // ports alone
		return out
	}
	if g.oneIn(2) {
		g.portsOrICMP(out, deny)
	}
	if !deny && g.oneIn(g.authentication) {
		out["authentication"] = object{"mode": pick(g, "required", "disabled", "test-always-fail")}
	}
	return out
}

func (g *generator) network() string {
	if g.oneIn(5) {
		return pick(g, inside...)
	}
	return pick(g, networks...)
}

func (g *generator) cidrSet() object {
	switch g.IntN(5) {
	case 0:
		return object{"cidrGroupRef": fmt.Sprintf("group-%d", g.IntN(3))}
	case 1:
		return object{"cidrGroupSelector": object{"matchLabels": object{"side": pick(g, "east", "west", "north")}}}
	case 2:
		return object{"cidr": "198.51.100.0/24", "except": some(g, func() string { return pick(g, "198.51.100.64/26", "198.51.100.10/32", "198.51.100.0/25") })}
	case 3:
		return object{"cidr": "0.0.0.0/0", "except": some(g, func() string { return pick(g, "198.51.0.0/16", "203.0.113.5/32") })}
	}
	return object{"cidr": g.network()}
}

// service names a Service that is there in half of the cases, and only one with a
// selector: Cilium opens the ports to everybody where a Service is missing.
func (g *generator) service() object {
	return object{"k8sServiceSelector": object{"selector": object{"matchExpressions": []any{object{"key": "kind", "operator": "Exists"}}}}}
}

// selector makes a selector of labels, with a namespace now and then.
func (g *generator) selector(clusterwide bool) object {
	labels, out := object{}, object{}
	if g.oneIn(2) {
		labels[pick(g, "app", "k8s:app", "any:app")] = pick(g, "web", "api", "db")
	}
	if g.oneIn(5) {
		labels["tier"] = pick(g, "front", "back")
	}
	if g.oneIn(5) {
		labels[pick(g, "io.kubernetes.pod.namespace", "k8s:io.kubernetes.pod.namespace")] = pick(g, namespaces...)
	}
	if g.oneIn(6) {
		labels["k8s:io.cilium.k8s.namespace.labels."+pick(g, "env", "team")] = pick(g, "prod", "alpha")
	}
	if g.oneIn(8) {
		labels["io.cilium.k8s.policy.serviceaccount"] = "keeper"
	}
	if len(labels) > 0 {
		out["matchLabels"] = labels
	}
	if g.oneIn(4) {
		out["matchExpressions"] = []any{g.expression()}
	}
	return out
}

func (g *generator) expression() object {
	key := pick(g, "app", "tier", "app.kubernetes.io/name", "pod-template-hash", "io.kubernetes.pod.namespace")
	switch operator := pick(g, "In", "NotIn", "Exists", "DoesNotExist"); operator {
	case "In", "NotIn":
		return object{"key": key, "operator": operator, "values": []any{pick(g, "web", "front", "store", "shop"), pick(g, "api", "back", "pay")}}
	default:
		return object{"key": key, "operator": operator}
	}
}
