package cmd

import (
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/ir"
)

// connections counts those of the Service ports that the kernel serves, for metrics.
type connections struct {
	counting applier.Counting
	log      *slog.Logger

	// Scrapes read what the agent changes.
	mu    sync.Mutex
	ports map[ir.ServicePort]int // with the number of frontends
	told  bool
}

// changed follows a change of the program; without a before it is the whole.
func (c *connections) changed(before, after *ir.Program) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if before == nil {
		c.ports = make(map[ir.ServicePort]int)
	} else {
		for i := range before.Frontends {
			s := before.Frontends[i].Service
			if c.ports[s]--; c.ports[s] <= 0 {
				delete(c.ports, s)
			}
		}
	}
	if after == nil {
		return
	}
	for i := range after.Frontends {
		c.ports[after.Frontends[i].Service]++
	}
}

// begin has connections counted from now on.
func (c *connections) begin() {
	if err := c.counting.Count(true); err != nil {
		c.log.Warn("connections are not counted", "error", err)
	}
}

// read returns what was counted. An error is told once: scrapes come every few seconds.
func (c *connections) read() map[ir.ServicePort]applier.Connections {
	c.mu.Lock()
	defer c.mu.Unlock()
	counts, err := c.counting.Connections(slices.Collect(maps.Keys(c.ports)))
	if err != nil && !c.told {
		c.log.Warn("reading the counts of connections", "error", err)
	}
	c.told = err != nil
	return counts
}
