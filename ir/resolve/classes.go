package resolve

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
)

// membership is the set of address sets with an address, as sorted indexes.
type membership []int32

// sample represents the addresses of a class: in a network, or outside of all
// networks (-1), and in some sets besides.
type sample struct {
	network int
	own     membership
	// class indexes Policy.Classes.
	class int32
}

// classify partitions the address space: first into networks, then by the
// sets of each single address, its network's and its own.
func (b *builder) classify() {
	b.forest = newForest(len(b.sets))
	b.networks()
	hosts, members := b.hosts()
	x := classIndex{builder: b, found: make(map[setID]int32), pairs: make(map[string]int32)}
	for i := range b.nets {
		b.nets[i].class = x.find(b.nets[i].sets, sample{network: i})
	}
	type host struct {
		addr  netip.Addr
		class int32
	}
	list := make([]host, 0, len(hosts))
	for i, a := range hosts {
		within, around := longest(b.nets, a), int32(-1)
		if within >= 0 {
			around = b.nets[within].class
		}
		if c := x.host(within, members[i]); c != around {
			list = append(list, host{a, c})
		}
	}
	slices.SortFunc(list, func(a, b host) int { return a.addr.Compare(b.addr) })
	ids := b.ids(x.classes)
	places := b.orderClasses(x.classes, ids)
	id := func(class int32) uint32 {
		if class < 0 {
			return 0
		}
		return ids[class]
	}
	b.out.Hosts = make([]Host, len(list))
	for i, h := range list {
		b.out.Hosts[i] = Host{h.addr, id(h.class)}
	}
	for _, n := range b.nets {
		if n.parent < 0 || b.nets[n.parent].class != n.class {
			b.out.Networks = append(b.out.Networks, Network{n.prefix, id(n.class)})
		}
	}
	for i := range x.samples {
		x.samples[i].class = places[i]
	}
	b.sampled(x.samples)
}

// sampled stores the samples in the order of their networks and classes, and the positions
// of each set in the samples' own sets.
func (b *builder) sampled(samples []sample) {
	slices.SortFunc(samples, func(a, b sample) int {
		return cmp.Or(cmp.Compare(a.network, b.network), cmp.Compare(a.class, b.class))
	})
	b.samples, b.owners = samples, make([][]int32, len(b.sets))
	for i := range samples {
		for _, s := range samples[i].own {
			b.owners[s] = append(b.owners[s], int32(i))
		}
	}
}

// hosts returns every single address of the sets and the sets that list it. All
// memberships share one allocation, because there are tens of thousands.
func (b *builder) hosts() ([]netip.Addr, []membership) {
	total, most := 0, 0
	for i := range b.sets {
		total, most = total+len(b.sets[i].Addresses), max(most, len(b.sets[i].Addresses))
	}
	number := make(map[netip.Addr]int32, most)
	hosts, counts := make([]netip.Addr, 0, most), make([]int, 0, most)
	which := make([]int32, 0, total)
	for i := range b.sets {
		for _, a := range b.sets[i].Addresses {
			n, known := number[a]
			if !known {
				n = int32(len(hosts))
				number[a] = n
				hosts, counts = append(hosts, a), append(counts, 0)
			}
			counts[n]++
			which = append(which, n)
		}
	}
	members, memory := make([]membership, len(hosts)), make(membership, 0, total)
	for n, count := range counts {
		members[n] = memory[len(memory) : len(memory) : len(memory)+count]
		memory = memory[:len(memory)+count]
	}
	for i := range b.sets {
		for range b.sets[i].Addresses {
			members[which[0]] = append(members[which[0]], int32(i))
			which = which[1:]
		}
	}
	return hosts, members
}

// network is a prefix where some set begins or ends.
type network struct {
	prefix netip.Prefix
	// sets holds the sets with its addresses, outside of longer prefixes.
	sets setID
	// parent is the index of the longest enclosing network, or -1.
	parent int
	// class is -1 if no set contains the network.
	class int32
}

// edge is a network where a set begins or ends.
type edge struct {
	network int32
	in      bool
}

// networks finds the distinct prefixes of all sets, sorted, and the edges of each
// set.
func (b *builder) networks() {
	type bound struct {
		prefix netip.Prefix
		change
	}
	var bounds []bound
	for i := range b.sets {
		for _, p := range b.sets[i].Prefixes {
			bounds = append(bounds, bound{p, change{int32(i), true}})
		}
		for _, p := range b.sets[i].Except {
			bounds = append(bounds, bound{p, change{int32(i), false}})
		}
	}
	// A prefix that a set both contains and excludes is excluded.
	slices.SortFunc(bounds, func(a, b bound) int {
		return cmp.Or(ir.ComparePrefix(a.prefix, b.prefix), cmp.Compare(a.number, b.number), inFirst(a.in, b.in))
	})
	b.edges = make([][]edge, len(b.sets))
	var changes []change
	for len(bounds) > 0 {
		n, i := network{prefix: bounds[0].prefix}, len(b.nets)
		changes = changes[:0]
		for len(bounds) > 0 && bounds[0].prefix == n.prefix {
			c := bounds[0].change
			changes, b.edges[c.number] = append(changes, c), append(b.edges[c.number], edge{int32(i), c.in})
			bounds = bounds[1:]
		}
		n.parent = enclosing(b.nets, n.prefix)
		if n.parent >= 0 {
			n.sets = b.nets[n.parent].sets
		}
		n.sets = b.forest.with(n.sets, changes)
		b.nets = append(b.nets, n)
	}
}

// inFirst orders what begins before what ends.
func inFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// enclosing finds the parent of the next network: the preceding network, or one
// that encloses it.
func enclosing(nets []network, next netip.Prefix) int {
	p := len(nets) - 1
	for p >= 0 && !nets[p].prefix.Contains(next.Addr()) {
		p = nets[p].parent
	}
	return p
}

// longest returns the index of the longest network that contains a, or -1.
func longest(nets []network, a netip.Addr) int {
	at, _ := slices.BinarySearchFunc(nets, a, func(n network, a netip.Addr) int {
		// The last network that begins at or before a is the innermost
		// candidate, so equal counts as before.
		return cmp.Or(n.prefix.Addr().Compare(a), -1)
	})
	for at--; at >= 0 && !nets[at].prefix.Contains(a); {
		at = nets[at].parent
	}
	return at
}

// classIndex numbers distinct memberships in the order of their discovery.
type classIndex struct {
	*builder
	found   map[setID]int32
	classes []setID
	// samples has one sample per class.
	samples []sample
	// pairs maps the sets of an address's network and its own sets to a class.
	pairs map[string]int32
	key   []byte
}

// find returns the number of a membership, -1 for an empty one.
func (x *classIndex) find(sets setID, s sample) int32 {
	if sets == 0 {
		return -1
	}
	n, known := x.found[sets]
	if !known {
		n = int32(len(x.classes))
		x.found[sets] = n
		x.classes, x.samples = append(x.classes, sets), append(x.samples, s)
	}
	return n
}

// host is find for a single address.
func (x *classIndex) host(network int, own membership) int32 {
	var around setID
	if network >= 0 {
		around = x.nets[network].sets
	}
	x.key = appendNumber(x.key[:0], int32(around))
	for _, s := range own {
		x.key = appendNumber(x.key, s)
	}
	class, known := x.pairs[string(x.key)]
	if !known {
		sets := x.forest.union(around, x.forest.of(own))
		class = x.find(sets, sample{network: network, own: own})
		x.pairs[string(x.key)] = class
	}
	return class
}

func appendNumber(b []byte, n int32) []byte {
	return append(b, byte(n), byte(n>>8), byte(n>>16), byte(n>>24))
}
