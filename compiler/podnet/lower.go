package podnet

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/podnet"
)

// Bounds on what Nodes can ask for.
const (
	// maxNodes is how many nodes get routes. Kubernetes is tested with 5,000.
	maxNodes = 10000
	// maxCIDRs is how many podCIDRs of a Node are read; the API server takes one of each family.
	maxCIDRs = 16
	// maxServiceRanges is with how many ranges of Services each podCIDR is compared.
	maxServiceRanges = 64
)

// lowering makes one node's network.
type lowering struct {
	node     string
	settings podnet.Settings
	// cluster are the ranges of pods; none is not known.
	cluster []netip.Prefix
	// services are the ranges of Services, which no pod has.
	services   []netip.Prefix
	masquerade ir.Masquerade
	claims     *claims
	// devices say for which families a device was made.
	devices map[ir.Family]bool
	out     podnet.Network
	diags   diag.List
}

// Lower returns what a node has to have to reach the pods of all others. The network has
// no node if the settings are off, or the Node is not among the objects.
func Lower(set *objects.Set, node string, s podnet.Settings, c *objects.Config) (podnet.Network, diag.List) {
	l := &lowering{node: node, settings: s, cluster: c.ClusterCIDRs, services: serviceRanges(set, c.ServiceCIDRs), masquerade: c.Masquerade, devices: make(map[ir.Family]bool)}
	if s.Mode == podnet.Off {
		return l.out, nil
	}
	own, others := l.nodes(set.Nodes)
	if own == nil {
		l.diags.Add(diag.UnknownNode, ir.Origin{Kind: "Node", Name: node}, "the node's pod routes need its Node")
		return l.out, l.diags
	}
	l.out.Node = node
	l.claims = newClaims(own, others)
	for _, f := range ir.Families() {
		l.family(f, own, others)
	}
	l.out.Normalize()
	l.masqueraded()
	l.diags.Sort()
	return l.out, l.diags
}

// family makes the routes of one family. Nodes without anything of it concern no other.
func (l *lowering) family(f ir.Family, own *node, others []*node) {
	if !own.cidrs[f].IsValid() && !own.ends[f].IsValid() {
		return
	}
	l.claim(own, f)
	if !own.ends[f].IsValid() {
		l.diags.Add(diag.UnroutedNode, own.at, own.lack(f)+": it reaches no pods of other nodes in this family")
		return
	}
	l.subnets(f)
	for _, n := range others {
		if n.cidrs[f].IsValid() && n.ends[f].IsValid() {
			l.route(f, own, n)
		} else if n.cidrs[f].IsValid() || len(n.cidrs) == 0 && f == n.firstFamily() {
			l.diags.Add(diag.UnroutedNode, n.at, n.lack(f))
		}
	}
}

// firstFamily is the family of which a node without podCIDRs is reported, once.
func (n *node) firstFamily() ir.Family {
	if list := n.families(); len(list) > 0 {
		return list[0]
	}
	return ir.IPv4
}

// claim takes what the own node has before all others.
func (l *lowering) claim(own *node, f ir.Family) {
	if a := own.ends[f]; a.IsValid() {
		l.claims.address(a, own.name)
	}
	if p := own.cidrs[f]; p.IsValid() {
		if why := l.unroutable(p); why != "" {
			l.diags.Add(diag.UnroutableCIDR, own.at.At("spec.podCIDRs"), why)
			delete(own.cidrs, f)
		} else {
			l.claims.take(p, own.name)
		}
	}
	l.claims.macs[podnet.MACOf(own.name, l.deviceName(f))] = own.name
}

// subnets says that every node will be far.
func (l *lowering) subnets(f ir.Family) {
	if l.settings.Mode.Automatic() && len(ir.PrefixesOf(f, l.settings.Subnets)) == 0 {
		l.diags.Add(diag.NoSubnet, ir.Origin{}, fmt.Sprintf("no %v subnet of the node is known", f))
	}
}

// route makes the route to a node's pods, or says why there is none.
func (l *lowering) route(f ir.Family, own, n *node) {
	to, end, mac := n.cidrs[f], n.ends[f], podnet.MACOf(n.name, l.deviceName(f))
	at := n.at.At("spec.podCIDRs")
	if why := l.unroutable(to); why != "" {
		l.diags.Add(diag.UnroutableCIDR, at, why)
		return
	}
	if by := l.claims.overlaps(to); by != "" {
		l.diags.Add(diag.PodCIDRClash, at, fmt.Sprintf("%v overlaps the podCIDR of node %s", to, by))
		return
	}
	if by, taken := l.claims.addresses[end]; taken {
		l.diags.Add(diag.NodeAddressClash, n.at.At("status.addresses"), fmt.Sprintf("%v is the address of node %s too", end, by))
		return
	}
	if by := l.claims.has(end); by != "" {
		l.diags.Add(diag.NodeAddressClash, n.at.At("status.addresses"), fmt.Sprintf("%v is in the podCIDR of node %s", end, by))
		return
	}
	if s, is := edge(end, l.settings.Subnets); is {
		l.diags.Add(diag.NodeAddressClash, n.at.At("status.addresses"), fmt.Sprintf("%v is no host of the subnet %v", end, s))
		return
	}
	if by, taken := l.claims.macs[mac]; taken && by != n.name {
		l.diags.Add(diag.NodeAddressClash, n.at.At("metadata.name"), fmt.Sprintf("%v is the MAC address of node %s too", mac, by))
		return
	}
	near := l.near(f, end)
	switch {
	case !near && l.settings.Mode == podnet.Native:
		l.diags.Add(diag.OutsideSubnet, n.at.At("status.addresses"), fmt.Sprintf("%v is in none of the subnets %v", end, ir.PrefixesOf(f, l.settings.Subnets)))
		return
	case !near && !l.device(f, own):
		return
	}
	l.claims.take(to, n.name)
	l.claims.address(end, n.name)
	l.claims.macs[mac] = n.name
	if near {
		l.out.Routes = append(l.out.Routes, podnet.Route{To: to, Via: end, Origin: n.at})
		return
	}
	r := podnet.Route{To: to, Via: to.Addr(), Device: l.deviceName(f), Origin: n.at}
	if f == ir.IPv6 {
		r.Via = mac.LinkLocal()
	}
	if l.settings.Mode.Kind() == podnet.InGeneve {
		vni, _ := l.settings.Network()
		r.Tunnel = podnet.Tunnel{VNI: vni, From: own.ends[f], To: end}
	} else {
		l.out.Forwarding = append(l.out.Forwarding, podnet.Forwarding{Device: r.Device, MAC: mac, To: end, Origin: n.at})
	}
	l.out.Routes = append(l.out.Routes, r)
	l.out.Neighbours = append(l.out.Neighbours, podnet.Neighbour{Device: r.Device, Address: r.Via, MAC: mac, Origin: n.at})
}

// deviceName is that of the device for nodes' addresses of a family.
func (l *lowering) deviceName(f ir.Family) string {
	return podnet.DeviceName(l.settings.Mode.Kind(), f)
}

// near reports whether packets to a node need no encapsulation.
func (l *lowering) near(f ir.Family, end netip.Addr) bool {
	subnets := ir.PrefixesOf(f, l.settings.Subnets)
	switch l.settings.Mode {
	case podnet.Native:
		return len(subnets) == 0 || ir.ContainsAddr(subnets, end)
	case podnet.Auto, podnet.AutoGeneve:
		return ir.ContainsAddr(subnets, end)
	}
	return false
}

// device makes the device of a family when it is first needed. Families may share one, which
// has the smaller MTU of the two then: a pod's interface has one for both families too.
func (l *lowering) device(f ir.Family, own *node) bool {
	made, asked := l.devices[f]
	if asked {
		return made
	}
	if l.devices[f] = own.cidrs[f].IsValid(); !l.devices[f] {
		l.diags.Add(diag.UnroutedNode, own.at, own.lack(f)+": its packets to other nodes cannot be encapsulated")
		return false
	}
	name, mtu := l.deviceName(f), l.settings.DeviceMTU(f)
	if i := slices.IndexFunc(l.out.Devices, func(d podnet.Device) bool { return d.Name == name }); i >= 0 {
		d := &l.out.Devices[i]
		d.Addresses, d.MTU = append(d.Addresses, own.cidrs[f].Addr()), min(d.MTU, mtu)
		return true
	}
	d := podnet.Device{
		Kind: l.settings.Mode.Kind(), Name: name, Addresses: []netip.Addr{own.cidrs[f].Addr()}, MAC: podnet.MACOf(own.name, name), MTU: mtu,
	}
	vni, port := l.settings.Network()
	if d.Port = port; d.Kind == podnet.InVXLAN {
		d.VNI, d.Local = vni, own.ends[f]
	}
	l.out.Devices = append(l.out.Devices, d)
	return true
}

// masqueraded says that egress masquerade hides pods from those of other nodes, once for a
// family: the first of its routes is named.
func (l *lowering) masqueraded() {
	said := make(map[ir.Family]bool)
	for _, r := range l.out.Routes {
		f := ir.FamilyOf(r.To.Addr())
		if said[f] || !l.masquerade.Enabled(f) {
			continue
		}
		excluded := func(x netip.Prefix) bool { return x.Bits() <= r.To.Bits() && x.Contains(r.To.Addr()) }
		if !slices.ContainsFunc(l.masquerade.Exclude, excluded) {
			said[f] = true
			l.diags.Add(diag.MasqueradedPods, r.Origin.At("spec.podCIDRs"), fmt.Sprintf("the egress masquerade does not leave %v out", r.To))
		}
	}
}
