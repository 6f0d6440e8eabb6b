package conntrack

import (
	"net/netip"

	"github.com/planec/planec/ir"
)

// Memory remembers the endpoints of frontends whose flows were handled. If an
// apply failed or flows could not be ended, the next full check uses it to find
// flows to frontends that were removed in the meantime. The zero value is empty.
type Memory struct {
	endpoints map[ir.Match][]netip.AddrPort
	scope     ir.NodePortScope
}

// Stale is like [Stale], and uses the memory if before is nil.
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

// Ended records that the stale flows of a change were ended.
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
