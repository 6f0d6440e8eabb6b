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
	// Verb is "link add" (a device of VXLAN or Geneve), "address add", "link set" (sets the device up),
	// "neigh replace", "route replace" or "fdb replace".
	Verb, Device string
	// MAC is of a device, a neighbour or a forwarding entry, as written.
	MAC string
	// Kind is that of a device: "vxlan" or "geneve".
	Kind string
	// MTU, VNI and Port are of a device, VNI also of a route's tunnel.
	MTU, VNI, Port int
	// Address is a device's own, without its full length, or a neighbour's.
	Address netip.Addr
	// To and Via are a route's. Its protocol number is Protocol, and Device is "" where
	// the kernel finds the device of Via.
	To       netip.Prefix
	Via      netip.Addr
	Protocol int
	// End is where packets are sent to (of a forwarding entry or a route's tunnel) or from (of a
	// device).
	End netip.Addr
	// From, TTL and Checksum are of a route's tunnel: its source, the time to live of its packets,
	// and whether UDP has a checksum.
	From     netip.Addr
	TTL      int
	Checksum bool
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
		link(r, &c)
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

func link(r *quoted.Reader, c *NetworkCommand) {
	c.Device = r.Next()
	r.Want("address")
	c.MAC = r.Next()
	r.Want("mtu")
	c.MTU = int(r.Uint(16))
	r.Want("type")
	if c.Kind = r.Next(); c.Kind == "geneve" {
		r.Want("external", "dstport")
		c.Port = int(r.Uint(16))
		return
	}
	if c.Kind != "vxlan" {
		r.Fail("device of kind %q", c.Kind)
	}
	r.Want("id")
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
	if r.Skip("encap") {
		tunnel(r, c)
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

func tunnel(r *quoted.Reader, c *NetworkCommand) {
	family, life := r.Next(), "ttl"
	if family == "ip6" {
		life = "hoplimit"
	}
	r.Want("id")
	c.VNI = int(r.Uint(24))
	r.Want("src")
	c.From = addr(r)
	r.Want("dst")
	c.End = addr(r)
	if family != "ip" && family != "ip6" || c.From.Is6() != (family == "ip6") || c.End.Is6() != (family == "ip6") {
		r.Fail("tunnel %q from %v to %v", family, c.From, c.End)
	}
	r.Want(life)
	c.TTL, c.Checksum = int(r.Uint(8)), r.Skip("csum")
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
