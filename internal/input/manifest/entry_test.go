package manifest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/ir/diag"
)

// loadEntries reads text with its Ingresses and routes.
func loadEntries(t *testing.T, text string) (objects.Set, diag.List) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "entries.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	set, diags, err := manifest.Load(t.Context(), manifest.Options{Paths: []string{path}, Entries: true})
	if err != nil {
		t.Fatal(err)
	}
	return set, diags
}

// TestEntries reads each kind in the forms that its API has.
func TestEntries(t *testing.T) {
	set, diags := loadEntries(t, `
{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: a, namespace: shop}, spec: {defaultBackend: {service: {name: web, port: {number: 80}}}, rules: [{host: x, http: {paths: [{path: /, backend: {service: {name: api, port: {name: http}}}}, {path: /r, backend: {resource: {kind: Bucket, name: b}}}]}}]}}
---
{apiVersion: extensions/v1beta1, kind: Ingress, metadata: {name: b, namespace: shop}, spec: {backend: {serviceName: web, servicePort: http}}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: c, namespace: shop}, spec: {parentRefs: [{name: public, namespace: infra}, {name: private}], rules: [{backendRefs: [{name: web, port: 80}, {name: s3, kind: Bucket, group: x.io}, {name: api, namespace: other, port: 81}]}, {backendRefs: [{name: web, port: 82}]}]}}
---
{apiVersion: gateway.networking.k8s.io/v1alpha2, kind: TCPRoute, metadata: {name: d}, spec: {parentRefs: [{kind: Service, group: "", name: web}], rules: [{backendRefs: [{name: web, port: 80}]}]}}
---
{apiVersion: route.openshift.io/v1, kind: Route, metadata: {name: e, namespace: shop}, spec: {to: {kind: Service, name: web}, alternateBackends: [{kind: Service, name: old}], port: {targetPort: 8080}}}
---
{apiVersion: serving.knative.dev/v1, kind: Route, metadata: {name: not-this}, spec: {}}
`)
	if n := diags.Count(diag.Error); n > 0 {
		t.Error(diags)
	}
	got := make(map[string][]objects.EntryBackend)
	gateways := make(map[string]int)
	for _, e := range set.Entries {
		got[e.Object.Kind+"/"+e.Object.Name], gateways[e.Object.Name] = e.Object.Backends, len(e.Object.Gateways)
		if e.Line == 0 || !strings.HasSuffix(e.File, "entries.yaml") {
			t.Errorf("%s is at %s:%d", e.Object.Name, e.File, e.Line)
		}
	}
	svc := func(namespace, name string) objects.Name { return objects.Name{Namespace: namespace, Name: name} }
	want := map[string][]objects.EntryBackend{
		"Ingress/a": {{Service: svc("shop", "web"), Port: intstr.FromInt32(80), Path: "spec.defaultBackend"}, {Service: svc("shop", "api"), Port: intstr.FromString("http"), Path: "spec.rules[0].http.paths[0].backend"}},
		"Ingress/b": {{Service: svc("shop", "web"), Port: intstr.FromString("http"), Path: "spec.backend"}},
		"HTTPRoute/c": {
			{Service: svc("shop", "web"), Port: intstr.FromInt32(80), Path: "spec.rules[0].backendRefs[0]"},
			{Service: svc("other", "api"), Port: intstr.FromInt32(81), Path: "spec.rules[0].backendRefs[2]"},
			{Service: svc("shop", "web"), Port: intstr.FromInt32(82), Path: "spec.rules[1].backendRefs[0]"},
		},
		"TCPRoute/d": nil,
		"Route/e":    {{Service: svc("shop", "web"), Port: intstr.FromInt32(8080), Target: true, Path: "spec.to"}, {Service: svc("shop", "old"), Port: intstr.FromInt32(8080), Target: true, Path: "spec.alternateBackends[0]"}},
	}
	if len(got) != len(want) || gateways["c"] != 2 || gateways["d"] != 0 {
		t.Errorf("%d entries, gateways %v: %v", len(got), gateways, got)
	}
	for name, list := range want {
		if len(got[name]) != len(list) {
			t.Errorf("%s: %v, want %v", name, got[name], list)
			continue
		}
		for i := range list {
			if got[name][i] != list[i] {
				t.Errorf("%s: %v, want %v", name, got[name][i], list[i])
			}
		}
	}
}

// TestBadEntries wants a diagnostic with the line for each bad object, and the others read.
func TestBadEntries(t *testing.T) {
	set, diags := loadEntries(t, `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: types, namespace: shop}
spec:
  rules: {a: b}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {namespace: shop}
spec: {}
---
apiVersion: route.openshift.io/v1
kind: Route
metadata: {name: twice, name: again}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: good, namespace: shop}
spec: {defaultBackend: {service: {name: web, port: {number: 80}}}}
`)
	if len(set.Entries) != 1 || set.Entries[0].Object.Name != "good" {
		t.Errorf("%d entries", len(set.Entries))
	}
	if n := diags.Count(diag.Error); n != 3 {
		t.Errorf("%d errors, want 3: %v", n, diags)
	}
	for _, d := range diags {
		if d.Severity() == diag.Error && d.Origin.Line == 0 {
			t.Errorf("%v has no line", d)
		}
	}
}
