package conntrack

import (
	"net/netip"

	"github.com/planec/planec/ir"
)

// Memory is what a process that follows changes knows of flows that it has ended
// already: where a change failed, or its flows could not be ended, the next look at
// all of them finds those of frontends that went meanwhile too. The zero value
// knows nothing.
type Memory struct {
	endpoints map[ir.Match][]netip.AddrPort
	scope     ir.NodePortScope
}

// Stale is [Stale] with what is remembered, for a before that is not known.
func (m *Memory) Stale(before, after *ir.Program) Filters {
	out := Stale(before, after)
	if before != nil || after == nil {
		return out
	}
	now := newView(after)
	old := view{scope: m.scope}
	var gone []Filter
	for match, had := range m.endpoints {
		if now.byMatch[match] == nil && len(had) > 0 {
			gone = append(gone, old.filter(match, nil, had))
		}
	}
	out.Frontends = append(out.Frontends, gone...)
	return out
}

// Ended notes that the flows of a change were ended.
func (m *Memory) Ended(before, after *ir.Program) {
	if before == nil || m.endpoints == nil {
		m.endpoints = make(map[ir.Match][]netip.AddrPort)
	}
	for _, f := range newView(before).frontends {
		delete(m.endpoints, f.Match)
	}
	now := newView(after)
	m.scope = now.scope
	for _, f := range now.frontends {
		m.endpoints[f.Match] = now.endpoints(f)
	}
}
