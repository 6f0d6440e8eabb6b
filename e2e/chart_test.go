package e2e_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/planec/planec/e2e/internal/agent"
	"github.com/planec/planec/e2e/internal/programs"
)

// prometheusOperator has the definitions of ServiceMonitor and PrometheusRule.
const prometheusOperator = "github.com/prometheus-operator/prometheus-operator@v0.85.0"

// TestChart: the API server takes what the chart makes of each file of values, pods included,
// as it is: a field that it would drop is an error. The objects of the manifests are there
// before, so these can be changed to those of the chart, and the chart's to others.
func TestChart(t *testing.T) {
	s := newStand(t)
	s.monitoring(t)
	render := programs.Chart(t)
	files, err := filepath.Glob("charts/testdata/*.yaml")
	must(t, err)
	if len(files) < 8 {
		t.Fatalf("%d files of values", len(files))
	}
	for _, file := range []string{"rbac.yaml", "rbac-policies.yaml", "daemonset.yaml"} {
		manifest, err := os.ReadFile(filepath.Join("..", "deploy", file))
		must(t, err)
		must(t, s.Apply(within(t, time.Minute), manifest))
	}
	for _, file := range files {
		values, err := os.ReadFile(file)
		must(t, err)
		manifest, err := render(values)
		must(t, err)
		made, err := s.Check(within(t, time.Minute), manifest)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		for _, o := range made {
			if o.GetKind() == "DaemonSet" {
				s.pods(t, file, o)
			}
		}
	}
	// It would have been refused.
	manifest, err := render(nil)
	must(t, err)
	for was, wrong := range map[string]string{
		"hostNetwork: true":                  "hostNetwrk: true",
		"type: DirectoryOrCreate":            "type: Nothing",
		"{name: locks, mountPath: /run/plan": "{name: nothing, mountPath: /run/plan",
	} {
		text := strings.Replace(string(manifest), was, wrong, 1)
		if _, err := s.Check(within(t, time.Minute), []byte(text)); text == string(manifest) || err == nil {
			t.Errorf("%s is accepted", wrong)
		}
	}
}

// pods wants the API server to take the pods of a DaemonSet, with a priority if they ask for one.
func (s *stand) pods(t *testing.T, file string, daemonset unstructured.Unstructured) {
	t.Helper()
	template, _, err := unstructured.NestedMap(daemonset.Object, "spec", "template")
	must(t, err)
	pod := unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Pod", "spec": template["spec"]}}
	pod.SetName("agent")
	pod.SetNamespace(daemonset.GetNamespace())
	text, err := json.Marshal(pod.Object)
	must(t, err)
	made, err := s.Check(within(t, time.Minute), text)
	if err != nil {
		t.Errorf("%s: a pod: %v", file, err)
		return
	}
	class, _, _ := unstructured.NestedString(made[0].Object, "spec", "priorityClassName")
	priority, _, _ := unstructured.NestedInt64(made[0].Object, "spec", "priority")
	if class != "" && priority == 0 {
		t.Errorf("%s: class %s has priority %d", file, class, priority)
	}
}

// monitoring defines the kinds of Prometheus' operator.
func (s *stand) monitoring(t *testing.T) {
	t.Helper()
	out, err := exec.Command("go", "mod", "download", "-json", prometheusOperator).Output()
	if err != nil {
		t.Fatalf("the module cannot be had: %v: %s", err, out)
	}
	var module struct{ Dir string }
	must(t, json.Unmarshal(out, &module))
	for _, kind := range []string{"servicemonitors", "prometheusrules"} {
		text, err := os.ReadFile(filepath.Join(module.Dir, "example", "prometheus-operator-crd", "monitoring.coreos.com_"+kind+".yaml"))
		must(t, err)
		must(t, s.Apply(within(t, time.Minute), text))
	}
	// It serves them a moment later.
	ctx := within(t, time.Minute)
	for _, kind := range []string{"ServiceMonitor", "PrometheusRule"} {
		object := `{"apiVersion": "monitoring.coreos.com/v1", "kind": "` + kind + `", "metadata": {"name": "a", "namespace": "default"},
			"spec": {"selector": {}, "endpoints": []}}`
		if kind == "PrometheusRule" {
			object = strings.Replace(object, `{"selector": {}, "endpoints": []}`, `{"groups": []}`, 1)
		}
		for {
			_, err := s.Check(ctx, []byte(object))
			if err == nil {
				break
			}
			if ctx.Err() != nil || !meta.IsNoMatchError(err) && !strings.Contains(err.Error(), "could not find the requested resource") {
				t.Fatal(err)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
}

// TestChartRights: the rights of the chart are enough for an agent that runs as the chart runs
// it, with its settings, but for the paths of a pod.
func TestChartRights(t *testing.T) {
	s := newStand(t, tools...)
	manifest, err := programs.Chart(t)([]byte("policies: true\nname: other\nnamespace: default\nkubeProxyConfigMap: ''\napiServer: {host: 192.0.2.10}\n"))
	must(t, err)
	ctx := within(t, time.Minute)
	must(t, s.Apply(ctx, manifest))
	kubeconfig, err := s.ServiceAccountKubeconfig(ctx, "default", "other")
	must(t, err)
	o := agent.Options{Node: nodeName, Kubeconfig: kubeconfig, ClusterCIDR: podCIDRs, Flags: []string{"--policies"}}
	s.on(&o, "nftables")
	flow := s.serve(t, "web", "10.96.0.20")
	start(t, agent.New(t, s.node, o))
	served(within(t, time.Minute), t, idle{s.rig}, flow)
}
