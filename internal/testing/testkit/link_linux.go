package testkit

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/planec/planec/ir"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// cable is a veth pair between the node and the world, or the world's end of one
// whose node end is a port of the bridge.
type cable struct {
	// nodeIndex and nodeMAC belong to the interface that routes on the node: the
	// veth or the bridge.
	nodeIndex, worldIndex int
	nodeMAC, worldMAC     net.HardwareAddr
}

// plug creates a veth pair with both ends up: nodeName on the node, worldName in
// the world. number makes its MAC addresses unique; bridge may be nil.
func plug(node, world *namespace, nodeName, worldName string, number int, bridge *netlink.Bridge) (cable, error) {
	c := cable{nodeMAC: mac(1, number), worldMAC: mac(2, number)}
	veth := &netlink.Veth{
		LinkAttrs: netlink.LinkAttrs{
			Name: nodeName, Index: firstNodeIndex + number,
			HardwareAddr: c.nodeMAC, Flags: net.FlagUp, TxQLen: -1,
		},
		PeerName:         worldName,
		PeerHardwareAddr: c.worldMAC,
		PeerNamespace:    netlink.NsFd(world.file.Fd()),
	}
	if bridge != nil {
		veth.MasterIndex = bridge.Index
	}
	if err := node.nl.LinkAdd(veth); err != nil {
		return cable{}, fmt.Errorf("veth %s: %w", nodeName, err)
	}
	c.nodeIndex = veth.Index
	if bridge != nil {
		c.nodeIndex, c.nodeMAC = bridge.Index, bridge.HardwareAddr
		// With br_netfilter, a packet that DNAT sends back to its own port is
		// bridged, not routed; CNI plugins also set hairpin mode for it.
		if err := node.nl.LinkSetHairpin(veth, true); err != nil {
			return cable{}, fmt.Errorf("veth %s: hairpin mode: %w", nodeName, err)
		}
	}
	peer, err := world.nl.LinkByName(worldName)
	if err != nil {
		return cable{}, fmt.Errorf("veth %s: %w", worldName, err)
	}
	c.worldIndex = peer.Attrs().Index
	if err := world.nl.LinkSetUp(peer); err != nil {
		return cable{}, fmt.Errorf("veth %s up: %w", worldName, err)
	}
	// Settle the bridge last: it has a carrier only when its first port has one.
	return c, errors.Join(world.settle(c.worldIndex), node.settle(veth.Index), node.settle(c.nodeIndex))
}

// firstNodeIndex keeps the interface indexes of the two ends different. The kernel
// takes an interface with the same index as its peer for its own lower device, and
// then notices its carrier up to a second late (linkwatch_urgent_event).
const firstNodeIndex = 10000

// newBridge creates the bridge that an interface detector matches.
func newBridge(node *namespace, name string) (*netlink.Bridge, error) {
	b := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: name, HardwareAddr: mac(3, 0), Flags: net.FlagUp, TxQLen: -1}}
	if err := node.nl.LinkAdd(b); err != nil {
		return nil, fmt.Errorf("bridge %s: %w", name, err)
	}
	return b, nil
}

// mac returns a locally administered address.
func mac(kind byte, number int) net.HardwareAddr {
	return net.HardwareAddr{0x02, kind, 0, 0, byte(number >> 8), byte(number)}
}

// gateway returns the next hop at the other end of a cable. No interface has this
// address; only its neighbour entry exists.
func gateway(f ir.Family) netip.Addr {
	if f == ir.IPv4 {
		return netip.AddrFrom4([4]byte{169, 254, 1, 1})
	}
	return netip.MustParseAddr("fe80::1")
}

// hop adds a permanent neighbour: addr at a MAC address on an interface.
func (n *namespace) hop(index int, addr netip.Addr, lladdr net.HardwareAddr) error {
	err := n.nl.NeighSet(&netlink.Neigh{
		LinkIndex: index, Family: familyNumber(ir.FamilyOf(addr)), State: netlink.NUD_PERMANENT,
		IP: addr.AsSlice(), HardwareAddr: lladdr,
	})
	if err != nil {
		return fmt.Errorf("neighbour %v: %w", addr, err)
	}
	return nil
}

// defaultRoute adds a default route to a table: out of an interface, through a
// next hop of either family, from src if that is valid.
func (n *namespace) defaultRoute(f ir.Family, table, index int, hop, src netip.Addr) error {
	r := &netlink.Route{
		LinkIndex: index, Table: table, Family: familyNumber(f), Dst: everything(f),
		Flags: int(netlink.FLAG_ONLINK),
	}
	if ir.FamilyOf(hop) == f {
		r.Gw = hop.AsSlice()
	} else {
		r.Via = &netlink.Via{AddrFamily: familyNumber(ir.FamilyOf(hop)), Addr: hop.AsSlice()}
	}
	if src.IsValid() {
		r.Src = src.AsSlice()
	}
	if err := n.nl.RouteAdd(r); err != nil {
		return fmt.Errorf("%v default route in table %d: %w", f, table, err)
	}
	return nil
}

func familyNumber(f ir.Family) int {
	if f == ir.IPv4 {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

func everything(f ir.Family) *net.IPNet {
	if f == ir.IPv4 {
		return ipNet(netip.PrefixFrom(netip.IPv4Unspecified(), 0))
	}
	return ipNet(netip.PrefixFrom(netip.IPv6Unspecified(), 0))
}

func hostNet(a netip.Addr) *net.IPNet { return ipNet(netip.PrefixFrom(a, a.BitLen())) }

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
