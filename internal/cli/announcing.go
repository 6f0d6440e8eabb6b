//go:build !js

package cli

import (
	"slices"
	"sync"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/frr"
	"github.com/planec/planec/compiler/announce"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/compiler/objects/metallbv1beta1"
	"github.com/planec/planec/ir/diag"
)

// announces makes the loaded input write frr.conf beside the rules, with --bgp frr.
func (l *loaded) announces() {
	if l.config.BGP == "" {
		return
	}
	cluster := sync.OnceValue(l.announcing)
	l.beside = append(l.beside, companion{frr.Name, func(node string) (backends.Artifact, diag.List) {
		s, diags := cluster().BGP(node)
		return frr.Emit(&s, l.frrOptions()), diags
	}})
}

func (l *loaded) frrOptions() frr.Options {
	return frr.Options{NoComments: l.options.NoComments, Passwords: l.config.BGPPasswords && !l.compared}
}

// announcing reads who announces what.
func (l *loaded) announcing() *announce.Cluster { return announce.New(&l.objects, l.balancing) }

// announced are the findings about announcements that are of no one node.
func (l *loaded) announced() diag.List {
	if l.config.BGP == "" {
		return nil
	}
	return l.announcing().Diagnostics()
}

// announcingObjects are the objects that say who announces addresses, as [printable] has them.
func announcingObjects(set *objects.Set) []any {
	a := &set.Announcing
	return slices.Concat(
		typed("metallb.io/v1beta2", metallbv1beta1.KindBGPPeer, a.MetalLBPeers),
		typed("metallb.io/v1beta1", metallbv1beta1.KindBGPAdvertisement, a.MetalLBAdvertisements),
		typed("metallb.io/v1beta1", metallbv1beta1.KindCommunity, a.MetalLBCommunities),
		typed("metallb.io/v1beta1", metallbv1beta1.KindBFDProfile, a.MetalLBBFDProfiles),
		typed("metallb.io/v1beta1", metallbv1beta1.KindL2Advertisement, a.L2Advertisements),
		typed("cilium.io/v2", ciliumv2.KindBGPClusterConfig, a.CiliumBGPClusters),
		typed("cilium.io/v2", ciliumv2.KindBGPPeerConfig, a.CiliumBGPPeers),
		typed("cilium.io/v2", ciliumv2.KindBGPAdvertisement, a.CiliumBGPAdvertisements),
		typed("cilium.io/v2", ciliumv2.KindBGPNodeConfigOverride, a.CiliumBGPOverrides),
		typed("cilium.io/v2alpha1", ciliumv2.KindL2AnnouncementPolicy, a.CiliumL2Policies),
	)
}
