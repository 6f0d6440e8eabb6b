package layout

// EndpointSize is the size of an Endpoint in bytes.
const EndpointSize = 32

// EndpointLocal marks an endpoint on this node. Packets that it sends to itself
// are masqueraded (hairpin).
const EndpointLocal = 1 << 0

// Endpoint is the value of ep. The endpoints of a pool are contiguous and sorted
// by address. They are the slots of an alias table (M. D. Vose, "A linear
// algorithm for generating random numbers with a given distribution", 1991), which
// draws with exact weights in constant time:
//
//	slot = random % Count
//	if random % Total >= ep[Base+slot].Threshold { slot = ep[Base+slot].Alias }
type Endpoint struct {
	Address Address // the endpoint's address
	Port    Port    // the endpoint's port
	Flags   uint16  // the bits of the constants above
	// Threshold is at most the pool's total weight, and equal to it if the slot
	// has no alias.
	Threshold uint32
	// Alias is the index of a slot relative to the pool's Base.
	Alias uint32
	// Weight is the endpoint's weight, for display and for a program that computes
	// the next table.
	Weight uint32
}

// Append appends the value's bytes.
func (e Endpoint) Append(b []byte) []byte {
	b = append(b, e.Address[:]...)
	b = append(b, e.Port[:]...)
	b = le.AppendUint16(b, e.Flags)
	b = le.AppendUint32(b, e.Threshold)
	b = le.AppendUint32(b, e.Alias)
	return le.AppendUint32(b, e.Weight)
}

// DecodeEndpoint reads what Append writes.
func DecodeEndpoint(b []byte) Endpoint {
	return Endpoint{
		Address: Address(b), Port: Port(b[16:]), Flags: le.Uint16(b[18:]),
		Threshold: le.Uint32(b[20:]), Alias: le.Uint32(b[24:]), Weight: le.Uint32(b[28:]),
	}
}
