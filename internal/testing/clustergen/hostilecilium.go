package clustergen

import "fmt"

// hostileCilium are shapes of Cilium's rules about authentication, which decide together.
func hostileCilium() []Shape {
	return []Shape{
		{"cilium: rules about authentication with a net and a port each", 100, func(n int) []any {
			return stage(list(n, func(i int) any {
				return ciliumPolicy(fmt.Sprint("p", i),
					object{"fromCIDR": []any{outside(i) + "/32"}, "toPorts": ciliumPort(1 + 2*i), "authentication": object{"mode": []string{"required", "disabled"}[i%2]}},
					object{"toPorts": ciliumPort(1 + 2*i)})
			}))
		}},
		{"cilium: a rule about authentication beside others with a port each", 200, func(n int) []any {
			return stage(list(n, func(i int) any {
				return ciliumPolicy(fmt.Sprint("p", i), object{"fromCIDR": []any{outside(i) + "/32"}, "toPorts": ciliumPort(1 + 2*i)})
			}), []any{ciliumPolicy("a", object{"fromEntities": []any{"all"}, "authentication": object{"mode": "required"}})})
		}},
	}
}

func ciliumPort(n int) []any {
	return []any{object{"ports": []any{object{"port": fmt.Sprint(n), "protocol": "TCP"}}}}
}

func ciliumPolicy(name string, ingress ...any) object {
	return object{
		"apiVersion": "cilium.io/v2", "kind": "CiliumClusterwideNetworkPolicy", "metadata": object{"name": name},
		"spec": object{"endpointSelector": object{}, "ingress": ingress},
	}
}
