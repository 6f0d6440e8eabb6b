package loop

import (
	"cmp"
	"maps"
	"slices"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/failsafe"
)

// tally maintains counts and lists of the whole program from its changes.
type tally struct {
	checks map[checkKey]ir.HealthCheck
	scope  ir.NodePortScope
	// internal and external count the frontends of each Service that drop because
	// there is no local endpoint.
	internal, external map[objects.Name]int
	// services counts the frontends of each Service, and policies the policies that
	// concern a pod of the node.
	services map[objects.Name]int
	policies int
	// loopback has the ports to serve on loopback addresses.
	loopback loopback
}

type checkKey struct {
	family ir.Family
	port   uint16
}

// whole counts a whole program.
func (t *tally) whole(p *ir.Program) {
	*t = tally{
		checks: make(map[checkKey]ir.HealthCheck, len(p.HealthChecks)), scope: p.Node.NodePorts,
		internal: make(map[objects.Name]int), external: make(map[objects.Name]int), services: make(map[objects.Name]int),
		policies: policies(p), loopback: newLoopback(t.loopback.families),
	}
	t.add(p, 1)
}

// change counts the difference of two fragments, and reports whether health checks
// differ.
func (t *tally) change(d *compiler.Delta) bool {
	differs := !slices.Equal(d.Before.HealthChecks, d.After.HealthChecks)
	t.add(d.Before, -1)
	t.add(d.After, 1)
	if d.Policy {
		t.policies = policies(d.After)
	}
	return differs
}

// policies counts the policies of a program.
func policies(p *ir.Program) int { return len(failsafe.Of(&ir.Program{Policy: p.Policy})) }

func (t *tally) add(p *ir.Program, n int) {
	for _, h := range p.HealthChecks {
		if k := (checkKey{h.Family, h.Port}); n > 0 {
			t.checks[k] = h
		} else {
			delete(t.checks, k)
		}
	}
	t.loopback.add(p, n)
	empty := make(map[string]bool, len(p.Pools))
	for i := range p.Pools {
		empty[p.Pools[i].ID] = len(p.Pools[i].Endpoints) == 0
	}
	drops := func(r ir.Route) bool { return r.OnEmpty == ir.Drop && (r.Pool == "" || empty[r.Pool]) }
	for i := range p.Frontends {
		f := &p.Frontends[i]
		count(t.services, objects.Name{Namespace: f.Service.Namespace, Name: f.Service.Name}, n)
		o := f.Origin.Get()
		at := objects.Name{Namespace: o.Namespace, Name: o.Name}
		switch {
		case f.Kind == ir.ClusterIP && drops(f.Internal):
			count(t.internal, at, n)
		case f.Kind != ir.ClusterIP && drops(f.External):
			count(t.external, at, n)
		}
	}
}

func count(in map[objects.Name]int, at objects.Name, n int) {
	if in[at] += n; in[at] == 0 {
		delete(in, at)
	}
}

// list returns the health checks, sorted.
func (t *tally) list() []ir.HealthCheck {
	return slices.SortedFunc(maps.Values(t.checks), func(a, b ir.HealthCheck) int {
		return cmp.Or(cmp.Compare(a.Port, b.Port), cmp.Compare(a.Family, b.Family))
	})
}
