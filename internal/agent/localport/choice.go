package localport

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// choice chooses endpoints. It is safe for concurrent use.
type choice struct {
	mu        sync.Mutex
	endpoints []netip.AddrPort
	affinity  time.Duration
	// last is the endpoint that was given last, and used when that was; with affinity
	// only. All local clients have one address, so they share it.
	last netip.AddrPort
	used time.Time
}

// set replaces the endpoints. Another affinity begins anew.
func (c *choice) set(endpoints []netip.AddrPort, affinity time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.endpoints = endpoints
	if c.affinity != affinity {
		c.affinity, c.last = affinity, netip.AddrPort{}
	}
}

// next chooses for a new connection; false is that there is no endpoint.
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
