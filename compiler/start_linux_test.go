package compiler_test

import (
	"math/rand/v2"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/testing/clustergen"
)

// BenchmarkStart is what a start of the agent compiles: all objects, and the first program.
// Commands read the objects in an order, and the agent has them in none. kept-B/op is what the
// state keeps in memory beside the objects, cpu-ms/op the time of all threads.
func BenchmarkStart(b *testing.B) {
	set := clustergen.Objects(clustergen.Size{Services: 30000, Endpoints: 5})
	b.Run("ordered", func(b *testing.B) { benchStart(b, &set) })
	random := rand.New(rand.NewPCG(1, 2))
	random.Shuffle(len(set.Services), func(i, j int) { set.Services[i], set.Services[j] = set.Services[j], set.Services[i] })
	random.Shuffle(len(set.EndpointSlices), func(i, j int) {
		set.EndpointSlices[i], set.EndpointSlices[j] = set.EndpointSlices[j], set.EndpointSlices[i]
	})
	b.Run("shuffled", func(b *testing.B) { benchStart(b, &set) })
}

func benchStart(b *testing.B, set *objects.Set) {
	node := set.Nodes[0].Object.Name
	b.ReportAllocs()
	before := heap()
	start, n := cpu(b), 0
	for b.Loop() {
		compiler.NewIncremental(set, node, objects.Config{}).Program()
		n++
	}
	b.ReportMetric(float64((cpu(b)-start).Microseconds())/1000/float64(n), "cpu-ms/op")
	x := compiler.NewIncremental(set, node, objects.Config{})
	x.Program()
	b.ReportMetric(float64(heap()-before), "kept-B/op")
	runtime.KeepAlive(x)
	runtime.KeepAlive(set)
}

// heap is how many bytes are in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// cpu is what this process used, user and system.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
