package e2e_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/planec/planec/e2e/internal/agent"
	"github.com/planec/planec/e2e/internal/process"
	"github.com/planec/planec/e2e/internal/traffic"
	"github.com/planec/planec/internal/testing/clustergen"
)

var (
	soak     = flag.Duration("soak", 0, "how long TestSoak changes and breaks things; 0 skips it")
	soakSeed = flag.Uint64("soak-seed", 1, "seed of the random changes and faults of TestSoak")
)

// What may be more at the end of a soak than at its beginning, in the same state
// of the cluster: garbage that the collector has not given back, connections that
// are being made. A leak of one object a change is far more.
const (
	allowedHeap       = 16 << 20
	allowedResident   = 96 << 20
	allowedGoroutines = 12
	allowedFiles      = 6
)

// TestSoak makes random changes and faults while connections are made to a
// Service that does not change. It goes through everything once, puts all as it
// was and takes stock; then it goes on for the rest of the time, puts all as it
// was again, and wants no more memory, goroutines or descriptors in use, and
// exactly the same in the kernel.
func TestSoak(t *testing.T) {
	if *soak <= 0 {
		t.Skip("make soak-agent runs it")
	}
	s := newStand(t, tools...)
	first := s.serve(t, "first", "10.96.255.10")
	set := clustergen.Objects(clustergen.Size{Services: 2000, Endpoints: benchEndpoints})
	must(t, s.Populate(t.Context(), set))
	a := agent.New(t, s.node, s.agentOptions(t, "nftables", "--policies", "--profiling", "--verify-every=30s"))
	start(t, a)
	c := &churn{stand: s, t: t, agent: a, rng: rand.New(rand.NewPCG(*soakSeed, 1)), counts: make(map[string]int)}
	c.load = traffic.Start(t, s.rig, fromAll(first)...)

	warmUp := min(*soak/5, 3*time.Minute)
	c.run(time.Now().Add(warmUp), true)
	before := c.stock("after the warm-up")
	c.run(time.Now().Add(*soak-warmUp), false)
	after := c.stock("at the end")
	t.Logf("%v: %v", *soak, c)
	for _, st := range []stock{before, after} {
		t.Log(st)
	}
	after.compare(t, before)
	perfect(t, c.load)
	s.same(t, a)
}

// stock is what the agent and its rules take.
type stock struct {
	when       string
	heap       float64 // bytes of objects after a collection
	goroutines float64
	process.Usage
	kernel string // every rule, set and element
}

// String is a line of the table that a soak prints.
func (s stock) String() string {
	count := func(word string) int { return strings.Count(s.kernel, word) }
	return fmt.Sprintf("%-18s heap %.1f MB, RSS %.1f MB (peak %.1f), %v goroutines, %d descriptors, %d threads, CPU %v; kernel: %d chains, %d sets and maps, %d lines, %d bytes",
		s.when, s.heap/1e6, float64(s.RSS)/1e6, float64(s.Peak)/1e6, s.goroutines, s.Descriptors, s.Threads, s.CPU,
		count("\n\tchain "), count("\n\tset ")+count("\n\tmap "), count("\n"), len(s.kernel))
}

// compare wants nothing to have grown since.
func (s stock) compare(t *testing.T, before stock) {
	t.Helper()
	for _, c := range []struct {
		what            string
		before, now, up float64
	}{
		{"heap", before.heap, s.heap, allowedHeap},
		{"RSS", float64(before.RSS), float64(s.RSS), allowedResident},
		{"goroutines", before.goroutines, s.goroutines, allowedGoroutines},
		{"descriptors", float64(before.Descriptors), float64(s.Descriptors), allowedFiles},
	} {
		if c.now > c.before+c.up {
			t.Errorf("%s: %.0f, and %.0f before: a leak", c.what, c.now, c.before)
		}
	}
	if s.kernel != before.kernel {
		t.Errorf("the kernel has other rules for the same objects: %s", differ(before.kernel, s.kernel))
	}
}

// differ names the first line that is not the same.
func differ(a, b string) string {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(as), len(bs)) {
		if as[i] != bs[i] {
			return fmt.Sprintf("line %d: %.300q, before %.300q", i+1, bs[i], as[i])
		}
	}
	return fmt.Sprintf("%d lines, before %d", len(bs), len(as))
}
