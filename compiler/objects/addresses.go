package objects

import (
	"net/netip"
	"slices"
	"strings"

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
// addresses it allocates. A Service without it was not planec's, whatever its status says. Its
// message begins with the addresses that planec wrote, so that one that another controller wrote
// over them is not taken for planec's: see [AllocatedMessage].
const AllocatedCondition = "planec.io/AddressesAllocated"

// noAddress stands in the message where there is none.
const noAddress = "no address"

// AllocatedMessage is the message of the condition: the addresses, and what else is to be said.
func AllocatedMessage(addrs []netip.Addr, more string) string {
	parts := make([]string, 0, len(addrs))
	for _, a := range addrs {
		parts = append(parts, a.String())
	}
	text := strings.Join(parts, ", ")
	if text == "" {
		text = noAddress
	}
	if more != "" {
		text += "; " + more
	}
	return text
}

// Allocated returns the addresses that planec wrote into the status of a Service, as the
// condition has them, and whether there is the condition.
func Allocated(s *corev1.Service) (addrs []netip.Addr, there bool) {
	i := slices.IndexFunc(s.Status.Conditions, func(c metav1.Condition) bool { return c.Type == AllocatedCondition })
	if i < 0 {
		return nil, false
	}
	text, _, _ := strings.Cut(s.Status.Conditions[i].Message, ";")
	for part := range strings.SplitSeq(text, ",") {
		if a, err := netip.ParseAddr(strings.TrimSpace(part)); err == nil {
			addrs = append(addrs, a)
		}
	}
	return addrs, true
}
