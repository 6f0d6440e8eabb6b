package localport

import (
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/planec/planec/ir"
)

// Port is a nodePort to serve.
type Port struct {
	Family ir.Family // the family of the loopback address
	Number uint16    // the nodePort
	// Service is the Service port of the nodePort. If it changes, existing
	// connections end.
	Service ir.ServicePort
	// Affinity is how long after the last new connection the endpoint stays the
	// same; 0 means no affinity.
	Affinity time.Duration
	// Endpoints are the endpoints without duplicates. A port without endpoints is
	// not listened on.
	Endpoints []netip.AddrPort
	// Origin is the object to name in messages about the port.
	Origin ir.Origin
}

// key identifies a port: ports with different keys do not share connections.
type key struct {
	family  ir.Family
	number  uint16
	service ir.ServicePort
}

func (p *Port) key() key { return key{p.Family, p.Number, p.Service} }

// address returns the address to listen on.
func (p *Port) address() string {
	host := "127.0.0.1"
	if p.Family == ir.IPv6 {
		host = "::1"
	}
	return net.JoinHostPort(host, strconv.Itoa(int(p.Number)))
}
