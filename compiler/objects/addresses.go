package objects

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The annotations of Services that decide about addresses of type LoadBalancer. The second
// name of each is an older one of the same project.
const (
	CiliumAddresses         = "lbipam.cilium.io/ips" // of Cilium's pkg/annotation
	CiliumAddressesOld      = "io.cilium/lb-ipam-ips"
	CiliumSharingKey        = "lbipam.cilium.io/sharing-key"
	CiliumSharingKeyOld     = "io.cilium/lb-ipam-sharing-key"
	CiliumSharingAcross     = "lbipam.cilium.io/sharing-cross-namespace"
	CiliumSharingAcrossOld  = "io.cilium/lb-ipam-sharing-cross-namespace"
	MetalLBAddresses        = "metallb.io/loadBalancerIPs" // of MetalLB's controller/service.go
	MetalLBAddressesOld     = "metallb.universe.tf/loadBalancerIPs"
	MetalLBPool             = "metallb.io/address-pool"
	MetalLBPoolOld          = "metallb.universe.tf/address-pool"
	MetalLBAllowSharedIP    = "metallb.io/allow-shared-ip"
	MetalLBAllowSharedIPOld = "metallb.universe.tf/allow-shared-ip"
)

// AddressAnnotations returns those annotations.
func AddressAnnotations() []string {
	return []string{
		CiliumAddresses, CiliumAddressesOld, CiliumSharingKey, CiliumSharingKeyOld, CiliumSharingAcross, CiliumSharingAcrossOld,
		MetalLBAddresses, MetalLBAddressesOld, MetalLBPool, MetalLBPoolOld, MetalLBAllowSharedIP, MetalLBAllowSharedIPOld,
	}
}

// AllocatedCondition is the type of the condition that planec gives a Service whose load-balancer
// addresses it allocates. A Service without it was not planec's, whatever its status says.
const AllocatedCondition = "planec.io/AddressesAllocated"

// IsAllocated reports whether a Service has the condition.
func IsAllocated(s *corev1.Service) bool {
	return slices.ContainsFunc(s.Status.Conditions, func(c metav1.Condition) bool { return c.Type == AllocatedCondition })
}
