package ebpf

import (
	"net/netip"

	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir"
)

// sourceSets assigns numbers to lists of source ranges in the order of the
// frontends. The ports of a Service usually share a list.
type sourceSets struct {
	sets   map[string]uint32
	lists  [][]netip.Prefix
	owners []*ir.Frontend
}

// of returns the set of a frontend, or 0 if it has no source ranges.
func (s *sourceSets) of(f *ir.Frontend) uint32 {
	if len(f.SourceRanges) == 0 {
		return 0
	}
	var key []byte
	for _, p := range f.SourceRanges {
		key = layout.PrefixKeyOf(0, p).Append(key)
	}
	set, known := s.sets[string(key)]
	if !known {
		set = layout.FirstSourceSet + uint32(len(s.lists))
		s.sets[string(key)] = set
		s.lists = append(s.lists, f.SourceRanges)
		s.owners = append(s.owners, f)
	}
	return set
}
