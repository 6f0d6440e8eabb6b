package clustergen

import (
	"fmt"
	"strings"
)

// hostileCalico are shapes of Calico's policies, network sets and tiers.
func hostileCalico() []Shape {
	return []Shape{
		{"calico: rules with a net and a port each", 60, func(n int) []any {
			return stage([]any{calicoPolicy("p", "all()", list(n, func(i int) any {
				return object{"action": "Allow", "protocol": "TCP", "source": object{"nets": []any{outside(i) + "/32"}}, "destination": object{"ports": []any{1 + i}}}
			}))})
		}},
		{"calico: rules that negate a net each", 200, func(n int) []any {
			return stage([]any{calicoPolicy("p", "all()", list(n, func(i int) any {
				return object{"action": "Allow", "source": object{"notNets": []any{outside(i) + "/32"}}}
			}))})
		}},
		{"calico: policies with long selectors for all pods", 100, func(n int) []any {
			long := strings.Repeat("!", 500) + "has(a)" + strings.Repeat(" || has(b)", 50)
			return stage(list(20, func(i int) any { return hostilePod(1+i, "n1", object{}) }), list(n, func(i int) any {
				return calicoPolicy(fmt.Sprint("p", i), long, []any{object{"action": "Allow", "source": object{"selector": long}}})
			}))
		}},
		{"calico: network sets", 200, func(n int) []any {
			return stage(list(n, func(i int) any {
				return object{
					"apiVersion": "projectcalico.org/v3", "kind": "GlobalNetworkSet", "metadata": object{"name": fmt.Sprint("s", i), "labels": object{"k": fmt.Sprint(i)}},
					"spec": object{"nets": []any{outside(i) + "/32"}},
				}
			}), list(n, func(i int) any {
				return calicoPolicy(fmt.Sprint("p", i), "all()", []any{object{"action": "Deny", "source": object{"selector": fmt.Sprintf("k == '%d'", i)}}})
			}))
		}},
		{"calico: one network set in many policies", 200, func(n int) []any {
			return stage([]any{object{
				"apiVersion": "projectcalico.org/v3", "kind": "GlobalNetworkSet", "metadata": object{"name": "s", "labels": object{"k": "1"}},
				"spec": object{"nets": list(n, func(i int) any { return outside(2*i) + "/32" })},
			}}, list(n, func(i int) any {
				return calicoPolicy(fmt.Sprint("p", i), "all()", []any{object{
					"action": "Deny", "protocol": "TCP", "source": object{"selector": "k == '1'"}, "destination": object{"ports": []any{1 + 2*i}},
				}})
			}))
		}},
		{"calico: tiers with a policy each", 100, func(n int) []any {
			return stage(list(n, func(i int) any {
				return object{"apiVersion": "projectcalico.org/v3", "kind": "Tier", "metadata": object{"name": fmt.Sprint("t", i)}, "spec": object{"order": i, "defaultAction": "Pass"}}
			}), list(n, func(i int) any {
				p := calicoPolicy(fmt.Sprintf("t%d.p", i), "all()", []any{object{
					"action": "Deny", "protocol": "TCP", "source": object{"nets": []any{outside(i) + "/32"}}, "destination": object{"ports": []any{1 + i}},
				}})
				return with(p, "spec", with(p["spec"].(object), "tier", fmt.Sprint("t", i)))
			}))
		}},
		{"calico: pods with a named port each", 40, func(n int) []any {
			return stage(list(n, func(i int) any {
				return hostilePod(1+i, "n1", object{}, object{"name": "web", "containerPort": 1 + 7*i})
			}), []any{calicoPolicy("p", "all()", []any{
				object{"action": "Allow", "protocol": "TCP", "source": object{"ports": []any{"web"}}, "destination": object{"ports": []any{"web"}, "notPorts": []any{"web"}}},
			})})
		}},
	}
}

func calicoPolicy(name, selector string, ingress []any) object {
	return object{
		"apiVersion": "projectcalico.org/v3", "kind": "GlobalNetworkPolicy", "metadata": object{"name": name},
		"spec": object{"selector": selector, "ingress": ingress},
	}
}
