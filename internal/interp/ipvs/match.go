package ipvs

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

func (p *ruleParser) address(flag string, negate bool) {
	prefix := p.prefix(p.next())
	if p.err == nil && ir.FamilyOf(prefix.Addr()) != p.family {
		p.fail("%v in rules of %v", prefix, p.family)
	}
	p.add(negate, func(w *walk) bool {
		if flag == "-s" {
			return prefix.Contains(w.packet.Src)
		}
		return prefix.Contains(w.dst)
	})
}

// inputInterface is known in the hooks that packets come in by, and for none
// that the node sends.
func (p *ruleParser) inputInterface(chain string, negate bool) {
	if slices.Contains([]string{"OUTPUT", "POSTROUTING"}, chain) {
		p.fail("-i cannot be used in %s", chain)
	}
	name, isPrefix := strings.CutSuffix(p.next(), "+")
	if name == "" || len(name) > 15 {
		p.fail("%q cannot be an interface's name", name)
	}
	p.add(negate, func(w *walk) bool {
		in := w.packet.Interface
		if w.hook == "OUTPUT" || w.hook == "POSTROUTING" {
			in = ""
		}
		if isPrefix {
			return strings.HasPrefix(in, name)
		}
		return in == name
	})
}

func (p *ruleParser) module(name string) {
	negate := p.skip("!")
	switch name {
	case "comment":
		p.want("--comment")
		p.next()
	case "tcp", "udp", "sctp", "multiport":
		if name == "tcp" && p.skip("--tcp-flags") {
			p.want("SYN")
			p.want("SYN")
			p.add(negate, func(w *walk) bool { return !w.packet.Midstream })
			return
		}
		p.ports(name, negate)
	case "icmp6":
		p.want("--icmpv6-type")
		kind := uint8(p.number(8))
		if p.protocol != ir.ICMPv6 {
			p.fail("-m icmp6 without -p ipv6-icmp")
		}
		p.add(negate, func(w *walk) bool { return w.packet.Type == kind })
	case "conntrack":
		p.want("--ctstate")
		p.state(p.next(), negate)
	case "addrtype":
		p.addressType(p.next(), negate)
	case "ipvs":
		p.want("--ipvs")
		p.add(negate, func(w *walk) bool { return w.byIPVS })
	case "mark":
		p.want("--mark")
		value, mask := p.masked()
		p.add(negate, func(w *walk) bool { return w.mark&mask == value })
	case "set":
		p.want("--match-set")
		p.matchSet(negate)
	default:
		p.fail("match %q is not known", name)
	}
}

// state knows that conntrack knows no packet's connection.
func (p *ruleParser) state(state string, negate bool) {
	if !slices.Contains([]string{"NEW", "INVALID", "INVALID,NEW", "RELATED,ESTABLISHED"}, state) {
		p.fail("state %q is not known", state)
	}
	p.add(negate, func(*walk) bool { return strings.HasSuffix(state, "NEW") })
}

func (p *ruleParser) addressType(flag string, negate bool) {
	if flag != "--src-type" && flag != "--dst-type" {
		p.fail("option %q is not known", flag)
	}
	p.want("LOCAL")
	p.add(negate, func(w *walk) bool {
		if flag == "--dst-type" {
			return w.isLocal(w.dst)
		}
		// Only the node's own addresses can be bound by what it sends.
		return w.packet.From == eval.FromNode || w.isLocal(w.packet.Src)
	})
}

func (p *ruleParser) matchSet(negate bool) {
	s, question := p.question()
	p.rule.pairs = p.rule.pairs || s.of == "hash:ip,port,ip"
	p.add(negate, func(w *walk) bool {
		_, found := s.lookup(question(w))
		return found
	})
}

// question reads a set's name and what of a packet it is asked for.
func (p *ruleParser) question() (*ipset, func(*walk) entry) {
	name := p.next()
	s := p.sets[name]
	flags := strings.Split(p.next(), ",")
	switch {
	case s == nil:
		p.fail("set %q is not there", name)
		return &ipset{}, nil
	case s.family != p.family:
		p.fail("set %q is not of %v", name, p.family)
	case len(flags) != dimensions[s.of]:
		p.fail("%d words for a set of %s", len(flags), s.of)
	}
	for i, f := range flags {
		// A first packet's source port does not matter.
		if f != "dst" && (f != "src" || i == 1) {
			p.fail("%q is not known here", f)
		}
	}
	address := func(w *walk, flag string) netip.Addr {
		if flag == "src" {
			return w.packet.Src
		}
		return w.dst
	}
	return s, func(w *walk) entry {
		e := entry{addr: address(w, flags[0])}
		if len(flags) > 1 {
			e.protocol, e.port = w.packet.Protocol, w.port
		}
		if len(flags) > 2 {
			e.second = address(w, flags[2])
		}
		return e
	}
}
