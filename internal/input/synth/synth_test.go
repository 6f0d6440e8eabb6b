package synth_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/internal/input/synth"
	"github.com/planec/planec/ir/diag"
)

func load(t *testing.T, text string) objects.Set {
	t.Helper()
	set, diags, err := manifest.Load(t.Context(), manifest.Options{Paths: []string{"-"}, Stdin: strings.NewReader(text), Workloads: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range diags {
		if d.Severity() != diag.Info {
			t.Error(d)
		}
	}
	return set
}

// app is a Deployment of two pods and its Service; every tenth is reached from
// outside, every seventh has both families.
func app(i int) string {
	kind := []string{"ClusterIP", "ClusterIP", "ClusterIP", "ClusterIP", "LoadBalancer", "ClusterIP", "ClusterIP", "ClusterIP", "ClusterIP", "NodePort"}[i%10]
	policy := "SingleStack"
	if i%7 == 0 {
		policy = "PreferDualStack"
	}
	return fmt.Sprintf(`---
apiVersion: apps/v1
kind: Deployment
metadata: {name: app-%[1]d, namespace: ns-%[2]d}
spec:
  replicas: 2
  selector: {matchLabels: {app: app-%[1]d}}
  template:
    metadata: {labels: {app: app-%[1]d}}
    spec: {containers: [{name: c, ports: [{name: http, containerPort: %[5]d}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: app-%[1]d, namespace: ns-%[2]d}
spec:
  type: %[3]s
  ipFamilyPolicy: %[4]s
  selector: {app: app-%[1]d}
  ports: [{port: 80, targetPort: http}]
`, i, i%10, kind, policy, 8000+i)
}

func apps(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(app(i))
	}
	return b.String()
}

// TestOneMoreMovesNothing adds one Deployment with its Service to 500, many
// times, and counts which others changed: none, unless the new one names a place
// that is taken, for which the package's documentation gives the chance.
func TestOneMoreMovesNothing(t *testing.T) {
	before := texts(synth.Complete(ptr(load(t, apps(500))), synth.Options{}).Set)
	moved := 0
	const additions = 20
	for i := range additions {
		after := texts(synth.Complete(ptr(load(t, apps(500)+app(1000+i))), synth.Options{}).Set)
		for name, text := range before {
			if after[name] != text {
				moved++
				t.Logf("addition %d moved %s", i, name)
			}
		}
		if more := len(after) - len(before); more != 4 && more != 5 {
			t.Errorf("addition %d made %d objects: want a Service, its slices and two Pods", i, more)
		}
	}
	// Two of the twenty have a nodePort, in a range where 100 of 2768 are taken;
	// all else has one chance in a thousand. None happens with these names.
	if moved > 0 {
		t.Errorf("%d objects moved in %d additions", moved, additions)
	}
}

func ptr[T any](v T) *T { return &v }

// texts are the objects by kind and name, without their places in the input.
func texts(s objects.Set) map[string]string {
	out := make(map[string]string)
	collect(out, "Service", s.Services)
	collect(out, "EndpointSlice", s.EndpointSlices)
	collect(out, "Pod", s.Pods)
	collect(out, "Node", s.Nodes)
	collect(out, "Namespace", s.Namespaces)
	collect(out, "ServiceCIDR", s.ServiceCIDRs)
	return out
}

func collect[T interface {
	objects.Meta
	fmt.Stringer
}](out map[string]string, kind string, list []objects.Sourced[T],
) {
	for _, o := range list {
		out[kind+" "+o.Object.GetNamespace()+"/"+o.Object.GetName()] = o.Object.String()
	}
}

// TestOrderDoesNotMatter shuffles the input.
func TestOrderDoesNotMatter(t *testing.T) {
	in := load(t, apps(60))
	want := texts(synth.Complete(&in, synth.Options{}).Set)
	for seed := range uint64(10) {
		r := rand.New(rand.NewPCG(seed, 1))
		shuffled := in
		shuffled.Services, shuffled.Workloads = slices.Clone(in.Services), slices.Clone(in.Workloads)
		r.Shuffle(len(shuffled.Services), func(i, j int) {
			shuffled.Services[i], shuffled.Services[j] = shuffled.Services[j], shuffled.Services[i]
		})
		r.Shuffle(len(shuffled.Workloads), func(i, j int) {
			shuffled.Workloads[i], shuffled.Workloads[j] = shuffled.Workloads[j], shuffled.Workloads[i]
		})
		if d := gocmp.Diff(want, texts(synth.Complete(&shuffled, synth.Options{}).Set)); d != "" {
			t.Fatalf("seed %d: %s", seed, d)
		}
	}
}

// TestNothingIsGivenTwice fills small ranges to the brim.
func TestNothingIsGivenTwice(t *testing.T) {
	o := synth.Options{PodCIDRs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/19")}, ServiceCIDRs: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/23")}}
	r := synth.Complete(ptr(load(t, apps(400))), o)
	for _, d := range r.Diagnostics {
		t.Error(d)
	}
	seen := make(map[string]string)
	take := func(what, name string) {
		if other, taken := seen[what]; taken {
			t.Errorf("%s is of %s and %s", what, other, name)
		}
		seen[what] = name
	}
	for _, s := range r.Set.Services {
		if s.Object.Spec.ClusterIP == "" {
			t.Errorf("%s has no ClusterIP", s.Object.Name)
		}
		for _, ip := range s.Object.Spec.ClusterIPs {
			take(ip, s.Object.Name)
		}
		for _, p := range s.Object.Spec.Ports {
			if p.NodePort != 0 {
				take(fmt.Sprint(p.NodePort), s.Object.Name)
			}
		}
	}
	for _, p := range r.Set.Pods {
		take(p.Object.Status.PodIP, p.Object.Name)
	}
}

// TestGivenIsKept: addresses, slices, Pods and Nodes of the input stay, and
// no other gets them.
func TestGivenIsKept(t *testing.T) {
	const text = `
apiVersion: v1
kind: Node
metadata: {name: real, labels: {topology.kubernetes.io/zone: z}}
spec: {podCIDRs: [10.9.0.0/24]}
status: {addresses: [{type: InternalIP, address: 172.16.0.1}]}
---
apiVersion: v1
kind: Service
metadata: {name: given, namespace: shop}
spec: {clusterIP: 10.96.5.5, type: NodePort, selector: {app: given}, ports: [{port: 80, nodePort: 30080}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: given-abc, namespace: shop, labels: {kubernetes.io/service-name: given}}
addressType: IPv4
endpoints: [{addresses: [10.9.0.7]}]
ports: [{name: "", port: 8080}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: given, namespace: shop}
spec: {replicas: 3, selector: {matchLabels: {app: given}}, template: {metadata: {labels: {app: given}}}}
---
apiVersion: v1
kind: Pod
metadata: {name: given-xyz, namespace: shop, labels: {app: given}}
spec: {nodeName: real}
status: {podIP: 10.9.0.7}
`
	in := load(t, text)
	r := synth.Complete(&in, synth.Options{})
	if len(r.Set.Pods) != 1 || len(r.Set.Nodes) != 1 || len(r.Set.EndpointSlices) != 1 || r.Set.Services[0] != in.Services[0] {
		t.Errorf("what was given changed: %v", texts(r.Set))
	}
	if made := texts(r.Made); len(made) != 2 { // the Namespace and the ServiceCIDR
		t.Errorf("made %v", made)
	}
}

// TestMade shows one of everything.
func TestMade(t *testing.T) {
	const text = `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec:
  replicas: 2
  template:
    metadata: {labels: {app: db}}
    spec:
      initContainers: [{name: side, restartPolicy: Always, ports: [{name: admin, containerPort: 9000}]}]
      containers: [{name: c, ports: [{name: sql, containerPort: 5432}]}]
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: shop}
spec: {template: {metadata: {labels: {app: agent}}, spec: {hostNetwork: true}}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly, namespace: shop}
spec: {jobTemplate: {spec: {template: {metadata: {labels: {app: nightly}}}}}}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {clusterIP: None, publishNotReadyAddresses: true, selector: {app: db}, ports: [{name: a, port: 1, targetPort: sql}, {name: b, port: 2, targetPort: admin}, {name: c, port: 3, targetPort: nobody}]}
---
apiVersion: v1
kind: Service
metadata: {name: edge, namespace: shop}
spec: {type: LoadBalancer, ipFamilyPolicy: RequireDualStack, ipFamilies: [IPv6, IPv4], externalTrafficPolicy: Local, selector: {app: db}, ports: [{port: 80}]}
`
	r := synth.Complete(ptr(load(t, text)), synth.Options{})
	var names []string
	for _, p := range r.Set.Pods {
		names = append(names, p.Object.Name)
		if p.Object.Labels[synth.Label] != "true" || p.Line == 0 || p.File == "" {
			t.Errorf("pod %s does not say what it is: %v %s:%d", p.Object.Name, p.Object.Labels, p.File, p.Line)
		}
	}
	slices.Sort(names)
	if want := []string{"agent-node-1", "agent-node-2", "agent-node-3", "db-0", "db-1", "nightly-0"}; !slices.Equal(names, want) {
		t.Errorf("pods are %v", names)
	}
	for _, s := range r.Set.EndpointSlices {
		if s.Object.Name == "db-ipv4" {
			if ports := s.Object.Ports; len(ports) != 2 || *ports[0].Port != 5432 || *ports[1].Port != 9000 {
				t.Errorf("ports of the headless slice: %v", ports)
			}
		}
	}
	if len(r.Set.EndpointSlices) != 3 {
		t.Errorf("%d slices", len(r.Set.EndpointSlices))
	}
	i := slices.IndexFunc(r.Set.Services, func(s objects.Sourced[*corev1.Service]) bool { return s.Object.Name == "edge" })
	edge := r.Set.Services[i].Object
	if ips := edge.Spec.ClusterIPs; len(ips) != 2 || !strings.Contains(ips[0], ":") || len(edge.Status.LoadBalancer.Ingress) != 2 {
		t.Errorf("addresses of edge: %v %v", ips, edge.Status.LoadBalancer.Ingress)
	}
	if edge.Spec.Ports[0].NodePort < 30000 || edge.Spec.HealthCheckNodePort < 30000 {
		t.Errorf("ports of edge: %+v", edge.Spec)
	}
}

// TestHugeNumbersAreBounded: a number in a file is not a number of objects.
func TestHugeNumbersAreBounded(t *testing.T) {
	const text = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: a}
spec: {replicas: 2000000000, template: {metadata: {labels: {app: a}}}}
`
	r := synth.Complete(ptr(load(t, text)), synth.Options{})
	if len(r.Set.Pods) != 1000 || len(r.Diagnostics) != 1 || r.Diagnostics[0].Code != diag.SynthLimit {
		t.Errorf("%d pods, %v", len(r.Set.Pods), r.Diagnostics)
	}
}

// TestAnotherNodeMovesFew: a pod moves only to the node that came.
func TestAnotherNodeMovesFew(t *testing.T) {
	in := load(t, apps(100))
	where := func(nodes int) map[string]string {
		out := make(map[string]string)
		for _, p := range synth.Complete(&in, synth.Options{Nodes: nodes}).Set.Pods {
			out[p.Object.Namespace+"/"+p.Object.Name] = p.Object.Spec.NodeName + " " + p.Object.Status.PodIP
		}
		return out
	}
	three, four := where(3), where(4)
	stayed := 0
	for name, at := range three {
		if four[name] == at {
			stayed++
		}
	}
	if stayed < len(three)/3 || cmp.Compare(stayed, len(three)) == 0 {
		t.Errorf("%d of %d stayed", stayed, len(three))
	}
}
