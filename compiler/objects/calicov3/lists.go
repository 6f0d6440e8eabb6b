package calicov3

import (
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/planec/planec/compiler/objects/listed"
)

// AddToScheme registers the kinds and their lists in a version of either group.
func AddToScheme(s *runtime.Scheme, groups ...schema.GroupVersion) {
	listed.AddToScheme(s, groups,
		listed.Of[NetworkPolicy]("NetworkPolicy"), listed.Of[GlobalNetworkPolicy]("GlobalNetworkPolicy"), listed.Of[Tier]("Tier"),
		listed.Of[NetworkSet]("NetworkSet"), listed.Of[GlobalNetworkSet]("GlobalNetworkSet"))
}
