package testkit

import (
	"net/netip"

	"github.com/planec/planec/ir"
)

// target is the destination of a random flow.
type target struct {
	addr     netip.Addr
	protocol ir.Protocol
	port     uint16
	// frontend is the frontend that the flow should match, or nil.
	frontend *ir.Frontend
}

// frontend returns one of the program's frontends; a nodePort is combined with an
// address of the node, whether that serves nodePorts or not.
func (g *generator) frontend() (target, bool) {
	if len(g.program.Frontends) == 0 {
		return target{}, false
	}
	f := &g.program.Frontends[g.IntN(len(g.program.Frontends))]
	d := target{addr: f.Match.Address, protocol: f.Match.Protocol, port: f.Match.Port, frontend: f}
	if !d.addr.IsValid() {
		var ok bool
		if d.addr, ok = pick(g.Rand, g.node[f.Match.Family]); !ok {
			return target{}, false
		}
	}
	return d, true
}

// unknownPort returns an address of a Service with the port or the protocol of
// another one, or with an unused port.
func (g *generator) unknownPort() (target, bool) {
	d, ok := g.frontend()
	if !ok {
		return target{}, false
	}
	other, _ := g.frontend()
	d.frontend = nil
	switch g.IntN(3) {
	case 0:
		d.protocol = g.protocol()
	case 1:
		if other.port == 0 {
			return target{}, false
		}
		d.port = other.port
	default:
		d.port = g.port()
	}
	return d, true
}

// unknownService returns an address of a service range, usually without a Service.
func (g *generator) unknownService() (target, bool) {
	p, ok := pick(g.Rand, g.program.Node.ServiceCIDRs)
	if !ok {
		return target{}, false
	}
	a, ok := g.host(p)
	return target{addr: a, protocol: g.protocol(), port: g.port()}, ok
}

// nodeItself returns a port of the node: one without a Service, or a nodePort on
// the loopback address.
func (g *generator) nodeItself() (target, bool) {
	family := g.family()
	a, ok := pick(g.Rand, g.node[family])
	d := target{addr: a, protocol: g.protocol(), port: g.port()}
	if g.IntN(4) == 0 {
		other, found := g.frontend()
		if found && other.frontend.Kind == ir.NodePort {
			return target{addr: loopback(family), protocol: other.protocol, port: other.port}, true
		}
	}
	return d, ok
}

// elsewhere returns a destination that is unrelated to Services: a pod, here or
// elsewhere, or a host in the internet.
func (g *generator) elsewhere() (target, bool) {
	family := g.family()
	d := target{protocol: g.protocol(), port: g.port()}
	var ok bool
	switch g.IntN(5) {
	case 0:
		d.addr, ok = pick(g.Rand, g.local[family])
	case 1:
		d.addr, ok = pick(g.Rand, g.clients[family])
	case 2:
		d.addr, ok = pick(g.Rand, g.remote[family])
	case 3:
		var p netip.Prefix
		if p, ok = pick(g.Rand, ir.PrefixesOf(family, g.program.Masquerade.Exclude)); ok {
			d.addr, ok = g.host(p)
		}
	default:
		d.addr, ok = g.host(internet(family))
	}
	return d, ok
}

func (g *generator) family() ir.Family {
	f, _ := pick(g.Rand, g.families)
	return f
}

func (g *generator) protocol() ir.Protocol {
	p, _ := pick(g.Rand, ir.Protocols())
	return p
}

// port returns one of a few ports, so that a rig has few listeners.
func (g *generator) port() uint16 {
	return [...]uint16{53, 80, 443, 8080, 30000, 31999}[g.IntN(6)]
}

func loopback(f ir.Family) netip.Addr {
	if f == ir.IPv4 {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.IPv6Loopback()
}
