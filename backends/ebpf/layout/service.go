package layout

// Sizes in bytes.
const (
	ServiceKeySize = 20
	RouteSize      = 16
	ServiceSize    = 64
)

// Scope says what a ServiceKey's address is, in bits.
type Scope uint8

// The bits of a Scope.
const (
	// ScopeIPv6 is set for IPv6, so that no IPv6 packet finds an IPv4 entry.
	ScopeIPv6 Scope = 1 << 0
	// ScopeNodePort marks an entry for all nodePort addresses of the family:
	// its address is zero, and the packet's destination has to be one of them
	// by the addr map or, with the node's own addresses, the prefix map.
	ScopeNodePort Scope = 1 << 1
)

// ServiceKey is the key of svc: what a packet is sent to. Programs ask for the
// address first and for the nodePort second.
type ServiceKey struct {
	Address  Address // zero with the scope of nodePorts
	Port     Port    // the destination port
	Protocol uint8   // IPPROTO_*
	Scope    Scope   // an address, or the node's nodePort addresses
}

// Append appends the key's bytes.
func (k ServiceKey) Append(b []byte) []byte {
	b = append(b, k.Address[:]...)
	return append(b, k.Port[0], k.Port[1], k.Protocol, byte(k.Scope))
}

// DecodeServiceKey reads what Append writes.
func DecodeServiceKey(b []byte) ServiceKey {
	return ServiceKey{Address: Address(b), Port: Port(b[16:]), Protocol: b[18], Scope: Scope(b[19])}
}

// Masquerade rules of a route; the numbers are the layout's own.
const (
	MasqueradeNever             = 0
	MasqueradeUnlessLocalSource = 1
	MasqueradeAlways            = 2
)

// Verdicts of a route whose pool is empty. With sockets, reject is an error of
// connect(2), on the wire an ICMP port unreachable.
const (
	EmptyReject = 0
	EmptyDrop   = 1
)

// RouteWeighted says that the endpoints of the pool are not equally likely, so
// that the second draw (Endpoint.Threshold) is needed.
const RouteWeighted = 1 << 0

// Route is one of the two routes of a Service: a range of ep and what to do with
// the packet. The number of endpoints is 0 when there are none, and Base and
// Total are 0 then.
type Route struct {
	// Base is the index of the pool's first endpoint, which names the pool too
	// (MemberKey.Pool).
	Base, Count uint32
	// Total is the sum of the weights.
	Total      uint32
	Masquerade uint8  // when the source is replaced: see the constants
	OnEmpty    uint8  // what happens to packets while Count is 0
	Flags      uint16 // the bits of the constants below
}

// Append appends the route's bytes.
func (r Route) Append(b []byte) []byte {
	b = le.AppendUint32(b, r.Base)
	b = le.AppendUint32(b, r.Count)
	b = le.AppendUint32(b, r.Total)
	b = append(b, r.Masquerade, r.OnEmpty)
	return le.AppendUint16(b, r.Flags)
}

// DecodeRoute reads what Append writes.
func DecodeRoute(b []byte) Route {
	return Route{
		Base: le.Uint32(b), Count: le.Uint32(b[4:]), Total: le.Uint32(b[8:]),
		Masquerade: b[12], OnEmpty: b[13], Flags: le.Uint16(b[14:]),
	}
}

// Service is the value of svc, one cache line: both routes, so that a packet
// needs one lookup wherever it comes from.
type Service struct {
	// ID is the identity of the Service port, shared by all its frontends: the
	// key of affinity. It survives every recompilation.
	ID                 uint64
	Internal, External Route // the routes of packets from local pods and the node, and of all others
	// Affinity is in seconds; 0 is none.
	Affinity uint32
	// Sources is the set of the prefix map that a source has to be in, or the
	// packet is dropped before anything else; 0 is no restriction.
	Sources uint32
	// Kind is the ir.FrontendKind, for people and statistics.
	Kind     uint8
	Reserved [15]byte // zero
}

// Append appends the value's bytes.
func (s Service) Append(b []byte) []byte {
	b = le.AppendUint64(b, s.ID)
	b = s.Internal.Append(b)
	b = s.External.Append(b)
	b = le.AppendUint32(b, s.Affinity)
	b = le.AppendUint32(b, s.Sources)
	b = append(b, s.Kind)
	return append(b, s.Reserved[:]...)
}

// DecodeService reads what Append writes.
func DecodeService(b []byte) Service {
	return Service{
		ID: le.Uint64(b), Internal: DecodeRoute(b[8:]), External: DecodeRoute(b[24:]),
		Affinity: le.Uint32(b[40:]), Sources: le.Uint32(b[44:]), Kind: b[48], Reserved: [15]byte(b[49:]),
	}
}
