package live

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/planec/planec/ir/podnet"
)

// device plans one device with its addresses.
func (p *planner) device(want *podnet.Device) {
	index := new(int)
	p.index[want.Name] = index
	have := p.state.devices[want.Name]
	if have != nil && !sameTunnel(have.link, want) {
		// What makes the tunnel cannot be changed, and two devices cannot have one name.
		old := have.link
		p.plan.add(makeDevices, func() error { return p.nl.LinkDel(old) }, "remove device %s, which has another VNI, port or mode", want.Name)
		have = nil
	}
	if have == nil {
		p.plan.add(makeDevices, func() error { return p.make(want, index) }, "add device %s: %s, MTU %d", want.Name, deviceWords(want), want.MTU)
	} else {
		*index = have.link.Attrs().Index
		p.change(have, want)
	}
	p.addresses(have, want, index)
	if have == nil || have.link.Attrs().Flags&net.FlagUp == 0 {
		p.plan.add(makeDevices, func() error { return p.nl.LinkSetUp(linkAt(want.Name, *index)) }, "set %s up", want.Name)
	}
}

// sameTunnel reports whether a device differs from a wanted one at most in what can be changed.
func sameTunnel(link netlink.Link, want *podnet.Device) bool {
	if have, ok := link.(*netlink.Geneve); ok {
		return have.FlowBased && int(have.Dport) == want.Port && !have.InnerProtoInherit
	}
	have, ok := link.(*netlink.Vxlan)
	if !ok {
		return false
	}
	local, _ := addrOf(have.SrcAddr)
	return have.VxlanId == want.VNI && have.Port == want.Port && !have.Learning && !have.FlowBased && have.Group == nil && have.VtepDevIndex == 0 &&
		local.BitLen() == want.Local.BitLen()
}

func deviceWords(d *podnet.Device) string {
	if d.Kind == podnet.InGeneve {
		return fmt.Sprintf("Geneve, port %d", d.Port)
	}
	return fmt.Sprintf("VXLAN %d, port %d, from %v", d.VNI, d.Port, d.Local)
}

func linkAt(name string, index int) netlink.Link {
	return &netlink.Device{LinkAttrs: netlink.LinkAttrs{Name: name, Index: index}}
}

func (p *planner) make(want *podnet.Device, index *int) error {
	attrs := netlink.LinkAttrs{Name: want.Name, MTU: want.MTU, HardwareAddr: want.MAC[:], TxQLen: -1}
	var link netlink.Link = &netlink.Vxlan{LinkAttrs: attrs, VxlanId: want.VNI, Port: want.Port, SrcAddr: want.Local.AsSlice()}
	if want.Kind == podnet.InGeneve {
		link = &netlink.Geneve{LinkAttrs: attrs, Dport: uint16(want.Port), FlowBased: true}
	}
	if err := p.nl.LinkAdd(link); errors.Is(err, unix.EOPNOTSUPP) {
		return fmt.Errorf("%w: the kernel has no %s", err, want.Kind)
	} else if err != nil {
		return err
	}
	*index = link.Attrs().Index
	return nil
}

// change plans what a device can change without going.
func (p *planner) change(have *device, want *podnet.Device) {
	a := have.link.Attrs()
	if vxlan, ok := have.link.(*netlink.Vxlan); ok && !vxlan.SrcAddr.Equal(want.Local.AsSlice()) {
		p.plan.add(makeDevices, func() error { return p.setLocal(a.Index, want.Local) }, "change %s: from %v", want.Name, want.Local)
	}
	if !bytes.Equal(a.HardwareAddr, want.MAC[:]) {
		p.plan.add(makeDevices, func() error { return p.nl.LinkSetHardwareAddr(have.link, want.MAC[:]) }, "change %s: MAC address %v", want.Name, want.MAC)
	}
	if a.MTU != want.MTU {
		p.plan.add(makeDevices, func() error { return p.nl.LinkSetMTU(have.link, want.MTU) }, "change %s: MTU %d", want.Name, want.MTU)
	}
}

// addresses plans those of one device; have is nil if it is new.
func (p *planner) addresses(have *device, want *podnet.Device, index *int) {
	if have != nil {
		for _, a := range sorted(have.addresses, netip.Addr.Compare) {
			if addr := have.addresses[a]; !slices.Contains(want.Addresses, a) || !p.single(addr) {
				p.plan.add(emptyDevices, func() error { return p.nl.AddrDel(have.link, &addr) }, "remove address %v from %s", addr.IPNet, want.Name)
			}
		}
	}
	for _, a := range want.Addresses {
		if have != nil {
			if addr, there := have.addresses[a]; there && p.single(addr) {
				continue
			}
		}
		add := func() error {
			addr := &netlink.Addr{IPNet: ipNet(netip.PrefixFrom(a, a.BitLen()))}
			if a.Is6() {
				addr.Flags = unix.IFA_F_NODAD
			}
			return p.nl.AddrAdd(linkAt(want.Name, *index), addr)
		}
		p.plan.add(makeDevices, add, "add address %v to %s", a, want.Name)
	}
}

func (p *planner) single(a netlink.Addr) bool {
	net, ok := networkOf(a.IPNet)
	return ok && net.IsSingleIP()
}

// setLocal changes the address from which a device sends. netlink's LinkModify sends all
// of a device's settings, of which the kernel refuses some even where they are the same.
func (k *Kernel) setLocal(index int, local netip.Addr) error {
	req := nl.NewNetlinkRequest(unix.RTM_NEWLINK, unix.NLM_F_ACK)
	req.Sockets = map[int]*nl.SocketHandle{unix.NETLINK_ROUTE: k.raw}
	msg := nl.NewIfInfomsg(unix.AF_UNSPEC)
	msg.Index = int32(index)
	req.AddData(msg)
	info := nl.NewRtAttr(unix.IFLA_LINKINFO, nil)
	info.AddRtAttr(nl.IFLA_INFO_KIND, nl.NonZeroTerminated("vxlan"))
	attr := nl.IFLA_VXLAN_LOCAL
	if local.Is6() {
		attr = nl.IFLA_VXLAN_LOCAL6
	}
	info.AddRtAttr(nl.IFLA_INFO_DATA, nil).AddRtAttr(attr, local.AsSlice())
	req.AddData(info)
	if _, err := req.Execute(unix.NETLINK_ROUTE, 0); err != nil {
		return fmt.Errorf("changing the address of a VXLAN device: %w", err)
	}
	return nil
}
