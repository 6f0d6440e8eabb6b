package testkit

import "net/netip"

// Layout is how a network plugin joins a node's pods, and the pods of other nodes. The
// zero value is the one of this package's picture: pods are in the world's namespace.
type Layout struct {
	Pods   PodLink
	Tunnel Tunnel
}

// PodLink is how local pods are joined to the node.
type PodLink struct {
	Kind LinkKind
	// Device is the name of the bridge, or the start of the names of the interfaces
	// that pods have on the node. Pods with a card of their own ([LinkKind.Own]) have none.
	Device string
	// NoHairpin is a bridge that sends no packet back to the port that it came from.
	NoHairpin bool
	// NoBridgeRules switches off bridge-nf-call-iptables and bridge-nf-call-ip6tables:
	// what the bridge passes from pod to pod is seen by no rules. On Open vSwitch, flows
	// switch packets between pods then, and otherwise send them to the node's port.
	NoBridgeRules bool
}

// LinkKind is a kind of [PodLink]. But for InWorld, every pod has a namespace with its
// address, and asks for the hardware addresses of its neighbours.
type LinkKind uint8

// The kinds.
const (
	InWorld      LinkKind = iota
	OnBridge              // a port of a bridge, which has the gateway's address; other pods are neighbours
	ProxyARP              // a veth that answers for the gateway, a link-local address that no interface has
	PointToPoint          // a veth whose end on the node has the gateway's address
	FixedGateway          // a veth, and a gateway whose hardware address the pod was told
	MACVLAN               // a card of its own on the uplink, in bridge mode
	IPVLANL2              // an address of its own on the uplink, with the uplink's hardware address
	IPVLANL3              // the same, routed by the driver
	IPVLANL3S             // the same, past the rules for packets to the node
	OnOVS                 // a port of an Open vSwitch bridge, whose internal port is the gateway
)

// Own reports whether pods have a card of their own on the uplink.
func (k LinkKind) Own() bool { return k >= MACVLAN && k <= IPVLANL3S }

// Tunnel is the device by which packets to and from pods of other nodes pass.
type Tunnel struct {
	Kind TunnelKind
	// Name is the name of the device on the node.
	Name string
	// Port is its UDP port.
	Port uint16
}

// TunnelKind is a kind of [Tunnel].
type TunnelKind uint8

// The kinds. Without a tunnel, pods of other nodes are behind the uplink.
const (
	NoTunnel TunnelKind = iota
	VXLAN
	Geneve
)

// remotePods returns the network of an address of a pod on another node: as large as
// nodes usually have.
func remotePods(a netip.Addr) netip.Prefix {
	bits := 64
	if a.Is4() {
		bits = 24
	}
	p, _ := a.Prefix(bits)
	return p
}

// spare returns an address in the ranges for benchmarks and documentation (RFC 2544,
// RFC 3849), which no test program uses. Different numbers, at most 15, are different
// addresses.
func spare(v4 bool, number byte) netip.Addr {
	if v4 {
		return netip.AddrFrom4([4]byte{198, 19, 255, 254 - number})
	}
	b := netip.MustParseAddr("2001:db8:ffff::ff00").As16()
	b[15] = 254 - number
	return netip.AddrFrom16(b)
}

// Numbers of [spare] addresses.
const (
	spareNode = iota
	spareGateway
	spareUnder // of the node below a tunnel
	spareOther // of the other node
	spareInner // of the tunnel's device
)
