package clustergen

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// Nodes is the default number of Nodes of a cluster: "node-000" to "node-099".
const Nodes = 100

const (
	servicesPerNamespace = 20
	created              = "2026-01-02T03:04:05Z"
	uid                  = "00000000-0000-4000-8000-%012d"
)

// Size is the size of a cluster.
type Size struct {
	Services int // the number of Services
	// Endpoints is the number of endpoints of each Service.
	Endpoints int
	// Nodes is the number of Nodes; 0 means [Nodes].
	Nodes int
}

func (s Size) nodes() int {
	if s.Nodes == 0 {
		return Nodes
	}
	return s.Nodes
}

// service holds the names and addresses of one Service.
type service struct {
	index                int
	name, namespace      string
	clusterIP, slice     string
	endpoints, endpointN int
	nodes                int
}

func (s Size) service(i int) service {
	name := fmt.Sprintf("svc-%05d", i)
	return service{
		index:     i,
		name:      name,
		namespace: fmt.Sprintf("team-%04d", i/servicesPerNamespace),
		clusterIP: address("10.96.0.0", i+1),
		slice:     name + "-" + suffix(i),
		endpoints: s.Endpoints,
		endpointN: i * s.Endpoints,
		nodes:     s.nodes(),
	}
}

// endpoint is one endpoint of a Service.
type endpoint struct{ address, node, zone, pod string }

func (s service) endpoint(i int) endpoint {
	n := s.endpointN + i
	return endpoint{
		address: address("10.128.0.0", n+1),
		node:    nodeName(n % s.nodes),
		zone:    zoneOf(n % s.nodes),
		pod:     fmt.Sprintf("%s-7d9c6b5f4d-%s", s.name, suffix(n)),
	}
}

func nodeName(i int) string { return fmt.Sprintf("node-%03d", i) }

func zoneOf(node int) string { return fmt.Sprintf("zone-%c", 'a'+rune(node%2)) }

// nodeIP returns the InternalIP of node i.
func nodeIP(i int) string { return address("192.168.0.0", 10+i) }

// podCIDR returns the pod range of node i. Endpoints do not follow these ranges.
func podCIDR(i int) string { return address("10.244.0.0", i<<8) + "/24" }

// address returns base plus n.
func address(base string, n int) string {
	a := netip.MustParseAddr(base).As4()
	binary.BigEndian.PutUint32(a[:], binary.BigEndian.Uint32(a[:])+uint32(n))
	return netip.AddrFrom4(a).String()
}

// suffix returns the five characters at the end of a generated name.
func suffix(n int) string {
	const letters = "bcdfghjklmnpqrstvwxz2456789"
	var out [5]byte
	for i := range out {
		out[i] = letters[n%len(letters)]
		n /= len(letters)
	}
	return string(out[:])
}
