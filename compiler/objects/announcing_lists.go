//go:build !js

package objects

import (
	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/compiler/objects/metallbv1beta1"
)

// lists are the lists of [Set.Lists] that are of these objects.
func (a *Announcing) lists() []List {
	return []List{
		listOf(metallbv1beta1.KindBGPPeer, &a.MetalLBPeers), listOf(metallbv1beta1.KindBGPAdvertisement, &a.MetalLBAdvertisements),
		listOf(metallbv1beta1.KindCommunity, &a.MetalLBCommunities), listOf(metallbv1beta1.KindBFDProfile, &a.MetalLBBFDProfiles),
		listOf(metallbv1beta1.KindL2Advertisement, &a.L2Advertisements),
		listOf(ciliumv2.KindBGPClusterConfig, &a.CiliumBGPClusters), listOf(ciliumv2.KindBGPPeerConfig, &a.CiliumBGPPeers),
		listOf(ciliumv2.KindBGPAdvertisement, &a.CiliumBGPAdvertisements), listOf(ciliumv2.KindBGPNodeConfigOverride, &a.CiliumBGPOverrides),
		listOf(ciliumv2.KindL2AnnouncementPolicy, &a.CiliumL2Policies),
	}
}
