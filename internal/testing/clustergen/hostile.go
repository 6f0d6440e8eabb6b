package clustergen

import (
	"fmt"
	"net/netip"
)

// Shape generates objects of one kind that are costly for the compiler, as an
// attacker would write them, for the node n1 and the cluster CIDR 10.244.0.0/16.
type Shape struct {
	Name string // the name of the subtest
	// Size is a size that takes a fraction of a second.
	Size int
	// Objects returns objects of size n in API form; their size in bytes grows in
	// proportion to n.
	Objects func(n int) []any
}

// object is a JSON object.
type object = map[string]any

// list returns n values.
func list(n int, of func(i int) any) []any {
	out := make([]any, n)
	for i := range out {
		out[i] = of(i)
	}
	return out
}

// outside returns the i-th of many addresses that no pod has.
func outside(i int) string {
	i += 1
	return netip.AddrFrom4([4]byte{11 + byte(i>>24), byte(i >> 16), byte(i >> 8), byte(i)}).String()
}

func podIP(i int) string {
	i += 2
	return netip.AddrFrom4([4]byte{10, 244, byte(i >> 8), byte(i)}).String()
}

func hostileNode(address string) object {
	return object{
		"apiVersion": "v1", "kind": "Node", "metadata": object{"name": "n1"},
		"status": object{"addresses": []any{object{"type": "InternalIP", "address": address}}},
	}
}

func hostileNamespace(name string, labels object) object {
	return object{"apiVersion": "v1", "kind": "Namespace", "metadata": object{"name": name, "labels": labels}}
}

func hostilePod(i int, node string, labels object, ports ...any) object {
	return object{
		"apiVersion": "v1", "kind": "Pod",
		"metadata": object{"namespace": "a", "name": fmt.Sprintf("p%d", i), "labels": labels},
		"spec":     object{"nodeName": node, "containers": []any{object{"name": "c", "ports": ports}}},
		"status":   object{"phase": "Running", "podIP": podIP(i), "podIPs": []any{object{"ip": podIP(i)}}},
	}
}

// stage returns the objects that all shapes of policies need: a node with one pod.
func stage(more ...[]any) []any {
	out := []any{hostileNode("192.0.2.1"), hostileNamespace("a", object{}), hostilePod(0, "n1", object{"app": "x"})}
	for _, m := range more {
		out = append(out, m...)
	}
	return out
}

// policy returns a NetworkPolicy for every pod with rules for one direction.
func policy(name, direction string, rules []any) object {
	word := map[string]string{"ingress": "Ingress", "egress": "Egress"}[direction]
	return object{
		"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": object{"namespace": "a", "name": name},
		"spec": object{"podSelector": object{}, "policyTypes": []any{word}, direction: rules},
	}
}

func onePolicy(rules []any) []any { return stage([]any{policy("p", "ingress", rules)}) }

func block(cidr string, except ...any) object {
	b := object{"cidr": cidr}
	if len(except) > 0 {
		b["except"] = except
	}
	return object{"ipBlock": b}
}

func from(peers ...any) object { return object{"from": peers} }

func port(n int) object { return object{"port": 1 + n%65000} }

func with(o object, key string, value any) object {
	o[key] = value
	return o
}
