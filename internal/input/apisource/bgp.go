package apisource

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/compiler/objects/metallbv1beta1"
)

var metalLBPeerVersion = schema.GroupVersion{Group: metallbv1beta1.Group, Version: metallbv1beta1.PeerVersion}

// bgpKinds lists what decides about what nodes announce by BGP: all nodes, because a Service
// with endpoints elsewhere may be announced here. Clusters may lack the kinds of either project.
func bgpKinds() []kind {
	metalLB := func(name, resource string, o object) kind {
		return kind{kind: name, group: metalLBVersion, resource: resource, object: o, optional: true}
	}
	cilium := func(name, resource string, o object) kind {
		return kind{kind: name, group: ciliumVersion, resource: resource, object: o, optional: true, older: []schema.GroupVersion{ciliumAlpha}}
	}
	peers := metalLB(metallbv1beta1.KindBGPPeer, "bgppeers", &metallbv1beta1.BGPPeer{})
	peers.group, peers.older = metalLBPeerVersion, []schema.GroupVersion{metalLBVersion}
	return append(addressKinds(),
		kind{kind: "EndpointSlice", group: discoveryv1.SchemeGroupVersion, resource: "endpointslices", object: &discoveryv1.EndpointSlice{}, labels: "!service.kubernetes.io/headless"},
		kind{kind: "Node", group: corev1.SchemeGroupVersion, resource: "nodes", object: &corev1.Node{}},
		peers,
		metalLB(metallbv1beta1.KindBGPAdvertisement, "bgpadvertisements", &metallbv1beta1.BGPAdvertisement{}),
		metalLB(metallbv1beta1.KindCommunity, "communities", &metallbv1beta1.Community{}),
		metalLB(metallbv1beta1.KindBFDProfile, "bfdprofiles", &metallbv1beta1.BFDProfile{}),
		cilium(ciliumv2.KindBGPClusterConfig, "ciliumbgpclusterconfigs", &ciliumv2.BGPClusterConfig{}),
		cilium(ciliumv2.KindBGPPeerConfig, "ciliumbgppeerconfigs", &ciliumv2.BGPPeerConfig{}),
		cilium(ciliumv2.KindBGPAdvertisement, "ciliumbgpadvertisements", &ciliumv2.BGPAdvertisement{}),
		cilium(ciliumv2.KindBGPNodeConfigOverride, "ciliumbgpnodeconfigoverrides", &ciliumv2.BGPNodeConfigOverride{}),
	)
}
