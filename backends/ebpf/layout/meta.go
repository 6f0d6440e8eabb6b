package layout

import (
	"bytes"
	"encoding/binary"
)

// MetaSize is the size of Info in bytes, DigestSize that of a SHA-256.
const (
	MetaSize   = 104
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

	infoFlags = 1<<6 - 1
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
	// then has the maps pod, class, row and port.
	FeaturePolicies

	AllFeatures Features = 1<<iota - 1
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
	// Counts are the numbers of entries of the maps from Services to Prefixes.
	Counts [serviceMaps - 1]uint32
	// Detector is one of the modes. Two of them use Interface and its length; the
	// rest of Interface is zero.
	Detector     uint8
	InterfaceLen uint8   // the length of the name in Interface, in bytes; at most 15
	Reserved     [2]byte // zero
	// Interface is the interface's name or its prefix; it has the size of IFNAMSIZ.
	Interface [16]byte
	// PolicyCounts are the numbers of entries of the maps from Pods to Ports.
	PolicyCounts [NumMaps - serviceMaps]uint32
}

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
	b, _ = binary.Append(b, le, m) // Info has a fixed size
	return b
}

// DecodeInfo reads what Append writes.
func DecodeInfo(b []byte) Info {
	var m Info
	_, _ = binary.Decode(b[:MetaSize], le, &m) // as above
	return m
}

// ValidInfo reports whether this version knows the values of all fields except the
// counts and the digest.
func (m *Info) ValidInfo() bool {
	byName := m.Detector == DetectInterface || m.Detector == DetectInterfacePrefix
	n := int(m.InterfaceLen)
	if m.Features&FeaturePolicies == 0 && (m.Flags&FlagDenyReject != 0 || m.PolicyCounts != [NumMaps - serviceMaps]uint32{}) {
		return false
	}
	return m.Version == Version && m.Flags&^infoFlags == 0 && m.Features&^AllFeatures == 0 &&
		m.Detector <= DetectInterfacePrefix && byName == (n > 0) && n < len(m.Interface) &&
		bytes.IndexByte(m.Interface[:n], 0) < 0 && len(bytes.TrimRight(m.Interface[n:], "\x00")) == 0 &&
		m.Reserved == [2]byte{}
}

// InterfaceName returns the interface's name or its prefix.
func (m *Info) InterfaceName() string {
	return string(m.Interface[:min(int(m.InterfaceLen), len(m.Interface))])
}
