package objects

import "net/netip"

// Elsewhere returns the addresses of endpoints that have an entry in an EndpointSlice whose
// node is another one, or not named. The same address may have other entries too.
func (s *Set) Elsewhere(node string) map[netip.Addr]bool {
	out := make(map[netip.Addr]bool)
	for _, slice := range s.EndpointSlices {
		for i := range slice.Object.Endpoints {
			e := &slice.Object.Endpoints[i]
			if e.NodeName != nil && *e.NodeName == node {
				continue
			}
			for _, text := range e.Addresses {
				if a, err := netip.ParseAddr(text); err == nil {
					out[a.Unmap()] = true
				}
			}
		}
	}
	return out
}
