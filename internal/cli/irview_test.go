package cli

import (
	"bytes"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/testing/randomcluster"
	"github.com/planec/planec/ir"
)

// TestYAMLRoundTrip reads the YAML form back: it is the JSON form, converted.
func TestYAMLRoundTrip(t *testing.T) {
	for seed := range uint64(20) {
		c := randomcluster.New(seed)
		p, _ := compiler.Compile(compiler.Input{Objects: &c.Objects, Node: randomcluster.Node, Config: c.Config})
		text, err := formatProgram(p, "yaml")
		if err != nil {
			t.Fatal(err)
		}
		j, err := yaml.YAMLToJSON(text)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ir.ParseJSON(j)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again.Text(), p.Text()) {
			t.Fatalf("seed %d: the YAML form does not come back", seed)
		}
	}
}
