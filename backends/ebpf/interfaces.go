package ebpf

import (
	"net/netip"

	"github.com/planec/planec/backends/ebpf/layout"
)

// AtInterfaces reports whether programs at the interfaces of pods belong to the image.
func (img *Image) AtInterfaces() bool { return img.Info().Flags&layout.FlagAtInterfaces != 0 }

// LocalSources returns the networks of this node's pods, where the node knows them as
// networks.
func (img *Image) LocalSources() (out []netip.Prefix) {
	m := &img.maps[layout.Prefixes]
	for i := range m.Len() {
		key := layout.DecodePrefixKey(m.Key(i))
		if n := key.Set.Number(); n == layout.SetFor(layout.SetLocal, false) || n == layout.SetFor(layout.SetLocal, true) {
			out = append(out, key.Prefix())
		}
	}
	return out
}
