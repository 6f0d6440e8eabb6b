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
	return append(img.prefixes(layout.SetLocal, false), img.prefixes(layout.SetLocal, true)...)
}

// DirectSources returns the networks between whose pods packets may be handed past the node's
// stack: all of a family, or those that it does not masquerade to. There are none if the image
// does not ask for it.
func (img *Image) DirectSources() (out []netip.Prefix) {
	if img.Info().Flags&layout.FlagDirect == 0 {
		return nil
	}
	for _, family := range []struct {
		all        netip.Prefix
		masquerade uint32
	}{
		{netip.PrefixFrom(netip.IPv4Unspecified(), 0), layout.FlagMasqueradeIPv4},
		{netip.PrefixFrom(netip.IPv6Unspecified(), 0), layout.FlagMasqueradeIPv6},
	} {
		if img.Info().Flags&family.masquerade == 0 {
			out = append(out, family.all)
		} else {
			out = append(out, img.prefixes(layout.SetNoMasquerade, family.all.Addr().Is6())...)
		}
	}
	return out
}

// prefixes returns the networks of a set, in the order of the map.
func (img *Image) prefixes(set uint32, ipv6 bool) (out []netip.Prefix) {
	m := &img.maps[layout.Prefixes]
	for i := range m.Len() {
		if key := layout.DecodePrefixKey(m.Key(i)); key.Set.Number() == layout.SetFor(set, ipv6) {
			out = append(out, key.Prefix())
		}
	}
	return out
}
