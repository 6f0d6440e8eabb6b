package podnet

import (
	"fmt"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/text/ipbatch"
	"github.com/planec/planec/ir/podnet"
)

// Read returns the network in an artifact's files, without the node's name and origins: what
// [Emit] wrote. What the lines would not do together is an error: a device that is not there
// yet, or one without an address or not up.
func Read(a backends.Artifact) (podnet.Network, error) {
	r := reader{devices: make(map[string]*building)}
	for _, name := range []string{RoutesFile, ForwardingFile} {
		for c, err := range ipbatch.NetworkCommands(a.File(name)) {
			if err == nil {
				err = r.add(c)
			}
			if err != nil {
				return podnet.Network{}, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	for name, d := range r.devices {
		if !d.up || len(d.Addresses) == 0 {
			return podnet.Network{}, fmt.Errorf("%s: device %s has no address, or is not up", RoutesFile, name)
		}
		r.out.Devices = append(r.out.Devices, d.Device)
	}
	r.out.Normalize()
	return r.out, nil
}

type reader struct {
	devices map[string]*building
	out     podnet.Network
}

// building is a device whose lines are not all read.
type building struct {
	podnet.Device
	up bool
}

func (r *reader) add(c ipbatch.NetworkCommand) (err error) {
	var mac podnet.MAC
	if c.MAC != "" {
		if mac, err = podnet.ParseMAC(c.MAC); err != nil {
			return err
		}
	}
	d := r.devices[c.Device]
	if (c.Verb == "link add") != (d == nil) && c.Device != "" {
		return fmt.Errorf("%s: device %s is there twice or not at all", c.Verb, c.Device)
	}
	switch c.Verb {
	case "link add":
		r.devices[c.Device] = &building{Device: podnet.Device{Kind: podnet.Kind(c.Kind), Name: c.Device, VNI: c.VNI, Port: c.Port, Local: c.End, MAC: mac, MTU: c.MTU}}
	case "address add":
		d.Addresses = append(d.Addresses, c.Address)
	case "link set":
		d.up = true
	case "neigh replace":
		r.out.Neighbours = append(r.out.Neighbours, podnet.Neighbour{Device: c.Device, Address: c.Address, MAC: mac})
	case "fdb replace":
		r.out.Forwarding = append(r.out.Forwarding, podnet.Forwarding{Device: c.Device, MAC: mac, To: c.End})
	case "route replace":
		if c.Protocol != podnet.Protocol {
			return fmt.Errorf("route to %v: protocol %d is not planec's %d", c.To, c.Protocol, podnet.Protocol)
		}
		if c.End.IsValid() && (d == nil || d.Kind != podnet.InGeneve || c.TTL != podnet.TunnelTTL || c.Checksum != c.End.Is6()) {
			return fmt.Errorf("route to %v: it is not encapsulated as planec does it", c.To)
		}
		r.out.Routes = append(r.out.Routes, podnet.Route{To: c.To, Via: c.Via, Device: c.Device, Tunnel: podnet.Tunnel{VNI: c.VNI, From: c.From, To: c.End}})
	}
	return nil
}
