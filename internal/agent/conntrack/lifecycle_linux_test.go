package conntrack

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// cycle has the states of one Service's endpoints, step by step, and the endpoints
// whose flows continue, out of the flows to a, b and c at the start. kept is what
// kube-proxy 1.37.2 keeps (CleanStaleEntries in pkg/proxy/conntrack): every flow
// to an endpoint whose condition serving is true. There is one difference:
// kube-proxy does not touch the flows to a nodePort without any such endpoint,
// because it does not check the addresses.
//
// A state has a word for each endpoint: "a" is ready, "a~" not ready and serving,
// "a-" neither, "a!" terminating and serving, "a?" terminating only; "a@z2" has a
// hint for zone z2, "a@node-b" one for a node, "a+" stands in a second slice,
// terminating; "c'" has another port. "itp" and "etp" are the policies Local.
type cycle struct {
	name  string
	steps []step
}

type step struct{ state, kept string }

// lifeCycles is the table. a is on the node itself, b in its zone z1, c in z2.
var lifeCycles = []cycle{
	{"a remote endpoint drains and goes", []step{{"a b c!", "abc"}, {"a b", "ab"}}},
	{"the local endpoint drains and goes", []step{{"a! b c", "abc"}, {"b c", "bc"}}},
	{"one drains without serving", []step{{"a b c?", "ab"}, {"a b", "ab"}}},
	{"all drain, then go", []step{{"a! b! c!", "abc"}, {"", ""}}},
	{"zone hints appear and vanish", []step{{"a@z1 b@z1 c@z2", "abc"}, {"a b c", "abc"}}},
	{"node hints appear and vanish", []step{{"a@node-a b@node-b c@node-c", "abc"}, {"a b c", "abc"}}},
	{"zone hints, then one of another zone drains", []step{{"a@z1 b@z1 c@z2", "abc"}, {"a@z1 b@z1 c!@z2", "abc"}, {"a@z1 b@z1", "ab"}}},
	{"internal policy to Local and back", []step{{"a b c itp", "abc"}, {"a b c", "abc"}}},
	{"external policy to Local and back", []step{{"a b c etp", "abc"}, {"a b c", "abc"}}},
	{"both policies Local, then one goes", []step{{"a b c itp etp", "abc"}, {"a b itp etp", "ab"}}},
	{"both policies Local, the local one drains", []step{{"a! b c itp etp", "abc"}, {"b c itp etp", "bc"}}},
	{"one becomes unready and comes back", []step{{"a b c-", "ab"}, {"a b c", "ab"}}},
	{"one is unready and serves", []step{{"a b c~", "abc"}, {"a b c", "abc"}}},
	{"all become unready", []step{{"a- b- c-", ""}, {"a b c", ""}}},
	{"to zero and back", []step{{"", ""}, {"a b c", ""}}},
	{"to zero while draining", []step{{"a! b! c?", "ab"}, {"a!", "a"}, {"", ""}}},
	{"one is replaced", []step{{"a b c! d", "abc"}, {"a b d", "ab"}}},
	{"one changes its port", []step{{"a b c'", "ab"}}},
	{"one moves to another slice", []step{{"a b c c+", "abc"}, {"a b c", "abc"}}},
	{"one goes, its address comes back", []step{{"a c", "ac"}, {"a b c", "ac"}}},
	{"one drains and comes back", []step{{"a b c!", "abc"}, {"a b c", "abc"}}},
	{"hints, Local and draining at once", []step{{"a@z1 b!@z1 c@z2 itp etp", "abc"}, {"a@z1 c@z2 itp", "ac"}, {"c@z2", "c"}}},
}

const (
	clusterIP = "10.96.0.10"
	balancer  = "198.51.100.10"
)

var (
	places = map[string]struct{ address, node string }{
		"a": {"10.1.0.5", "node-a"}, "b": {"10.2.0.6", "node-b"}, "c": {"10.3.0.7", "node-c"}, "d": {"10.2.0.8", "node-b"},
	}
	// fronts are the destinations of flows, with their sources.
	fronts = []testkit.Flow{
		{From: eval.FromNode, Src: netip.MustParseAddr(nodeAddr), Dst: netip.MustParseAddr(clusterIP), Protocol: ir.UDP, Port: 53},
		{From: eval.FromOutside, Src: netip.MustParseAddr("203.0.113.7"), Dst: netip.MustParseAddr(balancer), Protocol: ir.UDP, Port: 53},
		{From: eval.FromOutside, Src: netip.MustParseAddr("203.0.113.8"), Dst: netip.MustParseAddr(nodeAddr), Protocol: ir.UDP, Port: 30053},
	}
)

// objectsOf returns the objects of a state.
func objectsOf(state string) *objects.Set {
	svc := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "dns"}, Spec: corev1.ServiceSpec{
		Type: corev1.ServiceTypeLoadBalancer, ClusterIP: clusterIP, ClusterIPs: []string{clusterIP},
		Ports: []corev1.ServicePort{{Name: "dns", Protocol: corev1.ProtocolUDP, Port: 53, NodePort: 30053}},
	}}
	svc.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: balancer}}
	// One slice for each port of endpoints, and one for second entries.
	byPort := [3]*discoveryv1.EndpointSlice{}
	for i := range byPort {
		name, proto, port := "dns", corev1.ProtocolUDP, int32(5353)
		if i == 1 {
			port = 5354
		}
		byPort[i] = &discoveryv1.EndpointSlice{
			ObjectMeta:  metav1.ObjectMeta{Namespace: "n", Name: fmt.Sprintf("dns-%d", i), Labels: map[string]string{discoveryv1.LabelServiceName: "dns"}},
			AddressType: discoveryv1.AddressTypeIPv4, Ports: []discoveryv1.EndpointPort{{Name: &name, Protocol: &proto, Port: &port}},
		}
	}
	for word := range strings.FieldsSeq(state) {
		switch word {
		case "itp":
			local := corev1.ServiceInternalTrafficPolicyLocal
			svc.Spec.InternalTrafficPolicy = &local
			continue
		case "etp":
			svc.Spec.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyLocal
			continue
		}
		e, slice := endpointOf(word)
		byPort[slice].Endpoints = append(byPort[slice].Endpoints, e)
	}
	set := &objects.Set{Services: []objects.Sourced[*corev1.Service]{{Object: svc}}}
	for _, s := range byPort {
		set.EndpointSlices = append(set.EndpointSlices, objects.Sourced[*discoveryv1.EndpointSlice]{Object: s})
	}
	for _, n := range []string{"node-a", "node-b", "node-c"} {
		node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: n, Labels: map[string]string{corev1.LabelTopologyZone: map[bool]string{true: "z2", false: "z1"}[n == "node-c"]}}}
		if n == "node-a" {
			node.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: nodeAddr}}
		}
		set.Nodes = append(set.Nodes, objects.Sourced[*corev1.Node]{Object: node})
	}
	return set
}

// endpointOf parses a word of a state, and returns the slice of the endpoint.
func endpointOf(word string) (e discoveryv1.Endpoint, slice int) {
	word, hint, _ := strings.Cut(word, "@")
	is := places[word[:1]]
	e.Addresses, e.NodeName = []string{is.address}, &is.node
	set := func(ready, serving, terminating bool) {
		e.Conditions = discoveryv1.EndpointConditions{Ready: &ready, Serving: &serving, Terminating: &terminating}
	}
	switch word[1:] {
	case "~":
		set(false, true, false)
	case "-":
		set(false, false, false)
	case "!":
		set(false, true, true)
	case "?":
		set(false, false, true)
	case "+":
		set(false, true, true)
		slice = 2
	case "'":
		slice = 1
	}
	switch {
	case strings.HasPrefix(hint, "z"):
		e.Hints = &discoveryv1.EndpointHints{ForZones: []discoveryv1.ForZone{{Name: hint}}}
	case hint != "":
		e.Hints = &discoveryv1.EndpointHints{ForNodes: []discoveryv1.ForNode{{Name: hint}}}
	}
	return e, slice
}

// updateTo returns the change that leads to a state.
func updateTo(set *objects.Set) (u compiler.Update) {
	for _, s := range set.Services {
		u.Services = append(u.Services, compiler.ServiceUpdate{Name: objects.Name{Namespace: "n", Name: s.Object.Name}, Service: s})
	}
	for _, s := range set.EndpointSlices {
		u.Slices = append(u.Slices, compiler.SliceUpdate{Name: objects.Name{Namespace: "n", Name: s.Object.Name}, Slice: s})
	}
	return u
}

// life is a node that runs through life cycles with one kernel.
type life struct {
	*node
	kernel  testkit.Kernel
	backend backends.Backend
	loaded  bool
}

func newLife(t *testing.T, k testkit.Kernel) *life {
	t.Helper()
	testkit.Require(t, k.Tools...)
	selected, err := registry.Select(backends.DefaultOptions(), k.Backend)
	if err != nil {
		t.Fatal(err)
	}
	l := &life{kernel: k, backend: selected[0], node: &node{t: t, Rig: testkit.New(t, testkit.Spec{
		NodeAddrs: []netip.Addr{netip.MustParseAddr(nodeAddr)}, Pods: []netip.Addr{netip.MustParseAddr(places["a"].address)},
		Ports: []testkit.Port{{Protocol: ir.UDP, Number: 5353}}, Local: ir.LocalDetector{Mode: ir.DetectNone},
	})}}
	if err := l.Do(func() (err error) { l.table, err = Open(); return err }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.table.Close)
	return l
}

// put puts a program's rules into the kernel. The jumps to them stay.
func (l *life) put(p *ir.Program) {
	l.t.Helper()
	if err := ir.Verify(p); err != nil {
		l.t.Fatal(err)
	}
	a, err := l.backend.Emit(p)
	if err != nil {
		l.t.Fatal(err)
	}
	err = l.kernel.Load(l.Rig, func(name string) []byte {
		if l.loaded && strings.HasSuffix(name, "-jumps.rules") {
			return nil
		}
		return a.File(name)
	})
	if err != nil {
		l.t.Fatal(err)
	}
	l.loaded = true
}

// begin creates flows from each frontend to each endpoint.
func (l *life) begin() {
	l.t.Helper()
	if err := l.FlushConntrack(); err != nil {
		l.t.Fatal(err)
	}
	for range 6 {
		var many []testkit.Flow
		for _, f := range fronts {
			many = append(many, slices.Repeat([]testkit.Flow{f}, 12)...)
		}
		if _, err := l.Try(l.t.Context(), many, testkit.Patience); err != nil {
			l.t.Fatal(err)
		}
		if now := l.reached(); len(now) == 3 && !slices.ContainsFunc(slices.Collect(maps.Values(now)), func(s string) bool { return s != "abc" }) {
			return
		}
	}
	l.t.Fatalf("the flows reach %v only", l.reached())
}

// reached returns the endpoints that the flows to each frontend reach.
func (l *life) reached() map[string]string {
	l.t.Helper()
	out := make(map[string]string)
	for _, f := range fronts {
		out[netip.AddrPortFrom(f.Dst, f.Port).String()] = ""
	}
	for _, f := range l.flows(ir.UDP) {
		for name, is := range places {
			if reached, ours := out[f.Dst.String()]; ours && f.ReplySrc.String() == is.address+":5353" && !strings.Contains(reached, name) {
				sorted := strings.Split(reached+name, "")
				slices.Sort(sorted)
				out[f.Dst.String()] = strings.Join(sorted, "")
			}
		}
	}
	return out
}

// TestLifeCycles runs the table in every kernel: with a process that follows all changes, and
// with a process that restarts at each step and knows only the connection tracking table.
func TestLifeCycles(t *testing.T) {
	config := objects.Config{DetectLocal: objects.DetectLocal{Mode: objects.DetectByNone}}
	for _, k := range testkit.Kernels() {
		t.Run(k.Name, func(t *testing.T) {
			t.Parallel()
			l := newLife(t, k)
			for _, c := range lifeCycles {
				for _, restarted := range []bool{false, true} {
					at := fmt.Sprintf("%s (restarted: %v)", c.name, restarted)
					x := compiler.NewIncremental(objectsOf("a b c"), "node-a", config)
					l.put(x.Program())
					l.begin()
					for i, s := range c.steps {
						d := x.Apply(updateTo(objectsOf(s.state)))
						l.put(x.Program())
						filters := Stale(d.Before, d.After)
						if restarted {
							filters = Stale(nil, x.Program())
						}
						l.remove(filters)
						for front, got := range l.reached() {
							if got != s.kept {
								t.Errorf("%s, step %d (%q): flows to %s reach %q and should reach %q", at, i+1, s.state, front, got, s.kept)
							}
						}
					}
				}
			}
		})
	}
	if len(lifeCycles) < 20 {
		t.Errorf("%d life cycles", len(lifeCycles))
	}
}
