package nftables

import (
	"encoding/binary"
	"hash/fnv"
	"net/netip"
	"strings"
	"time"

	"github.com/planec/planec/internal/interp/fate"
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
	// filled has the elements that rules have added to dynamic maps.
	filled   map[*set]map[string]string
	affinity time.Duration
	draws    *fate.Draws
	verdict  verdict
	depth    int
	buf      [80]byte
	steps    []eval.Step
}

// key returns the bytes of a concatenation.
func (m *machine) key(fields []field) []byte { return m.appendKey(m.buf[:0], fields) }

func (m *machine) appendKey(b []byte, fields []field) []byte {
	for i := range fields {
		b = m.appendField(b, &fields[i])
	}
	return b
}

func (m *machine) appendField(b []byte, f *field) []byte {
	switch f.read {
	case sourceAddr:
		return appendAddr(b, m.packet.Src)
	case destAddr:
		return appendAddr(b, m.dst)
	case l4proto:
		return append(b, byte(m.packet.Protocol))
	case destPort:
		return appendPort(b, m.port)
	case ctID:
		return appendUint32(b, 1) // one connection, so one number
	}
	return appendUint32(b, m.number(f))
}

// number returns the value of a 32-bit field.
func (m *machine) number(f *field) uint32 {
	switch f.read {
	case metaMark:
		return m.mark
	case metaPriority:
		return m.priority
	case random:
		return m.draws.Random(f.modulus)
	case hash:
		// Any hash will do, because this package computes all hashes.
		h := fnv.New32a()
		h.Write(m.appendKey(nil, f.over)) // Write of a hash never fails
		return uint32(uint64(h.Sum32()) * uint64(f.modulus) >> 32)
	}
	return 0
}

// lookup returns the data of a map's element.
func (m *machine) lookup(s *set, key []byte) (element, bool) {
	if s.dynamic {
		data, ok := m.filled[s][string(key)]
		return element{bytes: data}, ok
	}
	if s.interval {
		return s.find(key)
	}
	e, ok := s.exact[string(key)]
	return e, ok
}

// hook runs the base chains of a hook, and reports whether the packet continues.
func (m *machine) hook(name string, nat bool) bool {
	for _, c := range m.table.hooks[name] {
		if c.nat && !nat {
			continue
		}
		m.verdict = verdict{}
		if v := m.chain(c); v.code == drop || v.code == reject {
			m.verdict = v
			return false
		}
	}
	return true
}

// maxDepth is nft's maximum depth of jumps (NFT_JUMP_STACK_SIZE).
const maxDepth = 16

func (m *machine) chain(c *chain) verdict {
	m.depth++
	defer func() { m.depth-- }()
	for i := range c.rules {
		if !m.draws.Step() {
			return verdict{code: drop}
		}
		v := m.rule(c, &c.rules[i])
		switch v.code {
		case accept, drop, reject:
			return v
		case giveBack:
			return verdict{}
		case jump, goTo:
			if m.depth > maxDepth {
				return verdict{code: drop}
			}
			inner := m.chain(m.table.chains[v.chain])
			if inner.final() || v.code == goTo {
				return inner
			}
		}
	}
	return verdict{}
}

func (m *machine) rule(c *chain, r *rule) verdict {
	m.verdict = verdict{}
	for _, s := range r.statements {
		if !s.run(m) {
			return verdict{}
		}
	}
	if m.interp.explain {
		m.steps = append(m.steps, eval.Step{Stage: "chain " + c.name, Text: r.text})
	}
	return m.verdict
}

func (s matchSet) run(m *machine) bool {
	key := m.key(s.key)
	_, ok := m.lookup(s.set, key)
	return ok != s.negate
}

func (s matchPrefix) run(m *machine) bool {
	if s.field.read == sourceAddr {
		return s.prefix.Contains(m.packet.Src)
	}
	return s.field.read == destAddr && s.prefix.Contains(m.dst)
}

func (matchNoSYN) run(m *machine) bool { return m.packet.Midstream && m.packet.Protocol == ir.TCP }

func (s matchState) run(*machine) bool { return s.isNew }

func (s matchProtocol) run(m *machine) bool { return m.packet.Protocol == s.proto }

func (s matchPorts) run(m *machine) bool {
	return m.packet.Protocol == s.proto && s.ranges.contain(m.port)
}

func (s matchICMPv6) run(m *machine) bool {
	return m.packet.Protocol == ir.ICMPv6 && s.types.contain(uint16(m.packet.Type))
}

func (matchDNAT) run(m *machine) bool { return m.dnated }

func (s matchFIB) run(m *machine) bool {
	addr := m.packet.Src
	if s.dest {
		addr = m.dst
	}
	return m.interp.isLocal(addr) != s.negate
}

func (s matchInterface) run(m *machine) bool {
	name := m.packet.Interface
	match := name == s.name
	if s.prefix {
		match = strings.HasPrefix(name, s.name) && name != ""
	}
	return match != s.negate
}

func (s matchMark) run(m *machine) bool { return m.mark&s.mask == s.mask }

func (s matchAtLeast) run(m *machine) bool { return m.number(&s.field) >= s.least }

func (s decide) run(m *machine) bool {
	m.verdict = s.verdict
	return true
}

func (s mapTo) run(m *machine) bool {
	e, ok := m.lookup(s.set, m.key(s.key))
	m.verdict = e.verdict
	return ok
}

func (s setMeta) run(m *machine) bool {
	var value uint32
	switch {
	case s.and != nil && s.field.read == metaMark:
		value = s.and(m.mark)
	case s.and != nil:
		value = s.and(m.priority)
	case s.set == nil:
		value = m.number(&s.key[0])
	default:
		e, ok := m.lookup(s.set, m.key(s.key))
		if !ok || len(e.bytes) != 4 {
			return false
		}
		value = binary.BigEndian.Uint32([]byte(e.bytes))
	}
	if s.field.read == metaMark {
		m.mark = value
	} else {
		m.priority = value
	}
	return true
}

// run adds an element, or keeps the data of an existing one
// (net/netfilter/nft_dynset.c).
func (s updateMap) run(m *machine) bool {
	if m.filled == nil {
		m.filled = make(map[*set]map[string]string)
	}
	if m.filled[s.set] == nil {
		m.filled[s.set] = make(map[string]string)
	}
	key := string(m.key(s.key))
	if _, ok := m.filled[s.set][key]; !ok {
		m.filled[s.set][key] = string(m.appendKey(nil, s.data))
	}
	if s.key[0].read != ctID {
		m.affinity = s.timeout
	}
	return true
}

func (s deleteFrom) run(m *machine) bool {
	delete(m.filled[s.set], string(m.key(s.key)))
	return true
}

func (s dnat) run(m *machine) bool {
	e, ok := m.lookup(s.set, m.key(s.key))
	if !ok || len(e.bytes) < 6 {
		return false
	}
	data := []byte(e.bytes)
	m.dst, _ = netip.AddrFromSlice(data[:len(data)-2])
	m.port = binary.BigEndian.Uint16(data[len(data)-2:])
	m.dnated = true
	m.verdict = verdict{code: accept}
	return true
}

func (masquerade) run(m *machine) bool {
	m.masqueraded = true
	m.verdict = verdict{code: accept}
	return true
}
