package ciliumv2

import (
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/planec/planec/compiler/objects/listed"
)

// AddToScheme registers the kinds and their lists in versions of the group.
func AddToScheme(s *runtime.Scheme, versions ...schema.GroupVersion) {
	listed.AddToScheme(s, versions,
		listed.Of[NetworkPolicy](KindNetworkPolicy), listed.Of[ClusterwideNetworkPolicy](KindClusterwideNetworkPolicy), listed.Of[CIDRGroup](KindCIDRGroup),
		listed.Of[LoadBalancerIPPool](KindLoadBalancerIPPool), listed.Of[L2AnnouncementPolicy](KindL2AnnouncementPolicy),
		listed.Of[BGPClusterConfig](KindBGPClusterConfig), listed.Of[BGPPeerConfig](KindBGPPeerConfig),
		listed.Of[BGPAdvertisement](KindBGPAdvertisement), listed.Of[BGPNodeConfigOverride](KindBGPNodeConfigOverride))
}
