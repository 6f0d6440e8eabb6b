package engines

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/planec/planec/engines/cilium"
	"github.com/planec/planec/ir"
)

// connection is the first packet of a connection. Ends are written as in the tables of
// verdicts: "namespace/pod", "node/NAME" or "ip/ADDRESS".
type connection struct {
	from, to string
	protocol ir.Protocol
	port     uint16 // of the destination, or the type of ICMP
}

func (c connection) String() string {
	return fmt.Sprintf("%s to %s, %v %d", c.from, c.to, c.protocol, c.port)
}

// family is that of the packet: ends have IPv4 addresses, unless the protocol or an
// address outside says otherwise.
func (c connection) family() ir.Family {
	for _, end := range []string{c.from, c.to} {
		if outside, ok := strings.CutPrefix(end, "ip/"); ok && strings.Contains(outside, ":") {
			return ir.IPv6
		}
	}
	if c.protocol == ir.ICMPv6 {
		return ir.IPv6
	}
	return ir.IPv4
}

// possible reports whether there is such a packet that policies judge: an end of it is a
// pod or a node, and both ends and ICMP are of its family.
func (c connection) possible() bool {
	outside := 0
	for _, end := range []string{c.from, c.to} {
		if address, ok := strings.CutPrefix(end, "ip/"); ok {
			outside++
			if strings.Contains(address, ":") != (c.family() == ir.IPv6) {
				return false
			}
		}
	}
	return outside < 2 && (!c.protocol.HasTypes() || (c.protocol == ir.ICMPv6) == (c.family() == ir.IPv6))
}

// place is where an end is.
type place struct {
	addr netip.Addr
	node string // "" outside of the cluster
	pod  bool   // whether it is a pod with an address of its own
}

// find looks an end up among the objects.
func find(c *cilium.Cluster, end string, family ir.Family) (place, error) {
	kind, rest, _ := strings.Cut(end, "/")
	var at place
	var of []string
	switch {
	case kind == "ip":
		of = []string{rest}
	case kind == "node":
		at.node = rest
		for _, n := range c.Nodes {
			for _, a := range n.Status.Addresses {
				if n.Name == rest {
					of = append(of, a.Address)
				}
			}
		}
	case c.Pods[end] != nil:
		p := c.Pods[end]
		at.node, at.pod = p.Spec.NodeName, !p.Spec.HostNetwork
		for _, ip := range p.Status.PodIPs {
			of = append(of, ip.IP)
		}
	}
	for _, text := range of {
		a, err := netip.ParseAddr(text)
		if err == nil && ir.FamilyOf(a) == family {
			at.addr = a
			return at, nil
		}
	}
	return at, fmt.Errorf("%s is not known, or has no %v address", end, family)
}

// asked is a question to both: what the policies of a pod say in one direction.
type asked struct {
	connection
	pod     string
	node    string // of the pod
	ingress bool
	peer    netip.Addr
	own     bool // whether the peer is the pod's own node
}

// questions returns those of both ends that are pods.
func questions(c *cilium.Cluster, conn connection) ([]asked, error) {
	from, err := find(c, conn.from, conn.family())
	if err != nil {
		return nil, err
	}
	to, err := find(c, conn.to, conn.family())
	if err != nil {
		return nil, err
	}
	var out []asked
	if from.pod {
		out = append(out, asked{conn, conn.from, from.node, false, to.addr, false})
	}
	if to.pod {
		out = append(out, asked{conn, conn.to, to.node, true, from.addr, !from.pod && from.node == to.node})
	}
	return out, nil
}

// withoutProxy is what planec, which has no proxy, makes of a verdict of Cilium's: what is
// to be proved is a proxy's business too, and a test that always fails is a denial.
func withoutProxy(v cilium.Verdict) string {
	switch v {
	case "auth", "auth+redirect":
		return "redirect"
	case "authfail":
		return "blocked"
	}
	return string(v)
}
