package ir

import (
	"net/netip"
	"slices"
)

// Pool is the set of endpoints of a route, each chosen in proportion to its
// weight. Frontends with the same endpoints share a pool. A pool may be empty;
// then the route's OnEmpty applies.
type Pool struct {
	// ID is "namespace/name/port/protocol/family/scope", where scope is
	// "cluster" or "local". It is unique in a program.
	ID        string       `json:"id"`
	Endpoints []Endpoint   `json:"endpoints,omitempty"` // sorted by address, each address and port once
	Origin    SharedOrigin `json:"origin"`              // the Service of the endpoints' slices
}

// has reports whether an endpoint of a sorted pool, which may be nil, has the
// address.
func (p *Pool) has(a netip.AddrPort) bool {
	if p == nil {
		return false
	}
	_, found := slices.BinarySearchFunc(p.Endpoints, a, func(e Endpoint, a netip.AddrPort) int { return e.Address.Compare(a) })
	return found
}
