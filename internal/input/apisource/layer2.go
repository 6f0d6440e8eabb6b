package apisource

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/compiler/objects/metallbv1beta1"
)

// layer2Kinds lists what decides about addresses that nodes answer for on layer 2: all nodes,
// because each knows who else may.
func layer2Kinds() []kind {
	return append(addressKinds(),
		kind{kind: "EndpointSlice", group: discoveryv1.SchemeGroupVersion, resource: "endpointslices", object: &discoveryv1.EndpointSlice{}, labels: "!service.kubernetes.io/headless"},
		kind{kind: "Node", group: corev1.SchemeGroupVersion, resource: "nodes", object: &corev1.Node{}},
		kind{kind: metallbv1beta1.KindL2Advertisement, group: metalLBVersion, resource: "l2advertisements", object: &metallbv1beta1.L2Advertisement{}, optional: true},
		kind{kind: ciliumv2.KindL2AnnouncementPolicy, group: ciliumAlpha, resource: "ciliuml2announcementpolicies", object: &ciliumv2.L2AnnouncementPolicy{}, optional: true},
	)
}
