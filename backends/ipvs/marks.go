package ipvs

import (
	"cmp"
	"hash/fnv"
	"slices"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/identity"
)

// Marks that select virtual services have 14 bits; the highest is always set. They
// avoid the bits of Kubernetes (0x4000 and 0x8000) and Calico (0xffff0000), and
// they are not small numbers, which administrators use for their own routing
// rules.
const (
	markBits  = 14
	maxGroups = 1 << (markBits - 1)
)

// group is a set of frontends that share a marked virtual service: all addresses
// of one Service port with the same internal route.
type group struct {
	service ir.ServicePort
	pool    string
	// affinity selects the scheduler; masquerade is part of the mark.
	affinity   bool
	masquerade ir.MasqueradeRule
}

func groupOf(f *ir.Frontend) group {
	return group{service: f.Service, pool: f.Internal.Pool, affinity: f.Affinity > 0, masquerade: f.Internal.Masquerade}
}

func compareGroup(a, b group) int {
	return cmp.Or(
		cmp.Compare(a.service.Namespace, b.service.Namespace),
		cmp.Compare(a.service.Name, b.service.Name),
		cmp.Compare(a.service.Port, b.service.Port),
		cmp.Compare(a.service.Protocol, b.service.Protocol),
		cmp.Compare(a.pool, b.pool),
		cmp.Compare(a.masquerade, b.masquerade),
		cmp.Compare(btoi(a.affinity), btoi(b.affinity)),
	)
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// needsMark reports whether internal sources need another virtual service than the
// ordinary one, which has the external route's endpoints. Packets that are
// dropped, or rejected for all clients, never reach IPVS.
func needsMark(f *ir.Frontend, r routes) bool {
	if len(r.external.Endpoints) == 0 {
		return false
	}
	if len(r.internal.Endpoints) == 0 {
		// A virtual service without endpoints answers "port unreachable"
		// (ip_vs_leave). This is the only way to reject packets that the node
		// itself sends before IPVS handles them.
		return f.Internal.OnEmpty == ir.Reject
	}
	return !sameEndpoints(r.internal, r.external)
}

func sameEndpoints(a, b *ir.Pool) bool {
	return a == b || slices.EqualFunc(a.Endpoints, b.Endpoints, func(x, y ir.Endpoint) bool {
		return x.Address == y.Address && x.Weight == y.Weight
	})
}

// marks maps the groups of a family to their marks.
type marks map[group]uint32

// assignMarks derives a mark from the identity of every group that needs one. In
// case of a collision, the later group in order takes the next free mark, so that
// a new Service changes few other marks.
func (t *table) assignMarks() (marks, error) {
	groups, err := t.groups()
	if err != nil {
		return nil, err
	}
	out := make(marks, len(groups))
	var numbers identity.Numbers
	for _, g := range groups[:min(len(groups), maxGroups)] {
		id := numbers.Free(hashGroup(g)%maxGroups, 0, maxGroups-1)
		out[g] = spread(1<<(markBits-1)|id, t.opts.MasqueradeBit)
	}
	return out, nil
}

// groups returns the groups that need a mark, in order.
func (t *table) groups() ([]group, error) {
	var groups []group
	seen := make(map[group]bool)
	for i := range t.program.Frontends {
		f := &t.program.Frontends[i]
		if f.Match.Family != t.family || (f.Kind == ir.NodePort && len(t.nodePorts) == 0) {
			continue
		}
		r, err := t.routesOf(f)
		if err != nil {
			return nil, err
		}
		if g := groupOf(f); needsMark(f, r) && !seen[g] {
			seen[g] = true
			groups = append(groups, g)
		}
	}
	slices.SortFunc(groups, compareGroup)
	return groups, nil
}

// spread shifts the bits at and above the masquerade bit by one, so that a mark
// never contains that bit.
func spread(id uint32, bit int) uint32 {
	low := uint32(1)<<bit - 1
	return id&low | id&^low<<1
}

// MarkBits returns the bits of the packet mark, beside the masquerade bit, that rules use to
// choose a virtual service.
func MarkBits(masqueradeBit int) uint32 { return spread(1<<markBits-1, masqueradeBit) }

// markMasks returns a mask of all bits that marks use, and the bit that every mark has.
func (t *table) markMasks() (all, always uint32) {
	return spread(1<<markBits-1, t.opts.MasqueradeBit), spread(1<<(markBits-1), t.opts.MasqueradeBit)
}

func hashGroup(g group) uint32 {
	h := fnv.New32a()
	for _, part := range []string{g.service.String(), g.pool, g.masquerade.String()} {
		_, _ = h.Write([]byte(part))
		_, _ = h.Write([]byte{0})
	}
	return h.Sum32()
}
