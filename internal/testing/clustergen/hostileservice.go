package clustergen

import "fmt"

// HostileServices returns shapes of Services and EndpointSlices.
func HostileServices() []Shape {
	return []Shape{
		{"service: external IPs", 500, func(n int) []any {
			return services(1, func(int, object) object { return object{"externalIPs": list(n, func(i int) any { return outside(i) })} }, 1)
		}},
		{"service: ports", 300, func(n int) []any {
			return services(1, func(_ int, s object) object { return object{"ports": servicePorts(n)} }, n)
		}},
		{"service: external IPs by ports", 15, func(n int) []any {
			return services(1, func(int, object) object {
				return object{"externalIPs": list(n, func(i int) any { return outside(i) }), "ports": servicePorts(n)}
			}, n)
		}},
		{"service: load balancers by source ranges", 15, func(n int) []any {
			out := services(1, func(int, object) object {
				return object{"type": "LoadBalancer", "loadBalancerSourceRanges": list(n, func(i int) any { return outside(1000+3*i) + "/32" })}
			}, 1)
			out[1].(object)["status"] = object{"loadBalancer": object{"ingress": list(n, func(i int) any { return object{"ip": outside(i)} })}}
			return out
		}},
		{"service: source ranges", 500, func(n int) []any {
			out := services(1, func(int, object) object {
				return object{"type": "LoadBalancer", "loadBalancerSourceRanges": list(n, func(i int) any { return outside(1000+3*i) + "/32" })}
			}, 1)
			out[1].(object)["status"] = object{"loadBalancer": object{"ingress": []any{object{"ip": outside(0)}}}}
			return out
		}},
		{"services that claim one address", 200, func(n int) []any {
			return services(n, func(int, object) object { return object{"externalIPs": []any{outside(0)}} }, 1)
		}},
		{"service: lists the ClusterIPs of others", 200, func(n int) []any {
			return services(n, func(i int, _ object) object {
				if i > 0 {
					return nil
				}
				return object{"externalIPs": list(n, func(i int) any { return clusterIPOf(i) })}
			}, 1)
		}},
		{"services with one port for health checks", 200, func(n int) []any {
			return services(n, func(int, object) object {
				return object{"type": "LoadBalancer", "externalTrafficPolicy": "Local", "healthCheckNodePort": 30000}
			}, 1)
		}},
		{"slices: endpoints", 500, func(n int) []any {
			return append(services(1, func(int, object) object { return nil }, 1), endpointSlice(0, 1, n))
		}},
		{"slices: endpoints by ports", 15, func(n int) []any {
			out := services(1, func(int, object) object { return object{"ports": servicePorts(n)} }, n)
			return append(out, endpointSlice(0, n, n))
		}},
		{"slices with the same endpoints", 30, func(n int) []any {
			return append(services(1, func(int, object) object { return nil }, 1), list(n, func(i int) any { return endpointSlice(1+i, 1, 50) })...)
		}},
		{"services with the same endpoints", 60, func(n int) []any {
			return services(n, func(int, object) object { return nil }, 1)
		}},
		{"services given again and again", 100, func(n int) []any {
			out := services(1, func(int, object) object { return nil }, 1)
			return append(out, list(n, func(i int) any {
				s := services(1, func(int, object) object { return object{"externalIPs": []any{outside(i)}} }, 1)
				return s[1]
			})...)
		}},
	}
}

func clusterIPOf(i int) string { return fmt.Sprintf("10.96.%d.%d", (i+1)>>8, (i+1)&255) }

func servicePorts(n int) []any {
	return list(n, func(i int) any { return object{"name": fmt.Sprint("p", i), "port": 1 + i, "protocol": "TCP"} })
}

// services returns a node and n Services, each with a slice of one endpoint; more
// completes their specs.
func services(n int, more func(i int, spec object) object, ports int) []any {
	out := []any{hostileNode("192.0.2.1")}
	for i := range n {
		spec := object{"clusterIP": clusterIPOf(i), "clusterIPs": []any{clusterIPOf(i)}, "ports": servicePorts(1)}
		for k, v := range more(i, spec) {
			spec[k] = v
		}
		name := fmt.Sprint("s", i)
		out = append(out, object{"apiVersion": "v1", "kind": "Service", "metadata": object{"namespace": "a", "name": name}, "spec": spec},
			with(endpointSlice(0, ports, 1), "metadata", object{"namespace": "a", "name": name + "-0", "labels": object{"kubernetes.io/service-name": name}}))
	}
	return out
}

// endpointSlice returns slice i of the Service s0.
func endpointSlice(i, ports, endpoints int) object {
	return object{
		"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
		"metadata": object{"namespace": "a", "name": fmt.Sprint("more-", i), "labels": object{"kubernetes.io/service-name": "s0"}},
		"ports":    list(ports, func(i int) any { return object{"name": fmt.Sprint("p", i), "port": 1 + i, "protocol": "TCP"} }),
		"endpoints": list(endpoints, func(i int) any {
			return object{"addresses": []any{podIP(i)}, "nodeName": "n1"}
		}),
	}
}
