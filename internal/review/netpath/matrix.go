package netpath

import (
	"fmt"
	"net/netip"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/resolve"
)

// Port is a destination port of the matrix.
type Port struct {
	Protocol ir.Protocol // TCP, UDP or SCTP
	Number   uint16      // 1 to 65535
}

// Matrix calls yield for every pair of different pods and every port, sorted by
// source, destination and the order of ports, with whether the connection
// arrives. Pods without an address family in common cannot connect.
//
// With the evaluator, pairs that its policies do not distinguish are evaluated
// once, because two thousand pods make four million pairs. Package resolve
// finds these pairs as classes of addresses; its tables are tested against the
// evaluator. Any other judge evaluates each pair.
func (n *Network) Matrix(pods []Pod, ports []Port, yield func(from, to *Pod, port Port, allowed bool)) error {
	m := matrix{network: n, pods: pods, views: make(map[string]*view)}
	for i := range pods {
		for j := range pods {
			if i == j {
				continue
			}
			if err := m.pair(&pods[i], &pods[j], ports, yield); err != nil {
				return fmt.Errorf("%v to %v: %w", &pods[i], &pods[j], err)
			}
		}
	}
	return nil
}

func (m *matrix) pair(from, to *Pod, ports []Port, yield func(from, to *Pod, port Port, allowed bool)) error {
	src, dst, ok := Common(from.Addresses, to.Addresses, from.Primary)
	if !ok {
		for _, port := range ports {
			yield(from, to, port, false)
		}
		return nil
	}
	v, err := m.view(from.Place.Node)
	if err != nil {
		return err
	}
	w, err := m.view(to.Place.Node)
	if err != nil {
		return err
	}
	plain := !from.Place.Host && !to.Place.Host && v.plain(dst) && w.plain(dst)
	for _, port := range ports {
		if plain {
			yield(from, to, port, v.judge(ir.Egress, src, dst, port) && w.judge(ir.Ingress, dst, src, port))
			continue
		}
		o, err := m.network.Trace(Connection{Src: src, Dst: dst, Protocol: port.Protocol, Port: port.Number, FromHost: from.Place.Host, Node: from.Place.Node})
		if err != nil {
			return fmt.Errorf("port %d/%v: %w", port.Number, port.Protocol, err)
		}
		yield(from, to, port, o.Reaches())
	}
	return nil
}

type matrix struct {
	network *Network
	pods    []Pod
	views   map[string]*view
}

// view is one node's program with its cached answers.
type view struct {
	evaluator *eval.Evaluator
	program   *ir.Program
	tables    *resolve.Policy
	classes   map[netip.Addr]uint32
	profiles  map[netip.Addr]int32
	special   map[netip.Addr]bool
	answers   map[question]bool
}

// question is the input of the decision about one direction on one node.
type question struct {
	direction ir.Direction
	profile   int32
	class     uint32
	port      Port
}

func (m *matrix) view(name string) (*view, error) {
	if v := m.views[name]; v != nil {
		return v, nil
	}
	nd := m.network.node(name)
	if nd.err != nil {
		return nil, nd.err
	}
	v := &view{program: nd.program}
	m.views[name] = v
	own, ok := nd.judge.(certain)
	if !ok {
		return v, nil
	}
	v.evaluator, v.tables = own.Evaluator, resolve.New(&nd.program.Policy, nil)
	v.classes, v.profiles = make(map[netip.Addr]uint32), make(map[netip.Addr]int32)
	v.special, v.answers = specialAddresses(nd.program), make(map[question]bool)
	for i := range nd.program.Policy.Profiles {
		for _, pod := range nd.program.Policy.Profiles[i].Pods {
			for _, a := range pod.Addresses {
				v.profiles[a] = int32(i) + 1
			}
		}
	}
	return v, nil
}

// specialAddresses returns the addresses where more than policies decides.
func specialAddresses(p *ir.Program) map[netip.Addr]bool {
	out := make(map[netip.Addr]bool)
	for i := range p.Frontends {
		out[p.Frontends[i].Match.Address] = true
	}
	for _, a := range p.ClusterIPs {
		out[a] = true
	}
	return out
}

// plain reports whether policies alone decide about a packet to the address,
// and its source stays the same.
func (v *view) plain(a netip.Addr) bool {
	return v.evaluator != nil && !v.special[a] && !v.evaluator.IsNodeAddress(a) &&
		!ir.ContainsAddr(v.program.Node.ServiceCIDRs, a) &&
		(!v.program.Masquerade.Enabled(ir.FamilyOf(a)) || ir.ContainsAddr(v.program.Masquerade.Exclude, a))
}

func (v *view) judge(d ir.Direction, pod, peer netip.Addr, port Port) bool {
	profile := v.profiles[pod]
	if profile == 0 {
		return true
	}
	class, known := v.classes[peer]
	if !known {
		class = v.tables.ClassOf(peer)
		v.classes[peer] = class
	}
	q := question{d, profile, class, port}
	answer, known := v.answers[q]
	if !known {
		decision, _ := v.evaluator.Judge(d, pod, peer, eval.Transport{Protocol: port.Protocol, Port: port.Number})
		answer = decision.Accept
		v.answers[q] = answer
	}
	return answer
}
