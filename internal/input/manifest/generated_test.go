package manifest_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/internal/testing/clustergen"
)

// TestGenerated asks that the three forms of a generated cluster are the same.
func TestGenerated(t *testing.T) {
	size := clustergen.Size{Services: 700, Endpoints: 5}
	want := clustergen.Objects(size)
	for name, text := range map[string][]byte{
		"JSON": generated(t, clustergen.JSON, size),
		"YAML": generated(t, clustergen.YAML, size),
	} {
		set, diags, err := manifest.Load(t.Context(), manifest.Options{Paths: []string{"-"}, Stdin: bytes.NewReader(text)})
		if err != nil || len(diags) > 0 {
			t.Fatal(name, err, diags)
		}
		last := 0
		for _, s := range set.Services {
			if s.Line <= last {
				t.Fatalf("%s: line %d after line %d", name, s.Line, last)
			}
			last = s.Line
		}
		compareLists(t, name, want.Services, set.Services)
		compareLists(t, name, want.EndpointSlices, set.EndpointSlices)
		compareLists(t, name, want.Nodes, set.Nodes)
	}
}

func compareLists[T any](t *testing.T, name string, want, got []objects.Sourced[T]) {
	t.Helper()
	if len(want) != len(got) {
		t.Fatalf("%s: %d objects, want %d", name, len(got), len(want))
	}
	for i := range want {
		if diff := cmp.Diff(want[i].Object, got[i].Object); diff != "" {
			t.Fatalf("%s: object %d: %s", name, i, diff)
		}
	}
}
