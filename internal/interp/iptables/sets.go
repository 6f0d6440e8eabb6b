package iptables

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/planec/planec/internal/text/ipset"
	"github.com/planec/planec/ir"
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
	exact                   map[string]skbMark
	nets                    map[string]*networks
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

func (s *set) flush() { s.exact, s.nets = make(map[string]skbMark), make(map[string]*networks) }

// add adds an element.
func (s *set) add(c *ipset.Command) error {
	e, err := c.Add()
	if err != nil {
		return err
	}
	var mark skbMark
	noMatch, marked := false, false
	for _, o := range e.Options {
		switch {
		case o.Name == "nomatch" && strings.Contains(s.kind, "net"):
			noMatch = true
		case o.Name == "skbmark":
			marked = true
			if mark.value, mark.mask, err = markAndMask(o.Value); err != nil {
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
	key, net, err := s.read(e.Element)
	switch {
	case err != nil:
		return fmt.Errorf("element %q: %w", e.Element, err)
	case !net.IsValid():
		s.exact[key] = mark
		return nil
	case s.nets[key] == nil:
		s.nets[key] = &networks{members: make(map[netip.Prefix]bool)}
	}
	s.nets[key].lengths[net.Bits()], s.nets[key].members[net] = true, noMatch
	return nil
}

// read parses an element into the bytes of its parts and an optional network.
func (s *set) read(element string) (key string, net netip.Prefix, err error) {
	words := strings.Split(element, ",")
	if len(words) != len(s.parts) {
		return "", net, fmt.Errorf("%d parts in a set of %s", len(words), s.kind)
	}
	var b []byte
	for i, part := range s.parts {
		switch part {
		case "port":
			name, number, _ := strings.Cut(words[i], ":")
			proto, err := ir.ParseProtocol(name)
			if err != nil {
				return "", net, err
			}
			port, err := strconv.ParseUint(number, 10, 16)
			if err != nil {
				return "", net, err
			}
			b = append(b, byte(proto), byte(port>>8), byte(port))
		case "ip":
			a, err := netip.ParseAddr(words[i])
			if err != nil || ir.FamilyOf(a) != s.family {
				return "", net, fmt.Errorf("%q is no address of %v", words[i], s.family)
			}
			b = append(b, a.AsSlice()...)
		default:
			if a, err := netip.ParseAddr(words[i]); err == nil {
				net = netip.PrefixFrom(a, a.BitLen())
			} else if net, err = netip.ParsePrefix(words[i]); err != nil {
				return "", net, err
			}
			if net.Bits() == 0 || net.Masked() != net || ir.FamilyOf(net.Addr()) != s.family {
				return "", net, fmt.Errorf("%q is no network of %v that a set takes", words[i], s.family)
			}
		}
	}
	return string(b), net, nil
}

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
	var buf [64]byte
	key := buf[:0]
	var net netip.Addr
	for i, part := range s.parts {
		switch part {
		case "port":
			port := p.To.Port()
			key = append(key, byte(p.Protocol), byte(port>>8), byte(port))
		case "net":
			net = p.addr(sources[i])
		default:
			a := p.addr(sources[i]).As16()
			if s.family == ir.IPv4 {
				key = append(key, a[12:]...)
			} else {
				key = append(key, a[:]...)
			}
		}
	}
	if net.IsValid() {
		return skbMark{}, s.nets[string(key)].contain(net)
	}
	mark, found := s.exact[string(key)]
	return mark, found
}

// networks finds the longest network that contains an address; the value is true
// for nomatch.
type networks struct {
	lengths [129]bool
	members map[netip.Prefix]bool
}

func (n *networks) contain(a netip.Addr) bool {
	for length := a.BitLen(); n != nil && length > 0; length-- {
		if !n.lengths[length] {
			continue
		}
		if noMatch, found := n.members[netip.PrefixFrom(a, length).Masked()]; found {
			return !noMatch
		}
	}
	return false
}
