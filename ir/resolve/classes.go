package resolve

import (
	"cmp"
	"hash/fnv"
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
)

// membership is the address sets that hold an address, as sorted indexes.
type membership []int32

// classify cuts the address space: first into networks, then it gives each
// single address the sets of its network and its own.
func (b *builder) classify() {
	nets := b.networks()
	hosts, members := b.hosts()
	index := newClassIndex(b.sets)
	for i := range nets {
		nets[i].class = index.find(nets[i].sets)
	}
	type host struct {
		addr  netip.Addr
		class int
	}
	list := make([]host, 0, len(hosts))
	for i, a := range hosts {
		own := members[i]
		all := own
		class := -1
		if i := longest(nets, a); i >= 0 {
			all = union(own, nets[i].sets)
			class = nets[i].class
		}
		if c := index.find(all); c != class {
			list = append(list, host{a, c})
		}
	}
	slices.SortFunc(list, func(a, b host) int { return a.addr.Compare(b.addr) })
	ids := index.number()
	b.out.Classes, b.members = index.classes, index.members(len(b.sets))
	b.out.Hosts = make([]Host, len(list))
	for i, h := range list {
		b.out.Hosts[i] = Host{h.addr, ids[h.class+1]}
	}
	for _, n := range nets {
		if n.parent >= 0 && nets[n.parent].class == n.class {
			continue
		}
		b.out.Networks = append(b.out.Networks, Network{n.prefix, ids[n.class+1]})
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
	sets   membership
	// parent is the index of the longest network around it, or -1.
	parent int
	class  int
}

// networks returns the distinct prefixes of all sets, sorted, each with the sets
// that hold its addresses outside longer prefixes.
func (b *builder) networks() []network {
	type event struct{ enter, leave membership }
	events := make(map[netip.Prefix]*event)
	at := func(p netip.Prefix) *event {
		if events[p] == nil {
			events[p] = &event{}
		}
		return events[p]
	}
	for i := range b.sets {
		for _, p := range b.sets[i].Prefixes {
			at(p).enter = append(at(p).enter, int32(i))
		}
		for _, p := range b.sets[i].Except {
			at(p).leave = append(at(p).leave, int32(i))
		}
	}
	out := make([]network, 0, len(events))
	for p := range events {
		out = append(out, network{prefix: p})
	}
	slices.SortFunc(out, func(a, b network) int { return ir.ComparePrefix(a.prefix, b.prefix) })
	for i := range out {
		n := &out[i]
		n.parent = enclosing(out, i)
		var outer membership
		if n.parent >= 0 {
			outer = out[n.parent].sets
		}
		e := events[n.prefix]
		n.sets = minus(union(outer, e.enter), e.leave)
	}
	return out
}

// enclosing finds the parent of network i: the one before it, or one that is
// around that.
func enclosing(nets []network, i int) int {
	p := i - 1
	for p >= 0 && !nets[p].prefix.Contains(nets[i].prefix.Addr()) {
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

func union(a, b membership) membership {
	if len(b) == 0 {
		return a
	}
	out := append(slices.Clone(a), b...)
	slices.Sort(out)
	return slices.Compact(out)
}

func minus(a, b membership) membership {
	if len(b) == 0 {
		return a
	}
	return slices.DeleteFunc(slices.Clone(a), func(x int32) bool { return slices.Contains(b, x) })
}

// classIndex numbers distinct memberships in the order in which they are found.
type classIndex struct {
	sets    []ir.AddressSet
	found   map[string]int
	list    []membership
	classes []Class
	// order is the class of out.Classes that each found one became.
	order []int
	key   []byte
}

func newClassIndex(sets []ir.AddressSet) *classIndex {
	return &classIndex{sets: sets, found: make(map[string]int)}
}

// find returns the number of a membership, -1 for that of no set.
func (x *classIndex) find(m membership) int {
	if len(m) == 0 {
		return -1
	}
	x.key = x.key[:0]
	for _, s := range m {
		x.key = append(x.key, byte(s), byte(s>>8), byte(s>>16), byte(s>>24))
	}
	if i, ok := x.found[string(x.key)]; ok {
		return i
	}
	x.found[string(x.key)] = len(x.list)
	x.list = append(x.list, m)
	return len(x.list) - 1
}

// number gives every class its ID and fills classes. The result holds the ID of
// number i at i+1, with 0 for -1.
func (x *classIndex) number() []uint32 {
	byContent := make([]int, len(x.list))
	for i := range byContent {
		byContent[i] = i
	}
	// Sets are sorted by ID, so comparing indexes compares IDs.
	slices.SortFunc(byContent, func(a, b int) int { return slices.Compare(x.list[a], x.list[b]) })
	ids, taken := make([]uint32, len(x.list)+1), make(map[uint32]bool, len(x.list))
	for _, i := range byContent {
		c := Class{}
		h := fnv.New32a()
		for _, s := range x.list[i] {
			c.Sets = append(c.Sets, x.sets[s].ID)
			h.Write([]byte(x.sets[s].ID))
			h.Write([]byte{0})
		}
		for c.ID = h.Sum32(); c.ID == 0 || taken[c.ID]; {
			c.ID++
		}
		taken[c.ID], ids[i+1] = true, c.ID
		x.classes = append(x.classes, c)
	}
	slices.SortFunc(x.classes, func(a, b Class) int { return cmp.Compare(a.ID, b.ID) })
	x.order = make([]int, len(x.list))
	for i := range x.list {
		x.order[i], _ = slices.BinarySearchFunc(x.classes, ids[i+1], func(c Class, id uint32) int { return cmp.Compare(c.ID, id) })
	}
	return ids
}

// members returns the classes of each set, sorted.
func (x *classIndex) members(sets int) [][]int {
	out := make([][]int, sets)
	for i, m := range x.list {
		for _, s := range m {
			out[s] = append(out[s], x.order[i])
		}
	}
	for _, classes := range out {
		slices.Sort(classes)
	}
	return out
}
