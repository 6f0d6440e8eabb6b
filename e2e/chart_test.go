package e2e_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

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

// TestChartRights: an agent serves with what the chart gives it for its backend and no more,
// the rights of the account and the capabilities of the container.
func TestChartRights(t *testing.T) {
	s := newProgrammedStand(t, append(tools, "setpriv")...)
	render := programs.Chart(t)
	o := agent.Options{Node: nodeName, ClusterCIDR: podCIDRs, Flags: []string{"--policies", "--sysctls=false"}, StateDir: t.TempDir()}
	for i, backend := range []string{"nftables", "iptables", "ebpf"} {
		manifest, err := render(fmt.Appendf(nil, "{backend: %s, policies: true, name: other, namespace: default, kubeProxyConfigMap: '', apiServer: {host: %v}}", backend, nodeAddr))
		must(t, err)
		ctx := within(t, time.Minute)
		made, err := s.Check(ctx, manifest)
		must(t, err)
		must(t, s.Apply(ctx, manifest))
		o.Kubeconfig, err = s.ServiceAccountKubeconfig(ctx, "default", "other")
		must(t, err)
		s.on(&o, backend)
		o.Wrap = append(o.Wrap, "setpriv", "--bounding-set", "-all"+capabilities(t, made), "--inh-caps", "-all")
		a := agent.New(t, s.node, o)
		start(t, a)
		served(within(t, 10*time.Second), t, idle{s.rig}, s.serve(t, backend, fmt.Sprintf("10.96.0.%d", 20+i)))
		must(t, a.Terminate(10*time.Second))
	}
}

// capabilities are those that the DaemonSet among the objects gives the agent, for setpriv.
func capabilities(t *testing.T, objects []unstructured.Unstructured) (out string) {
	t.Helper()
	for _, o := range objects {
		if o.GetKind() != "DaemonSet" {
			continue
		}
		var d appsv1.DaemonSet
		must(t, runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &d))
		for _, name := range d.Spec.Template.Spec.Containers[0].SecurityContext.Capabilities.Add {
			out += ",+" + strings.ToLower(string(name))
		}
	}
	if out == "" {
		t.Fatal("the DaemonSet gives no capability")
	}
	return out
}
