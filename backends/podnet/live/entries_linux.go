package live

import (
	"bytes"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/podnet"
)

// neighbours plans the neighbours of the wanted devices.
func (p *planner) neighbours(want *podnet.Network) {
	wanted := make(map[string]map[netip.Addr]bool)
	for _, n := range want.Neighbours {
		if wanted[n.Device] == nil {
			wanted[n.Device] = make(map[netip.Addr]bool)
		}
		wanted[n.Device][n.Address] = true
		if d := p.kept(n.Device); d != nil && bytes.Equal(d.neighbours[n.Address].HardwareAddr, n.MAC[:]) {
			continue
		}
		index := p.index[n.Device]
		set := func() error {
			if *index == 0 {
				return errNoDevice
			}
			return p.nl.NeighSet(&netlink.Neigh{
				LinkIndex: *index, Family: number(ir.FamilyOf(n.Address)), State: netlink.NUD_PERMANENT,
				IP: n.Address.AsSlice(), HardwareAddr: n.MAC[:],
			})
		}
		p.plan.add(fillDevices, set, "set neighbour %v on %s: %v", n.Address, n.Device, n.MAC)
	}
	for _, name := range podnet.DeviceNames() {
		d := p.kept(name)
		if d == nil {
			continue
		}
		for _, a := range sorted(d.neighbours, netip.Addr.Compare) {
			if n := d.neighbours[a]; !wanted[name][a] {
				p.plan.add(emptyDevices, func() error { return p.nl.NeighDel(&n) }, "remove neighbour %v from %s", a, name)
			}
		}
	}
}

// forwarding plans the forwarding entries of the wanted devices.
func (p *planner) forwarding(want *podnet.Network) {
	wanted := make(map[string]map[podnet.MAC]bool)
	for _, f := range want.Forwarding {
		if wanted[f.Device] == nil {
			wanted[f.Device] = make(map[podnet.MAC]bool)
		}
		wanted[f.Device][f.MAC] = true
		if d := p.kept(f.Device); d != nil {
			if to, _ := addrOf(d.forwarding[f.MAC].IP); to == f.To {
				continue
			}
		}
		index := p.index[f.Device]
		set := func() error {
			if *index == 0 {
				return errNoDevice
			}
			return p.nl.NeighSet(&netlink.Neigh{
				LinkIndex: *index, Family: unix.AF_BRIDGE, State: netlink.NUD_PERMANENT, Flags: netlink.NTF_SELF,
				IP: f.To.AsSlice(), HardwareAddr: f.MAC[:],
			})
		}
		p.plan.add(fillDevices, set, "forward %v on %s to %v", f.MAC, f.Device, f.To)
	}
	for _, name := range podnet.DeviceNames() {
		d := p.kept(name)
		if d == nil {
			continue
		}
		for _, n := range d.extra {
			p.plan.add(emptyDevices, func() error { return p.nl.NeighDel(&n) }, "remove forwarding of %v to %v from %s", n.HardwareAddr, n.IP, name)
		}
		for _, mac := range sorted(d.forwarding, func(a, b podnet.MAC) int { return bytes.Compare(a[:], b[:]) }) {
			if n := d.forwarding[mac]; !wanted[name][mac] {
				p.plan.add(emptyDevices, func() error { return p.nl.NeighDel(&n) }, "remove forwarding of %v to %v from %s", mac, n.IP, name)
			}
		}
	}
}
