package random

import "fmt"

// Addresses outside of the cluster, which are ends, and networks around them.
var (
	outside  = []string{"198.51.100.10", "198.51.100.77", "203.0.113.5", "2001:db8:1::10", "2001:db8:2::5"}
	networks = []string{"198.51.100.0/24", "198.51.100.0/26", "198.51.100.10/32", "198.51.100.64/26", "203.0.113.0/24", "192.0.2.0/24", "2001:db8:1::/48", "2001:db8::/32", "0.0.0.0/0", "::/0", "198.51.0.0/16"}
	// inside are networks of pods and nodes, which Cilium's CIDRs do not match.
	inside = []string{"10.1.0.0/16", "10.0.0.1/32", "10.0.0.0/8", "fd01::/16"}
)

var namespaces = []string{"shop", "pay", "ops"}

// cluster makes the objects that are no policies.
func (g *generator) cluster(s *Set) {
	for _, name := range namespaces {
		s.Objects = append(s.Objects, object{"apiVersion": "v1", "kind": "Namespace", "metadata": object{"name": name, "labels": object{"kubernetes.io/metadata.name": name, "env": pick(g, "prod", "test"), "team": pick(g, "alpha", "beta")}}})
	}
	nodes := 2 + g.IntN(2)
	for n := range nodes {
		name := nodeName(n)
		s.Ends = append(s.Ends, "node/"+name)
		s.Objects = append(s.Objects, object{
			"apiVersion": "v1", "kind": "Node", "metadata": object{"name": name, "labels": object{"kubernetes.io/hostname": name, "pool": pick(g, "blue", "green")}},
			"status": object{"addresses": []any{object{"type": "InternalIP", "address": fmt.Sprintf("10.0.0.%d", n+1)}, object{"type": "InternalIP", "address": fmt.Sprintf("fd00::%d", n+1)}}},
		})
	}
	for i := range 4 + g.IntN(3) {
		p, end := g.pod(i, nodes)
		s.Objects, s.Ends = append(s.Objects, p), append(s.Ends, end)
	}
	g.services(s, nodes)
	for _, a := range outside {
		s.Ends = append(s.Ends, "ip/"+a)
	}
	for i := range 2 {
		s.Objects = append(s.Objects, object{
			"apiVersion": "cilium.io/v2", "kind": "CiliumCIDRGroup", "metadata": object{"name": fmt.Sprintf("group-%d", i), "labels": object{"side": pick(g, "east", "west")}},
			"spec": object{"externalCIDRs": some(g, func() string { return pick(g, networks[:8]...) })},
		})
	}
}

func nodeName(n int) string { return fmt.Sprintf("node-%c", 'a'+n) }

// pod makes a pod, on the host's network now and then.
func (g *generator) pod(i, nodes int) (pod object, end string) {
	ns, name, n := pick(g, namespaces...), fmt.Sprintf("pod-%d", i), g.IntN(nodes)
	ips := []any{object{"ip": fmt.Sprintf("10.1.%d.%d", n+1, 10+i)}, object{"ip": fmt.Sprintf("fd01::%d:%d", n+1, 10+i)}}
	spec := object{"nodeName": nodeName(n), "containers": []any{object{"name": "c", "image": "registry.example/c", "ports": g.containerPorts()}}}
	if g.oneIn(3) {
		spec["serviceAccountName"] = pick(g, "keeper", "runner")
	}
	if g.oneIn(8) {
		spec["hostNetwork"] = true
		ips = []any{object{"ip": fmt.Sprintf("10.0.0.%d", n+1)}, object{"ip": fmt.Sprintf("fd00::%d", n+1)}}
	}
	return object{
		"apiVersion": "v1", "kind": "Pod",
		"metadata": object{"namespace": ns, "name": name, "labels": g.podLabels()},
		"spec":     spec,
		"status":   object{"phase": "Running", "podIP": ips[0].(object)["ip"], "podIPs": ips},
	}, ns + "/" + name
}

func (g *generator) podLabels() object {
	out := object{"app": pick(g, "web", "api", "db")}
	if g.oneIn(2) {
		out["tier"] = pick(g, "front", "back")
	}
	if g.oneIn(4) {
		out["pod-template-hash"] = "5d4f8"
	}
	if g.oneIn(4) {
		out["app.kubernetes.io/name"] = "store"
	}
	return out
}

// containerPorts are two names with numbers that differ between pods.
func (g *generator) containerPorts() []any {
	out := []any{object{"name": "http", "containerPort": pick(g, 80, 8080), "protocol": "TCP"}}
	if g.oneIn(2) {
		out = append(out, object{"name": "dns", "containerPort": pick(g, 53, 5353), "protocol": "UDP"})
	}
	return out
}

// services makes two Services with selectors, and that of the API server.
func (g *generator) services(s *Set, nodes int) {
	for i := range 2 {
		s.Objects = append(s.Objects, object{
			"apiVersion": "v1", "kind": "Service", "metadata": object{"namespace": pick(g, namespaces...), "name": fmt.Sprintf("svc-%d", i), "labels": object{"kind": pick(g, "public", "private")}},
			"spec": object{"selector": object{"app": pick(g, "web", "api", "db")}, "ports": []any{object{"name": "http", "port": 80, "protocol": "TCP"}}},
		})
	}
	server := pick(g, fmt.Sprintf("10.0.0.%d", nodes), "203.0.113.5")
	s.Objects = append(s.Objects,
		object{"apiVersion": "v1", "kind": "Service", "metadata": object{"namespace": "default", "name": "kubernetes"}, "spec": object{"clusterIP": "10.96.0.1", "ports": []any{object{"name": "https", "port": 443, "targetPort": 6443, "protocol": "TCP"}}}},
		object{
			"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": object{"namespace": "default", "name": "kubernetes", "labels": object{"kubernetes.io/service-name": "kubernetes"}}, "addressType": "IPv4",
			"ports": []any{object{"name": "https", "port": 6443, "protocol": "TCP"}}, "endpoints": []any{object{"addresses": []any{server}, "conditions": object{"ready": true}}},
		})
}
