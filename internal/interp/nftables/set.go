package nftables

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/planec/planec/internal/text/nft"
	"github.com/planec/planec/ir/space"
)

// set is a set or a map of a table.
type set struct {
	source *nft.Set
	// table finds the index of an element's data.
	table space.Table
	data  []element
}

// element is the data of a map's element; the element of a set has none. Elements with
// equal data are one.
type element struct {
	decision
	// address and port are those of a map to endpoints, number that of a map to marks
	// or priorities.
	address, port space.Number
	number        uint32
}

// decision is what a rule or an element decides, and where that leads.
type decision struct {
	verdict nft.Verdict
	chain   string
}

// readSet reads the elements of a set.
func readSet(source *nft.Set) (*set, error) {
	s := &set{source: source}
	r := setReader{set: s, index: make(map[element]int), seen: make(map[string]bool), ranges: make(map[string][]space.Interval)}
	for e, err := range source.Elements() {
		if err != nil {
			return nil, err
		}
		if err := r.add(e); err != nil {
			return nil, err
		}
	}
	return s, r.disjoint()
}

// setReader fills a set.
type setReader struct {
	*set
	index map[element]int
	// seen are the keys of a set without intervals; ranges are the last fields of one
	// with intervals, by the bytes of the fields before.
	seen   map[string]bool
	ranges map[string][]space.Interval
}

func (r *setReader) add(e *nft.Element) error {
	data := element{}
	switch fields := r.source.Data; {
	case r.source.Verdicts():
		data.decision = decision{e.Verdict, string(e.Chain)}
	case len(fields) == 2:
		values := numbers(fields, e.Data)
		data.address, data.port = values[0], values[1]
	case len(fields) == 1:
		data.number = uint32(numbers(fields, e.Data)[0].Lo)
	}
	first, last := e.Key, e.Key
	if r.source.Interval {
		first, last = e.Key[:len(e.Key)/2], e.Key[len(e.Key)/2:]
	}
	key := make([]space.Interval, len(r.source.Key))
	from, to := numbers(r.source.Key, first), numbers(r.source.Key, last)
	for i := range key {
		key[i] = space.Interval{First: from[i], Last: to[i]}
	}
	if err := r.twice(first, key); err != nil {
		return err
	}
	at, known := r.index[data]
	if !known {
		at = len(r.data)
		r.index[data], r.data = at, append(r.data, data)
	}
	r.table.Add(key, 0, at)
	return nil
}

// twice refuses a key that is there already; ranges are compared in the end.
func (r *setReader) twice(first []byte, key []space.Interval) error {
	if r.source.Interval {
		at := len(first) - r.source.Key[len(key)-1].Kind.Size()
		before := string(first[:at])
		r.ranges[before] = append(r.ranges[before], key[len(key)-1])
		return nil
	}
	if r.seen[string(first)] {
		return fmt.Errorf("nftables rules: set %s has an element twice, key %x", r.source.Name, first)
	}
	r.seen[string(first)] = true
	return nil
}

// disjoint refuses ranges of one key that overlap, as nft does.
func (r *setReader) disjoint() error {
	for _, list := range r.ranges {
		slices.SortFunc(list, func(a, b space.Interval) int { return cmp.Or(a.First.Compare(b.First), a.Last.Compare(b.Last)) })
		for i := 1; i < len(list); i++ {
			if !list[i-1].Last.Less(list[i].First) {
				return fmt.Errorf("nftables rules: set %s: %v is in two ranges", r.source.Name, list[i].First.Addr(list[i].First.Hi != 0))
			}
		}
	}
	return nil
}

// numbers reads the values of a key or of data, which are padded if there are several.
func numbers(fields []nft.Field, b []byte) []space.Number {
	out := make([]space.Number, len(fields))
	for i, f := range fields {
		size := f.Kind.Size()
		out[i] = number(f.Kind, b[:size])
		if len(fields) > 1 {
			size = (size + 3) / 4 * 4
		}
		b = b[min(size, len(b)):]
	}
	return out
}

// number reads a value in the kernel's form.
func number(k nft.Kind, b []byte) space.Number {
	switch k {
	case nft.Addr6:
		return space.Number{Hi: binary.BigEndian.Uint64(b), Lo: binary.BigEndian.Uint64(b[8:])}
	case nft.Addr4:
		return space.N(uint64(binary.BigEndian.Uint32(b)))
	case nft.Proto:
		return space.N(uint64(b[0]))
	case nft.Port:
		return space.N(uint64(binary.BigEndian.Uint16(b)))
	}
	return space.N(uint64(binary.NativeEndian.Uint32(b)))
}
