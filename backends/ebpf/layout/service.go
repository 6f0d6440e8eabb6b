package layout

import (
	"cmp"
	"encoding/binary"
	"net/netip"
)

// Sizes in bytes.
const (
	ServiceKeySize = 20
	RouteSize      = 16
	ServiceSize    = 64
)

// Scope qualifies the address of a ServiceKey, as bits.
type Scope uint8

// The bits of a Scope.
const (
	// ScopeIPv6 is set for IPv6, so that no IPv6 packet matches an IPv4 entry.
	ScopeIPv6 Scope = 1 << 0
	// ScopeNodePort marks an entry for all nodePort addresses of the family. Its
	// address is zero, and the packet's destination must be a nodePort address
	// according to the addr map or, for the node's own addresses, the prefix map.
	ScopeNodePort Scope = 1 << 1
)

// ServiceKey is the key of svc: the destination of a packet. Programs look up the
// address first, then the nodePort.
type ServiceKey struct {
	Address  Address // zero with the scope of nodePorts
	Port     Port    // the destination port
	Protocol uint8   // IPPROTO_*
	Scope    Scope   // an address, or the node's nodePort addresses
}

// KindAddress is the kind of an entry that is no Service: its key has neither port nor
// protocol, and says that the address is a ClusterIP. A packet to another port of it is
// rejected if it would be forwarded or if the node sent it. The entry has nothing but its
// kind. It is in svc and not in addr, so that it comes and goes with its Services.
const KindAddress = 255

// AddressKey returns the key of a ClusterIP's entry of KindAddress.
func AddressKey(a netip.Addr) ServiceKey {
	k := ServiceKey{Address: AddressOf(a)}
	if !a.Is4() {
		k.Scope = ScopeIPv6
	}
	return k
}

// IsAddress reports whether the key is that of an entry of KindAddress.
func (k ServiceKey) IsAddress() bool { return k.Port == Port{} && k.Protocol == 0 }

// Compare orders keys by their bytes.
func (k ServiceKey) Compare(o ServiceKey) int {
	// A variable for the function would put both keys on the heap.
	if c := cmp.Compare(binary.BigEndian.Uint64(k.Address[:8]), binary.BigEndian.Uint64(o.Address[:8])); c != 0 {
		return c
	}
	if c := cmp.Compare(binary.BigEndian.Uint64(k.Address[8:]), binary.BigEndian.Uint64(o.Address[8:])); c != 0 {
		return c
	}
	return cmp.Compare(k.rest(), o.rest())
}

// rest is what follows the address, as a number.
func (k ServiceKey) rest() uint32 {
	return uint32(k.Port.Number())<<16 | uint32(k.Protocol)<<8 | uint32(k.Scope)
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

// Masquerade rules of a route; the numbers are specific to this layout.
const (
	MasqueradeNever             = 0
	MasqueradeUnlessLocalSource = 1
	MasqueradeAlways            = 2
)

// Verdicts of a route with an empty pool. For sockets, reject is an error of
// connect(2); for packets, it is ICMP port unreachable.
const (
	EmptyReject = 0
	EmptyDrop   = 1
)

// RouteWeighted is set if the endpoints have different probabilities, so that a
// program needs the second draw (Endpoint.Threshold).
const RouteWeighted = 1 << 0

// Route is one of the two routes of a Service: a range of ep and the treatment of
// the packet. If there are no endpoints, Count, Base and Total are 0.
type Route struct {
	// Base is the index of the pool's first endpoint.
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

// Service is the value of svc. It fits into one cache line and has both routes, so
// that each packet needs only one look-up.
type Service struct {
	// ID is the identity of the Service port, which all its frontends share: the
	// key of affinity. Recompilation does not change it.
	ID                 uint64
	Internal, External Route // the routes of packets from local pods and the node, and of all others
	// Affinity is the timeout in seconds; 0 means no affinity.
	Affinity uint32
	// Sources is the set of the source map that must contain the source; otherwise
	// the packet is dropped before anything else. 0 means no restriction.
	Sources uint32
	// Kind is the ir.FrontendKind, or KindAddress.
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
