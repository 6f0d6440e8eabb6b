package clustergen

import (
	"encoding/json"
	"fmt"

	policyv1alpha1 "sigs.k8s.io/network-policy-api/apis/v1alpha1"
	policyv1beta1 "sigs.k8s.io/network-policy-api/apis/v1beta1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/calicov3"
	"github.com/planec/planec/compiler/objects/ciliumv2"
)

// DialectObjects returns a cluster as [PolicyObjects] does, in which a fourth of the
// policies each are NetworkPolicies, ClusterNetworkPolicies and AdminNetworkPolicies,
// Cilium's and Calico's, half of these about one namespace. They say what those of
// PolicyObjects say, and what only their dialect can.
func DialectObjects(size PolicySize) objects.Set {
	each := size.Policies / 4
	first := size
	first.Policies = size.Policies - 3*each
	set := PolicyObjects(first)
	for i := range each {
		ns := fmt.Sprintf("team-%04d", (i*4)%size.Namespaces)
		if i%2 == 0 {
			set.ClusterNetworkPolicies = append(set.ClusterNetworkPolicies, sourced[policyv1beta1.ClusterNetworkPolicy](clusterOf(i)))
			set.CiliumNetworkPolicies = append(set.CiliumNetworkPolicies, sourced[ciliumv2.NetworkPolicy](ciliumOf(i, ns)))
			set.CalicoNetworkPolicies = append(set.CalicoNetworkPolicies, sourced[calicov3.NetworkPolicy](calicoOf(i, ns)))
		} else {
			set.AdminNetworkPolicies = append(set.AdminNetworkPolicies, sourced[policyv1alpha1.AdminNetworkPolicy](adminOf(i)))
			set.CiliumClusterwideNetworkPolicies = append(set.CiliumClusterwideNetworkPolicies, sourced[ciliumv2.ClusterwideNetworkPolicy](ciliumOf(i, "")))
			set.CalicoGlobalNetworkPolicies = append(set.CalicoGlobalNetworkPolicies, sourced[calicov3.GlobalNetworkPolicy](calicoOf(i, "")))
		}
	}
	for i := range 20 {
		set.CalicoGlobalNetworkSets = append(set.CalicoGlobalNetworkSets, sourced[calicov3.GlobalNetworkSet](object{
			"metadata": object{"name": fmt.Sprint("partner-", i), "labels": object{"kind": "partner"}}, "spec": object{"nets": list(20, func(j int) any { return address("198.18.0.0", (i*20+j)<<4) + "/28" })},
		}))
	}
	set.CalicoTiers = append(set.CalicoTiers, sourced[calicov3.Tier](object{"metadata": object{"name": "security"}, "spec": object{"order": 100}}))
	return set
}

// sourced makes an object of its API form, which the caller has written.
func sourced[T any](from object) objects.Sourced[*T] {
	text, err := json.Marshal(from)
	out := new(T)
	if err == nil {
		err = json.Unmarshal(text, out)
	}
	if err != nil {
		panic(fmt.Sprintf("%v is no %T: %v", from, out, err)) // a mistake in this package
	}
	return objects.Sourced[*T]{Object: out}
}

func named(kind string, i int, namespace string) object {
	return object{"name": fmt.Sprintf("%s-%04d", kind, i), "namespace": namespace}
}

func divisionOf(i int) object {
	return object{"matchLabels": object{"division": fmt.Sprintf("division-%d", i%20)}}
}

func clusterOf(i int) object {
	peers := []any{object{"namespaces": divisionOf(i + 1)}}
	return object{"metadata": named("cluster", i, ""), "spec": object{
		"tier": "Admin", "priority": i % 1000, "subject": object{"namespaces": divisionOf(i)},
		"ingress": []any{object{"action": "Pass", "from": peers}, object{"action": "Deny", "from": []any{object{"namespaces": divisionOf(i + 2)}}, "protocols": []any{object{"tcp": object{"destinationPort": object{"number": 9000 + i%9}}}}}},
		"egress":  []any{object{"action": "Deny", "to": []any{object{"networks": []any{address("172.17.0.0", (i%50)<<8) + "/24"}}}}},
	}}
}

func adminOf(i int) object {
	return object{"metadata": named("admin", i, ""), "spec": object{
		"priority": i % 1000, "subject": object{"namespaces": divisionOf(i)},
		"ingress": []any{object{"action": "Allow", "from": []any{object{"namespaces": divisionOf(i + 3)}}, "ports": []any{object{"portNumber": object{"protocol": "TCP", "port": 9090}}}}},
		"egress":  []any{object{"action": "Pass", "to": []any{object{"namespaces": divisionOf(i + 4)}}}},
	}}
}

func ciliumOf(i int, namespace string) object {
	app := object{"matchLabels": object{"app": fmt.Sprintf("app-%d", (i+1)%apps)}}
	ports := func(port string, more object) []any {
		more["ports"] = []any{object{"port": port, "protocol": "TCP"}}
		return []any{more}
	}
	return object{"metadata": named("cilium", i, namespace), "spec": object{
		"endpointSelector": object{"matchLabels": object{"app": fmt.Sprintf("app-%d", i%apps), "tier": fmt.Sprintf("tier-%d", i%3)}},
		"ingress": []any{
			object{"fromEndpoints": []any{app}, "toPorts": ports("http", object{})},
			object{"fromEndpoints": []any{object{"matchLabels": object{"k8s:io.cilium.k8s.namespace.labels.division": fmt.Sprintf("division-%d", i%20)}}}, "toPorts": ports("9090", object{"rules": object{"http": []any{object{"method": "GET"}}}})},
			object{"fromEntities": []any{"remote-node"}},
		},
		"ingressDeny": []any{object{"fromCIDRSet": []any{object{"cidr": "0.0.0.0/0", "except": []any{address("172.18.0.0", (i%50)<<8) + "/24"}}}}},
		"egress":      []any{object{"toEntities": []any{"kube-apiserver", "cluster"}}, object{"toCIDR": []any{address("172.19.0.0", (i%50)<<8) + "/24"}, "toPorts": ports("443", object{})}},
	}}
}

func calicoOf(i int, namespace string) object {
	prefix, tier := "", "default"
	if i%4 > 1 {
		prefix, tier = "security.", "security"
	}
	return object{"metadata": named(prefix+"calico", i, namespace), "spec": object{
		"tier": tier, "order": i, "types": []any{"Ingress", "Egress"},
		"selector": fmt.Sprintf("app == 'app-%d' && tier != 'tier-%d'", i%apps, i%3),
		"ingress": []any{
			object{"action": "Allow", "protocol": "TCP", "source": object{"selector": fmt.Sprintf("app == 'app-%d'", (i+1)%apps)}, "destination": object{"ports": []any{"http"}}},
			object{"action": "Deny", "source": object{"selector": "kind == 'partner'"}},
			object{"action": "Pass", "source": object{"namespaceSelector": fmt.Sprintf("division == 'division-%d'", i%20)}},
		},
		"egress": []any{
			object{"action": "Allow", "protocol": "TCP", "destination": object{"notNets": []any{address("172.20.0.0", (i%50)<<8) + "/24"}, "ports": []any{443, "8000:8099"}}},
			object{"action": "Pass"},
		},
	}}
}
