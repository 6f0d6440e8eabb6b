package clustergen

import (
	"fmt"
	"slices"
)

// HostilePolicies returns shapes of policies and of the pods that they select.
func HostilePolicies() []Shape {
	return slices.Concat(hostileBlocks(), hostilePorts(), hostileSelectors(), hostileNamedPorts(), hostileClusterPolicies(), hostileCalico(), hostileCilium())
}

// hostileBlocks are shapes with many networks.
func hostileBlocks() []Shape {
	return []Shape{
		{"policy: blocks with one exception each", 400, func(n int) []any {
			return onePolicy([]any{from(list(n, func(i int) any { return block("0.0.0.0/0", outside(7*i)+"/32") })...)})
		}},
		{"policy: one block with many exceptions", 800, func(n int) []any {
			return onePolicy([]any{from(block("0.0.0.0/0", list(n, func(i int) any { return outside(7*i) + "/32" })...))})
		}},
		{"policy: rules with one exception and one port each", 40, func(n int) []any {
			return onePolicy(list(n, func(i int) any {
				return with(from(block("0.0.0.0/0", outside(9*i)+"/32")), "ports", []any{port(2 * i)})
			}))
		}},
		{"policy: rules with one exception each", 500, func(n int) []any {
			return onePolicy(list(n, func(i int) any { return from(block("0.0.0.0/0", outside(9*i)+"/32")) }))
		}},
	}
}

// hostilePorts are shapes with many ports, also per network.
func hostilePorts() []Shape {
	return []Shape{
		{"policy: ports", 2000, func(n int) []any {
			return onePolicy([]any{object{"ports": list(n, func(i int) any { return port(2 * i) })}})
		}},
		{"policy: overlapping ports", 1000, func(n int) []any {
			return onePolicy([]any{object{"ports": list(n, func(i int) any { return object{"port": 1 + i, "endPort": 30000 + i} })}})
		}},
		{"policy: a few rules beside one with many ports", 500, func(n int) []any {
			rules := list(20, func(i int) any {
				return with(from(block(outside(5*i)+"/32")), "ports", []any{port(2*i + 1)})
			})
			return onePolicy(append(rules, object{"ports": list(n, func(i int) any { return port(2 * i) })}))
		}},
		{"policy: nested blocks", 500, func(n int) []any {
			return onePolicy(list(n, func(i int) any {
				return with(from(block(fmt.Sprintf("12.%d.0.0/%d", i>>4&255, 16+i%16))), "ports", []any{port(i % 50)})
			}))
		}},
	}
}

// hostileSelectors are shapes with many selected pods and namespaces.
func hostileSelectors() []Shape {
	return []Shape{
		{"policies that each select a label", 100, func(n int) []any {
			pods := list(20, func(i int) any {
				labels := object{}
				for j := range n {
					if (i*7+j*3)%20 < 2 {
						labels[fmt.Sprint("l", j)] = "1"
					}
				}
				return hostilePod(1+i, "n1", labels)
			})
			return stage(pods, list(n, func(j int) any {
				p := policy(fmt.Sprint("p", j), "ingress", []any{with(from(object{"podSelector": labelOf("l", j)}), "ports", []any{port(j)})})
				return with(p, "spec", with(p["spec"].(object), "podSelector", labelOf("l", j+1)))
			}))
		}},
		{"pods, some on the node, that policies select by a label each", 200, func(n int) []any {
			pods := list(n, func(i int) any {
				return hostilePod(1+i, []string{"n1", "n2"}[min(i/20, 1)], object{fmt.Sprint("l", i): "1"})
			})
			return stage(pods, list(n, func(j int) any {
				p := policy(fmt.Sprint("p", j), "ingress", []any{from(block(outside(j) + "/32"))})
				return with(p, "spec", with(p["spec"].(object), "podSelector", labelOf("l", j)))
			}))
		}},
		{"policies of one pod", 300, func(n int) []any {
			return stage(list(n, func(i int) any {
				return policy(fmt.Sprint("p", i), "ingress", []any{with(from(block(outside(i)+"/32")), "ports", []any{port(i)})})
			}))
		}},
		{"namespaces that a policy names one by one", 300, func(n int) []any {
			return stage(
				list(n, func(i int) any { return hostileNamespace(fmt.Sprint("n", i), object{fmt.Sprint("k", i): "1"}) }),
				[]any{policy("p", "ingress", []any{from(list(n, func(i int) any { return object{"namespaceSelector": labelOf("k", i)} })...)})},
			)
		}},
		{"pods that a policy names one by one", 300, func(n int) []any {
			return stage(
				list(n, func(i int) any { return hostilePod(1+i, "n2", object{fmt.Sprint("k", i): "1"}) }),
				[]any{policy("p", "ingress", []any{from(list(n, func(i int) any { return object{"podSelector": labelOf("k", i)} })...)})},
			)
		}},
	}
}

// hostileNamedPorts are shapes with named ports, and with pods that share an address.
func hostileNamedPorts() []Shape {
	return []Shape{
		{"pods with a named port each, egress", 300, func(n int) []any {
			return stage(list(n, func(i int) any {
				return hostilePod(1+i, "n2", object{}, object{"name": "web", "containerPort": 1 + 7*i})
			}), []any{policy("p", "egress", []any{object{"to": []any{object{"podSelector": object{}}}, "ports": []any{object{"port": "web"}}}})})
		}},
		{"pods with a named port each, ingress", 300, func(n int) []any {
			return stage(list(n, func(i int) any {
				return hostilePod(1+i, "n1", object{}, object{"name": "web", "containerPort": 1 + 7*i})
			}), []any{policy("p", "ingress", []any{object{"ports": []any{object{"port": "web"}}}})})
		}},
		{"named ports of one pod", 300, func(n int) []any {
			ports := list(n, func(i int) any { return object{"name": fmt.Sprint("n", i), "containerPort": 1 + i} })
			names := list(n, func(i int) any { return object{"port": fmt.Sprint("n", i)} })
			return stage([]any{hostilePod(1, "n2", object{}, ports...)}, []any{
				policy("p", "egress", []any{object{"to": []any{object{"podSelector": object{}}}, "ports": names}}),
				policy("q", "ingress", []any{object{"ports": names}}),
			})
		}},
		{"pods that share an address", 500, func(n int) []any {
			return stage(list(n, func(i int) any {
				p := hostilePod(1+i, "n1", object{})
				return with(p, "status", object{"phase": "Running", "podIPs": []any{object{"ip": podIP(1)}}})
			}), []any{policy("p", "ingress", []any{})})
		}},
	}
}

// hostileClusterPolicies are shapes of cluster-wide policies.
func hostileClusterPolicies() []Shape {
	return []Shape{
		{"cluster policies of one priority", 200, func(n int) []any {
			return stage(list(n, func(i int) any {
				return clusterPolicy(fmt.Sprint("p", i), "Admin", 1, []any{clusterRule("Deny", i)})
			}))
		}},
		{"cluster policy: rules in turn", 25, func(n int) []any {
			turn := []string{"Accept", "Deny", "Pass"}
			return stage(list(2*n, func(i int) any {
				tier := []string{"Admin", "Baseline"}[i%2]
				return clusterPolicy(fmt.Sprint("p", i), tier, i, list(10, func(j int) any { return clusterRule(turn[(i/2+j)%3-(i%2)*((i/2+j)%3/2)], 100*i+j) }))
			}), []any{policy("p", "egress", list(n, func(i int) any { return object{"ports": []any{port(i)}} }))})
		}},
		{"admin policies", 100, func(n int) []any {
			return stage(list(n, func(i int) any {
				return object{
					"apiVersion": "policy.networking.k8s.io/v1alpha1", "kind": "AdminNetworkPolicy", "metadata": object{"name": fmt.Sprint("p", i)},
					"spec": object{"priority": i % 1000, "subject": object{"namespaces": object{}}, "ingress": []any{object{
						"action": "Deny", "from": []any{object{"namespaces": labelOf("k", i)}}, "ports": []any{object{"portNumber": object{"protocol": "TCP", "port": 1 + i}}},
					}}},
				}
			}))
		}},
	}
}

func labelOf(key string, i int) object {
	return object{"matchLabels": object{fmt.Sprint(key, i): "1"}}
}

func clusterPolicy(name, tier string, priority int, egress []any) object {
	return object{
		"apiVersion": "policy.networking.k8s.io/v1beta1", "kind": "ClusterNetworkPolicy", "metadata": object{"name": name},
		"spec": object{"tier": tier, "priority": priority, "subject": object{"namespaces": object{}}, "egress": egress},
	}
}

// clusterRule returns a rule for one network and one TCP port.
func clusterRule(action string, i int) object {
	return object{
		"action": action, "to": []any{object{"networks": []any{outside(i) + "/32"}}},
		"protocols": []any{object{"tcp": object{"destinationPort": object{"number": 1 + i%50}}}},
	}
}
