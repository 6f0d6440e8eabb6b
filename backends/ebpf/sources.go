package ebpf

import (
	"net/netip"

	"github.com/planec/planec/backends/ebpf/layout"
)

// sourceLists returns the source ranges of each set, in the order of their addresses.
func (img *Image) sourceLists() map[uint32][]netip.Prefix {
	m := &img.maps[layout.Sources]
	out := make(map[uint32][]netip.Prefix)
	for _, i := range textOrder(m) {
		k := layout.DecodePrefixKey(m.Key(i))
		out[k.Set.Number()] = append(out[k.Set.Number()], k.Prefix())
	}
	return out
}
