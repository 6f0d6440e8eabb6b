// Package sarif holds what planec writes against the schema that OASIS has published. The
// schema is that of a library, which is not one of planec's own build.
package sarif

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	_ "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif" // its source has the schema
	"github.com/xeipuuv/gojsonschema"

	"github.com/planec/planec/internal/cli"
)

// published is the schema as the library has it, a constant that it does not export.
func published(t *testing.T) *gojsonschema.Schema {
	t.Helper()
	dir, err := exec.Command("go", "list", "-f", "{{.Dir}}", "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif").Output()
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(strings.TrimSpace(string(dir)), "schema.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var text string
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && v.Names[0].Name == "schema" {
			text, err = strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
		}
		return true
	})
	if err != nil || !strings.Contains(text, "docs.oasis-open.org/sarif/sarif/v2.1.0") {
		t.Fatalf("the schema is not there: %v", err)
	}
	schema, err := gojsonschema.NewSchema(gojsonschema.NewStringLoader(text))
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// written is the part of a log that the test looks at itself.
type written struct {
	Runs []struct {
		Results []struct {
			Message   struct{ Text string }
			Locations []struct {
				PhysicalLocation struct{ ArtifactLocation struct{ URI string } }
			}
		}
	}
}

// hostile is a manifest whose names are none of a file's or an object's.
const hostile = `apiVersion: v1
kind: Service
metadata: {name: "a [x](y) {0} %41 \u202e", namespace: "shop\u001b[31m"}
spec: {ports: [{port: 80, protocl: TCP}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: shop}
spec: {podSelector: {matchLabels: {app: nothing}}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.300/8}}]}]}
---
kind: [
`

// TestSchema runs lint and diff on inputs of every kind: what they write is valid SARIF
// 2.1.0, and every result has a file, without which
// code scanning refuses all of them.
func TestSchema(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	schema := published(t)
	t.Chdir(t.TempDir())
	if err := os.WriteFile("a b#1%.yaml", []byte(hostile), 0o600); err != nil {
		t.Fatal(err)
	}
	runs := [][]string{
		{"lint", "-f", "a b#1%.yaml"},
		{"lint", "-f", "-"},
		{"lint", "--synth", "-f", filepath.Join(root, "examples/shop")},
		{"lint", "--synth", "-f", "a b#1%.yaml", "-f", filepath.Join(root, "examples/policies")},
		{"diff", filepath.Join(root, "examples/shop"), filepath.Join(root, "examples/policies"), "--synth"},
	}
	pairs, err := filepath.Glob(filepath.Join(root, "internal/cli/testdata/diff/*"))
	if err != nil || len(pairs) == 0 {
		t.Fatal(pairs, err)
	}
	for _, pair := range pairs {
		runs = append(runs, []string{"diff", filepath.Join(pair, "old"), filepath.Join(pair, "new"), "--exit-zero"})
	}
	results := 0
	for _, args := range runs {
		var out, err bytes.Buffer
		code := cli.Run(append(args, "-o", "sarif"), cli.Streams{In: strings.NewReader(hostile), Out: &out, Err: &err})
		if out.Len() == 0 {
			t.Errorf("%q: exit code %d and nothing written: %s", args, code, &err)
			continue
		}
		results += valid(t, schema, args, out.Bytes())
	}
	t.Logf("%d logs with %d results", len(runs), results)
}

// valid holds one log against the schema, and counts its results.
func valid(t *testing.T, schema *gojsonschema.Schema, args []string, log []byte) int {
	t.Helper()
	found, err := schema.Validate(gojsonschema.NewBytesLoader(log))
	if err != nil {
		t.Errorf("%q: %v\n%s", args, err, log)
		return 0
	}
	for _, e := range found.Errors() {
		t.Errorf("%q: %s", args, e)
	}
	var out written
	if err := json.Unmarshal(log, &out); err != nil {
		t.Fatal(err)
	}
	for _, r := range out.Runs[0].Results {
		if len(r.Locations) == 0 {
			t.Errorf("%q: a result without a file: %s", args, r.Message.Text)
			continue
		}
		uri := r.Locations[0].PhysicalLocation.ArtifactLocation.URI
		if uri == "" || strings.ContainsAny(uri, " #<>:") || strings.HasPrefix(uri, "/") {
			t.Errorf("%q: the file is %q", args, uri)
		}
	}
	return len(out.Runs[0].Results)
}
