package charts

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/strvals"
	"sigs.k8s.io/yaml"

	"github.com/planec/planec/internal/input/nodeconfig"
)

var update = flag.Bool("update", false, "write what in the chart is made of other files")

// same wants a file to have this text, or writes it with -update.
func same(t *testing.T, file string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(file)
	if err == nil && bytes.Equal(got, want) {
		return
	}
	if !*update {
		t.Errorf("%s is not what it is made of: (cd e2e/charts && go test . -update)", file)
		return
	}
	if err := os.WriteFile(file, want, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestFiles: alerts and dashboard are those of deploy. A chart has no files but its own.
func TestFiles(t *testing.T) {
	same(t, planec+"/files/rules.yaml", read(t, deploy+"/prometheus/rules.yaml"))
	same(t, planec+"/files/dashboard.json", read(t, deploy+"/grafana/planec.json"))
}

func decode(t *testing.T, text []byte) object {
	t.Helper()
	var out object
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestSchemaOfSettings: nodeConfig has the fields of a NodeConfig, but for the name of the node,
// which is not the same on all.
func TestSchemaOfSettings(t *testing.T) {
	own := decode(t, nodeconfig.Schema())["properties"].(object)
	for _, field := range []string{"apiVersion", "kind", "metadata", "node"} {
		if own[field] == nil {
			t.Errorf("a NodeConfig has no %s", field)
		}
		delete(own, field)
	}
	schema := decode(t, read(t, planec+"/values.schema.json"))
	schema["properties"].(object)["nodeConfig"].(object)["properties"] = own
	var want bytes.Buffer
	e := json.NewEncoder(&want)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(schema); err != nil {
		t.Fatal(err)
	}
	same(t, planec+"/values.schema.json", want.Bytes())
}

// value is one of the chart, for its table.
type value struct{ path, kind, def, doc string }

// values are those of the schema below a path with their defaults; it wants each to be in
// values.yaml, and the other way round, and to be described.
func values(t *testing.T, path string, schema, defaults object) (out []value) {
	t.Helper()
	fields := schema["properties"].(object)
	for name := range defaults {
		if fields[name] == nil {
			t.Errorf("values.schema.json has no %s%s", path, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		field, at := fields[name].(object), path+name
		doc, _ := field["description"].(string)
		if doc == "" {
			t.Errorf("%s has no description", at)
		}
		def, ok := defaults[name]
		if !ok {
			if at != "global" {
				t.Errorf("values.yaml has no %s", at)
			}
			continue
		}
		if inner, ok := def.(object); ok && field["properties"] != nil && len(inner) > 0 {
			out = append(out, values(t, at+".", field, inner)...)
			continue
		}
		text, err := json.Marshal(def)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, value{at, kind(field), string(text), doc})
	}
	return out
}

// kind is the type of a value, or its words.
func kind(field object) string {
	words, ok := field["enum"].([]any)
	if !ok {
		return fmt.Sprint(field["type"])
	}
	var out []string
	for _, w := range words {
		if w == "" {
			w = `""`
		}
		out = append(out, fmt.Sprint(w))
	}
	return strings.Join(out, ", ")
}

// TestTable: README has every value.
func TestTable(t *testing.T) {
	var defaults object
	if err := yaml.Unmarshal(read(t, planec+"/values.yaml"), &defaults); err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	table.WriteString("| value | | default | what it is |\n|---|---|---|---|\n")
	for _, v := range values(t, "", decode(t, read(t, planec+"/values.schema.json")), defaults) {
		fmt.Fprintf(&table, "| `%s` | %s | `%s` | %s |\n", v.path, v.kind, v.def, v.doc)
	}
	const begin, end = "<!-- values -->\n", "<!-- end of values -->\n"
	text := string(read(t, planec+"/README.md"))
	before, rest, ok := strings.Cut(text, begin)
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatal("README has no place for the table")
	}
	same(t, planec+"/README.md", []byte(before+begin+table.String()+end+after))
}

var (
	command = regexp.MustCompile("(?m)(?:^ {4}|`)(helm (?:install|upgrade|template) [^`\n]*)")
	block   = regexp.MustCompile("(?s)```yaml\n(.*?)```")
)

// TestCommands: every command of the documents that has the chart, and every example of
// values, makes objects, after the commands before it.
func TestCommands(t *testing.T) {
	c, err := loader.LoadDir(planec)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	commands, blocks := 0, 0
	for _, file := range append(files, planec+"/README.md", "../../README.md") {
		text := string(read(t, file))
		for _, m := range command.FindAllStringSubmatch(text, -1) {
			if !strings.Contains(m[1], "deploy/chart/planec") {
				continue
			}
			commands++
			v := object{}
			words := strings.Fields(m[1])
			for i, w := range words {
				var err error
				switch w {
				case "--set":
					err = strvals.ParseInto(words[i+1], v)
				case "--set-string":
					err = strvals.ParseIntoString(words[i+1], v)
				}
				if err != nil {
					t.Errorf("%s: %s: %v", file, m[1], err)
				}
			}
			if _, _, err := Render(c, v, release); err != nil {
				t.Errorf("%s: %s: %v", file, m[1], err)
			}
		}
	}
	for _, m := range block.FindAllStringSubmatch(string(read(t, planec+"/README.md")), -1) {
		blocks++
		if _, _, err := RenderDir(planec, []byte(m[1]), release); err != nil {
			t.Errorf("%v\n%s", err, m[1])
		}
	}
	if commands < 3 || blocks < 1 {
		t.Errorf("%d commands and %d examples", commands, blocks)
	}
}
