package resolve

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
)

// membership is the address sets that hold an address, as sorted indexes.
type membership []int32

// sample stands for the addresses of a class: it is in a network, or outside of
// all (-1), and in some sets besides.
type sample struct {
	network int
	own     membership
	// class indexes Policy.Classes.
	class int32
}

// classify cuts the address space: first into networks, then it gives each
// single address the sets of its network and its own.
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

// sampled keeps the samples in the order of their networks and classes, and where each set
// is among what samples have of their own.
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

// hosts returns every single address of the sets, and the sets that name it. The
// memberships are cut from one piece of memory: there are tens of thousands.
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

// network is a prefix that some set begins or ends at.
type network struct {
	prefix netip.Prefix
	// sets are those that hold its addresses outside longer prefixes.
	sets setID
	// parent is the index of the longest network around it, or -1.
	parent int
	// class is -1 where no set holds the network.
	class int32
}

// edge is where a set begins or ends: at a network.
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
	// What is both a network of a set and taken out of it is out.
	slices.SortStableFunc(bounds, func(a, b bound) int {
		return cmp.Or(ir.ComparePrefix(a.prefix, b.prefix), cmp.Compare(a.number, b.number))
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

// enclosing finds the parent of the network that comes next: the one before it,
// or one that is around that.
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

// classIndex numbers distinct memberships in the order in which they are found.
type classIndex struct {
	*builder
	found   map[setID]int32
	classes []setID
	// samples has one of each class.
	samples []sample
	// pairs are the classes of single addresses, by their network's sets and
	// their own.
	pairs map[string]int32
	key   []byte
}

// find returns the number of a membership, -1 for that of no set.
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
