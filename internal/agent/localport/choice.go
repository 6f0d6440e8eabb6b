package localport

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// choice selects endpoints. It is safe for concurrent use.
type choice struct {
	mu        sync.Mutex
	endpoints []netip.AddrPort
	affinity  time.Duration
	// last is the previously selected endpoint, and used the time of that selection; only
	// with affinity. All local clients share them, because they have the same address.
	last netip.AddrPort
	used time.Time
}

// set replaces the endpoints. A changed affinity forgets the last endpoint.
func (c *choice) set(endpoints []netip.AddrPort, affinity time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.endpoints = endpoints
	if c.affinity != affinity {
		c.affinity, c.last = affinity, netip.AddrPort{}
	}
}

// next selects an endpoint for a new connection; false means that there is none.
func (c *choice) next(now time.Time) (netip.AddrPort, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.endpoints) == 0 {
		return netip.AddrPort{}, false
	}
	to := c.last
	if c.affinity == 0 || now.Sub(c.used) > c.affinity || !slices.Contains(c.endpoints, to) {
		to = c.endpoints[rand.IntN(len(c.endpoints))]
	}
	if c.affinity > 0 {
		c.last, c.used = to, now
	}
	return to, true
}
