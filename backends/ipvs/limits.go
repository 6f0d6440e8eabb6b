package ipvs

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/xtpolicy"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/failsafe"
)

// mostGroupsOfService limits the marks of one Service; maxGroups limits all marks.
const mostGroupsOfService = 1024

// refused returns the Services that cannot be served without ignoring the node's own
// policies; then those for which no mark is left, those with the most marks first. A
// mark is needed if local pods get other endpoints than external clients.
func refused(p *ir.Program, policies *xtpolicy.Policies, opts backends.Options) []backends.Refused {
	out := refusedOwn(p, policies)
	p = backends.GiveUp(p, out)
	for _, f := range ir.Families() {
		out = append(out, refusedOf(f, p, opts)...)
	}
	return out
}

func refusedOf(family ir.Family, p *ir.Program, opts backends.Options) []backends.Refused {
	t := &table{family: family, program: p, opts: opts, pools: backends.Pools(p), nodePorts: nodePortAddresses(family, &p.Node)}
	groups, err := t.groups()
	if err != nil || len(groups) <= mostGroupsOfService {
		return nil // Emit reports the error
	}
	needs := make(map[failsafe.Object]int)
	for _, g := range groups {
		needs[failsafe.ServiceOf(g.service)]++
	}
	services := slices.SortedFunc(maps.Keys(needs), func(a, b failsafe.Object) int {
		return cmp.Or(cmp.Compare(needs[b], needs[a]), b.Compare(a))
	})
	var out []backends.Refused
	total := len(groups)
	for _, o := range services {
		n := needs[o]
		if n <= mostGroupsOfService && total <= maxGroups {
			break
		}
		total -= n
		out = append(out, backends.Refused{
			Object: o, Origin: ir.Origin{Kind: o.Kind, Namespace: o.Namespace, Name: o.Name},
			Why: fmt.Sprintf("%v: needs %d marks of %v for the route of local pods and the node; a Service has %d at most, and all together %d", o, n, family, mostGroupsOfService, maxGroups),
		})
	}
	return out
}
