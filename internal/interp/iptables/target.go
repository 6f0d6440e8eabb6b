package iptables

import (
	"net/netip"
	"strings"
)

// target is what a rule does. It returns what becomes of the packet.
type target struct {
	code  code
	chain string
	act   func(m *machine)
}

type code uint8

const (
	// goOn lets the packet see the next rule.
	goOn code = iota
	accept
	drop
	reject
	giveBack // RETURN
	jump
	goTo
)

func (p *parser) parseTarget(r *reader, isGoto bool) target {
	name := r.next()
	switch name {
	case "ACCEPT":
		return target{code: accept}
	case "DROP":
		return target{code: drop}
	case "RETURN":
		return target{code: giveBack}
	case "REJECT":
		if r.accept("--reject-with") {
			r.next()
		}
		return target{code: reject}
	case "MARK":
		return markTarget(r)
	case "DNAT":
		return dnatTarget(r)
	case "MASQUERADE":
		r.accept("--random-fully")
		return target{code: accept, act: func(m *machine) { m.masqueraded = true }}
	case "SET":
		return p.setTarget(r)
	}
	if isGoto {
		return target{code: goTo, chain: name}
	}
	return target{code: jump, chain: name}
}

func markTarget(r *reader) target {
	switch option := r.next(); option {
	case "--set-xmark":
		value, mask := markAndMask(r)
		return target{act: func(m *machine) { m.mark = m.mark&^mask ^ value }}
	case "--or-mark":
		value, _ := markAndMask(r)
		return target{act: func(m *machine) { m.mark |= value }}
	default:
		r.fail("MARK %s", option)
	}
	return target{}
}

func dnatTarget(r *reader) target {
	if option := r.next(); option != "--to-destination" {
		r.fail("DNAT %s", option)
	}
	to, err := netip.ParseAddrPort(r.next())
	if err != nil {
		r.fail("DNAT: %v", err)
	}
	return target{code: accept, act: func(m *machine) {
		m.dst, m.port, m.dnated = to.Addr(), to.Port(), true
	}}
}

// setTarget reads "SET --add-set NAME src [--exist] [--timeout N]": the client
// is remembered for as long as the set or the rule says.
func (p *parser) setTarget(r *reader) target {
	verb := r.next()
	if verb != "--add-set" && verb != "--del-set" {
		r.fail("SET %s", verb)
	}
	s, _ := p.setReference(r)
	if s == nil {
		return target{}
	}
	timeout := s.timeout
	for strings.HasPrefix(r.peek(), "--") {
		switch option := r.next(); option {
		case "--exist":
		case "--timeout":
			timeout = uint32(r.number(32))
		default:
			r.fail("SET %s", option)
		}
	}
	if verb == "--del-set" {
		return target{}
	}
	return target{act: func(m *machine) { m.affinity = timeout }}
}
