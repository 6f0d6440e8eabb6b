package clustergen

import (
	"bytes"
	"encoding/json"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestForms wants valid text, and the same bytes every time; a test of package
// manifest compares the content with Objects.
func TestForms(t *testing.T) {
	size := Size{Services: 30, Endpoints: 3}
	var a, b, y bytes.Buffer
	for _, err := range []error{JSON(&a, size), JSON(&b, size), YAML(&y, size)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) || !json.Valid(a.Bytes()) {
		t.Error("the JSON is not stable, or not valid")
	}
	var list struct{ Items []map[string]any }
	if err := yaml.Unmarshal(y.Bytes(), &list); err != nil || len(list.Items) != Nodes+2*size.Services {
		t.Error(err, len(list.Items))
	}
	if got := Objects(size); len(got.Services) != 30 || len(got.EndpointSlices) != 30 || len(got.Nodes) != Nodes {
		t.Error(len(got.Services), len(got.EndpointSlices), len(got.Nodes))
	}
}

// TestAddresses wants a large cluster to have no duplicate address.
func TestAddresses(t *testing.T) {
	seen := map[string]bool{}
	size := Size{Services: 30_000, Endpoints: 5}
	for i := range size.Services {
		s := size.service(i)
		all := []string{s.clusterIP, s.namespace + "/" + s.name}
		for j := range s.endpoints {
			all = append(all, s.endpoint(j).address)
		}
		for _, a := range all {
			if seen[a] {
				t.Fatalf("%s twice", a)
			}
			seen[a] = true
		}
	}
}
