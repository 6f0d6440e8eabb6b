package store

import (
	"cmp"
	"slices"
)

// span is a range of entries of an array.
type span struct{ at, size uint32 }

func (s span) end() uint32 { return s.at + s.size }

// space knows which entries of an array are free: spans that do not touch, by place.
type space struct{ free []span }

// newSpace is an array of which nothing but the used spans is taken.
func newSpace(first, end uint32, used []span) *space {
	slices.SortFunc(used, func(a, b span) int { return cmp.Compare(a.at, b.at) })
	s := &space{}
	for _, u := range used {
		if u.at > first {
			s.free = append(s.free, span{first, u.at - first})
		}
		first = max(first, u.end())
	}
	if first < end {
		s.free = append(s.free, span{first, end - first})
	}
	return s
}

// take takes a span of a size: the first that is large enough.
func (s *space) take(size uint32) (span, bool) {
	for i := range s.free {
		f := &s.free[i]
		if f.size < size {
			continue
		}
		out := span{f.at, size}
		f.at, f.size = f.at+size, f.size-size
		if f.size == 0 {
			s.free = slices.Delete(s.free, i, i+1)
		}
		return out, true
	}
	return span{}, false
}

// give frees a span that was taken, and joins it with those beside it.
func (s *space) give(u span) {
	if u.size == 0 {
		return
	}
	i, _ := slices.BinarySearchFunc(s.free, u, func(a, b span) int { return cmp.Compare(a.at, b.at) })
	s.free = slices.Insert(s.free, i, u)
	if i+1 < len(s.free) && s.free[i].end() == s.free[i+1].at {
		s.free[i].size += s.free[i+1].size
		s.free = slices.Delete(s.free, i+1, i+2)
	}
	if i > 0 && s.free[i-1].end() == s.free[i].at {
		s.free[i-1].size += s.free[i].size
		s.free = slices.Delete(s.free, i, i+1)
	}
}

// room is how many entries are free.
func (s *space) room() (n int) {
	for _, f := range s.free {
		n += int(f.size)
	}
	return n
}
