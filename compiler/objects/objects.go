package objects

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1alpha1 "sigs.k8s.io/network-policy-api/apis/v1alpha1"
	policyv1beta1 "sigs.k8s.io/network-policy-api/apis/v1beta1"

	"github.com/planec/planec/compiler/objects/calicov3"
	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/compiler/objects/metallbv1beta1"
	"github.com/planec/planec/ir"
)

// IgnoreAnnotation lists codes of findings, separated by commas, that `planec
// lint` does not show for the annotated object.
const IgnoreAnnotation = "planec.io/ignore"

// KindCalicoNetworkPolicy is what planec calls a NetworkPolicy of projectcalico.org,
// which has the name of a kind of Kubernetes.
const KindCalicoNetworkPolicy = "CalicoNetworkPolicy"

// Sourced is an object with the place it was read from. The object is shared
// and must not be changed.
type Sourced[T any] struct {
	Object T      // the object, or nil if it is gone
	File   string // the file as named on the command line, or ""
	// Line counts from 1; 0 is unknown.
	Line int
}

// Set is a collection of objects in any order. Each has the API server's
// defaults (see the manifest package), and fields that planec does not read
// may have been cleared.
type Set struct {
	Services       []Sourced[*corev1.Service]            // including headless ones and type ExternalName
	EndpointSlices []Sourced[*discoveryv1.EndpointSlice] // of all Services, by the label kubernetes.io/service-name
	Nodes          []Sourced[*corev1.Node]               // including other nodes than the compiled one
	Pods           []Sourced[*corev1.Pod]                // of all nodes, including finished ones
	Namespaces     []Sourced[*corev1.Namespace]          // for their labels, by which policies select
	ServiceCIDRs   []Sourced[*networkingv1.ServiceCIDR]  // ranges of ClusterIPs

	NetworkPolicies              []Sourced[*networkingv1.NetworkPolicy]                // networking.k8s.io/v1
	ClusterNetworkPolicies       []Sourced[*policyv1beta1.ClusterNetworkPolicy]        // policy.networking.k8s.io/v1beta1 and v1alpha2
	AdminNetworkPolicies         []Sourced[*policyv1alpha1.AdminNetworkPolicy]         // policy.networking.k8s.io/v1alpha1
	BaselineAdminNetworkPolicies []Sourced[*policyv1alpha1.BaselineAdminNetworkPolicy] // policy.networking.k8s.io/v1alpha1

	// Objects of Calico, of projectcalico.org/v3 and crd.projectcalico.org/v1.
	CalicoNetworkPolicies       []Sourced[*calicov3.NetworkPolicy]
	CalicoGlobalNetworkPolicies []Sourced[*calicov3.GlobalNetworkPolicy]
	CalicoTiers                 []Sourced[*calicov3.Tier]
	CalicoNetworkSets           []Sourced[*calicov3.NetworkSet]
	CalicoGlobalNetworkSets     []Sourced[*calicov3.GlobalNetworkSet]
	ServiceAccounts             []Sourced[*corev1.ServiceAccount] // for their labels, by which Calico's policies select

	// Objects of Cilium, of cilium.io/v2, and the ConfigMap kube-system/cilium-config
	// with the options of its agent.
	CiliumNetworkPolicies            []Sourced[*ciliumv2.NetworkPolicy]
	CiliumClusterwideNetworkPolicies []Sourced[*ciliumv2.ClusterwideNetworkPolicy]
	CiliumCIDRGroups                 []Sourced[*ciliumv2.CIDRGroup] // v2 and v2alpha1
	CiliumConfigs                    []Sourced[*corev1.ConfigMap]

	// Pools of addresses for Services of type LoadBalancer.
	CiliumPools  []Sourced[*ciliumv2.LoadBalancerIPPool] // v2 and v2alpha1
	MetalLBPools []Sourced[*metallbv1beta1.IPAddressPool]

	// Clusters are Services of several clusters.
	Clusters

	// Announcing says who announces these addresses.
	Announcing

	// Workloads, Endpoints and Entries are only filled on request.
	Workloads []Sourced[*Workload]
	Endpoints []Sourced[*Endpoints] // from which synth makes slices
	Entries   []Sourced[*Entry]     // Ingresses and routes
}

// HasDialects reports whether there are policies of other dialects than Kubernetes'.
func (s *Set) HasDialects() bool { return s.HasCalico() || s.HasCilium() }

// HasPools reports whether there are pools of addresses for Services of type LoadBalancer.
func (s *Set) HasPools() bool { return len(s.CiliumPools)+len(s.MetalLBPools) > 0 }

// Append adds the objects of other to s.
func (s *Set) Append(other Set) {
	s.Services = append(s.Services, other.Services...)
	s.EndpointSlices = append(s.EndpointSlices, other.EndpointSlices...)
	s.Nodes = append(s.Nodes, other.Nodes...)
	s.Pods = append(s.Pods, other.Pods...)
	s.Namespaces = append(s.Namespaces, other.Namespaces...)
	s.ServiceCIDRs = append(s.ServiceCIDRs, other.ServiceCIDRs...)
	s.NetworkPolicies = append(s.NetworkPolicies, other.NetworkPolicies...)
	s.ClusterNetworkPolicies = append(s.ClusterNetworkPolicies, other.ClusterNetworkPolicies...)
	s.AdminNetworkPolicies = append(s.AdminNetworkPolicies, other.AdminNetworkPolicies...)
	s.BaselineAdminNetworkPolicies = append(s.BaselineAdminNetworkPolicies, other.BaselineAdminNetworkPolicies...)
	s.CalicoNetworkPolicies = append(s.CalicoNetworkPolicies, other.CalicoNetworkPolicies...)
	s.CalicoGlobalNetworkPolicies = append(s.CalicoGlobalNetworkPolicies, other.CalicoGlobalNetworkPolicies...)
	s.CalicoTiers = append(s.CalicoTiers, other.CalicoTiers...)
	s.CalicoNetworkSets = append(s.CalicoNetworkSets, other.CalicoNetworkSets...)
	s.CalicoGlobalNetworkSets = append(s.CalicoGlobalNetworkSets, other.CalicoGlobalNetworkSets...)
	s.ServiceAccounts = append(s.ServiceAccounts, other.ServiceAccounts...)
	s.appendCilium(&other)
	s.CiliumPools = append(s.CiliumPools, other.CiliumPools...)
	s.MetalLBPools = append(s.MetalLBPools, other.MetalLBPools...)
	s.Clusters.append(&other.Clusters)
	s.Announcing.append(&other.Announcing)
	s.Workloads = append(s.Workloads, other.Workloads...)
	s.Endpoints = append(s.Endpoints, other.Endpoints...)
	s.Entries = append(s.Entries, other.Entries...)
}

// Meta is the metadata that every Kubernetes object has.
type Meta interface {
	GetNamespace() string
	GetName() string
}

// Origin returns the origin of a sourced object of the kind.
func Origin[T Meta](kind string, s Sourced[T]) ir.Origin {
	return ir.Origin{
		Kind:      kind,
		Namespace: s.Object.GetNamespace(),
		Name:      s.Object.GetName(),
		File:      s.File,
		Line:      s.Line,
	}
}
