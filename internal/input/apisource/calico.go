package apisource

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/calicov3"
)

// The groups of Calico: of its own API, which another server may answer, and of what it
// keeps. The latter is asked first, because it does not depend on that server.
var (
	calicoVersion = schema.GroupVersion{Group: calicov3.Group, Version: calicov3.Version}
	calicoKept    = schema.GroupVersion{Group: calicov3.CRDGroup, Version: calicov3.CRD}
)

// calicoKinds lists Calico's kinds, and ServiceAccounts, which only its policies ask for.
func calicoKinds() []kind {
	of := func(name, resource string, o object) kind {
		return kind{kind: name, group: calicoKept, resource: resource, object: o, policies: true, optional: true, older: []schema.GroupVersion{calicoVersion}}
	}
	return []kind{
		of(objects.KindCalicoNetworkPolicy, "networkpolicies", &calicov3.NetworkPolicy{}),
		of("GlobalNetworkPolicy", "globalnetworkpolicies", &calicov3.GlobalNetworkPolicy{}),
		of("Tier", "tiers", &calicov3.Tier{}),
		of("NetworkSet", "networksets", &calicov3.NetworkSet{}),
		of("GlobalNetworkSet", "globalnetworksets", &calicov3.GlobalNetworkSet{}),
		{
			kind: "ServiceAccount", group: corev1.SchemeGroupVersion, resource: "serviceaccounts", object: &corev1.ServiceAccount{}, policies: true, optional: true,
			beside: []schema.GroupVersion{calicoVersion, calicoKept},
		},
	}
}
