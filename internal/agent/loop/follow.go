package loop

import (
	"time"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/ir"
)

// Flows ends connections that a change leaves behind; see internal/agent/conntrack.
type Flows interface {
	// End removes stale flows. Before and after are two programs, or the
	// fragments that differ; without a before all flows are looked at. Denied is
	// whether what policies deny after the change is ended too.
	End(before, after *ir.Program, denied bool) (int, error)
}

// follow does what comes after the kernel has new rules: old connections, health
// checks, counts. Whole is whether the last delta does not say what changed.
func (a *Agent) follow(whole bool) {
	d := a.session.Delta()
	whole = whole || d.Whole || d.Before == nil || a.allFlows
	if !whole && d.Empty() {
		return
	}
	checks := true
	if whole {
		p := a.session.Program()
		d = compiler.Delta{After: p, Policy: true}
		a.tally.whole(p)
	} else {
		checks = a.tally.change(&d)
	}
	if checks {
		a.Observer.Checks(a.tally.list(), a.tally.scope)
	}
	if a.tally.loopback.changed {
		a.Observer.LoopbackPorts(a.tally.loopback.list())
	}
	a.Observer.Serves(len(a.tally.services), a.tally.policies)
	a.Observer.NoLocal(len(a.tally.internal), len(a.tally.external))
	a.endFlows(&d)
}

// endFlows ends connections that should not go on: without a before, of all that there
// are. What fails is done with the next change, for all.
func (a *Agent) endFlows(d *compiler.Delta) {
	start := time.Now()
	n, err := a.Flows.End(d.Before, d.After, d.Policy)
	if a.allFlows = err != nil; err != nil {
		a.Log.Warn("ending connections to endpoints that are gone: with the next change again", "error", err)
		return
	}
	if n > 0 {
		a.Log.Info("ended connections to endpoints that are gone", "connections", n)
	}
	a.Observer.FlowsEnded(n, time.Since(start))
}
