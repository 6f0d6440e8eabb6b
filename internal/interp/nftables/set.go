package nftables

import (
	"cmp"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strings"
)

// set is a set or a map of a table.
type set struct {
	name     string
	keys     []kind
	data     []kind
	interval bool
	dynamic  bool
	// exact maps the bytes of a key to its element. In a set with intervals, the
	// last field of the key is in ranges instead.
	exact  map[string]element
	ranges map[string][]span
}

// span is a range of addresses with its data.
type span struct {
	first, last netip.Addr
	element
}

// element is the data of a map's element; the element of a set has none.
type element struct {
	verdict verdict
	bytes   string
}

func newSet(name string) *set {
	return &set{name: name, exact: make(map[string]element), ranges: make(map[string][]span)}
}

// find looks a key up in a set or a map with intervals.
func (s *set) find(key []byte) (element, bool) {
	width := 4
	if s.keys[len(s.keys)-1] == addr6 {
		width = 16
	}
	if len(key) < width {
		return element{}, false
	}
	addr, _ := netip.AddrFromSlice(key[len(key)-width:])
	// Find the last range that begins at or before the address.
	list := s.ranges[string(key[:len(key)-width])]
	i, _ := slices.BinarySearchFunc(list, addr, func(r span, a netip.Addr) int { return cmp.Or(r.first.Compare(a), -1) })
	if i == 0 || list[i-1].last.Less(addr) {
		return element{}, false
	}
	return list[i-1].element, true
}

// finish sorts the ranges. Ranges of one key must not overlap, as nft requires.
func (s *set) finish() error {
	for _, list := range s.ranges {
		slices.SortFunc(list, func(a, b span) int { return a.first.Compare(b.first) })
		for i := 1; i < len(list); i++ {
			if !list[i-1].last.Less(list[i].first) {
				return fmt.Errorf("set %s: %v is in two ranges", s.name, list[i].first)
			}
		}
	}
	return nil
}

// elements yields the data of all elements.
func (s *set) elements() iter.Seq[element] {
	return func(yield func(element) bool) {
		for _, e := range s.exact {
			if !yield(e) {
				return
			}
		}
		for _, list := range s.ranges {
			for _, r := range list {
				if !yield(r.element) {
					return
				}
			}
		}
	}
}

// declaration parses "type ..." or "typeof ...".
func (s *set) declaration(line *stream) error {
	byExpression := line.next() == "typeof"
	var err error
	for into := &s.keys; ; into = &s.data {
		if *into, err = kinds(line, byExpression); err != nil {
			return err
		}
		if !line.accept(":") {
			break
		}
	}
	if !line.done() {
		return fmt.Errorf("%q after the type", line.peek())
	}
	return nil
}

func kinds(line *stream, byExpression bool) ([]kind, error) {
	var out []kind
	for {
		if byExpression {
			f, err := parseField(line)
			if err != nil {
				return nil, err
			}
			out = append(out, f.kind)
		} else {
			word := line.next()
			k, ok := kindsByType[word]
			if !ok {
				return nil, fmt.Errorf("type %q", word)
			}
			out = append(out, k)
		}
		if !line.accept(".") {
			return out, nil
		}
	}
}

// add parses one element: "key [comment "..."] [: data]".
func (s *set) add(text string) error {
	list, err := tokens(text)
	if err != nil {
		return err
	}
	line := &stream{list: list}
	key, r, err := s.key(line)
	if err != nil {
		return err
	}
	if line.accept("comment") {
		line.next()
	}
	var e element
	if line.accept(":") {
		if e, err = s.value(line); err != nil {
			return err
		}
	}
	if !line.done() {
		return fmt.Errorf("%q after an element", line.peek())
	}
	if s.interval {
		r.element = e
		s.ranges[string(key)] = append(s.ranges[string(key)], r)
		return nil
	}
	if _, twice := s.exact[string(key)]; twice {
		return fmt.Errorf("the element is there twice")
	}
	s.exact[string(key)] = e
	return nil
}

// key parses an element's key; with intervals, the last field is returned separately.
func (s *set) key(line *stream) (key []byte, last span, err error) {
	for i, k := range s.keys {
		if i > 0 {
			if err := line.expect("."); err != nil {
				return nil, last, err
			}
		}
		if s.interval && i == len(s.keys)-1 {
			last, err = parseSpan(k, line.next())
		} else {
			key, err = appendConstant(key, k, line.next())
		}
		if err != nil {
			return nil, last, err
		}
	}
	return key, last, nil
}

// parseSpan parses an address, a prefix, or "first-last" of the kind's family.
func parseSpan(k kind, s string) (span, error) {
	first, last, isRange := strings.Cut(s, "-")
	var r span
	if isRange {
		var err error
		if r.first, err = netip.ParseAddr(first); err != nil {
			return r, err
		}
		if r.last, err = netip.ParseAddr(last); err != nil {
			return r, err
		}
	} else {
		p, err := parsePrefix(s)
		if err != nil {
			return r, err
		}
		r.first, r.last = p.Addr(), lastAddr(p)
		if p.Masked() != p {
			return r, fmt.Errorf("prefix %v has more bits than its length", p)
		}
	}
	if (k == addr4) != r.first.Is4() || (k == addr4) != r.last.Is4() || r.last.Less(r.first) || k != addr4 && k != addr6 {
		return r, fmt.Errorf("range %s: not one of the family", s)
	}
	return r, nil
}

// lastAddr returns the last address of a prefix.
func lastAddr(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

func parsePrefix(s string) (netip.Prefix, error) {
	if strings.Contains(s, "/") {
		return netip.ParsePrefix(s)
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	return netip.PrefixFrom(a, a.BitLen()), nil
}

func (s *set) value(line *stream) (element, error) {
	if len(s.data) == 1 && s.data[0] == verdictKind {
		v, ok := parseVerdict(line)
		if !ok {
			return element{}, fmt.Errorf("verdict %q", line.peek())
		}
		return element{verdict: v}, nil
	}
	var b []byte
	for i, k := range s.data {
		if i > 0 {
			if err := line.expect("."); err != nil {
				return element{}, err
			}
		}
		var err error
		if b, err = appendConstant(b, k, line.next()); err != nil {
			return element{}, err
		}
	}
	return element{bytes: string(b)}, nil
}
