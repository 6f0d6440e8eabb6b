package ipbatch

import (
	"iter"
	"net/netip"
	"strings"

	"github.com/planec/planec/internal/text/quoted"
)

// NetworkCommand is one line of the pod routes of planec: input of ip -batch and of
// bridge -batch.
type NetworkCommand struct {
	// Verb is "link add" (a VXLAN device), "address add", "link set" (sets the device up),
	// "neigh replace", "route replace" or "fdb replace".
	Verb, Device string
	// MAC is of a device, a neighbour or a forwarding entry, as written.
	MAC string
	// MTU, VNI and Port are of a device.
	MTU, VNI, Port int
	// Address is a device's own, without its full length, or a neighbour's.
	Address netip.Addr
	// To and Via are a route's. Its protocol number is Protocol, and Device is "" where
	// the kernel finds the device of Via.
	To       netip.Prefix
	Via      netip.Addr
	Protocol int
	// End is where packets are sent to (of a forwarding entry) or from (of a device).
	End netip.Addr
}

// NetworkCommands yields the commands of a text, up to the first error.
func NetworkCommands(text []byte) iter.Seq2[NetworkCommand, error] {
	return quoted.Lines(text, parseNetwork)
}

func parseNetwork(line string) (NetworkCommand, error) {
	r := quoted.NewReader(strings.Fields(line))
	c := NetworkCommand{Verb: r.Next() + " " + r.Next()}
	switch c.Verb {
	case "link add":
		vxlan(r, &c)
	case "link set":
		c.Device = r.Next()
		r.Want("up")
	case "address add":
		p := prefix(r)
		if c.Address = p.Addr(); !p.IsSingleIP() {
			r.Fail("no single address; a network would make a route")
		}
		r.Want("dev")
		if c.Device = r.Next(); c.Address.Is6() {
			r.Want("nodad")
		}
	case "neigh replace":
		c.Address = addr(r)
		r.Want("lladdr")
		c.MAC = r.Next()
		r.Want("dev")
		c.Device = r.Next()
		r.Want("nud", "permanent")
	case "route replace":
		route(r, &c)
	case "fdb replace":
		c.MAC = r.Next()
		r.Want("dev")
		c.Device = r.Next()
		r.Want("dst")
		c.End = addr(r)
		r.Want("self", "permanent")
	default:
		r.Fail("command %q is not known", c.Verb)
	}
	return c, r.End()
}

func vxlan(r *quoted.Reader, c *NetworkCommand) {
	c.Device = r.Next()
	r.Want("address")
	c.MAC = r.Next()
	r.Want("mtu")
	c.MTU = int(r.Uint(16))
	r.Want("type", "vxlan", "id")
	c.VNI = int(r.Uint(24))
	r.Want("local")
	c.End = addr(r)
	r.Want("dstport")
	c.Port = int(r.Uint(16))
	r.Want("nolearning")
}

func route(r *quoted.Reader, c *NetworkCommand) {
	if c.To = prefix(r); c.To != c.To.Masked() {
		r.Fail("%v is no network", c.To)
	}
	r.Want("via")
	c.Via = addr(r)
	onDevice := r.Skip("dev")
	if onDevice {
		c.Device = r.Next()
	}
	r.Want("proto")
	if c.Protocol = int(r.Uint(8)); onDevice {
		r.Want("onlink")
	}
}

func addr(r *quoted.Reader) netip.Addr {
	a, err := netip.ParseAddr(r.Next())
	if err != nil || a.Zone() != "" || a.Is4In6() {
		r.Fail("no address")
	}
	return a
}

func prefix(r *quoted.Reader) netip.Prefix {
	p, err := netip.ParsePrefix(r.Next())
	if err != nil || p.Addr().Is4In6() {
		r.Fail("no network")
	}
	return p
}
