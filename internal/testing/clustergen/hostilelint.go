package clustergen

import "fmt"

// HostileLint returns objects that are costly for lint: it has to find out which
// workloads could own the pods that selectors do not find.
func HostileLint() []Shape {
	return []Shape{
		{"lint of namespaces without pods", 250, func(n int) []any { return stage(teams(n)) }},
		{"lint of peers without pods", 250, func(n int) []any { return stage(teams(n), strangers(n)) }},
		{"lint of Services without pods", 250, func(n int) []any { return stage(teams(n), lost(n)) }},
	}
}

// teams returns namespaces with a policy, a resource without pods, one that may
// own pods, and a Job each.
func teams(n int) []any {
	var out []any
	for i := range n {
		name := fmt.Sprintf("team-%05d", i)
		custom := func(group, kind string) object {
			return object{"apiVersion": group + "/v1", "kind": kind, "metadata": object{"namespace": name, "name": "c", "labels": object{"app": "all", "team": name}}}
		}
		out = append(out, hostileNamespace(name, object{"team": name, "all": "yes"}), custom("cert-manager.io", "Certificate"), custom("example.org", "Widget"), object{
			"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": object{"namespace": name, "name": "default"},
			"spec": object{"podSelector": object{}, "ingress": []any{object{"from": []any{object{"podSelector": object{}}}}}},
		}, object{
			"apiVersion": "batch/v1", "kind": "Job", "metadata": object{"namespace": name, "name": "job"},
			"spec": object{"parallelism": 0, "template": object{"metadata": object{"labels": object{"app": "all"}}}},
		})
	}
	return out
}

// strangers returns policies, one in each namespace, with peers in every namespace
// that match no pod.
func strangers(n int) []any {
	return list(n, func(i int) any {
		none := func(namespaces object) object {
			return object{"namespaceSelector": namespaces, "podSelector": object{"matchLabels": object{"stranger": fmt.Sprint(i), "app": "all"}}}
		}
		p := policy("strangers", "egress", []any{object{"to": []any{none(object{}), none(object{"matchLabels": object{"team": fmt.Sprintf("team-%05d", i)}})}, "ports": []any{object{"port": 80}}}})
		p["metadata"] = object{"namespace": fmt.Sprintf("team-%05d", i), "name": "strangers"}
		return p
	})
}

// lost returns Services that select nothing.
func lost(n int) []any {
	return list(n, func(i int) any {
		return object{
			"apiVersion": "v1", "kind": "Service", "metadata": object{"namespace": fmt.Sprintf("team-%05d", i), "name": "s"},
			"spec": object{"selector": object{"app": "all", "lost": fmt.Sprint(i), "example.org/lost": "x"}, "ports": []any{object{"port": 80}}},
		}
	})
}
