// Package nodeconfig holds files of settings against the schema that docs has for editors, by
// a library that is not one of planec's own build.
package nodeconfig

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xeipuuv/gojsonschema"
	"sigs.k8s.io/yaml"

	"github.com/planec/planec/internal/input/nodeconfig"
)

// TestSchema: every NodeConfig of the repository is right by the schema, and what planec
// refuses in a field's form the schema refuses too.
func TestSchema(t *testing.T) {
	schema, err := gojsonschema.NewSchema(gojsonschema.NewBytesLoader(nodeconfig.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	mistakes := func(text []byte) []gojsonschema.ResultError {
		t.Helper()
		json, err := yaml.YAMLToJSON(text)
		if err != nil {
			t.Fatal(err)
		}
		result, err := schema.Validate(gojsonschema.NewBytesLoader(json))
		if err != nil {
			t.Fatal(err)
		}
		return result.Errors()
	}
	n := 0
	for _, dir := range []string{"examples", "golden/cases", "deploy"} {
		if err := filepath.WalkDir(filepath.Join("../..", dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".yaml" {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil || !strings.Contains(string(text), "\nkind: NodeConfig") || strings.Contains(string(text), "kind: ConfigMap") {
				return err
			}
			n++
			for _, m := range mistakes(text) {
				t.Errorf("%s: %v", path, m)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if n < 3 {
		t.Errorf("only %d files are there", n)
	}
	for _, wrong := range []string{
		"clusterCidr: 10.0.0.0/8", "masqueradeBit: 32", "masqueradeBit: -1", "masqueradeAll: 3", "policyDeny: rejekt", "detectLocal: bridge", "ipvsScheduler: foo",
		"masqAgent: {nonMasqueradeCidrs: []}", "serviceCIDR: 7",
	} {
		text := []byte("apiVersion: planec.io/v1alpha1\nkind: NodeConfig\n" + wrong + "\n")
		if _, _, err := nodeconfig.Read("a.yaml", text); err == nil || len(mistakes(text)) == 0 {
			t.Errorf("%s: planec says %v, the schema has %d mistakes", wrong, err, len(mistakes(text)))
		}
	}
}
