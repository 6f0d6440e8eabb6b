package testkit

import (
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// Spec describes a rig. Remote endpoints, clients and virtual addresses need no
// entry, because the world has every address.
type Spec struct {
	// NodeAddrs are the node's own addresses except loopback.
	NodeAddrs []netip.Addr
	// Pods are the addresses of local pods, whether endpoints or not. A pod with
	// two families counts as two pods, each with its own interface.
	Pods []netip.Addr
	// Ports are opened on the node and in the world.
	Ports []Port
	// Local determines the names of the pods' interfaces on the node, and whether
	// there is a bridge, unless Layout does.
	Local ir.LocalDetector
	// Layout is how pods are joined.
	Layout Layout
	// Remote are networks of pods on other nodes. They matter with a tunnel only.
	Remote []netip.Prefix
}

// Port is a port to listen on.
type Port struct {
	Protocol ir.Protocol // TCP, UDP or SCTP
	Number   uint16      // 1 to 65535
}

// SpecFor returns the spec for a program and the flows to try. Local endpoints and
// pods selected by policies become pods, unless they have an address of the node,
// which means host network. If something uses a family of which the node has no
// address, the node gets one, because nothing could be masqueraded otherwise.
func SpecFor(p *ir.Program, flows []Flow) Spec {
	s := Spec{Local: p.Node.Local}
	for _, a := range p.Node.Addresses {
		if !a.IsLoopback() {
			s.NodeAddrs = append(s.NodeAddrs, a)
		}
	}
	for _, pool := range p.Pools {
		for _, ep := range pool.Endpoints {
			s.endpoint(p, ep)
		}
	}
	for _, profile := range p.Policy.Profiles {
		for _, pod := range profile.Pods {
			s.Pods = append(s.Pods, pod.Addresses...)
		}
	}
	for _, f := range flows {
		s.flow(f)
	}
	for _, f := range ir.Families() {
		if len(ir.AddrsOf(f, s.NodeAddrs)) == 0 && usesFamily(p, flows, f) {
			s.NodeAddrs = append(s.NodeAddrs, spare(f == ir.IPv4, spareNode))
		}
	}
	s.remote(p)
	slices.SortFunc(s.Pods, netip.Addr.Compare)
	s.Pods = slices.Compact(s.Pods)
	return s
}

// endpoint adds a pool's endpoint. The port is opened for all protocols, so that a
// rule with the wrong protocol does not look like a refusal.
func (s *Spec) endpoint(p *ir.Program, ep ir.Endpoint) {
	addr := ep.Address.Addr()
	if ep.Local && !slices.Contains(p.Node.Addresses, addr) {
		s.Pods = append(s.Pods, addr)
	}
	s.port(ir.TCP, ep.Address.Port())
	s.port(ir.UDP, ep.Address.Port())
}

func (s *Spec) flow(f Flow) {
	if f.From == eval.FromPod {
		s.Pods = append(s.Pods, f.Src)
	}
	if f.Protocol.HasPorts() {
		s.port(f.Protocol, f.Port)
	}
}

func (s *Spec) port(proto ir.Protocol, number uint16) {
	p := Port{Protocol: proto, Number: number}
	if !slices.Contains(s.Ports, p) {
		s.Ports = append(s.Ports, p)
	}
}

func usesFamily(p *ir.Program, flows []Flow, f ir.Family) bool {
	return slices.ContainsFunc(p.Frontends, func(fe ir.Frontend) bool { return fe.Match.Family == f }) ||
		slices.ContainsFunc(flows, func(fl Flow) bool { return ir.FamilyOf(fl.Dst) == f })
}

// remote adds the networks of endpoints on other nodes, without those that the node
// itself is in: endpoints on the network of their host.
func (s *Spec) remote(p *ir.Program) {
	for _, pool := range p.Pools {
		for _, ep := range pool.Endpoints {
			network := remotePods(ep.Address.Addr())
			host := slices.ContainsFunc(s.NodeAddrs, network.Contains)
			if !ep.Local && !host && !slices.Contains(s.Remote, network) {
				s.Remote = append(s.Remote, network)
			}
		}
	}
}
