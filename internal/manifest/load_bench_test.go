package manifest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/planec/planec/internal/clustergen"
	"github.com/planec/planec/internal/manifest"
)

var benchSize = clustergen.Size{Services: 10_000, Endpoints: 5}

func generated(tb testing.TB, write func(io.Writer, clustergen.Size) error, size clustergen.Size) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := write(&b, size); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func BenchmarkLoadJSON(b *testing.B) { benchmarkLoad(b, clustergen.JSON) }

func BenchmarkLoadYAML(b *testing.B) { benchmarkLoad(b, clustergen.YAML) }

func benchmarkLoad(b *testing.B, write func(io.Writer, clustergen.Size) error) {
	text := generated(b, write, benchSize)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		set, diags, err := manifest.Load(b.Context(), manifest.Options{Paths: []string{"-"}, Stdin: bytes.NewReader(text)})
		if err != nil || len(diags) > 0 || len(set.Services) != benchSize.Services || len(set.EndpointSlices) != benchSize.Services {
			b.Fatal(err, diags, len(set.Services), len(set.EndpointSlices))
		}
	}
}

// BenchmarkBareJSON is what the loader is measured against: the standard
// decoder reading the same bytes into the same types, in one go.
func BenchmarkBareJSON(b *testing.B) {
	text := generated(b, clustergen.JSON, benchSize)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		var list struct {
			Items []typedItem `json:"items"`
		}
		if err := json.NewDecoder(bytes.NewReader(text)).Decode(&list); err != nil {
			b.Fatal(err)
		}
		if len(list.Items) != clustergen.Nodes+2*benchSize.Services {
			b.Fatal(len(list.Items))
		}
	}
}

// typedItem decodes itself into the type that its kind says: the cheapest way
// of doing so without knowing the order of the items.
type typedItem struct{ object any }

func (t *typedItem) UnmarshalJSON(text []byte) error {
	switch {
	case bytes.Contains(text, []byte(`"kind": "EndpointSlice"`)):
		t.object = new(discoveryv1.EndpointSlice)
	case bytes.Contains(text, []byte(`"kind": "Node"`)):
		t.object = new(corev1.Node)
	default:
		t.object = new(corev1.Service)
	}
	return json.Unmarshal(text, t.object)
}
