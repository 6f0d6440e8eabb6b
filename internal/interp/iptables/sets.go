package iptables

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/planec/planec/ir"
)

// Sets are ipsets by name.
type Sets map[string]*set

// set is one ipset: elements of up to three parts.
type set struct {
	parts   []string // "ip", "port", "net"
	family  ir.Family
	timeout uint32
	exact   map[string]bool
	// nets are by the parts that are exact.
	nets map[string]*networks
}

// networks are asked for the longest that contains an address; one that is true
// is marked nomatch.
type networks struct {
	lengths [129]bool
	members map[netip.Prefix]bool
}

func (n *networks) add(p netip.Prefix, noMatch bool) {
	n.lengths[p.Bits()], n.members[p] = true, noMatch
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

// ParseSets reads the text of ipset restore.
func ParseSets(text []byte) (Sets, error) {
	sets := make(Sets)
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		words, err := splitWords(strings.TrimSpace(line))
		if err == nil && len(words) > 0 && !strings.HasPrefix(words[0], "#") {
			err = sets.command(&reader{list: words})
		}
		if err != nil {
			return nil, fmt.Errorf("ipset text, line %d: %w", number, err)
		}
	}
	return sets, nil
}

func (s Sets) command(r *reader) error {
	switch verb := r.next(); verb {
	case "create", "-N":
		s.create(r)
	case "add", "-A":
		s.add(r)
	case "flush", "-F":
		if name := r.next(); s[name] != nil {
			s[name].exact, s[name].nets = make(map[string]bool), make(map[string]*networks)
		}
	case "swap", "-W":
		a, b := r.next(), r.next()
		if s[a] == nil || s[b] == nil {
			return fmt.Errorf("swap of a set that is not there")
		}
		s[a], s[b] = s[b], s[a]
	case "destroy", "-X":
		delete(s, r.next())
	case "COMMIT":
	default:
		return fmt.Errorf("unknown command %q", verb)
	}
	return r.err
}

// create reads "create NAME TYPE [option value]...". A set that is there stays,
// as with -exist.
func (s Sets) create(r *reader) {
	name, typ := r.next(), r.next()
	_, parts, ok := strings.Cut(typ, ":")
	if !ok {
		r.fail("set type %q", typ)
		return
	}
	n := &set{parts: strings.Split(parts, ","), exact: make(map[string]bool), nets: make(map[string]*networks), family: ir.IPv4}
	for !r.done() {
		switch option := r.next(); option {
		case "timeout":
			n.timeout = uint32(r.number(32))
		case "family":
			switch f := r.next(); f {
			case "inet":
			case "inet6":
				n.family = ir.IPv6
			default:
				r.fail("family %q", f)
			}
		case "hashsize", "maxelem", "bucketsize", "initval", "range", "comment", "counters", "skbinfo", "netmask", "size":
			if option != "comment" && option != "counters" && option != "skbinfo" {
				r.next()
			}
		case "-exist":
		default:
			r.fail("set option %q", option)
		}
	}
	if s[name] == nil {
		s[name] = n
	}
}

func (r *reader) number(bits int) uint64 {
	n, err := strconv.ParseUint(r.next(), 0, bits)
	if err != nil {
		r.fail("a number: %v", err)
	}
	return n
}

// add reads "add NAME ELEMENT [timeout N] [comment "..."]".
func (s Sets) add(r *reader) {
	name, element := r.next(), r.next()
	noMatch := false
	for !r.done() {
		switch option := r.next(); option {
		case "nomatch":
			noMatch = true
		case "timeout", "comment":
			r.next()
		case "-exist":
		default:
			r.fail("element option %q", option)
		}
	}
	set := s[name]
	if set == nil {
		r.fail("no set %q", name)
		return
	}
	if err := set.add(element, noMatch); err != nil {
		r.fail("element %q: %v", element, err)
	}
}

func (s *set) add(element string, noMatch bool) error {
	parts := strings.Split(element, ",")
	if noMatch && !slices.Contains(s.parts, "net") {
		return fmt.Errorf("nomatch in a set without networks")
	}
	if len(parts) != len(s.parts) {
		return fmt.Errorf("%d parts, want %d", len(parts), len(s.parts))
	}
	var key []byte
	var prefix netip.Prefix
	hasNet := false
	for i, part := range parts {
		switch s.parts[i] {
		case "port":
			proto, port, err := parsePort(part)
			if err != nil {
				return err
			}
			key = append(key, byte(proto), byte(port>>8), byte(port))
		case "net":
			p, err := parsePrefix(part)
			if err != nil || hasNet || p.Bits() == 0 || ir.FamilyOf(p.Addr()) != s.family {
				return fmt.Errorf("net %q", part)
			}
			prefix, hasNet = p, true
		case "ip":
			a, err := netip.ParseAddr(part)
			if err != nil || ir.FamilyOf(a) != s.family {
				return fmt.Errorf("address %q", part)
			}
			key = append(key, a.AsSlice()...)
		default:
			return fmt.Errorf("part %q", s.parts[i])
		}
	}
	if hasNet {
		if s.nets[string(key)] == nil {
			s.nets[string(key)] = &networks{members: make(map[netip.Prefix]bool)}
		}
		s.nets[string(key)].add(prefix, noMatch)
	} else {
		s.exact[string(key)] = true
	}
	return nil
}

// parsePort reads "tcp:80"; a bare number is TCP, as for ipset.
func parsePort(s string) (ir.Protocol, uint16, error) {
	proto, number, ok := strings.Cut(s, ":")
	if !ok {
		proto, number = "tcp", s
	}
	p, err := ir.ParseProtocol(proto)
	if err != nil {
		return 0, 0, err
	}
	n, err := strconv.ParseUint(number, 10, 16)
	return p, uint16(n), err
}

func parsePrefix(s string) (netip.Prefix, error) {
	if strings.Contains(s, "/") {
		p, err := netip.ParsePrefix(s)
		return p.Masked(), err
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	return netip.PrefixFrom(a, a.BitLen()), nil
}

// contains tests the packet's parts, each by its direction ("src" or "dst").
func (s *set) contains(m *machine, directions []string) bool {
	var buf [64]byte
	key := buf[:0]
	var net netip.Addr
	for i, part := range s.parts {
		source := directions[i] == "src"
		switch {
		case part == "port":
			port := m.port
			if source {
				port = 0 // the source port is the kernel's choice
			}
			key = append(key, byte(m.packet.Protocol), byte(port>>8), byte(port))
		case part == "net":
			net = m.addr(source)
		default:
			key = append(key, m.addr(source).AsSlice()...)
		}
	}
	if !net.IsValid() {
		return s.exact[string(key)]
	}
	return s.nets[string(key)].contain(net)
}
