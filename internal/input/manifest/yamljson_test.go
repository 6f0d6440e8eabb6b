package manifest

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

var scalarSeeds = []string{
	"a", "y", "N", "yes", "On", "off", "TRUE", "null", "~", "", "'yes'", "\"1\"", "1", "-1", "+1", "0x1F", "0o17", "017", "0b11", "1_000",
	"1e3", "1.5", ".5", "1.", "-.5", "18446744073709551615", "18446744073709551616", "9223372036854775808", "1e400", "2026-01-02", "2026-01-02T03:04:05Z",
	"10.0.0.1", "fd00::1", "1:20", "0777", "09", "!!str yes", "!!int 1", "!!float 1", "!!bool true", "!!binary aGk=", "!x y", "<<", "=", ">-\n  a\n  b", "|\n  1",
	"[1, a, {b: c}]", "{1: a, true: b, 1.5: c, null0: d}", "&x 1", "\"\\u00e9\\n\"",
}

// TestScalarsAsKubectl compares the conversion to JSON with the library that
// kubectl uses.
func TestScalarsAsKubectl(t *testing.T) {
	for _, s := range scalarSeeds {
		compareWithKubectl(t, "a: "+s+"\n")
		if !strings.ContainsAny(s, "\n[{") {
			compareWithKubectl(t, s+": a\n")
		}
	}
}

// FuzzYAMLToJSON compares the conversion with the library that kubectl uses,
// wherever both accept the text.
func FuzzYAMLToJSON(f *testing.F) {
	for _, s := range scalarSeeds {
		f.Add("a: " + s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		// In these, version 3 of the parser mends faults of version 2, or
		// merging differs on purpose.
		if len(text) > 1<<12 || strings.ContainsAny(text, "!&*%<\r\t\u0085\u2028\u2029\ufeff") || strings.Contains(text, "---") {
			t.Skip()
		}
		compareWithKubectl(t, text)
	})
}

func compareWithKubectl(t *testing.T, text string) {
	t.Helper()
	want, err := yaml.YAMLToJSON([]byte(text))
	nodes, ourErr := yamlNodes([]byte(text))
	if err != nil || ourErr != nil || len(nodes) != 1 {
		return
	}
	got, ourErr := nodeJSON(nodes[0], nil)
	if ourErr != nil {
		return
	}
	var a, b any
	if json.Unmarshal(want, &a) != nil || json.Unmarshal(got, &b) != nil {
		t.Errorf("%q: no JSON: %s, %s", text, want, got)
	} else if !reflect.DeepEqual(a, b) {
		t.Errorf("%q: got %s, kubectl has %s", text, got, want)
	}
}
