package manifest

import (
	"strings"
	"testing"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// FuzzLoad asks that no text makes the loader crash, give an object without a
// name or a place, or say something that moves a terminal's cursor.
func FuzzLoad(f *testing.F) {
	for _, s := range listSeeds {
		f.Add(s)
	}
	for _, s := range []string{
		`{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Service","metadata":{"name":"a"},"spec":{"ports":[{"port":"x"}]}}]}`,
		`{"items":[{"metadata":{"name":"a"}}],"kind":"ServiceList","apiVersion":"v1"}{"kind":"Pod"}`,
		`{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"a"},"spec":{"ingress":[null,{"from":[null,{}],"ports":[null,{"port":"x","endPort":2}]}],"egress":[]}}`,
		`{"apiVersion":"policy.networking.k8s.io/v1alpha1","kind":"AdminNetworkPolicy","metadata":{"name":"a"},"spec":{"priority":1,"subject":{"pods":{}},"egress":[{"to":[{"networks":["x"]}],"ports":[{"portRange":{}},null]}]}}`,
		"kind: ClusterNetworkPolicy\napiVersion: policy.networking.k8s.io/v1alpha2\nmetadata: {name: a}\nspec: {priority: 1, subject: {pods: {podSelector: {}}}, ingress: [{from: [~]}]}\n",
		"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {replicas: 2, template: {metadata: {labels: {a: b}}, spec: {containers: [{ports: [{containerPort: 1}]}, ~]}}}\n",
		"{\"a\"\n---\nkind: Node\n",
		headNP + "spec: {podSelector: {}, ingres: [{}], ingress: [{form: [], from: []}], ingress: [{}]}\n",
		headCNP + "spec: {tier: Admin, priority: 1, subject: {namespaces: {}}, egress: [{action: Accept, to: [{future: {}}, {<<: {x: 1}}]}]}\n",
		"apiVersion: v1\nknd: Service\nmetadata: {name: a}\n---\n$patch: delete\napiVersion: v1\nkind: Service\nmetadata: {name: a}\n",
		"%YAML 1.1\n---\nkind: Namespace\napiVersion: v1\nmetadata: {name: a}\n...\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<14 {
			t.Skip()
		}
		out := loadText(t, text)
		lines := strings.Count(text, "\n") + 1
		checkPlaces(t, out.set.Services, lines)
		checkPlaces(t, out.set.EndpointSlices, lines)
		checkPlaces(t, out.set.Nodes, lines)
		checkPlaces(t, out.set.Pods, lines)
		checkPlaces(t, out.set.Namespaces, lines)
		checkPlaces(t, out.set.ServiceCIDRs, lines)
		checkPlaces(t, out.set.NetworkPolicies, lines)
		checkPlaces(t, out.set.ClusterNetworkPolicies, lines)
		checkPlaces(t, out.set.AdminNetworkPolicies, lines)
		checkPlaces(t, out.set.BaselineAdminNetworkPolicies, lines)
		checkPlaces(t, out.set.Workloads, lines)
		for _, d := range out.diagnostics() {
			if s := d.String(); s != diag.Printable(s) {
				t.Errorf("control characters in %q", s)
			}
		}
		steps := parsePath(text)
		_ = (&Locator{}).Locate(ir.Origin{File: "f", Path: text, Line: len(steps)})
	})
}

func checkPlaces[T objects.Meta](t *testing.T, list []objects.Sourced[T], lines int) {
	for _, s := range list {
		if !isSubdomain(s.Object.GetName()) || s.File != "f" || s.Line < 1 {
			t.Errorf("object %q at %s:%d of %d", s.Object.GetName(), s.File, s.Line, lines)
		}
	}
}
