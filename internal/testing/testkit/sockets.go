package testkit

import (
	"net/netip"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// SocketView is the evaluator where sockets decide: a socket is translated before it has
// an address, so every pod of the node is local unless no detector is configured, and no
// packet is translated, so nothing is masqueraded but what the node masquerades anyway.
type SocketView struct {
	// Packets is the evaluator of what no socket decides.
	Packets *eval.Evaluator
	sockets *eval.Evaluator
}

// NewSocketView returns the view of a program.
func NewSocketView(p *ir.Program) *SocketView {
	every := *p
	if every.Node.Local.Mode != ir.DetectNone {
		every.Node.Local = ir.LocalDetector{Mode: ir.DetectCIDR, CIDRs: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}}
	}
	return &SocketView{eval.New(p), eval.New(&every)}
}

// decides reports whether a socket decides what becomes of a packet.
func decides(packet eval.Packet, r *eval.Result) bool {
	return packet.From != eval.FromOutside && packet.Protocol != ir.SCTP && (r.Frontend == nil || len(r.Frontend.SourceRanges) == 0)
}

// Decided are the flows that sockets decide.
func (s *SocketView) Decided(flows []Flow) (out []Flow) {
	for _, f := range flows {
		packet := eval.Packet{Src: f.Src, Dst: f.Dst, Protocol: f.Protocol, Port: f.Port, From: f.From}
		if r := s.sockets.Eval(packet); decides(packet, &r) {
			out = append(out, f)
		}
	}
	return out
}

// Eval is what becomes of a packet's connection.
func (s *SocketView) Eval(packet eval.Packet) eval.Result {
	r := s.sockets.Eval(packet)
	if !decides(packet, &r) || r.Verdict != eval.DNAT {
		return s.Packets.Eval(packet)
	}
	for i := range r.Endpoints {
		e := &r.Endpoints[i]
		direct := packet
		direct.Dst, direct.Port = e.Address.Addr(), e.Address.Port()
		e.Masquerade = s.Packets.Eval(direct).Masquerade
	}
	return r
}
