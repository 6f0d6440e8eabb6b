package testkit

import (
	"math/rand/v2"
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
)

// RandomDialectFlows is [RandomFlows] for programs whose policies tell more apart
// than destination ports: every flow of a protocol with ports has a source port, and
// some are a packet of ICMP or of a protocol without ports.
func RandomDialectFlows(rng *rand.Rand, p *ir.Program, n int) []Flow {
	d := dialectFlows{Rand: rng, program: p, used: make(map[sender]bool), ports: sourcePorts(p), types: policyTypes(p)}
	flows := RandomFlows(rng, p, n)
	for i := range flows {
		d.change(&flows[i])
	}
	return flows
}

// dialectFlows keeps flows apart that conntrack would take for one.
type dialectFlows struct {
	*rand.Rand
	program *ir.Program
	used    map[sender]bool
	// ports are source ports at and beside the ends of the rules' ranges; types are
	// those of the rules' ICMP packets.
	ports []uint16
	types []uint16
}

// sender is a source that only one flow may have. Of a protocol without ports, it is
// either end of a flow but the node, whose packets conntrack, after masquerade, could take
// for those of another flow, or for answers to it.
type sender struct {
	addr     netip.Addr
	protocol ir.Protocol
	port     uint16
}

func (d *dialectFlows) change(f *Flow) {
	switch d.IntN(5) {
	case 0:
		d.icmp(f)
		return
	case 1:
		d.other(f)
		return
	}
	port, _ := pick(d.Rand, d.ports)
	// A client that is its own server would connect to itself.
	for f.Src == f.Dst && port == f.Port || !d.use(sender{f.Src, f.Protocol, port}) {
		port = uint16(20000 + d.IntN(10000))
	}
	f.SourcePort = port
}

func (d *dialectFlows) use(s sender) bool {
	if s.port == 0 || d.used[s] {
		return false
	}
	d.used[s] = true
	return true
}

// icmp makes the flow an ICMP packet: often an echo request, which conntrack knows,
// or one that rules name, or a type next to it.
func (d *dialectFlows) icmp(f *Flow) {
	f.Port, f.SourcePort, f.Protocol, f.Type = 0, 0, ir.ICMP, 8
	if f.Dst.Is6() {
		f.Protocol, f.Type = ir.ICMPv6, 128
	}
	f.Code = uint8(d.IntN(3))
	if named, ok := pick(d.Rand, d.types); ok && d.IntN(2) == 0 {
		f.Type = uint8(named >> 8)
		if d.IntN(2) == 0 {
			f.Code = uint8(named)
		}
	}
	switch ndp := f.Protocol == ir.ICMPv6 && f.Type >= 133 && f.Type <= 137; {
	case ndp: // the kernel handles neighbour discovery itself
		f.Type = 128
	case f.Untracked() && !d.judgedAlone(f.Dst):
		f.Type = map[ir.Protocol]uint8{ir.ICMP: 8, ir.ICMPv6: 128}[f.Protocol]
	}
}

// judgedAlone reports whether policies alone decide about a packet that conntrack takes
// for invalid: otherwise such packets are dropped, or are refused only if they are new.
func (d *dialectFlows) judgedAlone(dst netip.Addr) bool {
	return !d.program.Node.DropInvalid && !slices.Contains(d.program.ClusterIPs, dst) && !ir.ContainsAddr(d.program.Node.ServiceCIDRs, dst)
}

// other makes the flow a packet of a protocol without ports and types. AH is a header
// before others in IPv6, and its content is what rules see.
func (d *dialectFlows) other(f *Flow) {
	protocols := []ir.Protocol{47, 50, 99, 200}
	if f.Dst.Is4() {
		protocols = append(protocols, 51)
	}
	at := protocols[d.IntN(len(protocols))]
	src, dst := sender{addr: f.Src, protocol: at}, sender{addr: f.Dst, protocol: at}
	if d.used[src] || d.used[dst] {
		d.icmp(f)
		return
	}
	own := d.program.Node.Addresses
	d.used[src], d.used[dst] = !slices.Contains(own, f.Src), !slices.Contains(own, f.Dst)
	f.Port, f.SourcePort, f.Protocol = 0, 0, at
}

// sourcePorts returns the ports at and beside the ends of the rules' source ports, and
// some others.
func sourcePorts(p *ir.Program) []uint16 {
	out := []uint16{1, 443, 8080, 40000, 65535}
	for _, r := range rulesOf(&p.Policy) {
		for _, x := range r.SourcePorts {
			for _, n := range []int{int(x.First) - 1, int(x.First), int(x.Last), int(x.Last) + 1} {
				if 0 < n && n < 65536 {
					out = append(out, uint16(n))
				}
			}
		}
	}
	return out
}

// policyTypes returns the types and codes that rules name.
func policyTypes(p *ir.Program) (out []uint16) {
	for _, r := range rulesOf(&p.Policy) {
		for _, x := range slices.Concat(r.Ports, r.NotPorts) {
			if x.Protocol.HasTypes() && !x.Every() {
				out = append(out, x.First, x.Last, x.Last+1)
			}
		}
	}
	return out
}

func rulesOf(p *ir.Policy) (out []ir.Rule) {
	for i := range p.Profiles {
		for _, d := range ir.Directions() {
			for _, t := range p.Profiles[i].Tiers(d) {
				out = append(out, t.Rules...)
			}
		}
	}
	return out
}
