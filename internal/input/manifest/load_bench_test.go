package manifest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/internal/testing/clustergen"
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
// decoder reading the same bytes, in one go, into one type that has the fields
// of all three kinds.
func BenchmarkBareJSON(b *testing.B) {
	text := generated(b, clustergen.JSON, benchSize)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		var list struct {
			Items []anyKind `json:"items"`
		}
		if err := json.NewDecoder(bytes.NewReader(text)).Decode(&list); err != nil {
			b.Fatal(err)
		}
		if len(list.Items) != clustergen.Nodes+2*benchSize.Services {
			b.Fatal(len(list.Items))
		}
	}
}

type anyKind struct {
	metav1.TypeMeta
	metav1.ObjectMeta `json:"metadata"`
	Spec              *struct {
		corev1.ServiceSpec
		corev1.NodeSpec
	} `json:"spec"`
	Status *struct {
		corev1.ServiceStatus
		Addresses []corev1.NodeAddress `json:"addresses"`
	} `json:"status"`
	AddressType discoveryv1.AddressType    `json:"addressType"`
	Endpoints   []discoveryv1.Endpoint     `json:"endpoints"`
	Ports       []discoveryv1.EndpointPort `json:"ports"`
}
