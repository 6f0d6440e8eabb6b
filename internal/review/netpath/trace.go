package netpath

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// Connection is a connection to trace.
type Connection struct {
	Src, Dst netip.Addr  // both unmapped, of one family
	Protocol ir.Protocol // TCP, UDP, SCTP or another
	// Port is 0 for protocols without ports.
	Port uint16
	// Type is the type of an ICMP packet.
	Type uint8
	// Node is the first node of a connection from outside the cluster; "" is the
	// node of the destination.
	Node string
	// Only stops after the first node.
	Only bool
	// FromHost marks a connection of a process on the node, or of a pod on the
	// host's network, whatever its source address.
	FromHost bool
}

// Hop is what one node does with the packet.
type Hop struct {
	Node   string      // the name of the node
	Packet eval.Packet // as it reaches the node
	Result eval.Result // what the node does with it
}

// Outcome is what happens to a connection.
type Outcome struct {
	// Result is that of the whole path: Endpoints are those that every node on
	// the path admits, Denied the others, and the verdict is Drop or Reject if
	// there are only others. Its Steps are empty: see Hops.
	eval.Result
	// Hops are in the order of the path. If load balancing leads to several
	// nodes, their hops follow each other.
	Hops []Hop
	// Connection is what was asked.
	Connection Connection

	network *Network
}

// maxHops bounds the nodes on the path of a packet: two from pod to pod, three
// through a nodePort of a third node.
const maxHops = 4

// Trace follows a connection over all nodes.
func (n *Network) Trace(c Connection) (Outcome, error) {
	if p := n.owners[c.Src]; c.Src == c.Dst && p.Pod {
		o := n.itself(c, p)
		o.Connection, o.network = c, n
		return o, nil
	}
	w := walk{network: n, connection: c}
	packet, name := n.start(c)
	leaves, err := w.visit(name, packet, nil, 1)
	if err != nil {
		return Outcome{}, err
	}
	return Outcome{Result: join(leaves), Hops: w.hops, Connection: c, network: n}, nil
}

// itself handles a pod that connects to its own address: no packet leaves it.
func (n *Network) itself(c Connection, p Owner) Outcome {
	hop := Hop{Node: p.Node, Packet: eval.Packet{Src: c.Src, Dst: c.Dst, Protocol: c.Protocol, Port: c.Port, From: eval.FromPod}}
	hop.Result = eval.Result{Verdict: eval.Pass, Steps: []eval.Step{{Stage: "pass", Text: "the packet does not leave the pod"}}}
	return Outcome{Result: eval.Result{Verdict: eval.Pass}, Hops: []Hop{hop}}
}

// start returns the packet as it reaches the first node, and that node's name.
func (n *Network) start(c Connection) (eval.Packet, string) {
	p := eval.Packet{Src: c.Src, Dst: c.Dst, Protocol: c.Protocol, Port: c.Port, Type: c.Type, From: eval.FromOutside}
	src := n.owners[c.Src]
	name := c.Node
	if name == "" {
		if name = src.Node; !src.Pod && !src.Host {
			name = n.owners[c.Dst].Node
		}
	}
	switch {
	case c.FromHost, src.Host && src.Node == name:
		p.From = eval.FromNode
	case src.Pod && src.Node == name:
		p.From = eval.FromPod
		p.Interface = n.Program(name).Node.Local.Interface
	}
	return p, name
}

// leaf is one possible end of the packet's path.
type leaf struct {
	verdict eval.Verdict
	// given is the endpoint that load balancing chose, or nil.
	given    *eval.Choice
	affinity uint32
	frontend *ir.Frontend
	// masquerade reports that a node on the path replaced the source address.
	masquerade bool
}

type walk struct {
	network    *Network
	connection Connection
	hops       []Hop
}

// visit evaluates one node and continues with the next. before is the path so far.
func (w *walk) visit(name string, packet eval.Packet, before *leaf, depth int) ([]leaf, error) {
	v := w.network.node(name)
	if v.err != nil {
		return nil, v.err
	}
	r, err := v.judge.Eval(packet)
	if err != nil {
		return nil, fmt.Errorf("node %s: %v: %w", name, packet, err)
	}
	w.hops = append(w.hops, Hop{name, packet, r})
	here := leaf{affinity: r.Affinity, frontend: r.Frontend}
	if before != nil {
		here = *before
	}
	var out []leaf
	for _, c := range r.Denied {
		out = append(out, here.refused(r.Verdict, v.program, c))
	}
	switch r.Verdict {
	case eval.Drop, eval.Reject:
		if len(r.Denied) == 0 {
			here.verdict = r.Verdict
			out = append(out, here)
		}
		return out, nil
	case eval.Pass:
		here.verdict, here.masquerade = eval.Pass, here.masquerade || r.Masquerade
		return w.onward(out, v, packet, packet.Dst, packet.Port, here, depth)
	}
	for _, c := range r.Endpoints {
		next := here
		next.verdict, next.given = eval.DNAT, &c
		next.masquerade = here.masquerade || c.Masquerade
		if out, err = w.onward(out, v, packet, c.Address.Addr(), c.Address.Port(), next, depth); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (l leaf) refused(v eval.Verdict, p *ir.Program, c eval.Choice) leaf {
	if v == eval.DNAT {
		// Other packets were let through; this one is refused the way the node refuses.
		v = eval.Drop
		if p.Policy.OnDeny == ir.Reject {
			v = eval.Reject
		}
	}
	l.verdict, l.given = v, &c
	return l
}

// onward follows the packet to the node of its destination, if that is
// another node of the cluster.
func (w *walk) onward(out []leaf, v *node, packet eval.Packet, dst netip.Addr, port uint16, l leaf, depth int) ([]leaf, error) {
	owner := w.network.owners[dst]
	name := v.program.Node.Name
	if w.connection.Only || !owner.Pod && !owner.Host || owner.Node == name || depth == maxHops {
		return append(out, l), nil
	}
	next := eval.Packet{Src: packet.Src, Dst: dst, Protocol: packet.Protocol, Port: port, Type: packet.Type, From: eval.FromOutside}
	if l.masquerade {
		if own := ir.AddrsOf(ir.FamilyOf(dst), v.program.Node.Addresses); len(own) > 0 {
			next.Src = own[0]
		}
	}
	more, err := w.visit(owner.Node, next, &l, depth+1)
	if err != nil {
		return nil, err
	}
	for i := range more {
		// Passing at the end keeps the endpoint that was chosen earlier.
		if more[i].verdict == eval.Pass && l.verdict == eval.DNAT {
			more[i].verdict = eval.DNAT
		}
	}
	return append(out, more...), nil
}

// join combines all ends to one result.
func join(leaves []leaf) eval.Result {
	var r eval.Result
	masquerade := true
	for _, l := range leaves {
		r.Affinity, r.Frontend = max(r.Affinity, l.affinity), l.frontend
		switch l.verdict {
		case eval.Pass:
			r.Verdict = eval.Pass
			masquerade = masquerade && l.masquerade
		case eval.DNAT:
			r.Verdict = eval.DNAT
			c := *l.given
			c.Masquerade = l.masquerade
			masquerade = masquerade && l.masquerade
			r.Endpoints = append(r.Endpoints, c)
		default:
			if l.given != nil {
				r.Denied = append(r.Denied, *l.given)
			}
			if r.Verdict == 0 {
				r.Verdict = l.verdict
			}
		}
	}
	if r.Verdict != eval.Pass && r.Verdict != eval.DNAT {
		masquerade = false
	}
	r.Masquerade = masquerade
	slices.SortFunc(r.Endpoints, func(a, b eval.Choice) int { return a.Address.Compare(b.Address) })
	slices.SortFunc(r.Denied, func(a, b eval.Choice) int { return a.Address.Compare(b.Address) })
	return r
}

// Reaches reports whether the packet arrives at any of its possible endpoints.
func (o *Outcome) Reaches() bool {
	return o.Verdict == eval.Pass || o.Verdict == eval.DNAT && len(o.Denied) == 0
}
