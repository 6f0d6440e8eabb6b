package layout

import "net/netip"

// PrefixKeySize is the size of a PrefixKey in bytes.
const PrefixKeySize = 24

// The sets of the prefix map. The IPv6 prefixes have the
// next number (SetFor), so that ::/0 covers no IPv4 address.
const (
	// SetLocal are the source ranges of this node's pods, for DetectCIDR.
	SetLocal = 2
	// SetServiceCIDR are the ranges of ClusterIPs of a family that has more of them than
	// meta has room for: packets to an unused address in them are dropped.
	SetServiceCIDR = 4
	// SetNoMasquerade are the destinations that are excluded from the node's
	// egress masquerade.
	SetNoMasquerade = 6
	// SetNodePort are the ranges in which the node's own addresses serve
	// nodePorts.
	SetNodePort = 8
)

// FirstSourceSet is the first set of the source map. Each has one family, the image
// assigns the numbers, and equal lists share a set.
const FirstSourceSet = 1

// SetFor returns the set of a family.
func SetFor(set uint32, ipv6 bool) uint32 {
	if ipv6 {
		return set + 1
	}
	return set
}

// SetName returns the name of a set of the prefix map without its family: "local",
// "service-cidr", "no-masquerade" or "node-port", or "" if the set is unknown.
func SetName(set uint32) string {
	if set >= SetLocal && set <= SetNodePort+1 {
		return setNames[set/2-1]
	}
	return ""
}

var setNames = [...]string{"local", "service-cidr", "no-masquerade", "node-port"}

// PrefixKey is the key of the prefix and the source map (struct bpf_lpm_trie_key): the number of
// significant bits, then the bits. The set is always significant.
type PrefixKey struct {
	Bits    uint32  // the number of significant bits, including those of Set
	Set     BE32    // which set of prefixes
	Address Address // IPv4 as IPv4-mapped IPv6
}

// SetBits is the size of the set within PrefixKey.Bits, MaxPrefixBits the maximum
// of PrefixKey.Bits.
const (
	SetBits       = 32
	MaxPrefixBits = SetBits + 128
	ipv4Bits      = 96
)

// PrefixKeyOf returns the key of a prefix in a set.
func PrefixKeyOf(set uint32, p netip.Prefix) PrefixKey {
	bits := SetBits + p.Bits()
	if p.Addr().Is4() {
		bits += ipv4Bits
	}
	return PrefixKey{Bits: uint32(bits), Set: BE32Of(set), Address: AddressOf(p.Masked().Addr())}
}

// Prefix returns the prefix of the key. It is an IPv4 prefix if it lies in
// ::ffff:0:0/96, and invalid if Bits is.
func (k PrefixKey) Prefix() netip.Prefix {
	if k.Bits < SetBits || k.Bits > MaxPrefixBits {
		return netip.Prefix{}
	}
	bits, a := int(k.Bits)-SetBits, netip.AddrFrom16(k.Address)
	if a.Is4In6() && bits >= ipv4Bits {
		return netip.PrefixFrom(a.Unmap(), bits-ipv4Bits)
	}
	return netip.PrefixFrom(a, bits)
}

// Append appends the key's bytes.
func (k PrefixKey) Append(b []byte) []byte {
	b = le.AppendUint32(b, k.Bits)
	b = append(b, k.Set[:]...)
	return append(b, k.Address[:]...)
}

// DecodePrefixKey reads what Append writes.
func DecodePrefixKey(b []byte) PrefixKey {
	return PrefixKey{Bits: le.Uint32(b), Set: BE32(b[4:]), Address: Address(b[8:])}
}
