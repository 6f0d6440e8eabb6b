package manifest_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/internal/testing/clustergen"
	"github.com/planec/planec/ir/diag"
)

// load reads one text from standard input.
func load(tb testing.TB, text string) (objects.Set, diag.List) {
	tb.Helper()
	set, diags, err := manifest.Load(tb.Context(), manifest.Options{Paths: []string{"-"}, Stdin: strings.NewReader(text)})
	if err != nil {
		tb.Fatal(err)
	}
	return set, diags
}

// describe lists the objects of a set as "line kind namespace/name".
func describe(set objects.Set) []string {
	var out []string
	out = appendObjects(out, "Service", set.Services)
	out = appendObjects(out, "EndpointSlice", set.EndpointSlices)
	out = appendObjects(out, "Node", set.Nodes)
	out = appendObjects(out, "Pod", set.Pods)
	out = appendObjects(out, "Namespace", set.Namespaces)
	out = appendObjects(out, "ServiceCIDR", set.ServiceCIDRs)
	out = appendObjects(out, "NetworkPolicy", set.NetworkPolicies)
	out = appendObjects(out, "ClusterNetworkPolicy", set.ClusterNetworkPolicies)
	out = appendObjects(out, "AdminNetworkPolicy", set.AdminNetworkPolicies)
	out = appendObjects(out, "BaselineAdminNetworkPolicy", set.BaselineAdminNetworkPolicies)
	out = appendObjects(out, objects.KindCalicoNetworkPolicy, set.CalicoNetworkPolicies)
	out = appendObjects(out, "GlobalNetworkPolicy", set.CalicoGlobalNetworkPolicies)
	out = appendObjects(out, "Tier", set.CalicoTiers)
	out = appendObjects(out, "NetworkSet", set.CalicoNetworkSets)
	out = appendObjects(out, "GlobalNetworkSet", set.CalicoGlobalNetworkSets)
	out = appendObjects(out, "ServiceAccount", set.ServiceAccounts)
	out = appendObjects(out, "CiliumNetworkPolicy", set.CiliumNetworkPolicies)
	out = appendObjects(out, "CiliumClusterwideNetworkPolicy", set.CiliumClusterwideNetworkPolicies)
	out = appendObjects(out, "CiliumCIDRGroup", set.CiliumCIDRGroups)
	out = appendObjects(out, "ConfigMap", set.CiliumConfigs)
	out = appendObjects(out, "CiliumLoadBalancerIPPool", set.CiliumPools)
	out = appendObjects(out, "IPAddressPool", set.MetalLBPools)
	slices.Sort(out)
	return out
}

func appendObjects[T objects.Meta](out []string, kind string, list []objects.Sourced[T]) []string {
	for _, s := range list {
		o := objects.Origin(kind, s)
		out = append(out, strings.TrimPrefix(o.Position(), "<stdin>:")+" "+o.Object())
	}
	return out
}

func messages(diags diag.List) []string {
	var out []string
	for _, d := range diags {
		out = append(out, strings.TrimPrefix(d.String(), "<stdin>:"))
	}
	return out
}

const svcA = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n"

func TestLoad(t *testing.T) {
	tests := []struct {
		name, text string
		objects    []string
		diags      []string
	}{
		{
			name:    "documents and comments",
			text:    "# first\n\n" + svcA + "---\n# nothing\n---\n\n---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: ns\n",
			objects: []string{"11 Namespace ns", "3 Service default/a"},
		},
		{
			name:    "a list, its items in the second column",
			text:    "kind: List\napiVersion: v1\nitems:\n  # a comment\n  - apiVersion: v1\n    kind: Service\n    metadata: {name: a, namespace: x}\n  -\n    apiVersion: v1\n    kind: Node\n    metadata: {name: n.example}\n",
			objects: []string{"5 Service x/a", "9 Node n.example"},
		},
		{
			name:    "a list inside a list",
			text:    "kind: List\napiVersion: v1\nitems:\n- kind: List\n  apiVersion: v1\n  items:\n  - {apiVersion: v1, kind: Service, metadata: {name: a}}\n",
			objects: []string{"7 Service default/a"},
		},
		{
			name:    "typed lists, whose items say nothing of themselves",
			text:    "kind: ServiceList\napiVersion: v1\nitems:\n- metadata: {name: a}\n---\n" + `{"items":[{"metadata":{"name":"s"}}],"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSliceList"}` + "\n" + `{"kind":"NodeList","apiVersion":"v1","items":[` + "\n" + `{"metadata":{"name":"n"}}]}`,
			objects: []string{"4 Service default/a", "6 EndpointSlice default/s", "8 Node n"},
		},
		{
			name:    "JSON, concatenated, with YAML after it",
			text:    "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\n\"metadata\":{\"name\":\"a\"}}{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"b\"}}\n---\n" + svcA,
			objects: []string{"1 Service default/a", "2 Service default/b", "4 Service default/a"},
		},
		{
			name:    "flow YAML is no JSON",
			text:    "{apiVersion: v1, kind: Service, metadata: {name: a}}\n",
			objects: []string{"1 Service default/a"},
		},
		{
			name:    "byte order mark and CRLF",
			text:    "\ufeff" + strings.ReplaceAll("kind: List\napiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Service\n  metadata:\n    name: a\n", "\n", "\r\n"),
			objects: []string{"4 Service default/a"},
		},
		{
			name:    "block scalars that look like structure",
			text:    "kind: List\napiVersion: v1\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: c}\n  data:\n    x: |\n      - a\n      --- \n      items:\n      - b\n- apiVersion: v1\n  kind: Service\n  metadata: {name: a}\n",
			objects: []string{"13 Service default/a"},
			diags:   []string{"info PLC0003: skipped: 1 ConfigMap"},
		},
		{
			name:    "quoted scalars that look like items need the whole document",
			text:    "kind: List\napiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Service\n  metadata: {name: a}\n  note: \"\n- b: \n\"\n",
			objects: []string{"4 Service default/a"},
			diags:   []string{"7: error PLC0014: Service default/a note: unknown field; the API has apiVersion, kind, metadata, spec, status here"},
		},
		{
			name:    "anchors across items need the whole document",
			text:    "kind: List\napiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Service\n  metadata: &m {name: a}\n- apiVersion: v1\n  kind: Node\n  metadata: *m\n",
			objects: []string{"4 Service default/a", "7 Node a"},
		},
		{
			name:    "merge keys",
			text:    "kind: Service\napiVersion: v1\nx: &x {name: b, namespace: ns}\nmetadata:\n  <<: *x\n  name: a\n",
			objects: []string{"1 Service ns/a"},
			diags:   []string{"3: error PLC0014: Service ns/a x: unknown field; the API has apiVersion, kind, metadata, spec, status here"},
		},
		{
			name:  "a merge key that brings what is there",
			text:  "kind: Service\napiVersion: v1\nx: &x {name: b, namespace: ns}\nmetadata:\n  name: a\n  <<: *x\n",
			diags: []string{"warning PLC0007: there is nothing to compile", `6: error PLC0002: Service: a field stands twice: "name", once by a merge key`},
		},
		{
			name:    "one broken item of many",
			text:    "kind: List\napiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Service\n  metadata: {name: a}\n- x: [\n- apiVersion: v1\n  kind: Service\n  metadata: {name: b}\n",
			objects: []string{"4 Service default/a", "8 Service default/b"},
			diags:   []string{"7: error PLC0001: broken YAML: did not find expected node content"},
		},
		{
			name:    "one broken document of many",
			text:    svcA + "---\na: b: c\n---\n" + strings.Replace(svcA, "a}", "b}", 1),
			objects: []string{"1 Service default/a", "7 Service default/b"},
			diags:   []string{"5: error PLC0001: broken YAML: mapping values are not allowed in this context"},
		},
		{
			name:    "broken JSON and what comes after it",
			text:    "{\"a\": 1,, }\n{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"b\"}}\n",
			objects: []string{"2 Service default/b"},
			diags:   []string{"1: error PLC0001: broken JSON: ',' where the name of a field should be"},
		},
		{
			name:    "a dump that was cut off keeps what it has",
			text:    "{\"apiVersion\":\"v1\",\"items\":[\n{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"a\"}},\n{\"apiVersion\":\"v1\"",
			objects: []string{"2 Service default/a"},
			diags:   []string{"3: error PLC0001: broken JSON: the text ends in the middle of it"},
		},
		{
			name:  "a field called items in something else",
			text:  `{"apiVersion":"v1","kind":"Service","metadata":{"name":"a"},"items":[{"apiVersion":"v1","kind":"Service","metadata":{"name":"b"}}]}` + "\n---\napiVersion: v1\nkind: Service\nmetadata: {name: c}\nitems:\n- {apiVersion: v1, kind: Service, metadata: {name: d}}\n",
			diags: []string{"warning PLC0007: there is nothing to compile", "1: error PLC0002: it has items, and a kind that is no list: readers differ about what it is", "3: error PLC0002: it has items, and a kind that is no list: readers differ about what it is"},
		},
		{
			name:  "kinds",
			text:  "kind: Deployment\napiVersion: apps/v1\n---\nkind: Deployment\napiVersion: apps/v1\n---\nkind: Service\napiVersion: serving.knative.dev/v1\nmetadata: {name: k}\n---\nresources: [a.yaml]\n---\njust text\n---\nkind: EndpointSlice\napiVersion: discovery.k8s.io/v1beta1\n---\nkind: Service\n---\n{\"kind\":\"\\u001b[2J\",\"apiVersion\":\"v1\"}\n",
			diags: []string{"info PLC0003: skipped: 2 Deployment, 1 \ufffd[2J, 1 Service of serving.knative.dev/v1, 1 without a kind", "warning PLC0007: there is nothing to compile", "13: error PLC0001: plain text, which is no object", "15: warning PLC0008: EndpointSlice: apiVersion discovery.k8s.io/v1beta1 is not read; write it as discovery.k8s.io/v1", "18: error PLC0002: Service: apiVersion is missing; v1 is read"},
		},
		{
			name:    "ServiceCIDR in both versions",
			text:    "kind: ServiceCIDR\napiVersion: networking.k8s.io/v1beta1\nmetadata: {name: a}\nspec: {cidrs: [10.0.0.0/24]}\n---\nkind: ServiceCIDR\napiVersion: networking.k8s.io/v1\nmetadata: {name: b, namespace: ignored}\n",
			objects: []string{"1 ServiceCIDR a", "6 ServiceCIDR b"},
		},
		{
			name:  "types",
			text:  "apiVersion: v1\nkind: Service\nmetadata:\n  name: a\nspec:\n  ports:\n  - port: 80\n  - name: x\n    port: abc\n---\napiVersion: v1\nkind: Service\nmetadata:\n  name: b\n  labels:\n    debug: yes\n---\n{\"apiVersion\":\"v1\",\"kind\":\"Service\",\n\"metadata\":[],\n\"spec\":{}}\n",
			diags: []string{"warning PLC0007: there is nothing to compile", "9: error PLC0002: Service spec.ports[1].port: string where a whole number of 32 bits should be", "16: error PLC0002: Service metadata.labels.debug: bool where a string should be; plain words such as yes, no, on, off, y and n are booleans in YAML, so quote it", "19: error PLC0002: Service metadata: array where an object should be"},
		},
		{
			name:  "names",
			text:  "apiVersion: v1\nkind: Service\nmetadata: {name: a.b}\n---\napiVersion: v1\nkind: Service\nmetadata: {generateName: A-}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: A}\n---\napiVersion: v1\nkind: Node\nmetadata: {name: \"n\\e[2J\"}\n---\napiVersion: v1\nkind: Namespace\n",
			diags: []string{"warning PLC0007: there is nothing to compile", "1: error PLC0005: Service: metadata.name \"a.b\" is no valid name", "5: error PLC0005: Service: metadata.name \"A-56225\" is no valid name", "9: error PLC0005: Pod: metadata.namespace \"A\" is no valid name", "13: error PLC0005: Node: metadata.name \"n\\x1b[2J\" is no valid name", "17: error PLC0005: Namespace: metadata.name is missing"},
		},
		{
			// Each gets a name of its content, as the API server gives each another.
			name:    "generated names",
			text:    "apiVersion: v1\nkind: Service\nmetadata: {generateName: a-}\n---\napiVersion: v1\nkind: Service\nmetadata: {generateName: a-, labels: {x: z}}\n---\napiVersion: v1\nkind: Service\nmetadata: {generateName: b-, name: b}\n",
			objects: []string{"1 Service default/a-nns5l", "5 Service default/a-gsmb6", "9 Service default/b"},
		},
		{
			name:  "fields that stand twice",
			text:  "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  clusterIP: 10.0.0.1\n  clusterIP: 10.0.0.2\n---\n{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"a\",\"name\":\"b\"}}\n",
			diags: []string{"warning PLC0007: there is nothing to compile", "6: error PLC0002: Service: a field stands twice: \"clusterIP\"", "8: error PLC0002: Service: a field stands twice: \"name\""},
		},
		{
			name:  "a separator that is missing",
			text:  "apiVersion: v1\nkind: Service\nmetadata: {name: a}\napiVersion: v1\nkind: Service\nmetadata: {name: b}\n",
			diags: []string{"warning PLC0007: there is nothing to compile", "4: error PLC0002: Service: a field stands twice: \"apiVersion\"; in YAML a line --- separates two objects"},
		},
		{
			name:    "names of fields are case-sensitive, and unknown ones are named",
			text:    "apiVersion: v1\nkind: Service\nmetadata: {name: a, Name: b}\nSpec: 1\nfuture: {x: 1}\n",
			objects: []string{"1 Service default/a"},
			diags: []string{
				"3: error PLC0014: Service default/a metadata.Name: unknown field: did you mean name?",
				"4: error PLC0014: Service default/a Spec: unknown field: did you mean spec?",
				"5: error PLC0014: Service default/a future: unknown field; the API has apiVersion, kind, metadata, spec, status here",
			},
		},
		{
			name:  "not UTF-8",
			text:  "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nx: \xff\n",
			diags: []string{"warning PLC0007: there is nothing to compile", "4: error PLC0006: a byte that is not UTF-8"},
		},
		{
			name:  "gzip",
			text:  "\x1f\x8b\x08\x00",
			diags: []string{"warning PLC0007: there is nothing to compile", "1: error PLC0006: the file is compressed with gzip; unpack it first"},
		},
		{
			name:  "UTF-16",
			text:  "\xff\xfea\x00",
			diags: []string{"warning PLC0007: there is nothing to compile", "1: error PLC0006: the file is UTF-16; save it as UTF-8"},
		},
		{name: "nothing", text: "", diags: []string{"warning PLC0007: there is nothing to compile"}},
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

func TestLoadPaths(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	b, a := write("b.yaml", svcA), write("a.json", `{"apiVersion":"v1","kind":"Service","metadata":{"name":"j"}}`)
	odd := write("notes.txt", strings.Replace(svcA, "a}", "odd}", 1))
	deep := write("sub/c.yml", strings.Replace(svcA, "a}", "deep}", 1))
	if err := os.Symlink(dir, filepath.Join(dir, "sub", "loop")); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name      string
		paths     []string
		recursive bool
		want      []string
	}{
		{"directory", []string{dir}, false, []string{a, b}},
		{"recursive, with a link that leads in a circle", []string{dir}, true, []string{a, b, deep}},
		{"files, in any order and repeated", []string{odd, b, dir + "/./b.yaml", a}, false, []string{a, b, odd}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			set, _, err := manifest.Load(t.Context(), manifest.Options{Paths: tt.paths, Recursive: tt.recursive})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range set.Services {
				got = append(got, filepath.FromSlash(s.File))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, bad := range [][]string{{filepath.Join(dir, "none")}, {""}, {os.DevNull}, {"-"}} {
		if _, _, err := manifest.Load(t.Context(), manifest.Options{Paths: bad}); err == nil {
			t.Errorf("no error for %q", bad)
		}
	}
}

func TestLoadCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, text := range map[string][]byte{
		"JSON": generated(t, clustergen.JSON, clustergen.Size{Services: 50, Endpoints: 1}),
		"YAML": generated(t, clustergen.YAML, clustergen.Size{Services: 50, Endpoints: 1}),
	} {
		_, _, err := manifest.Load(ctx, manifest.Options{Paths: []string{"-"}, Stdin: bytes.NewReader(text)})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
	broken := iotest.TimeoutReader(strings.NewReader(svcA))
	if _, _, err := manifest.Load(t.Context(), manifest.Options{Paths: []string{"-"}, Stdin: broken}); !errors.Is(err, iotest.ErrTimeout) {
		t.Errorf("a reader that fails: %v", err)
	}
}
