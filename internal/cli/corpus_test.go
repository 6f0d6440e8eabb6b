package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/internal/cli"
	"github.com/planec/planec/ir/diag"
)

// corpusDir holds real projects' manifests; it is not part of the repository.
const corpusDir = "../../../shared/corpus"

// corpusDoc has the counts that the test makes between its marks.
const corpusDoc = "../../docs/lint-corpus.md"

// projects says what of the corpus belongs together: whole directories, and
// files that are variants of one application, each for itself.
var projects = []struct {
	name string
	// whole are sets of paths that are one input each; each are directories (or
	// files) of which every file is one.
	whole [][]string
	each  []string
}{
	{name: "argo-cd", whole: [][]string{{"manifests/base"}}, each: []string{"manifests/install.yaml", "manifests/ha"}},
	{name: "flux2", whole: [][]string{{"manifests"}}},
	{name: "ingress-nginx", each: []string{"deploy/static/provider"}},
	{name: "istio-samples", each: []string{"samples"}},
	{name: "kube-prometheus", whole: [][]string{{"manifests"}}},
	{
		name: "kubernetes-examples",
		whole: [][]string{{"web/guestbook/legacy", "web/guestbook/frontend-service.yaml", "web/guestbook/redis-master-service.yaml", "web/guestbook/redis-replica-service.yaml"}, {
			"web/guestbook/frontend-deployment.yaml", "web/guestbook/redis-master-deployment.yaml", "web/guestbook/redis-replica-deployment.yaml",
			"web/guestbook/frontend-service.yaml", "web/guestbook/redis-master-service.yaml", "web/guestbook/redis-replica-service.yaml",
		}},
		each: []string{"web/guestbook/all-in-one"},
	},
	{name: "metallb", whole: [][]string{{"config/manifests/metallb-native.yaml", "config/networkpolicies"}}, each: []string{"config/manifests", "configsamples", "dev-env"}},
	{name: "netpol-recipes", each: []string{"."}},
	{name: "online-boutique", whole: [][]string{{"kubernetes-manifests"}, {"release"}, {"kustomize/base"}, {"kustomize/base", "kustomize/components/network-policies"}}},
}

// corpusError is an error that is one.
type corpusError struct{ code, file string }

var corpusErrors = []corpusError{
	// A patch of kustomize without a directive in it ("replicas: 0"), read beside the
	// object that it changes: two contents of one name.
	{"PLC0004", "application-controller/argocd-application-controller-statefulset.yaml"},
}

// TestCorpus lints, compiles and draws the matrix of real projects: nothing
// crashes, nothing in them is an error but what was read and found to be one, and what is found is what was read.
func TestCorpus(t *testing.T) {
	if _, err := os.Stat(corpusDir); err != nil {
		t.Skipf("SKIPPED: no corpus of real manifests at %s", corpusDir)
	}
	var table strings.Builder
	table.WriteString("| project | inputs | findings |\n|---|---|---|\n")
	for _, p := range projects {
		counts := make(map[string]int)
		inputs := corpusInputs(t, filepath.Join(corpusDir, p.name), p.whole, p.each)
		for _, paths := range inputs {
			t.Run(p.name+"/"+filepath.Base(paths[0]), func(t *testing.T) { runCorpus(t, paths, counts) })
		}
		var found []string
		for _, code := range slices.Sorted(maps.Keys(counts)) {
			found = append(found, fmt.Sprintf("%d × %s", counts[code], code))
		}
		fmt.Fprintf(&table, "| %s | %d | %s |\n", p.name, len(inputs), strings.Join(found, ", "))
	}
	checkCounts(t, table.String())
}

// corpusInputs lists the inputs of a project; recipes are cut out of their text.
func corpusInputs(t *testing.T, dir string, whole [][]string, each []string) [][]string {
	t.Helper()
	var out [][]string
	for _, set := range whole {
		var paths []string
		for _, p := range set {
			paths = append(paths, filepath.Join(dir, p))
		}
		out = append(out, paths)
	}
	for _, e := range each {
		err := filepath.WalkDir(filepath.Join(dir, e), func(path string, d os.DirEntry, err error) error {
			switch {
			case err != nil || d.IsDir():
				return err
			case strings.HasSuffix(path, ".yaml"):
				out = append(out, []string{path})
			case strings.HasSuffix(path, ".md"):
				out = append(out, recipe(t, path)...)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

var fence = regexp.MustCompile("(?s)```ya?ml\n(.*?)```")

// recipe writes the manifests in a text to a file.
func recipe(t *testing.T, path string) [][]string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out [][]string
	for i, m := range fence.FindAllSubmatch(text, -1) {
		file := filepath.Join(t.TempDir(), fmt.Sprintf("%s-%d.yaml", strings.TrimSuffix(filepath.Base(path), ".md"), i))
		if err := os.WriteFile(file, m[1], 0o644); err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(m[1], []byte("apiVersion:")) {
			out = append(out, []string{file})
		}
	}
	return out
}

func runCorpus(t *testing.T, paths []string, counts map[string]int) {
	args := []string{"--synth", "-R"}
	for _, p := range paths {
		args = append(args, "-f", p)
	}
	out := planec(t, 1, append([]string{"lint", "-o", "json", "--backend", "nftables"}, args...)...)
	var found []struct{ Code, Severity, File, Message string }
	if err := json.Unmarshal([]byte(out), &found); err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		known := slices.ContainsFunc(corpusErrors, func(e corpusError) bool { return e.code == f.Code && strings.HasSuffix(f.File, e.file) })
		if f.Severity == "error" && !known {
			t.Errorf("an error in a real project: %+v", f)
		}
		if f.Code != string(diag.SkippedKinds) {
			counts[f.Code]++
			t.Logf("%s: %s %s: %s", f.File, f.Severity, f.Code, f.Message)
		}
	}
	planec(t, 0, append([]string{"compile", "-q", "--all-nodes", "--backend", "all", "--out-dir", t.TempDir()}, args...)...)
	planec(t, 0, append([]string{"matrix", "-q", "--port", "80/tcp", "--port", "53/udp"}, args...)...)
}

// planec runs a command line, and fails if its exit code is greater than most.
func planec(t *testing.T, most int, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := cli.Run(args, cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errs}); code > most {
		t.Errorf("planec %s: exit code %d\n%s", strings.Join(args, " "), code, errs.String())
	}
	return out.String()
}

// checkCounts compares the table with the one that was published.
func checkCounts(t *testing.T, table string) {
	t.Helper()
	const begin, end = "<!-- counts: made by TestCorpus -->\n", "<!-- end of counts -->"
	text, err := os.ReadFile(corpusDoc)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	old, after, ok2 := strings.Cut(rest, end)
	switch {
	case !ok || !ok2:
		t.Fatalf("%s has no marks for the counts", corpusDoc)
	case old == table:
	case *update:
		if err := os.WriteFile(corpusDoc, []byte(before+begin+table+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("the findings changed: read them, then -update\n%s", table)
	}
}
