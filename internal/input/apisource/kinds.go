package apisource

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	policyv1alpha1 "sigs.k8s.io/network-policy-api/apis/v1alpha1"
	policyv1beta1 "sigs.k8s.io/network-policy-api/apis/v1beta1"
)

// clusterPolicyAlpha is the version of ClusterNetworkPolicy in clusters whose
// definitions are older than network-policy-api v0.3.0.
var clusterPolicyAlpha = schema.GroupVersion{Group: policyv1beta1.GroupName, Version: "v1alpha2"}

// object is an object of the API.
type object interface {
	metav1.Object
	runtime.Object
}

// kind describes how one kind is watched.
type kind struct {
	kind     string
	group    schema.GroupVersion
	resource string
	object   object
	// labels and fields are selectors on the server, as in kube-proxy
	// (cmd/kube-proxy/app/server.go).
	labels, fields string
	// policies reports that only policies need the kind.
	policies bool
	// optional reports that the server may lack the kind.
	optional bool
	// older are versions with the same fields, for servers without the newest
	// one.
	older []schema.GroupVersion
	// beside, if not nil, are groups of which the server must have one for the kind to
	// be needed; the kind is optional then.
	beside []schema.GroupVersion
}

// title is the resource, with its group where Kubernetes has the name too.
func (k *kind) title() string {
	if k.group == calicoKept {
		return k.resource + "." + k.group.Group
	}
	return k.resource
}

// kinds lists the watched kinds for a node. Policies need all nodes, because
// peers may select them, and so do pod routes.
func kinds(node string, policies, allNodes bool) []kind {
	own := fields.OneTermEqualSelector(metav1.ObjectNameField, node).String()
	if policies || allNodes {
		own = ""
	}
	all := []kind{
		{kind: "Service", group: corev1.SchemeGroupVersion, resource: "services", object: &corev1.Service{}, labels: "!service.kubernetes.io/service-proxy-name", fields: "spec.clusterIP!=None"},
		{kind: "EndpointSlice", group: discoveryv1.SchemeGroupVersion, resource: "endpointslices", object: &discoveryv1.EndpointSlice{}, labels: "!service.kubernetes.io/headless"},
		{kind: "Node", group: corev1.SchemeGroupVersion, resource: "nodes", object: &corev1.Node{}, fields: own},
		{kind: "ServiceCIDR", group: networkingv1.SchemeGroupVersion, resource: "servicecidrs", object: &networkingv1.ServiceCIDR{}, optional: true},
		{kind: "Namespace", group: corev1.SchemeGroupVersion, resource: "namespaces", object: &corev1.Namespace{}, policies: true},
		{kind: "Pod", group: corev1.SchemeGroupVersion, resource: "pods", object: &corev1.Pod{}, policies: true},
		{kind: "NetworkPolicy", group: networkingv1.SchemeGroupVersion, resource: "networkpolicies", object: &networkingv1.NetworkPolicy{}, policies: true},
		{kind: "ClusterNetworkPolicy", group: schema.GroupVersion(policyv1beta1.GroupVersion), resource: "clusternetworkpolicies", object: &policyv1beta1.ClusterNetworkPolicy{}, policies: true, optional: true, older: []schema.GroupVersion{clusterPolicyAlpha}},
		{kind: "AdminNetworkPolicy", group: schema.GroupVersion(policyv1alpha1.GroupVersion), resource: "adminnetworkpolicies", object: &policyv1alpha1.AdminNetworkPolicy{}, policies: true, optional: true},
		{kind: "BaselineAdminNetworkPolicy", group: schema.GroupVersion(policyv1alpha1.GroupVersion), resource: "baselineadminnetworkpolicies", object: &policyv1alpha1.BaselineAdminNetworkPolicy{}, policies: true, optional: true},
	}
	all = append(all, calicoKinds()...)
	all = append(all, ciliumKinds()...)
	kept := all[:0]
	for _, k := range all {
		if policies || !k.policies {
			kept = append(kept, k)
		}
	}
	return kept
}
