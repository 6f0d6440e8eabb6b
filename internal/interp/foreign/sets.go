package foreign

import (
	"errors"
	"fmt"
	"strings"

	"github.com/planec/planec/internal/text/ipset"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/space"
)

// ipSet is a set of ipset save, which rules ask for.
type ipSet struct {
	// kind is the type with the names of its parts.
	kind  string
	parts []string
	ipv6  bool
	// index finds what an element does: all that do the same have one value, so that they do
	// not tell packets apart.
	index space.Table
	// err says why the set is not understood. It is none as long as no rule asks for it.
	err error
}

// What an element does to packets: it has them in the set, or takes them out of it (nomatch).
const (
	contains = iota
	excepts
)

// setKinds are the types of sets that are understood.
var setKinds = map[string]bool{
	"bitmap:port": true, "hash:ip": true, "hash:net": true, "hash:ip,port": true, "hash:net,port": true, "hash:ip,port,ip": true, "hash:ip,port,net": true,
}

// readSets reads the output of ipset save.
func readSets(text []byte) (map[string]*ipSet, error) {
	all := make(map[string]*ipSet)
	for c, err := range ipset.Commands(text) {
		if err != nil {
			return nil, err
		}
		s := all[c.Set]
		switch {
		case c.Verb == "create" && s == nil:
			all[c.Set] = newSet(&c)
		case c.Verb != "add" || s == nil:
			return nil, c.Errorf("%s of set %q is not listed by ipset save, or there is no such set", c.Verb, c.Set)
		case s.err == nil:
			if err := s.add(&c); err != nil {
				s.err = c.Errorf("%w", err)
			}
		}
	}
	return all, nil
}

func newSet(c *ipset.Command) *ipSet {
	made, err := c.Create()
	s := &ipSet{kind: made.Type, parts: ipset.PartNames(made.Type), err: err}
	family, _ := made.Value("family")
	s.ipv6 = family == "inet6"
	if err == nil && !setKinds[s.kind] {
		s.err = c.Errorf("the type %s is not known", s.kind)
	}
	for _, o := range made.Options {
		switch o.Name {
		case "family", "hashsize", "maxelem", "bucketsize", "initval", "comment", "counters", "skbinfo", "forceadd":
		case "range":
			// The kernel keeps only elements in the range, and they are listed.
		default:
			s.err = c.Errorf("the option %s is not known", o.Name)
		}
	}
	return s
}

// add adds an element.
func (s *ipSet) add(c *ipset.Command) error {
	e, err := c.Add()
	if err != nil {
		return err
	}
	does := contains
	for _, o := range e.Options {
		switch o.Name {
		case "comment", "packets", "bytes", "skbmark", "skbprio", "skbqueue":
		case "nomatch":
			does = excepts
		default:
			return fmt.Errorf("the option %s of an element is not known", o.Name)
		}
	}
	parts, err := ipset.Parts(s.kind, e.Element)
	if err != nil {
		return err
	}
	key, bits, err := s.key(parts)
	if err != nil {
		return fmt.Errorf("element %s: %w", e.Element, err)
	}
	s.index.Add(key, bits, does)
	return nil
}

// key returns the numbers of an element, and the length of its network: the longest counts.
func (s *ipSet) key(parts []ipset.Part) (key []space.Interval, bits int, err error) {
	for _, p := range parts {
		if p.Name == "port" {
			if p.Protocol != "" {
				proto, err := ir.ParseProtocol(p.Protocol)
				if err != nil {
					return nil, 0, err
				}
				key = append(key, point(uint64(proto)))
			}
			key = append(key, point(uint64(p.Port)))
			continue
		}
		if p.Net.Addr().Is6() != s.ipv6 || p.Net.Masked() != p.Net {
			return nil, 0, fmt.Errorf("%v is of another family, or no network", p.Net)
		}
		if p.Name == "net" {
			bits = p.Net.Bits()
		}
		key = append(key, space.Prefix(p.Net))
	}
	return key, bits, nil
}

func point(n uint64) space.Interval { return space.Interval{First: space.N(n), Last: space.N(n)} }

// inSet matches packets that are in a set: of each part, their source or their destination.
func (r *xtRule) inSet(name, list string) (statement, error) {
	s := r.sets[name]
	switch {
	case r.sets == nil:
		return nil, errors.New("the sets are missing: give the output of ipset save too")
	case s == nil:
		return nil, fmt.Errorf("there is no set %s", name)
	case s.err != nil:
		return nil, fmt.Errorf("set %s: %w", name, s.err)
	case s.kind != "bitmap:port" && s.ipv6 != r.rules.IPv6:
		return nil, fmt.Errorf("set %s is of the other family", name)
	}
	sides := strings.Split(list, ",")
	if len(sides) != len(s.parts) {
		return nil, fmt.Errorf("%d words for a set of %s", len(sides), s.kind)
	}
	for _, side := range sides {
		if side != "src" && side != "dst" {
			return nil, fmt.Errorf("%q is not known", side)
		}
	}
	return func(m *machine) bool { return s.holds(m, sides) }, nil
}

// portProtocols are those whose ports a set of ports alone has (ip_set_get_ip_port in
// net/netfilter/ipset/ip_set_getport.c).
var portProtocols = space.Points(space.N(uint64(ir.TCP)), space.N(uint64(ir.UDP)))

// holds reports whether the set has the packets. A packet without ports has no element with
// a port: those have a protocol.
func (s *ipSet) holds(m *machine, sides []string) bool {
	var key []space.Value
	for i, part := range s.parts {
		switch {
		case part != "port" && sides[i] == "src":
			key = append(key, m.src)
		case part != "port":
			key = append(key, m.dst)
		default:
			port := m.port
			if sides[i] == "src" {
				port = space.SourcePort.Value()
			}
			if s.kind == "bitmap:port" {
				if !m.packets.In(space.Protocol, &portProtocols) {
					return false
				}
				key = append(key, port)
				continue
			}
			key = append(key, space.Protocol.Value(), port)
		}
	}
	does, found := s.index.Find(m.packets, key...)
	return found && does == contains
}
