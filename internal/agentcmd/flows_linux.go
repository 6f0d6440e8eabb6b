package agentcmd

import (
	"github.com/planec/planec/internal/conntrack"
	"github.com/planec/planec/ir"
)

// flows ends connections through connection tracking.
type flows struct{ keep, endDenied bool }

// End implements [agent.Flows]. The table is opened only when there is something
// to look for.
func (f *flows) End(before, after *ir.Program, denied bool) (int, error) {
	var stale []conntrack.Filter
	if !f.keep {
		stale = conntrack.Stale(before, after)
	}
	denied = denied && f.endDenied
	if len(stale) == 0 && !denied {
		return 0, nil
	}
	table, err := conntrack.Open()
	if err != nil {
		return 0, err
	}
	defer table.Close()
	n, err := table.Delete(stale)
	if err != nil || !denied {
		return n, err
	}
	more, err := table.DeleteFunc(conntrack.Denied(after))
	return n + more, err
}
