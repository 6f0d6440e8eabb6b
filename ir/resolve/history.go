//go:build !js

package resolve

import (
	"slices"
	"strings"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/identity"
)

// Bounds for what a history keeps and does. Beyond them a policy is resolved as a whole, which
// shares what the sets of classes have in common.
const (
	// maxListed bounds the address sets of all classes together, and of those that addresses
	// move between in one step.
	maxListed = 1 << 18
	// maxMoves bounds the addresses that come into a set or leave one.
	maxMoves = 2048
	// maxNumbers bounds the numbers of sets that are no more, as a multiple of the others.
	maxNumbers = 4
)

// history is what the tables of the next policy can be made of. A class is a set of address
// sets, and a table's row for it depends on these and on the rules of the table alone. So a
// table whose rules stay needs rows for new classes only, and nearly always a class from which
// the new one came has the same row.
type history struct {
	of   ir.Policy
	out  *Policy
	hash identity.Hash
	// numbers are the numbers of address sets, ids their IDs by number. A number stays
	// that of an ID.
	numbers map[string]int32
	ids     []string
	// classes are those of out, by ID.
	classes map[uint32]*known
	// nets are the networks of out, with their parents.
	nets []network
	// rows finds a row of out by its content.
	rows map[string]int
}

// known is a class of the policy.
type known struct {
	// sets are numbers, in the order of their IDs.
	sets []int32
	// uses counts the hosts and the networks that have the class.
	uses int
}

// newHistory returns the history of a resolved policy, or nil if too much would have to be
// kept, or if two classes or rows have one hash: their names depend on each other then.
func newHistory(of *ir.Policy, out *Policy, hash identity.Hash) *history {
	h := &history{of: *of, out: out, hash: hash, numbers: make(map[string]int32)}
	if !h.keepClasses() || !h.keepRows(out) {
		return nil
	}
	h.keepPlaces()
	return h
}

// keepPlaces keeps the networks, and counts where the classes are.
func (h *history) keepPlaces() {
	h.nets = make([]network, 0, len(h.out.Networks))
	for _, n := range h.out.Networks {
		h.use(n.Class, 1)
		h.nets = append(h.nets, network{prefix: n.Prefix, parent: enclosing(h.nets, n.Prefix)})
	}
	for _, host := range h.out.Hosts {
		h.use(host.Class, 1)
	}
}

// keepClasses lists the sets of each class.
func (h *history) keepClasses() bool {
	h.classes = make(map[uint32]*known, len(h.out.Classes))
	total := 0
	for i := range h.out.Classes {
		c, k := &h.out.Classes[i], &known{}
		for id := range c.Sets() {
			k.sets = append(k.sets, h.number(id))
			if total++; total > maxListed {
				return false
			}
		}
		if h.hashOf(k.sets) != c.ID {
			return false
		}
		h.classes[c.ID] = k
	}
	return true
}

// keepRows indexes the rows by their content.
func (h *history) keepRows(p *Policy) bool {
	h.rows = make(map[string]int, len(p.Rows))
	for i := range p.Rows {
		row, alone := &p.Rows[i], identity.Names{Hash: h.hash}
		content := string(row.appendContent(nil, p.Rows))
		if rowName(row, content, &alone) != row.ID {
			return false
		}
		h.rows[content] = i
	}
	return true
}

func (h *history) number(id string) int32 {
	n, known := h.numbers[id]
	if !known {
		n = int32(len(h.ids))
		h.numbers[id], h.ids = n, append(h.ids, id)
	}
	return n
}

// hashOf is what [namer.hash] makes of a class.
func (h *history) hashOf(sets []int32) uint32 {
	sum := uint32(fnvOffset)
	for _, n := range sets {
		for _, b := range []byte(h.ids[n]) {
			sum = (sum ^ uint32(b)) * fnvPrime
		}
		sum *= fnvPrime
	}
	return sum
}

// use counts a user of a class more, or less.
func (h *history) use(class uint32, n int) {
	if class != 0 {
		h.classes[class].uses += n
	}
}

// class returns the ID of the class with some sets, which are in the order of their IDs; ok is
// false if another class has its hash.
func (h *history) class(sets []int32) (id uint32, ok bool) {
	if len(sets) == 0 {
		return 0, true
	}
	id = h.hashOf(sets)
	if have := h.classes[id]; have != nil {
		return id, slices.Equal(have.sets, sets)
	}
	h.classes[id] = &known{sets: sets}
	return id, id != 0
}

// sorted puts the numbers of sets into the order of their IDs.
func (h *history) sorted(sets []int32) []int32 {
	slices.SortFunc(sets, func(a, b int32) int { return strings.Compare(h.ids[a], h.ids[b]) })
	return sets
}
