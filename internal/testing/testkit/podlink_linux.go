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

// podDevice is the name of a pod's interface in its own namespace.
const podDevice = "eth0"

// join joins a pod to the node.
func (r *Rig) join(pod netip.Addr, number int) (*localPod, error) {
	if r.spec.Layout.Pods.Kind == InWorld {
		return r.joinWorld(pod, number)
	}
	ns, err := newNamespace(WorldSide)
	if err != nil {
		return nil, err
	}
	p := &localPod{namespace: ns}
	if err := errors.Join(ns.sysctl(commonSettings()), r.link(p, pod, number)); err != nil {
		ns.close()
		return nil, err
	}
	return p, nil
}

// link gives a pod with a namespace of its own its interface, address and routes.
func (r *Rig) link(p *localPod, pod netip.Addr, number int) error {
	switch kind := r.spec.Layout.Pods.Kind; {
	case kind.Own():
		return r.linkCard(p, pod, number)
	case kind == OnOVS:
		return r.linkSwitch(p, pod, number)
	}
	return r.linkVeth(p, pod, number)
}

// linkVeth joins a pod by a veth.
func (r *Rig) linkVeth(p *localPod, pod netip.Addr, number int) error {
	name, err := r.node.podInterface(number)
	if err != nil {
		return err
	}
	p.device = name
	c, err := plug(r.node.namespace, p.namespace, name, podDevice, number+1, r.node.bridge)
	if err != nil {
		return err
	}
	inside, err := p.nl.LinkByIndex(c.worldIndex)
	if err != nil {
		return err
	}
	if err := p.addAddr(inside, pod); err != nil {
		return err
	}
	family := ir.FamilyOf(pod)
	if err := r.node.reach(pod, c, firstOf(family, r.spec.NodeAddrs)); err != nil {
		return err
	}
	gw, err := r.gatewayOf(p, family, c)
	if err != nil {
		return err
	}
	if err := p.defaultRoute(family, unix.RT_TABLE_MAIN, c.worldIndex, gw, pod); err != nil {
		return err
	}
	if r.spec.Layout.Pods.NoHairpin {
		outside := &netlink.Device{LinkAttrs: netlink.LinkAttrs{Name: name, Index: firstNodeIndex + number + 1}}
		if err := r.node.nl.LinkSetHairpin(outside, false); err != nil {
			return fmt.Errorf("veth %s: hairpin mode: %w", name, err)
		}
	}
	return r.neighbours(p, pod)
}

// gatewayOf makes the node the gateway of a pod, as the layout has it, and returns the
// gateway's address.
func (r *Rig) gatewayOf(p *localPod, f ir.Family, c cable) (netip.Addr, error) {
	kind := r.spec.Layout.Pods.Kind
	if kind == OnBridge {
		return spare(f == ir.IPv4, spareGateway), nil
	}
	onNode := &netlink.Device{LinkAttrs: netlink.LinkAttrs{Name: p.device, Index: c.nodeIndex}}
	// The node asks for a pod's hardware address with a link-local source.
	if err := r.node.addAddr(onNode, gateway(ir.IPv6)); err != nil {
		return netip.Addr{}, err
	}
	switch kind {
	case ProxyARP:
		return gateway(f), r.node.sysctl(proxySettings(p.device))
	case FixedGateway:
		return gateway(f), p.hop(c.worldIndex, gateway(f), c.nodeMAC)
	}
	gw := spare(f == ir.IPv4, spareGateway)
	r.node.alsoHas(gw)
	return gw, r.node.addAddr(onNode, gw)
}

// neighbours makes the other pods of a bridge, or of a network card, neighbours: the node
// does not route what they send to each other.
func (r *Rig) neighbours(p *localPod, pod netip.Addr) error {
	if kind := r.spec.Layout.Pods.Kind; kind != OnBridge && !kind.Own() {
		return nil
	}
	for other, q := range r.pods {
		if ir.FamilyOf(other) != ir.FamilyOf(pod) {
			continue
		}
		if err := errors.Join(p.onLink(other), q.onLink(pod)); err != nil {
			return err
		}
	}
	return nil
}

// onLink makes an address a neighbour of a pod.
func (p *localPod) onLink(a netip.Addr) error {
	link, err := p.nl.LinkByName(podDevice)
	if err == nil {
		err = p.nl.RouteAdd(&netlink.Route{LinkIndex: link.Attrs().Index, Dst: hostNet(a), Scope: unix.RT_SCOPE_LINK})
	}
	if err != nil {
		return fmt.Errorf("neighbour %v: %w", a, err)
	}
	return nil
}

// gateways gives an interface of the node the gateway's addresses, and the link-local one
// with which the node asks for hardware addresses.
func (n *node) gateways(link netlink.Link) error {
	for _, a := range []netip.Addr{spare(true, spareGateway), spare(false, spareGateway), gateway(ir.IPv6)} {
		// The interface has no carrier yet, so that nothing can be waited for.
		addr := &netlink.Addr{IPNet: hostNet(a)}
		if a.Is6() {
			addr.Flags = unix.IFA_F_NODAD
		}
		if err := n.nl.AddrAdd(link, addr); err != nil {
			return fmt.Errorf("gateway %v: %w", a, err)
		}
		n.alsoHas(a)
	}
	return nil
}

// alsoHas notes an address that packets may be masqueraded to.
func (n *node) alsoHas(a netip.Addr) { n.more = append(n.more, a) }

// linkCard joins a pod by a card of its own on the node's uplink. The world is the
// router of that network, and reaches the pods without the node.
func (r *Rig) linkCard(p *localPod, pod netip.Addr, number int) error {
	// Older kernels take the uplink for a device of the same name in the other namespace.
	temporary := fmt.Sprintf("card%d", number)
	attrs := netlink.LinkAttrs{
		Name: temporary, ParentIndex: r.uplink.nodeIndex, Namespace: netlink.NsFd(p.file.Fd()), TxQLen: -1,
	}
	hardware := mac(4, number)
	var card netlink.Link
	switch r.spec.Layout.Pods.Kind {
	case MACVLAN:
		attrs.HardwareAddr = hardware
		card = &netlink.Macvlan{LinkAttrs: attrs, Mode: netlink.MACVLAN_MODE_BRIDGE}
	case IPVLANL2:
		card, hardware = &netlink.IPVlan{LinkAttrs: attrs, Mode: netlink.IPVLAN_MODE_L2}, r.uplink.nodeMAC
	case IPVLANL3:
		card, hardware = &netlink.IPVlan{LinkAttrs: attrs, Mode: netlink.IPVLAN_MODE_L3}, r.uplink.nodeMAC
	case IPVLANL3S:
		card, hardware = &netlink.IPVlan{LinkAttrs: attrs, Mode: netlink.IPVLAN_MODE_L3S}, r.uplink.nodeMAC
	}
	if err := r.node.nl.LinkAdd(card); err != nil {
		return fmt.Errorf("%s on %s: %w", card.Type(), r.node.uplink, err)
	}
	link, err := p.nl.LinkByName(temporary)
	if err != nil {
		return err
	}
	if err := errors.Join(p.nl.LinkSetName(link, podDevice), p.nl.LinkSetUp(link), p.addAddr(link, pod)); err != nil {
		return err
	}
	family, index := ir.FamilyOf(pod), link.Attrs().Index
	if kind := r.spec.Layout.Pods.Kind; kind != IPVLANL3 && kind != IPVLANL3S {
		if err := p.hop(index, gateway(family), r.uplink.worldMAC); err != nil {
			return err
		}
	}
	return errors.Join(p.defaultRoute(family, unix.RT_TABLE_MAIN, index, gateway(family), pod),
		r.onNetwork(pod, number, hardware), r.neighbours(p, pod))
}

// onNetwork makes node and world reach a pod at its own hardware address.
func (r *Rig) onNetwork(pod netip.Addr, number int, hardware net.HardwareAddr) error {
	family := ir.FamilyOf(pod)
	// The node has an address in the network of the pods, as it were.
	network := &netlink.Route{LinkIndex: r.uplink.nodeIndex, Dst: ipNet(remotePods(pod)), Scope: unix.RT_SCOPE_LINK}
	if err := errors.Join(r.node.nl.RouteReplace(network), r.node.hop(r.uplink.nodeIndex, pod, hardware)); err != nil {
		return fmt.Errorf("network of pod %v: %w", pod, err)
	}
	next := netip.AddrFrom16([16]byte{0: 0xfe, 1: 0x80, 14: byte(number >> 8), 15: byte(number) + 2})
	table := firstPodTable + number
	if err := errors.Join(r.world.hop(r.uplink.worldIndex, next, hardware),
		r.world.defaultRoute(family, table, r.uplink.worldIndex, next, netip.Addr{})); err != nil {
		return err
	}
	rule := tableRule(family, firstPodRule+number, table)
	rule.IifName, rule.Dst = "lo", hostNet(pod)
	if err := r.world.nl.RuleAdd(rule); err != nil {
		return fmt.Errorf("%v rule for pod %v: %w", family, pod, err)
	}
	return nil
}
