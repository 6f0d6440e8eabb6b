package manifest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/ir"
)

const locatedYAML = `kind: List
apiVersion: v1
items:
- apiVersion: v1
  kind: Service
  metadata:
    name: a
    labels:
      example.com/x: "1"
  spec:
    ports:
    - port: 80
      nodePort: 30080
    - name: second
      # a comment
      port: 81
    externalIPs: [192.0.2.1,
      192.0.2.2]
- apiVersion: v1
  kind: Service
  metadata: {name: b}
  spec:
    clusterIP: 10.0.0.1
---
apiVersion: v1
kind: Node
metadata:
  name: n
status:
  addresses:
  - address: x
`

const locatedJSON = `{
    "apiVersion": "v1",
    "items": [
        {
            "kind": "Service",
            "metadata": {
                "name": "a"
            },
            "spec": {
                "ports": [
                    {
                        "port": 80
                    }, {
                        "port": 81
                    }
                ]
            }
        }, {
            "metadata": {"name": "b"},
            "spec": {
                "clusterIP": "x"
            }
        }
    ]
}
{"metadata": {"name": "one"}, "spec": {"clusterIP": ""}}
`

func TestLocator(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	y, j := write("a.yaml", locatedYAML), write("a.json", locatedJSON)
	tests := []struct {
		file string
		line int
		name string
		path string
		want int
	}{
		{y, 4, "a", "spec.ports[0].nodePort", 13},
		{y, 4, "a", "spec.ports[1].port", 16},
		{y, 4, "a", "spec.ports[1]", 14},
		{y, 4, "a", "spec.ports[1].protocol", 14},
		{y, 4, "a", "spec.ports[9]", 11},
		{y, 4, "a", "spec.externalIPs[1]", 18},
		{y, 4, "a", `metadata.labels["example.com/x"]`, 9},
		{y, 4, "a", "metadata.labels[example.com/x]", 9},
		{y, 19, "b", "spec.clusterIP", 23},
		{y, 25, "n", "status.addresses[0].address", 31},
		{y, 4, "a", "spec.ports", 11},
		{y, 4, "other", "spec.ports", 4},
		{y, 4, "a", "status", 4},
		{y, 400, "a", "spec", 400},
		{j, 4, "a", "spec.ports[1].port", 14},
		{j, 4, "a", "spec.ports[0]", 11},
		{j, 18, "b", "spec.clusterIP", 21},
		{j, 26, "one", "spec.clusterIP", 26},
		{j, 1, "", "items[0].metadata.name", 7},
		{filepath.Join(dir, "none"), 1, "", "spec", 1},
		{dir, 1, "", "spec", 1},
		{y, 4, "a", "spec[", 4},
		{y, 0, "a", "spec", 0},
	}
	var l manifest.Locator
	defer l.Close()
	for _, tt := range tests {
		o := ir.Origin{File: tt.file, Line: tt.line, Name: tt.name, Path: tt.path}
		got := l.Locate(o)
		o.Line = tt.want
		if got != o {
			t.Errorf("%s:%d %s %s: line %d, want %d", filepath.Base(tt.file), tt.line, tt.name, tt.path, got.Line, tt.want)
		}
	}
}

// TestManyInOneObject wants the work of locating to be that of parsing the object
// once, in both formats, however many diagnostics it has.
func TestManyInOneObject(t *testing.T) {
	const many = 20_000
	var yaml, json strings.Builder
	yaml.WriteString("kind: Service\nmetadata: {name: a}\nspec:\n  externalIPs:\n")
	json.WriteString("{\"kind\": \"Service\", \"metadata\": {\"name\": \"a\"},\n\"spec\": {\n\"externalIPs\": [\n")
	for i := range many {
		fmt.Fprintf(&yaml, "  - %d\n", i)
		fmt.Fprintf(&json, "%d%s\n", i, map[bool]string{true: ",", false: ""}[i+1 < many])
	}
	json.WriteString("]}}\n")
	dir := t.TempDir()
	for name, text := range map[string]string{"a.yaml": yaml.String(), "a.json": json.String()} {
		at := filepath.Join(dir, name)
		if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var l manifest.Locator
		first := map[string]int{"a.yaml": 5, "a.json": 4}[name]
		locate := func(i int) {
			got := l.Locate(ir.Origin{File: at, Line: 1, Name: "a", Path: fmt.Sprintf("spec.externalIPs[%d]", i)})
			if got.Line != first+i {
				t.Fatalf("%s: item %d is at line %d, want %d", name, i, got.Line, first+i)
			}
		}
		locate(0)
		i := 0
		// Parsing again would make an allocation for every item.
		if n := testing.AllocsPerRun(many-2, func() { i++; locate(i) }); n > 50 {
			t.Errorf("%s: %v allocations for one more diagnostic", name, n)
		}
		l.Close()
	}
}
