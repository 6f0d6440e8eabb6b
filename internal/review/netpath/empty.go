package netpath

import (
	"fmt"
	"strings"

	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
)

// emptiness says why a node has no endpoint for a frontend.
func (n *Network) emptiness(f *ir.Frontend, node string) string {
	name := objects.Name{Namespace: f.Service.Namespace, Name: f.Service.Name}
	out := fmt.Sprintf("svc/%v has no endpoint", name)
	if at := f.Origin.Get().Position(); at != "" {
		out += " (" + at + ")"
	}
	slices, all, ready, here := 0, 0, 0, 0
	for _, src := range n.set.EndpointSlices {
		if objects.OwnerOf(src.Object) != name || familyOfSlice(src.Object) != ir.FamilyOf(f.Match.Address) && f.Match.Address.IsValid() {
			continue
		}
		slices++
		for i := range src.Object.Endpoints {
			e := &src.Object.Endpoints[i]
			all++
			if e.Conditions.Ready == nil || *e.Conditions.Ready {
				ready++
				if e.NodeName != nil && *e.NodeName == node {
					here++
				}
			}
		}
	}
	switch {
	case slices == 0:
		return out + ": the input has no EndpointSlice of it"
	case all == 0:
		return out + ": its EndpointSlices are empty"
	case ready == 0:
		return out + ": " + several(all, "none of its %d endpoints is ready", "its only endpoint is not ready")
	case here == 0 && local(f):
		return fmt.Sprintf("%s on %s: its traffic policy is Local, and %s", out, nodeWords(node), several(ready, "all %d of its endpoints are elsewhere", "its only endpoint is elsewhere"))
	}
	return out + " of this port"
}

// local reports whether some route of a frontend is for a node's own endpoints.
func local(f *ir.Frontend) bool {
	return strings.HasSuffix(f.Internal.Pool, "/local") || strings.HasSuffix(f.External.Pool, "/local")
}

func several(n int, many, one string) string {
	if n == 1 {
		return one
	}
	return fmt.Sprintf(many, n)
}

func familyOfSlice(s *discoveryv1.EndpointSlice) ir.Family {
	switch s.AddressType {
	case discoveryv1.AddressTypeIPv4:
		return ir.IPv4
	case discoveryv1.AddressTypeIPv6:
		return ir.IPv6
	}
	return 0
}
