package compare

import (
	"fmt"
	"slices"

	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/ir"
)

// Exposure is what the policies of one direction of a workload admit beyond pods of the
// input that they name.
type Exposure struct {
	Namespace, Name string // the workload
	Pods            int    // how many of its pods
	Direction       ir.Direction
	To              Exposed
	// Peers describes them: "pods with app=x of monitoring (the input has none)".
	Peers string
	Ports clusterwide.Ports // what is admitted
}

// Exposed is to whom a direction is open.
type Exposed uint8

// The kinds of peers, in the order in which they are listed.
const (
	WholeCluster Exposed = iota + 1 // every pod that there could be
	Lacking                         // pods that the input lacks
	OutsideWorld                    // networks
)

// Exposures returns the exposures of all workloads whose direction policies limit, sorted
// by workload, and sentences about what was not examined. Pods that the input lacks are
// the stand-ins of a comparison, so the compiler judges them.
func Exposures(s *State) (list []Exposure, bounds []string) {
	sets, u := make(clusterwide.Interned), fullUniverse(s, s)
	x := newSide(s, u, sets)
	c := &comparison{before: x, after: x, changes: changes{}, universe: u, sets: sets}
	c.boths, c.symbols, c.answered = make(map[[2]*clusterwide.Ports]*clusterwide.Ports), make(map[setOf]*clusterwide.Ports), make(map[answer][]*delta)
	c.all, _, _ = podEntities(matchPods(x.pods, x.pods), x, x)
	c.all = append(c.all, standInEntities(u, x, x)...)
	c.all = append(c.all, outsideEntities(x, x, u)...)
	c.indexKinds()
	c.classify()
	for _, e := range c.all {
		if !e.given() {
			continue
		}
		for _, d := range []ir.Direction{ir.Ingress, ir.Egress} {
			if x.limits(&e.after, d) {
				list = append(list, c.exposures(e, d)...)
			}
		}
	}
	return list, u.bounds
}

// exposures returns those of one direction of a workload.
func (c *comparison) exposures(e *entity, d ir.Direction) []Exposure {
	one := func(to Exposed, peers string, ports clusterwide.Ports) Exposure {
		return Exposure{Namespace: e.namespace, Name: e.name, Pods: e.count, Direction: d, To: to, Peers: peers, Ports: ports}
	}
	var out []Exposure
	whole := clusterwide.EveryPort()
	for _, class := range c.classes {
		if class[0].role == podRole {
			whole = whole.Intersect(c.admits(e, class, d))
		}
	}
	if !whole.Empty() {
		out = append(out, one(WholeCluster, "every pod", whole))
	}
	out = append(out, c.byPorts(func(class []*entity) clusterwide.Ports { return c.admits(e, class, d).Minus(whole) }, func(x *entity) bool {
		return x.stand != nil && !c.known(x.stand) && !c.told(e, x, d)
	}, func(list []*entity, ports clusterwide.Ports) Exposure {
		return one(Lacking, c.describe(list, nil), ports)
	})...)
	return append(out, c.byPorts(func(class []*entity) clusterwide.Ports { return c.admits(e, class, d) }, func(x *entity) bool {
		return x.role == outsideRole
	}, func(list []*entity, ports clusterwide.Ports) Exposure {
		return one(OutsideWorld, c.describe(list, nil), ports)
	})...)
}

// known reports whether a pod of the input has the labels of a kind.
func (c *comparison) known(k *standIn) bool {
	return slices.ContainsFunc(c.all, func(e *entity) bool { return e.given() && c.speaks(e, k) })
}

// told reports whether kinds with fewer labels already tell what is admitted for a
// stand-in: kinds of the input, or others that are named themselves.
func (c *comparison) told(e, x *entity, d ir.Direction) bool {
	rest := c.admits(e, []*entity{x}, d)
	for i := range c.kindsOfPods {
		k := &c.kindsOfPods[i]
		if k.stand != x.stand && k.stand.labels() > 0 && x.stand.has(k.stand) {
			rest = rest.Minus(c.admits(e, k.entities[:1], d))
		}
	}
	return rest.Empty()
}

// admits returns what the policies of one direction admit from or to a class.
func (c *comparison) admits(e *entity, class []*entity, d ir.Direction) clusterwide.Ports {
	from, to := &class[0].after, &e.after
	if d == ir.Egress {
		from, to = to, from
	}
	src, dst, ok := common(from, to)
	if !ok {
		return clusterwide.Ports{}
	}
	if d == ir.Ingress {
		return *c.after.Allowed(d, dst, src)
	}
	return *c.symbolic(c.after.Allowed(d, src, dst), variantOf(class))
}

// byPorts groups the wanted entities with a non-empty set of ports.
func (c *comparison) byPorts(ports func([]*entity) clusterwide.Ports, want func(*entity) bool, make func([]*entity, clusterwide.Ports) Exposure) []Exposure {
	type group struct {
		ports clusterwide.Ports
		list  []*entity
	}
	var groups []*group
	for _, class := range c.classes {
		list := slices.DeleteFunc(slices.Clone(class), func(e *entity) bool { return !want(e) })
		if len(list) == 0 {
			continue
		}
		set := ports(class)
		if set.Empty() {
			continue
		}
		at := slices.IndexFunc(groups, func(g *group) bool { return fmt.Sprint(g.ports) == fmt.Sprint(set) })
		if at < 0 {
			at = len(groups)
			groups = append(groups, &group{ports: set})
		}
		groups[at].list = append(groups[at].list, list...)
	}
	var out []Exposure
	for _, g := range groups {
		out = append(out, make(g.list, g.ports))
	}
	return out
}
