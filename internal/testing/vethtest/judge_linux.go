package vethtest

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// Judge decides about packets as a node does whose policies are enforced by the hooks: Services
// are the evaluator's, and policies the programs'.
type Judge struct {
	Hooks    *Hooks
	program  *ir.Program
	services *eval.Evaluator
	refusal  eval.Verdict
	// port is the source of the last packet, which each has to itself, unless policies
	// tell source ports apart.
	port    uint16
	sources bool
	// own says whether policies judge packets from the own node.
	own bool
	// seen are the ends of packets that may be of a connection that is known.
	seen map[ends]bool
}

// ends are those of a packet.
type ends struct {
	src, dst netip.AddrPort
	protocol ir.Protocol
}

// NewJudge returns the judge of a node. The hooks are of the judge that is asked: several may
// share them, one after the other.
func NewJudge(h *Hooks, p *ir.Program) (*Judge, error) {
	without := *p
	without.Policy = ir.Policy{}
	j := &Judge{Hooks: h, program: p, services: eval.New(&without), refusal: eval.Drop}
	if p.Policy.OnDeny == ir.Reject {
		j.refusal = eval.Reject
	}
	for _, x := range p.Policy.Profiles {
		for _, t := range slices.Concat(x.Ingress, x.Egress) {
			j.own = j.own || t.OwnNode
			for _, r := range t.Rules {
				j.own, j.sources = j.own || r.OwnNode, j.sources || len(r.SourcePorts) > 0
			}
		}
	}
	return j, j.take()
}

// take makes the hooks those of this judge.
func (j *Judge) take() error {
	if j.Hooks.current == j.program {
		return nil
	}
	if err := j.Hooks.Put(j.program); err != nil {
		return err
	}
	j.seen = make(map[ends]bool)
	return j.Hooks.Forget()
}

// begin makes a packet one of no known connection.
func (j *Judge) begin(p Packet) error {
	e := ends{netip.AddrPortFrom(p.Src, p.SrcPort), netip.AddrPortFrom(p.Dst, p.DstPort), ir.Protocol(p.Protocol)}
	if e.protocol.HasTypes() {
		return nil // an answer to a request that has the same number has another packet before it
	}
	if j.seen[e] {
		if err := j.Hooks.Forget(); err != nil {
			return err
		}
		j.seen = make(map[ends]bool)
	}
	j.seen[e], j.seen[ends{e.dst, e.src, e.protocol}] = true, true
	return nil
}

// Eval is like [eval.Evaluator.Eval].
func (j *Judge) Eval(p eval.Packet) (eval.Result, error) {
	if err := j.take(); err != nil {
		return eval.Result{}, err
	}
	r := j.services.Eval(p)
	r, err := j.judged(&p, r)
	if err != nil {
		return r, err
	}
	r.Logs, err = j.Hooks.Logged()
	return r, err
}

// judged adds what the hooks say to what Services say.
func (j *Judge) judged(p *eval.Packet, r eval.Result) (eval.Result, error) {
	switch r.Verdict {
	case eval.Pass:
		ok, err := j.allows(p, netip.AddrPortFrom(p.Dst, p.Port))
		if !ok {
			r.Verdict, r.Masquerade = j.refusal, false
		}
		return r, err
	case eval.DNAT:
		return j.endpoints(p, r)
	}
	return r, nil
}

func (j *Judge) endpoints(p *eval.Packet, r eval.Result) (eval.Result, error) {
	var allowed []eval.Choice
	for _, c := range r.Endpoints {
		ok, err := j.allows(p, c.Address)
		if err != nil {
			return r, err
		}
		if ok {
			allowed = append(allowed, c)
		} else {
			r.Denied = append(r.Denied, c)
		}
	}
	r.Endpoints = allowed
	if len(allowed) == 0 {
		r.Verdict, r.Masquerade = j.refusal, false
		return r, nil
	}
	r.Masquerade = !slices.ContainsFunc(allowed, func(c eval.Choice) bool { return !c.Masquerade })
	return r, nil
}

// allows runs both hooks, as if both ends were pods of the node: an end that is none is in no
// map.
func (j *Judge) allows(p *eval.Packet, to netip.AddrPort) (bool, error) {
	packet := j.Packet(p, to)
	if err := j.begin(packet); err != nil {
		return false, err
	}
	data := packet.Bytes()
	if p.From != eval.FromNode {
		if ok, err := j.Hooks.From(data); !ok || err != nil {
			return false, errors.Join(err, j.answered(p, to.Addr()))
		}
	}
	if p.Src == to.Addr() && packet.SrcPort == to.Port() {
		// Both ends are the same, and so are their legs. Each hook is to judge by itself.
		if err := j.Hooks.Forget(); err != nil {
			return false, err
		}
	}
	// A source of the node's own in a packet from elsewhere is one that was masqueraded,
	// which rules judge before. Here it is judged as the evaluator does.
	ok, err := j.Hooks.To(data, p.From == eval.FromNode || j.own && j.services.IsNodeAddress(p.Src))
	if !ok && err == nil {
		err = j.answered(p, to.Addr())
	}
	return ok, err
}

// answered wants the last packet, which was denied, to have the answer that the program wants.
func (j *Judge) answered(p *eval.Packet, to netip.Addr) error {
	report := p.Protocol == ir.ICMP && p.Type == 3 || p.Protocol == ir.ICMPv6 && p.Type < 128
	broadcast := to == netip.AddrFrom4([4]byte{255, 255, 255, 255}) || to.Is4() && to.As4()[0] >= 240
	if want := j.refusal == eval.Reject && !report && !broadcast && !to.IsMulticast() && !to.IsUnspecified(); j.Hooks.Answered != want {
		return fmt.Errorf("answered %v, want %v", j.Hooks.Answered, want)
	}
	return nil
}

// Packet returns a packet of a connection of its own.
func (j *Judge) Packet(p *eval.Packet, to netip.AddrPort) Packet {
	j.port++
	out := Packet{Src: p.Src, Dst: to.Addr(), Protocol: uint8(p.Protocol), SrcPort: j.port, DstPort: to.Port(), Type: p.Type, Code: p.Code, ID: j.port, Chunk: 1}
	if j.sources {
		out.SrcPort = p.SourcePort
	}
	if out.Flags = SYN; p.Midstream {
		out.Flags = ACK
	}
	return out
}

// WithoutNode returns a program without the profile of the node itself: what the node
// sends, and what is delivered to it, passes no interface of a pod, or is judged by rules
// of packets.
func WithoutNode(p *ir.Program) *ir.Program {
	out := *p
	out.Policy.Profiles = slices.DeleteFunc(slices.Clone(p.Policy.Profiles), func(x ir.Profile) bool { return x.Node })
	if len(out.Policy.Profiles) == 0 {
		out.Policy = ir.Policy{}
		return &out
	}
	used := make(map[string]bool)
	redirects := out.Policy.Redirects()
	for _, x := range out.Policy.Profiles {
		for _, t := range slices.Concat(x.Ingress, x.Egress) {
			for i := range t.Rules {
				for _, id := range t.Rules[i].Sets() {
					used[id] = true
				}
			}
		}
	}
	out.Policy.AddressSets = slices.DeleteFunc(slices.Clone(p.Policy.AddressSets), func(s ir.AddressSet) bool { return !used[s.ID] })
	if !redirects {
		out.Policy.OnRedirect = 0
	}
	return &out
}
