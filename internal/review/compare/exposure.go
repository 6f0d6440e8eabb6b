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
	OutsideWorld                    // networks, which package connectivity adds
)

// Exposures returns the exposures of all workloads whose direction policies limit, sorted
// by workload, and sentences about what was not examined. Pods that the input lacks are
// the stand-ins of a comparison, so the compiler judges them.
func Exposures(s *State) (list []Exposure, bounds []string) {
	sets, u := make(clusterwide.Interned), fullUniverse(s, s)
	x := newSide(s, u, sets)
	c := &comparison{before: x, after: x, changes: changes{}, universe: u, sets: sets}
	c.boths, c.symbols, c.answered = make(clusterwide.Shared), make(map[setOf]*clusterwide.Ports), make(map[answer][]*delta)
	c.all, _, _ = podEntities(matchPods(x.pods, x.pods), x, x)
	c.all = append(c.all, standInEntities(u, x, x)...)
	c.indexKinds()
	c.classify()
	o := &openness{comparison: c, lacking: make([][]*entity, len(c.classes)), answers: make(map[string][]Exposure)}
	o.sort()
	for _, e := range c.all {
		if !e.given() {
			continue
		}
		for _, d := range []ir.Direction{ir.Ingress, ir.Egress} {
			if x.limits(&e.after, d) {
				list = append(list, o.exposures(e, d)...)
			}
		}
	}
	return list, u.bounds
}

// openness finds exposures: once for all workloads that policies do not tell apart.
type openness struct {
	*comparison
	// lacking are the entities of each class that are pods that the input lacks.
	lacking [][]*entity
	answers map[string][]Exposure
}

// sort finds the lacking entities of all classes.
func (o *openness) sort() {
	known := make([]bool, len(o.kindsOfPods))
	for i := range o.kindsOfPods {
		known[i] = o.known(o.kindsOfPods[i].stand)
	}
	for i, class := range o.classes {
		for _, e := range class {
			if e.stand != nil && !known[e.kind] {
				o.lacking[i] = append(o.lacking[i], e)
			}
		}
	}
}

// exposures returns those of one direction of a workload.
func (o *openness) exposures(e *entity, d ir.Direction) []Exposure {
	key := fmt.Sprint(d, e.class)
	list, known := o.answers[key]
	if !known {
		list = o.find(e, d)
		o.answers[key] = list
	}
	out := slices.Clone(list)
	for i := range out {
		out[i].Namespace, out[i].Name, out[i].Pods = e.namespace, e.name, e.count
	}
	return out
}

func (o *openness) find(e *entity, d ir.Direction) []Exposure {
	var out []Exposure
	whole := clusterwide.EveryPort()
	for _, class := range o.classes {
		if class[0].role == podRole && !whole.Empty() {
			whole = whole.Intersect(o.admits(e, class, d))
		}
	}
	if !whole.Empty() {
		out = append(out, Exposure{Direction: d, To: WholeCluster, Peers: "every pod", Ports: whole})
	}
	for _, g := range o.byPorts(e, d, whole) {
		list := slices.DeleteFunc(g.list, func(x *entity) bool { return o.told(e, x, d) })
		if len(list) > 0 {
			out = append(out, Exposure{Direction: d, To: Lacking, Peers: o.describe(list, nil), Ports: g.ports})
		}
	}
	return out
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

// portGroup is entities that are admitted on the same ports.
type portGroup struct {
	ports clusterwide.Ports
	list  []*entity
}

// byPorts groups lacking entities by what is admitted from or to them, but for some ports.
func (o *openness) byPorts(e *entity, d ir.Direction, but clusterwide.Ports) []*portGroup {
	var groups []*portGroup
	index := make(map[string]*portGroup)
	for i, class := range o.classes {
		if len(o.lacking[i]) == 0 {
			continue
		}
		set := o.admits(e, class, d).Minus(but)
		if set.Empty() {
			continue
		}
		key := fmt.Sprint(set.Spans, set.Other, set.Apart, set.Named)
		g := index[key]
		if g == nil {
			g = &portGroup{ports: set}
			index[key] = g
			groups = append(groups, g)
		}
		g.list = append(g.list, o.lacking[i]...)
	}
	return groups
}
