package iptables

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	text "github.com/planec/planec/internal/text/iptables"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/space"
)

// match is one condition of a rule.
type match func(p *Packet) bool

func not(m match) match { return func(p *Packet) bool { return !m(p) } }

// compiler turns the options of one rule into conditions.
type compiler struct {
	family ir.Family
	sets   sets
	in     *chain
	chains map[string]*chain
	rule   *rule
	// protocol is the protocol that the rule is restricted to, if any.
	protocol ir.Protocol
}

func (c *compiler) run(r *text.Rule) error {
	for i := range r.Matches {
		m := &r.Matches[i]
		condition, err := c.match(m)
		if err == nil && condition == nil && m.Negated {
			err = fmt.Errorf("it is no condition to negate")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", m.Option, err)
		}
		if m.Negated {
			condition = not(condition)
		}
		if condition != nil {
			c.rule.matches = append(c.rule.matches, condition)
		}
	}
	t, err := c.target(&r.Target)
	if err != nil {
		return fmt.Errorf("-j %s: %w", r.Target.Name, err)
	}
	c.rule.target = t
	return nil
}

// match returns a condition; nil means that the option is not a condition.
func (c *compiler) match(m *text.Match) (match, error) {
	switch m.Option {
	case "-s", "-d":
		return c.address(m.Option == "-s", m.Values[0])
	case "-i":
		return c.interfaceMatch(m.Values[0])
	case "-p":
		return c.transport(m)
	case "--dport", "--dports", "--sport":
		return c.ports(m)
	case "--tcp-flags":
		if c.protocol != ir.TCP || !slices.Equal(m.Values, []string{"SYN", "SYN"}) {
			return nil, fmt.Errorf("%v, or no -p tcp", m.Values)
		}
		return func(p *Packet) bool { return !p.Is(space.Midstream, space.N(1)) }, nil
	case "--icmp-type", "--icmpv6-type":
		return c.types(m)
	case "--ctstate":
		return state(m.Values[0])
	case "--src-type", "--dst-type":
		return addressType(m.Option == "--src-type", m.Values[0])
	case "--match-set":
		return c.inSet(m.Values)
	case "--probability":
		return probability(m.Values[0])
	case "--mark":
		value, mask, err := text.MarkAndMask(m.Values[0])
		return func(p *Packet) bool { return p.Mark&mask == value }, err
	case "--ipvs":
		return func(p *Packet) bool { return p.Balanced }, nil
	case "--comment":
		return nil, nil
	case "--mode":
		if m.Values[0] == "random" {
			return nil, nil
		}
	}
	return nil, fmt.Errorf("%v is not known", m.Values)
}

// types matches an ICMP type, or a type and a code. Type 255 of ICMP is every type.
func (c *compiler) types(m *text.Match) (match, error) {
	want := map[string]ir.Protocol{"--icmp-type": ir.ICMP, "--icmpv6-type": ir.ICMPv6}[m.Option]
	if c.protocol != want {
		return nil, fmt.Errorf("no -p %v", want)
	}
	word, codeWord, hasCode := strings.Cut(m.Values[0], "/")
	kind, err := strconv.ParseUint(word, 10, 8)
	code := uint64(0)
	if err == nil && hasCode {
		code, err = strconv.ParseUint(codeWord, 10, 8)
	}
	types := space.Interval{First: space.N(kind << 8), Last: space.N(kind<<8 | 0xff)}
	switch {
	case want == ir.ICMP && kind == 255:
		types = space.Interval{Last: space.N(0xffff)}
	case hasCode:
		types.First, types.Last = space.N(kind<<8|code), space.N(kind<<8|code)
	}
	return func(p *Packet) bool { return p.Between(space.Type, types) }, err
}

// maxInterface is the maximum length of an interface name (IFNAMSIZ - 1), in bytes.
const maxInterface = 15

// interfaceMatch matches a name or, with "+", a prefix of names.
func (c *compiler) interfaceMatch(word string) (match, error) {
	name, isPrefix := strings.CutSuffix(word, "+")
	switch {
	case c.in.name == "OUTPUT" || c.in.name == "POSTROUTING":
		return nil, fmt.Errorf("it cannot be used in %s", c.in.name)
	case name == "" && !isPrefix || len(name) > maxInterface:
		return nil, fmt.Errorf("%q cannot be an interface's name", name)
	}
	names := space.Interval{First: space.Name(name), Last: space.Name(name)}
	if isPrefix {
		names = space.Names(name)
	}
	return func(p *Packet) bool { return p.Inside(p.inInterface(), names) }, nil
}

// state matches conntrack states, and what has happened to the connection: that it has an
// endpoint, or the node's source address.
func state(list string) (match, error) {
	var states []space.Number
	var dnat, snat bool
	for _, s := range strings.Split(list, ",") {
		switch s {
		case "NEW":
			states = append(states, space.N(uint64(eval.FirstPacket)))
		case "ESTABLISHED":
			states = append(states, space.N(uint64(eval.Established)))
		case "RELATED":
			states = append(states, space.N(uint64(eval.Related)))
		case "INVALID":
			states = append(states, space.N(uint64(eval.Invalid)))
		case "DNAT":
			dnat = true
		case "SNAT":
			snat = true
		default:
			return nil, fmt.Errorf("state %q is not known", s)
		}
	}
	set := space.Points(states...)
	return func(p *Packet) bool {
		return !set.Empty() && p.In(space.State, &set) || dnat && p.translated(p.dnated) || snat && p.translated(p.Masqueraded && !p.Balanced)
	}, nil
}

// translated reports whether an address of the connection was replaced. A known connection
// may be such a one or not.
func (p *Packet) translated(now bool) bool { return now || p.ofKnown() && p.Random(2) == 1 }

// ofKnown reports whether the packet is of a known connection.
func (p *Packet) ofKnown() bool {
	set := space.Points(space.N(uint64(eval.Established)), space.N(uint64(eval.Related)))
	return p.In(space.State, &set)
}

func addressType(source bool, kind string) (match, error) {
	if kind != "LOCAL" {
		return nil, fmt.Errorf("type %q is not known", kind)
	}
	return func(p *Packet) bool {
		// The node sends only from its own addresses.
		return source && p.FromNode() || p.local(p.addr(source))
	}, nil
}

// probability draws and follows both outcomes; 1 and 0 are certain.
func probability(word string) (match, error) {
	f, err := strconv.ParseFloat(word, 64)
	switch {
	case err != nil || f < 0 || f > 1:
		return nil, fmt.Errorf("%q is no probability", word)
	case f == 0 || f == 1:
		return func(*Packet) bool { return f == 1 }, nil
	}
	parts := []float64{f, 1 - f}
	return func(p *Packet) bool { return p.Weighted(parts) == 0 }, nil
}
