package loop

import (
	"time"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/ir"
)

// Flows ends connections that a change made stale; see internal/agent/conntrack.
type Flows interface {
	// End removes stale flows and returns their number. before and after are two
	// programs, or the fragments that differ; if before is nil, all flows are
	// checked. denied is whether to end flows that policies deny after the change.
	End(before, after *ir.Program, denied bool) (int, error)
}

// follow runs after the kernel has new rules: it ends stale connections and
// updates health checks and counts. whole is whether the last delta is incomplete.
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

// endFlows ends stale connections; without a before, it checks all connections. If
// it fails, the next change checks all connections.
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
