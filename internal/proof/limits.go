package proof

import (
	"net/netip"
	"strings"

	"github.com/planec/planec/backends/ipvs"
	"github.com/planec/planec/backends/xtpolicy"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/space"
)

// limits are the packets for which a backend says that it cannot do what the program
// asks, or does it a little differently.
type limits struct {
	// refused and approximated are Service ports, see portOf: those that are not served,
	// those whose affinity is another one, and those that are logged otherwise.
	refused, approximated, unlogged map[string]bool
	// addresses4 and addresses6 are treated a little differently where no frontend of
	// theirs decides.
	addresses4, addresses6 space.Set
	// noType255 and noProtocol0 are packets that xtables has no match for.
	noType255, noProtocol0 bool
	// texts are the diagnostics.
	texts []string
}

// limitsOf reads what a backend's Check says of a program.
func limitsOf(found []diag.Diagnostic) *limits {
	l := &limits{refused: make(map[string]bool), approximated: make(map[string]bool), unlogged: make(map[string]bool)}
	var list []netip.Addr
	for _, d := range found {
		if d.Code == diag.NotExpressible || d.Code == diag.Approximated {
			l.texts = append(l.texts, string(d.Code)+": "+d.Message)
		}
		switch d.Code {
		case diag.NotExpressible:
			l.refused[portOf(d.Origin)] = true
		case diag.Approximated:
			// Where it is about other packets to a frontend's address, or about those that
			// policies refuse, what the frontend does itself is compared.
			if strings.HasPrefix(d.Origin.Path, affinityPath) {
				l.approximated[portOf(d.Origin)] = true
			}
			if strings.HasSuffix(d.Message, ipvs.Unlogged) {
				l.unlogged[portOf(d.Origin)] = true
			}
			word, _, _ := strings.Cut(d.Message, " ")
			if a, err := netip.ParseAddr(word); err == nil {
				list = append(list, a)
			}
			l.noType255 = l.noType255 || strings.HasSuffix(d.Message, xtpolicy.ReservedType)
			l.noProtocol0 = l.noProtocol0 || strings.HasSuffix(d.Message, xtpolicy.ProtocolZero)
		}
	}
	var four, six []space.Number
	for _, a := range list {
		if a.Is4() {
			four = append(four, space.Addr(a))
		} else {
			six = append(six, space.Addr(a))
		}
	}
	l.addresses4, l.addresses6 = space.Points(four...), space.Points(six...)
	return l
}

// excludes reports whether packets with the result are not compared.
func (l *limits) excludes(p *space.Packets, r *eval.Result) bool {
	if l.noProtocol0 && p.Is(space.Protocol, space.N(0)) ||
		l.noType255 && p.Is(space.Protocol, space.N(uint64(ir.ICMP))) && p.Between(space.Type, type255) {
		return true
	}
	if r.Frontend != nil {
		return covers(l.refused, r.Frontend) || r.Frontend.Elsewhere && l.different(p)
	}
	// What the node sends to such an address may be refused in another way.
	return l.different(p) && (r.Verdict == eval.Pass ||
		p.Is(space.Midstream, space.N(1)) || p.Is(space.Entry, space.N(uint64(eval.FromNode))))
}

// type255 is ICMP's type 255, which iptables takes for every type.
var type255 = space.Interval{First: space.N(255 << 8), Last: space.N(0xffff)}

// different reports whether the packets go to an address that is treated differently.
func (l *limits) different(p *space.Packets) bool {
	if p.IPv6() {
		return p.In(space.Destination, &l.addresses6)
	}
	return p.In(space.Destination, &l.addresses4)
}

func (l *limits) approximates(r *eval.Result) bool {
	return r.Frontend != nil && covers(l.approximated, r.Frontend)
}

func (l *limits) logsOtherwise(r *eval.Result) bool {
	return r.Frontend != nil && covers(l.unlogged, r.Frontend)
}

// affinityPath is where objects have what is said of affinity: sessionAffinity and
// sessionAffinityConfig.
const affinityPath = "spec.sessionAffinity"

// portOf returns the Service port of an origin, or the whole Service if the field
// does not belong to a port.
func portOf(o ir.Origin) string {
	path, _, isPort := strings.Cut(o.Path, "]")
	if !isPort || !strings.HasPrefix(path, "spec.ports[") {
		path = ""
	}
	return o.Namespace + "/" + o.Name + " " + path
}

// covers reports whether the frontend's port, or its whole Service, is listed.
func covers(ports map[string]bool, f *ir.Frontend) bool {
	return ports[portOf(f.Origin.Get())] || ports[portOf(f.Origin.At(""))]
}
