package testkit

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/planec/planec/ir"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// node is the namespace under test and the names of its interfaces.
type node struct {
	*namespace
	local ir.LocalDetector
	// uplink is the interface for all traffic except that of local pods.
	uplink string
	// bridge has the pods as ports if the detector matches its name.
	bridge *netlink.Bridge
}

func newNode(s Spec) (*node, error) {
	ns, err := newNamespace(NodeSide)
	if err != nil {
		return nil, err
	}
	n := &node{namespace: ns, local: s.Local, uplink: uplinkName(s.Local)}
	if err := errors.Join(n.sysctl(commonSettings()), n.sysctl(nodeSettings())); err != nil {
		n.close()
		return nil, err
	}
	if s.Local.Mode == ir.DetectInterface {
		if n.bridge, err = newBridge(ns, s.Local.Interface); err != nil {
			n.close()
			return nil, err
		}
	}
	return n, nil
}

// uplinkName returns a name that the detector does not take for a pod's.
func uplinkName(d ir.LocalDetector) string {
	const usual, other = "eth0", "wan0"
	if d.Interface != "" && strings.HasPrefix(usual, d.Interface) {
		return other
	}
	return usual
}

// podInterface returns the name of the n-th pod's veth on the node.
func (n *node) podInterface(number int) (string, error) {
	prefix := "veth"
	if n.local.Mode == ir.DetectInterfacePrefix {
		prefix = n.local.Interface
	}
	name := fmt.Sprintf("%s%d", prefix, number)
	if len(name) >= unix.IFNAMSIZ {
		return "", fmt.Errorf("interface name %s: longer than %d characters", name, unix.IFNAMSIZ-1)
	}
	return name, nil
}

// inputInterface returns the interface on which the node receives a pod's packets;
// veth is the name of the pod's veth.
func (n *node) inputInterface(veth string) string {
	if n.bridge != nil {
		return n.bridge.Name
	}
	return veth
}

// own adds the node's addresses and its default routes to the uplink.
func (n *node) own(addrs []netip.Addr, c cable) error {
	link := &netlink.Device{LinkAttrs: netlink.LinkAttrs{Name: n.uplink, Index: c.nodeIndex}}
	for _, a := range addrs {
		addr := &netlink.Addr{IPNet: hostNet(a)}
		if a.Is6() {
			addr.Flags = unix.IFA_F_NODAD
		}
		if err := n.nl.AddrAdd(link, addr); err != nil {
			return fmt.Errorf("node address %v: %w", a, err)
		}
		if err := n.settleAddr(a); err != nil {
			return err
		}
	}
	for _, f := range ir.Families() {
		if err := n.hop(c.nodeIndex, gateway(f), c.worldMAC); err != nil {
			return err
		}
		if err := n.defaultRoute(f, unix.RT_TABLE_MAIN, c.nodeIndex, gateway(f), firstOf(f, addrs)); err != nil {
			return err
		}
	}
	return nil
}

// reach adds a route for a local pod's address, to its veth or over the bridge.
func (n *node) reach(pod netip.Addr, c cable, src netip.Addr) error {
	r := &netlink.Route{LinkIndex: c.nodeIndex, Dst: hostNet(pod), Scope: unix.RT_SCOPE_LINK}
	if src.IsValid() {
		r.Src = src.AsSlice()
	}
	if err := n.nl.RouteAdd(r); err != nil {
		return fmt.Errorf("route to pod %v: %w", pod, err)
	}
	return n.hop(c.nodeIndex, pod, c.worldMAC)
}

// firstOf returns the first address of the family, or the invalid address.
func firstOf(f ir.Family, addrs []netip.Addr) netip.Addr {
	if of := ir.AddrsOf(f, addrs); len(of) > 0 {
		return of[0]
	}
	return netip.Addr{}
}
