package netpath

import (
	"net/netip"
	"strings"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir/eval"
)

// From says in words where a packet comes from, as the input knows it: "pod", "node", "a pod of
// node node-b", "node node-b", or "outside" for what is of no node. Rules know less: to those of
// a node everything that is not its own comes from outside.
func (o *Outcome) From(h Hop) string {
	if h.Packet.From != eval.FromOutside {
		return h.Packet.From.String()
	}
	switch p := o.network.owners[h.Packet.Src]; {
	case p.Host:
		return "node " + p.Node
	case p.Pod && p.Node == "":
		return "a pod without a node"
	case p.Pod:
		return "a pod of node " + p.Node
	}
	if node := o.network.listed(h.Packet.Src); node != "" && node != h.Node {
		return "an endpoint of node " + node
	}
	return h.Packet.From.String()
}

// Packet is a hop's packet in words: "10.244.2.10 -> 10.96.0.10:80/tcp from a pod of node node-b".
func (o *Outcome) Packet(h Hop) string {
	return strings.TrimSuffix(h.Packet.String(), h.Packet.From.String()) + o.From(h)
}

// Step is a step of a hop in words. The evaluator knows of the source only that it is not of the
// node; where the input knows more, the words say so.
func (o *Outcome) Step(h Hop, s eval.Step) string {
	from := o.From(h)
	if s.Stage != "route" || h.Packet.From != eval.FromOutside || from == eval.FromOutside.String() {
		return s.Text
	}
	return strings.NewReplacer(
		" comes from outside:", " comes from "+from+", outside of this node:",
		" is a pod of this node:", ", from "+from+", counts as a pod of this node:",
	).Replace(s.Text)
}

// listed returns the node of an endpoint as EndpointSlices say it, or "".
func (n *Network) listed(a netip.Addr) string {
	n.slices.Do(func() { n.endpoints = nodesOfEndpoints(n.set) })
	return n.endpoints[a]
}

// nodesOfEndpoints leaves out slices of other clusters, whose nodes are not those of this one. Of
// two nodes the one counts whose name comes first, whatever the order of slices.
func nodesOfEndpoints(set *objects.Set) map[netip.Addr]string {
	out := make(map[netip.Addr]string)
	for _, src := range set.EndpointSlices {
		if objects.OfOtherCluster(src.Object, "") {
			continue
		}
		for _, e := range src.Object.Endpoints {
			if e.NodeName == nil {
				continue
			}
			for _, a := range ParseAddresses(e.Addresses) {
				if had := out[a]; had == "" || *e.NodeName < had {
					out[a] = *e.NodeName
				}
			}
		}
	}
	return out
}
