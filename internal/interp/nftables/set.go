package nftables

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// set is a set or a map of one table.
type set struct {
	name     string
	keys     []kind
	data     []kind
	interval bool
	dynamic  bool
	// exact holds the elements by the bytes of their key; for a set with
	// intervals by those of all but the last field, which is in ranges.
	exact  map[string]element
	ranges map[string][]netip.Prefix
}

// element is the data of a map's element; a set's has none.
type element struct {
	verdict verdict
	bytes   string
}

func newSet(name string) *set {
	return &set{name: name, exact: make(map[string]element), ranges: make(map[string][]netip.Prefix)}
}

// contains looks a key up in a set, or in a map used as one.
func (s *set) contains(key []byte) bool {
	if !s.interval {
		_, ok := s.exact[string(key)]
		return ok
	}
	width := 4
	if s.keys[len(s.keys)-1] == addr6 {
		width = 16
	}
	if len(key) < width {
		return false
	}
	addr, ok := netip.AddrFromSlice(key[len(key)-width:])
	return ok && slices.ContainsFunc(s.ranges[string(key[:len(key)-width])], func(p netip.Prefix) bool { return p.Contains(addr) })
}

// declaration reads "type ..." or "typeof ...".
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

// add reads one element: "key [comment "..."] [: data]".
func (s *set) add(text string) error {
	list, err := tokens(text)
	if err != nil {
		return err
	}
	line := &stream{list: list}
	key, last, err := s.key(line)
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
		s.ranges[string(key)] = append(s.ranges[string(key)], last)
		return nil
	}
	if _, twice := s.exact[string(key)]; twice {
		return fmt.Errorf("the element is there twice")
	}
	s.exact[string(key)] = e
	return nil
}

// key reads an element's key; with intervals the last field is apart.
func (s *set) key(line *stream) (key []byte, last netip.Prefix, err error) {
	for i, k := range s.keys {
		if i > 0 {
			if err := line.expect("."); err != nil {
				return nil, last, err
			}
		}
		if s.interval && i == len(s.keys)-1 {
			last, err = parsePrefix(line.next())
		} else {
			key, err = appendConstant(key, k, line.next())
		}
		if err != nil {
			return nil, last, err
		}
	}
	return key, last, nil
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
