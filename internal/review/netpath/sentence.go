package netpath

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// Question is what was asked: "Can shop/web-0 reach svc/shop/db on port 5432/tcp?"
func (o *Outcome) Question() string {
	c := &o.Connection
	on := fmt.Sprintf("on port %d/%v", c.Port, c.Protocol)
	if c.Port == 0 {
		on = "by " + c.Protocol.String()
	}
	return fmt.Sprintf("Can %s reach %s %s?", o.source(), o.destination(""), on)
}

// Sentence is the answer: where the connection arrives and which policies let it, or what
// keeps it from there.
func (o *Outcome) Sentence() string {
	port := ""
	if o.Connection.Port != 0 {
		port = fmt.Sprintf(":%d", o.Connection.Port)
	}
	arrow := o.source() + " → " + o.destination(port) + " "
	switch {
	case o.Connection.Src == o.Connection.Dst && o.network.owners[o.Connection.Src].Pod:
		return arrow + "does not leave the pod, so no policy is asked"
	case o.Verdict == eval.Pass || o.Verdict == eval.DNAT:
		return arrow + o.arrival()
	}
	verb := "is dropped"
	if o.Verdict == eval.Reject {
		verb = "is rejected"
	}
	return arrow + verb + ": " + o.refusal()
}

// source and destination name the ends.
func (o *Outcome) source() string { return o.network.name(o.Connection.Src) }

func (o *Outcome) destination(port string) string {
	f := o.frontend()
	name := o.network.name(o.Connection.Dst)
	switch {
	case f == nil && port != "" && o.Connection.Dst.Is6() && name == o.Connection.Dst.String():
		return "[" + name + "]" + port
	case f == nil:
		return name + port
	case f.Kind == ir.ClusterIP:
		return o.Service() + port
	}
	return fmt.Sprintf("%s%s (%s)", name, port, o.Service())
}

// Service returns "svc/namespace/name" of the Service that was asked, or "".
func (o *Outcome) Service() string {
	f := o.frontend()
	if f == nil {
		return ""
	}
	return fmt.Sprintf("svc/%s/%s", f.Service.Namespace, f.Service.Name)
}

// Ends are the names of the source and of where the connection may arrive, or would
// arrive if it were not refused; denied are endpoints that policies keep it from.
func (o *Outcome) Ends() (source string, arrives, denied []string) {
	for _, a := range o.Addresses() {
		arrives = append(arrives, o.endpoint(a))
	}
	for _, c := range o.Denied {
		denied = append(denied, o.endpoint(c.Address))
	}
	if len(arrives)+len(denied) == 0 && o.frontend() == nil {
		name := []string{o.network.name(o.Connection.Dst)}
		if o.Verdict == eval.Pass {
			return o.source(), name, nil
		}
		return o.source(), nil, name
	}
	return o.source(), arrives, denied
}

// frontend returns that of the first node, or nil. Judges of rules do not know frontends,
// so the program tells.
func (o *Outcome) frontend() *ir.Frontend {
	if len(o.Hops) == 0 {
		return nil
	}
	h := &o.Hops[0]
	if h.Result.Frontend != nil {
		return h.Result.Frontend
	}
	return o.network.evaluate(h).Frontend
}

// evaluate returns what the evaluator says about a hop, for its reasons.
func (n *Network) evaluate(h *Hop) eval.Result { return eval.New(n.Program(h.Node)).Eval(h.Packet) }

// name names an address: "shop/web-0", "node node-a", or the address itself.
func (n *Network) name(a netip.Addr) string {
	switch p := n.owners[a]; {
	case p.Pod:
		return p.Namespace + "/" + p.Name
	case p.Host:
		return "node " + p.Node
	}
	return a.String()
}

// arrival says where a connection arrives and why.
func (o *Outcome) arrival() string {
	const most = 6
	ends := o.Addresses()
	var out string
	switch {
	case o.Verdict == eval.DNAT && len(ends) == 1:
		out = "arrives at " + o.endpoint(ends[0])
	case o.Verdict == eval.DNAT:
		var names []string
		for i, a := range ends {
			if i == most {
				names = append(names, fmt.Sprintf("and %d more", len(ends)-most))
				break
			}
			names = append(names, o.endpoint(a))
		}
		out = fmt.Sprintf("arrives at one of %d: %s", len(ends), strings.Join(names, ", "))
	case o.network.owners[o.Connection.Dst] == Owner{}:
		ends = []netip.AddrPort{netip.AddrPortFrom(o.Connection.Dst, o.Connection.Port)}
		out = "goes on to outside the cluster"
	default:
		ends = []netip.AddrPort{netip.AddrPortFrom(o.Connection.Dst, o.Connection.Port)}
		out = "arrives"
	}
	if o.Connection.Only && slices.ContainsFunc(ends, o.elsewhere) {
		out += ", as far as " + nodeWords(o.Hops[0].Node) + " decides"
	}
	if o.Masquerade {
		out += ", with a node's address as its source"
	}
	if len(o.Denied) > 0 {
		out += "; but not at " + o.endpoint(o.Denied[0].Address)
		if more := len(o.Denied) - 1; more > 0 {
			out += fmt.Sprintf(" and %d more", more)
		}
		out += ": " + o.denial(o.Denied[0].Address)
	}
	return out + "; " + o.permission(ends)
}

// elsewhere reports whether an end is on another node than the first one.
func (o *Outcome) elsewhere(a netip.AddrPort) bool {
	p := o.network.owners[a.Addr()]
	return (p.Pod || p.Host) && p.Node != o.Hops[0].Node
}

// endpoint names an endpoint, with its port if that is another one than was asked for.
func (o *Outcome) endpoint(a netip.AddrPort) string {
	name := o.network.name(a.Addr())
	if a.Port() != o.Connection.Port && a.Port() != 0 {
		name += fmt.Sprintf(" on port %d", a.Port())
	}
	return name
}

// permission says what lets a connection to the endpoints through.
func (o *Outcome) permission(ends []netip.AddrPort) string {
	var rules, open []string
	for _, a := range ends {
		for _, d := range o.decisions(a) {
			switch {
			case d.Rule != nil:
				if text := place(d.Rule.Origin); d.Accept && !slices.Contains(rules, text) {
					rules = append(rules, text)
				}
			case d.Accept && !slices.Contains(open, d.pod):
				open = append(open, d.pod)
			}
		}
	}
	switch {
	case len(rules) > 0:
		return "allowed by " + few(rules)
	case len(open) > 0:
		return "no rule of the policies of " + few(open) + " is about it, and none isolates"
	case o.Hops[0].Packet.From == eval.FromNode:
		return "policies do not apply to a node's own packets to its pods"
	}
	return o.unselected(ends)
}

// unselected says that no policy is about the source's egress or the ends' ingress, as far
// as they are pods of nodes that were asked.
func (o *Outcome) unselected(ends []netip.AddrPort) string {
	var parts, pods []string
	if src := o.Connection.Src; o.network.owners[src].Pod && o.Hops[0].Packet.From == eval.FromPod {
		parts = append(parts, "no egress policy selects "+o.network.name(src))
	}
	for _, a := range ends {
		if name := o.network.name(a.Addr()); o.network.owners[a.Addr()].Pod && !slices.Contains(pods, name) && (!o.Connection.Only || !o.elsewhere(a)) {
			pods = append(pods, name)
		}
	}
	if len(pods) > 0 {
		parts = append(parts, "no ingress policy selects "+strings.Replace(few(pods), " and ", " or ", 1))
	}
	if len(parts) == 0 {
		return "no policy is about it"
	}
	return strings.Join(parts, ", and ")
}

func few(list []string) string {
	const most = 3
	if len(list) > most+1 {
		list = append(slices.Clone(list[:most]), fmt.Sprintf("%d more", len(list)-most))
	}
	return clusterwide.Join(list, "and")
}

// refusal says what keeps a connection from arriving.
func (o *Outcome) refusal() string {
	if len(o.Denied) > 0 {
		return o.denial(o.Denied[0].Address)
	}
	if text := o.denial(netip.AddrPortFrom(o.Connection.Dst, o.Connection.Port)); text != "" {
		return text
	}
	h := &o.Hops[len(o.Hops)-1]
	if r := o.network.evaluate(h); r.Verdict == h.Result.Verdict && len(r.Steps) > 0 {
		s := r.Steps[len(r.Steps)-1]
		if s.Stage == "pool" {
			return o.network.emptiness(r.Frontend, h.Node)
		}
		if at := place(s.Origin); at != "" {
			return strings.TrimSuffix(s.Text, ": dropped") + ", says " + at
		}
		return s.Text
	}
	return "the rules of " + nodeWords(h.Node) + " refuse it"
}

// denial says which policy denies an endpoint; "" if none does.
func (o *Outcome) denial(a netip.AddrPort) string {
	for _, d := range o.decisions(a) {
		if d.Accept {
			continue
		}
		if d.Rule != nil {
			name := ""
			if d.Rule.Name != "" {
				name = fmt.Sprintf(" %q", d.Rule.Name)
			}
			return fmt.Sprintf("denied by rule%s of %s", name, place(d.Rule.Origin))
		}
		places := make([]string, len(d.Tier.Isolating))
		for i, x := range d.Tier.Isolating {
			places[i] = place(x)
		}
		return fmt.Sprintf("%s is isolated by %s, and no %v rule matches%s", d.pod, few(places), d.direction, d.nearest())
	}
	return ""
}

// place is "Kind namespace/name (file:line)"; "" for planec itself.
func place(o ir.Origin) string {
	if at := o.Position(); at != "" {
		return fmt.Sprintf("%s (%s)", o.Object(), at)
	}
	return o.Object()
}

func nodeWords(name string) string {
	if name == "" {
		return "the pod's node"
	}
	return "node " + name
}
