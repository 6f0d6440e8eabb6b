package compare

import (
	"fmt"
	"slices"

	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/internal/review/diffreport"
	"github.com/planec/planec/ir"
)

// everywhere stands for all entities.
const everywhere = "everywhere (pods, nodes and outside)"

// describe names entities in as few words as are true. self is the other side of
// the sentence: "all others" does not include a single pod itself.
func (c *comparison) describe(list, self []*entity) string {
	x := c.count(list, self)
	if x.whole[podRole] && x.whole[nodeRole] && x.whole[outsideRole] && len(x.byRole[podRole]) > 0 {
		return everywhere
	}
	parts := x.describePods()
	parts = append(parts, x.describeNodes(x.byRole[nodeRole])...)
	return clusterwide.Join(append(parts, describeOutside(x.byRole[outsideRole], x.whole[outsideRole], restsOf(x.all))...), "and")
}

// census counts the entities of a sentence among all entities.
type census struct {
	*comparison
	in map[*entity]bool
	// single is the other side of the sentence if that is one pod of the input; itself
	// reports that the list contains it too, because it may have replicas.
	single *entity
	itself bool
	byRole map[role][]*entity
	// whole holds the roles of which the list has all entities.
	whole map[role]bool
	kinds []kindCount
}

// count determines how much of each kind a list contains.
func (c *comparison) count(list, self []*entity) *census {
	x := &census{comparison: c, in: make(map[*entity]bool, len(list)), byRole: make(map[role][]*entity)}
	for _, e := range list {
		x.in[e] = true
	}
	if only := onlyGiven(self); only != nil && only.count == 1 {
		x.single, x.itself = only, x.in[only]
		delete(x.in, only)
	}
	x.whole = map[role]bool{podRole: true, nodeRole: true, outsideRole: true}
	for _, e := range c.all {
		switch {
		case e.stand != nil:
		case x.in[e]:
			x.byRole[e.role] = append(x.byRole[e.role], e)
		case e != x.single:
			x.whole[e.role] = false
		}
	}
	x.countKinds(list)
	for i := range x.kinds {
		k := &x.kinds[i]
		if !k.whole() && k.stand.only == nil {
			x.whole[podRole] = false
		}
		if k.some() {
			x.byRole[podRole] = append(x.byRole[podRole], k.entities[0])
		}
	}
	return x
}

// describePods names complete namespaces, workloads, and pods outside of the
// input.
func (x *census) describePods() []string {
	const most = 4
	list := x.byRole[podRole]
	if x.whole[podRole] && len(list) > 1 {
		return []string{"every pod"}
	}
	if text := x.everyNamespace(); text != "" {
		return []string{text}
	}
	what, parts := "workloads", []string(nil)
	for _, name := range x.namespacesOf(list) {
		given, workloads := x.given(name)
		switch whole := x.wholeNamespace(name); {
		case whole && len(given) > 0 && (workloads > 1 || x.hasKinds(name)):
			parts = append(parts, "every pod in "+name)
		default:
			parts = append(parts, x.describeWorkloads(given)...)
			more := x.describeKinds(name)
			if parts = append(parts, more...); len(more) > 0 {
				what = "kinds of pods"
			}
		}
	}
	if more := x.elsewhere(); len(more) > 0 {
		what, parts = "kinds of pods", append(parts, more...)
	}
	if more := len(parts) - most; more > 1 {
		parts = append(parts[:most:most], fmt.Sprintf("%d more %s", more, what))
	}
	if len(parts) == 0 && x.itself {
		parts = append(parts, "other pods like "+x.single.label())
	}
	return parts
}

// given returns the input's pods of a namespace in the list, and the number of its
// workloads.
func (x *census) given(name string) (list []*entity, workloads int) {
	last := ""
	for _, e := range x.all {
		if !e.given() || e.namespace != name || e == x.single {
			continue
		}
		if x.in[e] {
			list = append(list, e)
		}
		if e.name != last {
			last = e.name
			workloads++
		}
	}
	return list, workloads
}

// wholeNamespace reports whether the list has all pods of a namespace, also those
// outside of the input.
func (x *census) wholeNamespace(name string) bool {
	for _, e := range x.all {
		if e.given() && e.namespace == name && e != x.single && !x.in[e] {
			return false
		}
	}
	for i := range x.kinds {
		if k := &x.kinds[i]; k.stand.namespace == name && !k.whole() {
			return false
		}
	}
	return true
}

// describeWorkloads names workloads, and says so if only some pods of a workload
// are meant.
func (c *comparison) describeWorkloads(list []*entity) []string {
	var parts []string
	for i := 0; i < len(list); {
		j, some := i, 0
		for j < len(list) && list[j].name == list[i].name {
			some += list[j].count
			j++
		}
		total := 0
		for _, e := range c.all {
			if e.given() && e.namespace == list[i].namespace && e.name == list[i].name {
				total += e.count
			}
		}
		name := list[i].label()
		if some < total {
			name = fmt.Sprintf("%d of %d pods of %s", some, total, name)
		}
		parts = append(parts, name)
		i = j
	}
	return parts
}

func (x *census) describeNodes(list []*entity) []string {
	switch {
	case len(list) == 0:
		return nil
	case x.whole[nodeRole]:
		return []string{"other nodes"}
	}
	n, name := 0, ""
	var parts []string
	for _, e := range list {
		if e.node == nil {
			n, name = n+e.count, e.name
		}
	}
	switch {
	case n == 1:
		parts = append(parts, "node "+name)
	case n > 1:
		parts = append(parts, diffreport.Several(n, "node"))
	}
	return append(parts, x.otherNodes(list)...)
}

// otherNodes names nodes outside of the input by as few labels as possible.
func (x *census) otherNodes(list []*entity) []string {
	var parts []string
	told := make(map[*entity]bool)
	for _, e := range list { // nodes with few labels come first
		if e.node == nil || told[e] {
			continue
		}
		whole := true
		for _, o := range x.all {
			whole = whole && (o.node == nil || !contains(o.node.pod, e.node.pod) || x.in[o])
		}
		for _, o := range list {
			told[o] = told[o] || o.node != nil && whole && contains(o.node.pod, e.node.pod)
		}
		parts = append(parts, e.node.nodeText())
	}
	return parts
}

// nodeText names nodes by labels.
func (c *combination) nodeText() string {
	if len(c.pod) == 0 {
		return "any other node"
	}
	return "nodes" + (&standIn{combination: *c}).labelWords(false, c.pod) + " that the input lacks"
}

// theRest stands for outside addresses that no policy names.
const theRest = "the rest of the world"

// describeOutside names networks. Addresses that no policy names are one rest, unless the
// list lacks the rest of another family.
func describeOutside(list []*entity, complete bool, rests int) []string {
	const most = 3
	if len(list) > 0 && complete {
		return []string{"outside the cluster"}
	}
	wholeRest := restsOf(list) == rests
	var parts []string
	for i, e := range list {
		switch {
		case e.name == "" && wholeRest && slices.Contains(parts, theRest):
		case e.name == "" && wholeRest:
			parts = append(parts, theRest)
		case e.name == "" && ir.FamilyOf(e.network.Addr()) == ir.IPv6:
			parts = append(parts, theRest+" over IPv6")
		case e.name == "":
			parts = append(parts, theRest+" over IPv4")
		case i >= most:
			return append(parts, diffreport.Several(len(list)-most, "more network"))
		default:
			parts = append(parts, e.name)
		}
	}
	return parts
}

// restsOf counts the rests: at most one of each family.
func restsOf(list []*entity) (n int) {
	for _, e := range list {
		if e.role == outsideRole && e.name == "" {
			n++
		}
	}
	return n
}
