package fqdn

import (
	"maps"
	"net/netip"
	"slices"
	"time"
)

// Bounds of a cache.
const (
	mostNames     = 10_000
	mostOfName    = 256    // addresses of a name: the one that ends first makes room
	mostAddresses = 50_000 // of all names
	longestTTL    = 24 * time.Hour
)

// cache has addresses of names, each until it ends.
type cache struct {
	names map[string]map[netip.Addr]time.Time
	total int
}

func newCache() *cache { return &cache{names: make(map[string]map[netip.Addr]time.Time)} }

// add takes an address of a name, and reports whether it is new, and whether there is no room
// for it.
func (c *cache) add(name string, a netip.Addr, until time.Time) (changed, full bool) {
	list := c.names[name]
	if end, had := list[a]; had {
		if until.After(end) {
			list[a] = until
		}
		return false, false
	}
	switch {
	case len(list) >= mostOfName:
		c.drop(name, first(list))
	case list == nil && len(c.names) >= mostNames, c.total >= mostAddresses:
		return false, true
	}
	if list == nil {
		list = make(map[netip.Addr]time.Time)
		c.names[name] = list
	}
	list[a] = until
	c.total++
	return true, false
}

// first is the address that ends first, the lower of two.
func first(list map[netip.Addr]time.Time) netip.Addr {
	return slices.MinFunc(slices.Collect(maps.Keys(list)), func(a, b netip.Addr) int {
		if c := list[a].Compare(list[b]); c != 0 {
			return c
		}
		return a.Compare(b)
	})
}

func (c *cache) drop(name string, a netip.Addr) {
	delete(c.names[name], a)
	if c.total--; len(c.names[name]) == 0 {
		delete(c.names, name)
	}
}

// keep drops what has ended, and names that are not wanted; it reports whether anything was.
func (c *cache) keep(now time.Time, wanted func(string) bool) (changed bool) {
	for name, list := range c.names {
		asked := wanted(name)
		for a, end := range list {
			if !asked || !end.After(now) {
				c.drop(name, a)
				changed = true
			}
		}
	}
	return changed
}

// with returns the addresses by name, sorted, with those that are given besides.
func (c *cache) with(given map[string][]netip.Addr) map[string][]netip.Addr {
	out := make(map[string][]netip.Addr, len(given)+len(c.names))
	for name, list := range given {
		out[name] = slices.Clone(list)
	}
	for name, list := range c.names {
		all := slices.AppendSeq(out[name], maps.Keys(list))
		slices.SortFunc(all, netip.Addr.Compare)
		out[name] = slices.Compact(all)
	}
	return out
}
