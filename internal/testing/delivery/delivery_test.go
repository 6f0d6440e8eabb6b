package delivery_test

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"
)

const root = "../../.."

// documents are the YAML documents of a file.
func documents(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, doc := range regexp.MustCompile(`(?m)^---$`).Split(string(text), -1) {
		if strings.TrimSpace(doc) != "" {
			out = append(out, doc)
		}
	}
	return out
}

// read decodes a document strictly: an unknown field is an error.
func read[T any](t *testing.T, doc string) T {
	t.Helper()
	var out T
	if err := yaml.UnmarshalStrict([]byte(doc), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestDaemonSet checks the minimum requirements of the agent.
func TestDaemonSet(t *testing.T) {
	d := read[appsv1.DaemonSet](t, documents(t, "deploy/daemonset.yaml")[0])
	if len(d.Spec.Template.Spec.Containers) != 1 {
		t.Fatal("more than the agent")
	}
	c := d.Spec.Template.Spec.Containers[0]
	s := c.SecurityContext
	if !slices.Equal(s.Capabilities.Add, []corev1.Capability{"NET_ADMIN"}) || !slices.Equal(s.Capabilities.Drop, []corev1.Capability{"ALL"}) ||
		*s.AllowPrivilegeEscalation || !*s.ReadOnlyRootFilesystem || s.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault || s.Privileged != nil {
		t.Errorf("the agent has more rights than it needs: %+v", s)
	}
	for _, m := range c.VolumeMounts {
		if !slices.ContainsFunc(d.Spec.Template.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == m.Name }) {
			t.Errorf("no volume %s", m.Name)
		}
	}
}

// TestEBPF wants the patch for ebpf to give the agent what its programs need and no more:
// the machine's cgroups, a BPF file system, and three capabilities.
func TestEBPF(t *testing.T) {
	base := read[appsv1.DaemonSet](t, documents(t, "deploy/daemonset.yaml")[0])
	d := read[appsv1.DaemonSet](t, documents(t, "deploy/ebpf.yaml")[0])
	if d.Name != base.Name || d.Namespace != base.Namespace || len(d.Spec.Template.Spec.Containers) != 1 {
		t.Fatalf("it is not a patch of the agent: %s", d.Name)
	}
	c, was := d.Spec.Template.Spec.Containers[0], base.Spec.Template.Spec.Containers[0]
	if c.Name != was.Name || argument(&c, "backend", "") != "ebpf" {
		t.Errorf("container %s with %q", c.Name, c.Args)
	}
	for _, a := range was.Args {
		if !strings.HasPrefix(a, "--backend=") && !slices.Contains(c.Args, a) {
			t.Errorf("the patch loses %s", a)
		}
	}
	if !slices.Equal(c.SecurityContext.Capabilities.Add, []corev1.Capability{"NET_ADMIN", "BPF", "SYS_ADMIN"}) || c.SecurityContext.Privileged != nil {
		t.Errorf("rights: %+v", c.SecurityContext)
	}
	for _, m := range c.VolumeMounts {
		i := slices.IndexFunc(d.Spec.Template.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == m.Name })
		if i < 0 || m.MountPath != argument(&c, "cgroup", "") && m.MountPath != d.Spec.Template.Spec.Volumes[i].HostPath.Path {
			t.Errorf("%s at %s has no volume of the machine", m.Name, m.MountPath)
		}
	}
	if !slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return m.MountPath == argument(&c, "cgroup", "") }) {
		t.Errorf("the cgroup %q is not mounted", argument(&c, "cgroup", ""))
	}
}

// argument returns the value of an agent's flag, or its default.
func argument(c *corev1.Container, flag, otherwise string) string {
	for _, a := range c.Args {
		if value, ok := strings.CutPrefix(a, "--"+flag+"="); ok {
			return value
		}
	}
	return otherwise
}

// TestPorts wants the agent to listen on every port of the DaemonSet, at an
// address that is reachable for its clients: probes come from the node itself, and
// metrics are scraped from other hosts.
func TestPorts(t *testing.T) {
	d := read[appsv1.DaemonSet](t, documents(t, "deploy/daemonset.yaml")[0])
	pod := d.Spec.Template
	c := &pod.Spec.Containers[0]
	listens := func(flag, otherwise string) (host, port string) {
		host, port, err := net.SplitHostPort(argument(c, flag, otherwise))
		if err != nil {
			t.Fatal(err)
		}
		return host, port
	}
	_, health := listens("healthz-bind-address", "0.0.0.0:10256")
	at, metrics := listens("metrics-bind-address", "127.0.0.1:10249")
	for _, p := range c.Ports {
		if got := strconv.Itoa(int(p.ContainerPort)); p.Name == "healthz" && got != health || p.Name != "healthz" && got != metrics {
			t.Errorf("port %s is %s, and the agent listens on %s and %s", p.Name, got, health, metrics)
		}
	}
	for _, probe := range []*corev1.Probe{c.ReadinessProbe, c.LivenessProbe} {
		if probe.HTTPGet.Port.String() != "healthz" {
			t.Errorf("a probe asks port %s", probe.HTTPGet.Port.String())
		}
	}
	if pod.Annotations["prometheus.io/scrape"] == "true" {
		if addr, err := netip.ParseAddr(at); err == nil && addr.IsLoopback() || pod.Annotations["prometheus.io/port"] != metrics {
			t.Errorf("port %s is to be scraped, and the metrics are at %s:%s", pod.Annotations["prometheus.io/port"], at, metrics)
		}
	}
}

// TestRights wants the agent to be allowed to read and to write Events, and nothing else, but
// for the status of Services and its Lease in the file for --lb-ipam.
func TestRights(t *testing.T) {
	for _, file := range []string{"deploy/rbac.yaml", "deploy/rbac-policies.yaml", "deploy/rbac-addresses.yaml", "deploy/rbac-layer2.yaml", "deploy/rbac-bgp.yaml", "deploy/rbac-imports.yaml"} {
		roles := 0
		for _, doc := range documents(t, file) {
			if !strings.Contains(doc, "\nkind: ClusterRole\n") {
				continue
			}
			roles++
			for _, rule := range read[rbacv1.ClusterRole](t, doc).Rules {
				allowed := []string{"list", "watch"}
				if slices.Equal(rule.Resources, []string{"events"}) {
					allowed = []string{"create"}
				}
				if file == "deploy/rbac-addresses.yaml" && slices.Equal(rule.Resources, []string{"services/status"}) {
					allowed = []string{"patch"}
				}
				if !slices.Equal(rule.Verbs, allowed) {
					t.Errorf("%s: %v of %v", file, rule.Verbs, rule.Resources)
				}
			}
		}
		if roles != 1 {
			t.Errorf("%s: %d roles", file, roles)
		}
	}
}

func TestJob(t *testing.T) {
	j := read[batchv1.Job](t, documents(t, "examples/gitops/compile-job.yaml")[0])
	if *j.Spec.CompletionMode != batchv1.IndexedCompletion || !slices.Contains(j.Spec.Template.Spec.Containers[0].Args, "$(JOB_COMPLETION_INDEX)/10") || *j.Spec.Completions != 10 {
		t.Error("the shards are not the job's")
	}
}

// TestAction wants every input of the action to be used, and no part of a pull
// request to become part of a script.
func TestAction(t *testing.T) {
	action := read[map[string]any](t, documents(t, "action.yml")[0])
	text := documents(t, "action.yml")[0]
	for name := range action["inputs"].(map[string]any) {
		if !strings.Contains(text, "inputs."+name) {
			t.Errorf("input %s is not used", name)
		}
	}
	for _, s := range action["runs"].(map[string]any)["steps"].([]any) {
		step := s.(map[string]any)
		if run, _ := step["run"].(string); strings.Contains(run, "${{") {
			t.Errorf("step %v writes an expression into a script", step["name"])
		}
	}
}

func TestHooks(t *testing.T) {
	for _, hook := range read[[]map[string]any](t, documents(t, ".pre-commit-hooks.yaml")[0]) {
		if hook["id"] == nil || hook["language"] != "golang" || !strings.HasPrefix(hook["entry"].(string), "planec ") {
			t.Errorf("hook %v", hook)
		}
	}
}
