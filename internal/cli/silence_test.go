package cli_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	kjson "sigs.k8s.io/json"
	policyv1alpha1 "sigs.k8s.io/network-policy-api/apis/v1alpha1"
	policyv1beta1 "sigs.k8s.io/network-policy-api/apis/v1beta1"
	kyaml "sigs.k8s.io/yaml"

	"github.com/planec/planec/internal/cli"
)

var mutations = flag.Int("mutations", 500, "how many changes of manifests TestNoSilence makes")

// manifests is a file that is changed, cut into documents.
type manifests struct {
	path      string
	documents []document
	// said are the findings about it as it is.
	said map[finding]bool
}

// document is one of a file: an object of a kind that planec reads, or anything else.
type document struct {
	text string
	// line is that of its first byte.
	line int
	root *yaml.Node
	// kind is the Go type of its kind; nil for others.
	kind reflect.Type
	name string
}

// finding is what is compared of one.
type finding struct {
	Code, Message, File string
	Line                int
}

// apiTypes are the Go types of what planec reads: an oracle of its own for what a field
// is.
var apiTypes = map[string]any{
	"v1/Service": corev1.Service{}, "v1/Pod": corev1.Pod{}, "v1/Namespace": corev1.Namespace{}, "v1/Node": corev1.Node{},
	"discovery.k8s.io/v1/EndpointSlice": discoveryv1.EndpointSlice{}, "networking.k8s.io/v1/NetworkPolicy": networkingv1.NetworkPolicy{},
	"apps/v1/Deployment": appsv1.Deployment{}, "apps/v1/StatefulSet": appsv1.StatefulSet{}, "apps/v1/DaemonSet": appsv1.DaemonSet{},
	"batch/v1/Job": batchv1.Job{}, "batch/v1/CronJob": batchv1.CronJob{},
	"policy.networking.k8s.io/v1beta1/ClusterNetworkPolicy":        policyv1beta1.ClusterNetworkPolicy{},
	"policy.networking.k8s.io/v1alpha1/AdminNetworkPolicy":         policyv1alpha1.AdminNetworkPolicy{},
	"policy.networking.k8s.io/v1alpha1/BaselineAdminNetworkPolicy": policyv1alpha1.BaselineAdminNetworkPolicy{},
}

// TestNoSilence misspells a field, changes what a policy reaches, or adds an object that
// is not read, in the manifests of this repository and of real projects: lint or diff
// names the file and the line, or the policy.
func TestNoSilence(t *testing.T) {
	inputs := silenceInputs(t)
	isPolicy := func(d document) bool { return d.kind == reflect.TypeFor[networkingv1.NetworkPolicy]() }
	withPolicies := slices.DeleteFunc(slices.Clone(inputs), func(m *manifests) bool { return !slices.ContainsFunc(m.documents, isPolicy) })
	rng := rand.New(rand.NewPCG(2, 7))
	made := make(map[string]int)
	for tries := 0; made["all"] < *mutations; tries++ {
		if tries > 20**mutations {
			t.Fatalf("only %v changes could be made", made)
		}
		m := inputs[rng.IntN(len(inputs))]
		var what, silent string
		switch rng.IntN(4) {
		case 0, 1:
			what, silent = misspellOne(t, rng, m)
		case 2:
			what, silent = changeReach(t, rng, withPolicies[rng.IntN(len(withPolicies))])
		case 3:
			what, silent = addUnread(t, rng, m)
		}
		if what == "" {
			continue
		}
		made["all"]++
		made[what]++
		if silent != "" {
			t.Errorf("change %d: %s of %s is not said: %s", made["all"], what, m.path, silent)
		}
	}
	t.Logf("of %d files: %v", len(inputs), made)
}

// silenceInputs are files that can be read, and are not so large that one change of
// them takes long.
func silenceInputs(t *testing.T) []*manifests {
	t.Helper()
	roots := []string{"../../examples", "../../golden/cases"}
	if _, err := os.Stat(corpusDir); err == nil {
		roots = append(roots, corpusDir)
	} else {
		t.Logf("without the corpus of real manifests, which is not at %s", corpusDir)
	}
	const largest = 24 << 10
	var out []*manifests
	for _, root := range roots {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".yaml" {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil || len(text) > largest {
				return err
			}
			if m := cut(path, string(text)); m != nil {
				out = append(out, m)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// cut returns nil for a file that has no object of the types above.
func cut(path, text string) *manifests {
	m := &manifests{path: path}
	usable, line := false, 1
	var current strings.Builder
	end := func() {
		d := document{text: current.String(), line: line}
		var root yaml.Node
		if yaml.Unmarshal([]byte(d.text), &root) == nil && len(root.Content) == 1 && root.Content[0].Kind == yaml.MappingNode {
			d.root = root.Content[0]
			var meta struct {
				APIVersion string
				Kind       string
				Metadata   struct{ Name string }
			}
			if kyaml.Unmarshal([]byte(d.text), &meta) == nil {
				d.name = meta.Metadata.Name
				if api, known := apiTypes[meta.APIVersion+"/"+meta.Kind]; known && strictly([]byte(d.text), reflect.TypeOf(api)) {
					d.kind, usable = reflect.TypeOf(api), true
				}
			}
		}
		m.documents = append(m.documents, d)
		line += strings.Count(d.text, "\n")
		current.Reset()
	}
	for l := range strings.Lines(text) {
		current.WriteString(l)
		if strings.HasPrefix(l, "---") {
			end()
		}
	}
	if end(); !usable {
		return nil
	}
	return m
}

// strictly reports whether a document is one of a type, without unknown fields.
func strictly(text []byte, kind reflect.Type) bool {
	asJSON, err := kyaml.YAMLToJSON(bytes.TrimSuffix(bytes.TrimSpace(text), []byte("---")))
	if err != nil {
		return false
	}
	strict, err := kjson.UnmarshalStrict(asJSON, reflect.New(kind).Interface())
	return err == nil && len(strict) == 0
}

// with is the text with another document in the place of one.
func (m *manifests) with(at int, text string) string {
	var b strings.Builder
	for i, d := range m.documents {
		if i == at {
			b.WriteString(text)
		} else {
			b.WriteString(d.text)
		}
	}
	return b.String()
}

// pick returns a document that a function likes, or -1.
func (m *manifests) pick(rng *rand.Rand, like func(*document) bool) int {
	var fit []int
	for i := range m.documents {
		if m.documents[i].kind != nil && like(&m.documents[i]) {
			fit = append(fit, i)
		}
	}
	if len(fit) == 0 {
		return -1
	}
	return fit[rng.IntN(len(fit))]
}

// linted are the findings about a text, under the name of the file.
func linted(t *testing.T, text string) map[finding]bool {
	t.Helper()
	path := filepath.Join(t.TempDir(), "m.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var all []finding
	if err := json.Unmarshal([]byte(planec(t, 1, "lint", "--synth", "-o", "json", "--backend", "nftables", "-f", path)), &all); err != nil {
		t.Fatal(err)
	}
	out := make(map[finding]bool, len(all))
	for _, f := range all {
		f.File = filepath.Base(f.File)
		out[f] = true
	}
	return out
}

// saidNow reports whether lint says something new of one of two lines.
func (m *manifests) saidNow(t *testing.T, text string, lines ...int) bool {
	t.Helper()
	if m.said == nil {
		m.said = linted(t, m.with(-1, ""))
	}
	for f := range linted(t, text) {
		if !m.said[f] && f.File == "m.yaml" && slices.Contains(lines, f.Line) {
			return true
		}
	}
	return false
}

// misspellOne changes the letters of one field so that the API has none of that name.
func misspellOne(t *testing.T, rng *rand.Rand, m *manifests) (what, silent string) {
	at := m.pick(rng, func(*document) bool { return true })
	if at < 0 {
		return "", ""
	}
	d := &m.documents[at]
	var keys []*yaml.Node
	var collect func(*yaml.Node)
	collect = func(n *yaml.Node) {
		for i, c := range n.Content {
			if n.Kind == yaml.MappingNode && i%2 == 0 {
				keys = append(keys, c)
			}
			collect(c)
		}
	}
	collect(d.root)
	key := keys[rng.IntN(len(keys))]
	lines := strings.SplitAfter(d.text, "\n")
	l := []rune(lines[key.Line-1])
	from := key.Column - 1
	if from+len([]rune(key.Value)) > len(l) || string(l[from:from+len([]rune(key.Value))]) != key.Value {
		return "", "" // it is quoted
	}
	name := slip(rng, key.Value)
	lines[key.Line-1] = string(l[:from]) + name + string(l[from+len([]rune(key.Value)):])
	text := strings.Join(lines, "")
	if strictly([]byte(text), d.kind) && key.Value != "kind" && key.Value != "apiVersion" {
		return "", "" // the name is free there
	}
	said := []int{d.line + key.Line - 1}
	if key.Value == "kind" || key.Value == "apiVersion" {
		said = append(said, d.line+d.root.Line-1) // what it says is missing
	}
	if whole := m.with(at, text); !m.saidNow(t, whole, said...) {
		return "a misspelt field", fmt.Sprintf("line %d: %s became %s", d.line+key.Line-1, key.Value, name)
	}
	return "a misspelt field", ""
}

// slip is a word with one slip of the hand.
func slip(rng *rand.Rand, word string) string {
	b := []byte(word)
	i := rng.IntN(len(b))
	switch rng.IntN(5) {
	case 0:
		if len(b) > 1 {
			return string(slices.Delete(b, i, i+1))
		}
	case 1:
		if i > 0 && b[i] != b[i-1] {
			b[i], b[i-1] = b[i-1], b[i]
			return string(b)
		}
	case 2:
		return string(slices.Insert(b, i, b[i]))
	case 3:
		if b[i] >= 'a' && b[i] <= 'z' || b[i] >= 'A' && b[i] <= 'Z' {
			b[i] ^= 0x20
			return string(b)
		}
	}
	b[i] = 'x'
	return string(b) + "q"
}

// changeReach changes what one policy selects or accepts.
func changeReach(t *testing.T, rng *rand.Rand, m *manifests) (what, silent string) {
	at := m.pick(rng, func(d *document) bool { return d.kind == reflect.TypeFor[networkingv1.NetworkPolicy]() })
	if at < 0 {
		return "", ""
	}
	d := &m.documents[at]
	var p networkingv1.NetworkPolicy
	if err := kyaml.Unmarshal([]byte(strings.TrimSuffix(strings.TrimSpace(d.text), "---")), &p); err != nil {
		t.Fatal(err)
	}
	how := reaches[rng.IntN(len(reaches))]
	if !how.change(&p) {
		return "", ""
	}
	text, err := kyaml.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	before, after := filepath.Join(dir, "before.yaml"), filepath.Join(dir, "after.yaml")
	for path, content := range map[string]string{before: m.with(-1, ""), after: m.with(at, string(text)+"---\n")} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out, errs bytes.Buffer
	code := cli.Run([]string{"diff", "--synth", "--backend", "none", before, after}, cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
	if code != 1 || !strings.Contains(out.String(), "NetworkPolicy") || !strings.Contains(out.String(), d.name) {
		return "another reach", fmt.Sprintf("%s of %s: exit code %d, %s%s", how.name, d.name, code, out.String(), errs.String())
	}
	return "another reach", ""
}

// reaches are changes of a policy; each reports whether the policy is another one then.
var reaches = []struct {
	name   string
	change func(*networkingv1.NetworkPolicy) bool
}{
	{"a label of the selector", func(p *networkingv1.NetworkPolicy) bool {
		if p.Spec.PodSelector.MatchLabels == nil {
			p.Spec.PodSelector.MatchLabels = map[string]string{}
		}
		p.Spec.PodSelector.MatchLabels["reach"] = "other"
		return true
	}},
	{"everybody", func(p *networkingv1.NetworkPolicy) bool {
		for i := range p.Spec.Ingress {
			if len(p.Spec.Ingress[i].From) > 0 {
				p.Spec.Ingress[i].From = nil
				return true
			}
		}
		return false
	}},
	{"no rules of ingress", func(p *networkingv1.NetworkPolicy) bool {
		had := len(p.Spec.Ingress)
		p.Spec.Ingress = nil
		return had > 0
	}},
	{"one rule more", func(p *networkingv1.NetworkPolicy) bool {
		p.Spec.Ingress = append(p.Spec.Ingress, networkingv1.NetworkPolicyIngressRule{From: []networkingv1.NetworkPolicyPeer{{IPBlock: &networkingv1.IPBlock{CIDR: "198.51.100.0/24"}}}})
		return true
	}},
	{"a block", func(p *networkingv1.NetworkPolicy) bool {
		for i := range p.Spec.Egress {
			for j := range p.Spec.Egress[i].To {
				if b := p.Spec.Egress[i].To[j].IPBlock; b != nil {
					b.CIDR, b.Except = "198.51.100.0/25", nil
					return true
				}
			}
		}
		return false
	}},
	{"a port", func(p *networkingv1.NetworkPolicy) bool {
		for i := range p.Spec.Ingress {
			for j := range p.Spec.Ingress[i].Ports {
				if port := p.Spec.Ingress[i].Ports[j].Port; port != nil && port.IntVal > 0 && p.Spec.Ingress[i].Ports[j].EndPort == nil {
					port.IntVal = port.IntVal%60000 + 1
					return true
				}
			}
		}
		return false
	}},
	{"a direction", func(p *networkingv1.NetworkPolicy) bool {
		if slices.Contains(p.Spec.PolicyTypes, networkingv1.PolicyTypeEgress) || len(p.Spec.PolicyTypes) == 0 && len(p.Spec.Egress) > 0 {
			p.Spec.PolicyTypes = []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}
		} else {
			p.Spec.PolicyTypes = []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress}
		}
		return true
	}},
}

// addUnread adds an object that planec does not read, and that may mean something to it.
func addUnread(t *testing.T, rng *rand.Rand, m *manifests) (what, silent string) {
	kinds := []string{
		"cilium.io/v3 CiliumNetworkPolicy", "cilium.io/v2 CiliumClusterwideNetworkPolcy", "networking.k8s.aws/v1 ApplicationNetworkPolicy", "crd.antrea.io/v1beta1 ClusterNetworkPolicy",
		"projectcalico.org/v1 NetworkPolicy", "crd.antrea.io/v1beta1 NetworkPolicy", "networking.k8s.io/v2 NetworkPolicy",
		"extensions/v1beta1 NetworkPolicy", "v2 Service", "networking.k8s.io/v1 NetworkPolcy", "v1 Servce", "apps/v1 Deploymnt",
		"policy.networking.k8s.io/v1alpha9 AdminNetworkPolicy", "v1 NetworkPolicy",
	}
	version, kind, _ := strings.Cut(kinds[rng.IntN(len(kinds))], " ")
	whole := m.with(-1, "")
	if !strings.HasSuffix(whole, "\n") {
		whole += "\n"
	}
	whole += "---\n"
	line := 1 + strings.Count(whole, "\n")
	whole += fmt.Sprintf("apiVersion: %s\nkind: %s\nmetadata: {name: unread-%d, namespace: shop}\nspec: {}\n", version, kind, rng.IntN(100))
	if !m.saidNow(t, whole, line) {
		return "an unread object", fmt.Sprintf("line %d: %s %s", line, version, kind)
	}
	return "an unread object", ""
}
