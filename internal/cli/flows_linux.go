package cli

import (
	"fmt"

	"github.com/planec/planec/internal/agent/conntrack"
	"github.com/planec/planec/ir"
)

// endFlows deletes the connection tracking entries of endpoints that are
// gone and, on request, of flows that policies deny now. A program is only
// known for manifests.
func (t *target) endFlows(s *Streams, p *ir.Program) error {
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
		stale, err = table.Delete(conntrack.Stale(nil, p))
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
