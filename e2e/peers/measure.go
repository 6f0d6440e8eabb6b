package peers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/testing/clustergen"
	"golang.org/x/sys/unix"
)

// endpoints is how many each Service has.
const endpoints = 5

// side is what is measured: it works in the process' network namespace.
type side interface {
	// start brings the objects to the kernel.
	start(set *objects.Set) error
	// slice brings one changed EndpointSlice to the kernel.
	slice(changed *discoveryv1.EndpointSlice) error
	// nothing is the work when nothing changed; the slice is as it was.
	nothing(same *discoveryv1.EndpointSlice) error
	// event hears of a slice that is as it was.
	event(same *discoveryv1.EndpointSlice) error
}

func (j Job) side() (side, error) {
	if j.Engine.Project == Planec {
		return newPlanec(j)
	}
	return newKubeProxy(j.Engine.Mode)
}

// work writes the samples of one process.
type work struct {
	side side
	out  *json.Encoder
}

func (j Job) do(out *json.Encoder) error {
	set := j.objects()
	s, err := j.side()
	if err != nil {
		return err
	}
	w := &work{side: s, out: out}
	// Generating the objects is no part of the peak.
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		return err
	}
	if err := out.Encode(Sample{Figure: ready}); err != nil {
		return err
	}
	figure := First
	if j.Restart {
		figure = Restart
	}
	if err := w.measure(figure, once, func(int) error { return s.start(&set) }); err != nil {
		return err
	}
	if j.Restart || j.Policies > 0 {
		return nil
	}
	return w.changes(changedSlice(&set))
}

// objects are the job's. Those of a restart have the slice as the process before left it.
func (j Job) objects() objects.Set {
	if j.Policies > 0 {
		return policySet(j.Policies)
	}
	set := clustergen.Objects(clustergen.Size{Services: j.Services, Endpoints: endpoints})
	if j.Restart {
		at := changedIndex(&set)
		set.EndpointSlices[at].Object = with(set.EndpointSlices[at].Object, lastAddress)
	}
	return set
}

func changedIndex(set *objects.Set) int { return len(set.EndpointSlices) / 2 }

func changedSlice(set *objects.Set) *discoveryv1.EndpointSlice {
	return set.EndpointSlices[changedIndex(set)].Object
}

// The addresses that the third endpoint of the changed slice has in turn.
const (
	firstAddress = "10.127.0.1"
	lastAddress  = "10.127.0.2"
)

func with(s *discoveryv1.EndpointSlice, address string) *discoveryv1.EndpointSlice {
	out := *s
	out.Endpoints = slices.Clone(s.Endpoints)
	out.Endpoints[2].Addresses = []string{address}
	return &out
}

// changes measures what comes after the first apply. The first of each kind is not
// counted: it may tidy up what was before.
func (w *work) changes(s *discoveryv1.EndpointSlice) error {
	turn := []*discoveryv1.EndpointSlice{with(s, firstAddress), with(s, lastAddress)}
	if err := w.side.slice(turn[1]); err != nil {
		return err
	}
	if err := w.measure(Slice, often, func(n int) error { return w.side.slice(turn[n%2]) }); err != nil {
		return err
	}
	last := turn[1]
	if err := w.side.slice(last); err != nil {
		return err
	}
	for _, m := range []struct {
		figure string
		do     func(*discoveryv1.EndpointSlice) error
	}{{Nothing, w.side.nothing}, {Event, w.side.event}} {
		if err := m.do(last); err != nil {
			return err
		}
		if err := w.measure(m.figure, often, func(int) error { return m.do(last) }); err != nil {
			return err
		}
	}
	return nil
}

// How often something is measured: until it was done so often, or took so long.
const (
	once     = 1
	often    = 20
	patience = 5 * time.Second
)

// measure writes the mean of what f costs.
func (w *work) measure(figure string, times int, f func(int) error) error {
	start, before := time.Now(), used()
	n := 0
	for n < times && (n == 0 || time.Since(start) < patience) {
		if err := f(n); err != nil {
			return fmt.Errorf("%s: %w", figure, err)
		}
		n++
	}
	s := Sample{Figure: figure, CPU: (used() - before).Seconds() / float64(n), Times: n}
	var err error
	if s.Peak, err = peak(); err != nil {
		return err
	}
	return w.out.Encode(s)
}

// used is the CPU time of this process and of its children that have ended.
func used() (sum time.Duration) {
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var u unix.Rusage
		if err := unix.Getrusage(who, &u); err == nil {
			sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
		}
	}
	return sum
}

// peak is the largest resident size of this process, in MB.
func peak() (float64, error) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, after, found := bytes.Cut(text, []byte("VmHWM:"))
	var kb float64
	if _, err := fmt.Sscan(string(after), &kb); !found || err != nil {
		return 0, fmt.Errorf("/proc/self/status: VmHWM: %w", err)
	}
	return kb / 1024, nil
}
