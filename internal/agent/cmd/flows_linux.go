package cmd

import (
	"net/netip"

	"github.com/planec/planec/internal/agent/conntrack"
	"github.com/planec/planec/ir"
)

// flows ends connections through connection tracking, and connected sockets.
type flows struct {
	keep, endDenied bool
	memory          conntrack.Memory
	// connections are told of every change; nil counts none.
	connections *connections
	// endSockets is [applier.Applier.EndSockets] of the agent's backend.
	endSockets func(stale func(service, endpoint netip.AddrPort) bool) (int, error)
	// forget is [applier.Guarded] of the agent's backend; nil without programs at interfaces.
	forget func(gone func(client, server netip.AddrPort, protocol uint8) bool) (int, error)
}

// End implements [agent.Flows]. It opens the table only if there is something to
// look for.
func (f *flows) End(before, after *ir.Program, denied bool) (n int, err error) {
	if f.connections != nil {
		f.connections.changed(before, after)
	}
	var stale conntrack.Filters
	if !f.keep {
		stale = f.memory.Stale(before, after)
		defer func() {
			if err == nil {
				f.memory.Ended(before, after)
			}
		}()
	}
	denied = denied && f.endDenied
	if stale.Empty() && !denied {
		return 0, nil
	}
	table, err := conntrack.Open()
	if err != nil {
		return 0, err
	}
	defer table.Close()
	n, err = table.Delete(stale)
	if err == nil && !stale.Empty() {
		var sockets int
		sockets, err = f.endSockets(stale.StaleSocket(ownAddresses(before, after)))
		n += sockets
	}
	if err != nil || !denied {
		return n, err
	}
	more, err := table.DeleteFunc(conntrack.Denied(after))
	if n += more; err != nil || f.forget == nil {
		return n, err
	}
	more, err = f.forget(conntrack.DeniedEnds(after))
	return n + more, err
}

// ownAddresses are those of the node before and after a change.
func ownAddresses(programs ...*ir.Program) (own []netip.Addr) {
	for _, p := range programs {
		if p != nil {
			own = append(own, p.Node.Addresses...)
		}
	}
	return own
}
