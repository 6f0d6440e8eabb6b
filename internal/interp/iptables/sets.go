package iptables

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/planec/planec/internal/text/ipset"
	text "github.com/planec/planec/internal/text/iptables"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/space"
)

// sets are ipsets by name.
type sets map[string]*set

// set is one ipset. Elements are keyed by the bytes of their parts, except networks.
type set struct {
	// full is the type with all options that must be equal for a swap.
	kind, full string
	parts      []string
	family     ir.Family
	// timed is whether elements have a timeout; timeout is the default timeout, in
	// seconds.
	timed, skbinfo, comment bool
	timeout                 uint32
	// elements are by the bytes of their keys.
	elements map[string]member
	// index finds the place in effects of a packet's element.
	index   space.Table
	effects []effect
}

// member is an element.
type member struct {
	// key has an interval for an address, and two for a protocol with a port.
	key []space.Interval
	// bits is the length of a network, of which the longest counts.
	bits int
	effect
}

// effect is what an element does.
type effect struct {
	mark skbMark
	// noMatch says that the element's addresses are not in the set.
	noMatch bool
}

// skbMark is what an element does to a packet's mark.
type skbMark struct{ value, mask uint32 }

// pairs is the type of a set of pairs.
const pairs = "hash:ip,port,ip"

// setTypes maps each type to the parts of its elements.
var setTypes = map[string][]string{
	"hash:ip": {"ip"}, "hash:net": {"net"}, "hash:ip,port": {"ip", "port"}, "hash:net,port": {"net", "port"},
	pairs: {"ip", "port", "ip"}, "hash:ip,port,net": {"ip", "port", "net"},
}

// maxSetName is the maximum length of a set's name (IPSET_MAXNAMELEN - 1), in bytes.
const maxSetName = 31

// readSets executes the input of ipset -exist restore.
func readSets(text []byte) (sets, error) {
	all := make(sets)
	for c, err := range ipset.Commands(text) {
		if err != nil {
			return nil, err
		}
		if err := all.command(&c); err != nil {
			return nil, c.Errorf("%w", err)
		}
	}
	for _, s := range all {
		s.finish()
	}
	return all, nil
}

func (all sets) command(c *ipset.Command) error {
	s := all[c.Set]
	switch {
	case c.Verb == "create":
		return all.create(c)
	case s == nil:
		return fmt.Errorf("%s of set %q, which there is not", c.Verb, c.Set)
	case c.Verb == "flush":
		s.flush()
	case c.Verb == "destroy":
		delete(all, c.Set)
	case c.Verb == "add":
		return s.add(c)
	default:
		other := all[c.Rest]
		if other == nil || other.full != s.full {
			return fmt.Errorf("sets %q and %q cannot be swapped", c.Set, c.Rest)
		}
		all[c.Set], all[c.Rest] = other, s
	}
	return nil
}

func (all sets) create(c *ipset.Command) error {
	made, err := c.Create()
	if err != nil {
		return err
	}
	s := &set{kind: made.Type, full: made.Kind(), parts: setTypes[made.Type], family: ir.IPv4}
	if s.parts == nil || len(c.Set) > maxSetName {
		return fmt.Errorf("set type %q is not known, or the name %q too long", s.kind, c.Set)
	}
	for _, o := range made.Options {
		switch o.Name {
		case "family":
			family, known := map[string]ir.Family{"inet": ir.IPv4, "inet6": ir.IPv6}[o.Value]
			if !known {
				return fmt.Errorf("family %q is not known", o.Value)
			}
			s.family = family
		case "timeout":
			seconds, err := strconv.ParseUint(o.Value, 10, 32)
			if err != nil {
				return err
			}
			s.timed, s.timeout = true, uint32(seconds)
		case "comment":
			s.comment = true
		case "skbinfo":
			s.skbinfo = true
		case "hashsize", "maxelem", "bucketsize", "initval":
			if _, err := strconv.ParseUint(o.Value, 0, 32); err != nil {
				return err
			}
		case "-exist":
		default:
			return fmt.Errorf("set option %q is not known here", o.Name)
		}
	}
	switch have := all[c.Set]; {
	case have == nil:
		s.flush()
		all[c.Set] = s
	case have.full != s.full:
		return fmt.Errorf("set %q is there already, and another", c.Set)
	}
	return nil
}

func (s *set) flush() { s.elements = make(map[string]member) }

// add adds an element.
func (s *set) add(c *ipset.Command) error {
	e, err := c.Add()
	if err != nil {
		return err
	}
	var m member
	marked := false
	for _, o := range e.Options {
		switch {
		case o.Name == "nomatch" && strings.Contains(s.kind, "net"):
			m.noMatch = true
		case o.Name == "skbmark":
			marked = true
			if m.mark.value, m.mark.mask, err = text.MarkAndMask(o.Value); err != nil {
				return err
			}
		case o.Name == "comment" && s.comment, o.Name == "timeout" && s.timed, o.Name == "-exist":
		default:
			return fmt.Errorf("element option %q is not known in a set of %s", o.Name, s.full)
		}
	}
	if marked != s.skbinfo {
		return fmt.Errorf("element %q: a mark, where the set has none, or none where it has them", e.Element)
	}
	if err = s.read(&m, e.Element); err != nil {
		return fmt.Errorf("element %q: %w", e.Element, err)
	}
	s.elements[m.text()] = m
	return nil
}

// read parses an element.
func (s *set) read(m *member, element string) error {
	parts, err := ipset.Parts(s.kind, element)
	if err != nil {
		return err
	}
	for i := range parts {
		if err := s.addPart(m, &parts[i]); err != nil {
			return err
		}
	}
	return nil
}

// addPart adds a part of an element to its key.
func (s *set) addPart(m *member, p *ipset.Part) error {
	if p.Name == "port" {
		proto, err := ir.ParseProtocol(p.Protocol)
		m.key = append(m.key, one(space.N(uint64(proto))), one(space.N(uint64(p.Port))))
		return err
	}
	if ir.FamilyOf(p.Net.Addr()) != s.family {
		return fmt.Errorf("%v is not of %v", p.Net, s.family)
	}
	if p.Name == "net" {
		if p.Net.Bits() == 0 || p.Net.Masked() != p.Net {
			return fmt.Errorf("%v is no network that a set takes", p.Net)
		}
		m.bits = p.Net.Bits()
	}
	m.key = append(m.key, space.Prefix(p.Net))
	return nil
}

func one(n space.Number) space.Interval { return space.Interval{First: n, Last: n} }

// question parses a set's name and, for each part, whether the packet's source
// (src) or destination (dst) is matched.
func (c *compiler) question(words []string) (s *set, sources []bool, err error) {
	s = c.sets[words[0]]
	sides := strings.Split(words[1], ",")
	switch {
	case s == nil:
		return nil, nil, fmt.Errorf("set %q is not there", words[0])
	case s.family != c.family:
		return nil, nil, fmt.Errorf("set %q is not of %v", words[0], c.family)
	case len(sides) != len(s.parts):
		return nil, nil, fmt.Errorf("%d words for a set of %s", len(sides), s.kind)
	}
	for i, side := range sides {
		// The kernel chooses the source port, so it cannot be matched.
		if side != "dst" && (side != "src" || s.parts[i] == "port") {
			return nil, nil, fmt.Errorf("%q is not known here", side)
		}
		sources = append(sources, side == "src")
	}
	return s, sources, nil
}

func (c *compiler) inSet(words []string) (match, error) {
	s, sources, err := c.question(words)
	if err != nil {
		return nil, err
	}
	c.rule.pairs = c.rule.pairs || s.kind == pairs
	return func(p *Packet) bool {
		_, found := s.lookup(p, sources)
		return found
	}, nil
}

// lookup matches a packet against the set. A packet of a protocol without ports
// never matches elements with ports.
func (s *set) lookup(p *Packet, sources []bool) (skbMark, bool) {
	key := s.key(p, sources)
	if p.isBound(s, key) {
		return skbMark{}, true
	}
	at, found := s.index.Find(p.Packets, key...)
	if !found || s.effects[at].noMatch {
		return skbMark{}, false
	}
	return s.effects[at].mark, true
}

// key returns the values of a packet that are looked up.
func (s *set) key(p *Packet, sources []bool) []space.Value {
	var key []space.Value
	for i, part := range s.parts {
		if part == "port" {
			key = append(key, space.Protocol.Value(), p.port)
		} else {
			key = append(key, p.addr(sources[i]))
		}
	}
	return key
}

// finish makes the table of the elements, after which the set does not change.
func (s *set) finish() {
	known := make(map[effect]int)
	for _, text := range slices.Sorted(maps.Keys(s.elements)) {
		m := s.elements[text]
		at, has := known[m.effect]
		if !has {
			at = len(s.effects)
			known[m.effect], s.effects = at, append(s.effects, m.effect)
		}
		s.index.Add(m.key, m.bits, at)
	}
	s.elements = nil
}

// text is the bytes of a key.
func (m *member) text() string {
	var b []byte
	for _, i := range m.key {
		for _, n := range []space.Number{i.First, i.Last} {
			b = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, n.Hi), n.Lo)
		}
	}
	return string(b)
}
