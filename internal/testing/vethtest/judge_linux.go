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
	// port is the source of the last packet, which each has to itself.
	port uint16
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
	return j.Hooks.Forget()
}

// Eval is like [eval.Evaluator.Eval].
func (j *Judge) Eval(p eval.Packet) (eval.Result, error) {
	if err := j.take(); err != nil {
		return eval.Result{}, err
	}
	r := j.services.Eval(p)
	switch r.Verdict {
	case eval.Pass:
		ok, err := j.allows(&p, netip.AddrPortFrom(p.Dst, p.Port))
		if !ok {
			r.Verdict, r.Masquerade = j.refusal, false
		}
		return r, err
	case eval.DNAT:
		return j.endpoints(&p, r)
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
	data := j.Packet(p, to).Bytes()
	if p.From != eval.FromNode {
		if ok, err := j.Hooks.From(data); !ok || err != nil {
			return false, errors.Join(err, j.answered(p, to.Addr()))
		}
	}
	ok, err := j.Hooks.To(data, p.From == eval.FromNode)
	if !ok && err == nil {
		err = j.answered(p, to.Addr())
	}
	return ok, err
}

// answered wants the last packet, which was denied, to have the answer that the program wants.
func (j *Judge) answered(p *eval.Packet, to netip.Addr) error {
	report := p.Protocol == ir.ICMP && p.Type == 3 || p.Protocol == ir.ICMPv6 && p.Type < 5
	broadcast := to == netip.AddrFrom4([4]byte{255, 255, 255, 255}) || to.Is4() && to.As4()[0] >= 240
	if want := j.refusal == eval.Reject && !report && !broadcast && !to.IsMulticast() && !to.IsUnspecified(); j.Hooks.Answered != want {
		return fmt.Errorf("answered %v, want %v", j.Hooks.Answered, want)
	}
	return nil
}

// Packet returns a packet of a connection of its own.
func (j *Judge) Packet(p *eval.Packet, to netip.AddrPort) Packet {
	j.port++
	out := Packet{Src: p.Src, Dst: to.Addr(), Protocol: uint8(p.Protocol), SrcPort: j.port, DstPort: to.Port(), Type: p.Type, ID: j.port, Chunk: 1}
	if out.Flags = SYN; p.Midstream {
		out.Flags = ACK
	}
	return out
}
