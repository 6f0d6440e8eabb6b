package compare

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/internal/review/diffreport"
	"github.com/planec/planec/ir"
)

// comparison compares two states.
type comparison struct {
	before, after *side
	changes       changes
	universe      *universe
	// all are the entities of both states; classes groups the entities that the
	// policies of neither state distinguish. gone and fresh are workloads of one state.
	all         []*entity
	kindsOfPods []kindOfPods
	classes     [][]*entity
	// touched marks the classes whose policies differ, or that became or stopped
	// being peers of policies. At least one end of a changed path is touched.
	touched     []bool
	gone, fresh []*entity
	// sets deduplicates port sets; boths caches the ports that two sets share, and
	// symbols the sets with names of ports.
	sets    clusterwide.Interned
	boths   clusterwide.Shared
	symbols map[setOf]*clusterwide.Ports
	// answered caches the differences of answers.
	answered map[answer][]*delta
	dns      map[*entity]bool
}

func newComparison(before, after *State, ch changes) *comparison {
	sets, u := make(clusterwide.Interned), newUniverse(before, after, ch)
	c := &comparison{before: newSide(before, u, sets), after: newSide(after, u, sets), changes: ch, universe: u, sets: sets}
	c.boths, c.symbols = make(clusterwide.Shared), make(map[setOf]*clusterwide.Ports)
	c.answered = make(map[answer][]*delta)
	c.all, c.gone, c.fresh = podEntities(matchPods(c.before.pods, c.after.pods), c.before, c.after)
	c.all = append(c.all, standInEntities(u, c.before, c.after)...)
	c.all = append(append(c.all, nodeEntities(c.before, c.after)...), standInNodes(u, c.before, c.after)...)
	c.all = append(c.all, outsideEntities(c.before, c.after, u)...)
	c.indexKinds()
	c.classify()
	c.findDNS()
	return c
}

// reach returns the paths that policies open and close, and the workloads
// that came and went.
func (c *comparison) reach() []diffreport.Finding {
	out := c.fold(c.paths())
	out = append(out, c.workloads(c.gone, false)...)
	return append(out, c.workloads(c.fresh, true)...)
}

func hasPolicies(s *State) bool {
	o := s.Objects
	return len(o.NetworkPolicies)+len(o.ClusterNetworkPolicies)+len(o.AdminNetworkPolicies)+len(o.BaselineAdminNetworkPolicies)+
		len(o.CalicoNetworkPolicies)+len(o.CalicoGlobalNetworkPolicies)+len(o.CiliumNetworkPolicies)+len(o.CiliumClusterwideNetworkPolicies) > 0
}

func (c *comparison) classify() {
	index := make(map[string]int)
	for _, e := range c.all {
		key := fmt.Sprint(e.role, e.class)
		at, known := index[key]
		if !known {
			at = len(c.classes)
			index[key] = at
			c.classes = append(c.classes, nil)
		}
		c.classes[at] = append(c.classes[at], e)
	}
	c.touched = make([]bool, len(c.classes))
	was, is := members(c.before, c.after)
	for i, class := range c.classes {
		c.touched[i] = slices.ContainsFunc(class, func(e *entity) bool { return c.touches(e, was, is) })
	}
}

// touches reports whether the policies of an entity differ, or the policies' peers
// to which it belongs.
func (c *comparison) touches(e *entity, was, is map[netip.Addr][]int32) bool {
	if e.before.Primary != e.after.Primary || len(e.before.Addresses) != len(e.after.Addresses) {
		return true
	}
	for f, a := range e.before.Addresses {
		b := e.after.Addresses[f]
		if a != b || c.before.rulesOf(a) != c.after.rulesOf(b) || !slices.Equal(was[a], is[b]) {
			return true
		}
	}
	return false
}

// path is the change for packets from one class to another.
type path struct {
	from, to []*entity
	*delta
	reasons []diffreport.Reason
}

// delta is one difference between the packets that a pair of classes
// exchanged before and after. Pairs with equal policies share it.
type delta struct {
	opened bool
	// direction is the direction whose policies made the difference, that of the
	// destination if both did.
	direction ir.Direction
	// raw are the ports by number; ports are the same, with the names that
	// stand-ins give them.
	raw, ports clusterwide.Ports
	// was and is are the packets that got through before and now.
	was, is *clusterwide.Ports
}

// answer is what both directions admit, before and after.
type answer struct {
	oldEgress, oldIngress, newEgress, newIngress *clusterwide.Ports
	variant                                      *portVariant
}

// differences returns the deltas of one answer.
func (c *comparison) differences(a answer) []*delta {
	if known, have := c.answered[a]; have {
		return known
	}
	was, is := c.both(a.oldEgress, a.oldIngress), c.both(a.newEgress, a.newIngress)
	var out []*delta
	add := func(opened bool, direction ir.Direction, ports clusterwide.Ports) {
		if ports.Empty() {
			return
		}
		out = append(out, &delta{
			opened: opened, direction: direction, raw: ports, ports: a.variant.symbolic(ports, c.universe.names.names),
			was: c.symbolic(was, a.variant), is: c.symbolic(is, a.variant),
		})
	}
	opened, closed := is.Minus(*was), was.Minus(*is)
	add(true, ir.Ingress, opened.Minus(*a.oldIngress))
	add(true, ir.Egress, opened.Intersect(*a.oldIngress))
	add(false, ir.Ingress, closed.Minus(*a.newIngress))
	add(false, ir.Egress, closed.Intersect(*a.newIngress))
	c.answered[a] = out
	return out
}

// paths compares all pairs of classes of which one consists of pods.
func (c *comparison) paths() []path {
	var out []path
	for i, from := range c.classes {
		for j, to := range c.classes {
			s, d := from[0], to[0]
			if s.role != podRole && d.role != podRole || !c.touched[i] && !c.touched[j] {
				continue
			}
			if s == d && len(from) == 1 && s.count == 1 {
				continue // packets of a pod to itself do not leave it
			}
			out = c.compare(from, to, out)
		}
	}
	return out
}

// answers returns what the two directions admit in one state.
func (x *side) answers(from, to *clusterwide.Ends) (egress, ingress *clusterwide.Ports) {
	src, dst, ok := common(from, to)
	if !ok {
		return x.Nothing, x.Nothing
	}
	return x.Allowed(ir.Egress, src, dst), x.Allowed(ir.Ingress, dst, src)
}

// ofOneState reports whether the entity represents pods of a namespace that comes or
// goes with the change. Its own policies then change nothing for an existing pod.
func (e *entity) ofOneState() bool { return e.stand != nil && e.stand.only != nil }

// variantOf returns the port variant of a class, or nil if the class has pods of
// the input, whose ports are numbers.
func variantOf(class []*entity) *portVariant {
	if slices.ContainsFunc(class, (*entity).given) {
		return nil
	}
	return class[0].variant
}

// both returns the packets that two directions both admit.
func (c *comparison) both(egress, ingress *clusterwide.Ports) *clusterwide.Ports {
	return c.boths.Of(c.sets, c.before.Everything, egress, ingress)
}

// symbolic translates a class's port set with the names of a variant.
func (c *comparison) symbolic(s *clusterwide.Ports, v *portVariant) *clusterwide.Ports {
	if v == nil || len(v.special) == 0 {
		return s
	}
	key := setOf{s, v}
	out := c.symbols[key]
	if out == nil {
		x := v.symbolic(*s, c.universe.names.names)
		out = &x
		c.symbols[key] = out
	}
	return out
}

// setOf is a port set together with a port variant.
type setOf struct {
	set     *clusterwide.Ports
	variant *portVariant
}

func (c *comparison) compare(from, to []*entity, out []path) []path {
	s, d := from[0], to[0]
	oldEgress, oldIngress := c.before.answers(&s.before, &d.before)
	newEgress, newIngress := c.after.answers(&s.after, &d.after)
	if s.ofOneState() {
		oldEgress, newEgress = c.before.Everything, c.after.Everything
	}
	if d.ofOneState() {
		oldIngress, newIngress = c.before.Everything, c.after.Everything
	}
	if oldEgress == newEgress && oldIngress == newIngress {
		return out
	}
	for _, x := range c.differences(answer{oldEgress, oldIngress, newEgress, newIngress, variantOf(to)}) {
		out = append(out, path{from: from, to: to, delta: x, reasons: c.why(x.opened, x.direction, s, d, x.raw)})
	}
	return out
}
