package layout

import (
	"net/netip"
	"slices"
)

// Content is what one entry of svc means, without the positions that an image or a kernel
// gives to its parts: the Bases of its routes and Sources are zero, and Counts are the
// lengths of the pools.
type Content struct {
	Service
	// InternalPool and ExternalPool are the endpoints of the routes, in the order of ep.
	InternalPool, ExternalPool []Endpoint
	// SourceRanges are the sources that are served, sorted and disjoint; none are all.
	SourceRanges []netip.Prefix
}

// Equal reports whether two entries mean the same.
func (c *Content) Equal(o *Content) bool {
	return c.Service == o.Service && slices.Equal(c.InternalPool, o.InternalPool) &&
		slices.Equal(c.ExternalPool, o.ExternalPool) && slices.Equal(c.SourceRanges, o.SourceRanges)
}

// Normal returns the content with the fields of positions as they should be.
func (c Content) Normal() Content {
	c.Internal.Base, c.Internal.Count = 0, uint32(len(c.InternalPool))
	c.External.Base, c.External.Count = 0, uint32(len(c.ExternalPool))
	c.Sources = 0
	return c
}

// Entry is an entry of svc with what it means.
type Entry struct {
	Key ServiceKey
	Content
}

// SortEntries sorts entries by key.
func SortEntries(list []Entry) {
	slices.SortFunc(list, func(a, b Entry) int { return a.Key.Compare(b.Key) })
}
