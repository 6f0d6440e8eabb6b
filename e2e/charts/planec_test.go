package charts

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	agent "github.com/planec/planec/internal/agent/cmd"
	"github.com/planec/planec/internal/input/nodeconfig"
)

const (
	deploy = "../../deploy"
	planec = deploy + "/chart/planec"
)

// release is one without words of its own: no -n either.
var release = Release{Name: "planec", Namespace: "default"}

// object is one of a manifest, with its fields as the API has them.
type object = map[string]any

// objects are those of a manifest, by kind and name.
func objects(t *testing.T, manifest []byte) map[string]object {
	t.Helper()
	out := map[string]object{}
	documents := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifest), 4096)
	for {
		var o object
		err := documents.Decode(&o)
		switch {
		case errors.Is(err, io.EOF):
			return out
		case err != nil:
			t.Fatal(err)
		case len(o) > 0:
			metadata := o["metadata"].(object)
			key := fmt.Sprint(o["kind"], " ", metadata["name"])
			if _, twice := out[key]; twice {
				t.Errorf("%s is there twice", key)
			}
			out[key] = typed(t, o)
		}
	}
}

// typed decodes an object strictly and writes it again: defaults and forms of a quantity do
// not count, and neither does the order of lists that the API sees as maps.
func typed(t *testing.T, o object) object {
	t.Helper()
	var into any
	switch o["kind"] {
	case "DaemonSet":
		into = &appsv1.DaemonSet{}
	case "ServiceAccount":
		into = &corev1.ServiceAccount{}
	case "ConfigMap":
		into = &corev1.ConfigMap{}
	case "Service":
		into = &corev1.Service{}
	case "ClusterRole":
		into = &rbacv1.ClusterRole{}
	case "Role":
		into = &rbacv1.Role{}
	case "RoleBinding":
		into = &rbacv1.RoleBinding{}
	case "ClusterRoleBinding":
		into = &rbacv1.ClusterRoleBinding{}
	case "ServiceMonitor", "PrometheusRule": // ../chart_test.go has an API server that knows them
		return o
	default:
		t.Fatalf("kind %v", o["kind"])
	}
	text, err := yaml.Marshal(o)
	if err == nil {
		err = yaml.UnmarshalStrict(text, into)
	}
	if err != nil {
		t.Fatalf("%v: %v\n%s", o["kind"], err, text)
	}
	if d, ok := into.(*appsv1.DaemonSet); ok {
		pod := &d.Spec.Template.Spec
		slices.SortFunc(pod.Volumes, func(a, b corev1.Volume) int { return cmp.Compare(a.Name, b.Name) })
		for i := range pod.Containers {
			slices.SortFunc(pod.Containers[i].VolumeMounts, func(a, b corev1.VolumeMount) int { return cmp.Compare(a.Name, b.Name) })
		}
	}
	text, err = yaml.Marshal(into)
	if err != nil {
		t.Fatal(err)
	}
	var out object
	if err := yaml.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// unlabelled removes the labels of the objects themselves, which say who made them.
func unlabelled(all map[string]object) map[string]object {
	for _, o := range all {
		delete(o["metadata"].(object), "labels")
	}
	return all
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// made are the objects of the chart with the values of a file of testdata.
func made(t *testing.T, values string) map[string]object {
	t.Helper()
	text, notes, err := RenderDir(planec, read(t, "testdata/"+values), release)
	if err != nil {
		t.Fatalf("%s: %v", values, err)
	}
	if !strings.Contains(notes, "rollout status daemonset/") {
		t.Errorf("%s: the notes say nothing of what to do: %s", values, notes)
	}
	return objects(t, []byte(text))
}

// patched is a manifest of the DaemonSet with a patch of it, as kustomize does it.
func patched(t *testing.T, base, patch string) []byte {
	t.Helper()
	b, err := yaml.YAMLToJSON(read(t, base))
	if err != nil {
		t.Fatal(err)
	}
	p, err := yaml.YAMLToJSON(read(t, patch))
	if err != nil {
		t.Fatal(err)
	}
	out, err := strategicpatch.StrategicMergePatch(b, p, appsv1.DaemonSet{})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestSameAsDeploy: the chart makes the objects of the manifests, for each backend and for
// policies.
func TestSameAsDeploy(t *testing.T) {
	rbac, daemonset := read(t, deploy+"/rbac.yaml"), deploy+"/daemonset.yaml"
	plain := bytes.Join([][]byte{rbac, read(t, daemonset)}, []byte("\n---\n"))
	policies := objects(t, bytes.Join([][]byte{plain, read(t, deploy+"/rbac-policies.yaml")}, []byte("\n---\n")))
	agentOf(policies)["args"] = append(agentOf(policies)["args"].([]any), "--policies")
	addresses := objects(t, bytes.Join([][]byte{plain, read(t, deploy+"/rbac-addresses.yaml")}, []byte("\n---\n")))
	agentOf(addresses)["args"] = append(agentOf(addresses)["args"].([]any), "--lb-ipam")
	layer2 := objects(t, bytes.Join([][]byte{plain, read(t, deploy+"/rbac-layer2.yaml")}, []byte("\n---\n")))
	agentOf(layer2)["args"] = append(agentOf(layer2)["args"].([]any), "--l2-announce")
	capabilities := agentOf(layer2)["securityContext"].(object)["capabilities"].(object)
	capabilities["add"] = append(capabilities["add"].([]any), "NET_RAW")
	bgp := objects(t, bytes.Join([][]byte{plain, read(t, deploy+"/rbac-bgp.yaml")}, []byte("\n---\n")))
	agentOf(bgp)["args"] = append(agentOf(bgp)["args"].([]any), "--bgp=frr", "--frr-dir=/var/lib/planec/frr", "--frr-reload=")
	for values, want := range map[string]map[string]object{
		"defaults.yaml": objects(t, plain),
		"ebpf.yaml":     objects(t, bytes.Join([][]byte{rbac, patched(t, daemonset, deploy+"/ebpf.yaml")}, []byte("\n---\n"))),
		"iptables.yaml": objects(t, bytes.Join([][]byte{rbac, patched(t, daemonset, deploy+"/iptables.yaml")}, []byte("\n---\n"))),
		"policies.yaml": policies,
		"lb-ipam.yaml":  addresses,
		"layer2.yaml":   layer2,
		"bgp.yaml":      bgp,
	} {
		if diff := gocmp.Diff(unlabelled(want), unlabelled(made(t, values))); diff != "" {
			t.Errorf("%s: - deploy, + chart:\n%s", values, diff)
		}
	}
	// The patch for iptables says that it is one for IPVS with another word.
	ipvs := bytes.ReplaceAll(patched(t, daemonset, deploy+"/iptables.yaml"), []byte("--backend=iptables"), []byte("--backend=ipvs"))
	text, _, err := RenderDir(planec, []byte("backend: ipvs"), release)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(unlabelled(objects(t, bytes.Join([][]byte{rbac, ipvs}, []byte("\n---\n")))), unlabelled(objects(t, []byte(text)))); diff != "" {
		t.Errorf("ipvs: - deploy, + chart:\n%s", diff)
	}
}

// agentOf is the container of the agent.
func agentOf(all map[string]object) object { return containers(all, "containers")[0].(object) }

func containers(all map[string]object, field string) []any {
	for key, o := range all {
		if strings.HasPrefix(key, "DaemonSet ") {
			pod := o["spec"].(object)["template"].(object)["spec"].(object)
			list, _ := pod[field].([]any)
			return list
		}
	}
	return nil
}

// TestAgentTakesIt: the agent knows every flag that the chart gives it, with its value, and
// reads the settings.
func TestAgentTakesIt(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, file := range files {
		all := made(t, filepath.Base(file))
		n := 0
		for _, c := range append(containers(all, "initContainers"), containers(all, "containers")...) {
			n++
			var args []string
			for _, a := range c.(object)["args"].([]any) {
				args = append(args, a.(string))
			}
			if err := agent.New(io.Discard).ParseFlags(args); err != nil {
				t.Errorf("%s: %v", file, err)
			}
			mounted(t, file, c.(object), args)
		}
		if n == 0 {
			t.Errorf("%s: no container", file)
		}
		for key, o := range all {
			text, ok := strings.CutPrefix(key, "ConfigMap ")
			if ok && !strings.HasSuffix(text, "-dashboard") {
				settings := o["data"].(object)["node.yaml"].(string)
				if _, diags, err := nodeconfig.Read("node.yaml", []byte(settings)); err != nil || len(diags) > 0 {
					t.Errorf("%s: %v %v\n%s", file, err, diags, settings)
				}
			}
		}
	}
}

// mounted wants every file that a container is told of to be below one of its mounts.
func mounted(t *testing.T, file string, c object, args []string) {
	t.Helper()
	var at []string
	mounts, _ := c["volumeMounts"].([]any)
	for _, m := range mounts {
		at = append(at, m.(object)["mountPath"].(string))
	}
	for _, a := range args {
		flag, path, _ := strings.Cut(a, "=")
		if !strings.HasPrefix(path, "/") {
			continue
		}
		if !slices.ContainsFunc(at, func(m string) bool { return path == m || strings.HasPrefix(path, m+"/") }) {
			t.Errorf("%s: %s is %s, and the mounts are %v", file, flag, path, at)
		}
	}
}

// TestLints: Helm has nothing to say against the chart, whatever the values are.
func TestLints(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		values, err := chartutil.ReadValuesFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range lint.AllWithKubeVersion(planec, values, "default", nil).Messages {
			if m.Severity > support.InfoSev {
				t.Errorf("%s: %v", file, m)
			}
		}
	}
}

// TestRefused: what is wrong is refused, with its place and what would be right.
func TestRefused(t *testing.T) {
	for values, words := range map[string]string{
		"backend: nftable":                            "at '/backend': value must be one of 'nftables', 'iptables', 'ipvs', 'ebpf'",
		"backnd: ebpf":                                "additional properties 'backnd' not allowed",
		"image: {tags: v1}":                           "at '/image': additional properties 'tags' not allowed",
		"policies: 'yes'":                             "at '/policies': got string, want boolean",
		"takeover: calico":                            "at '/takeover': value must be one of '', 'kube-proxy'",
		"metrics: {port: 70000}":                      "at '/metrics/port': maximum: got 70,000, want 65,535",
		"extraArgs: [verify-every=1m]":                "at '/extraArgs/0'",
		"name: Planec":                                "at '/name'",
		"nodeConfig: {clusterCidr: 10.0.0.0/8}":       "at '/nodeConfig': additional properties 'clusterCidr' not allowed",
		"nodeConfig: {node: a}":                       "at '/nodeConfig': additional properties 'node' not allowed",
		"nodeConfig: {ipvsScheduler: foo}":            "at '/nodeConfig/ipvsScheduler': value must be one of",
		"kubeProxyConfigMap: ''":                      "give apiServer.host, or kubeProxyConfigMap",
		"apiServer: {host: 'https://10.0.0.1'}":       "at '/apiServer/host'",
		"ebpf: {countConnections: true}":              "ebpf.countConnections has no meaning with backend nftables",
		"nodeConfig: {policiesAtInterfaces: true}":    "nodeConfig.policiesAtInterfaces has no meaning with backend nftables",
		"metrics: {serviceMonitor: {enabled: true}}":  "metrics.serviceMonitor needs metrics.expose",
		"healthz: {port: 10249}":                      "healthz.port and metrics.port are both 10249",
		"podLabels: {app.kubernetes.io/name: mine}":   "podLabels",
		"serviceAccount: {create: false, nam: mine}":  "additional properties 'nam' not allowed",
		"updateStrategy: RollingUpdate":               "at '/updateStrategy': got string, want object",
		"image: {digest: 'sha256:abc'}":               "at '/image/digest'",
		"tolerations: {operator: Exists}":             "at '/tolerations': got object, want array",
		"{backend: ebpf, ebpf: {cgroup: sys/cgroup}}": "at '/ebpf/cgroup'",
	} {
		text, _, err := RenderDir(planec, []byte(values), release)
		if err == nil {
			t.Errorf("%s is accepted:\n%s", values, text)
		} else if !strings.Contains(err.Error(), words) {
			t.Errorf("%s: want %q: %v", values, words, err)
		}
	}
}

// TestNamespaces: the objects are in the namespace of the values, and else in the release's.
func TestNamespaces(t *testing.T) {
	for values, want := range map[string]string{"{}": "kube-system", "namespace: ''": "default", "namespace: net": "net"} {
		text, _, err := RenderDir(planec, []byte(values), release)
		if err != nil {
			t.Fatal(err)
		}
		all := objects(t, []byte(text))
		for _, key := range slices.Sorted(maps.Keys(all)) {
			at := all[key]["metadata"].(object)["namespace"]
			if strings.HasPrefix(key, "ClusterRole") {
				at = want
				if subjects, ok := all[key]["subjects"].([]any); ok {
					at = subjects[0].(object)["namespace"]
				}
			}
			if at != want {
				t.Errorf("%s: %s is in %v", values, key, at)
			}
		}
	}
}

// TestMonitoring: what Prometheus and Grafana get is what deploy has, and they find it.
func TestMonitoring(t *testing.T) {
	all := made(t, "everything.yaml")
	var rules object
	if err := yaml.Unmarshal(read(t, deploy+"/prometheus/rules.yaml"), &rules); err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(rules, all["PrometheusRule planec-ebpf"]["spec"]); diff != "" {
		t.Errorf("alerts: - deploy, + chart:\n%s", diff)
	}
	board := all["ConfigMap planec-ebpf-dashboard"]["data"].(object)["planec.json"].(string)
	if diff := gocmp.Diff(decode(t, read(t, deploy+"/grafana/planec.json")), decode(t, []byte(board))); diff != "" {
		t.Errorf("dashboard: - deploy, + chart:\n%s", diff)
	}
	service := all["Service planec-ebpf-metrics"]
	labels := service["metadata"].(object)["labels"].(object)
	monitor := all["ServiceMonitor planec-ebpf"]["spec"].(object)
	for name, want := range monitor["selector"].(object)["matchLabels"].(object) {
		if labels[name] != want {
			t.Errorf("the ServiceMonitor wants %s: %v, and the Service has %v", name, want, labels[name])
		}
	}
	spec := service["spec"].(object)
	if monitor["endpoints"].([]any)[0].(object)["port"] != spec["ports"].([]any)[0].(object)["name"] {
		t.Errorf("the ServiceMonitor names another port than the Service: %v", monitor["endpoints"])
	}
	pod := all["DaemonSet planec-ebpf"]["spec"].(object)["template"].(object)["metadata"].(object)["labels"].(object)
	for name, want := range spec["selector"].(object) {
		if pod[name] != want {
			t.Errorf("the Service selects %s: %v, and the pods have %v", name, want, pod[name])
		}
	}
	if args := agentOf(all)["args"].([]any); !slices.Contains(args, any("--metrics-bind-address=[::]:20249")) {
		t.Errorf("the agent does not listen there: %v", args)
	}
}

// TestNotes: the command that takes kube-proxy from every node is there only where every node
// gets an agent.
func TestNotes(t *testing.T) {
	const away = "patch daemonset kube-proxy"
	for values, want := range map[string]bool{
		"{}": true, "nodeSelector: null": true, "takeover: ''": false, "nodeSelector: {planec: 'yes'}": false,
		"affinity: {nodeAffinity: {}}": false,
	} {
		_, notes, err := RenderDir(planec, []byte(values), release)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(notes, away) != want {
			t.Errorf("%s: %s", values, notes)
		}
	}
}

// TestCNI: only an agent that looks for the node's network plugin sees its configurations.
func TestCNI(t *testing.T) {
	for values, want := range map[string]bool{"cni-auto.yaml": true, "own-settings.yaml": false, "defaults.yaml": false} {
		mounts, _ := agentOf(made(t, values))["volumeMounts"].([]any)
		at := slices.IndexFunc(mounts, func(m any) bool { return m.(object)["mountPath"] == "/etc/cni/net.d" })
		if (at >= 0) != want || want && mounts[at].(object)["readOnly"] != true {
			t.Errorf("%s: %v", values, mounts)
		}
	}
}

// TestImportRights: the agent may read ServiceImports only where the setting serves them, and as
// the manifest says.
func TestImportRights(t *testing.T) {
	want := objects(t, read(t, deploy+"/rbac-imports.yaml"))["ClusterRole planec-agent-imports"]["rules"]
	for values, asked := range map[string]bool{"{}": false, "nodeConfig: {serviceImportCIDR: [241.0.0.0/8]}": true} {
		text, _, err := RenderDir(planec, []byte(values), release)
		if err != nil {
			t.Fatal(err)
		}
		role, there := objects(t, []byte(text))["ClusterRole planec-agent-imports"]
		if there != asked || asked && !gocmp.Equal(want, role["rules"]) {
			t.Errorf("%s: %v", values, role)
		}
	}
}
