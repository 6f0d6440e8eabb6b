package layout

// Sizes in bytes.
const (
	PolicyIDSize = 8
	PodSize      = 32
	ClassSize    = 4
	RowKeySize   = 16
	PortKeySize  = 16
	VerdictSize  = 4
)

// PolicyID is the identity of a profile or a row: eight bytes that are only copied
// and compared. They are the start of a hash, of a profile's name or of a row's
// content. So no list of numbers is stored, and equal contents are equal bytes in
// every image.
type PolicyID [PolicyIDSize]byte

// The rows that do not depend on the port, which are the most frequent ones. A
// program that finds one skips the look-up in port, which does not contain them.
// All other identities are greater. The zero PolicyID is not a row.
var (
	RowAccept = PolicyID{7: 1}
	RowDeny   = PolicyID{7: 2}
)

// Reserved reports whether no hash may have this identity.
func (id PolicyID) Reserved() bool { return [7]byte(id[:7]) == [7]byte{} }

// The flags of a Pod: the directions to which policies apply.
const (
	PodEgress  = 1 << 0
	PodIngress = 1 << 1

	podFlags = PodEgress | PodIngress
)

// The directions of a RowKey.
const (
	DirectionEgress  = 1
	DirectionIngress = 2
)

// Pod is the value of pod: the policies of a pod of this node. No policy applies
// to addresses that are not in pod (for example, an address in ::ffff:0:0/96 in
// the header of an IPv6 packet), or to a direction without its flag, whose row is
// zero.
type Pod struct {
	Profile PolicyID // the pod's profile
	// Egress and Ingress are the default rows, for peers whose class has no entry in row.
	Egress, Ingress PolicyID
	Flags           uint32  // which directions are judged
	Reserved        [4]byte // zero
}

// ValidFlags reports whether policies apply to the pod, and only known flags are set.
func (p *Pod) ValidFlags() bool { return p.Flags != 0 && p.Flags&^podFlags == 0 }

// Row returns the default row of a direction, and whether policies apply to it.
func (p *Pod) Row(direction uint8) (PolicyID, bool) {
	if direction == DirectionIngress {
		return p.Ingress, p.Flags&PodIngress != 0
	}
	return p.Egress, p.Flags&PodEgress != 0
}

// Append appends the value's bytes.
func (p Pod) Append(b []byte) []byte {
	b = append(b, p.Profile[:]...)
	b = append(b, p.Egress[:]...)
	b = append(b, p.Ingress[:]...)
	b = le.AppendUint32(b, p.Flags)
	return append(b, p.Reserved[:]...)
}

// DecodePod reads what Append writes.
func DecodePod(b []byte) Pod {
	return Pod{
		Profile: PolicyID(b), Egress: PolicyID(b[8:]), Ingress: PolicyID(b[16:]),
		Flags: le.Uint32(b[24:]), Reserved: [4]byte(b[28:]),
	}
}

// The sets of class, one per family, so that ::/0 covers no IPv4 address. The key
// is a PrefixKey, the value a class (AppendIndex). An address that no prefix
// covers is of class 0; a prefix of class 0 is a hole in a shorter one.
const (
	ClassesIPv4 = 4
	ClassesIPv6 = 6
)

// ClassSet returns the set of a family.
func ClassSet(ipv6 bool) uint32 {
	if ipv6 {
		return ClassesIPv6
	}
	return ClassesIPv4
}

// RowKey is the key of row.
type RowKey struct {
	Profile   PolicyID // the pod's profile
	Direction uint8    // egress or ingress
	Reserved  [3]byte  // zero
	Class     BE32     // the class of the peer's address
}

// Append appends the key's bytes.
func (k RowKey) Append(b []byte) []byte {
	b = append(b, k.Profile[:]...)
	b = append(b, k.Direction)
	b = append(b, k.Reserved[:]...)
	return append(b, k.Class[:]...)
}

// DecodeRowKey reads what Append writes.
func DecodeRowKey(b []byte) RowKey {
	return RowKey{Profile: PolicyID(b), Direction: b[8], Reserved: [3]byte(b[9:]), Class: BE32(b[12:])}
}

// The verdicts of port.
const (
	VerdictAccept = 1
	VerdictDeny   = 2
)

// PortKey is the key of port (struct bpf_lpm_trie_key): the number of significant
// bits, then the bits. A row has one entry of RowBits with the verdict for all
// packets, and entries of at least ProtocolBits with the other verdict: port
// ranges as prefixes. A program looks up MaxPortBits, with port 0 for protocols
// without ports.
type PortKey struct {
	Bits     uint32   // the number of significant bits after this field
	Row      PolicyID // the row of the pod and the peer
	Reserved uint8    // zero
	Protocol uint8    // IPPROTO_*
	Port     Port     // the destination port, or the start of a range
}

// The significant bits of a PortKey: the row, the row and the protocol, and all.
const (
	RowBits      = 64
	ProtocolBits = RowBits + 16
	MaxPortBits  = ProtocolBits + 16
)

// Append appends the key's bytes.
func (k PortKey) Append(b []byte) []byte {
	b = le.AppendUint32(b, k.Bits)
	b = append(b, k.Row[:]...)
	return append(b, k.Reserved, k.Protocol, k.Port[0], k.Port[1])
}

// DecodePortKey reads what Append writes.
func DecodePortKey(b []byte) PortKey {
	return PortKey{Bits: le.Uint32(b), Row: PolicyID(b[4:]), Reserved: b[12], Protocol: b[13], Port: Port(b[14:])}
}

// Range returns the first and the last port of a key of at least ProtocolBits.
func (k PortKey) Range() (first, last uint16) {
	first = k.Port.Number()
	return first, first | uint16(1<<(MaxPortBits-k.Bits)-1)
}
