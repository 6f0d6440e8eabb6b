package testkit

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/planec/planec/ir"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// The other node's rules and tables: what its tunnel sends goes to the node, everything
// else into the tunnel.
const (
	otherNumber = 5000 // of its cable, beyond those of pods
	underRule   = 1
	underTable  = 901
)

// tunnel adds another node behind a tunnel, if the layout has one: a second network card
// joins the two, and the tunnel's packets pass it.
func (r *Rig) tunnel() (err error) {
	if r.spec.Layout.Tunnel.Kind == NoTunnel {
		return nil
	}
	if r.other, err = newWorld(); err != nil {
		return err
	}
	name := "under0"
	c, err := plug(r.node.namespace, r.other, name, name, otherNumber, nil)
	if err != nil {
		return err
	}
	here, there := spare(true, spareUnder), spare(true, spareOther)
	r.node.alsoHas(here)
	if err := errors.Join(
		r.node.addAddr(&netlink.Device{LinkAttrs: netlink.LinkAttrs{Name: name, Index: c.nodeIndex}}, here),
		r.node.reach(there, c, here), r.node.hop(c.nodeIndex, there, c.worldMAC),
		r.other.below(there, here, c),
	); err != nil {
		return err
	}
	ends, err := r.tunnelEnds(c, here, there)
	if err != nil {
		return fmt.Errorf("tunnel %s: %w", r.spec.Layout.Tunnel.Name, err)
	}
	return r.throughTunnel(ends)
}

// below routes what the tunnel itself sends.
func (n *namespace) below(from, to netip.Addr, c cable) error {
	next := gateway(ir.IPv6)
	if err := errors.Join(n.hop(c.worldIndex, next, c.nodeMAC), n.defaultRoute(ir.IPv4, underTable, c.worldIndex, next, from)); err != nil {
		return err
	}
	rule := tableRule(ir.IPv4, underRule, underTable)
	rule.IifName, rule.Dst = "lo", hostNet(to)
	if err := n.nl.RuleAdd(rule); err != nil {
		return fmt.Errorf("rule to %v: %w", to, err)
	}
	return nil
}

// tunnelEnds adds the tunnel's devices.
func (r *Rig) tunnelEnds(c cable, here, there netip.Addr) (cable, error) {
	t := r.spec.Layout.Tunnel
	ends := cable{nodeMAC: mac(5, 1), worldMAC: mac(5, 2)}
	onNode := t.device(t.Name, ends.nodeMAC, c.nodeIndex, here, there)
	onOther := t.device(t.Name, ends.worldMAC, c.worldIndex, there, here)
	if err := errors.Join(r.node.nl.LinkAdd(onNode), r.other.nl.LinkAdd(onOther)); err != nil {
		return ends, err
	}
	a, err := r.node.nl.LinkByName(t.Name)
	if err != nil {
		return ends, err
	}
	b, err := r.other.nl.LinkByName(t.Name)
	if err != nil {
		return ends, err
	}
	ends.nodeIndex, ends.worldIndex = a.Attrs().Index, b.Attrs().Index
	inner := spare(true, spareInner)
	r.node.alsoHas(inner)
	return ends, errors.Join(r.node.nl.LinkSetUp(a), r.other.nl.LinkSetUp(b), r.node.addAddr(a, inner))
}

// device returns one end of the tunnel.
func (t Tunnel) device(name string, hardware []byte, below int, here, there netip.Addr) netlink.Link {
	const network = 1
	attrs := netlink.LinkAttrs{Name: name, HardwareAddr: hardware, TxQLen: -1}
	if t.Kind == Geneve {
		return &netlink.Geneve{LinkAttrs: attrs, ID: network, Remote: there.AsSlice(), Dport: t.Port}
	}
	return &netlink.Vxlan{
		LinkAttrs: attrs, VxlanId: network, VtepDevIndex: below, SrcAddr: here.AsSlice(), Group: there.AsSlice(), Port: int(t.Port),
	}
}

// throughTunnel routes pods of other nodes through the tunnel, as flannel does: by a
// next hop whose hardware address is known.
func (r *Rig) throughTunnel(c cable) error {
	for _, f := range ir.Families() {
		if err := errors.Join(r.node.hop(c.nodeIndex, gateway(f), c.worldMAC),
			r.other.exit(f, uplinkRule, uplinkTable, netip.Addr{}, c)); err != nil {
			return err
		}
	}
	for _, p := range r.spec.Remote {
		route := &netlink.Route{LinkIndex: c.nodeIndex, Dst: ipNet(p), Gw: gateway(ir.FamilyOf(p.Addr())).AsSlice(), Flags: int(netlink.FLAG_ONLINK), Table: unix.RT_TABLE_MAIN}
		if err := r.node.nl.RouteAdd(route); err != nil {
			return fmt.Errorf("route to pods of another node, %v: %w", p, err)
		}
	}
	return nil
}
