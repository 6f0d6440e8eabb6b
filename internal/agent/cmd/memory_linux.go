package cmd

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// memoryLimit is what the agent's memory is kept near while what is in use allows
// it. Bringing a large cluster in makes much garbage: 30,000 Services with 5
// endpoints each need 160 MB, and passed 500 without a limit.
const memoryLimit = 300 << 20

// settleMemory is how long after the first rules what they took is garbage.
const settleMemory = 2 * time.Second

// liveHeap is what was in use at the last collection.
const liveHeap = "/gc/heap/live:bytes"

// memory bounds the garbage that lies about. Who set GOGC or GOMEMLIMIT knows
// better.
type memory struct {
	off   bool
	limit int64
	// settled is when the first rules are no memory any more.
	settled time.Time
}

func limitMemory() *memory {
	m := &memory{off: os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "", limit: memoryLimit}
	if !m.off {
		debug.SetMemoryLimit(m.limit)
	}
	return m
}

// applied is called when rules are in. What the first took goes back to the
// system; a cluster that comes to need more gets it, so that the collector does
// not run all the time.
func (m *memory) applied(now time.Time) {
	if m.settled.IsZero() {
		m.settled = now.Add(settleMemory)
		time.AfterFunc(settleMemory, debug.FreeOSMemory)
		return
	}
	if m.off || now.Before(m.settled) {
		return
	}
	sample := []metrics.Sample{{Name: liveHeap}}
	metrics.Read(sample)
	if live := int64(sample[0].Value.Uint64()); live > m.limit/4*3 {
		m.limit = 2 * live
		debug.SetMemoryLimit(m.limit)
	}
}
