package cilium_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/compiler/policy"
	"github.com/planec/planec/compiler/policy/clause"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/eval"
)

// small has the pods shop/web on node-a and shop/db, with a port named sql, on node-b, an
// API server on node-b and one outside of the cluster, and what the texts add: one object
// each.
func small(t testing.TB, texts ...string) *objects.Set {
	t.Helper()
	set := &objects.Set{Namespaces: []objects.Sourced[*corev1.Namespace]{sourced(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop", Labels: map[string]string{"env": "prod"}}})}}
	for i, name := range []string{"web", "db"} {
		n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: []string{"node-a", "node-b"}[i], Labels: map[string]string{"pool": "blue", "kubernetes.io/hostname": "x"}}}
		n.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: fmt.Sprintf("10.0.0.%d", i+1)}}
		set.Nodes = append(set.Nodes, sourced(n))
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "shop", Labels: map[string]string{"app": name, "pod-template-hash": "x"}}}
		p.Spec.NodeName = n.Name
		p.Spec.Containers = []corev1.Container{{Ports: []corev1.ContainerPort{{Name: "sql", ContainerPort: 5432, Protocol: corev1.ProtocolTCP}}}}[:i]
		p.Status.PodIPs = []corev1.PodIP{{IP: fmt.Sprintf("10.1.%d.10", i)}}
		set.Pods = append(set.Pods, sourced(p))
	}
	addSlice(set, "default", "kubernetes", "10.0.0.2", "203.0.113.6")
	for _, text := range texts {
		add(t, set, text)
	}
	return set
}

func addSlice(set *objects.Set, namespace, service string, addresses ...string) {
	s := &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Name: service, Namespace: namespace, Labels: map[string]string{discoveryv1.LabelServiceName: service}}}
	s.Endpoints = []discoveryv1.Endpoint{{Addresses: addresses}}
	set.EndpointSlices = append(set.EndpointSlices, sourced(s))
}

// add adds an object: a kind in the first line, then YAML. The rules of a policy may stand
// alone: then it is about web.
func add(t testing.TB, set *objects.Set, text string) {
	t.Helper()
	kind, text, _ := strings.Cut(text, "\n")
	meta := metav1.ObjectMeta{Name: kind, Namespace: "shop"}
	var into any
	switch kind {
	case "np", "specs":
		o := &ciliumv2.NetworkPolicy{ObjectMeta: meta, Spec: &ciliumv2.Rule{}}
		into, set.CiliumNetworkPolicies = o.Spec, append(set.CiliumNetworkPolicies, sourced(o))
		if kind == "specs" {
			o.Spec, into = nil, &o.Specs
		}
	case "cnp":
		o := &ciliumv2.ClusterwideNetworkPolicy{ObjectMeta: metav1.ObjectMeta{Name: kind}, Spec: &ciliumv2.Rule{}}
		into, set.CiliumClusterwideNetworkPolicies = o.Spec, append(set.CiliumClusterwideNetworkPolicies, sourced(o))
	case "group":
		o := &ciliumv2.CIDRGroup{ObjectMeta: metav1.ObjectMeta{Name: "partners", Labels: map[string]string{"kind": "partner"}}}
		into, set.CiliumCIDRGroups = &o.Spec, append(set.CiliumCIDRGroups, sourced(o))
	case "config":
		o := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "cilium-config", Namespace: "kube-system"}}
		into, set.CiliumConfigs = &o.Data, append(set.CiliumConfigs, sourced(o))
	case "service":
		o := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop"}}
		into, set.Services = o, append(set.Services, sourced(o))
	case "k8s":
		o := &networkingv1.NetworkPolicy{ObjectMeta: meta}
		into, set.NetworkPolicies = &o.Spec, append(set.NetworkPolicies, sourced(o))
	default:
		t.Fatalf("no kind %q", kind)
	}
	if err := yaml.UnmarshalStrict([]byte(text), into); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

const web = "endpointSelector: {matchLabels: {app: web}}\n"

func codes(diags diag.List) []string {
	var out []string
	for _, d := range diags {
		out = append(out, string(d.Code)+" "+d.Origin.Path)
	}
	return out
}

func TestDiagnostics(t *testing.T) {
	for _, tt := range []struct {
		name  string
		texts []string
		want  []string
	}{
		{"nothing to say", []string{"np\n" + web + "ingress: [{fromEndpoints: [{}]}]"}, nil},
		{"a refused policy", []string{"np\n" + web + "ingress: []"}, []string{"PLC0601 spec"}},
		{"one refused policy of two makes the object void", []string{"specs\n- endpointSelector: {}\n  ingress: [{fromEndpoints: [{}]}]\n- endpointSelector: {}\n  ingress: [{fromEntities: [x]}]"}, []string{"PLC0601 specs[1].ingress[0].fromEntities[0]"}},
		{"a refused group, which no policy finds then", []string{"group\nexternalCIDRs: [198.51.100.10]", "np\n" + web + "ingress: [{fromCIDRSet: [{cidrGroupRef: partners}]}]"}, []string{"PLC0680 spec.externalCIDRs[0]", "PLC0690 spec.ingress[0].fromCIDRSet[0]"}},
		{"entities that nothing tells", []string{"np\n" + web + "egress: [{toEntities: [health, host]}]"}, []string{"PLC0681 spec.egress[0].toEntities[0]"}},
		{"init pods as the subject", []string{"cnp\nendpointSelector: {matchLabels: {\"reserved:init\": \"\"}}\ningress: [{fromEntities: [all]}]"}, []string{"PLC0681 spec.endpointSelector"}},
		{"requests", []string{"np\n" + web + "ingress: [{toPorts: [{ports: [{port: \"80\", protocol: TCP}], rules: {http: [{method: GET}]}}]}]"}, []string{"PLC0682 spec.ingress[0].toPorts[0]"}},
		{"no requests", []string{"np\n" + web + "ingress: [{toPorts: [{ports: [{port: \"80\", protocol: TCP}], rules: {http: []}}]}]"}, nil},
		{"authentication", []string{"np\n" + web + "ingress: [{fromEndpoints: [{}], authentication: {mode: required}}]"}, []string{"PLC0682 spec.ingress[0].authentication"}},
		{"a name without addresses", []string{"np\n" + web + "egress: [{toFQDNs: [{matchName: a.example}]}]"}, []string{"PLC0683 spec.egress[0].toFQDNs[0]"}},
		{"a group of a cloud", []string{"np\n" + web + "egress: [{toGroups: [{aws: {region: x}}]}]"}, []string{"PLC0684 spec.egress[0].toGroups"}},
		{"a Service that is not there", []string{"np\n" + web + "egress: [{toServices: [{k8sService: {serviceName: a}}]}]"}, []string{"PLC0685 spec.egress[0].toServices[0]"}},
		{"an empty list that is everybody to Cilium", []string{"np\n" + web + "egress: [{toFQDNs: [], toPorts: [{ports: [{port: \"80\"}]}]}]"}, []string{"PLC0686 spec.egress[0].toFQDNs"}},
		{"type 0", []string{"np\n" + web + "ingress: [{icmps: [{fields: [{type: 0}]}]}]"}, []string{"PLC0686 spec.ingress[0].icmps[0].fields[0]"}},
		{"a range from port 0", []string{"np\n" + web + "ingress: [{toPorts: [{ports: [{port: \"0\", endPort: 9}]}]}]"}, []string{"PLC0686 spec.ingress[0].toPorts[0].ports[0]"}},
		{"options", []string{"config\n{policy-audit-mode: \"true\", enable-ipv6: maybe, enable-policy: default, debug: \"true\", policy-default-local-cluster: \"true\", labels: \"a [\"}"}, []string{"PLC0687 data.enable-ipv6", "PLC0687 data.labels", "PLC0687 data.policy-audit-mode"}},
		{"policies switched off", []string{"config\n{enable-policy: never}", "np\n" + web + "ingress: [{fromEndpoints: [{}]}]"}, []string{"PLC0687 data.enable-policy"}},
		{"a kind of policies switched off", []string{"config\n{enable-cilium-network-policy: \"false\"}", "np\n" + web + "ingress: [{fromEndpoints: [{}]}]"}, []string{"PLC0687 "}},
		{"nodes without the host firewall", []string{"cnp\nnodeSelector: {}\ningress: [{fromEntities: [cluster]}]"}, []string{"PLC0688 spec.nodeSelector"}},
		{"labels that are dropped", []string{"np\nendpointSelector: {matchLabels: {pod-template-hash: x}}\ningress: [{fromEndpoints: [{matchExpressions: [{key: kubernetes.io/x, operator: DoesNotExist}]}]}]"}, []string{"PLC0689 spec.endpointSelector", "PLC0689 spec.ingress[0].fromEndpoints[0]"}},
		{"labels that are kept", []string{"config\n{labels: \"k8s:app k8s:kubernetes.io/x k8s:io.kubernetes.pod.namespace\"}", "np\nendpointSelector: {matchLabels: {kubernetes.io/x: x}}\ningress: [{fromEndpoints: [{matchLabels: {other: x}}]}]"}, []string{"PLC0689 spec.ingress[0].fromEndpoints[0]"}},
		{"a group that is not there", []string{"np\n" + web + "ingress: [{fromCIDRSet: [{cidrGroupRef: gone}]}]"}, []string{"PLC0690 spec.ingress[0].fromCIDRSet[0]"}},
		{"an empty rule", []string{"np\n" + web + "ingress: [{}]"}, []string{"PLC0691 spec.ingress[0]"}},
		{"another namespace", []string{"np\nendpointSelector: {matchLabels: {\"k8s:io.kubernetes.pod.namespace\": pay}}\ningress: [{fromEndpoints: [{}]}]"}, []string{"PLC0692 spec.endpointSelector"}},
		{"a name that no pod has for a port", []string{"np\n" + web + "ingress: [{toPorts: [{ports: [{port: metrics}]}]}]"}, []string{"PLC0605 spec.ingress[0].toPorts[0].ports[0]"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, diags := policy.Analyze(small(t, tt.texts...), policy.Settings{})
			if diff := cmp.Diff(tt.want, codes(diags)); diff != "" {
				t.Errorf("(-want +got):\n%s%v", diff, diags)
			}
		})
	}
}

// lowered is the program of a node, of its policies alone.
func lowered(model *policy.Model, node string) *ir.Program {
	p := &ir.Program{Node: ir.Node{Name: node, Local: ir.LocalDetector{Mode: ir.DetectNone}}}
	model.Lower(node, ir.Drop, nil, p, &diag.List{})
	p.Normalize()
	return p
}

// asked says what web's policies say of a packet that it sends to an address, or gets from
// one; "own" is web's own node.
func asked(t *testing.T, set *objects.Set, settings policy.Settings, d ir.Direction, peer string, q eval.Transport) bool {
	t.Helper()
	model, _ := policy.Analyze(set, settings)
	p := lowered(model, "node-a")
	if err := ir.Verify(p); err != nil {
		t.Fatal(err)
	}
	e, pod := eval.New(p), netip.MustParseAddr("10.1.0.10")
	if peer == "own" {
		out, _ := e.JudgeOwn(pod, q)
		return out.Accept
	}
	out, _ := e.Judge(d, pod, netip.MustParseAddr(peer), q)
	return out.Accept
}

// TestVerdicts asks what the tables of others do not: options of planec, and where planec
// differs from Cilium.
func TestVerdicts(t *testing.T) {
	tcp := func(port uint16) eval.Transport { return eval.Transport{Protocol: ir.TCP, Port: port} }
	echo := func(kind uint8) eval.Transport {
		return eval.Transport{Protocol: ir.ICMP, Port: ir.TypeAndCode(kind, 0)}
	}
	const (
		ports80 = "toPorts: [{ports: [{port: \"80\"}]}]"
		http    = "toPorts: [{ports: [{port: \"80\", protocol: TCP}], rules: {http: [{method: GET}]}}]"
	)
	known := policy.Settings{Settings: clause.Settings{Domains: map[string][]netip.Addr{
		"api.example.com": {netip.MustParseAddr("192.0.2.1")}, "a.b.example.com.": {netip.MustParseAddr("192.0.2.2")}, "in.example.com": {netip.MustParseAddr("10.1.1.10")},
	}}}
	for _, tt := range []struct {
		name     string
		texts    []string
		settings policy.Settings
		d        ir.Direction
		yes, no  map[string]eval.Transport
	}{
		{
			"a DNS name, in any case",
			[]string{"np\n" + web + "egress: [{toFQDNs: [{matchName: API.example.com}]}]"},
			known, ir.Egress,
			map[string]eval.Transport{"192.0.2.1": tcp(1)},
			map[string]eval.Transport{"192.0.2.2": tcp(1), "192.0.2.3": tcp(1)},
		},
		{
			"a pattern of one label, which finds no pod",
			[]string{"np\n" + web + "egress: [{toFQDNs: [{matchPattern: \"*.example.com\"}]}]"},
			known, ir.Egress,
			map[string]eval.Transport{"192.0.2.1": tcp(1)},
			map[string]eval.Transport{"192.0.2.2": tcp(1), "10.1.1.10": tcp(1)},
		},
		{
			"a pattern of any labels",
			[]string{"np\n" + web + "egress: [{toFQDNs: [{matchPattern: \"**.example.com\"}]}]"},
			known, ir.Egress,
			map[string]eval.Transport{"192.0.2.1": tcp(1), "192.0.2.2": tcp(1)},
			nil,
		},
		{
			"a redirect is denied",
			[]string{"np\n" + web + "ingress: [{" + http + "}]"},
			policy.Settings{},
			ir.Ingress,
			nil,
			map[string]eval.Transport{"10.1.1.10": tcp(80), "own": tcp(80)},
		},
		{
			"or accepted, if the settings say so",
			[]string{"np\n" + web + "ingress: [{" + http + "}]"},
			policy.Settings{OnRedirect: ir.Accept},
			ir.Ingress,
			map[string]eval.Transport{"10.1.1.10": tcp(80), "own": tcp(443)},
			map[string]eval.Transport{"192.0.2.1": tcp(443)},
		},
		{
			"authentication that always fails is a denial whatever the settings",
			[]string{"np\n" + web + "ingress: [{authentication: {mode: test-always-fail}, fromEndpoints: [{}]}, {fromEntities: [all]}]"},
			policy.Settings{OnRedirect: ir.Accept},
			ir.Ingress,
			map[string]eval.Transport{"192.0.2.1": tcp(80)},
			map[string]eval.Transport{"10.1.1.10": tcp(80)},
		},
		{
			"and also where another rule of fewer ports hands the connection to a proxy",
			[]string{"np\n" + web + "ingress: [{authentication: {mode: test-always-fail}, fromEndpoints: [{}]}, {fromEndpoints: [{}], " + http + "}]"},
			policy.Settings{OnRedirect: ir.Accept},
			ir.Ingress,
			nil,
			map[string]eval.Transport{"10.1.1.10": tcp(80)},
		},
		{
			"what one peer need not prove, of all that the others must",
			[]string{"np\n" + web + "ingress: [{authentication: {mode: disabled}, fromEndpoints: [{}]}, {authentication: {mode: required}, fromEntities: [all]}]"},
			policy.Settings{},
			ir.Ingress,
			map[string]eval.Transport{"10.1.1.10": tcp(80)},
			map[string]eval.Transport{"192.0.2.1": tcp(80)},
		},
		{
			"but on the port that everybody must",
			[]string{"np\n" + web + "ingress: [{authentication: {mode: disabled}, fromEndpoints: [{}]}, {authentication: {mode: required}, toPorts: [{ports: [{port: \"50\", endPort: 90, protocol: TCP}]}]}]"},
			policy.Settings{},
			ir.Ingress,
			map[string]eval.Transport{"10.1.1.10": tcp(443)},
			map[string]eval.Transport{"10.1.1.10": tcp(80), "192.0.2.1": tcp(80)},
		},
		{
			"an echo reply alone, where Cilium allows every type",
			[]string{"np\n" + web + "ingress: [{icmps: [{fields: [{type: EchoReply}]}]}]"},
			policy.Settings{},
			ir.Ingress,
			map[string]eval.Transport{"192.0.2.1": echo(0)},
			map[string]eval.Transport{"10.1.1.10": echo(8)},
		},
		{
			"every type denied, as Cilium has it",
			[]string{"np\n" + web + "ingressDeny: [{icmps: [{fields: [{type: 0}]}]}]\nenableDefaultDeny: {ingress: false}"},
			policy.Settings{},
			ir.Ingress,
			map[string]eval.Transport{"192.0.2.1": tcp(1)},
			map[string]eval.Transport{"10.1.1.10": echo(8)},
		},
		{
			"a range from 0 keeps its end",
			[]string{"np\n" + web + "ingress: [{toPorts: [{ports: [{port: \"0\", endPort: 99}]}]}]"},
			policy.Settings{},
			ir.Ingress,
			map[string]eval.Transport{"10.1.1.10": tcp(99)},
			map[string]eval.Transport{"192.0.2.1": tcp(100)},
		},
		{
			"no Service, no peer",
			[]string{"np\n" + web + "egress: [{toServices: [{k8sService: {serviceName: gone}}], " + ports80 + "}]"},
			policy.Settings{},
			ir.Egress,
			nil,
			map[string]eval.Transport{"10.1.1.10": tcp(80), "192.0.2.1": tcp(80)},
		},
		{
			"a denied Service",
			[]string{"service\nmetadata: {name: back}\nspec: {selector: {app: db}}", "np\n" + web + "egress: [{toEntities: [all]}]\negressDeny: [{toServices: [{k8sService: {serviceName: back}}]}]"},
			policy.Settings{},
			ir.Egress,
			map[string]eval.Transport{"192.0.2.1": tcp(80)},
			map[string]eval.Transport{"10.1.1.10": tcp(80)},
		},
		{
			"empty lists that deny deny everybody",
			[]string{"np\n" + web + "egress: [{toEntities: [all]}]\negressDeny: [{toServices: [], " + ports80 + "}]"},
			policy.Settings{},
			ir.Egress,
			map[string]eval.Transport{"192.0.2.1": tcp(81)},
			map[string]eval.Transport{"10.1.1.10": tcp(80)},
		},
		{
			"a world without the API server outside",
			[]string{"cnp\nendpointSelector: {}\negress: [{toEndpoints: [{matchExpressions: [{key: \"reserved:kube-apiserver\", operator: DoesNotExist}]}]}]"},
			policy.Settings{},
			ir.Egress,
			map[string]eval.Transport{"192.0.2.1": tcp(1), "10.1.1.10": tcp(1), "10.0.0.1": tcp(1)},
			map[string]eval.Transport{"203.0.113.6": tcp(1), "10.0.0.2": tcp(1)},
		},
		{
			"enable-policy always, where no rule of ingress selects",
			[]string{"config\n{enable-policy: always}"},
			policy.Settings{},
			ir.Ingress,
			nil,
			map[string]eval.Transport{"own": tcp(1), "192.0.2.1": tcp(1)},
		},
		{
			"the own node gets in where a NetworkPolicy does",
			[]string{"config\n{enable-policy: always}", "k8s\npodSelector: {}\npolicyTypes: [Ingress]"},
			policy.Settings{},
			ir.Ingress,
			map[string]eval.Transport{"own": tcp(1)},
			map[string]eval.Transport{"192.0.2.1": tcp(1)},
		},
		{
			"a NetworkPolicy beside: what either allows",
			[]string{"k8s\npodSelector: {}\npolicyTypes: [Ingress]", "np\n" + web + "ingress: [{fromEntities: [world]}]"},
			policy.Settings{},
			ir.Ingress,
			map[string]eval.Transport{"192.0.2.1": tcp(1)},
			map[string]eval.Transport{"10.1.1.10": tcp(1)},
		},
		{
			"a NetworkPolicy in a tier of its own",
			[]string{"k8s\npodSelector: {}\npolicyTypes: [Ingress]", "np\n" + web + "ingress: [{fromEntities: [world]}]"},
			policy.Settings{Settings: clause.Settings{Separate: true}},
			ir.Ingress,
			nil,
			map[string]eval.Transport{"192.0.2.1": tcp(1)},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for want, packets := range map[bool]map[string]eval.Transport{true: tt.yes, false: tt.no} {
				for peer, q := range packets {
					if got := asked(t, small(t, tt.texts...), tt.settings, tt.d, peer, q); got != want {
						t.Errorf("%s %v: %v, want %v", peer, q, got, want)
					}
				}
			}
		})
	}
}

// TestManyNumbers closes a direction whose named ports would stand for too many rules.
func TestManyNumbers(t *testing.T) {
	rule := "{toEntities: [all], toPorts: [{ports: [{port: sql}]}]}"
	set := small(t, "np\n"+web+"egress: ["+strings.Repeat(rule+", ", 100)+rule+"]\ningress: [{fromEntities: [all]}]")
	for i := range 200 {
		p := set.Pods[1].Object.DeepCopy()
		p.Name, p.Status.PodIPs[0].IP, p.Spec.Containers[0].Ports[0].ContainerPort = fmt.Sprintf("p%d", i), fmt.Sprintf("10.2.0.%d", i), int32(i+1)
		set.Pods = append(set.Pods, sourced(p))
	}
	_, diags := policy.Analyze(set, policy.Settings{})
	if len(diags) != 1 || diags[0].Code != diag.PolicyBudget {
		t.Fatalf("%v", diags)
	}
	if q := (eval.Transport{Protocol: ir.TCP, Port: 5432}); asked(t, set, policy.Settings{}, ir.Egress, "10.1.1.10", q) || !asked(t, set, policy.Settings{}, ir.Ingress, "10.1.1.10", q) {
		t.Error("egress is open, or ingress closed")
	}
}

// TestPodsWithoutNode have no own node: no node is their host, and every node a remote one.
func TestPodsWithoutNode(t *testing.T) {
	for entity, want := range map[string]bool{"host": false, "remote-node": true} {
		set := small(t, "np\n"+web+"egress: [{toEntities: ["+entity+"]}]")
		set.Pods[0].Object.Spec.NodeName = ""
		model, _ := policy.Analyze(set, policy.Settings{})
		out, _ := eval.New(lowered(model, "")).Judge(ir.Egress, netip.MustParseAddr("10.1.0.10"), netip.MustParseAddr("10.0.0.1"), eval.Transport{Protocol: ir.TCP, Port: 1})
		if out.Accept != want {
			t.Errorf("%s: %v", entity, out)
		}
	}
}
