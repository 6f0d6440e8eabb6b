package testkit

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/planec/planec/ir"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// datapath is the kernel's part of Open vSwitch, with the flows that its daemon would add
// for a switch that knows where every hardware address is. Without the daemon, a packet
// that no flow is for is dropped.
type datapath struct {
	node  *node
	index int            // of its internal port, which is the node's
	ports []datapathPort // the node's port is the first
}

type datapathPort struct {
	number   uint32
	hardware net.HardwareAddr
}

// What include/uapi/linux/openvswitch.h numbers.
const (
	ovsNew = 1 // the command of each family

	ovsDatapathName, ovsDatapathUpcall                 = 1, 2
	ovsPortNumber, ovsPortType, ovsPortName, ovsUpcall = 1, 2, 3, 5
	ovsPortOfDevice                                    = 1
	ovsFlowKey, ovsFlowActions, ovsFlowMask            = 1, 2, 7
	ovsKeyInPort, ovsKeyEthernet, ovsKeyEtherType      = 3, 4, 6
	ovsOutput                                          = 1
)

// addDatapath makes a datapath whose internal port has the gateway's addresses.
func (n *node) addDatapath(name string) (*datapath, error) {
	d := &datapath{node: n}
	if err := d.ask("ovs_datapath", nl.NewRtAttr(ovsDatapathName, nl.ZeroTerminated(name)), number(ovsDatapathUpcall, 0)); err != nil {
		return nil, err
	}
	link, err := n.nl.LinkByName(name)
	if err != nil {
		return nil, err
	}
	d.index, d.ports = link.Attrs().Index, []datapathPort{{0, link.Attrs().HardwareAddr}}
	return d, errors.Join(n.nl.LinkSetUp(link), n.gateways(link))
}

// datapathHeader is the number of a datapath's internal port; 0 is none (struct ovs_header).
type datapathHeader uint32

// Len returns the header's length.
func (datapathHeader) Len() int { return 4 }

// Serialize returns the header as the kernel reads it.
func (h datapathHeader) Serialize() []byte { return binary.NativeEndian.AppendUint32(nil, uint32(h)) }

// ask sends a command about the datapath to the kernel.
func (d *datapath) ask(family string, attributes ...*nl.RtAttr) error {
	return d.node.do(func() error {
		f, err := netlink.GenlFamilyGet(family)
		if err != nil {
			return fmt.Errorf("%s: %w", family, err)
		}
		request := nl.NewNetlinkRequest(int(f.ID), unix.NLM_F_ACK)
		request.AddData(&nl.Genlmsg{Command: ovsNew, Version: uint8(f.Version)})
		request.AddData(datapathHeader(d.index))
		for _, a := range attributes {
			request.AddData(a)
		}
		if _, err := request.Execute(unix.NETLINK_GENERIC, 0); err != nil {
			return fmt.Errorf("%s: %w", family, err)
		}
		return nil
	})
}

func number(attribute int, value uint32) *nl.RtAttr {
	return nl.NewRtAttr(attribute, binary.NativeEndian.AppendUint32(nil, value))
}

// add makes an interface of the node a port. Pods' packets to each other are switched, or
// else sent to the node's port.
func (d *datapath) add(device string, hardware net.HardwareAddr) error {
	p := datapathPort{uint32(len(d.ports)), hardware}
	err := d.ask("ovs_vport", number(ovsPortNumber, p.number), number(ovsPortType, ovsPortOfDevice),
		nl.NewRtAttr(ovsPortName, nl.ZeroTerminated(device)), number(ovsUpcall, 0))
	if err != nil {
		return fmt.Errorf("port %s: %w", device, err)
	}
	d.ports = append(d.ports, p)
	return nil
}

// everywhere is the hardware address of broadcasts; groups begin with the same bit.
func everywhere() net.HardwareAddr { return net.HardwareAddr{1, 0, 0, 0, 0, 0} }

// connect adds the flows of the last port: packets to its address go to it, from whatever
// port, and broadcasts go from it to the node and from the node to all.
func (d *datapath) connect() error {
	last := d.ports[len(d.ports)-1]
	var all []uint32
	for _, p := range d.ports[1:] {
		all = append(all, p.number)
	}
	errs := []error{
		d.flow(0, everywhere(), everywhere(), all...),
		d.flow(last.number, everywhere(), everywhere(), 0),
	}
	exact := net.HardwareAddr{255, 255, 255, 255, 255, 255}
	for _, p := range d.ports[:len(d.ports)-1] {
		errs = append(errs, d.flow(p.number, last.hardware, exact, last.number), d.flow(last.number, p.hardware, exact, p.number))
	}
	return errors.Join(errs...)
}

// flow sends packets from a port to hardware addresses out of ports. A flow that is there
// gets the new ports.
func (d *datapath) flow(from uint32, to, mask net.HardwareAddr, out ...uint32) error {
	key, wild := nl.NewRtAttr(ovsFlowKey, nil), nl.NewRtAttr(ovsFlowMask, nil)
	key.AddChild(number(ovsKeyInPort, from))
	wild.AddChild(number(ovsKeyInPort, 0xffffffff))
	key.AddRtAttr(ovsKeyEthernet, append(make([]byte, 6), to...))
	wild.AddRtAttr(ovsKeyEthernet, append(make([]byte, 6), mask...))
	key.AddRtAttr(ovsKeyEtherType, []byte{0x88, 0xb5}) // any: the mask has none
	actions := nl.NewRtAttr(ovsFlowActions, nil)
	for _, p := range out {
		actions.AddChild(number(ovsOutput, p))
	}
	if err := d.ask("ovs_flow", key, wild, actions); err != nil {
		return fmt.Errorf("flow from port %d to %v: %w", from, to, err)
	}
	return nil
}

// linkSwitch joins a pod as a port of a datapath.
func (r *Rig) linkSwitch(p *localPod, pod netip.Addr, at int) (err error) {
	if r.datapath == nil {
		if r.datapath, err = r.node.addDatapath(r.spec.Layout.Pods.Device); err != nil {
			return err
		}
	}
	p.device = r.spec.Layout.Pods.Device
	port := fmt.Sprintf("port%d", at)
	c, err := plug(r.node.namespace, p.namespace, port, podDevice, at+1, nil)
	if err != nil {
		return err
	}
	if err := errors.Join(r.datapath.add(port, c.worldMAC), r.datapath.connect()); err != nil {
		return err
	}
	link, err := p.nl.LinkByIndex(c.worldIndex)
	if err != nil {
		return err
	}
	if err := p.addAddr(link, pod); err != nil {
		return err
	}
	family := ir.FamilyOf(pod)
	onNode := cable{nodeIndex: r.datapath.index}
	if err := r.node.reach(pod, onNode, firstOf(family, r.spec.NodeAddrs)); err != nil {
		return err
	}
	if err := p.defaultRoute(family, unix.RT_TABLE_MAIN, c.worldIndex, spare(family == ir.IPv4, spareGateway), pod); err != nil {
		return err
	}
	if !r.spec.Layout.Pods.NoBridgeRules {
		return nil // other pods are behind the node's port
	}
	// No broadcast comes from pod to pod, so that they are told.
	for other, q := range r.pods {
		if ir.FamilyOf(other) == family {
			err = errors.Join(err, p.onLink(other), q.onLink(pod), p.told(other, q), q.told(pod, p))
		}
	}
	return err
}

// told tells a pod another one's hardware address.
func (p *localPod) told(a netip.Addr, other *localPod) error {
	mine, err := p.nl.LinkByName(podDevice)
	if err != nil {
		return err
	}
	theirs, err := other.nl.LinkByName(podDevice)
	if err != nil {
		return err
	}
	return p.hop(mine.Attrs().Index, a, theirs.Attrs().HardwareAddr)
}
