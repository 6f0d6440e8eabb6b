package loop

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// TestHealthChecks wants health checks to be added, changed and removed with their
// Services, and to be reported only then.
func TestHealthChecks(t *testing.T) {
	run(t, nil, func(r *rig) {
		r.begin(service("a", balanced(31000)), slice("a", true, "10.1.0.1"))
		ports := func() (out []uint16) {
			r.do(func() {
				for _, c := range r.checks {
					out = append(out, c.Port)
				}
			})
			return out
		}
		if got := ports(); !slices.Equal(got, []uint16{31000}) || len(r.scope.Addresses) != 1 {
			t.Errorf("checks at the start: %v, %+v", got, r.scope)
		}
		r.put(service("c", balanced(30500)), service("b"))
		r.rest(time.Second)
		if got := ports(); !slices.Equal(got, []uint16{30500, 31000}) {
			t.Errorf("checks with a second: %v", got)
		}
		r.forget()
		r.put(service("b"), slice("b", false, "10.1.2.1"))
		r.rest(time.Second)
		if n := r.count("checks"); n != 0 {
			t.Errorf("a change without checks passes them on %d times", n)
		}
		r.put(slice("a", true, "10.1.0.1", "10.1.0.2"))
		r.rest(time.Second)
		if r.checks[1].LocalEndpoints != 2 {
			t.Errorf("the check says %+v", r.checks[1])
		}
		r.inbox.Delete(service("a"))
		r.rest(time.Second)
		if got := ports(); !slices.Equal(got, []uint16{30500}) {
			t.Errorf("checks after a Service was deleted: %v", got)
		}
		r.put(service("c"))
		r.rest(time.Second)
		if got := ports(); len(got) != 0 {
			t.Errorf("checks of a Service that has none any more: %v", got)
		}
	})
}

// TestCounts wants the served objects, and the frontends without a local endpoint,
// to be counted across changes.
func TestCounts(t *testing.T) {
	run(t, nil, func(r *rig) {
		r.begin(service("a", balanced(31000)), slice("a", false, "10.1.2.1"), service("b"), pod("web", "10.1.0.9"), closed("p", "web"))
		want := func(when string, services, policies, internal, external int) {
			t.Helper()
			r.rest(time.Second)
			r.do(func() {
				if r.serves != [2]int{services, policies} || r.noLocal != [2]int{internal, external} {
					t.Errorf("%s: serves %v, no local %v, want %d %d %d %d", when, r.serves, r.noLocal, services, policies, internal, external)
				}
			})
		}
		want("at the start", 2, 1, 0, 1)
		r.put(slice("a", true, "10.1.0.1"))
		want("with a local endpoint", 2, 1, 0, 0)
		local := service("b")
		policy := corev1.ServiceInternalTrafficPolicyLocal
		local.Spec.InternalTrafficPolicy = &policy
		r.put(local, slice("b", false, "10.1.2.1"))
		want("with a local policy inside", 2, 1, 1, 0)
		r.put(closed("q", "web"))
		want("with a second policy", 2, 2, 1, 0)
		r.inbox.Delete(closed("p", "web"))
		r.inbox.Delete(closed("q", "web"))
		want("without policies", 2, 0, 1, 0)
		r.inbox.Delete(service("b"))
		want("without a Service", 1, 0, 0, 0)
	})
}

// TestFlows wants flows to be ended for changed objects, for everything at the
// start and after a failure, and not at all without a change.
func TestFlows(t *testing.T) {
	run(t, nil, func(r *rig) {
		r.put(node(), service("a"), slice("a", false, "10.1.2.1"))
		r.inbox.Complete()
		r.rest(time.Second)
		last := func(when string, whole, denied bool) {
			t.Helper()
			r.rest(time.Second)
			r.do(func() {
				if len(r.endings) != 1 {
					t.Fatalf("%s: flows are ended %d times", when, len(r.endings))
				}
				e := r.endings[0]
				if (e.before == nil) != whole || e.after == nil || e.denied != denied {
					t.Errorf("%s: before %v, after %v, denied %v", when, e.before != nil, e.after != nil, e.denied)
				}
				if whole && len(e.after.Frontends) == 0 {
					t.Errorf("%s: without the program", when)
				}
			})
			r.forget()
		}
		last("at the start", true, true)
		r.do(func() { r.ended = 3 })
		r.put(slice("a", false, "10.1.2.2"))
		r.rest(time.Second)
		if r.count("ended 3 flows") != 1 || r.log.has("ended connections") != 1 {
			t.Errorf("said %q", r.said)
		}
		last("a change of a Service", false, false)
		r.put(slice("z", false, "10.1.2.99")) // of no Service
		r.rest(time.Second)
		if len(r.endings) != 0 {
			t.Error("flows are looked at for a change of nothing")
		}
		r.forget()

		r.do(func() { r.endFails = errors.New("no table") })
		r.put(slice("a", false, "10.1.2.3"))
		r.rest(time.Second)
		if r.count("ended") != 0 {
			t.Error("what failed is reported as done")
		}
		last("a change whose flows cannot be ended", false, false)
		r.do(func() { r.endFails = nil })
		r.put(slice("a", false, "10.1.2.4"))
		last("the change after it", true, true)
		r.put(slice("a", false, "10.1.2.5"))
		last("and the next", false, false)
		r.put(pod("web", "10.1.0.9"), closed("p", "web"))
		last("a policy", false, true)
	})
}

// TestFailedApply has the kernel refuse everything for a while: the agent retries with
// growing delays, then applies the changes that arrived meanwhile, and follows up.
func TestFailedApply(t *testing.T) {
	run(t, nil, func(r *rig) {
		r.begin(service("a"), slice("a", false, "10.1.2.1"))
		r.kernel.set(func(k *kernel) { k.fail = errMachine })
		start := time.Now()
		r.put(slice("a", false, "10.1.2.2"))
		r.rest(100 * time.Second)
		var at []time.Duration
		for _, f := range r.failures {
			at = append(at, f.Sub(start))
		}
		// The applier itself tries five times, 1.5 seconds in all.
		for i, want := range []time.Duration{100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000} {
			if i+1 == len(at) {
				break
			}
			if gap := at[i+1] - at[i] - want*time.Millisecond; gap < 0 || gap > 2*time.Second {
				t.Errorf("failure %d came %v after the one before, want %v and what an apply takes", i+1, at[i+1]-at[i], want*time.Millisecond)
			}
		}
		if len(at) < 7 || r.count("applied") > 0 || !strings.Contains(r.said[len(r.said)-1], "node "+nodeName) {
			t.Errorf("failed at %v, said %q", at, r.said)
		}
		// Changes that arrive while the kernel is behind.
		r.put(service("c", balanced(31000)), slice("c", true, "10.1.0.1"))
		r.rest(3 * time.Second)
		if r.count("checks") > 0 {
			t.Error("checks are passed on for rules that are not in")
		}
		r.forget()
		r.kernel.set(func(k *kernel) { k.fail = nil })
		r.rest(40 * time.Second)
		r.do(func() {
			if len(r.rounds) != 1 || !r.rounds[0].Whole || r.rounds[0].Steps != 1 {
				t.Errorf("rounds %+v", r.rounds)
			}
			if len(r.checks) != 1 || len(r.endings) != 1 || r.endings[0].before != nil {
				t.Errorf("what came meanwhile is not followed: checks %v, flows %d", r.checks, len(r.endings))
			}
		})
		if !r.kernel.has("10.1.2.2") || !r.kernel.has("10.1.0.1") || r.log.has("applying works again") != 1 {
			t.Error("the kernel has not all changes, or the log does not say so")
		}
		r.forget()
		r.put(slice("a", false, "10.1.2.9"))
		r.rest(time.Second)
		if len(r.rounds) != 1 || r.rounds[0].Whole || r.rounds[0].Slices != 1 || r.rounds[0].Services != 0 {
			t.Errorf("the change after it: %+v", r.rounds)
		}
		// The series of failures begins anew.
		r.kernel.set(func(k *kernel) { k.fail = errMachine })
		r.forget()
		r.put(slice("a", false, "10.1.2.10"))
		r.rest(2 * time.Second)
		if len(r.failures) < 2 || r.failures[1].Sub(r.failures[0]) > 2*time.Second {
			t.Errorf("failures at %v", r.failures)
		}
	})
}

// TestComparisonMakesGood has a comparison complete a failed apply, with the same
// follow-up as for an apply.
func TestComparisonMakesGood(t *testing.T) {
	run(t, nil, func(r *rig) {
		r.begin(service("a"))
		r.kernel.set(func(k *kernel) { k.fail = errMachine })
		r.put(service("c", balanced(31000)), slice("c", true, "10.1.0.1"))
		r.rest(50 * time.Second) // the next retry is far away
		r.forget()
		r.kernel.set(func(k *kernel) { k.fail = nil })
		r.notice()
		r.rest(time.Second)
		if len(r.rounds) != 1 || !r.rounds[0].Whole || r.rounds[0].Steps != 1 || len(r.checks) != 1 || len(r.endings) != 1 || r.count("drifted") > 0 {
			t.Errorf("rounds %+v, checks %v, flows %d, said %q", r.rounds, r.checks, len(r.endings), r.said)
		}
		r.forget()
		r.rest(time.Minute)
		r.want()
		r.put(service("a"), slice("a", false, "10.1.2.1"))
		r.rest(time.Second)
		if len(r.rounds) != 1 || r.rounds[0].Whole {
			t.Errorf("the change after it: %+v", r.rounds)
		}
		// A comparison may find an object that the kernel refuses.
		r.kernel.set(func(k *kernel) { k.refuses, k.have = "10.1.2.1", "" })
		r.notice()
		r.rest(5 * time.Second)
		if r.givenUp != 1 || !slices.ContainsFunc(r.diags, func(d diag.Diagnostic) bool { return d.Code == diag.KernelRefused }) {
			t.Errorf("given up %d, diagnosed %v", r.givenUp, r.diags)
		}
	})
}

// TestDrift lets another process change the rules: they are restored, and the
// steps are reported.
func TestDrift(t *testing.T) {
	run(t, nil, func(r *rig) {
		r.begin(service("a"))
		right := r.kernel.have
		settled := r.settledTimes()
		r.notice()
		r.rest(time.Second)
		r.want("verified in 0s")
		if r.settledTimes() != settled+1 {
			t.Errorf("settled %d times", r.settledTimes()-settled)
		}
		r.forget()
		r.kernel.set(func(k *kernel) { k.have = "intruder" })
		r.notice()
		r.rest(time.Second)
		r.want("drifted: replace the rules")
		if r.kernel.have != right {
			t.Errorf("the kernel has %q", r.kernel.have)
		}
		// Rules that do not stay.
		r.forget()
		r.kernel.set(func(k *kernel) { k.have, k.loses = "intruder", true })
		r.notice()
		r.rest(10 * time.Second)
		if r.count("drifted: replace the rules") == 0 || r.count("failed: node node-a: comparing the kernel") == 0 {
			t.Errorf("said %q", r.said)
		}
		r.kernel.set(func(k *kernel) { k.loses = false })
		r.rest(10 * time.Second)
		if r.kernel.have != right {
			t.Errorf("the kernel has %q", r.kernel.have)
		}
	})
}

// TestRest wants comparisons because of notices to use at most 10% of the time,
// and a notice to wait for a few seconds at most.
func TestRest(t *testing.T) {
	for took, most := range map[time.Duration]time.Duration{100 * time.Millisecond: 1200 * time.Millisecond, 10 * time.Second: 21 * time.Second} {
		run(t, nil, func(r *rig) {
			r.begin(service("a"))
			r.kernel.set(func(k *kernel) { k.takes, k.plans = took, nil })
			start := time.Now()
			for time.Since(start) < 10*most {
				r.notice()
				r.rest(took / 10)
			}
			r.kernel.set(func(k *kernel) {
				for i, at := range k.plans[1:] {
					// It takes took, and rests nine times as long, 10 s at most.
					if gap := at.Sub(k.plans[i]); gap < min(10*took, took+10*time.Second) || gap > most {
						t.Errorf("comparisons of %v: one began %v after the one before", took, gap)
						break
					}
				}
				if len(k.plans) < 8 {
					t.Errorf("only %d comparisons", len(k.plans))
				}
			})
		})
	}
}

// TestVerifyEvery compares the whole kernel now and then.
func TestVerifyEvery(t *testing.T) {
	run(t, func(_ *rig, c *Config) { c.VerifyEvery = time.Minute }, func(r *rig) {
		r.rest(90 * time.Second) // before anything was applied there is nothing to compare
		r.want()
		r.begin(service("a"))
		r.rest(3 * time.Minute)
		if n := r.count("verified"); n != 3 {
			t.Errorf("verified %d times in 3 minutes", n)
		}
	})
	run(t, nil, func(r *rig) {
		r.begin(service("a"))
		r.rest(time.Hour)
		r.want()
	})
}

// TestRefusedObject has the kernel refuse one object: all others are applied, the
// object is named, and it is served once the kernel accepts it.
func TestRefusedObject(t *testing.T) {
	run(t, nil, func(r *rig) {
		r.begin(service("a"))
		r.kernel.set(func(k *kernel) { k.refuses = "10.1.2.66" })
		r.put(service("c", balanced(31000)), slice("c", false, "10.1.2.66"), service("b"), slice("b", false, "10.1.2.1"))
		r.rest(5 * time.Second)
		refused := func() bool {
			return slices.ContainsFunc(r.diags, func(d diag.Diagnostic) bool { return d.Code == diag.KernelRefused && d.Origin.Name == "c" })
		}
		if r.givenUp != 1 || !refused() || !r.kernel.has("10.1.2.1") || r.count("failed") > 0 {
			t.Errorf("given up %d, diagnosed %v, said %q", r.givenUp, r.diags, r.said)
		}
		r.forget()
		settled := r.settledTimes()
		r.rest(time.Minute)
		if r.givenUp != 1 || r.count("applied") > 0 || r.settledTimes() < settled+2 {
			t.Errorf("after a minute: given up %d, settled %d times, said %q", r.givenUp, r.settledTimes()-settled, r.said)
		}
		sorted := slices.Clone(r.diags)
		if sorted.Sort(); len(sorted) < 2 || !slices.Equal(sorted, r.diags) {
			t.Errorf("findings are not in order: %v", r.diags)
		}
		// Going back may fail too.
		r.kernel.set(func(k *kernel) { k.fail, k.have = errMachine, "half" })
		r.forget()
		r.rest(3 * time.Minute)
		if r.count("failed: node node-a: going back to what was right") == 0 {
			t.Errorf("said %q", r.said)
		}
		r.kernel.set(func(k *kernel) { k.fail = nil })
		r.rest(time.Minute)
		r.kernel.set(func(k *kernel) { k.refuses = "" })
		r.forget()
		r.rest(20 * time.Minute)
		if r.givenUp != 0 || refused() || !r.kernel.has("10.1.2.66") {
			t.Errorf("once the kernel takes it: given up %d, diagnosed %v", r.givenUp, r.diags)
		}
		if r.count("checks") != 1 || len(r.endings) != 1 || r.endings[0].before != nil {
			t.Errorf("that it is served again is not followed: said %q, flows %d", r.said, len(r.endings))
		}
		// A removed object is not retried.
		r.kernel.set(func(k *kernel) { k.refuses = "10.1.2.67" })
		r.put(service("d"), slice("d", false, "10.1.2.67"))
		r.rest(5 * time.Second)
		r.inbox.Delete(service("d"))
		r.rest(5 * time.Second)
		settled = r.settledTimes()
		r.rest(time.Hour)
		if r.settledTimes() != settled || r.givenUp != 0 {
			t.Errorf("after it was deleted: given up %d, settled %d times", r.givenUp, r.settledTimes()-settled)
		}
	})
}

// TestServicesFirst wants a change of Services to be applied before a change of
// policies in the same batch, even if the policies fail.
func TestServicesFirst(t *testing.T) {
	run(t, nil, func(r *rig) {
		r.begin(service("a"), pod("web", "10.1.0.9"))
		before := r.kernel.applied()
		r.put(service("b"), slice("b", false, "10.1.2.1"), closed("p", "web"))
		r.rest(time.Second)
		if n := r.kernel.applied() - before; n != 2 {
			t.Errorf("%d applies for a Service and a policy", n)
		}
		if len(r.rounds) != 1 || len(r.endings) != 2 || !r.endings[1].denied || r.endings[0].denied || r.count("nodes") != 1 {
			t.Errorf("rounds %+v, flows %d, said %q", r.rounds, len(r.endings), r.said)
		}
		r.kernel.set(func(k *kernel) { k.fail = errMachine })
		r.put(service("c"), closed("q", "web"))
		r.rest(10 * time.Second)
		r.kernel.set(func(k *kernel) { k.fail = nil })
		r.forget()
		before = r.kernel.applied()
		r.rest(30 * time.Second)
		if n := r.kernel.applied() - before; n != 1 || len(r.rounds) != 1 || !r.rounds[0].Whole {
			t.Errorf("what is behind takes %d applies: %+v", n, r.rounds)
		}
		if r.serves != [2]int{3, 2} {
			t.Errorf("it serves %v", r.serves)
		}
		// The change of the Service fails at every attempt.
		r.forget()
		r.kernel.set(func(k *kernel) { k.fail, k.times = errMachine, 2 })
		r.put(service("d"), closed("s", "web"))
		r.rest(10 * time.Second)
		if len(r.rounds) != 1 || !r.rounds[0].Whole || r.endings[len(r.endings)-1].before != nil {
			t.Errorf("after the first part failed: %+v, said %q", r.rounds, r.said)
		}
	})
}

// TestBegin wants nothing to happen before the listing is complete, and the number
// and age of waiting changes to be reported.
func TestBegin(t *testing.T) {
	run(t, nil, func(r *rig) {
		r.put(node(), service("a"))
		r.rest(time.Minute)
		r.want()
		if _, err := r.agent.Serving(r.t.Context()); !errors.Is(err, ErrNotStarted) {
			t.Errorf("what it serves: %v", err)
		}
		trigger := time.Now()
		r.inbox.Put(objects.Sourced[metav1.Object]{Object: slice("a", false, "10.1.2.1")}, trigger)
		r.inbox.Complete()
		r.rest(time.Second)
		if r.count("queued 3, 0s old") != 1 || r.nodes != 1 || len(r.rounds) != 1 {
			t.Fatalf("said %q", r.said)
		}
		if got := r.rounds[0]; !got.Whole || got.Services != 1 || got.Slices != 1 || got.Steps != 1 || got.Waited != shortest || !slices.Equal(got.Triggers, []time.Time{trigger}) {
			t.Errorf("the first round is %+v", got)
		}
		settled := r.settledTimes()
		r.forget()
		r.inbox.Complete() // rings, and there is nothing
		r.rest(time.Second)
		r.want()
		r.put(service("a"), slice("a", false, "10.1.2.2"))
		r.rest(time.Second)
		if r.settledTimes() <= settled || r.count("applied") != 1 {
			t.Errorf("settled %d times, said %q", r.settledTimes()-settled, r.said)
		}
	})
}

// TestAddresses wants the node's own addresses to be used from the start and after
// they change.
func TestAddresses(t *testing.T) {
	run(t, nil, func(r *rig) {
		nodePort := service("a")
		nodePort.Spec.Type = "NodePort"
		nodePort.Spec.Ports[0].NodePort = 30080
		r.inbox.SetAddresses(addrs("192.0.2.11", "198.51.100.7"))
		r.begin(nodePort, slice("a", false, "10.1.2.1"))
		if p := r.agent.session.Program(); !slices.Contains(p.Node.Addresses, addrs("198.51.100.7")[0]) {
			t.Errorf("the program has %v", p.Node.Addresses)
		}
		r.inbox.SetAddresses(addrs("198.51.100.8"))
		r.rest(time.Second)
		if p := r.agent.session.Program(); !slices.Contains(p.Node.Addresses, addrs("198.51.100.8")[0]) {
			t.Errorf("the program has %v", p.Node.Addresses)
		}
	})
}

// TestSpare starts over a kernel that serves something, with objects that leave
// nothing to serve: nothing is applied until there is something to serve.
func TestSpare(t *testing.T) {
	var looking error
	asked, begun := 0, 0
	spare := func(r *rig, c *Config) {
		c.Spare = func(context.Context) (bool, error) { asked++; return true, looking }
		begun = 0
		c.Begin = func() {
			if begun++; r.kernel.applied() > 0 {
				t.Error("it begins after an apply")
			}
		}
	}
	nothing := func(r *rig) bool {
		return slices.ContainsFunc(r.diags, func(d diag.Diagnostic) bool { return d.Code == diag.NothingToServe })
	}
	run(t, spare, func(r *rig) {
		r.put(node())
		r.inbox.Complete()
		r.rest(10 * time.Second)
		if r.kernel.applied() > 0 || r.count("failed") < 3 || !nothing(r) || r.log.has("the first rules are in") > 0 {
			t.Errorf("said %q, diagnosed %v", r.said, r.diags)
		}
		if begun > 0 {
			t.Error("it has begun with nothing to apply")
		}
		r.forget()
		r.put(service("a"), slice("a", false, "10.1.2.1"))
		r.rest(time.Second)
		if len(r.rounds) != 1 || nothing(r) || !r.kernel.has("10.1.2.1") || r.log.has("the first rules are in") != 1 {
			t.Errorf("rounds %+v, diagnosed %v", r.rounds, r.diags)
		}
		r.inbox.Delete(service("a"))
		r.rest(time.Second)
		if r.kernel.has("10.1.2.1") || nothing(r) {
			t.Error("the last Service of an agent that has begun does not go")
		}
		if begun != 1 {
			t.Errorf("it has begun %d times", begun)
		}
	})
	run(t, spare, func(r *rig) {
		looking = errors.New("cannot look")
		r.put(node())
		r.inbox.Complete()
		r.rest(time.Second)
		if r.kernel.applied() > 0 || r.count("failed: node node-a: looking whether the kernel serves something: cannot look") == 0 || nothing(r) {
			t.Errorf("said %q", r.said)
		}
	})
	asked = 0
	run(t, spare, func(r *rig) {
		r.begin(pod("web", "10.1.0.9"), closed("p", "web"))
		if asked > 0 {
			t.Error("a policy is something to serve")
		}
	})
}

// TestServing queries what the kernel should have, while it has it and while it does not.
func TestServing(t *testing.T) {
	run(t, nil, func(r *rig) {
		r.begin(service("a"), slice("a", false, "10.1.2.1"))
		ask := func() Serving {
			t.Helper()
			s, err := r.agent.Serving(r.t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		one := ask()
		if again := ask(); again.Changes != one.Changes || one.Backend != "nftables" || string(one.Artifact.File("rules.nft")) != r.kernel.have || one.Behind {
			t.Errorf("it serves %s %d %d", one.Backend, one.Changes, again.Changes)
		}
		r.put(slice("a", false, "10.1.2.2"))
		r.rest(time.Second)
		two := ask()
		if two.Changes == one.Changes || string(two.Artifact.File("rules.nft")) != r.kernel.have {
			t.Error("a change does not count")
		}
		r.kernel.set(func(k *kernel) { k.fail = errMachine })
		r.put(slice("a", false, "10.1.2.3"))
		r.rest(10 * time.Second)
		if s := ask(); !s.Behind || string(s.Artifact.File("rules.nft")) == r.kernel.have {
			t.Error("an apply that failed does not count")
		}
		ended, end := context.WithCancel(r.t.Context())
		end()
		if _, err := r.agent.Serving(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("who does not wait: %v", err)
		}
		r.stop()
		r.rest(time.Second)
		late, end := context.WithTimeout(r.t.Context(), time.Second)
		defer end()
		if _, err := r.agent.Serving(late); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("an agent that has ended: %v", err)
		}
	})
}

// TestRemembers wants the record at the end to have what the kernel has, which
// single changes do not record, and no record if the kernel is behind.
func TestRemembers(t *testing.T) {
	for _, behind := range []bool{false, true} {
		run(t, quick, func(r *rig) {
			r.begin(service("a"), slice("a", false, "10.1.2.1"))
			if behind {
				r.kernel.set(func(k *kernel) { k.fail = errMachine })
			}
			before := r.kernel.have
			r.put(slice("a", false, "10.1.2.2"))
			r.rest(10 * time.Second)
			r.stop()
			r.rest(time.Second)
			if r.log.has("could not be written down") > 0 {
				t.Error("it is said that the record could not be written")
			}
			last, err := r.record.Last()
			if got := string(last.Artifact.File("rules.nft")); err != nil || got != r.kernel.have || behind != (got == before) {
				t.Errorf("behind %v: the record has other rules, %v", behind, err)
			}
		})
	}
}

// TestOverBudget counts each object once, regardless of its findings.
func TestOverBudget(t *testing.T) {
	at := func(name string) ir.Origin { return ir.Origin{Kind: "Service", Namespace: "shop", Name: name} }
	list := diag.List{
		{Code: diag.FrontendBudget, Origin: at("a")},
		{Code: diag.EndpointBudget, Origin: at("a")},
		{Code: diag.EndpointBudget, Origin: at("b")},
		{Code: diag.PolicyBudget, Origin: at("c")},
		{Code: diag.BadServiceIP, Origin: at("d")},
	}
	if n := overBudget(list); n != 3 {
		t.Errorf("counted are %d", n)
	}
}

// TestEnds wants the agent to end at once, regardless of what it waits for.
func TestEnds(t *testing.T) {
	run(t, nil, func(r *rig) {
		r.begin(service("a"))
		r.kernel.set(func(k *kernel) { k.fail = errMachine })
		r.put(service("b"))
		r.rest(3 * time.Second)
		start := time.Now()
		failures := len(r.failures)
		r.stop()
		r.rest(time.Minute)
		if len(r.failures) != failures {
			t.Errorf("%d failures are told after its end at %v", len(r.failures)-failures, start)
		}
	})
}

func addrs(texts ...string) []netip.Addr {
	var out []netip.Addr
	for _, t := range texts {
		out = append(out, netip.MustParseAddr(t))
	}
	return out
}
