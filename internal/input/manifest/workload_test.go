package manifest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/ir/diag"
)

const workloads = `
apiVersion: v1
kind: List
items:
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: web, namespace: shop, labels: {a: b}}
  spec:
    replicas: 3
    selector: {matchLabels: {app: web}}
    template:
      metadata: {labels: {app: web}}
      spec:
        hostNetwork: true
        nodeSelector: {disk: ssd}
        containers:
        - {name: a, image: x, env: [{name: A, value: b}], ports: [{name: http, containerPort: 80}], resources: {limits: {cpu: 1}}}
        - {name: b, image: y}
- apiVersion: v1
  kind: ReplicationController
  metadata: {name: old}
  spec: {replicas: 0, selector: {app: old}, template: {metadata: {labels: {app: old}}}}
- apiVersion: batch/v1
  kind: CronJob
  metadata: {name: nightly}
  spec: {jobTemplate: {spec: {parallelism: 2, template: {metadata: {labels: {app: nightly}}}}}}
- apiVersion: apps/v1
  kind: ReplicaSet
  metadata: {name: web-1, namespace: shop, ownerReferences: [{kind: Deployment, name: web, controller: true}]}
- apiVersion: example.com/v1
  kind: Deployment
  metadata: {name: custom, labels: {tier: gold}}
  spec: {replicas: "many"}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: c}}
`

// TestWorkloads loads what pods are made of, when asked, and only then.
func TestWorkloads(t *testing.T) {
	set, diags, err := manifest.Load(t.Context(), manifest.Options{Paths: []string{"-"}, Stdin: strings.NewReader(workloads)})
	if err != nil || len(set.Workloads) != 0 {
		t.Errorf("not asked for: %d workloads, %v", len(set.Workloads), err)
	}
	if !slices.ContainsFunc(diags, func(d diag.Diagnostic) bool {
		return d.Code == diag.SkippedKinds && strings.Contains(d.Message, "1 CronJob")
	}) {
		t.Errorf("not said to be skipped: %v", diags)
	}

	set, diags, err = manifest.Load(t.Context(), manifest.Options{Paths: []string{"-"}, Stdin: strings.NewReader(workloads), Workloads: true})
	if err != nil || len(set.Workloads) != 5 {
		t.Fatalf("%d workloads, %v, %v", len(set.Workloads), diags, err)
	}
	web := set.Workloads[0]
	w := web.Object
	if web.Line != 5 || w.Kind != "Deployment" || *w.Replicas != 3 || w.Selector.MatchLabels["app"] != "web" || w.PodLabels["app"] != "web" {
		t.Errorf("line %d: %+v", web.Line, w)
	}
	if s := w.Spec; !s.HostNetwork || s.NodeSelector["disk"] != "ssd" || len(s.Containers) != 1 || s.Containers[0].Image != "" || s.Containers[0].Ports[0].Protocol != "TCP" {
		t.Errorf("spec: %+v", s)
	}
	if old := set.Workloads[1].Object; old.Namespace != "default" || old.Selector != nil && len(old.Selector.MatchLabels) > 0 || *old.Replicas != 0 {
		t.Errorf("%+v", old)
	}
	if nightly := set.Workloads[2].Object; *nightly.Replicas != 2 || nightly.PodLabels["app"] != "nightly" {
		t.Errorf("%+v", nightly)
	}
	if owned := set.Workloads[3].Object; owned.Owner != "Deployment/web" {
		t.Errorf("%+v", owned)
	}
	if custom := set.Workloads[4].Object; !custom.Opaque || custom.Labels["tier"] != "gold" || custom.Replicas != nil {
		t.Errorf("%+v", custom)
	}
	if len(diags) != 1 || !strings.Contains(diags[0].Message, "1 ConfigMap") {
		t.Errorf("%v", diags)
	}
}

// TestBrokenWorkloads: what the API server would refuse is an error of its line.
func TestBrokenWorkloads(t *testing.T) {
	const text = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: many
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: Not_A_Name}
`
	set, diags, err := manifest.Load(t.Context(), manifest.Options{Paths: []string{"-"}, Stdin: strings.NewReader(text), Workloads: true})
	if err != nil || len(set.Workloads) != 0 || len(diags) != 3 {
		t.Fatalf("%d workloads, %v, %v", len(set.Workloads), diags, err)
	}
	if d := diags[1]; d.Code != diag.BadObject || d.Origin.Line != 6 || d.Origin.Path != "spec.replicas" {
		t.Error(d)
	}
	if d := diags[2]; d.Code != diag.UnnamedObject || d.Origin.Line != 8 {
		t.Error(d)
	}
}

// TestImages: images are kept for those that ask, and are no fault of the object's.
func TestImages(t *testing.T) {
	const text = "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: a}\nspec:\n  selector: {matchLabels: {a: b}}\n  template:\n    metadata: {labels: {a: b}}\n" +
		"    spec: {containers: [{name: x, image: \"net/x:1\"}, {name: b, image: yes}], initContainers: [{name: z, image: net/z}]}\n"
	for _, asked := range []bool{true, false} {
		set, diags, err := manifest.Load(t.Context(), manifest.Options{Paths: []string{"-"}, Stdin: strings.NewReader(text), Workloads: true, Images: asked})
		if err != nil || diags.Count(diag.Error) > 0 || len(set.Workloads) != 1 {
			t.Fatalf("%v, %v", diags, err)
		}
		want := []string(nil)
		if asked {
			want = []string{"net/x:1", "net/z"}
		}
		if got := set.Workloads[0].Object.Images; !slices.Equal(got, want) {
			t.Errorf("asked %v: %v", asked, got)
		}
	}
}
