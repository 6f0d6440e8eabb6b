package space

// Field is a field of a packet, or a fact about it.
type Field uint8

// The fields. Those that a packet lacks have the value 0: ports without a protocol that
// has them, a type without ICMP.
const (
	// Entry is where a packet enters the node, as package eval counts.
	Entry Field = iota
	// Interface is the name of the interface on which it arrived, see [Name].
	Interface
	// Protocol is the number of the IP protocol.
	Protocol
	// Destination and Source are addresses.
	Destination
	Source
	// Port and SourcePort are those of the transport header.
	Port
	SourcePort
	// Type is type and code of ICMP, as one number of 16 bits.
	Type
	// Midstream is 1 for a TCP segment without SYN.
	Midstream
	// State is the state of the connection, as package eval counts.
	State
	// Fields is the number of fields.
	Fields
)

// fieldNames are the names of fields in messages.
var fieldNames = [Fields]string{"entry", "interface", "protocol", "destination", "source", "port", "source port", "type", "midstream", "state"}

// String returns the field's name.
func (f Field) String() string { return fieldNames[f] }

// Box is the set of packets whose every field is in that field's set.
type Box struct {
	// IPv6 is the family of the addresses.
	IPv6 bool
	// Sets are by field; none is empty.
	Sets [Fields]Set
}

// Contains reports whether a packet with the values is in the box.
func (b *Box) Contains(values *[Fields]Number) bool {
	for f := range b.Sets {
		if !b.Sets[f].Contains(values[f]) {
			return false
		}
	}
	return true
}

// Every is the set of all numbers of n bits, 1 to 128.
func Every(n int) Set { return Of(Interval{Last: Highest(n)}) }
