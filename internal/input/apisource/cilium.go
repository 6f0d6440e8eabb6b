package apisource

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/ciliumv2"
)

// The versions of Cilium's group; groups of CIDRs began in the second one.
var (
	ciliumVersion = schema.GroupVersion{Group: ciliumv2.Group, Version: ciliumv2.Version}
	ciliumAlpha   = schema.GroupVersion{Group: ciliumv2.Group, Version: ciliumv2.Alpha}
)

// ciliumKinds lists Cilium's kinds, and the one ConfigMap with the options of its agent.
func ciliumKinds() []kind {
	config := fields.AndSelectors(
		fields.OneTermEqualSelector(metav1.ObjectNameField, objects.CiliumConfigName),
		fields.OneTermEqualSelector("metadata.namespace", objects.CiliumConfigNamespace),
	).String()
	of := func(name, resource string, o object) kind {
		return kind{kind: name, group: ciliumVersion, resource: resource, object: o, policies: true, optional: true}
	}
	groups := of(ciliumv2.KindCIDRGroup, "ciliumcidrgroups", &ciliumv2.CIDRGroup{})
	groups.older = []schema.GroupVersion{ciliumAlpha}
	return []kind{
		of(ciliumv2.KindNetworkPolicy, "ciliumnetworkpolicies", &ciliumv2.NetworkPolicy{}),
		of(ciliumv2.KindClusterwideNetworkPolicy, "ciliumclusterwidenetworkpolicies", &ciliumv2.ClusterwideNetworkPolicy{}),
		groups,
		{
			kind: "ConfigMap", group: corev1.SchemeGroupVersion, resource: "configmaps", object: &corev1.ConfigMap{}, fields: config, policies: true, optional: true,
			beside: []schema.GroupVersion{ciliumVersion},
		},
	}
}
