package nftables

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/planec/planec/internal/text/nft"
)

// set is a set or a map of a table.
type set struct {
	source *nft.Set
	// exact holds the elements by the bytes of their key; for a set with
	// intervals by those of all but the last field, which is in ranges.
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
	decision
	bytes string
}

// decision is what a rule or an element decides, and where that leads.
type decision struct {
	verdict nft.Verdict
	chain   string
}

// readSet reads the elements of a set.
func readSet(source *nft.Set) (*set, error) {
	s := &set{source: source, exact: make(map[string]element), ranges: make(map[string][]span)}
	for e, err := range source.Elements() {
		if err != nil {
			return nil, err
		}
		data := element{bytes: string(e.Data)}
		if source.Verdicts() {
			data.decision = decision{e.Verdict, string(e.Chain)}
		}
		if source.Interval {
			s.addRange(e.Key, data)
			continue
		}
		if _, twice := s.exact[string(e.Key)]; twice {
			return nil, fmt.Errorf("nftables rules: set %s has an element twice, key %x", source.Name, e.Key)
		}
		s.exact[string(e.Key)] = data
	}
	return s, s.finish()
}

// width is the length of the last field, the address of a range.
func (s *set) width() int { return s.source.Key[len(s.source.Key)-1].Kind.Size() }

// addRange adds an element whose key is the first key of a range and then the last.
func (s *set) addRange(key []byte, data element) {
	first, last := key[:len(key)/2], key[len(key)/2:]
	at := len(first) - s.width()
	r := span{element: data}
	r.first, _ = netip.AddrFromSlice(first[at:])
	r.last, _ = netip.AddrFromSlice(last[at:])
	s.ranges[string(first[:at])] = append(s.ranges[string(first[:at])], r)
}

// find looks a key up in a set or a map with intervals.
func (s *set) find(key []byte) (element, bool) {
	at := len(key) - s.width()
	if at < 0 {
		return element{}, false // of a packet whose addresses are of two families
	}
	addr, _ := netip.AddrFromSlice(key[at:])
	// The last range that begins at or before the address.
	list := s.ranges[string(key[:at])]
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
				return fmt.Errorf("nftables rules: set %s: %v is in two ranges", s.source.Name, list[i].first)
			}
		}
	}
	return nil
}
