package localport

import (
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/planec/planec/ir"
)

// Port is a nodePort that is to be served.
type Port struct {
	Family ir.Family // that of the loopback address
	Number uint16    // the nodePort
	// Service is the Service port that it belongs to. When that changes, the
	// connections of the one before end.
	Service ir.ServicePort
	// Affinity is for how long after the last new connection the endpoint stays the
	// same; 0 is no affinity.
	Affinity time.Duration
	// Endpoints are what is chosen from, each once. A port without any is not
	// listened on.
	Endpoints []netip.AddrPort
	// Origin is the object that messages about the port name.
	Origin ir.Origin
}

// key is what makes a port another one.
type key struct {
	family  ir.Family
	number  uint16
	service ir.ServicePort
}

func (p *Port) key() key { return key{p.Family, p.Number, p.Service} }

// address is where the port is listened on.
func (p *Port) address() string {
	host := "127.0.0.1"
	if p.Family == ir.IPv6 {
		host = "::1"
	}
	return net.JoinHostPort(host, strconv.Itoa(int(p.Number)))
}
