package dataplane_test

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/apply/dataplane"
	"github.com/planec/planec/internal/apply/session"
	"github.com/planec/planec/internal/testing/poison"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/failsafe"
)

// crowd is how many Services there are beside the bad one.
const crowd = 999

// among is the steady cluster with a crowd of other Services and a pod for
// policies.
func among() (objects.Set, objects.Config) {
	set, config := steadyCluster()
	for i := len(set.Services); i < crowd; i++ {
		name := fmt.Sprintf("crowd-%03d", i)
		set.Services = append(set.Services, serviceObject(name, fmt.Sprintf("10.96.%d.%d", 100+i/250, 1+i%250), 80, nil))
		set.EndpointSlices = append(set.EndpointSlices, sliceObject(name, fmt.Sprintf("10.1.2.%d", 1+i%250), fmt.Sprintf("10.1.3.%d", 1+i%250)))
	}
	set.Pods = append(set.Pods, objects.Sourced[*corev1.Pod]{Object: poison.Pod()})
	set.Namespaces = append(set.Namespaces, objects.Sourced[*corev1.Namespace]{Object: &corev1.Namespace{ObjectMeta: poison.Pod().ObjectMeta}})
	set.Namespaces[len(set.Namespaces)-1].Object.Name, set.Namespaces[len(set.Namespaces)-1].Object.Namespace = poison.Namespace, ""
	return set, config
}

// TestOneBadObject has one bad object of every kind come to a node of a thousand
// Services, refused at every stage: what else came with it is applied, the object is
// named and given up safely, and when it is mended or gone everything is as if it
// had never been.
func TestOneBadObject(t *testing.T) {
	for _, p := range append(planes(), ebpfPlane(t)) {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			oneBadObject(t, p)
		})
	}
}

// badStages is how many of the stages are tried; User Mode Linux is slow, and so are
// the tools of iptables-nft, which read and write the same as those of iptables-legacy.
var (
	badStages    = flag.Int("bad-stages", len(poison.Stages()), "at how many stages bad objects are refused")
	badStagesNft = flag.Int("bad-stages-nft", 2, "at how many stages bad objects are refused by iptables-nft")
)

// stagesOf are those that a plane is tried at.
func stagesOf(p plane) []poison.Stage {
	if p.name == "iptables-nft" {
		return poison.Stages()[:min(*badStages, *badStagesNft)]
	}
	return poison.Stages()[:*badStages]
}

func TestInsideOneBadObject(t *testing.T) {
	inside(t)
	oneBadObject(t, ipvsPlane())
}

// victim is a node with a session that a poison can be given to.
type victim struct {
	t       *testing.T
	rig     *testkit.Rig
	inner   applier.Dataplane
	poison  *poison.Poison
	session *session.Session
	objects *compiler.Incremental
	backend backends.Backend
	others  objects.Set
	now     time.Time
	// slowest is the longest update with a bad object, and longest the longest start.
	slowest, longest time.Duration
	changes          int
	// mended counts the objects that were mended, by a change and by themselves in
	// turn.
	mended int
}

func oneBadObject(t *testing.T, p plane) {
	testkit.Require(t, p.tools...)
	set, config := among()
	selected, err := registry.Select(backends.DefaultOptions(), p.backend)
	if err != nil {
		t.Fatal(err)
	}
	v := &victim{t: t, poison: &poison.Poison{}, others: set, now: time.Unix(1e9, 0)}
	v.others.Services, v.others.EndpointSlices = nil, nil
	v.objects = compiler.NewIncremental(&set, nodeName, config)
	v.rig = testkit.New(t, testkit.SpecFor(v.objects.Program(), steadyFlows()))
	v.inner = p.make()
	v.backend = poison.Backend{Backend: selected[0], Poison: v.poison}
	v.start()
	v.do(func() error { _, err := v.session.Apply(t.Context()); return err })
	kinds := 0
	for _, stage := range stagesOf(p) {
		for i, o := range poison.Objects() {
			kinds++
			v.poison.Stage, v.poison.Marker = stage, o.Marker
			v.comes(fmt.Sprintf("%s, %s", o.Name, stage), &o)
			if i == 0 || o.Policy != nil && i%2 == 0 {
				v.starts(fmt.Sprintf("%s, %s", o.Name, stage), &o)
			}
		}
		v.answers(string(stage))
		t.Logf("%s, %s: with the finding out an update took %v at most", p.name, stage, v.slowest.Round(time.Millisecond))
		v.slowest = 0
	}
	v.poison.Marker = ""
	for _, o := range poison.Limits() {
		kinds++
		v.limit(&o)
	}
	v.answers("limits")
	t.Logf("%s: %d kinds of bad objects among %d Services; beyond a limit an update took %v at most, and a start %v", p.name, kinds, crowd, v.slowest.Round(time.Millisecond), v.longest.Round(time.Millisecond))
}

// TestCollidingNames applies a cluster with policies whose names and numbers nearly
// all collide: every object is in the kernel and answers.
func TestCollidingNames(t *testing.T) {
	for _, p := range append(planes(), ebpfPlane(t)) {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			testkit.Require(t, p.tools...)
			weak := func(b []byte) (sum [sha256.Size]byte) {
				sum[0] = sha256.Sum256(b)[0] & 3
				return sum
			}
			options := backends.DefaultOptions()
			options.Hash = weak
			selected, err := registry.Select(options, p.backend)
			if err != nil {
				t.Fatal(err)
			}
			set, config := steadyCluster()
			config.Hash = weak
			for i, o := range poison.Objects() {
				if i == 3 || o.Policy != nil && i%2 == 0 { // one Service of the name, one policy
					o.Add(&set)
				}
			}
			set.Pods = append(set.Pods, objects.Sourced[*corev1.Pod]{Object: poison.Pod()})
			program, _ := compiler.Compile(compiler.Input{Objects: &set, Node: nodeName, Config: config})
			a, err := selected[0].Emit(program)
			if err != nil {
				t.Fatal(err)
			}
			r := testkit.New(t, testkit.SpecFor(program, steadyFlows()))
			apply(t, r, applier.New(map[string]applier.Dataplane{p.backend: p.make()}, applier.NewRecord(t.TempDir())), applier.Entry{Backend: p.backend, Artifact: a})
			report, err := r.Check(t.Context(), steadyFlows(), eval.New(program).Eval, 2*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range report.Disagreements {
				t.Errorf("%v", d)
			}
		})
	}
}

// start makes a session over what the kernel has.
func (v *victim) start() {
	a := applier.New(map[string]applier.Dataplane{v.backend.Name(): &poison.Plane{Dataplane: v.inner, Poison: v.poison}}, applier.NewRecord(v.t.TempDir()))
	v.session = session.New(v.objects, v.backend, a)
	v.session.General = dataplane.General
	v.session.Now = func() time.Time { return v.now }
}

func (v *victim) do(f func() error) {
	v.t.Helper()
	if err := v.rig.Do(f); err != nil {
		v.t.Fatal(err)
	}
}

// comes has a bad object come, be tried again, be mended and go.
func (v *victim) comes(name string, o *poison.Object) {
	v.t.Helper()
	u := o.Come(v.others)
	u.Slices = append(u.Slices, v.another())
	start := time.Now()
	v.update(u)
	v.slowest = max(v.slowest, time.Since(start))
	v.given(name, o.Is)
	// Others change beside it, and it is tried again in vain.
	v.update(compiler.Update{Slices: []compiler.SliceUpdate{v.another()}})
	v.retry(time.Hour)
	v.given(name+", again", o.Is)
	// It changes and is as bad, at once and after a while.
	changed := o.Changed()
	v.update(changed.Come(v.others))
	v.given(name+", changed at once", o.Is)
	v.now = v.now.Add(time.Minute)
	v.update(o.Come(v.others))
	v.given(name+", changed", o.Is)
	v.poison.Marker = ""
	if v.mended++; v.mended%2 == 0 {
		v.retry(2 * time.Hour)
	} else {
		v.now = v.now.Add(2 * time.Hour)
		v.update(changed.Come(v.others))
	}
	v.given(name + ", mended")
	v.update(o.Go(v.others))
	v.given(name + ", gone")
}

// limit has an object come and go that is beyond a limit of a backend: of some it is
// none, and they serve it. Whether one is beyond its limits, the backend says.
func (v *victim) limit(o *poison.Object) {
	v.t.Helper()
	u := o.Come(v.others)
	u.Slices = append(u.Slices, v.another())
	start := time.Now()
	v.update(u)
	v.slowest = max(v.slowest, time.Since(start))
	beyond := beyondLimits[v.backend.Name()] == o.Name
	named := slices.ContainsFunc(v.session.Findings(), func(d diag.Diagnostic) bool {
		return d.Code == diag.NotExpressible && d.Origin.Namespace == poison.Namespace && d.Origin.Name == poison.Name
	})
	if named != beyond || (v.session.GivenUp() == 1) != beyond {
		v.t.Errorf("%s: the findings are %v", o.Name, v.session.Findings())
	}
	v.same(o.Name, v.objects.Program())
	v.update(o.Go(v.others))
	v.given(o.Name + ", gone")
}

// beyondLimits names the limit of each backend that poison.Limits goes beyond.
var beyondLimits = map[string]string{
	"iptables": "Service with affinity of 9,000 endpoints",
	"ipvs":     "Service with 1,030 ports with local endpoints only",
}

// starts has a bad object be there when an agent starts, and when planec apply looks,
// which are the same.
func (v *victim) starts(name string, o *poison.Object) {
	v.t.Helper()
	v.objects.Apply(o.Come(v.others))
	v.poison.Marker = o.Marker
	v.start()
	start := time.Now()
	v.do(func() error { _, err := v.session.Apply(v.t.Context()); return err })
	v.longest = max(v.longest, time.Since(start))
	v.given(name+", at the start", o.Is)
	v.update(o.Go(v.others))
	v.given(name + ", gone")
}

func (v *victim) retry(after time.Duration) {
	v.t.Helper()
	v.now = v.now.Add(after)
	v.do(func() error { _, err := v.session.Retry(v.t.Context()); return err })
}

func (v *victim) update(u compiler.Update) {
	v.t.Helper()
	v.do(func() error { _, err := v.session.Update(v.t.Context(), u); return err })
}

// another changes an endpoint of a Service of the crowd.
func (v *victim) another() compiler.SliceUpdate {
	v.changes++
	name := fmt.Sprintf("crowd-%03d", 10+v.changes%900)
	return compiler.SliceUpdate{Name: objects.Name{Namespace: namespace, Name: name + "-1"}, Slice: sliceObject(name, fmt.Sprintf("10.1.4.%d", 1+v.changes%250), "10.1.3.7")}
}

// given compares the whole kernel with the program without the objects that should be
// given up, and looks whether those are named.
func (v *victim) given(name string, want ...failsafe.Object) {
	v.t.Helper()
	set := make(failsafe.Set)
	for _, o := range want {
		set.Add(o, failsafe.Refused)
	}
	v.same(name, failsafe.Program(v.objects.Program(), set))
	var named []string
	for _, d := range v.session.Findings() {
		if d.Code != diag.KernelRefused || !strings.Contains(d.Message, "a test's") {
			v.t.Errorf("%s: %v", name, d)
		}
		named = append(named, d.Origin.Object())
	}
	var wanted []string
	for _, o := range want {
		wanted = append(wanted, o.String())
	}
	if !slices.Equal(named, wanted) || v.session.GivenUp() != len(want) {
		v.t.Errorf("%s: %q are given up, want %q", name, named, wanted)
	}
	if v.t.Failed() {
		v.t.FailNow()
	}
}

// same compares the whole kernel with a program.
func (v *victim) same(name string, want *ir.Program) {
	v.t.Helper()
	marker := v.poison.Marker
	v.poison.Marker = ""
	a, err := v.backend.Emit(want)
	v.poison.Marker = marker
	if err != nil {
		v.t.Fatal(err)
	}
	v.do(func() error {
		plan, err := v.inner.Plan(v.t.Context(), a)
		if err == nil && !plan.Empty() {
			v.t.Errorf("%s: the kernel is not what it should be: %q", name, plan.Steps())
		}
		return err
	})
}

// answers makes connections to the steady Services.
func (v *victim) answers(stage string) {
	v.t.Helper()
	report, err := v.rig.Check(v.t.Context(), steadyFlows(), eval.New(v.session.Program()).Eval, 2*time.Second)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, d := range report.Disagreements {
		v.t.Errorf("%s: %v", stage, d)
	}
}
