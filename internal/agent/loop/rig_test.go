package loop

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/agent/localport"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/input/inbox"
	"github.com/planec/planec/internal/testing/fakeplane"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

const nodeName = "node-a"

// errKernel is the error of a kernel that refuses everything.
var errKernel = errors.New("no")

// kernel is a dataplane whose content is the text of the rules.
type kernel struct {
	fakeplane.Nothing
	mu   sync.Mutex
	have string
	// fail is the error of every apply, or of the next ones if times is set, and
	// of rules that contain a forbidden word.
	fail    error
	times   int
	refuses string
	// loses makes applies succeed without a change.
	loses bool
	// takes is the duration of a plan.
	takes   time.Duration
	plans   []time.Time
	applies int
}

func (k *kernel) plan(to string) applier.Plan {
	p := fakeplane.Plan{Do: func(context.Context) error { return k.apply(to) }}
	if k.have != to {
		p.List = []string{"replace the rules"}
	}
	return p
}

func (k *kernel) Plan(_ context.Context, want backends.Artifact) (applier.Plan, error) {
	k.mu.Lock()
	k.plans = append(k.plans, time.Now())
	takes := k.takes
	k.mu.Unlock()
	time.Sleep(takes)
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.plan(string(want.File("rules.nft"))), nil
}

func (k *kernel) apply(to string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.applies++
	switch {
	case k.fail != nil:
		err := k.fail
		if k.times--; k.times == 0 {
			k.fail = nil
		}
		return err
	case k.refuses != "" && strings.Contains(to, k.refuses):
		return errKernel
	case !k.loses:
		k.have = to
	}
	return nil
}

// short is a kernel that takes changes without being read. Whole is the text of all
// rules that there are to be.
type short struct {
	*kernel
	whole func() string
}

func (k *short) Change(_, _ backends.Artifact) (applier.Plan, error) {
	return k.change(k.whole())
}

func (k *short) Replace(whole backends.Artifact) (applier.Plan, error) {
	return k.change(string(whole.File("rules.nft")))
}

func (k *short) change(to string) (applier.Plan, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.plan(to), nil
}

// quick gives the rig a dataplane that accepts incremental changes.
func quick(r *rig, c *Config) {
	whole := func() string {
		e, err := r.agent.session.Wanted()
		if err != nil {
			return err.Error()
		}
		return string(e.Artifact.File("rules.nft"))
	}
	c.Applier = applier.New(map[string]applier.Dataplane{"nftables": &short{r.kernel, whole}}, r.record)
}

// set changes the kernel, or its behaviour.
func (k *kernel) set(change func(*kernel)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	change(k)
}

func (k *kernel) has(word string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return strings.Contains(k.have, word)
}

func (k *kernel) applied() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.applies
}

// ending is one call of Flows.
type ending struct {
	before, after *ir.Program
	denied        bool
}

// watcher implements Flows and Observer. It records calls in said, as lines.
type watcher struct {
	mu      sync.Mutex
	endings []ending
	// endFails is the error of ending flows, and ended the number of ended flows.
	endFails error
	ended    int
	said     []string
	rounds   []Round
	checks   []ir.HealthCheck
	loopback []localport.Port
	scope    ir.NodePortScope
	diags    diag.List
	givenUp  int
	nodes    int
	serves   [2]int
	noLocal  [2]int
	failures []time.Time
	settled  int
}

func (w *watcher) say(format string, args ...any) {
	w.said = append(w.said, fmt.Sprintf(format, args...))
}

func (w *watcher) do(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

func (w *watcher) End(before, after *ir.Program, denied bool) (n int, err error) {
	w.do(func() { w.endings, n, err = append(w.endings, ending{before, after, denied}), w.ended, w.endFails })
	return n, err
}

func (w *watcher) Queued(count int, since time.Time) {
	w.do(func() { w.say("queued %d, %v old", count, time.Since(since)) })
}

func (w *watcher) Applied(r Round) {
	w.do(func() { w.rounds = append(w.rounds, r); w.say("applied") })
}

func (w *watcher) Failed(err error) {
	w.do(func() { w.failures = append(w.failures, time.Now()); w.say("failed: %v", err) })
}

func (w *watcher) Drifted(steps []string) {
	w.do(func() { w.say("drifted: %s", strings.Join(steps, ", ")) })
}

func (w *watcher) Verified(took time.Duration) { w.do(func() { w.say("verified in %v", took) }) }

func (w *watcher) Diagnosed(all diag.List) {
	w.do(func() { w.diags = all; w.say("diagnosed %d", len(all)) })
}

func (w *watcher) GivenUp(n int) { w.do(func() { w.givenUp = n }) }

func (w *watcher) Nodes(all []objects.Sourced[*corev1.Node]) {
	w.do(func() { w.nodes = len(all); w.say("nodes") })
}

func (w *watcher) Checks(c []ir.HealthCheck, s ir.NodePortScope) {
	w.do(func() { w.checks, w.scope = c, s; w.say("checks %d", len(c)) })
}

func (w *watcher) LoopbackPorts(p []localport.Port) {
	w.do(func() { w.loopback = p; w.say("loopback %d", len(p)) })
}

func (w *watcher) Serves(services, policies int) {
	w.do(func() { w.serves = [2]int{services, policies} })
}

func (w *watcher) NoLocal(internal, external int) {
	w.do(func() { w.noLocal = [2]int{internal, external} })
}

func (w *watcher) FlowsEnded(n int, _ time.Duration) { w.do(func() { w.say("ended %d flows", n) }) }

// count returns how many lines in said have the prefix.
func (w *watcher) count(words string) (n int) {
	w.do(func() {
		for _, s := range w.said {
			if strings.HasPrefix(s, words) {
				n++
			}
		}
	})
	return n
}

// forget forgets what was said and done.
func (w *watcher) forget() {
	w.do(func() { w.said, w.endings, w.rounds, w.failures = nil, nil, nil, nil })
}

// log is what the agent logs.
type log struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

// has returns how often the log contains some words.
func (l *log) has(words string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), words)
}

// rig is a running agent on a clock that advances only while waiting.
type rig struct {
	*watcher
	t      *testing.T
	agent  *Agent
	inbox  *inbox.Inbox
	kernel *kernel
	drift  chan struct{}
	record *applier.Record
	stop   context.CancelFunc
	log    *log
}

// run runs an agent beside f. change may change its configuration first.
func run(t *testing.T, change func(*rig, *Config), f func(*rig)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		selected, err := registry.Select(backends.DefaultOptions(), "nftables")
		if err != nil {
			t.Fatal(err)
		}
		r := &rig{t: t, watcher: &watcher{}, inbox: inbox.New(), kernel: &kernel{}, drift: make(chan struct{}, 1), record: applier.NewRecord(dir), log: &log{}}
		c := Config{
			Node: nodeName, Backend: selected[0], Inbox: r.inbox, Flows: r.watcher, Observer: r.watcher, Drift: r.drift,
			Applier: applier.New(map[string]applier.Dataplane{"nftables": r.kernel}, r.record),
			Settled: func() { r.do(func() { r.settled++ }) },
			General: func(err error) bool { return errors.Is(err, errMachine) },
			Log:     slog.New(slog.NewTextHandler(r.log, nil)),
		}
		if change != nil {
			change(r, &c)
		}
		r.agent = New(c)
		ctx, stop := context.WithCancel(t.Context())
		r.stop = stop
		done := make(chan error, 1)
		go func() { done <- r.agent.Run(ctx) }()
		defer func() {
			stop()
			if err := <-done; err != nil {
				t.Errorf("the agent ended with %v", err)
			}
		}()
		f(r)
	})
}

// errMachine is an error that no object causes.
var errMachine = errors.New("no privileges")

// begin gives the agent a Node and some objects, and waits until they are applied.
func (r *rig) begin(all ...metav1.Object) {
	r.t.Helper()
	r.put(node())
	r.put(all...)
	r.inbox.Complete()
	r.rest(time.Second)
	if r.count("applied") == 0 {
		r.t.Fatalf("nothing was applied: %q", r.said)
	}
	r.forget()
}

func (r *rig) put(all ...metav1.Object) {
	for _, o := range all {
		r.inbox.Put(objects.Sourced[metav1.Object]{Object: o}, time.Time{})
	}
}

// rest waits until nothing more happens within a given time.
func (r *rig) rest(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// settledTimes is how often the agent settled.
func (r *rig) settledTimes() (n int) {
	r.do(func() { n = r.settled })
	return n
}

// notice tells the agent that its rules may have been changed.
func (r *rig) notice() {
	select {
	case r.drift <- struct{}{}:
	default:
	}
}

// want wants exactly these lines in said, in this order.
func (r *rig) want(words ...string) {
	r.t.Helper()
	r.do(func() {
		if !slices.Equal(r.said, words) {
			r.t.Errorf("said %q, want %q", r.said, words)
		}
	})
}

func node() *corev1.Node {
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: nodeName},
		Status:     corev1.NodeStatus{Addresses: []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "192.0.2.11"}}},
	}
}

// service returns a Service with one port; change may modify it.
func service(name string, change ...func(*corev1.Service)) *corev1.Service {
	ip := fmt.Sprintf("10.96.0.%d", 10+int(name[len(name)-1]))
	s := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name},
		Spec: corev1.ServiceSpec{
			ClusterIP: ip, ClusterIPs: []string{ip}, IPFamilies: []corev1.IPFamily{corev1.IPv4Protocol},
			Ports: []corev1.ServicePort{{Port: 80, Protocol: corev1.ProtocolTCP}},
		},
	}
	for _, c := range change {
		c(s)
	}
	return s
}

// balanced gives a Service a health check on this port.
func balanced(port int32) func(*corev1.Service) {
	return func(s *corev1.Service) {
		s.Spec.Type, s.Spec.ExternalTrafficPolicy, s.Spec.HealthCheckNodePort = corev1.ServiceTypeLoadBalancer, corev1.ServiceExternalTrafficPolicyLocal, port
		s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "198.51.100." + s.Spec.ClusterIP[len("10.96.0."):]}}
	}
}

// slice has endpoints of a Service, on this node or elsewhere.
func slice(name string, here bool, addresses ...string) *discoveryv1.EndpointSlice {
	at := map[bool]string{true: nodeName, false: "node-b"}[here]
	port, empty, protocol := int32(8080), "", corev1.ProtocolTCP
	s := &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Namespace: "shop", Name: name + "-1", Labels: map[string]string{discoveryv1.LabelServiceName: name}},
		AddressType: discoveryv1.AddressTypeIPv4, Ports: []discoveryv1.EndpointPort{{Port: &port, Name: &empty, Protocol: &protocol}},
	}
	for _, a := range addresses {
		s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{Addresses: []string{a}, NodeName: &at})
	}
	return s
}

// pod is a pod of this node.
func pod(name, address string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, Labels: map[string]string{"app": name}},
		Spec:       corev1.PodSpec{NodeName: nodeName}, Status: corev1.PodStatus{Phase: corev1.PodRunning, PodIPs: []corev1.PodIP{{IP: address}}},
	}
}

// closed is a policy that isolates a pod.
func closed(name, app string) *networkingv1.NetworkPolicy {
	return &networkingv1.NetworkPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name},
		Spec: networkingv1.NetworkPolicySpec{
			PodSelector: metav1.LabelSelector{MatchLabels: map[string]string{"app": app}},
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress},
		},
	}
}
