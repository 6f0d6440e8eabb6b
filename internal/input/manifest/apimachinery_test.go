package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigsjson "sigs.k8s.io/json"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir/diag"
)

// made is an object that kubectl's decoder made, as JSON.
type made struct {
	kind string
	json []byte
}

// kubectl decodes a text as kubectl's resource builder does (StreamVisitor and
// FlattenListVisitor of cli-runtime): the objects up to the first error, and that.
func kubectl(text string) (all []made, err error) {
	d := yaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	for {
		var raw runtime.RawExtension
		if err := d.Decode(&raw); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return all, err
		}
		raw.Raw = bytes.TrimSpace(raw.Raw)
		if len(raw.Raw) == 0 || bytes.Equal(raw.Raw, []byte("null")) {
			continue
		}
		object, _, err := unstructured.UnstructuredJSONScheme.Decode(raw.Raw, nil, nil)
		if err != nil {
			return all, err
		}
		if all, err = flatten(all, object); err != nil {
			return all, err
		}
	}
}

func flatten(all []made, object runtime.Object) ([]made, error) {
	if list, ok := object.(*unstructured.UnstructuredList); ok {
		for i := range list.Items {
			// A list in a list was decoded as an object with items.
			item := &list.Items[i]
			inner := runtime.Object(item)
			if item.IsList() {
				l, err := item.ToList()
				if err != nil {
					return all, err
				}
				inner = l
			}
			var err error
			if all, err = flatten(all, inner); err != nil {
				return all, err
			}
		}
		return all, nil
	}
	u, ok := object.(*unstructured.Unstructured)
	if !ok || !planecReads(typeMeta{u.GetAPIVersion(), u.GetKind()}) {
		return all, nil
	}
	text, err := json.Marshal(u.Object)
	if err != nil {
		return all, err
	}
	return append(all, made{u.GetKind(), text}), nil
}

// finished decodes the JSON as the API server does and finishes the object as the
// loader does; it returns its JSON, with the kind in front.
func (m *made) finished() (string, error) {
	into := map[string]metav1.Object{
		"Service": &corev1.Service{}, "EndpointSlice": &discoveryv1.EndpointSlice{}, "Node": &corev1.Node{}, "Pod": &corev1.Pod{},
		"Namespace": &corev1.Namespace{}, "ServiceCIDR": &networkingv1.ServiceCIDR{}, "NetworkPolicy": &networkingv1.NetworkPolicy{},
	}[m.kind]
	if into == nil {
		return "", errors.New("a kind that is left to the other tests")
	}
	if err := sigsjson.UnmarshalCaseSensitivePreserveInts(m.json, into); err != nil {
		return "", err
	}
	switch m.kind {
	case "Node", "Namespace", "ServiceCIDR":
		into.SetNamespace("")
	default:
		if into.GetNamespace() == "" {
			into.SetNamespace("default")
		}
	}
	kept, err := NewFinisher().Finish(into)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(kept)
	return m.kind + " " + string(text), err
}

// loaded lists the objects of a set in the same form.
func loaded(t *testing.T, set *objects.Set) []string {
	var out []string
	each := func(kind string, list any) {
		v := reflect.ValueOf(list)
		for i := range v.Len() {
			text, err := json.Marshal(v.Index(i).FieldByName("Object").Interface())
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, kind+" "+string(text))
		}
	}
	each("Service", set.Services)
	each("EndpointSlice", set.EndpointSlices)
	each("Node", set.Nodes)
	each("Pod", set.Pods)
	each("Namespace", set.Namespaces)
	each("ServiceCIDR", set.ServiceCIDRs)
	each("NetworkPolicy", set.NetworkPolicies)
	return out
}

// checkAgainstKubectl wants the loader to make what kubectl's decoder makes, or to
// call the file wrong. Where kubectl stops, planec may go on.
func checkAgainstKubectl(t *testing.T, text string) {
	t.Helper()
	out := loadText(t, text)
	if all := out.diagnostics(); all.Count(diag.Error) > 0 || hasCode(all, diag.UnsupportedKind) {
		return
	}
	reference, stopped := kubectl(text)
	var want []string
	for i := range reference {
		one, err := reference[i].finished()
		if err != nil {
			if reference[i].kind == "ClusterNetworkPolicy" || strings.HasSuffix(reference[i].kind, "AdminNetworkPolicy") {
				continue
			}
			t.Fatalf("planec reads %q without an error, and the API server would say %v", text, err)
		}
		want = append(want, one)
	}
	got := loaded(t, &out.set)
	slices.Sort(want)
	slices.Sort(got)
	for _, one := range want {
		at, there := slices.BinarySearch(got, one)
		if !there {
			t.Fatalf("%q: kubectl makes\n%s\nand planec, without a word,\n%s", text, one, strings.Join(got, "\n"))
		}
		got = slices.Delete(got, at, at+1)
	}
	if stopped == nil && len(got) > 0 {
		t.Fatalf("%q: planec makes what kubectl does not:\n%s", text, strings.Join(got, "\n"))
	}
}

func hasCode(all diag.List, code diag.Code) bool {
	return slices.ContainsFunc(all, func(d diag.Diagnostic) bool { return d.Code == code })
}

// values are scalars that YAML's versions, and JSON, read in different ways.
var values = []string{
	"0o10", "010", "0x1F", "0b101", "1e3", "1E+3", "80.0", "80.", ".5", "+80", "-0", "1_000", "0o1_0", "1:20", "08", "0o8", "9223372036854775808", "1e400",
	"yes", "on", "y", "No", "OFF", "true", "True", "TRUE", "~", "null", "NULL", "Null", "", "'80'", `"80"`, "80 # c", "2001-01-01", "2001-01-01T00:00:00Z",
	"2001-1-1 10:00:00", ".inf", "-.INF", ".nan", "!!str 80", "!!int '80'", "!!float 80", "!!bool 'yes'", "!!binary ODA=", "!!timestamp 2001-01-01", "!x 80", "|\n   80\n", "=", "<<",
	"&a 80", "\u00a080", "80\u2028", "'a\n\n   b'", `"\x38\u0030"`, "[80]", "{a: 80}", "0.1e1", "1__0", "_80", "0_8", "+0x1f", "-0b1", "0X1f", "1.0e+1", "0xFFFFFFFFFFFFFFFF",
}

// TestAgainstApimachinery reads each value in places of every type as kubectl does.
func TestAgainstApimachinery(t *testing.T) {
	for _, v := range values {
		for _, place := range []string{
			"metadata: {name: a}\nspec:\n  ports:\n  - port: %s\n", "metadata:\n  name: %s\n", "metadata:\n  name: a\n  labels:\n   x: %s\n",
			"metadata:\n  name: a\n  labels:\n   %s: x\n", "metadata: {name: a}\nspec:\n  publishNotReadyAddresses: %s\n",
			"metadata: {name: a}\nspec:\n  ports:\n  - port: 1\n    targetPort: %s\n", "metadata: {name: a}\nspec:\n  clusterIP: %s\n",
			"metadata:\n  name: a\n  creationTimestamp: %s\n", "metadata: {name: a}\nspec:\n  selector:\n   app: %s\n", "metadata: {name: a}\nspec: %s\n",
		} {
			checkAgainstKubectl(t, "apiVersion: v1\nkind: Service\n"+fmt.Sprintf(place, v))
		}
		checkAgainstKubectl(t, fmt.Sprintf("apiVersion: %s\nkind: Service\nmetadata: {name: a}\n", v))
		checkAgainstKubectl(t, fmt.Sprintf("apiVersion: v1\nkind: %s\nmetadata: {name: a}\n", v))
		checkAgainstKubectl(t, fmt.Sprintf("--- %s\napiVersion: v1\nkind: Service\nmetadata: {name: a}\n", v))
		checkAgainstKubectl(t, fmt.Sprintf("%s\n---\napiVersion: v1\nkind: Service\nmetadata: {name: a}\n", v))
	}
}

// FuzzAgainstApimachinery looks for an object that kubectl's decoder makes and the
// loader skips, or makes differently, without an error.
func FuzzAgainstApimachinery(f *testing.F) {
	for _, s := range append(slices.Clone(listSeeds), "kind: ServiceList\napiVersion: v1\nitems:\n-") {
		f.Add(s)
	}
	const service = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: %s}]}\n"
	for _, v := range values {
		f.Add(fmt.Sprintf(service, v))
	}
	for _, s := range []string{
		"{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"a\"}}\n{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"b\"}}\n---\nkind: Node\napiVersion: v1\nmetadata: {name: c}\n",
		"x: &x {kind: Service}\napiVersion: v1\n<<: [*x, {kind: Node}]\nmetadata: {name: a}\n",
		"apiVersion: v1\r\nkind: Pod\r\nmetadata:\r\n  name: a\r\n---\r\napiVersion: v1\r\nkind: Node\r\nmetadata: {name: b}\r\n",
		"%YAML 1.1\n---\nkind: Namespace\napiVersion: v1\nmetadata: {name: a}\n...\n",
		"---#c\nkind: Namespace\napiVersion: v1\nmetadata: {name: a}\n---\t\n\tkind: Node\n",
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  x: |\n    ---\n    kind: Service\n  y: \"\n---\n\"\n",
		"{apiVersion: v1, kind: Service, metadata: {name: a}}\n---\n{\"kind\": Node, \"apiVersion\": v1, metadata: {name: b}}\n",
		"kind: NetworkPolicy\napiVersion: networking.k8s.io/v1\nmetadata: {name: a}\nspec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: []}}], ports: [{port: http, endPort: 2}]}]}\n",
		"kind: EndpointSlice\napiVersion: discovery.k8s.io/v1\nmetadata: {name: a, labels: {kubernetes.io/service-name: b}}\naddressType: IPv4\nendpoints: [{addresses: [10.0.0.1], conditions: {ready: yes}}]\nports: [{port: 0o120}]\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<13 {
			t.Skip()
		}
		checkAgainstKubectl(t, text)
	})
}
