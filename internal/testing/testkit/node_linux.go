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
	// prefix is the start of the names of pods' interfaces.
	prefix string
	// uplink is the interface for all traffic except that of local pods.
	uplink string
	// bridge has the pods as ports if the layout says so, or the detector matches its name.
	bridge *netlink.Bridge
	// more are addresses of the node that only the layout has.
	more []netip.Addr
}

func newNode(s Spec) (*node, error) {
	ns, err := newNamespace(NodeSide)
	if err != nil {
		return nil, err
	}
	n := &node{namespace: ns, uplink: uplinkName(s.Local), prefix: podPrefix(s)}
	err = errors.Join(n.sysctl(commonSettings()), n.sysctl(nodeSettings()))
	if err == nil {
		err = n.addBridge(s)
	}
	if err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

// addBridge adds the bridge that the layout has, or else the one that the detector matches.
func (n *node) addBridge(s Spec) (err error) {
	link := s.Layout.Pods
	switch {
	case link.Kind == OnBridge:
		if n.bridge, err = newBridge(n.namespace, link.Device); err != nil {
			return err
		}
		return errors.Join(n.sysctl(bridgeSettings(!link.NoBridgeRules)), n.gateways(n.bridge))
	case link.Kind == InWorld && s.Local.Mode == ir.DetectInterface:
		n.bridge, err = newBridge(n.namespace, s.Local.Interface)
	}
	return err
}

// uplinkName returns a name that the detector does not take for a pod's.
func uplinkName(d ir.LocalDetector) string {
	const usual, other = "eth0", "wan0"
	if d.Interface != "" && strings.HasPrefix(usual, d.Interface) {
		return other
	}
	return usual
}

// podPrefix returns the start of the names of pods' interfaces on the node.
func podPrefix(s Spec) string {
	switch {
	case s.Layout.Pods.Kind != InWorld && s.Layout.Pods.Kind != OnBridge && s.Layout.Pods.Device != "":
		return s.Layout.Pods.Device
	case s.Layout.Pods.Kind == InWorld && s.Local.Mode == ir.DetectInterfacePrefix:
		return s.Local.Interface
	}
	return "veth"
}

// podInterface returns the name of the n-th pod's veth on the node.
func (n *node) podInterface(number int) (string, error) {
	name := fmt.Sprintf("%s%d", n.prefix, number)
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
		if err := n.addAddr(link, a); err != nil {
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
	return nil
}

// firstOf returns the first address of the family, or the invalid address.
func firstOf(f ir.Family, addrs []netip.Addr) netip.Addr {
	if of := ir.AddrsOf(f, addrs); len(of) > 0 {
		return of[0]
	}
	return netip.Addr{}
}
