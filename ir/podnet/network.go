package podnet

import (
	"bytes"
	"cmp"
	"maps"
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
)

// Network is what one node has to have. The zero value is a node without pod routes.
type Network struct {
	Node string // the node's name
	// Devices are sorted by name: of VXLAN at most one for each family of the nodes' addresses,
	// of Geneve at most one.
	Devices []Device
	Routes  []Route // sorted by destination, each once
	// Neighbours are sorted by device and address, each address once for a device.
	Neighbours []Neighbour
	// Forwarding is sorted by device and MAC address, each MAC once for a device.
	Forwarding []Forwarding
}

// Kind is what packets are encapsulated in.
type Kind string

// The kinds of devices, as ip-link(8) spells them.
const (
	InVXLAN Kind = "vxlan"
	// InGeneve is a device to which each route says where packets go (external).
	InGeneve Kind = "geneve"
)

// Device is a device that encapsulates.
type Device struct {
	Kind Kind
	Name string // DeviceName of the kind and the family
	// VNI is the network identifier, 1 to 16777215; of Geneve 0, since the routes say it.
	VNI int
	// Port is the UDP port to which packets are sent, and on which they are received.
	Port int
	// Local is the node's own address, the source of encapsulated packets; of Geneve the
	// routes say it.
	Local netip.Addr
	// Addresses are the node's own in the network of pods, the source of what the node
	// itself sends to pods of others, sorted, at most one of a family. Each is the first address
	// of a podCIDR of the node, which no pod has.
	Addresses []netip.Addr
	MAC       MAC // MACOf the node
	MTU       int // in bytes
}

// Route leads to the pods of one other node.
type Route struct {
	To netip.Prefix // the other node's podCIDR, masked
	// Via is the other node's address. On a device it is an address of the other node's device:
	// the first of the podCIDR, or of IPv6 the link-local one.
	Via netip.Addr
	// Device is the name of a device of the network; "" is wherever Via is.
	Device string
	// Tunnel says where a device of Geneve sends packets; the zero value elsewhere.
	Tunnel Tunnel
	Origin ir.Origin // the other Node
}

// Tunnel is what a route tells a device that packets are to be encapsulated in.
type Tunnel struct {
	VNI      int        // 1 to 16777215
	From, To netip.Addr // the node's own address, and the other node's
}

// TunnelTTL is the time to live of packets in a tunnel: Linux' own for all others. A route that
// names none gives 0, which no router forwards.
const TunnelTTL = 64

// Neighbour gives the MAC address of another node's device.
type Neighbour struct {
	Device  string
	Address netip.Addr // the Via of a route
	MAC     MAC
	Origin  ir.Origin // the other Node
}

// Forwarding says to which node packets for a MAC address are sent.
type Forwarding struct {
	Device string
	MAC    MAC
	To     netip.Addr // the other node's address
	Origin ir.Origin  // the other Node
}

// Protocol marks planec's routes (rtm_protocol of rtnetlink(7)). The number has no name in
// iproute2's table, nor in those of FRR, BIRD, Calico (80) and Cilium.
const Protocol = 112

// DeviceName returns the name of the device for nodes' addresses of the family. The kernel
// takes one external device of Geneve for a port, which sends over both.
func DeviceName(k Kind, f ir.Family) string {
	switch {
	case k == InGeneve:
		return "planec-gnv"
	case f == ir.IPv4:
		return "planec-vx4"
	}
	return "planec-vx6"
}

// DeviceKinds has the names of all devices that can be planec's, and what each is.
func DeviceKinds() map[string]Kind {
	out := make(map[string]Kind)
	for _, k := range []Kind{InVXLAN, InGeneve} {
		for _, f := range ir.Families() {
			out[DeviceName(k, f)] = k
		}
	}
	return out
}

// DeviceNames lists the names of all devices that can be planec's, sorted.
func DeviceNames() []string { return slices.Sorted(maps.Keys(DeviceKinds())) }

// Normalize sorts everything.
func (n *Network) Normalize() {
	slices.SortFunc(n.Devices, func(a, b Device) int { return cmp.Compare(a.Name, b.Name) })
	for i := range n.Devices {
		slices.SortFunc(n.Devices[i].Addresses, netip.Addr.Compare)
	}
	slices.SortFunc(n.Routes, func(a, b Route) int { return ComparePrefixes(a.To, b.To) })
	slices.SortFunc(n.Neighbours, func(a, b Neighbour) int {
		return cmp.Or(cmp.Compare(a.Device, b.Device), a.Address.Compare(b.Address))
	})
	slices.SortFunc(n.Forwarding, func(a, b Forwarding) int {
		return cmp.Or(cmp.Compare(a.Device, b.Device), bytes.Compare(a.MAC[:], b.MAC[:]))
	})
}

// Bare returns a network without the origins, as files and kernels have it.
func (n *Network) Bare() Network {
	out := Network{Devices: slices.Clone(n.Devices), Routes: slices.Clone(n.Routes), Neighbours: slices.Clone(n.Neighbours), Forwarding: slices.Clone(n.Forwarding)}
	for i := range out.Routes {
		out.Routes[i].Origin = ir.Origin{}
	}
	for i := range out.Neighbours {
		out.Neighbours[i].Origin = ir.Origin{}
	}
	for i := range out.Forwarding {
		out.Forwarding[i].Origin = ir.Origin{}
	}
	return out
}

// ComparePrefixes orders by address, then by length, IPv4 first.
func ComparePrefixes(a, b netip.Prefix) int {
	return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
}

// Overhead is what VXLAN, and Geneve without options, take of a packet's size in bytes, by the
// family of the nodes' addresses: the inner Ethernet header, VXLAN or Geneve, UDP, and the outer
// IP header (RFC 7348, section 5; RFC 8926, section 3).
func Overhead(f ir.Family) int {
	if f == ir.IPv4 {
		return 14 + 8 + 8 + 20
	}
	return 14 + 8 + 8 + 40
}

// DeviceMTU returns the MTU of a device: the given one, or what the underlay leaves, and
// at least MinMTU.
func (s *Settings) DeviceMTU(f ir.Family) int {
	if s.MTU > 0 {
		return s.MTU
	}
	return max(MinMTU, cmp.Or(s.UnderlayMTU, defaultUnderlayMTU)-Overhead(f))
}
