package layout

import (
	"bytes"
	"math/bits"
	"net/netip"
)

// MetaSize is the size of Info in bytes, DigestSize that of a SHA-256.
const (
	MetaSize   = 408
	DigestSize = 32
)

// The flags of Info.
const (
	// FlagDropInvalid drops forwarded packets that connection tracking calls
	// invalid.
	FlagDropInvalid = 1 << 0
	// FlagMasqueradeIPv4 and FlagMasqueradeIPv6 enable the node's egress
	// masquerade of packets to destinations that are neither addresses of the node
	// nor in SetNoMasquerade.
	FlagMasqueradeIPv4 = 1 << 1
	FlagMasqueradeIPv6 = 1 << 2
	// FlagNodePortAnyIPv4 and FlagNodePortAnyIPv6 make every address of the node
	// except loopback serve nodePorts; SetNodePort is then empty.
	FlagNodePortAnyIPv4 = 1 << 3
	FlagNodePortAnyIPv6 = 1 << 4
	// FlagDenyReject answers denied packets with ICMP port unreachable; without it
	// they are dropped.
	FlagDenyReject = 1 << 5

	// FlagAtInterfaces says that programs at the interfaces of pods belong to the image.
	FlagAtInterfaces = 1 << 6
	// FlagDirect says that these hand packets from pod to pod, past the node's stack. It
	// comes with FlagAtInterfaces.
	FlagDirect = 1 << 7

	infoFlags = 1<<8 - 1
)

// Features are the abilities that a program needs to serve an image. A program
// must refuse an image with an unknown bit.
type Features uint64

// The features. Each is set only if an entry of the image needs it.
const (
	FeatureAffinity Features = 1 << iota
	FeatureWeights
	FeatureSourceRanges
	FeatureNodePorts
	FeatureInterfaceDetector
	FeatureNodeMasquerade
	FeatureSCTP
	// FeaturePolicies is set if policies apply to a pod of the node; the image
	// then has the maps pod, class, row, port, sport and log.
	FeaturePolicies

	// ServiceFeatures are those that entries of svc need.
	ServiceFeatures = FeatureAffinity | FeatureWeights | FeatureSourceRanges | FeatureNodePorts | FeatureSCTP

	AllFeatures Features = FeaturePolicies<<1 - 1
)

// FeatureNames returns the names of the features by bit.
func FeatureNames() []string {
	return []string{"affinity", "weights", "source-ranges", "node-ports", "interface-detector", "node-masquerade", "sctp", "policies"}
}

// Modes of the local detector; the numbers are specific to this layout.
const (
	DetectNone            = 0
	DetectCIDR            = 1
	DetectInterface       = 2
	DetectInterfacePrefix = 3
)

// Info is the value of meta: the identity of the image and the node's settings.
type Info struct {
	// Digest identifies the image: the SHA-256 of the table of maps, in which the
	// digest of meta is computed with a zero Digest.
	Digest   [DigestSize]byte
	Version  uint32   // the version of this layout, [Version]
	Flags    uint32   // the settings of the node: see the constants
	Features Features // what a program must be able to do
	// Counts are the numbers of entries of the maps from Services to Sources.
	Counts [serviceMaps - 1]uint32
	// Detector is one of the modes. Two of them use Interface and its length; the
	// rest of Interface is zero.
	Detector     uint8
	InterfaceLen uint8 // the length of the name in Interface, in bytes; at most 15
	// RangeCounts are how many service ranges of IPv4 and of IPv6 are in Ranges, or
	// RangesElsewhere.
	RangeCounts [2]uint8
	// Interface is the interface's name or its prefix; it has the size of IFNAMSIZ.
	Interface [16]byte
	// PolicyCounts are the numbers of entries of the maps from Pods to Logs.
	PolicyCounts [NumMaps - serviceMaps]uint32
	// ABI is what programs must be written for, [ABI].
	ABI      uint32
	Reserved uint32 // zero
	// Node is the profile of the node itself and of pods on its network, or zero. It is
	// for packets that the node sends and that are delivered to it, which rules of
	// packets judge and not the programs.
	Node Pod
	// Ranges are the ranges of ClusterIPs, those of IPv4 in the first half: packets to an
	// unused address in them are dropped.
	Ranges [2 * MaxRanges]Range
}

// ABI is the version of what programs and maps agree about: the maps that a program looks
// up, their keys and values, and what they mean. A program of another version must not be
// attached over the maps.
const ABI = 3

// MaxRanges is how many service ranges of a family meta has room for. If there are more,
// RangesElsewhere is their number, and all of them are in SetServiceCIDR.
const (
	MaxRanges       = 4
	RangesElsewhere = 255
)

// Range is a service range: an address is in it if its bits under the mask are those of
// Address.
type Range struct{ Address, Mask Address }

// RangeOf returns the range of a prefix.
func RangeOf(p netip.Prefix) (r Range) {
	k := PrefixKeyOf(0, p)
	r.Address = k.Address
	for i := range k.Bits - SetBits {
		r.Mask[i/8] |= 0x80 >> (i % 8)
	}
	return r
}

// Prefix returns the prefix of a range, which is invalid if the mask is none.
func (r Range) Prefix() netip.Prefix {
	n := 0
	for n < len(r.Mask) && r.Mask[n] == 0xff {
		n++
	}
	n *= 8
	if n < 128 {
		n += bits.LeadingZeros8(^r.Mask[n/8])
	}
	p := PrefixKey{Bits: SetBits + uint32(n), Address: r.Address}.Prefix()
	if !p.IsValid() || RangeOf(p) != r {
		return netip.Prefix{}
	}
	return p
}

// ServiceRanges returns the service ranges of a family that are in meta, which must be
// valid.
func (m *Info) ServiceRanges(ipv6 bool) []Range {
	f := familyIndex(ipv6)
	if m.RangeCounts[f] == RangesElsewhere {
		return nil
	}
	return m.Ranges[f*MaxRanges:][:m.RangeCounts[f]]
}

// SetRanges writes the service ranges of a family into meta, or reports that it has no
// room for them.
func (m *Info) SetRanges(ipv6 bool, list []netip.Prefix) bool {
	f := familyIndex(ipv6)
	if len(list) > MaxRanges {
		m.RangeCounts[f] = RangesElsewhere
		return false
	}
	m.RangeCounts[f] = uint8(len(list))
	for i, p := range list {
		m.Ranges[f*MaxRanges+i] = RangeOf(p)
	}
	return true
}

func familyIndex(ipv6 bool) int {
	if ipv6 {
		return 1
	}
	return 0
}

// validRanges reports whether the ranges are of their families, in order, and the rest is
// zero.
func (m *Info) validRanges() bool {
	for _, ipv6 := range []bool{false, true} {
		f := familyIndex(ipv6)
		if n := m.RangeCounts[f]; n > MaxRanges && n != RangesElsewhere {
			return false
		}
		list := m.ServiceRanges(ipv6)
		for i, r := range list {
			p := r.Prefix()
			if !p.IsValid() || p.Addr().Is4() == ipv6 || i > 0 && bytes.Compare(list[i-1].bytes(), r.bytes()) >= 0 {
				return false
			}
		}
		for _, r := range m.Ranges[f*MaxRanges+len(list) : (f+1)*MaxRanges] {
			if r != (Range{}) {
				return false
			}
		}
	}
	return true
}

func (r Range) bytes() []byte { return append(r.Address[:], r.Mask[:]...) }

// Count returns the number of entries of a map.
func (m *Info) Count(index int) uint32 {
	switch {
	case index == Meta:
		return 1
	case index < serviceMaps:
		return m.Counts[index-1]
	}
	return m.PolicyCounts[index-serviceMaps]
}

// SetCount sets the number of entries of a map other than Meta.
func (m *Info) SetCount(index int, n uint32) {
	if index < serviceMaps {
		m.Counts[index-1] = n
		return
	}
	m.PolicyCounts[index-serviceMaps] = n
}

// Append appends the value's bytes.
func (m *Info) Append(b []byte) []byte {
	b = append(b, m.Digest[:]...)
	b = le.AppendUint32(b, m.Version)
	b = le.AppendUint32(b, m.Flags)
	b = le.AppendUint64(b, uint64(m.Features))
	for _, n := range m.Counts {
		b = le.AppendUint32(b, n)
	}
	b = append(b, m.Detector, m.InterfaceLen, m.RangeCounts[0], m.RangeCounts[1])
	b = append(b, m.Interface[:]...)
	for _, n := range m.PolicyCounts {
		b = le.AppendUint32(b, n)
	}
	b = le.AppendUint32(b, m.ABI)
	b = le.AppendUint32(b, m.Reserved)
	b = m.Node.Append(b)
	for i := range m.Ranges {
		b = append(b, m.Ranges[i].Address[:]...)
		b = append(b, m.Ranges[i].Mask[:]...)
	}
	return b
}

// DecodeInfo reads what Append writes.
func DecodeInfo(b []byte) Info {
	m := Info{
		Digest: [DigestSize]byte(b), Version: le.Uint32(b[32:]), Flags: le.Uint32(b[36:]), Features: Features(le.Uint64(b[40:])),
		Detector: b[68], InterfaceLen: b[69], RangeCounts: [2]uint8(b[70:]), Interface: [16]byte(b[72:]),
		ABI: le.Uint32(b[112:]), Reserved: le.Uint32(b[116:]), Node: DecodePod(b[120:]),
	}
	for i := range m.Counts {
		m.Counts[i] = le.Uint32(b[48+4*i:])
	}
	for i := range m.PolicyCounts {
		m.PolicyCounts[i] = le.Uint32(b[88+4*i:])
	}
	for i := range m.Ranges {
		at := b[152+2*AddressSize*i:]
		m.Ranges[i] = Range{Address(at), Address(at[AddressSize:])}
	}
	return m
}

// ValidInfo reports whether this version knows the values of all fields except the
// counts and the digest.
func (m *Info) ValidInfo() bool {
	byName := m.Detector == DetectInterface || m.Detector == DetectInterfacePrefix
	n := int(m.InterfaceLen)
	if m.Features&FeaturePolicies == 0 && (m.Flags&FlagDenyReject != 0 || m.PolicyCounts != [NumMaps - serviceMaps]uint32{} || m.Node != Pod{}) {
		return false
	}
	return m.Version == Version && m.Flags&^infoFlags == 0 && m.Features&^AllFeatures == 0 &&
		m.Detector <= DetectInterfacePrefix && byName == (n > 0) && n < len(m.Interface) &&
		bytes.IndexByte(m.Interface[:n], 0) < 0 && len(bytes.TrimRight(m.Interface[n:], "\x00")) == 0 &&
		m.Reserved == 0 && m.ABI == ABI && m.validRanges()
}

// InterfaceName returns the interface's name or its prefix.
func (m *Info) InterfaceName() string {
	return string(m.Interface[:min(int(m.InterfaceLen), len(m.Interface))])
}
