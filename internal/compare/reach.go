package compare

import (
	"fmt"

	"github.com/planec/planec/internal/diffreport"
	"github.com/planec/planec/ir"
)

// comparison is of two states.
type comparison struct {
	before, after *side
	changes       changes
	// all are the entities of both states; classes groups those that the
	// policies of neither state tell apart. gone and fresh are workloads of one.
	all         []*entity
	classes     [][]*entity
	gone, fresh []*entity
	dns         map[*entity]bool
}

func newComparison(before, after *State, ch changes) *comparison {
	sets := make(interned)
	c := &comparison{before: newSide(before, sets), after: newSide(after, sets), changes: ch}
	c.all, c.gone, c.fresh = podEntities(matchPods(c.before.pods, c.after.pods), c.before, c.after)
	c.all = append(append(c.all, nodeEntities(c.before, c.after)...), outsideEntities(c.before, c.after)...)
	c.classify()
	c.findDNS()
	return c
}

// reach returns what policies open and close, and the workloads that came and
// went.
func (c *comparison) reach() []diffreport.Finding {
	out := c.fold(c.paths())
	out = append(out, c.workloads(c.gone, false)...)
	return append(out, c.workloads(c.fresh, true)...)
}

func hasPolicies(s *State) bool {
	o := s.Objects
	return len(o.NetworkPolicies)+len(o.ClusterNetworkPolicies)+len(o.AdminNetworkPolicies)+len(o.BaselineAdminNetworkPolicies) > 0
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
}

// path is what became of the packets from one class to another.
type path struct {
	from, to []*entity
	opened   bool
	// direction is whose policies made the difference, the destination's where
	// both did.
	direction ir.Direction
	// ports are those of the difference; was and is those that got through and
	// get through.
	ports, was, is portSet
	reasons        []diffreport.Reason
}

// paths compares every class with every other one; one of the two is pods.
func (c *comparison) paths() []path {
	var out []path
	for _, from := range c.classes {
		for _, to := range c.classes {
			s, d := from[0], to[0]
			if s.role != podRole && d.role != podRole {
				continue
			}
			if s == d && len(from) == 1 && s.count == 1 {
				continue // a pod's packets to itself do not leave it
			}
			out = c.compare(from, to, out)
		}
	}
	return out
}

// answers are what the two directions let through in one state.
func (x *side) answers(from, to *ends) (egress, ingress *portSet) {
	src, dst, ok := common(from, to)
	if !ok {
		return x.nothing, x.nothing
	}
	return x.allowed(ir.Egress, src, dst), x.allowed(ir.Ingress, dst, src)
}

func (c *comparison) compare(from, to []*entity, out []path) []path {
	s, d := from[0], to[0]
	oldEgress, oldIngress := c.before.answers(&s.before, &d.before)
	newEgress, newIngress := c.after.answers(&s.after, &d.after)
	if oldEgress == newEgress && oldIngress == newIngress {
		return out
	}
	was, is := oldEgress.intersect(*oldIngress), newEgress.intersect(*newIngress)
	add := func(opened bool, direction ir.Direction, ports portSet) {
		if ports.empty() {
			return
		}
		out = append(out, path{
			from: from, to: to, opened: opened, direction: direction, ports: ports, was: was, is: is,
			reasons: c.why(opened, direction, s, d, ports),
		})
	}
	opened, closed := is.minus(was), was.minus(is)
	add(true, ir.Ingress, opened.minus(*oldIngress))
	add(true, ir.Egress, opened.intersect(*oldIngress))
	add(false, ir.Ingress, closed.minus(*newIngress))
	add(false, ir.Egress, closed.intersect(*newIngress))
	return out
}
