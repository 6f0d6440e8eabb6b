package manifest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"

	"github.com/planec/planec/compiler/objects"
)

const (
	npA  = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a}\n"
	cnpA = "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: a}\n"
	anpA = "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: {name: a}\n"
	banp = "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: BaselineAdminNetworkPolicy\nmetadata: {name: default}\n"
)

func TestLoadPolicies(t *testing.T) {
	empty := "warning PLC0007: there is nothing to compile"
	tests := []struct {
		name, text string
		objects    []string
		diags      []string
	}{
		{
			name:    "kinds and scopes",
			text:    npA + "---\n" + cnpA + "spec: {priority: 0}\n---\n" + strings.Replace(anpA, "a}", "a.b, namespace: ignored}", 1) + "spec: {priority: 1}\n---\n" + banp,
			objects: []string{"1 NetworkPolicy default/a", "10 AdminNetworkPolicy a.b", "15 BaselineAdminNetworkPolicy default", "5 ClusterNetworkPolicy a"},
		},
		{
			name: "lists",
			text: "kind: NetworkPolicyList\napiVersion: networking.k8s.io/v1\nitems:\n- metadata: {name: a, namespace: x}\n---\n" +
				`{"kind":"List","apiVersion":"v1","items":[{"kind":"BaselineAdminNetworkPolicyList","apiVersion":"policy.networking.k8s.io/v1alpha1","items":[` + "\n" + `{"metadata":{"name":"default"}}]}]}` + "\n---\n" +
				"kind: ClusterNetworkPolicyList\napiVersion: policy.networking.k8s.io/v1alpha2\nitems:\n- metadata: {name: c}\n  spec:\n    priority: 1\n- metadata: {name: d}\n  spec: {priority: 1}\n",
			objects: []string{"12 ClusterNetworkPolicy c", "15 ClusterNetworkPolicy d", "4 NetworkPolicy x/a", "7 BaselineAdminNetworkPolicy default"},
		},
		{
			name: "other versions, and kinds of others with the same name",
			text: "kind: NetworkPolicy\napiVersion: extensions/v1beta1\n---\nkind: NetworkPolicy\napiVersion: networking.k8s.io/v2\n---\nkind: ClusterNetworkPolicy\napiVersion: policy.networking.k8s.io/v1alpha1\n---\n" +
				"kind: AdminNetworkPolicy\napiVersion: policy.networking.k8s.io/v1alpha2\n---\nkind: BaselineAdminNetworkPolicy\napiVersion: policy.networking.k8s.io/v1\n---\nkind: NetworkPolicy\napiVersion: crd.antrea.io/v1beta1\n---\nkind: Service\napiVersion: extensions/v1beta1\n---\nkind: NetworkPolicy\n---\nkind: NetworkPolicy\napiVersion: v1\n",
			diags: []string{
				empty,
				"1: warning PLC0008: NetworkPolicy: apiVersion extensions/v1beta1 is not read; write it as networking.k8s.io/v1",
				"4: warning PLC0008: NetworkPolicy: apiVersion networking.k8s.io/v2 is not read; write it as networking.k8s.io/v1",
				"7: warning PLC0008: ClusterNetworkPolicy: apiVersion policy.networking.k8s.io/v1alpha1 is not read; write it as policy.networking.k8s.io/v1beta1",
				"10: warning PLC0008: AdminNetworkPolicy: apiVersion policy.networking.k8s.io/v1alpha2 is not read; write it as policy.networking.k8s.io/v1alpha1",
				"13: warning PLC0008: BaselineAdminNetworkPolicy: apiVersion policy.networking.k8s.io/v1 is not read; write it as policy.networking.k8s.io/v1alpha1",
				`16: warning PLC0016: NetworkPolicy: a policy of "crd.antrea.io/v1beta1", which is not read: connections that it denies are shown as allowed`,
				`19: warning PLC0017: Service: apiVersion "extensions/v1beta1", kind "Service" is not read: did you mean apiVersion v1, kind Service?`,
				`22: warning PLC0017: NetworkPolicy: apiVersion "", kind "NetworkPolicy" is not read: did you mean apiVersion networking.k8s.io/v1, kind NetworkPolicy?`,
				`24: warning PLC0017: NetworkPolicy: apiVersion "v1", kind "NetworkPolicy" is not read: did you mean apiVersion networking.k8s.io/v1, kind NetworkPolicy?`,
			},
		},
		{
			name: "names",
			text: strings.Replace(npA, "name: a", "name: a_b", 1) + "---\n" + strings.Replace(npA, "name: a", "name: a, namespace: a.b", 1) + "---\n" + strings.Replace(cnpA, "name: a", "generateName: a-", 1) + "---\n" + strings.Replace(banp, "name: default", "name: Default", 1),
			diags: []string{
				empty,
				"1: error PLC0005: NetworkPolicy: metadata.name \"a_b\" is no valid name",
				"5: error PLC0005: NetworkPolicy: metadata.namespace \"a.b\" is no valid name",
				"9: error PLC0601: ClusterNetworkPolicy a-s6mxb spec.priority: Required value",
				"13: error PLC0005: BaselineAdminNetworkPolicy: metadata.name \"Default\" is no valid name",
			},
		},
		{
			name: "wrong types, and the rest",
			text: npA + "spec:\n  ingress:\n  - from: {}\n---\n" + npA + "spec:\n  egress:\n  - to:\n    - podSelector:\n        matchLabels: {debug: yes}\n---\n" + npA + "spec:\n  ingress:\n    ports: 80\n---\n" +
				cnpA + "spec:\n  priority: high\n---\n" + cnpA + "spec:\n  priority: 3000000000\n---\n" + anpA + "spec: {priority: 1, egress: [{ports: [{portNumber: 80}]}]}\n---\n" + banp,
			objects: []string{"41 BaselineAdminNetworkPolicy default"},
			diags: []string{
				"6: error PLC0002: NetworkPolicy spec.ingress[0].from: object where a list should be",
				"15: error PLC0002: NetworkPolicy spec.egress[0].to[0].podSelector.matchLabels.debug: bool where a string should be; plain words such as yes, no, on, off, y and n are booleans in YAML, so quote it",
				"22: error PLC0002: NetworkPolicy spec.ingress: object where a list should be",
				"28: error PLC0002: ClusterNetworkPolicy spec.priority: string where a whole number of 32 bits should be",
				"34: error PLC0002: ClusterNetworkPolicy spec.priority: number 3000000000 where a whole number of 32 bits should be",
				"39: error PLC0002: AdminNetworkPolicy spec.egress[0].ports[0].portNumber: number where an object should be",
			},
		},
		{
			name: "wrong types in a field of two types",
			text: npA + "spec:\n  egress:\n  - ports:\n    - port: 80\n    - port: true\n---\n" + svcA + "spec:\n  ports:\n  - port: 80\n    targetPort: 1.5\n---\n" + `{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"a"},"spec":{"ingress":[{"ports":[{"port":{}}]}]}}` + "\n",
			diags: []string{
				empty,
				"1: error PLC0002: NetworkPolicy spec.egress.ports.port: bool where a whole number of 32 bits should be; plain words such as yes, no, on, off, y and n are booleans in YAML, so quote it",
				"10: error PLC0002: Service spec.ports.targetPort: number 1.5 where a whole number of 32 bits should be",
				"18: error PLC0002: NetworkPolicy spec.ingress.ports.port: object where a whole number of 32 bits should be",
			},
		},
		{
			name: "required fields whose absence the Go types do not show",
			text: cnpA + "---\n" + anpA + "spec: {priority: null}\n---\n" + cnpA + "spec: {priority: 1, subject: {pods: {namespaceSelector: {}}}}\n---\n" +
				cnpA + "spec:\n  priority: 1\n  egress: [{}, {to: [{namespaces: {}}, {pods: {}}]}]\n---\n" + banp + "spec: {ingress: [{from: [{pods: {podSelector: {}}}]}]}\n---\n" + cnpA + "spec: {priority: 1, subject: {pods: {podSelector: {}}}}\n",
			objects: []string{"27 ClusterNetworkPolicy a"},
			diags: []string{
				"1: error PLC0601: ClusterNetworkPolicy a spec.priority: Required value",
				"5: error PLC0601: AdminNetworkPolicy a spec.priority: Required value",
				"10: error PLC0601: ClusterNetworkPolicy a spec.subject.pods.podSelector: Required value",
				"15: error PLC0601: ClusterNetworkPolicy a spec.egress[1].to[1].pods.podSelector: Required value",
				"22: error PLC0601: BaselineAdminNetworkPolicy default spec.ingress[0].from[0].pods.namespaceSelector: Required value",
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			set, diags := load(t, tt.text)
			if diff := cmp.Diff(tt.objects, describe(set)); diff != "" {
				t.Errorf("objects (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.diags, messages(diags)); diff != "" {
				t.Errorf("diagnostics (-want +got):\n%s", diff)
			}
		})
	}
}

// TestNetworkPolicyDefaults asks above all that an empty list, an absent one and
// one with an empty element do not turn into each other where that matters.
func TestNetworkPolicyDefaults(t *testing.T) {
	const in, out = networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress
	type (
		spec  = networkingv1.NetworkPolicySpec
		rules = []networkingv1.NetworkPolicyIngressRule
		peers = []networkingv1.NetworkPolicyPeer
		types = []networkingv1.PolicyType
	)
	tcp, udp := corev1.ProtocolTCP, corev1.ProtocolUDP
	tests := []struct {
		name, spec string
		want       spec
	}{
		{"nothing", "{}", spec{PolicyTypes: types{in}}},
		{"null", "null", spec{PolicyTypes: types{in}}},
		{"no rules", "{ingress: [], egress: [], policyTypes: []}", spec{Ingress: rules{}, Egress: []networkingv1.NetworkPolicyEgressRule{}, PolicyTypes: types{in}}},
		{"null rules", "{ingress: null, egress: ~}", spec{PolicyTypes: types{in}}},
		{"egress", "{egress: [{}]}", spec{Egress: []networkingv1.NetworkPolicyEgressRule{{}}, PolicyTypes: types{in, out}}},
		{"no egress", "{policyTypes: [Egress]}", spec{PolicyTypes: types{out}}},
		{"everything", "{ingress: [{}]}", spec{Ingress: rules{{}}, PolicyTypes: types{in}}},
		{"no peers", "{ingress: [{from: [], ports: []}]}", spec{Ingress: rules{{From: peers{}, Ports: []networkingv1.NetworkPolicyPort{}}}, PolicyTypes: types{in}}},
		{"an empty peer", "{ingress: [{from: [{}]}]}", spec{Ingress: rules{{From: peers{{}}}}, PolicyTypes: types{in}}},
		{"a null peer", "{ingress: [{from: [~]}]}", spec{Ingress: rules{{From: peers{{}}}}, PolicyTypes: types{in}}},
		{
			"selectors", "{podSelector: {matchLabels: {}}, ingress: [{from: [{podSelector: {}, namespaceSelector: null}, {namespaceSelector: {matchExpressions: [{key: a, operator: In, values: [b, c]}]}}]}]}",
			spec{Ingress: rules{{From: peers{
				{PodSelector: &metav1.LabelSelector{}},
				{NamespaceSelector: &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "a", Operator: "In", Values: []string{"b", "c"}}}}},
			}}}, PolicyTypes: types{in}},
		},
		{
			"ports", "{ingress: [{ports: [{}, {port: 80, endPort: 90}, {port: http, protocol: UDP}, ~]}]}",
			spec{Ingress: rules{{Ports: []networkingv1.NetworkPolicyPort{
				{Protocol: &tcp},
				{Protocol: &tcp, Port: pointer(intstr.FromInt32(80)), EndPort: pointer[int32](90)},
				{Protocol: &udp, Port: pointer(intstr.FromString("http"))},
				{Protocol: &tcp},
			}}}, PolicyTypes: types{in}},
		},
		{
			"blocks", "{egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}], ports: [{port: 53}]}], policyTypes: [Egress]}",
			spec{Egress: []networkingv1.NetworkPolicyEgressRule{{
				To:    peers{{IPBlock: &networkingv1.IPBlock{CIDR: "10.0.0.0/8", Except: []string{"10.1.0.0/16"}}}},
				Ports: []networkingv1.NetworkPolicyPort{{Protocol: &tcp, Port: pointer(intstr.FromInt32(53))}},
			}}, PolicyTypes: types{out}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			asYAMLAndJSON(t, npA+"spec: "+tt.spec+"\n", func(set objects.Set) {
				if diff := cmp.Diff(tt.want, set.NetworkPolicies[0].Object.Spec); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// asYAMLAndJSON loads a document in both formats and asks that it is one object
// and nothing to report.
func asYAMLAndJSON(t *testing.T, text string, check func(objects.Set)) {
	t.Helper()
	asJSON, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{text, string(asJSON)} {
		set, diags := load(t, text)
		if len(diags) > 0 || len(describe(set)) != 1 {
			t.Fatalf("%s: %v, %v", text, describe(set), messages(diags))
		}
		check(set)
	}
}

func TestAdminPolicies(t *testing.T) {
	const meta = "metadata: {name: default, labels: {x: z}, annotations: {a: b}, managedFields: [{manager: m}], creationTimestamp: 2026-01-02T03:04:05Z}\n"
	const status = "status: {conditions: [{type: x, status: 'True', reason: r, message: m, lastTransitionTime: 2026-01-02T03:04:05Z}]}\n"
	tests := []struct{ name, head, spec, want string }{
		{
			"ClusterNetworkPolicy", cnpA,
			"{tier: Admin, priority: 7, subject: {namespaces: {}}, egress: [{name: first, action: Accept, to: [{nodes: {}}, {networks: []}, {domainNames: ['*.example.com']}, {}, {}], protocols: [{tcp: {}}, {udp: {destinationPort: {range: {start: 1, end: 2}}}}, {destinationNamedPort: dns}, {}]}], ingress: []}",
			`{"tier":"Admin","priority":7,"subject":{"namespaces":{}},"egress":[{"name":"first","action":"Accept","to":[{"nodes":{}},{},{"domainNames":["*.example.com"]},{},{}],"protocols":[{"tcp":{}},{"udp":{"destinationPort":{"range":{"start":1,"end":2}}}},{"destinationNamedPort":"dns"},{}]}]}`,
		},
		{
			"AdminNetworkPolicy", anpA,
			"{priority: 0, subject: {pods: {namespaceSelector: {matchLabels: {a: b}}, podSelector: {}}}, ingress: [{action: Pass, from: [{namespaces: {matchLabels: {a: b}}}], ports: [{portNumber: {port: 80}}, {portRange: {start: 1, end: 2}}, {namedPort: ''}]}], egress: [{action: Deny, to: [{}], ports: []}]}",
			`{"priority":0,"subject":{"pods":{"namespaceSelector":{"matchLabels":{"a":"b"}},"podSelector":{}}},"ingress":[{"action":"Pass","from":[{"namespaces":{"matchLabels":{"a":"b"}}}],"ports":[{"portNumber":{"protocol":"TCP","port":80}},{"portRange":{"protocol":"TCP","start":1,"end":2}},{"namedPort":""}]}],"egress":[{"action":"Deny","to":[{}],"ports":[]}]}`,
		},
		{
			"BaselineAdminNetworkPolicy", banp,
			"{subject: {namespaces: {}}, ingress: [{action: Deny, from: [{pods: {namespaceSelector: {}, podSelector: {}}}]}], egress: [{action: Allow, to: [{networks: [10.0.0.0/8]}], ports: [{portNumber: {port: 80, protocol: SCTP}}, {portRange: {start: 1, end: 2}}]}]}",
			`{"subject":{"namespaces":{}},"ingress":[{"action":"Deny","from":[{"pods":{"namespaceSelector":{},"podSelector":{}}}]}],"egress":[{"action":"Allow","to":[{"networks":["10.0.0.0/8"]}],"ports":[{"portNumber":{"protocol":"SCTP","port":80}},{"portRange":{"protocol":"TCP","start":1,"end":2}}]}]}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			head, _, _ := strings.Cut(tt.head, "metadata")
			asYAMLAndJSON(t, head+meta+status+"spec: "+tt.spec+"\n", func(set objects.Set) {
				object, spec := onlyAdminPolicy(set)
				if got := asText(t, spec); got != tt.want {
					t.Errorf("spec:\n%s, want\n%s", got, tt.want)
				}
				for _, gone := range []string{"annotations", "managedFields", "lastTransitionTime", "kind"} {
					if text := asText(t, object); strings.Contains(text, gone) {
						t.Errorf("%s is kept: %s", gone, text)
					}
				}
			})
		})
	}
}

// onlyAdminPolicy returns the admin policy of a set that holds one object.
func onlyAdminPolicy(set objects.Set) (object, spec any) {
	for _, s := range set.ClusterNetworkPolicies {
		return s.Object, s.Object.Spec
	}
	for _, s := range set.AdminNetworkPolicies {
		return s.Object, s.Object.Spec
	}
	for _, s := range set.BaselineAdminNetworkPolicies {
		return s.Object, s.Object.Spec
	}
	return nil, nil
}

func asText(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestEmptyIsNotAbsent asks that lists which the Go types print alike are apart
// in memory: validation needs it.
func TestEmptyIsNotAbsent(t *testing.T) {
	set, _ := load(t, cnpA+"spec: {priority: 1, egress: [{to: [{networks: []}, {domainNames: []}, {networks: null}], protocols: []}, {}]}\n---\n"+anpA+"spec: {priority: 1, ingress: [{ports: []}, {}]}\n")
	egress := set.ClusterNetworkPolicies[0].Object.Spec.Egress
	present := []bool{egress[0].To[0].Networks != nil, egress[0].To[1].DomainNames != nil, egress[0].Protocols != nil}
	absent := []bool{egress[0].To[2].Networks == nil, egress[1].To == nil, egress[1].Protocols == nil}
	ingress := set.AdminNetworkPolicies[0].Object.Spec.Ingress
	present, absent = append(present, ingress[0].Ports != nil), append(absent, ingress[1].Ports == nil)
	for i := range present {
		if !present[i] || !absent[i] {
			t.Errorf("list %d: empty %v, absent %v", i, present[i], absent[i])
		}
	}
}

// TestWhatPoliciesSelectBy asks that an object keeps everything that decides
// which policy applies to it.
func TestWhatPoliciesSelectBy(t *testing.T) {
	set, diags := load(t, `apiVersion: v1
kind: Pod
metadata: {name: p, namespace: x, labels: {app: a}, creationTimestamp: 2026-01-02T03:04:05Z, deletionTimestamp: 2026-01-02T03:04:06Z}
spec:
  nodeName: node
  hostNetwork: true
  initContainers:
  - {name: once, ports: [{name: setup, containerPort: 1}]}
  - {name: sidecar, restartPolicy: Always, ports: [{name: proxy, containerPort: 2, protocol: UDP}]}
  containers: [{name: c, image: i, ports: [{name: http, containerPort: 80}, {containerPort: 81}]}, {name: d}]
status: {phase: Running, podIPs: [{ip: 10.0.0.1}, {ip: 'fd00::1'}]}
---
apiVersion: v1
kind: Node
metadata: {name: node, labels: {zone: a}}
status: {addresses: [{type: InternalIP, address: 192.0.2.1}, {type: ExternalIP, address: 192.0.2.2}, {type: Hostname, address: node}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: x, labels: {team: a}}
`)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	always := corev1.ContainerRestartPolicyAlways
	port := func(name string, number int32, protocol corev1.Protocol) corev1.ContainerPort {
		return corev1.ContainerPort{Name: name, ContainerPort: number, Protocol: protocol}
	}
	pod := set.Pods[0].Object
	if diff := cmp.Diff(corev1.PodSpec{
		NodeName: "node", HostNetwork: true,
		InitContainers: []corev1.Container{
			{Name: "once", Ports: []corev1.ContainerPort{port("setup", 1, "TCP")}},
			{Name: "sidecar", RestartPolicy: &always, Ports: []corev1.ContainerPort{port("proxy", 2, "UDP")}},
		},
		Containers: []corev1.Container{{Name: "c", Ports: []corev1.ContainerPort{port("http", 80, "TCP"), port("", 81, "TCP")}}},
	}, pod.Spec); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(corev1.PodStatus{Phase: "Running", PodIP: "10.0.0.1", PodIPs: []corev1.PodIP{{IP: "10.0.0.1"}, {IP: "fd00::1"}}}, pod.Status); diff != "" {
		t.Error(diff)
	}
	if pod.Labels["app"] != "a" || pod.CreationTimestamp.IsZero() || pod.DeletionTimestamp.IsZero() {
		t.Errorf("%+v", pod.ObjectMeta)
	}
	if n := set.Nodes[0].Object; n.Labels["zone"] != "a" || len(n.Status.Addresses) != 3 {
		t.Errorf("%+v", n)
	}
	if diff := cmp.Diff(map[string]string{"team": "a", "kubernetes.io/metadata.name": "x"}, set.Namespaces[0].Object.Labels); diff != "" {
		t.Error(diff)
	}
}

// TestManyPolicies asks that the order of the file holds when several workers
// decode it, in both formats.
func TestManyPolicies(t *testing.T) {
	const n = 3000
	var asYAML, asJSON strings.Builder
	asYAML.WriteString("apiVersion: v1\nkind: List\nitems:\n")
	asJSON.WriteString(`{"apiVersion":"v1","kind":"List","items":[`)
	for i := range n {
		fmt.Fprintf(&asYAML, "- apiVersion: networking.k8s.io/v1\n  kind: NetworkPolicy\n  metadata:\n    name: p%d\n    namespace: ns%d\n  spec:\n    podSelector:\n      matchLabels:\n        app: a%d\n    ingress:\n    - ports:\n      - port: %d\n", i, i%7, i%11, 1+i)
		if i > 0 {
			asJSON.WriteByte(',')
		}
		fmt.Fprintf(&asJSON, `{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"p%d","namespace":"ns%d"},"spec":{"podSelector":{"matchLabels":{"app":"a%d"}},"ingress":[{"ports":[{"port":%d}]}]}}`, i, i%7, i%11, 1+i)
	}
	asJSON.WriteString("]}")
	y, diags := load(t, asYAML.String())
	j, more := load(t, asJSON.String())
	if len(diags)+len(more) > 0 || len(y.NetworkPolicies) != n {
		t.Fatal(diags, more, len(y.NetworkPolicies))
	}
	compareLists(t, "YAML and JSON", j.NetworkPolicies, y.NetworkPolicies)
	for i, s := range y.NetworkPolicies {
		if want := fmt.Sprintf("p%d", i); s.Object.Name != want {
			t.Fatalf("%s stands where %s should", s.Object.Name, want)
		}
	}
}
