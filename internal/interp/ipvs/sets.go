package ipvs

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/planec/planec/ir"
)

// entry is what a set is asked for: an address, and a protocol and port and a
// second address where the set has them.
type entry struct {
	addr     netip.Addr
	protocol ir.Protocol
	port     uint16
	second   netip.Addr
}

// skbMark is what an entry does to a packet's mark.
type skbMark struct{ value, mask uint32 }

// ipset is one set.
type ipset struct {
	// kind has the words behind "create NAME": two sets may be swapped when
	// they are equal.
	kind    string
	of      string
	family  ir.Family
	skbinfo bool
	comment bool
	entries map[entry]skbMark
	// nets are the networks of a set that has them, by the rest of the entry.
	nets map[entry]*networks
}

// dimensions is how many src and dst words ask a set of a type.
var dimensions = map[string]int{"hash:ip": 1, "hash:net": 1, "hash:ip,port": 2, "hash:ip,port,ip": 3, "hash:ip,port,net": 3}

type ipsets map[string]*ipset

// parseSets reads what ipset restore does, with -exist.
func parseSets(text []byte) (ipsets, error) {
	sets := make(ipsets)
	return sets, eachLine(text, func(words []string) error {
		r := &reader{words: words}
		command := r.next()
		name := r.next()
		if command == "create" {
			return sets.create(name, r)
		}
		s := sets[name]
		if s == nil {
			return fmt.Errorf("%s of set %q, which there is not", command, name)
		}
		switch command {
		case "add":
			s.add(r)
		case "flush":
			s.flush()
		case "destroy":
			delete(sets, name)
		case "swap":
			return sets.swap(name, r)
		default:
			return fmt.Errorf("command %q is not known", command)
		}
		return r.end()
	})
}

func (sets ipsets) create(name string, r *reader) error {
	s := &ipset{kind: strings.Join(r.words, " "), of: r.next()}
	if dimensions[s.of] == 0 {
		r.fail("set type %q is not known", s.of)
	}
	r.want("family")
	switch f := r.next(); f {
	case "inet":
		s.family = ir.IPv4
	case "inet6":
		s.family = ir.IPv6
	default:
		r.fail("family %q is not known", f)
	}
	r.want("hashsize")
	r.number(32)
	r.want("maxelem")
	r.number(32)
	s.comment = r.skip("comment")
	s.skbinfo = r.skip("skbinfo")
	if err := r.end(); err != nil {
		return err
	}
	if len(name) > 31 {
		return fmt.Errorf("set name %q is longer than 31 bytes", name)
	}
	if have := sets[name]; have != nil {
		if have.kind != s.kind {
			return fmt.Errorf("set %q is there already, and another", name)
		}
		return nil
	}
	s.flush()
	sets[name] = s
	return nil
}

func (s *ipset) flush() {
	s.entries, s.nets = make(map[entry]skbMark), make(map[entry]*networks)
}

func (sets ipsets) swap(name string, r *reader) error {
	other := r.next()
	if err := r.end(); err != nil {
		return err
	}
	a, b := sets[name], sets[other]
	if b == nil || a.kind != b.kind {
		return fmt.Errorf("sets %q and %q cannot be swapped", name, other)
	}
	sets[name], sets[other] = b, a
	return nil
}

// add reads one entry.
func (s *ipset) add(r *reader) {
	parts := strings.Split(r.next(), ",")
	if len(parts) != dimensions[s.of] {
		r.fail("an entry of %d parts in a set of %s", len(parts), s.of)
		return
	}
	mark := skbMark{}
	if s.skbinfo {
		r.want("skbmark")
		mark.value, mark.mask = r.masked()
	}
	if s.comment && r.skip("comment") {
		r.next()
	}
	noMatch := strings.HasSuffix(s.of, "net") && r.skip("nomatch")
	var e entry
	if s.of != "hash:net" {
		e.addr = r.parseAddr(parts[0])
		s.checkFamily(e.addr, r)
	}
	if len(parts) > 1 {
		e.protocol, e.port = r.port(parts[1])
	}
	last := parts[len(parts)-1]
	if strings.HasSuffix(s.of, "net") {
		p := r.prefix(last)
		s.checkFamily(p.Addr(), r)
		if p.Bits() == 0 {
			r.fail("%v: a set of networks takes none of length 0", p)
		}
		if r.err != nil {
			return
		}
		if s.nets[e] == nil {
			s.nets[e] = &networks{members: make(map[netip.Prefix]bool)}
		}
		s.nets[e].lengths[p.Bits()], s.nets[e].members[p] = true, noMatch
		return
	}
	if len(parts) == 3 {
		e.second = r.parseAddr(last)
		s.checkFamily(e.second, r)
	}
	s.entries[e] = mark
}

func (s *ipset) checkFamily(a netip.Addr, r *reader) {
	if r.err == nil && ir.FamilyOf(a) != s.family {
		r.fail("%v in a set of %v", a, s.family)
	}
}

// lookup asks the set.
func (s *ipset) lookup(e entry) (skbMark, bool) {
	last := e.addr
	switch s.of {
	case "hash:ip,port,net":
		last, e.second = e.second, netip.Addr{}
	case "hash:net":
		e = entry{}
	default:
		mark, found := s.entries[e]
		return mark, found
	}
	return skbMark{}, s.nets[e].contain(last)
}

// networks are asked for the longest that contains an address; one that is true
// is marked nomatch.
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
