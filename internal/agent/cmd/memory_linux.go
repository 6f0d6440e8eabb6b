package cmd

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// memoryLimit is the soft limit of the agent's memory as long as the live heap
// allows it. Reading a large cluster makes much garbage: 30,000 Services with 5
// endpoints each need 160 MB, and took more than 500 MB without a limit.
const memoryLimit = 300 << 20

// settleMemory is the time after the first rules until their memory is released.
const settleMemory = 2 * time.Second

// liveHeap is the size of the live heap at the last collection.
const liveHeap = "/gc/heap/live:bytes"

// memory limits garbage. It does nothing if GOGC or GOMEMLIMIT is set.
type memory struct {
	off   bool
	limit int64
	// settled is the time from which on the memory of the first rules is released.
	settled time.Time
}

func limitMemory() *memory {
	m := &memory{off: os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "", limit: memoryLimit}
	if !m.off {
		debug.SetMemoryLimit(m.limit)
	}
	return m
}

// applied is called when rules are in the kernel. It returns the memory of the
// first rules to the system. Later it raises the limit if the cluster needs more,
// so that the collector does not run all the time.
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
