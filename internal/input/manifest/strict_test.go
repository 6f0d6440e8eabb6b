package manifest

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"

	"github.com/planec/planec/ir/diag"
)

const (
	headNP  = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {namespace: shop, name: p}\n"
	headANP = "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: {name: p}\n"
	headCNP = "apiVersion: policy.networking.k8s.io/v1beta1\nkind: ClusterNetworkPolicy\nmetadata: {name: p}\n"
	headSvc = "apiVersion: v1\nkind: Service\nmetadata: {namespace: shop, name: s}\n"
	headDep = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {namespace: shop, name: d}\n"

	closes = " Until it is corrected, the policy accepts nothing and closes what it selects"
	openly = " What the policy selects cannot be known: it was left out, and closes nothing"
)

// TestUnknownFields wants each field that the API does not have to be an error at its
// line, with its path and what was meant, and knows what becomes of the object.
func TestUnknownFields(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
		// left is how many objects are used.
		left int
	}{
		{"a Service", headSvc + "spec:\n  ports:\n  - port: 80\n    targetprt: 8080\n  selectr: {a: b}\n", []string{
			"7: error PLC0014: Service shop/s spec.ports[0].targetprt: unknown field: did you mean targetPort?",
			"8: error PLC0014: Service shop/s spec.selectr: unknown field: did you mean selector?",
		}, 1},
		{"letters of another case", headSvc + "spec:\n  clusterip: 10.96.0.1\n", []string{"5: error PLC0014: Service shop/s spec.clusterip: unknown field: did you mean clusterIP?"}, 1},
		{"a rule", headNP + "spec:\n  podSelector: {}\n  ingress:\n  - form: []\n", []string{
			"7: error PLC0015: NetworkPolicy shop/p spec.ingress[0].form: unknown field: did you mean from?" + closes,
		}, 1},
		{"a direction, without a selector", headNP + "spec:\n  ingres: [{}]\n", []string{
			"5: error PLC0015: NetworkPolicy shop/p spec.ingres: unknown field: did you mean ingress?" + closes,
		}, 1},
		{"a selector", headNP + "spec:\n  podSelector:\n    matchlabels:\n      a: b\n", []string{
			"6: error PLC0015: NetworkPolicy shop/p spec.podSelector.matchlabels: unknown field: did you mean matchLabels?" + openly,
		}, 0},
		{"what may be the selector", headNP + "spec:\n  podSelectr: {}\n", []string{
			"5: error PLC0015: NetworkPolicy shop/p spec.podSelectr: unknown field: did you mean podSelector?" + openly,
		}, 0},
		{"what may be the namespace", strings.Replace(headNP, "namespace", "namspace", 1) + "spec: {podSelector: {}}\n", []string{
			"3: error PLC0015: NetworkPolicy default/p metadata.namspace: unknown field: did you mean namespace?" + openly,
		}, 0},
		{"the status of a policy", headCNP + "spec: {tier: Admin, priority: 1, subject: {namespaces: {}}}\nstatus: {x: 1}\n", []string{"5: error PLC0014: ClusterNetworkPolicy p status.x: unknown field; the API has conditions here"}, 1},
		{"the status of an older server", headNP + "spec: {podSelector: {}}\nstatus: {conditions: []}\n", nil, 1},
		{"a peer of another schema", headANP + "spec:\n  priority: 1\n  subject: {namespaces: {}}\n  ingress:\n  - action: Allow\n    from: [{namespaces: {namespaceSelector: {}}}]\n", []string{
			"9: error PLC0015: AdminNetworkPolicy p spec.ingress[0].from[0].namespaces.namespaceSelector: unknown field; the API has matchExpressions, matchLabels here." + closes,
		}, 1},
		{"a peer that is not known yet", headCNP + "spec: {tier: Admin, priority: 1, subject: {namespaces: {}}, egress: [{action: Accept, to: [{future: {}}]}]}\n", []string{
			"4: error PLC0015: ClusterNetworkPolicy p spec.egress[0].to[0].future: unknown field; the API has domainNames, namespaces, networks, nodes, pods here. Until it is corrected, a rule accepts nothing by it, and a rule that denies denies everything",
		}, 1},
		{"a subject", headANP + "spec: {priority: 1, subject: {namespaces: {matchLables: {}}}}\n", []string{
			"4: error PLC0015: AdminNetworkPolicy p spec.subject.namespaces.matchLables: unknown field: did you mean matchLabels?" + openly,
		}, 0},
		{"a pod template", headDep + "spec:\n  template:\n    spec:\n      containers:\n      - name: c\n        image: i\n        readinessProbe:\n          httpGet: {port: 80}\n          initialDelaySecond: 3\n", []string{
			"12: error PLC0014: Deployment shop/d spec.template.spec.containers[0].readinessProbe.initialDelaySecond: unknown field: did you mean initialDelaySeconds?",
		}, 1},
		{"Endpoints", "apiVersion: v1\nkind: Endpoints\nmetadata: {name: e}\nsubset: []\nsubsets:\n- address: []\n  addresses: [{ip: 10.1.0.1, hostname: a, nodeName: n1, targetRef: {kind: Pod, name: p}}]\n  ports: [{port: 80, appProtocol: http}]\n", []string{
			"4: error PLC0014: Endpoints default/e subset: unknown field: did you mean subsets?",
			"6: error PLC0014: Endpoints default/e subsets[0].address: unknown field: did you mean addresses?",
		}, 1},
		{"by a merge key", headSvc + "spec:\n  <<: {typ: NodePort}\n", []string{"4: error PLC0014: Service shop/s spec.typ: unknown field: did you mean type?"}, 1},
		{"in JSON", "{\"apiVersion\": \"v1\", \"kind\": \"Service\",\n\"metadata\": {\"name\": \"s\"},\n\"spec\": {\n\"t\\u0079p\": 1}}", []string{"4: error PLC0014: Service default/s spec.typ: unknown field: did you mean type?"}, 1},
		{"in a list", "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Service\n  metadata: {name: s}\n  spec:\n    typ: NodePort\n", []string{"8: error PLC0014: Service default/s spec.typ: unknown field: did you mean type?"}, 1},
		{"the items of a list", "apiVersion: v1\nkind: List\nmetadata: {}\nitem:\n- apiVersion: v1\n  kind: Service\n  metadata: {name: s}\n", []string{
			"4: error PLC0014: List item: unknown field: did you mean items? Nothing of the list is read",
		}, 0},
		{"the items of a list, in JSON", "{\"apiVersion\": \"v1\", \"kind\": \"ServiceList\",\n\"itmes\": [{\"metadata\": {\"name\": \"s\"}}]}", []string{
			"2: error PLC0014: ServiceList itmes: unknown field: did you mean items? Nothing of the list is read",
		}, 0},
		{"items that are no list", "apiVersion: v1\nkind: List\nitems:\n  s: {apiVersion: v1, kind: Service, metadata: {name: s}}\n", []string{
			"4: error PLC0002: List: items is no list, so nothing of it is read",
		}, 0},
		{"items that are no list, in JSON", "{\"apiVersion\": \"v1\", \"kind\": \"List\",\n\"items\": {}}", []string{
			"2: error PLC0002: List: items is no list, so nothing of it is read",
		}, 0},
		{"a list of nothing", "apiVersion: v1\nkind: List\nitems:\n---\napiVersion: v1\nkind: List\n---\napiVersion: example.org/v1\nkind: AllowList\nspec: {}\n", nil, 0},
		{"a patch", "$patch: delete\n" + headSvc, []string{"1: warning PLC0018: Service shop/s $patch: a directive of a patch: this is no object, and is not read"}, 0},
		{"a patch of a list", headDep + "spec: {template: {spec: {containers: [{name: c, $patch: delete}]}}}\n", []string{
			"4: warning PLC0018: Deployment shop/d spec.template.spec.containers[0].$patch: a directive of a patch: this is no object, and is not read",
		}, 0},
		{"what is free", headSvc[:len(headSvc)-2] + ", labels: {any: x}, annotations: {any: x}, managedFields: [{manager: m, fieldsV1: {f:any: {}}}], creationTimestamp: null}\nspec: {}\nstatus: {conditions: []}\n", nil, 1},
		{"old fields of old versions", "apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: d}\nspec: {rollbackTo: {revision: 1}, template: {spec: {serviceAccount: s, containers: []}}}\n", nil, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := loadText(t, c.text)
			var got []string
			for _, d := range out.diagnostics() {
				if d.Code != diag.EmptyInput {
					got = append(got, strings.TrimPrefix(d.String(), "f:"))
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			s := &out.set
			if n := len(s.Services) + len(s.Endpoints) + len(s.Workloads) + len(s.NetworkPolicies) + len(s.AdminNetworkPolicies) + len(s.ClusterNetworkPolicies); n != c.left {
				t.Errorf("%d objects are used, want %d", n, c.left)
			}
		})
	}
}

// TestRepeatedInPolicy wants a policy whose rules have a field twice to be closed, and one
// of which it is not certain what it selects, or what it is, to be left out.
func TestRepeatedInPolicy(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       string
		left       int
	}{
		{"rules", headNP + "spec:\n  podSelector: {}\n  ingress:\n  - from: [{podSelector: {}}]\n    from: []\n", `8: error PLC0002: NetworkPolicy shop/p spec.ingress[0].from: a field stands twice: "from".` + closes, 1},
		{"a direction", headNP + "spec:\n  podSelector: {}\n  ingress: []\n  ingress: [{}]\n", `7: error PLC0002: NetworkPolicy shop/p spec.ingress: a field stands twice: "ingress".` + closes, 1},
		{"a selector", headNP + "spec:\n  podSelector:\n    matchLabels: {a: b}\n    matchLabels: {}\n", `7: error PLC0002: NetworkPolicy shop/p spec.podSelector.matchLabels: a field stands twice: "matchLabels".` + openly, 0},
		{"two selectors", headNP + "spec:\n  podSelector: {}\n  podSelector: {}\n", `6: error PLC0002: NetworkPolicy shop/p spec.podSelector: a field stands twice: "podSelector".` + openly, 0},
		{"rules, and a selector after them", headNP + "spec:\n  ingress: []\n  ingress: []\n  podSelector: {}\n  podSelector: {}\n", `6: error PLC0002: NetworkPolicy shop/p spec.ingress: a field stands twice: "ingress".` + openly, 0},
		{"two specs", headNP + "spec: {podSelector: {}}\nspec: {}\n", `5: error PLC0002: NetworkPolicy: a field stands twice: "spec"`, 0},
		{"two kinds", headNP + "kind: NetworkPolicy\nspec: {podSelector: {}, ingress: [], ingress: []}\n", `4: error PLC0002: NetworkPolicy: a field stands twice: "kind"`, 0},
		{"another spelling of kind", headNP + "Kind: ConfigMap\nspec: {podSelector: {}, ingress: [], ingress: []}\n", `4: error PLC0002: NetworkPolicy: the field "Kind" is kind to readers`, 0},
		{"a merge key", headNP + "spec:\n  ingress: []\n  podSelector: {}\n  <<: {ingress: [{}]}\n", `7: error PLC0002: NetworkPolicy: a field stands twice: "ingress", once by a merge key`, 0},
		{"in JSON", `{"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "p", "namespace": "shop"}, "spec": {"podSelector": {},` + "\n" + `"ingress": [],` + "\n" + `"ingress": [{}]}}`, `3: error PLC0002: NetworkPolicy shop/p spec.ingress: a field stands twice: "ingress".` + closes, 1},
	} {
		out := loadText(t, c.text)
		said := ""
		for _, d := range out.diagnostics() {
			if d.Code != diag.EmptyInput {
				said += strings.TrimPrefix(d.String(), "f:")
			}
		}
		if !strings.HasPrefix(said, c.want) || len(out.set.NetworkPolicies) != c.left {
			t.Errorf("%s: %s, want %s; %d policies are used", c.name, said, c.want, len(out.set.NetworkPolicies))
		}
		for _, p := range out.set.NetworkPolicies {
			if len(p.Object.Spec.Ingress) > 0 || len(p.Object.Spec.PolicyTypes) == 0 {
				t.Errorf("%s: it is open: %v", c.name, p.Object.Spec)
			}
		}
	}
}

// TestClosed wants a policy with an unknown field to keep what it selects and the
// directions that it is about, and no rule of its own.
func TestClosed(t *testing.T) {
	for _, c := range []struct{ name, spec, want string }{
		{"ingress", "{podSelector: {matchLabels: {a: b}}, ingress: [{form: []}]}", "{podSelector: {matchLabels: {a: b}}, policyTypes: [Ingress]}"},
		{"egress", "{podSelector: {}, egress: [{too: []}]}", "{podSelector: {}, policyTypes: [Ingress, Egress]}"},
		{"egress only", "{podSelector: {}, policyTypes: [Egress], egress: [{too: []}]}", "{podSelector: {}, policyTypes: [Egress]}"},
		{"a direction", "{podSelector: {}, egres: [{}]}", "{podSelector: {}, policyTypes: [Ingress, Egress]}"},
		{"a direction, with types", "{podSelector: {}, policyTypes: [Ingress], egres: [{}]}", "{podSelector: {}, policyTypes: [Ingress]}"},
		{"the types", "{podSelector: {}, policyType: [Egress], egress: [{}]}", "{podSelector: {}, policyTypes: [Ingress, Egress]}"},
	} {
		out := loadText(t, headNP+"spec: "+c.spec+"\n")
		var want networkingv1.NetworkPolicySpec
		if err := yaml.UnmarshalStrict([]byte(c.want), &want); err != nil {
			t.Fatal(err)
		}
		if len(out.set.NetworkPolicies) != 1 {
			t.Fatalf("%s: %v", c.name, out.diagnostics())
		}
		if diff := cmp.Diff(want, out.set.NetworkPolicies[0].Object.Spec); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// TestUnreadKinds wants policies of other dialects and slips of kinds to be named, and
// kinds that are no matter of planec's to be counted only.
func TestUnreadKinds(t *testing.T) {
	for object, want := range map[string]string{
		"crd.antrea.io/v1beta1 ClusterNetworkPolicy":     "PLC0016",
		"k8s.ovn.org/v1 EgressFirewall":                  "PLC0016",
		"networking.k8s.aws/v1 ApplicationNetworkPolicy": "PLC0016",
		"projectcalico.org/v3 StagedNetworkPolicy":       "PLC0003",
		"security.istio.io/v1 AuthorizationPolicy":       "PLC0003",
		"networking.k8s.io/v1 NetworkPolcy":              "PLC0017 networking.k8s.io/v1, kind NetworkPolicy",
		"networking.k8s.oi/v1 NetworkPolicy":             "PLC0017 networking.k8s.io/v1, kind NetworkPolicy",
		"v1 NetworkPolicy":                               "PLC0017 networking.k8s.io/v1, kind NetworkPolicy",
		"v1 Sevice":                                      "PLC0017 v1, kind Service",
		"v1 service":                                     "PLC0017 v1, kind Service",
		"apps/v2 Deployment":                             "PLC0008 apps/v1",
		"batch/v3 CronJob":                               "PLC0008 batch/v1",
		"app/v1 Deployment":                              "PLC0017 apps/v1, kind Deployment",
		"apps/v1 Deploymnet":                             "PLC0017 apps/v1, kind Deployment",
		"networking.k8s.io/v2 NetworkPolicy":             "PLC0008 networking.k8s.io/v1",
		"policy.networking.k8s.io/v1 AdminNetworkPolicy": "PLC0008 policy.networking.k8s.io/v1alpha1",
		"serving.knative.dev/v1 Service":                 "PLC0003",
		"v1 Secret":                                      "PLC0003",
		"v1 ServiceAccounts":                             "PLC0017 v1, kind ServiceAccount",
		"v1 Endpoint":                                    "PLC0017 v1, kind Endpoints",
		"v1 NetworkPolicies":                             "PLC0017 networking.k8s.io/v1, kind NetworkPolicy",
		"networking.k8s.io/v1 networkpolicies":           "PLC0017 networking.k8s.io/v1, kind NetworkPolicy",
		"cilium.io/v2 CiliumNetworkPolcy":                "PLC0017 cilium.io/v2, kind CiliumNetworkPolicy",
		"cilium.io/v3 CiliumNetworkPolicy":               "PLC0008 cilium.io/v2",
		"cilium.io/v2 CiliumLocalRedirectPolicy":         "PLC0003",
		"crd.projectcalico.org/v1 GlobalNetworkpolicies": "PLC0017 projectcalico.org/v3, kind GlobalNetworkPolicy",
		"crd.projectcalico.org/v1 HostEndpoint":          "PLC0003",
		"projectcalico.org/v1 NetworkPolicy":             "PLC0008 projectcalico.org/v3",
		"projectcalico.org/v3 StagedGlobalNetworkPolicy": "PLC0003",
		"networking.k8s.aws/v1alpha1 PolicyEndpoint":     "PLC0003",
		"gateway.networking.k8s.io/v1 BackendTLSPolicy":  "PLC0003",
		"apps/v1 ControllerRevision":                     "PLC0003",
		"batch.volcano.sh/v1alpha1 Job":                  "PLC0003",
		"storage.k8s.io/v1 CSINode":                      "PLC0003",
		"metrics.k8s.io/v1beta1 PodMetrics":              "PLC0003",
	} {
		version, kind, _ := strings.Cut(object, " ")
		code, meant, _ := strings.Cut(want, " ")
		for _, text := range []string{
			"apiVersion: " + version + "\nkind: " + kind + "\nmetadata:\n  name: x\n  namespace: shop\n",
			`{"apiVersion": "` + version + `", "kind": "` + kind + `", "metadata": {"name": "x", "namespace": "shop"}}`,
		} {
			all := loadText(t, text)
			found := ""
			for _, d := range all.diagnostics() {
				if d.Code != diag.EmptyInput {
					found = d.String()
				}
			}
			named := code == "PLC0003" || strings.HasPrefix(found, "f:1: warning") && strings.Contains(found, kind+" shop/x")
			if !strings.Contains(found, code) || !strings.Contains(found, meant) || !named {
				t.Errorf("%s: %s, want %s", object, found, want)
			}
		}
	}
}

// TestStrangeIsBounded writes a policy of unknown fields: what is said is bounded.
func TestStrangeIsBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString(headNP + "spec:\n  podSelector: {}\n")
	for i := range 1000 {
		b.WriteString("  " + strconv.Itoa(i) + strings.Repeat("x", b.Len()%1000+1) + strings.Repeat("y", b.Len()%7) + "_" + strings.Repeat("z", b.Len()%13) + ": 1\n")
	}
	out := loadText(t, b.String())
	size := 0
	for _, d := range out.diagnostics() {
		size += len(d.String())
	}
	if n := len(out.diagnostics()); n > maxStrange || size > 10_000 {
		t.Errorf("%d findings of %d bytes", n, size)
	}
}

// TestKindless wants an object without a kind to be named, and files that are no objects
// to be left alone.
func TestKindless(t *testing.T) {
	for text, want := range map[string]string{
		"apiVersion: v1\nknd: Service\nmetadata: {name: a}\n":                          "f:2: warning PLC0017: a: an object without a kind, and with a field \"knd\": did you mean kind?",
		"{\"apiVersion\": \"v1\",\n\"metadata\": {\"name\": \"a\"}}":                   "f:1: warning PLC0017: a: an object without a kind, of apiVersion \"v1\"",
		"apiVersion: v1\nmetadata: {name: a}\nkind: 7\n":                               "f:3: warning PLC0017: a: an object whose kind is no word",
		"apiVersion: v2\nname: chart\nversion: 1.0.0\n":                                "info PLC0003: skipped: 1 without a kind",
		"replicas: 3\nmetadata: {name: values}\n":                                      "info PLC0003: skipped: 1 without a kind",
		"apiVersion: kustomize.config.k8s.io/v1beta1\nresources: [a.yaml]\nfind: {}\n": "info PLC0003: skipped: 1 without a kind",
	} {
		out := loadText(t, text)
		said := ""
		for _, d := range out.diagnostics() {
			if d.Code != diag.EmptyInput {
				said += d.String()
			}
		}
		if said != want {
			t.Errorf("%s: %s, want %s", text, said, want)
		}
	}
}
