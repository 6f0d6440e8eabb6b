package compare

import (
	"fmt"

	"github.com/planec/planec/internal/diffreport"
)

// everywhere is everything that there is.
const everywhere = "everywhere (pods, nodes and outside)"

// describe names entities in as few words as are true. self is the other side of
// the sentence: a single pod is no part of everybody else.
func (c *comparison) describe(list, self []*entity) string {
	in := make(map[*entity]bool, len(list))
	for _, e := range list {
		in[e] = true
	}
	var single *entity
	if len(self) == 1 && self[0].count == 1 && !in[self[0]] {
		single = self[0]
	}
	byRole := make(map[role][]*entity)
	complete := map[role]bool{podRole: true, nodeRole: true, outsideRole: true}
	for _, e := range c.all {
		switch {
		case in[e]:
			byRole[e.role] = append(byRole[e.role], e)
		case e != single:
			complete[e.role] = false
		}
	}
	if complete[podRole] && complete[nodeRole] && complete[outsideRole] && len(byRole[podRole]) > 0 {
		return everywhere
	}
	var parts []string
	switch {
	case len(byRole[podRole]) == 0:
	case complete[podRole] && len(byRole[podRole]) > 1:
		parts = append(parts, "every pod")
	default:
		parts = append(parts, c.describePods(byRole[podRole], in, single)...)
	}
	parts = append(parts, describeNodes(byRole[nodeRole], complete[nodeRole])...)
	return join(append(parts, describeOutside(byRole[outsideRole], complete[outsideRole])...), "and")
}

// describePods names namespaces that are complete, and workloads.
func (c *comparison) describePods(list []*entity, in map[*entity]bool, single *entity) []string {
	const most = 4
	var parts []string
	for i := 0; i < len(list); {
		j := i
		for j < len(list) && list[j].namespace == list[i].namespace {
			j++
		}
		if whole, workloads := c.namespace(list[i].namespace, in, single); whole && workloads > 1 {
			parts = append(parts, "every pod in "+list[i].namespace)
		} else {
			parts = append(parts, c.describeWorkloads(list[i:j], in)...)
		}
		i = j
	}
	if more := len(parts) - most; more > 1 {
		parts = append(parts[:most:most], fmt.Sprintf("%d more workloads", more))
	}
	return parts
}

// namespace reports whether all pods of a namespace are among those, and how many
// workloads it has.
func (c *comparison) namespace(name string, in map[*entity]bool, single *entity) (whole bool, workloads int) {
	whole = true
	last := ""
	for _, e := range c.all {
		if e.role != podRole || e.namespace != name || e == single {
			continue
		}
		whole = whole && in[e]
		if e.name != last {
			last = e.name
			workloads++
		}
	}
	return whole, workloads
}

// describeWorkloads names workloads, and says so where not all of one's pods are
// meant.
func (c *comparison) describeWorkloads(list []*entity, in map[*entity]bool) []string {
	var parts []string
	for i := 0; i < len(list); {
		j, some := i, 0
		for j < len(list) && list[j].name == list[i].name {
			some += list[j].count
			j++
		}
		total := 0
		for _, e := range c.all {
			if e.role == podRole && e.namespace == list[i].namespace && e.name == list[i].name {
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

func describeNodes(list []*entity, complete bool) []string {
	switch {
	case len(list) == 0:
		return nil
	case complete:
		return []string{"other nodes"}
	}
	n := 0
	for _, e := range list {
		n += e.count
	}
	if n == 1 {
		return []string{"node " + list[0].name}
	}
	return []string{diffreport.Several(n, "node")}
}

func describeOutside(list []*entity, complete bool) []string {
	const most = 3
	if len(list) > 0 && complete {
		return []string{"outside the cluster"}
	}
	var parts []string
	for i, e := range list {
		switch {
		case e.name == "":
			parts = append(parts, "the rest of the world")
		case i >= most:
			return append(parts, diffreport.Several(len(list)-most, "more network"))
		default:
			parts = append(parts, e.name)
		}
	}
	return parts
}
