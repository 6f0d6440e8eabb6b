package calico_test

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
	"github.com/planec/planec/compiler/objects/calicov3"
	"github.com/planec/planec/compiler/policy"
	"github.com/planec/planec/compiler/policy/clause"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/eval"
)

// small has a pod web on node-a, a pod db with a port named sql on node-b, and what the
// texts add: one object each, of a kind of Calico.
func small(t *testing.T, texts ...string) *objects.Set {
	t.Helper()
	set := &objects.Set{Namespaces: []objects.Sourced[*corev1.Namespace]{sourced(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}})}}
	for i, name := range []string{"web", "db"} {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "shop", Labels: map[string]string{"app": name}}}
		p.Spec.NodeName = []string{"node-a", "node-b"}[i]
		p.Spec.Containers = []corev1.Container{{Ports: []corev1.ContainerPort{{Name: "sql", ContainerPort: 5432, Protocol: corev1.ProtocolTCP}}}}[:i]
		p.Status.PodIPs = []corev1.PodIP{{IP: fmt.Sprintf("10.1.%d.10", i)}}
		set.Pods = append(set.Pods, sourced(p))
	}
	for _, text := range texts {
		add(t, set, text)
	}
	return set
}

func add(t *testing.T, set *objects.Set, text string) {
	t.Helper()
	kind, text, _ := strings.Cut(text, "\n")
	var into any
	switch kind {
	case "np":
		o := &calicov3.NetworkPolicy{}
		into, set.CalicoNetworkPolicies = o, append(set.CalicoNetworkPolicies, sourced(o))
	case "gnp":
		o := &calicov3.GlobalNetworkPolicy{}
		into, set.CalicoGlobalNetworkPolicies = o, append(set.CalicoGlobalNetworkPolicies, sourced(o))
	case "tier":
		o := &calicov3.Tier{}
		into, set.CalicoTiers = o, append(set.CalicoTiers, sourced(o))
	case "set":
		o := &calicov3.NetworkSet{}
		into, set.CalicoNetworkSets = o, append(set.CalicoNetworkSets, sourced(o))
	default:
		t.Fatalf("no kind %q", kind)
	}
	if err := yaml.UnmarshalStrict([]byte(text), into); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

const named = "metadata: {name: p, namespace: shop}\nspec:\n  types: [Ingress, Egress]\n  "

func TestDiagnostics(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"a refused policy", "np\n" + named + "selector: app = 'web'", []string{"PLC0601 spec.selector"}},
		{"a tier that is not there", "np\n" + named + "tier: ghost", []string{"PLC0660 spec.tier"}},
		{"a refused tier", "tier\nmetadata: {name: a.b}\nspec: {}", []string{"PLC0661 metadata.name"}},
		{"a refused set", "set\nmetadata: {name: a, namespace: shop}\nspec: {nets: [here]}", []string{"PLC0661 spec.nets[0]"}},
		{"hosts alone", "gnp\nmetadata: {name: p}\nspec: {preDNAT: true, applyOnForward: true, types: [Ingress]}", []string{"PLC0662 spec"}},
		{"forwarded packets", "gnp\nmetadata: {name: p}\nspec: {applyOnForward: true, types: [Ingress]}", nil},
		{"requests", "np\n" + named + "ingress: [{action: Allow, http: {methods: [GET]}}]", []string{"PLC0663 spec.ingress[0]"}},
		{"a Service that is not there", "np\n" + named + "egress: [{action: Allow, destination: {services: {name: a, namespace: b}}}]", []string{"PLC0664 spec.egress[0]"}},
		{"a Service without a namespace", "np\n" + named + "egress: [{action: Allow, destination: {services: {name: a}}}]", []string{"PLC0665 spec.egress[0]"}},
		{"service accounts of all", "np\n" + named + "ingress: [{action: Allow, source: {serviceAccounts: {}}}]", []string{"PLC0666 spec.ingress[0]"}},
		{"a port that no pod has", "np\n" + named + "ingress: [{action: Allow, protocol: TCP, destination: {ports: [sql, none]}}]", []string{"PLC0605 spec.ingress[0]"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, diags := policy.Analyze(small(t, tt.text), policy.Settings{})
			var got []string
			for _, d := range diags {
				got = append(got, string(d.Code)+" "+d.Origin.Path)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// judge returns what the policies of a set say of TCP from web to db: of the side of
// either.
func judge(set *objects.Set, settings policy.Settings, port uint16) (egress, ingress eval.Decision) {
	model, _ := policy.Analyze(set, settings)
	at := func(node string, d ir.Direction, pod, peer string) eval.Decision {
		out, _ := eval.New(lowered(model, node)).Judge(d, netip.MustParseAddr(pod), netip.MustParseAddr(peer), eval.Transport{Protocol: ir.TCP, Port: port})
		return out
	}
	return at("node-a", ir.Egress, "10.1.0.10", "10.1.1.10"), at("node-b", ir.Ingress, "10.1.1.10", "10.1.0.10")
}

// TestServiceWithoutNamespace allows nothing by it, and denies the policy's own Service.
func TestServiceWithoutNamespace(t *testing.T) {
	for action, want := range map[string]bool{"Allow": false, "Deny": false} {
		set := small(t, "np\n"+named+"egress: [{action: "+action+", destination: {services: {name: back}}}, {action: Pass, destination: {nets: [10.9.0.0/16]}}]",
			"np\nmetadata: {name: q, namespace: shop}\nspec: {types: [Egress], egress: [{action: "+map[string]string{"Allow": "Deny", "Deny": "Allow"}[action]+"}]}")
		port, tcp := int32(5432), corev1.ProtocolTCP
		set.EndpointSlices = append(set.EndpointSlices, sourced(&discoveryv1.EndpointSlice{
			ObjectMeta: metav1.ObjectMeta{Name: "back-1", Namespace: "shop", Labels: map[string]string{discoveryv1.LabelServiceName: "back"}},
			Endpoints:  []discoveryv1.Endpoint{{Addresses: []string{"10.1.1.10"}}}, Ports: []discoveryv1.EndpointPort{{Port: &port, Protocol: &tcp}},
		}))
		if egress, _ := judge(set, policy.Settings{}, 5432); egress.Accept != want {
			t.Errorf("%s: %v", action, egress)
		}
	}
}

// TestManyNumbers closes a direction whose named ports would stand for too many rules.
func TestManyNumbers(t *testing.T) {
	const allow = "[{action: Allow}]"
	closesEgress(t, 200, "egress: [{action: Allow, protocol: TCP, destination: {ports: [sql], notPorts: [sql]}}, {action: Allow}]\n  ingress: "+allow)
	set := cluster(t, 40, "ingress: [{action: Allow, source: {ports: [sql]}}]\n  egress: "+allow)
	if egress, ingress := judge(set, policy.Settings{}, 80); !egress.Accept || ingress.Accept {
		t.Errorf("source ports: egress %v, ingress %v", egress, ingress)
	}
}

// cluster has n pods with a port of one name, each with another number, and a policy.
func cluster(t *testing.T, n int, rules string) *objects.Set {
	t.Helper()
	set := small(t, "np\n"+named+rules)
	for i := range n {
		p := set.Pods[1].Object.DeepCopy()
		p.Name, p.Status.PodIPs[0].IP, p.Spec.Containers[0].Ports[0].ContainerPort = fmt.Sprintf("p%d", i), fmt.Sprintf("10.2.0.%d", i), int32(i+1)
		set.Pods = append(set.Pods, sourced(p))
	}
	_, diags := policy.Analyze(set, policy.Settings{})
	if len(diags) != 1 || diags[0].Code != diag.PolicyBudget {
		t.Fatalf("%v", diags)
	}
	return set
}

func closesEgress(t *testing.T, n int, rules string) {
	t.Helper()
	set := cluster(t, n, rules)
	if egress, ingress := judge(set, policy.Settings{}, 80); egress.Accept || !ingress.Accept {
		t.Errorf("egress %v, ingress %v", egress, ingress)
	}
}

// TestSeparate keeps a NetworkPolicy of Kubernetes in a tier of its own: what it
// isolates, no Allow of Calico behind it opens.
func TestSeparate(t *testing.T) {
	for separate, want := range map[bool]bool{false: true, true: false} {
		set := small(t, "np\nmetadata: {name: p, namespace: shop}\nspec: {types: [Ingress], order: 3000, ingress: [{action: Allow}]}")
		np := &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Name: "k", Namespace: "shop"}}
		np.Spec.PolicyTypes = []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}
		set.NetworkPolicies = append(set.NetworkPolicies, sourced(np))
		_, ingress := judge(set, policy.Settings{Settings: clause.Settings{Separate: separate}}, 80)
		if ingress.Accept != want {
			t.Errorf("separate %v: %v", separate, ingress)
		}
	}
}
