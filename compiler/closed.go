package compiler

import (
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// smallestClosed is the prefix length of the largest range of pod addresses that
// is closed: each of its addresses becomes an entry in the rules.
const smallestClosed = 20

// closedID is the profile of addresses that may belong to unknown pods.
const closedID = "closed/not-known-yet"

// known returns the addresses of the cluster's pods.
func known(pods []objects.Sourced[*corev1.Pod]) map[netip.Addr]bool {
	out := make(map[netip.Addr]bool, len(pods))
	for _, p := range pods {
		if objects.Finished(p.Object) {
			continue // another pod may have its address by now
		}
		for _, ip := range p.Object.Status.PodIPs {
			if a, err := netip.ParseAddr(ip.IP); err == nil {
				out[a.Unmap()] = true
			}
		}
	}
	return out
}

// closeUnknown adds the profile of the node's pod addresses without a known pod. A pod
// may already run there although its policies are not known yet, so only the node
// itself may connect to these addresses.
func closeUnknown(node objects.Sourced[*corev1.Node], known map[netip.Addr]bool, p *ir.Program, onDeny ir.Refusal, diags *diag.List) {
	var addresses []netip.Addr
	for i, text := range node.Object.Spec.PodCIDRs {
		at := objects.Origin("Node", node).At(fmt.Sprintf("spec.podCIDRs[%d]", i))
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			continue // the node's facts report it
		}
		if !prefix.Addr().Is4() || prefix.Bits() < smallestClosed {
			diags.Add(diag.OpenPodRange, at, fmt.Sprintf("%v stays open to pods that are not known yet", prefix))
			continue
		}
		for a := prefix.Masked().Addr(); prefix.Contains(a); a = a.Next() {
			if !known[a] && !slices.Contains(p.Node.Addresses, a) {
				addresses = append(addresses, a)
			}
		}
	}
	if len(addresses) == 0 {
		return
	}
	slices.SortFunc(addresses, netip.Addr.Compare)
	shut := []ir.Tier{{Kind: ir.NetworkTier, Default: ir.Deny, Isolating: []ir.Origin{objects.Origin("Node", node).At("spec.podCIDRs")}}}
	p.Policy.OnDeny = onDeny
	p.Policy.Profiles = append(p.Policy.Profiles, ir.Profile{
		ID: closedID, Pods: []ir.Pod{{Namespace: "closed", Name: "not-known-yet", Addresses: slices.Compact(addresses)}},
		Ingress: shut, Egress: slices.Clone(shut),
	})
}
