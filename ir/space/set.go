package space

import (
	"net/netip"
	"slices"
	"sort"
)

// Interval is a range of numbers, both ends included.
type Interval struct{ First, Last Number }

// Contains reports whether the number is in the range.
func (i Interval) Contains(n Number) bool { return !n.Less(i.First) && !i.Last.Less(n) }

// Set is a set of numbers: those of some intervals, of which a mask may select. It is
// immutable. The zero value is empty.
type Set struct {
	list []Interval // sorted, neither overlapping nor adjacent; each has a member
	*selection
}

// selection keeps the numbers whose bits in mask are one of the values, which ascend.
type selection struct {
	mask   Number
	values []Number
}

// Of returns the set of the numbers in any of the intervals.
func Of(list ...Interval) Set { return Set{list: union(slices.Clone(list))} }

// Point returns the set of one number.
func Point(n Number) Set { return Set{list: []Interval{{n, n}}} }

// Points returns the set of the numbers.
func Points(numbers ...Number) Set {
	list := make([]Interval, len(numbers))
	for i, n := range numbers {
		list[i] = Interval{n, n}
	}
	return Set{list: union(list)}
}

// Prefix returns the numbers of a network's addresses.
func Prefix(p netip.Prefix) Interval {
	first := Addr(p.Masked().Addr())
	return Interval{first, first.Or(Host(p.Bits(), p.Addr().BitLen()))}
}

// Names returns the names of interfaces that begin with the given bytes.
func Names(prefix string) Interval {
	first := Name(prefix)
	if len(prefix) >= MaxName {
		return Interval{first, first}
	}
	return Interval{first, first.Or(Highest(8 * (16 - len(prefix))))}
}

// union sorts the intervals and joins those that overlap or touch.
func union(list []Interval) []Interval {
	slices.SortFunc(list, func(a, b Interval) int { return a.First.Compare(b.First) })
	kept := list[:0]
	for _, i := range list {
		if n := len(kept); n > 0 {
			last := &kept[n-1].Last
			if !last.Less(i.First) || last.Next() == i.First {
				if last.Less(i.Last) {
					*last = i.Last
				}
				continue
			}
		}
		kept = append(kept, i)
	}
	return kept
}

// Empty reports whether the set has no number.
func (s Set) Empty() bool { return len(s.list) == 0 }

// Intervals returns the intervals, in ascending order. The second result says that
// not all numbers of them are members.
func (s Set) Intervals() (list []Interval, selected bool) { return s.list, s.selection != nil }

// Contains reports whether the number is a member.
func (s Set) Contains(n Number) bool {
	i := sort.Search(len(s.list), func(i int) bool { return !s.list[i].Last.Less(n) })
	return i < len(s.list) && !n.Less(s.list[i].First) && s.selects(n)
}

func (s Set) selects(n Number) bool {
	if s.selection == nil {
		return true
	}
	_, found := slices.BinarySearchFunc(s.values, n.And(s.mask), Number.Compare)
	return found
}

// Point returns the only number of the set, if it has one.
func (s Set) Point() (Number, bool) {
	if len(s.list) != 1 {
		return Number{}, false
	}
	return s.list[0].First, s.list[0].First == s.list[0].Last
}

// Least returns the lowest number. The set must not be empty.
func (s Set) Least() Number {
	n, _ := s.firstIn(s.list[0])
	return n
}

// firstIn returns the lowest member in an interval.
func (s Set) firstIn(i Interval) (Number, bool) {
	if s.selection == nil {
		return i.First, true
	}
	var least Number
	found := false
	for _, value := range s.values {
		n, ok := firstFrom(i.First, s.mask, value)
		if ok && !i.Last.Less(n) && (!found || n.Less(least)) {
			least, found = n, true
		}
	}
	return least, found
}

// with returns a set of other intervals under the same selection.
func (s Set) with(list []Interval) Set {
	if s.selection == nil {
		return Set{list: list}
	}
	kept := make([]Interval, 0, len(list))
	for _, i := range list {
		if n, ok := s.firstIn(i); ok {
			i.First = n
			kept = append(kept, i)
		}
	}
	return Set{kept, s.selection}
}

// Split divides the set into the members of another one, which has no selection, and
// all others.
func (s Set) Split(by *Set) (in, out Set) {
	if n, ok := s.Point(); ok {
		if by.Contains(n) {
			return s, Set{}
		}
		return Set{}, s
	}
	var inside, outside []Interval
	for _, i := range s.list {
		at := sort.Search(len(by.list), func(k int) bool { return !by.list[k].Last.Less(i.First) })
		from := i.First
		done := false
		for ; at < len(by.list) && !i.Last.Less(by.list[at].First); at++ {
			b := by.list[at]
			if from.Less(b.First) {
				outside = append(outside, Interval{from, b.First.Prev()})
			} else {
				b.First = from
			}
			if !b.Last.Less(i.Last) {
				inside, done = append(inside, Interval{b.First, i.Last}), true
				break
			}
			inside = append(inside, b)
			from = b.Last.Next()
		}
		if !done {
			outside = append(outside, Interval{from, i.Last})
		}
	}
	return s.with(inside), s.with(outside)
}

// SplitMask divides the set into the numbers whose bits in mask are value, and all others.
func (s Set) SplitMask(mask, value Number) (in, out Set) {
	if n, ok := s.Point(); ok {
		if n.And(mask) == value {
			return s, Set{}
		}
		return Set{}, s
	}
	now := s.selection
	if now == nil {
		now = &selection{values: []Number{{}}}
	}
	both := selection{mask: now.mask.Or(mask)}
	added := mask.Without(now.mask)
	var yes, no []Number
	for _, v := range now.values {
		for _, more := range subsets(added) {
			if w := v.Or(more); w.And(mask) == value {
				yes = append(yes, w)
			} else {
				no = append(no, w)
			}
		}
	}
	part := func(values []Number) Set {
		slices.SortFunc(values, Number.Compare)
		return Set{selection: &selection{both.mask, values}}.with(s.list)
	}
	return part(yes), part(no)
}

// maxAdded is how many bits a mask may add to a selection; more would be millions of
// values. Rules of planec add three at a time.
const maxAdded = 16

// Bounded reports whether a mask may be asked of the set.
func (s Set) Bounded(mask Number) bool {
	have := 0
	if s.selection != nil {
		mask, have = mask.Without(s.mask), len(s.values)
	}
	count := 0
	for mask != (Number{}) {
		mask, count = mask.And(mask.Prev()), count+1
	}
	return count <= maxAdded && have<<count <= 1<<maxAdded
}

// subsets returns every number that has only bits of the given one.
func subsets(of Number) []Number {
	out := []Number{{}}
	for of != (Number{}) {
		low := bit(of.trailing())
		for _, n := range out {
			out = append(out, n.Or(low))
		}
		of = of.Without(low)
	}
	return out
}

// Block returns the interval that a mask of an address's leading bits selects: a network.
func Block(mask, value Number, ipv6 bool) (Interval, bool) {
	every := Highest(32)
	if ipv6 {
		every = Highest(128)
	}
	host := every.Without(mask)
	return Interval{value, value.Or(host)}, host.And(host.Next()) == (Number{})
}

// Own returns the numbers of a node's own addresses of each family, with the loopback
// addresses of RFC 1122 and RFC 4291, which every node has.
func Own(addresses []netip.Addr) (ipv4, ipv6 Set) {
	four := []Interval{Prefix(netip.PrefixFrom(netip.AddrFrom4([4]byte{127}), 8))}
	six := []Interval{Prefix(netip.PrefixFrom(netip.IPv6Loopback(), 128))}
	for _, a := range addresses {
		if a.Is4() {
			four = append(four, Interval{Addr(a), Addr(a)})
		} else {
			six = append(six, Interval{Addr(a), Addr(a)})
		}
	}
	return Of(four...), Of(six...)
}
