package layout

import "bytes"

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
	// FlagMasqueradeIPv4 and FlagMasqueradeIPv6 turn on the node's own
	// masquerade of packets that leave for a destination that is neither its
	// own nor in SetNoMasquerade.
	FlagMasqueradeIPv4 = 1 << 1
	FlagMasqueradeIPv6 = 1 << 2
	// FlagNodePortAnyIPv4 and FlagNodePortAnyIPv6 say that every address of the
	// node's own but loopback serves nodePorts; SetNodePort is empty then.
	FlagNodePortAnyIPv4 = 1 << 3
	FlagNodePortAnyIPv6 = 1 << 4
	// FlagDenyReject answers what a policy denies with ICMP port unreachable;
	// without it denied packets are dropped.
	FlagDenyReject = 1 << 5

	infoFlags = 1<<6 - 1
)

// Features are what a program has to be able to do to serve an image: one that
// does not know a bit must refuse it.
type Features uint64

// The features, set when something in the image needs them.
const (
	FeatureAffinity Features = 1 << iota
	FeatureWeights
	FeatureSourceRanges
	FeatureNodePorts
	FeatureInterfaceDetector
	FeatureNodeMasquerade
	FeatureSCTP
	// FeaturePolicies is set when a pod of the node is policed, in an image with
	// the maps pod, class, row and port.
	FeaturePolicies

	AllFeatures Features = 1<<iota - 1
)

// FeatureNames are the names of the features, by bit.
func FeatureNames() []string {
	return []string{"affinity", "weights", "source-ranges", "node-ports", "interface-detector", "node-masquerade", "sctp", "policies"}
}

// Modes of the local detector; the numbers are the layout's own.
const (
	DetectNone            = 0
	DetectCIDR            = 1
	DetectInterface       = 2
	DetectInterfacePrefix = 3
)

// Info is the value of meta: which image this is, and the node's switches.
type Info struct {
	// Digest identifies the image: the SHA-256 of the table of maps, in which
	// meta's own digest is that of Info with a zero Digest.
	Digest   [DigestSize]byte
	Version  uint32   // the version of this layout, [Version]
	Flags    uint32   // the switches of the node: see the constants
	Features Features // what a program must be able to do
	// Counts are the entries of the maps from Services to Prefixes.
	Counts [serviceMaps - 1]uint32
	// Detector is one of the modes, with Interface and its length for the two
	// that need them. The rest of Interface is zero.
	Detector     uint8
	InterfaceLen uint8
	Reserved     [2]byte // zero
	// Interface has the size of IFNAMSIZ.
	Interface [16]byte
	// PolicyCounts are the entries of the maps from Pods to Ports.
	PolicyCounts [NumMaps - serviceMaps]uint32
}

// Count returns the entries of a map.
func (m *Info) Count(index int) uint32 {
	switch {
	case index == Meta:
		return 1
	case index < serviceMaps:
		return m.Counts[index-1]
	}
	return m.PolicyCounts[index-serviceMaps]
}

// SetCount says how many entries a map other than Meta has.
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
	b = append(b, m.Detector, m.InterfaceLen)
	b = append(b, m.Reserved[:]...)
	b = append(b, m.Interface[:]...)
	for _, n := range m.PolicyCounts {
		b = le.AppendUint32(b, n)
	}
	return b
}

// DecodeInfo reads what Append writes.
func DecodeInfo(b []byte) Info {
	m := Info{
		Digest: [DigestSize]byte(b), Version: le.Uint32(b[32:]), Flags: le.Uint32(b[36:]), Features: Features(le.Uint64(b[40:])),
		Detector: b[68], InterfaceLen: b[69], Reserved: [2]byte(b[70:]), Interface: [16]byte(b[72:]),
	}
	for i := range m.Counts {
		m.Counts[i] = le.Uint32(b[48+4*i:])
	}
	for i := range m.PolicyCounts {
		m.PolicyCounts[i] = le.Uint32(b[88+4*i:])
	}
	return m
}

// ValidInfo reports whether every field but the counts and the digest is one
// that this version knows.
func (m *Info) ValidInfo() bool {
	byName := m.Detector == DetectInterface || m.Detector == DetectInterfacePrefix
	n := int(m.InterfaceLen)
	if m.Features&FeaturePolicies == 0 && (m.Flags&FlagDenyReject != 0 || m.PolicyCounts != [NumMaps - serviceMaps]uint32{}) {
		return false
	}
	return m.Version == Version && m.Flags&^infoFlags == 0 && m.Features&^AllFeatures == 0 &&
		m.Detector <= DetectInterfacePrefix && byName == (n > 0) && n < len(m.Interface) &&
		bytes.IndexByte(m.Interface[:n], 0) < 0 && allZero(m.Interface[n:]) &&
		m.Reserved == [2]byte{}
}

// InterfaceName returns the interface's name or its start.
func (m *Info) InterfaceName() string {
	return string(m.Interface[:min(int(m.InterfaceLen), len(m.Interface))])
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
