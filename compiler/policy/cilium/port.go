package cilium

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/ir"
)

// protocols are the numbers of the protocols that policies name; ANY is not among them
// (pkg/policy/api/l4.go).
var protocols = map[string]ir.Protocol{
	"TCP": ir.TCP, "UDP": ir.UDP, "SCTP": ir.SCTP,
	"VRRP": 112, "IGMP": 2, "GRE": 47, "IPIP": 4, "IPV6": 41, "ESP": 50, "AH": 51,
}

// withPorts are the protocols of ANY.
func withPorts() []ir.Protocol { return []ir.Protocol{ir.TCP, ir.UDP, ir.SCTP} }

// isExtended reports whether a protocol has no ports.
func isExtended(protocol string) bool {
	return protocols[protocol] != 0 && !protocols[protocol].HasPorts()
}

// protocolsOf returns the protocols of a port.
func protocolsOf(name string) []ir.Protocol {
	if one := protocols[name]; one != 0 {
		return []ir.Protocol{one}
	}
	return withPorts()
}

// namedPort is a port by its name, of one protocol.
type namedPort struct {
	name     string // in small letters
	protocol ir.Protocol
	end      uint16 // of a range that begins at the port's number; 0 is none
}

// portSet is what one item of toPorts or icmps matches. Without any it matches nothing.
type portSet struct {
	ranges []ir.PortRange
	named  []namedPort
	// payload is what a proxy has to look at, or "".
	payload string
	// proxy is the precedence of the proxy, or 0.
	proxy uint8
	index int // of the item
}

// isName reports whether a text is the name of a port: of letters, digits and single
// hyphens, with a letter (pkg/iana/svcname.go, RFC 6335).
func isName(s string) bool {
	if len(s) == 0 || len(s) > 15 || s[0] == '-' || s[len(s)-1] == '-' || strings.Contains(s, "--") {
		return false
	}
	letter := false
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
			letter = true
		case '0' <= c && c <= '9', c == '-':
		default:
			return false
		}
	}
	return letter
}

// add adds a port that validation has accepted. Port 0, and no port, is every port of the
// protocol; a range ends where it begins if endPort is lower. Cilium loses the end of a
// range that begins at 0; here a rule that allows keeps it.
func (s *portSet) add(p *ciliumv2.Port, deny bool) {
	for _, proto := range protocolsOf(p.Protocol) {
		if isName(p.Port) {
			s.named = append(s.named, namedPort{strings.ToLower(p.Port), proto, uint16(p.EndPort)})
			continue
		}
		number, _ := strconv.ParseUint(p.Port, 0, 16)
		r := ir.PortRange{Protocol: proto, First: uint16(number), Last: max(uint16(number), uint16(p.EndPort))}
		if number == 0 && (deny || p.EndPort == 0) || !proto.HasPorts() {
			r = ir.EveryPort(proto)
		}
		s.ranges = append(s.ranges, r)
	}
}

// portSets returns what the items of toPorts and icmps match.
func (v *view) portSets() []portSet {
	var out []portSet
	for i := range v.ports {
		s := portSet{payload: payload(&v.ports[i]), proxy: proxy(&v.ports[i]), index: i}
		for j := range v.ports[i].Ports {
			s.add(&v.ports[i].Ports[j], v.deny)
		}
		out = append(out, s)
	}
	for i := range v.icmps {
		s := portSet{index: i}
		for j := range v.icmps[i].Fields {
			s.ranges = append(s.ranges, v.icmp(&v.icmps[i].Fields[j])...)
		}
		out = append(out, s)
	}
	for i := range out {
		out[i].ranges = distinctRanges(out[i].ranges)
	}
	return out
}

// icmp returns the packets of an ICMP type. Cilium takes type 0 for every type, since 0 is
// no port; here a rule that allows means the echo reply alone. A type above 255 is in no
// packet.
func (v *view) icmp(f *ciliumv2.ICMPField) []ir.PortRange {
	proto, number, ok := icmpType(f)
	switch {
	case !ok || number > 255:
		return nil
	case number == 0 && v.deny:
		return []ir.PortRange{ir.EveryPort(proto)}
	}
	t := uint8(number)
	return []ir.PortRange{{Protocol: proto, First: ir.TypeAndCode(t, 0), Last: ir.TypeAndCode(t, 255)}}
}

// payload describes what a proxy has to look at, or is "" if there is nothing
// (pkg/policy/l4.go, createL4Filter).
func payload(p *ciliumv2.PortRule) string {
	var words []string
	if r := p.Rules; r != nil {
		for _, h := range r.HTTP {
			words = append(words, strings.TrimSpace("http "+strings.TrimSpace(h.Method+" "+h.Host+h.Path)))
		}
		for _, d := range r.DNS {
			words = append(words, "dns "+d.MatchName+d.MatchPattern)
		}
	}
	if p.Listener != nil {
		words = append(words, "listener "+p.Listener.Name)
	}
	if len(p.ServerNames) > 0 {
		words = append(words, "tls to "+strings.Join(p.ServerNames, " "))
	} else if p.TerminatingTLS != nil || p.OriginatingTLS != nil {
		words = append(words, "tls")
	}
	return printable(strings.Join(words, ", "))
}

// proxy returns the precedence of the proxy that has to look at the connections, or 0 if
// there is none (pkg/policy/l4.go, defaultPriority and createL4Filter;
// pkg/policy/types/entry.go, WithListenerPriority).
func proxy(p *ciliumv2.PortRule) uint8 {
	const lowest = 254
	switch {
	case p.Listener != nil && p.Listener.Priority != nil && *p.Listener.Priority > 0:
		return lowest - uint8(min(*p.Listener.Priority, 126))
	case p.Listener != nil:
		return lowest - 126
	case p.Rules != nil && len(p.Rules.DNS) > 0:
		return lowest - 121
	case p.Rules != nil && len(p.Rules.HTTP) > 0:
		return lowest - 101
	case len(p.ServerNames) > 0 || p.TerminatingTLS != nil || p.OriginatingTLS != nil:
		return lowest - 116
	}
	return 0
}

// printable makes a text fit for one line.
func printable(s string) string {
	const longest = 80
	s = strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return '?'
		}
		return c
	}, s)
	if len(s) > longest {
		s = s[:longest] + "..."
	}
	return s
}

// distinctRanges sorts ranges and removes equal ones.
func distinctRanges(in []ir.PortRange) []ir.PortRange {
	slices.SortFunc(in, func(a, b ir.PortRange) int {
		return cmp.Or(cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.First, b.First), cmp.Compare(a.Last, b.Last))
	})
	return slices.Compact(in)
}

// numbered returns what a named port means, if its number is known. Only ingress has
// ranges that begin at a name (pkg/policy/l4.go, toMapState).
func (n *namedPort) numbered(number uint16, d ir.Direction) ir.PortRange {
	r := ir.PortRange{Protocol: n.protocol, First: number, Last: number}
	if d == ir.Ingress {
		r.Last = max(number, n.end)
	}
	return r
}

func (n *namedPort) String() string { return fmt.Sprintf("%s/%v", n.name, n.protocol) }
