package layout

import "bytes"

// Sizes in bytes.
const (
	PolicyIDSize  = 8
	PodSize       = 32
	ClassSize     = 4
	RowKeySize    = 16
	PortKeySize   = 16
	VerdictSize   = 4
	LogKeySize    = 12 // and of the value of log:
	LogPrefixSize = 32
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
	// PodOwn says that packets from the own node are judged: by the row of
	// DirectionOwn. Without it they pass.
	PodOwn = 1 << 2
	// PodEgressOpen and PodIngressOpen say that the direction denies nothing: its rows
	// only log, or it only judges packets from the own node.
	PodEgressOpen  = 1 << 3
	PodIngressOpen = 1 << 4

	// PodLogs says that a row of the pod logs: programs only count its packets, and what
	// the kernel's log must have is for rules of packets.
	PodLogs = 1 << 5

	podFlags = 1<<6 - 1
)

// The directions of a RowKey. DirectionOwn is the ingress of packets from the own
// node, whose class is always 0.
const (
	DirectionEgress  = 1
	DirectionIngress = 2
	DirectionOwn     = 3
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

// ValidFlags reports whether policies apply to the pod, only known flags are set, and
// each flag comes with that of its direction.
func (p *Pod) ValidFlags() bool {
	needs := p.Flags >> 3 & (PodEgress | PodIngress)
	if p.Flags&PodOwn != 0 {
		needs |= PodIngress
	}
	return p.Flags&(PodEgress|PodIngress) != 0 && p.Flags&^podFlags == 0 && needs&^p.Flags == 0
}

// Denies reports whether a direction denies anything that does not come from the own
// node.
func (p *Pod) Denies(direction uint8) bool {
	if direction == DirectionIngress {
		return p.Flags&(PodIngress|PodIngressOpen) == PodIngress
	}
	return p.Flags&(PodEgress|PodEgressOpen) == PodEgress
}

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

// Verdict is the value of port: what happens to a packet, a mark, and the number of
// the log that counts the packet.
type Verdict uint32

// The lowest byte of a Verdict.
const (
	VerdictAccept Verdict = 1
	VerdictDeny   Verdict = 2

	// VerdictSources marks every entry of a row that has entries in sport: a program
	// looks up the source port there, and if it finds a row, that row decides.
	VerdictSources Verdict = 1 << 8

	verdictBits Verdict = 0xff
)

// MaxLogs is the highest number of a log in a row.
const MaxLogs = 1<<16 - 1

// logShift is where the number of a log begins in a Verdict.
const logShift = 16

// VerdictOf returns a verdict that counts the packet in a log; 0 is none.
func VerdictOf(accept bool, log uint16) Verdict {
	v := VerdictDeny
	if accept {
		v = VerdictAccept
	}
	return v | Verdict(log)<<logShift
}

// Valid reports whether a program knows the verdict.
func (v Verdict) Valid() bool {
	kind := v & verdictBits
	return (kind == VerdictAccept || kind == VerdictDeny) && v&(1<<logShift-1)&^(verdictBits|VerdictSources) == 0
}

// Accepts reports whether the packet passes.
func (v Verdict) Accepts() bool { return v&verdictBits == VerdictAccept }

// Log returns the number of the log within the row, from 1, or 0 for none.
func (v Verdict) Log() uint16 { return uint16(v >> logShift) }

// LogKey is the key of log, whose value is a prefix of LogPrefixSize bytes: the
// characters, then zeroes. Programs count packets under the same key.
type LogKey struct {
	Row    PolicyID // the row that decides about the packet
	Number BE32     // Verdict.Log
}

// Append appends the key's bytes.
func (k LogKey) Append(b []byte) []byte { return append(append(b, k.Row[:]...), k.Number[:]...) }

// DecodeLogKey reads what Append writes.
func DecodeLogKey(b []byte) LogKey { return LogKey{PolicyID(b), BE32(b[PolicyIDSize:])} }

// AppendLogPrefix appends a log's prefix, which is at most ir.MaxPrefix bytes long.
func AppendLogPrefix(b []byte, prefix string) []byte {
	var value [LogPrefixSize]byte
	copy(value[:], prefix)
	return append(b, value[:]...)
}

// DecodePrefix reads what AppendLogPrefix writes.
func DecodeLogPrefix(b []byte) string { return string(bytes.TrimRight(b[:LogPrefixSize], "\x00")) }

// PortKey is the key of port and of sport (struct bpf_lpm_trie_key): the number of
// significant bits, then the bits. In port a row has one entry of RowBits with the
// verdict for all packets, and entries of at least ProtocolBits with other verdicts:
// port ranges as prefixes. In sport it has entries of at least ProtocolBits alone. A
// program looks up MaxPortBits; the place of the port has type and code of ICMP and
// ICMPv6, the type in the first byte, and 0 of all other protocols without ports.
type PortKey struct {
	Bits     uint32   // the number of significant bits after this field
	Row      PolicyID // the row of the pod and the peer
	Reserved uint8    // zero
	Protocol uint8    // IPPROTO_*
	Port     Port     // the destination port, in sport the source port, or the start of a range
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
