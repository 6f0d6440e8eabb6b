package nftables

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/planec/planec/internal/interp/fate"
	"github.com/planec/planec/internal/text/nft"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// machine is the evaluation of one packet on one path.
type machine struct {
	interp *Interpreter
	table  *table
	packet eval.Packet
	dst    netip.Addr
	port   uint16

	mark, priority uint32
	dnated         bool
	masqueraded    bool
	// untracked is whether a rule keeps the connection from being tracked: the kernel
	// translates none such.
	untracked bool
	// filled is what rules have put into dynamic maps.
	filled   map[*nft.Set]map[string]string
	affinity time.Duration
	draws    *fate.Draws
	decided  decision
	depth    int
	buf      [80]byte
	steps    []eval.Step
	// logs are the prefixes with which rules logged the packet.
	logs []string
}

// key builds the bytes of a key, as [nft.Element] has them.
func (m *machine) key(fields []nft.Field) []byte { return m.appendKey(m.buf[:0], fields) }

func (m *machine) appendKey(b []byte, fields []nft.Field) []byte {
	for _, f := range fields {
		b = m.appendField(b, f)
		if len(fields) > 1 {
			b = nft.Pad(b)
		}
	}
	return b
}

func (m *machine) appendField(b []byte, f nft.Field) []byte {
	switch f.Source {
	case nft.SourceAddr:
		return append(b, m.packet.Src.AsSlice()...)
	case nft.DestAddr:
		return append(b, m.dst.AsSlice()...)
	}
	return f.Kind.AppendNumber(b, m.number(f))
}

// number reads a field that is a number.
func (m *machine) number(f nft.Field) uint32 {
	switch f.Source {
	case nft.L4Proto:
		return uint32(m.packet.Protocol)
	case nft.DestPort:
		return uint32(m.port)
	case nft.MetaMark:
		return m.mark
	case nft.MetaPriority:
		return m.priority
	case nft.Random:
		return m.draws.Random(f.Modulus)
	case nft.ConntrackID:
		return 1 // one connection, one number
	}
	return 0
}

// lookup returns the data of a map's element.
func (m *machine) lookup(source *nft.Set, fields []nft.Field) (element, bool) {
	key := m.key(fields)
	if source.Dynamic {
		data, ok := m.filled[source][string(key)]
		return element{bytes: data}, ok
	}
	s := m.table.sets[source.Index]
	if source.Interval {
		return s.find(key)
	}
	e, ok := s.exact[string(key)]
	return e, ok
}

// hook runs the base chains of one hook, and reports whether the packet goes on.
func (m *machine) hook(hook nft.Hook, nat bool) bool {
	for _, c := range m.table.hooks[hook] {
		if c.base.Type == "nat" && (!nat || m.untracked) {
			continue
		}
		m.decided = decision{}
		if d := m.chain(c); d.verdict == nft.Drop || d.verdict == nft.Reject {
			m.decided = d
			return false
		}
	}
	return true
}

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
	for _, s := range r.statements {
		if !m.matches(s) {
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
		addr := m.dst
		if s.Field.Source == nft.SourceAddr {
			addr = m.packet.Src
		}
		return s.Prefix.Contains(addr)
	case nft.InState:
		return s.New && !m.untracked || s.Untracked && m.untracked // each packet is the first of its connection
	case nft.HasDNAT:
		return m.dnated
	case nft.NoSYN:
		return m.packet.Midstream && m.packet.Protocol == ir.TCP
	case nft.OfProtocol:
		return nft.Protocol(m.packet.Protocol) == s.Protocol
	case nft.ToPorts:
		return nft.Protocol(m.packet.Protocol) == s.Protocol && contain(s.Ranges, m.port)
	case nft.FromPorts:
		return nft.Protocol(m.packet.Protocol) == s.Protocol && contain(s.Ranges, m.packet.SourcePort)
	case nft.OfTypes:
		return nft.Protocol(m.packet.Protocol) == s.Protocol && contain([]nft.Range{s.Types}, uint16(m.packet.Type))
	case nft.StartsWith:
		return contain([]nft.Range{s.Values}, m.start())
	case nft.IsLocal:
		addr := m.packet.Src
		if s.Dest {
			addr = m.dst
		}
		return m.interp.isLocal(addr) != s.Negate
	case nft.FromInterface:
		return m.comesFrom(s) != s.Negate
	case nft.HasMark:
		return m.mark&s.Bits == s.Bits
	case nft.AtLeast:
		return m.number(s.Field) >= s.Least
	}
	return m.acts(s)
}

// start returns the first 16 bits of the transport header.
func (m *machine) start() uint16 {
	if m.packet.Protocol.HasTypes() {
		return ir.TypeAndCode(m.packet.Type, m.packet.Code)
	}
	return m.packet.SourcePort
}

// contain reports whether one of the ranges, which ascend, has the number.
func contain(list []nft.Range, n uint16) bool {
	_, found := slices.BinarySearchFunc(list, n, func(r nft.Range, n uint16) int {
		switch {
		case r.Last < n:
			return -1
		case r.First > n:
			return 1
		}
		return 0
	})
	return found
}

func (m *machine) comesFrom(s nft.FromInterface) bool {
	if s.Prefix {
		return strings.HasPrefix(m.packet.Interface, s.Name)
	}
	return m.packet.Interface == s.Name
}
