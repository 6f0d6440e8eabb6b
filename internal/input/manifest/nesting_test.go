package manifest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/ir/diag"
)

// TestNesting wants objects that nest as deep as they may to be read, and one level more
// to be refused, in YAML, JSON, and by the keys that merge.
func TestNesting(t *testing.T) {
	const head = "apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: shop}\nspec: {clusterIP: 10.96.0.1}\n"
	flow := func(depth int) string {
		return head + "x: " + strings.Repeat("[", depth) + strings.Repeat("]", depth) + "\n"
	}
	inJSON := func(depth int) string {
		return `{"apiVersion":"v1","kind":"Service","metadata":{"name":"a","namespace":"shop"},"x":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + "}\n"
	}
	merging := func(depth int) string {
		return head + "x: " + strings.Repeat("{<<: ", depth) + "{v: 1}" + strings.Repeat("}", depth) + "\n"
	}
	for _, c := range []struct {
		name string
		text func(int) string
		// deepest is how deep the part nests that the head does not have.
		deepest int
	}{
		{"YAML", flow, maxDepth - 1},
		{"JSON", inJSON, maxDepth},
		{"merge keys", merging, maxDepth},
	} {
		for more := range 2 {
			set, diags, err := LoadFrom(t.Context(), "f.yaml", strings.NewReader(c.text(c.deepest+more)))
			if err != nil {
				t.Fatal(err)
			}
			diags = slices.DeleteFunc(diags, func(d diag.Diagnostic) bool { return d.Code == diag.UnknownField })
			if read := len(set.Services) == 1; read != (more == 0) || read == (diags.Count(diag.Error) > 0) {
				t.Errorf("%s, %d levels: read %v, said %v", c.name, c.deepest+more, read, diags)
			}
		}
	}
}

// TestMergesAreBounded writes merge keys that would bring millions of fields: that is
// refused, and what it takes is bounded by what may be in a document.
func TestMergesAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: shop}\nx0: &x0 {")
	for i := range 2000 {
		fmt.Fprintf(&b, "k%d: 1, ", i)
	}
	b.WriteString("}\n")
	for i := range 3000 {
		fmt.Fprintf(&b, "y%d: {<<: *x0}\n", i)
	}
	set, diags, err := LoadFrom(t.Context(), "f.yaml", strings.NewReader(b.String()))
	if err != nil || len(set.Services) != 0 || diags.Count(diag.Error) != 1 {
		t.Errorf("read %d Services, said %v, %v", len(set.Services), diags, err)
	}
}
