package cli

import (
	"fmt"

	"github.com/planec/planec/internal/agent/conntrack"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/ir"
)

// endStale ends the flows to endpoints that are gone, and closes connected sockets of them.
func endStale(a *applier.Applier, backend string, table *conntrack.Table, p *ir.Program) (int, error) {
	filters := conntrack.Stale(nil, p)
	n, err := table.Delete(filters)
	if err != nil {
		return n, err
	}
	sockets, err := a.EndSockets(backend, filters.StaleSocket(p.Node.Addresses))
	return n + sockets, err
}

// endFlows deletes the connection tracking entries of endpoints that are
// gone and, on request, of flows that policies deny now. A program is only
// known for manifests.
func (t *target) endFlows(s *Streams, a *applier.Applier, backend string, p *ir.Program) error {
	if p == nil || t.keepFlows && !t.endDenied {
		return nil
	}
	table, err := conntrack.Open()
	if err != nil {
		return systemError(fmt.Errorf("ending old flows: %w", err))
	}
	defer table.Close()
	stale, denied := 0, 0
	if !t.keepFlows {
		stale, err = endStale(a, backend, table, p)
	}
	if err == nil && t.endDenied {
		denied, err = table.DeleteFunc(conntrack.Denied(p))
	}
	if err != nil {
		return systemError(fmt.Errorf("ending old flows: %w", err))
	}
	if stale+denied > 0 {
		fmt.Fprintf(s.Err, "ended %s to endpoints that are gone, %d that policies deny\n", count(stale, "flow"), denied)
	}
	return nil
}
