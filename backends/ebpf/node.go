package ebpf

import (
	"net/netip"
	"slices"

	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir"
)

// layAddresses writes the flags of single addresses.
func (b *builder) layAddresses() {
	flags := make(map[netip.Addr]uint32)
	var order []netip.Addr
	for _, group := range []struct {
		addrs []netip.Addr
		flag  uint32
	}{
		{b.program.Node.Addresses, layout.AddressOwn},
		{b.program.Node.NodePorts.Addresses, layout.AddressNodePort},
	} {
		for _, a := range group.addrs {
			if flags[a] == 0 {
				order = append(order, a)
			}
			flags[a] |= group.flag
		}
	}
	t := &b.tables[layout.Addresses]
	t.grow(len(order))
	for _, a := range order {
		key := layout.AddressOf(a)
		t.data = layout.AppendIndex(append(t.data, key[:]...), flags[a])
	}
}

// layPrefixes writes the node's prefixes into one trie. A separate map for each set would
// cost a grace period when it is put into its slot.
func (b *builder) layPrefixes() {
	node := &b.program.Node
	if node.Local.Mode == ir.DetectCIDR {
		b.prefixes(layout.SetLocal, node.Local.CIDRs)
	}
	for _, family := range ir.Families() {
		list := canonicalPrefixes(ir.PrefixesOf(family, node.ServiceCIDRs))
		if !b.info.SetRanges(family == ir.IPv6, list) {
			b.prefixes(layout.SetServiceCIDR, list)
		}
	}
	for _, p := range b.program.Masquerade.Exclude {
		if b.program.Masquerade.Enabled(ir.FamilyOf(p.Addr())) {
			b.prefixes(layout.SetNoMasquerade, []netip.Prefix{p})
		}
	}
	for _, p := range node.NodePorts.Prefixes {
		if p.Bits() > 0 { // a flag covers a whole family
			b.prefixes(layout.SetNodePort, []netip.Prefix{p})
		}
	}
}

// canonicalPrefixes masks and sorts prefixes, and leaves out what is there twice.
func canonicalPrefixes(list []netip.Prefix) []netip.Prefix {
	out := make([]netip.Prefix, 0, len(list))
	for _, p := range list {
		out = append(out, p.Masked())
	}
	slices.SortFunc(out, ir.ComparePrefix)
	return slices.Compact(out)
}

// prefixes adds prefixes to the sets of their families.
func (b *builder) prefixes(set uint32, prefixes []netip.Prefix) {
	for _, p := range prefixes {
		b.prefix(layout.SetFor(set, p.Addr().Is6()), p)
	}
}

func (b *builder) prefix(set uint32, p netip.Prefix) {
	t := &b.tables[layout.Prefixes]
	t.data = layout.AppendIndex(layout.PrefixKeyOf(set, p).Append(t.data), 1)
}

// layInfo writes meta without the digest.
func (b *builder) layInfo() {
	info := &b.info
	info.Version, info.ABI = layout.Version, layout.ABI
	for i := range b.tables {
		if i != layout.Meta {
			info.SetCount(i, uint32(b.tables[i].Len()))
		}
	}
	node := &b.program.Node
	if node.DropInvalid {
		info.Flags |= layout.FlagDropInvalid
	}
	for _, family := range []struct {
		family              ir.Family
		masquerade, anyPort uint32
	}{
		{ir.IPv4, layout.FlagMasqueradeIPv4, layout.FlagNodePortAnyIPv4},
		{ir.IPv6, layout.FlagMasqueradeIPv6, layout.FlagNodePortAnyIPv6},
	} {
		if b.program.Masquerade.Enabled(family.family) {
			info.Flags |= family.masquerade
			info.Features |= layout.FeatureNodeMasquerade
		}
		for _, p := range ir.PrefixesOf(family.family, node.NodePorts.Prefixes) {
			if p.Bits() == 0 {
				info.Flags |= family.anyPort
			}
		}
	}
	b.detector(node.Local)
	b.tables[layout.Meta].data = info.Append(nil)
}

func (b *builder) detector(d ir.LocalDetector) {
	switch d.Mode {
	case ir.DetectCIDR:
		b.info.Detector = layout.DetectCIDR
		return
	case ir.DetectInterface:
		b.info.Detector = layout.DetectInterface
	case ir.DetectInterfacePrefix:
		b.info.Detector = layout.DetectInterfacePrefix
	default:
		return
	}
	b.info.Features |= layout.FeatureInterfaceDetector
	b.info.InterfaceLen = uint8(copy(b.info.Interface[:len(b.info.Interface)-1], d.Interface))
}
