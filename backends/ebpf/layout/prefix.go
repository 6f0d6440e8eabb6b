package layout

import "net/netip"

// PrefixKeySize is the size of a PrefixKey in bytes.
const PrefixKeySize = 24

// The sets of the prefix map that every image may have. The set of IPv6
// prefixes is the next number (SetFor), so that ::/0 covers no IPv4 address.
const (
	// SetLocal are the sources that are pods of this node, with DetectCIDR.
	SetLocal = 2
	// SetServiceCIDR are the ranges of ClusterIPs: a packet to an address in
	// them that no Service has is dropped.
	SetServiceCIDR = 4
	// SetNoMasquerade are the destinations that the node's own masquerade
	// leaves alone.
	SetNoMasquerade = 6
	// SetNodePort are the ranges in which the node's own addresses serve
	// nodePorts.
	SetNodePort = 8
	// FirstSourceSet is the first set of source ranges. Those are of one family
	// each and are numbered by the image; equal lists are one set.
	FirstSourceSet = 16
)

// SetFor returns the set of a family.
func SetFor(set uint32, ipv6 bool) uint32 {
	if ipv6 {
		return set + 1
	}
	return set
}

// SetName returns the name of a set without its family: "local",
// "service-cidr", "no-masquerade", "node-port", "source", or "" for an unknown
// one.
func SetName(set uint32) string {
	switch {
	case set >= FirstSourceSet:
		return "source"
	case set >= SetLocal && set <= SetNodePort+1:
		return setNames[set/2-1]
	}
	return ""
}

var setNames = [...]string{"local", "service-cidr", "no-masquerade", "node-port"}

// PrefixKey is the key of the prefix map (struct bpf_lpm_trie_key): how many
// bits of the rest count, then the rest. The set always counts.
type PrefixKey struct {
	Bits    uint32  // how many bits of the rest count, those of Set among them
	Set     BE32    // which set of prefixes
	Address Address // IPv4 as IPv4-mapped IPv6
}

// SetBits is how many bits the set takes of PrefixKey.Bits, MaxPrefixBits how
// many there are.
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

// Prefix returns the prefix of the key, of IPv4 where all of ::ffff:0:0/96
// counts and the address is in it. It is not valid where Bits is not.
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
