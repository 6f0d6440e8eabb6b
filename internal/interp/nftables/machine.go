package nftables

import (
	"errors"
	"slices"
	"time"

	"github.com/planec/planec/internal/interp/fate"
	"github.com/planec/planec/internal/text/nft"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/space"
)

// machine is the evaluation of one packet on one path.
type machine struct {
	interp *Interpreter
	table  *table
	// packets are those that are evaluated together; dst and port are where they go.
	packets   *space.Packets
	dst, port space.Value

	mark, priority uint32
	// hashed is whether the mark is a hash.
	hashed bool
	// hashText says what the hash is made of, and hashOfClient whether it tells clients apart.
	hashText     string
	hashOfClient bool
	// deferred is where the priority comes from, if it was not looked up yet.
	deferred *deferred

	dnated      bool
	masqueraded bool
	// untracked is whether a rule keeps the connection from being tracked: the kernel
	// translates none such.
	untracked bool
	// filled is what rules have put into dynamic maps.
	filled   map[*nft.Set][]bound
	affinity time.Duration
	draws    *fate.Draws
	decided  decision
	depth    int
	steps    []eval.Step
	// base is the base chain that the packet is in.
	base *nft.Base
	// binding names what binds the client to its endpoint, and ofClient says whether it
	// tells clients apart.
	binding  string
	ofClient bool
	// again is whether the client has connected before.
	again bool
	// logs are the prefixes with which rules logged the packet.
	logs []string
}

// key returns the values of a key.
func (m *machine) key(fields []nft.Field) []space.Value {
	out := make([]space.Value, len(fields))
	for i, f := range fields {
		out[i] = m.value(f)
	}
	return out
}

// value returns the value of a field.
func (m *machine) value(f nft.Field) space.Value {
	switch f.Source {
	case nft.SourceAddr:
		return space.Source.Value()
	case nft.DestAddr:
		return m.dst
	case nft.L4Proto:
		return space.Protocol.Value()
	case nft.DestPort:
		return m.port
	case nft.MetaMark:
		return known(m.mark)
	case nft.MetaPriority:
		return known(m.plainPriority())
	case nft.Random:
		return known(m.draws.Random(f.Modulus))
	case nft.ConntrackID:
		return known(1) // one connection, one number
	}
	return known(0)
}

func known(n uint32) space.Value { return space.Known(space.N(uint64(n))) }

// lookup returns the data of an element.
func (m *machine) lookup(source *nft.Set, fields []nft.Field) (found, bool) {
	if source.Dynamic {
		at := m.find(source, m.key(fields))
		if at < 0 {
			return found{}, false
		}
		return m.filled[source][at].data, true
	}
	if m.hashed && slices.ContainsFunc(fields, func(f nft.Field) bool { return f.Source == nft.MetaMark }) {
		m.packets.Fail(errHash)
	}
	s := m.table.sets[source.Index]
	if m.deferred != nil && len(fields) == 1 && fields[0].Source == nft.MetaPriority {
		return m.lookupDeferred(s)
	}
	at, ok := s.table.Find(m.packets, m.key(fields)...)
	if !ok {
		return found{}, false
	}
	return found{element: s.data[at]}, true
}

// hook runs the base chains of one hook, and reports whether the packet goes on.
func (m *machine) hook(hook nft.Hook, nat bool) bool {
	for _, c := range m.table.hooks[hook] {
		if c.base.Type == "nat" && (!nat || m.untracked || !m.is(eval.FirstPacket)) {
			continue
		}
		m.decided, m.base = decision{}, c.base
		if d := m.chain(c); d.verdict == nft.Drop || d.verdict == nft.Reject {
			m.decided = d
			return false
		}
	}
	return true
}

// errDepth says that chains are deeper than the kernel loads, or lead to themselves.
var errDepth = errors.New("more jumps from chain to chain than the kernel allows")

// maxDepth is nft's maximum depth of jumps (NFT_JUMP_STACK_SIZE).
const maxDepth = 16

func (m *machine) chain(c *chain) decision {
	m.depth++
	defer func() { m.depth-- }()
	for i := range c.rules {
		if !m.draws.Step() {
			return decision{verdict: nft.Drop}
		}
		d := m.rule(c, &c.rules[i])
		switch d.verdict {
		case nft.Accept, nft.Drop, nft.Reject:
			return d
		case nft.Return:
			return decision{}
		case nft.Jump, nft.Goto:
			if m.depth > maxDepth {
				m.packets.Fail(errDepth)
				return decision{verdict: nft.Drop}
			}
			inner := m.chain(m.table.chains[d.chain])
			if inner.verdict != nft.NoVerdict || d.verdict == nft.Goto {
				return inner
			}
		}
	}
	return decision{}
}

func (m *machine) rule(c *chain, r *rule) decision {
	m.decided = decision{}
	for i, s := range r.statements {
		if set, is := s.(nft.SetFromMap); is {
			if !m.setFromMap(set, i == len(r.statements)-1) {
				return decision{}
			}
		} else if !m.matches(s) {
			return decision{}
		}
	}
	if m.interp.explain {
		m.steps = append(m.steps, eval.Step{Stage: "chain " + c.name, Text: r.text})
	}
	return m.decided
}

// matches reports whether a packet has what a statement asks for; what a statement
// does is done.
func (m *machine) matches(s nft.Statement) bool {
	switch s := s.(type) {
	case nft.InSet:
		_, ok := m.lookup(s.Set, s.Key)
		return ok != s.Negate
	case nft.InPrefix:
		return m.packets.Inside(m.value(s.Field), space.Prefix(s.Prefix))
	case nft.InState:
		return m.inState(s)
	case nft.HasDNAT:
		// A known connection may have an endpoint or not.
		return m.dnated || m.is(eval.Established, eval.Related) && m.draws.Random(2) == 1
	case nft.NoSYN:
		return m.of(nft.TCP) && m.packets.Is(space.Midstream, space.N(1))
	case nft.OfProtocol:
		return m.of(s.Protocol)
	case nft.ToPorts:
		return m.of(s.Protocol) && m.inRanges(m.port, s.Ranges)
	case nft.FromPorts:
		return m.of(s.Protocol) && m.inRanges(space.SourcePort.Value(), s.Ranges)
	case nft.OfTypes:
		types := nft.Range{First: s.Types.First << 8, Last: s.Types.Last<<8 | 0xff}
		return m.of(s.Protocol) && m.inRanges(space.Type.Value(), []nft.Range{types})
	case nft.StartsWith:
		return m.inRanges(m.start(), []nft.Range{s.Values})
	case nft.IsLocal:
		addr := space.Source.Value()
		if s.Dest {
			addr = m.dst
		}
		return m.local(addr) != s.Negate
	case nft.FromInterface:
		return m.comesFrom(s) != s.Negate
	case nft.HasMark:
		return m.plainMark()&s.Bits == s.Bits
	case nft.AtLeast:
		if s.Field.Source == nft.MetaMark {
			return m.plainMark() >= s.Least
		}
		return m.plainPriority() >= s.Least
	}
	return m.acts(s)
}

// conntrackPriority is where connection tracking is in prerouting and output
// (NF_IP_PRI_CONNTRACK in include/uapi/linux/netfilter_ipv4.h).
const conntrackPriority = -200

// errOrder says that nothing decides which of two comes first.
var errOrder = errors.New("a chain that asks for the state of connections has the priority of connection tracking")

// inState reports whether the connection is in one of the states.
func (m *machine) inState(s nft.InState) bool {
	early := (m.base.Hook == nft.Prerouting || m.base.Hook == nft.Output) && m.base.Priority <= conntrackPriority
	switch {
	case m.untracked:
		return s.Untracked
	case early && m.base.Priority == conntrackPriority:
		m.packets.Fail(errOrder)
		return false
	case early:
		return false // nothing is known of the connection yet
	}
	var states []eval.State
	for state, listed := range map[eval.State]bool{eval.FirstPacket: s.New, eval.Established: s.Established, eval.Related: s.Related, eval.Invalid: s.Invalid} {
		if listed {
			states = append(states, state)
		}
	}
	return m.is(states...)
}

// is reports whether the connection is in one of the states.
func (m *machine) is(states ...eval.State) bool {
	numbers := make([]space.Number, len(states))
	for i, s := range states {
		numbers[i] = space.N(uint64(s))
	}
	set := space.Points(numbers...)
	return m.packets.In(space.State, &set)
}

func (m *machine) of(p nft.Protocol) bool { return m.packets.Is(space.Protocol, space.N(uint64(p))) }

// local reports whether an address is the node's.
func (m *machine) local(addr space.Value) bool {
	own := &m.interp.own4
	if m.packets.IPv6() {
		own = &m.interp.own6
	}
	return m.packets.Within(addr, own)
}

// start returns the first 16 bits of the transport header.
func (m *machine) start() space.Value {
	if m.of(nft.ICMP) || m.of(nft.ICMPv6) {
		return space.Type.Value()
	}
	return space.SourcePort.Value()
}

// inRanges reports whether one of the ranges, which ascend, has the value.
func (m *machine) inRanges(v space.Value, list []nft.Range) bool {
	intervals := make([]space.Interval, len(list))
	for i, r := range list {
		intervals[i] = space.Interval{First: space.N(uint64(r.First)), Last: space.N(uint64(r.Last))}
	}
	if len(intervals) == 1 {
		return m.packets.Inside(v, intervals[0])
	}
	set := space.Of(intervals...)
	return m.packets.Within(v, &set)
}

func (m *machine) comesFrom(s nft.FromInterface) bool {
	if s.Prefix {
		return m.packets.Between(space.Interface, space.Names(s.Name))
	}
	return m.packets.Is(space.Interface, space.Name(s.Name))
}
