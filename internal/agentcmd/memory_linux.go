package agentcmd

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
)

// memoryLimit is what the agent's memory is kept near while what is in use allows
// it. Bringing a large cluster in makes much garbage: 30,000 Services with 5
// endpoints each need 160 MB, and passed 500 without a limit.
const memoryLimit = 300 << 20

// liveHeap is what was in use at the last collection.
const liveHeap = "/gc/heap/live:bytes"

// memory bounds the garbage that lies about. Who set GOGC or GOMEMLIMIT knows
// better.
type memory struct{ off, settled bool }

func limitMemory() *memory {
	m := &memory{off: os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != ""}
	if !m.off {
		debug.SetMemoryLimit(memoryLimit)
	}
	return m
}

// whole is called when the kernel was compared as a whole: nothing takes more
// memory. A cluster that needs more gets it, so that the collector does not run
// all the time; after the first comparison what it took goes back to the system.
func (m *memory) whole() {
	if !m.settled {
		m.settled = true
		go debug.FreeOSMemory()
	}
	if m.off {
		return
	}
	sample := []metrics.Sample{{Name: liveHeap}}
	metrics.Read(sample)
	if sample[0].Value.Kind() == metrics.KindUint64 {
		debug.SetMemoryLimit(max(memoryLimit, 2*int64(sample[0].Value.Uint64())))
	}
}
