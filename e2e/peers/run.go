package peers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/testing/clustergen"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// Options of a run.
type Options struct {
	Sizes []int // numbers of Services
	// Only are parts of engines' names ("kube-proxy", "nftables", "policies"); none is all.
	Only []string
	// Limit is the time for one cell.
	Limit time.Duration
	// Connects is how many there are for a cell.
	Connects int
	// Repeat is how many nodes an engine is measured on at a size, of which the medians
	// count, unless they take too long.
	Repeat   int
	Progress io.Writer
}

// wants reports whether a run has an engine, or the policies.
func (o *Options) wants(name string) bool {
	return len(o.Only) == 0 || slices.ContainsFunc(o.Only, func(part string) bool { return strings.Contains(name, part) })
}

// cell is where a value belongs.
type cell struct {
	figure string
	engine Engine
	size   int
}

// Results are the values of a run.
type Results struct {
	options Options
	engines []Engine
	cells   map[cell]Value
	// all are the numbers that a cell is the median of.
	all    map[cell][]float64
	policy map[cell]Value
	// without says what this kernel cannot measure.
	without string
}

// The figures that are no samples of CPU time. Peaks have the name of the sample too.
const (
	peakOf = "peak of "
	p50    = "connect p50"
	p99    = "connect p99"
	round  = "round trip"
)

// Run measures everything. It has the requirements of [testkit.Require].
func Run(t testing.TB, o Options) *Results {
	t.Helper()
	testkit.Require(t, "nft", "ipset", "iptables-legacy-restore", "ip6tables-legacy-restore")
	r := &Results{options: o, cells: make(map[cell]Value), all: make(map[cell][]float64), policy: make(map[cell]Value)}
	for _, e := range Engines() {
		if why := cannot(e); why != "" {
			r.without = why
		} else if o.wants(e.String()) {
			r.engines = append(r.engines, e)
		}
	}
	for _, size := range o.Sizes {
		set := clustergen.Objects(clustergen.Size{Services: size, Endpoints: endpoints})
		for _, e := range r.engines {
			r.repeat(t, e, size, &set)
		}
	}
	if o.wants("policies") {
		r.policies(t)
	}
	return r
}

func (r *Results) say(format string, args ...any) {
	fmt.Fprintf(r.options.Progress, time.Now().Format("15:04:05 ")+format+"\n", args...)
}

// cannot is why this kernel cannot measure an engine, or "".
func cannot(e Engine) string {
	if e.Mode != "ipvs" {
		return ""
	}
	if _, err := netlink.GenlFamilyGet("IPVS"); err != nil {
		return "IPVS: the kernel has none."
	}
	return ""
}

// enough is how long an engine at a size is measured again.
const enough = 15 * time.Second

// repeat measures an engine at a size so often as the options say, or until it took long
// enough, or something is missing.
func (r *Results) repeat(t testing.TB, e Engine, size int, set *objects.Set) {
	t.Helper()
	start := time.Now()
	for n := 0; n == 0 || n < r.options.Repeat && time.Since(start) < enough; n++ {
		r.engine(t, e, size, set)
		if len(r.all[cell{Restart, e, size}]) <= n {
			return
		}
	}
}

// put adds a number to a cell.
func (r *Results) put(c cell, number float64) {
	r.all[c] = append(r.all[c], number)
	sorted := slices.Sorted(slices.Values(r.all[c]))
	r.cells[c] = Value{Number: sorted[len(sorted)/2]}
}

// engine measures an engine at a size, on a new node.
func (r *Results) engine(t testing.TB, e Engine, size int, set *objects.Set) {
	t.Helper()
	all := []string{First, Slice, Nothing, Event, Restart, p50, p99, peakOf + First, peakOf + Event, peakOf + Restart}
	// The rig of an engine goes before the next is measured.
	subtest(t, fmt.Sprintf("%v %d", e, size), func(t testing.TB) {
		n := newNode(t, e)
		j := n.job
		j.Services = size
		if !r.process(t, n, j, First, Slice, Nothing, Event) {
			r.missing(e, size, "not without the first apply", all...)
			return
		}
		l, err := n.latency(r.options.Connects, randomService(set))
		if err != nil {
			t.Errorf("%v: %v", e, err)
			r.missing(e, size, "failed", p50, p99)
		} else {
			r.put(cell{p50, e, size}, l.p50)
			r.put(cell{p99, e, size}, l.p99)
			r.say("%v, %d Services: connect %.1f (%.1f) µs", e, size, l.p50, l.p99)
		}
		if err := r.serves(t.Context(), n, set); err != nil {
			t.Error(err)
		}
		if err := n.rig.FlushConntrack(); err != nil {
			t.Error(err)
		}
		j.Restart = true
		r.process(t, n, j, Restart)
	})
}

// subtest runs f as a test of its own, whose cleanups are done when it returns.
func subtest(t testing.TB, name string, f func(testing.TB)) {
	t.Helper()
	if t, ok := t.(*testing.T); ok {
		t.Run(name, func(t *testing.T) { f(t) })
		return
	}
	f(t)
}

// missing gives the cells that have no value a reason.
func (r *Results) missing(e Engine, size int, why string, figures ...string) {
	for _, f := range figures {
		if _, have := r.cells[cell{f, e, size}]; !have {
			r.cells[cell{f, e, size}] = Value{Reason: why}
		}
	}
}

// process does a job and reports whether the first of its figures is there.
func (r *Results) process(t testing.TB, n *node, j Job, figures ...string) bool {
	t.Helper()
	count, err := n.run(j, r.options.Limit, func(s Sample) {
		r.put(cell{s.Figure, n.engine, j.Services}, s.CPU)
		r.put(cell{peakOf + s.Figure, n.engine, j.Services}, s.Peak)
		r.say("%v, %d Services: %s %s CPU s, %d times, peak %.0f MB", n.engine, j.Services, s.Figure, digits(s.CPU), s.Times, s.Peak)
	})
	switch {
	case errors.Is(err, errLate):
		// It is the next after those that are there; what would follow was not tried.
		late := figures[min(count, len(figures)-1)]
		r.missing(n.engine, j.Services, fmt.Sprintf("> %g s", r.options.Limit.Seconds()), late)
		r.missing(n.engine, j.Services, "not tried", figures...)
	case err != nil:
		t.Error(err)
		r.missing(n.engine, j.Services, "failed", figures...)
	}
	for _, f := range figures {
		r.missing(n.engine, j.Services, r.cells[cell{f, n.engine, j.Services}].Reason, peakOf+f)
	}
	return count > 0
}

// serves wants the changed endpoint to be served: what was measured had its effect.
func (r *Results) serves(ctx context.Context, n *node, set *objects.Set) error {
	f := testkit.Flow{
		From: eval.FromPod, Src: podAddress, Protocol: ir.TCP, Port: servicePort,
		Dst: netip.MustParseAddr(set.Services[changedIndex(set)].Object.Spec.ClusterIP),
	}
	seen, err := n.rig.Spread(ctx, f, 200)
	if err != nil {
		return fmt.Errorf("%v, the changed Service: %w", n.engine, err)
	}
	want := netip.AddrPortFrom(netip.MustParseAddr(lastAddress), endpointPort)
	if seen[want] == 0 || len(seen) != endpoints {
		return fmt.Errorf("%v, the changed Service: want %v among %d endpoints, got %v", n.engine, want, endpoints, seen)
	}
	return nil
}
