package nft

import "encoding/binary"

// Kind is the type of one value.
type Kind uint8

// The kinds. Values of all but VerdictKind have a fixed length, [Kind.Size].
const (
	// Addr4 and Addr6 are addresses.
	Addr4 Kind = iota + 1
	Addr6
	// Proto is a protocol's number, Port a port, big endian.
	Proto
	Port
	// Mark is a packet's mark, ClassID its priority as a traffic class handle: numbers
	// of 32 bits in the machine's byte order, as Index is, a number that was drawn.
	Mark
	ClassID
	Index
	// ConnID is conntrack's number of a connection, of 32 bits; it has no constants.
	ConnID
	// Iface is the number of an interface, in the machine's byte order; it has no constants.
	Iface
	// VerdictKind is a verdict, which is data only, and alone.
	VerdictKind
)

var sizes = [...]int{Addr4: 4, Addr6: 16, Proto: 1, Port: 2, Mark: 4, ClassID: 4, Index: 4, ConnID: 4, Iface: 4, VerdictKind: 16}

// Size is the length of a value in bytes, as the kernel has it in registers.
func (k Kind) Size() int { return sizes[k] }

// AppendNumber appends a value that is a number, in the kernel's form.
func (k Kind) AppendNumber(b []byte, n uint32) []byte {
	switch k {
	case Proto:
		return append(b, byte(n))
	case Port:
		return binary.BigEndian.AppendUint16(b, uint16(n))
	}
	return binary.NativeEndian.AppendUint32(b, n)
}

// Pad fills the last 32 bits of a field in a concatenation; b begins with the first
// field.
func Pad(b []byte) []byte {
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

// typeNames are the names that "type" declarations use.
var typeNames = map[string]Kind{
	"ipv4_addr": Addr4, "ipv6_addr": Addr6, "inet_proto": Proto, "inet_service": Port,
	"mark": Mark, "classid": ClassID, "iface_index": Iface, "verdict": VerdictKind,
}

// Source is what an expression reads of a packet.
type Source uint8

// The sources.
const (
	// NoSource is that of a field which is declared by its type alone.
	NoSource Source = iota
	// SourceAddr and DestAddr are "ip saddr", "ip daddr" and those of "ip6".
	SourceAddr
	DestAddr
	// DestPort is "th dport".
	DestPort
	// L4Proto, MetaMark and MetaPriority are "meta l4proto", "meta mark" and
	// "meta priority".
	L4Proto
	MetaMark
	MetaPriority
	// InInterface and OutInterface are "iif" and "oif".
	InInterface
	OutInterface
	// ConntrackID is "ct id".
	ConntrackID
	// Random is "numgen random mod N".
	Random
)

// Field is one field of a key: a type, or an expression.
type Field struct {
	Kind   Kind   // the type of the value
	Source Source // where the value is read from
	// Modulus is of Random: the number drawn is below it. It is not 0.
	Modulus uint32
}

// fields are the expressions without arguments.
var fields = map[[2]string]Field{
	{"ip", "saddr"}:      {Kind: Addr4, Source: SourceAddr},
	{"ip", "daddr"}:      {Kind: Addr4, Source: DestAddr},
	{"ip6", "saddr"}:     {Kind: Addr6, Source: SourceAddr},
	{"ip6", "daddr"}:     {Kind: Addr6, Source: DestAddr},
	{"th", "dport"}:      {Kind: Port, Source: DestPort},
	{"meta", "l4proto"}:  {Kind: Proto, Source: L4Proto},
	{"meta", "mark"}:     {Kind: Mark, Source: MetaMark},
	{"meta", "priority"}: {Kind: ClassID, Source: MetaPriority},
	{"ct", "id"}:         {Kind: ConnID, Source: ConntrackID},
}

// Words is how many registers of 32 bits fields take.
func Words(list []Field) int {
	n := 0
	for _, f := range list {
		n += (f.Kind.Size() + 3) / 4
	}
	return n
}

// Length is how long a key or data is in bytes: fields of a concatenation are padded.
func Length(list []Field) int {
	if len(list) == 1 {
		return list[0].Kind.Size()
	}
	return 4 * Words(list)
}
